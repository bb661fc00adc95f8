"""Where commands may write: not over what they read, not into a data set, and not where nobody can."""

import errno
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path

from imagenet_s.runtime.errors import WrongUsage
from imagenet_s.spec.subsets import DATASET

NO_WRONG_PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EIO)  # the place is right, and the disk has a fault

MAX_ENTRIES = 2000  # entries of an input that are looked at; ImageNet has 1,000 classes

LOGGED = re.compile(rb"\d\d:\d\d:\d\d ")  # how each log of ours begins


def check_output_path(out: Path, *inputs: Path | None) -> None:
    """Raises WrongUsage if `out` is one of the inputs, lies in one or in a subset's tree, or cannot be made.

    Makes the folders above `out`.
    """
    wrong = f"--out: {out} would be written over, or into, what is read"
    read = {os.path.realpath(path): str(path) for path in inputs if path}
    linked = {real: link for path in inputs if path for real, link in _links(path)}
    above = {os.path.dirname(real): real for real in linked}
    for target in _targets(out):
        for folder in map(str, (target, *target.parents)):
            if folder in read:
                raise WrongUsage(f"{wrong}: {read[folder]}.")
            if folder in linked:
                raise WrongUsage(f"{wrong}: {folder}, to which {linked[folder]} leads.")
        if str(target) in above:
            real = above[str(target)]
            raise WrongUsage(f"{wrong}: it holds {real}, to which {linked[real]} leads.")
    require_no_data_set("--out", out)
    _require_writable(out)


def require_own_log(file: Path, options: Mapping[str, object]) -> None:
    """Raises WrongUsage if a log would be written over anything but a log, or into a subset's tree.

    `options` are those of the command: what they name is no place for a log.
    """
    for path in options.values():
        if isinstance(path, Path) and os.path.realpath(path) == os.path.realpath(file):
            raise WrongUsage(f"--log: {file} is named as something else, too. Name another file.")
    require_no_data_set("--log", file)
    if os.path.isfile(file):
        with open(file, "rb") as there:
            begin = there.read(9)
        if begin and not LOGGED.fullmatch(begin):
            raise WrongUsage(f"--log: {file} is there, and is no log of ours. Name another file.")


def _targets(out: Path) -> set[Path]:
    """What may change: `out` itself, and what it leads to if it is a link."""
    return {Path(os.path.realpath(out)), Path(os.path.realpath(out.parent), out.name)}


def _links(folder: Path) -> Iterator[tuple[str, str]]:
    """Where the contents of an input really lie: folder, and a link that leads there or to a file in it.

    In a tree made with symlinks a class folder of train is a link, and of the other splits each image. Of
    these the first of each class is looked at: it is enough to know the source, and takes no time.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in islice(entries, MAX_ENTRIES):
            first = entry
            if entry.is_dir(follow_symlinks=False):
                with suppress(OSError), os.scandir(entry.path) as inside:
                    first = next(inside, entry)
            if first.is_symlink():
                real = os.path.realpath(first.path)
                yield (real if os.path.isdir(real) else os.path.dirname(real)), first.path


def require_no_data_set(option: str, path: Path) -> None:
    """Raise WrongUsage if `path` lies in a data set; `option` is what names it."""
    # By the names as well, since a tree has links to folders that lie elsewhere.
    for target in (*_targets(path), Path(os.path.abspath(path))):
        for folder in (target, *target.parents):
            if os.path.isfile(folder / DATASET):
                raise WrongUsage(
                    f"{option}: {path} would be written into the data set {folder}. Name another place."
                )


def _require_writable(out: Path) -> None:
    """Makes a file where `out` will be, and removes it: better now than after hours of work."""
    folder = out.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _try(folder / f".{out.name}.part")  # as `written` calls it
        if out.is_dir():
            folder = out
            _try(folder / f".{out.name}.part")
    except OSError as error:
        if error.errno in NO_WRONG_PLACE:
            raise
        why = os.strerror(errno.ENOTDIR if error.errno == errno.EEXIST else error.errno)
        raise WrongUsage(f"--out: cannot write into {folder}: {why}. Name another place.") from error


def _try(file: Path) -> None:
    file.touch()
    file.unlink()
