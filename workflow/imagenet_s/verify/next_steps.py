"""What to do next about copies that were checked: which command restores them, and where to run it."""

import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from imagenet_s.config.settings import read_config_file
from imagenet_s.runtime.errors import UserError
from imagenet_s.spec.subsets import subset_name
from imagenet_s.verify.compare import VerificationResult

CONFIGFILE = "config.yaml"
ALL_PATHS = "`--json FILE` writes the paths of all."


def next_steps(results: Sequence[VerificationResult]) -> list[str]:
    """Return a line for each thing to do, without repetitions."""
    return list(dict.fromkeys(line for result in results for line in _steps(result)))


def repair_step(command: str, damaged: bool, extra: bool) -> str:
    """Return the line that names the command `repair`.

    Args:
        command: The command that repairs, without `--delete-extra`.
        damaged: Whether there are files to restore.
        extra: Whether there are files that do not belong to the data set.
    """
    if not damaged:
        return f"Next: `{command} --delete-extra` deletes the extra files."
    also = "; with --delete-extra it also deletes the extra ones" if extra else ""
    return f"Next: `{command}` restores the files{also}."


def _steps(result: VerificationResult) -> Iterator[str]:
    if not result.expected.own_manifests:
        yield from _steps_without_manifests(result)
    elif result.whole:
        return
    elif result.against:
        yield (
            f"Next: copy the files that differ from {result.against}, or check each copy by its own "
            f"manifests, without --against. {ALL_PATHS}"
        )
    elif folder := config_folder(result.root, result.subset):
        here = os.path.samefile(folder, ".")
        command = "imagenet-s repair" if here else f"cd {shlex.quote(str(folder))} && imagenet-s repair"
        damaged = bool(result.damage.keys() - {"extra"} or result.remarks)
        yield repair_step(command, damaged, "extra" in result.damage)
    else:
        yield (
            "Next: if you built this copy, run `imagenet-s repair` in the folder of its config.yaml, which "
            "is neither here nor above the copy. If not, get these files again from where the copy came "
            f"from. {ALL_PATHS}"
        )


def _steps_without_manifests(result: VerificationResult) -> Iterator[str]:
    adopting = f"`imagenet-s verify --adopt {shlex.quote(str(result.root))}`"
    if result.damage:
        yield (
            "Next: get these files again from where the copy came from, or build ImageNet-S from "
            f"ImageNet-1k: `imagenet-s init FOLDER` makes a folder to do so. {ALL_PATHS}"
        )
    elif result.remarks:
        yield f"Next: complete the train images, or accept those that are there: {adopting}"
    else:
        yield f"Next: {adopting} writes manifests, by which later checks detect changed bytes."


def config_folder(root: Path, subset: int) -> Path | None:
    """Return the folder, this one or one above the copy, whose config.yaml builds the copy at `root`."""
    for folder in (Path.cwd(), *root.absolute().parents):
        if (folder / CONFIGFILE).is_file():
            try:
                config = read_config_file(folder / CONFIGFILE)
            except (UserError, OSError):
                continue  # the configuration of another program, perhaps
            tree = folder / config.output / subset_name(subset)
            if subset in config.subsets and os.path.realpath(tree) == os.path.realpath(root):
                return folder
    return None
