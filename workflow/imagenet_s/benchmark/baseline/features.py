"""Read features from disk: one file per image, `<wnid>/<stem>.npy` or `.npz`, of shape (C, h, w)."""

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imagenet_s.benchmark.scoring.predictions import files_in
from imagenet_s.io.zip_reader import METHODS

MAX_VALUE = 1e15  # so that the sum of squares over any number of channels fits in 32 bits
EXTENSIONS = (".npy", ".npz")  # if both exist, the first is read

# What NumPy and its zip reader raise for damaged files. AttributeError and ImportError are not included: they
# are bugs.
READ_ERRORS = (
    *(OSError, EOFError, ValueError, TypeError, LookupError, ArithmeticError, RuntimeError, MemoryError),
    *(SyntaxError, tokenize.TokenError, struct.error, zlib.error, zipfile.BadZipFile),
)


class BadFeatures(Exception):
    """Features that cannot be used; the text says why."""


def find_features(folder: Path) -> dict[str, Path]:
    """Return the path of each image's features, by the name of its mask, `<wnid>/<stem>.png`, sorted."""
    found: dict[str, Path] = {}
    for name, path in files_in(folder).items():
        if path.suffix in EXTENSIONS and "/" in name:
            found.setdefault(f"{name[:-4]}.png", path)
    return found


def _loaded(load: Callable[[], object]) -> object:
    """Return what NumPy loads. Raise BadFeatures if it cannot."""
    try:
        return load()
    except READ_ERRORS as error:
        # NumPy treats unknown bytes as pickled objects, and then recommends an option that we do not have.
        reason = "it is not an array of numbers" if "allow_pickle" in str(error) else error
        raise BadFeatures(f"cannot be read ({reason})") from error


def read_features(path: Path) -> NDArray[np.number]:
    """Return features, (C, h, w), integers or floats of any size.

    Raises:
        BadFeatures: The file does not contain such an array, or it has values that cannot be used.
    """
    if not path.is_file():  # opening a pipe would block forever
        raise BadFeatures("is not a regular file")
    array = _loaded(partial(np.load, path, allow_pickle=False))
    if isinstance(array, np.lib.npyio.NpzFile):
        with array as arrays:
            if len(arrays.files) != 1:
                raise BadFeatures(f"contains {len(arrays.files)} arrays, not one")
            if arrays.zip and any(info.compress_type not in METHODS for info in arrays.zip.infolist()):
                raise BadFeatures("cannot be read (it is compressed by a method that NumPy does not use)")
            array = _loaded(partial(arrays.__getitem__, arrays.files[0]))
    if not isinstance(array, np.ndarray):
        raise BadFeatures("does not contain an array")
    if array.ndim != 3 or not array.size or array.dtype.kind not in "fiu":
        raise BadFeatures(f"is {array.dtype} of shape {array.shape}, not numbers of shape (C, h, w)")
    if not np.isfinite(array).all():
        raise BadFeatures("has values that are not finite")
    if np.abs(array, dtype=np.float64).max() > MAX_VALUE:
        raise BadFeatures(f"has values beyond ±{MAX_VALUE:g}")
    return array
