"""Which subset predictions are of, and whether that is the one that the user named."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from imagenet_s.benchmark.scoring.predictions import names_of
from imagenet_s.dataset.which_subset import subset_around
from imagenet_s.runtime.errors import UserError, WrongUsage
from imagenet_s.runtime.progress import log
from imagenet_s.spec.subsets import DATASET, SPLITS, SUBSETS, subset_of

MAX_ODD = 0.1  # share of names that may differ from a list for the names to count as those of the list


def chosen_subset(given: int | None, folders: Sequence[Path]) -> int:
    """Return the subset of a command: the value of `--subset`, or what its folders say.

    Args:
        given: The value of `--subset`; None if it was not given.
        folders: The folders of the command. The first one that says of which subset it is counts.

    Raises:
        WrongUsage: The option is needed, because no folder says it.
        UserError: The `dataset.json` of a folder, or of the one that it is in, says otherwise.
    """
    stated = next(filter(None, map(subset_around, folders)), None)
    if given is None and stated is None:
        names = ", ".join(map(str, folders))
        numbers = " or ".join(f"--subset {subset}" for subset in SUBSETS)
        raise WrongUsage(
            f"--subset: which subset is it? Neither {names} nor a folder above has a {DATASET} or an "
            f"official name such as {subset_of(SUBSETS[0]).name}. Give {numbers}."
        )
    if given is None and stated:
        what = DATASET if stated.by_dataset else "name"
        log.info("Subset %s, by the %s of %s", stated.subset, what, stated.folder)
        return stated.subset
    assert given
    # A folder further above may be one of another data set, in which these are kept.
    own = {folder for path in map(Path, map(os.path.abspath, folders)) for folder in (path, path.parent)}
    if stated and stated.by_dataset and stated.subset != given and stated.folder in own:
        raise UserError(
            f"--subset {given}: {stated.folder} is {subset_of(stated.subset).name}, as its {DATASET} says, "
            f"not {subset_of(given).name}. Give --subset {stated.subset}, or another folder."
        )
    return given


def require_names_of(subset: int, split: str, found: Iterable[str], where: Path) -> None:
    """Check that names are not those of another subset or split, of which nearly all would be reported.

    Args:
        subset: The subset that the user named.
        split: The split whose names are expected.
        found: The names that are there, `<wnid>/<stem>.png`.
        where: What holds them, for the message.

    Raises:
        UserError: The names are those of another subset or split.
    """
    names = set(found)
    wanted = set(names_of(subset, split))
    if len(names & wanted) == len(names) == len(wanted):
        return
    odd, other, its_split = min(
        (len(names.symmetric_difference(names_of(s, other_split))), s, other_split)
        for s in SUBSETS
        for other_split in SPLITS[1:]
    )
    if (other, its_split) == (subset, split) or odd > MAX_ODD * len(names):
        return
    count = len(names_of(other, its_split))
    advice = f"Give --subset {other} (in config.yaml: `benchmark.subset`)" if other != subset else ""
    folder = f"a folder of {split} of {subset_of(subset).name}"
    raise UserError(
        f"{where} has the names of {subset_of(other).name} {its_split} ({count:,} images), not of "
        f"{subset_of(subset).name} {split} ({len(wanted):,} images).\n"
        + (f"{advice}, or {folder}." if advice else f"Give {folder}.")
    )
