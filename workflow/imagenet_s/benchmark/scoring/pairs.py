"""Read a true mask and its prediction, and find what is wrong with them."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imagenet_s.benchmark.scoring.predictions import (
    NO_PREDICTION,
    UNREADABLE,
    WRONG_SIZE,
    file_bytes,
    read_file,
    wrong_size,
)
from imagenet_s.masks.codec import BadMask, decode, ids_of_png
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.problems import FileProblem
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.subsets import subset_of

# The fewest masks that show whose ids they use. Of fewer, most may lack the class of their folder by chance.
MIN_MASKS = 10


class Pair(NamedTuple):
    """The paths of an image's true mask and of its prediction. `name` is `<wnid>/<stem>.png`."""

    name: str
    truth: Path
    prediction: Path


class PairFiles(NamedTuple):
    """The hex sha256 of both files, and when the prediction was written, in seconds since the epoch."""

    truth: str
    prediction: str
    modified: float


class PairIds(NamedTuple):
    """The ids of a true mask and of its prediction, both (height, width), and what they were read from."""

    truth: NDArray[np.uint16]
    prediction: NDArray[np.uint16]
    files: PairFiles


class BadPair(Exception):
    """A pair that cannot be compared, and everything that is wrong with it."""

    def __init__(self, problems: Sequence[FileProblem]):
        super().__init__("; ".join(f"{problem.kind}: {problem.what}" for problem in problems))
        self.problems = tuple(problems)


def read_pair(pair: Pair, classes: int) -> PairIds:
    """Return the ids of a true mask and of its prediction.

    Raises:
        BadPair: One of them cannot be read or is invalid, or their sizes differ.
    """
    problems: list[FileProblem] = []
    truth = prediction = None
    try:
        true_png = file_bytes(pair.truth)
        decoded = decode(true_png, classes)
        truth = decoded.ids
        if decoded.problems:
            problems.append(FileProblem("invalid true masks", f"{pair.name} {'; '.join(decoded.problems)}"))
    except OSError as error:
        problems.append(FileProblem("unreadable true masks", f"{pair.name}: {error.strerror}"))
    try:
        predicted = read_file(pair.prediction)
        prediction = ids_of_png(predicted.data)
    except OSError as error:
        problems.append(FileProblem(UNREADABLE, f"{pair.name}: {error.strerror}"))
    except BadMask as error:
        problems.append(FileProblem(NO_PREDICTION, f"{pair.name} {error}"))
    if truth is not None and prediction is not None:
        if truth.shape != prediction.shape:
            text = f"{pair.name} {wrong_size(prediction.shape, truth.shape)}"
            problems.append(FileProblem(WRONG_SIZE, text))
        if not problems:
            files = PairFiles(sha256_hex(true_png), sha256_hex(predicted.data), predicted.modified)
            return PairIds(truth, prediction, files)
    raise BadPair(problems)


def sha256_hex(data: bytes) -> str:
    """Return the hex sha256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def class_of(subset: int, pair: Pair) -> int | None:
    """Return the class id of a pair's folder, or None if the subset does not have that class."""
    return class_ids(subset).get(pair.name.partition("/")[0])


def require_own_classes(subset: int, truth: Path, has_own: Mapping[str, bool]) -> None:
    """Raise UserError if the true masks use the class ids of another subset.

    Args:
        subset: Whose class ids are expected.
        truth: The folder of the masks, for the message.
        has_own: By name of an image, whether its true mask contains the class of its folder. Nearly all do.
    """
    known = [has for name, has in has_own.items() if name.partition("/")[0] in class_ids(subset)]
    if len(known) >= MIN_MASKS and sum(known) < len(known) / 2:
        raise UserError(
            f"{truth} does not use the class ids of {subset_of(subset).name}: only {sum(known):,} of "
            f"{len(known):,} true masks contain the class of their folder.\n"
            "Each subset has its own class ids. Give the --subset that the masks belong to."
        )
