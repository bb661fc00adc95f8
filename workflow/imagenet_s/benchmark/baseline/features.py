"""Features on disk: one file an image, `<wnid>/<stem>.npy` or `.npz`, of shape (C, h, w)."""

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from imagenet_s.benchmark.scoring.predictions import files_in
from imagenet_s.io.zip_reader import METHODS

LARGEST = 1e15  # so that the sum of squares of any number of channels is a number of 32 bits
ENDINGS = (".npy", ".npz")  # where both are there, the first counts

# What NumPy and its zip reader raise on odd bytes. AttributeError and ImportError are not among it: they
# are faults of a program.
ODD = (
    *(OSError, EOFError, ValueError, TypeError, LookupError, ArithmeticError, RuntimeError, MemoryError),
    *(SyntaxError, tokenize.TokenError, struct.error, zlib.error, zipfile.BadZipFile),
)


class BadFeatures(Exception):
    """Features that cannot be used; the text says why."""


def find_features(folder: Path) -> dict[str, Path]:
    """`<wnid>/<stem>.png`, the name of the image's mask, → its features, sorted."""
    found = {}
    for name, path in files_in(folder).items():
        if path.suffix in ENDINGS and "/" in name:
            found.setdefault(f"{name[:-4]}.png", path)
    return found


def _loaded(load: Callable[[], object]) -> object:
    """What NumPy loads. Raises BadFeatures."""
    try:
        return load()
    except ODD as error:
        # NumPy takes what it does not know for objects, and advises an option that we do not have.
        reason = "it is no array of numbers" if "allow_pickle" in str(error) else error
        raise BadFeatures(f"cannot be read ({reason})") from error


def read_features(path: Path) -> np.ndarray:
    """Features (C, h, w) of any kind of numbers. Raises BadFeatures for what is none."""
    if not path.is_file():  # to open a pipe would wait for ever
        raise BadFeatures("is no file")
    array = _loaded(partial(np.load, path, allow_pickle=False))
    if isinstance(array, np.lib.npyio.NpzFile):
        with array as arrays:
            if len(arrays.files) != 1:
                raise BadFeatures(f"holds {len(arrays.files)} arrays, not one")
            if any(info.compress_type not in METHODS for info in arrays.zip.infolist()):
                raise BadFeatures("cannot be read (it is packed in a way that NumPy does not write)")
            array = _loaded(partial(arrays.__getitem__, arrays.files[0]))
    if not isinstance(array, np.ndarray):
        raise BadFeatures("holds something that is no array")
    if array.ndim != 3 or not array.size or array.dtype.kind not in "fiu":
        raise BadFeatures(f"is {array.dtype} of shape {array.shape}, not numbers of shape (C, h, w)")
    if not np.isfinite(array).all():
        raise BadFeatures("has numbers that are not finite")
    if np.abs(array, dtype=np.float64).max() > LARGEST:
        raise BadFeatures(f"has numbers beyond ±{LARGEST:g}")
    return array
