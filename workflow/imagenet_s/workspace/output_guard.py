"""Where commands may write: not over their inputs, not into a data set, and not where writing fails."""

import errno
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path

from imagenet_s.io.json_output import STDOUT
from imagenet_s.runtime.errors import WrongUsage, naming
from imagenet_s.spec.subsets import DATASET

NO_WRONG_PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EIO)  # faults of the disk: another path does not help

MAX_ENTRIES = 2000  # entries of an input that are checked; ImageNet has 1,000 classes

LOGGED = re.compile(rb"\d\d:\d\d:\d\d ")  # how the logs of this program begin


def check_output_path(out: Path, *inputs: Path | None, option: str = "--out") -> None:
    """Check that a command may write to `out`, the value of `option`, and create the folders above it.

    Raises:
        WrongUsage: `out` is one of the inputs, is inside one or inside a data set, or cannot be created.
    """
    wrong = f"{option}: {out} would be written over, or into, what is read"
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
    require_no_data_set(option, out)
    _require_writable(out, option)


def check_json_path(json: Path | None, *inputs: Path | None) -> None:
    """Check where a command writes its result as JSON, as `check_output_path` does, if that is a file."""
    if json and json != STDOUT:
        check_output_path(json, *inputs, option="--json")


def require_own_log(file: Path, options: Mapping[str, object]) -> None:
    """Check that a log may be written to `file`. `options` are those of the command.

    Raises:
        WrongUsage: One of the options names the same file, it is inside a data set, or is not a log.
    """
    for path in options.values():
        if isinstance(path, Path) and os.path.realpath(path) == os.path.realpath(file):
            raise WrongUsage(f"--log: {file} is also the value of another option. Name another file.")
    require_no_data_set("--log", file)
    if os.path.isfile(file):
        with naming(file), open(file, "rb") as there:
            begin = there.read(9)
        if begin and not LOGGED.fullmatch(begin):
            raise WrongUsage(f"--log: {file} exists and is not a log of this program. Name another file.")


def _targets(out: Path) -> set[Path]:
    """Return what writing to `out` may change: itself and, if it is a link, what it points to."""
    return {Path(os.path.realpath(out)), Path(os.path.realpath(out.parent), out.name)}


def _links(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the folders in which the contents of an input really are, each with a link that points there.

    In a tree of symlinks, the class folders of train or the images in them are links, and in the other
    splits the images. The first image of each class is enough to find the source.
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
    """Raise WrongUsage if `path`, the value of `option`, is inside a data set."""
    # Check the path as written, too: a tree contains links to folders elsewhere.
    for target in (*_targets(path), Path(os.path.abspath(path))):
        for folder in (target, *target.parents):
            if os.path.isfile(folder / DATASET):
                raise WrongUsage(
                    f"{option}: {path} would be written into the data set {folder}. Name another place."
                )


def _require_writable(out: Path, option: str) -> None:
    """Create and remove a file beside `out` and, if it is a folder, inside it.

    An error now is better than an error after hours of work.
    """
    folder = out.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _try(folder / f".{out.name}.part")  # as `atomic_write` names it
        if out.is_dir():
            folder = out
            _try(folder / f".{out.name}.part")
    except OSError as error:
        if error.errno in NO_WRONG_PLACE:
            raise
        why = os.strerror(errno.ENOTDIR if error.errno == errno.EEXIST else error.errno or errno.EIO)
        raise WrongUsage(f"{option}: cannot write into {folder}: {why}. Name another place.") from error


def _try(file: Path) -> None:
    file.touch()
    file.unlink()
