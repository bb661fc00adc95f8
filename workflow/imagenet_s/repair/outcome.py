"""What a repair reports at its end: what it restored and deleted, what is left, and what to do next."""

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from imagenet_s.runtime.errors import MOST_NAMES, listed_paths
from imagenet_s.runtime.full_list import list_in_full
from imagenet_s.verify.compare import VerificationResult
from imagenet_s.verify.next_steps import CONFIGFILE, repair_step

FoundDamage: TypeAlias = Mapping[str, Sequence[str]]  # kind → paths in the subset's folder


def print_outcome(found: Sequence[FoundDamage], after: VerificationResult) -> None:
    """Print what was restored and deleted, and what is left.

    Args:
        found: The damage that checks before and during the repair found. Once manifests are restored, a check
            finds more than the one before.
        after: What the last check found.
    """
    damaged, extra = _damaged(after.damage), after.damage.get("extra", ())
    restored = sorted(set().union(*map(_damaged, found)) - damaged)
    all_extra = sorted(set().union(*(damage.get("extra", ()) for damage in found)))
    deleted = [path for path in all_extra if not os.path.lexists(after.root / path)]
    left = [("damaged", len(damaged)), ("extra", len(extra))]
    if restored or not deleted:
        print(listed_paths("Restored", restored) if restored else "Restored: nothing")
    if deleted:
        print(listed_paths("Deleted", deleted))
    if damaged or extra:
        print(f"Left: {', '.join(f'{count:,} {what}' for what, count in left if count)}")
    print()
    for what, paths in (("restored", restored), ("deleted", deleted)):
        list_in_full((f"{what}: {after.root}/{path}" for path in paths), len(paths) > MOST_NAMES)


def next_step(result: VerificationResult, configfile: Path, delete_extra: bool, dry_run: bool) -> str | None:
    """Return the line that says what to do about what is left; None if nothing is.

    The arguments, apart from what the last check found, are those of the command.
    """
    if result.whole:
        return None
    command = "imagenet-s repair"
    if configfile != Path(CONFIGFILE) and configfile.is_file():  # a job reads it from a pipe
        command += f" --configfile {shlex.quote(str(configfile))}"
    damaged = bool(_damaged(result.damage) or result.remarks)
    if dry_run or not (damaged or delete_extra):
        return repair_step(command, damaged, "extra" in result.damage)
    if damaged:
        return (
            f"Next: see above why files could not be restored. Correct that and run `{command}` again, or "
            "build into another `output`."
        )
    return "Next: remove the extra files that are left where they are: behind links, in the source."


def _damaged(damage: FoundDamage) -> set[str]:
    """Return the paths of damaged and missing files."""
    return {path for kind, paths in damage.items() if kind != "extra" for path in paths}
