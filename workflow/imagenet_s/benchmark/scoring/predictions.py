"""A folder of predictions, `<wnid>/<stem>.png`, beside that of the true masks: which belong together,
and what is wrong with them."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from imagenet_s.io.zip_reader import MAX_FILE_BYTES
from imagenet_s.masks.codec import BadMask, decode, ids_of, pixels_of
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.image_file import pixel_size_of_file
from imagenet_s.runtime.problems import FileProblem
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.system_files import is_system_file, left_by_systems
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.splits import listed
from imagenet_s.spec.subsets import subset_of

SPLIT = "validation"  # the one whose truth is public

ENOUGH = 10  # masks tell whose ids they have; of fewer, by chance, most may lack the class of their folder

MISSING = "missing predictions"
MISSING_TRUTH = "missing true masks"
MISPLACED = "in the folder of another class (in ImageNet-S 13 % of the val images change theirs)"
EXTRA = "files that do not belong there"
NO_PREDICTION = "not in the form of predictions (8-bit RGB PNG, id = R + 256·G, B = 0)"
UNREADABLE = "unreadable predictions"
WRONG_SIZE = "of another size than their image"


class Pair(NamedTuple):
    """An image's name, `<wnid>/<stem>.png`, its true mask and its prediction."""

    name: str
    truth: Path
    prediction: Path


def names_of(subset: int, split: str) -> list[str]:
    """`<wnid>/<stem>.png` of all images of a split but train, sorted."""
    return sorted(f"{row.wnid}/{row.image}.png" for row in listed(subset, split))


def inner(folder: Path, name: str) -> Path:
    """`folder/name` if that is there, else `folder`: a tree or its folder will do, whichever is given."""
    return folder / name if (folder / name).is_dir() else folder


def files_in(folder: Path) -> dict[str, Path]:
    """`<wnid>/<file>` or `<file>` → path of all files in a folder and its folders, by name.

    What is deeper, or neither file nor folder, is there as well: nothing that is wanted has its name. What
    systems leave is not, and the log says so. Raises UserError if there is no such folder.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder." if folder.exists() else f"There is no folder {folder}.")
    found, system = {}, []
    for name in os.listdir(folder):
        path = folder / name
        inside = os.listdir(path) if path.is_dir() and not is_system_file(name) else []
        system += [f"{name}/{file}" for file in inside if is_system_file(file)]
        # A path's own `/` is slow for tens of thousands of files.
        found |= {f"{name}/{file}": Path(f"{path}/{file}") for file in inside if not is_system_file(file)}
        if is_system_file(name):
            system.append(name)
        elif not path.is_dir():
            found[name] = path
    if system:
        log.info("%s: %s", folder, left_by_systems(sorted(system)))
    return dict(sorted(found.items()))


def images_in(folder: Path) -> dict[str, Path]:
    """`<wnid>/<stem>.png`, the name of the mask, → the image. Raises UserError where there are none.

    Files without the ending of a JPEG are skipped.
    """
    found = files_in(folder)
    images = {
        f"{os.path.splitext(name)[0]}.png": path
        for name, path in found.items()
        if is_of_a_class(name) and path.suffix.lower() in (".jpeg", ".jpg")
    }
    if not images:
        raise UserError(
            f"{folder} holds no images `<wnid>/<stem>.JPEG`; it holds: {first_few(found) or 'nothing'}"
        )
    return images


def is_of_a_class(name: str) -> bool:
    """Whether a name is `<wnid>/<file>`, and not that of a hidden file."""
    return "/" in name and "/." not in name


def fingerprint(folder: Path) -> str:
    """A digest of the names, sizes and times of a folder's files, another where some were made anew."""
    digest = hashlib.sha256()
    for name, path in files_in(folder).items():
        digest.update(f"{name} {_stat(path)}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()[:16]


def _stat(path: Path) -> str:
    file = path.stat() if path.exists() else path.lstat()
    return f"{file.st_size} {file.st_mtime_ns}"


def name_problems(found: Iterable[str], wanted: Sequence[str]) -> list[FileProblem]:
    """What is wrong with names of predictions: missing, in the folder of another class, too much."""
    found, known = list(found), set(wanted)
    unexpected = [name for name in found if name not in known]
    places = {name.rpartition("/")[2]: name for name in known.difference(found)}
    misplaced = {}
    for name in unexpected:
        folder, _, file = name.rpartition("/")
        if folder and "/" not in folder and file in places:
            misplaced[name] = places.pop(file)
    return [
        *(FileProblem(MISSING, name) for name in sorted(places.values())),
        *(FileProblem(MISPLACED, f"{name} should be {place}") for name, place in misplaced.items()),
        *(FileProblem(EXTRA, name) for name in unexpected if name not in misplaced),
    ]


def read_pair(pair: Pair, classes: int) -> tuple[np.ndarray, np.ndarray] | list[FileProblem]:
    """Ids of the truth and of the prediction, both (height, width) uint16, or all that is wrong with them."""
    findings, truth, prediction = [], None, None
    try:
        truth = decode(file_bytes(pair.truth), classes)
        if truth.problems:
            findings.append(FileProblem("odd true masks", f"{pair.name} {'; '.join(truth.problems)}"))
    except OSError as error:
        findings.append(FileProblem("unreadable true masks", f"{pair.name}: {error.strerror}"))
    try:
        prediction = prediction_of(file_bytes(pair.prediction))
    except OSError as error:
        findings.append(FileProblem(UNREADABLE, f"{pair.name}: {error.strerror}"))
    except BadMask as error:
        findings.append(FileProblem(NO_PREDICTION, f"{pair.name} {error}"))
    if truth and truth.ids is not None and prediction is not None and truth.ids.shape != prediction.shape:
        findings.append(
            FileProblem(WRONG_SIZE, f"{pair.name} {wrong_size(prediction.shape, truth.ids.shape)}")
        )
    return findings or (truth.ids, prediction)


def wrong_size(found: Sequence[int], expected: Sequence[int]) -> str:
    """Of two shapes (height, width)."""
    return f"has {found[1]} × {found[0]} pixels, not {expected[1]} × {expected[0]}"


def prediction_of(png: bytes) -> np.ndarray:
    """Ids, (height, width) uint16, of the bytes of a prediction. Raises BadMask for what is none."""
    rgb, mode = pixels_of(png)
    if mode != "RGB":
        raise BadMask(f"is not 8-bit RGB but of mode {mode}")
    if rgb[..., 2].any():
        blue_only = not rgb[..., 0].any()
        raise BadMask("has blue pixels" + (" and no red ones: was it written as BGR?" if blue_only else ""))
    return ids_of(rgb)


def class_of(subset: int, pair: Pair) -> int | None:
    """The class id of a pair's folder, if it is of the subset."""
    return class_ids(subset).get(pair.name.partition("/")[0])


def require_own_classes(subset: int, truth: Path, own: Mapping[str, bool]) -> None:
    """Raises UserError where the true masks are by another subset's ids.

    `own` says of images, by name, whether the truth has the class of their folder: nearly all have.
    """
    known = [has for name, has in own.items() if name.partition("/")[0] in class_ids(subset)]
    if len(known) >= ENOUGH and sum(known) < len(known) / 2:
        facts = subset_of(subset)
        raise UserError(
            f"{truth} is not by the ids of {facts.name}: of {len(known):,} true masks {sum(known):,} have "
            "the class of their folder.\nIds are per subset. Is --subset the one that the masks are of?"
        )


def file_bytes(path: Path) -> bytes:
    """A file's bytes. Raises OSError, too, for what is no file, as a pipe, and for more than a mask has."""
    if not stat.S_ISREG(path.stat().st_mode):  # to open a pipe would wait for ever
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES)
    if len(data) == MAX_FILE_BYTES:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return data


def image_shape(path: Path) -> tuple[int, int] | None:
    """(height, width) of an image in pixels, from its header; None where it cannot be read."""
    width, height = pixel_size_of_file(path)
    return None if width is None else (height, width)
