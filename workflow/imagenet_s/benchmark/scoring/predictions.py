"""Read a folder of predictions, `<wnid>/<stem>.png`, and find what is wrong with its files."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from imagenet_s.io.zip_reader import MAX_FILE_BYTES
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.image_file import pixel_size_of_file
from imagenet_s.runtime.problems import FileProblem
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.system_files import is_system_file, left_by_systems
from imagenet_s.spec.splits import listed

# Kinds of problems.
MISSING = "missing predictions"
MISPLACED = "in the folder of another class (ImageNet-S moves 13 % of the val images to another class)"
EXTRA = "unexpected files"
NO_PREDICTION = "not in the format of predictions (8-bit RGB PNG, id = R + 256·G, B = 0)"
UNREADABLE = "unreadable predictions"
WRONG_SIZE = "size differs from the image"


def names_of(subset: int, split: str) -> list[str]:
    """Return `<wnid>/<stem>.png` of all images of a split other than train, sorted."""
    return sorted(f"{row.wnid}/{row.image}.png" for row in listed(subset, split))


def inner(folder: Path, name: str) -> Path:
    """Return `folder/name` if it is a folder, else `folder`: users may give a tree or the folder in it."""
    return folder / name if (folder / name).is_dir() else folder


def files_in(folder: Path) -> dict[str, Path]:
    """Return the path of each file `<wnid>/<file>` or `<file>` of a folder, by name, sorted.

    Deeper folders and special files are in it as well: their names match no wanted file. Files that operating
    systems leave behind are not; the log names them.

    Raises:
        UserError: There is no such folder.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder." if folder.exists() else f"There is no folder {folder}.")
    found: dict[str, Path] = {}
    system: list[str] = []
    for name in os.listdir(folder):
        path = folder / name
        inside = os.listdir(path) if path.is_dir() and not is_system_file(name) else []
        system += [f"{name}/{file}" for file in inside if is_system_file(file)]
        # The `/` of a Path is slow for tens of thousands of files.
        found |= {f"{name}/{file}": Path(f"{path}/{file}") for file in inside if not is_system_file(file)}
        if is_system_file(name):
            system.append(name)
        elif not path.is_dir():
            found[name] = path
    if system:
        log.info("%s: %s", folder, left_by_systems(sorted(system)))
    return dict(sorted(found.items()))


def images_in(folder: Path) -> dict[str, Path]:
    """Return the path of each image in a folder, by the name of its mask, `<wnid>/<stem>.png`.

    Files without a JPEG extension are skipped.

    Raises:
        UserError: There is no image in the folder.
    """
    found = files_in(folder)
    images = {
        f"{os.path.splitext(name)[0]}.png": path
        for name, path in found.items()
        if is_in_class_folder(name) and path.suffix.lower() in (".jpeg", ".jpg")
    }
    if not images:
        raise UserError(
            f"{folder} contains no images `<wnid>/<stem>.JPEG`. It contains: {first_few(found) or 'nothing'}"
        )
    return images


def is_in_class_folder(name: str) -> bool:
    """Return whether a name is `<wnid>/<file>` and the file is not hidden."""
    return "/" in name and "/." not in name


def fingerprint(folder: Path) -> str:
    """Return a digest of the names, sizes and times of a folder's files, which changes if a file does."""
    digest = hashlib.sha256()
    for name, path in files_in(folder).items():
        digest.update(f"{name} {_size_and_time(path)}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()[:16]


def _size_and_time(path: Path) -> str:
    file = path.stat() if path.exists() else path.lstat()
    return f"{file.st_size} {file.st_mtime_ns}"


def name_problems(found: Iterable[str], wanted: Sequence[str]) -> list[FileProblem]:
    """Return which predictions are missing, in the folder of another class, or unexpected, by their names."""
    found, known = list(found), set(wanted)
    unexpected = [name for name in found if name not in known]
    missing = {name.rpartition("/")[2]: name for name in known.difference(found)}
    misplaced: dict[str, str] = {}
    for name in unexpected:
        folder, _, file = name.rpartition("/")
        if folder and "/" not in folder and file in missing:
            misplaced[name] = missing.pop(file)
    return [
        *(FileProblem(MISSING, name) for name in sorted(missing.values())),
        *(FileProblem(MISPLACED, f"{name} should be {right}") for name, right in misplaced.items()),
        *(FileProblem(EXTRA, name) for name in unexpected if name not in misplaced),
    ]


def wrong_size(found: Sequence[int], expected: Sequence[int]) -> str:
    """Describe the difference between two shapes (height, width)."""
    return f"has {found[1]} × {found[0]} pixels, not {expected[1]} × {expected[0]}"


class FileContent(NamedTuple):
    """The bytes of a file, and when it was last changed, in seconds since the epoch."""

    data: bytes
    modified: float


def read_file(path: Path) -> FileContent:
    """Return the content of a file.

    Raises:
        OSError: The file cannot be read, is not a regular file, or is larger than any mask.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):  # opening a pipe would block forever
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES)
    if len(data) == MAX_FILE_BYTES:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return FileContent(data, found.st_mtime)


def file_bytes(path: Path) -> bytes:
    """Return the bytes of a file; see `read_file`."""
    return read_file(path).data


def image_shape(path: Path) -> tuple[int, int] | None:
    """Return (height, width) of an image in pixels, from its header, or None if it cannot be read."""
    width, height = pixel_size_of_file(path)
    return None if width is None or height is None else (height, width)
