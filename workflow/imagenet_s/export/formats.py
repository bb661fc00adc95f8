"""What a format must define, so that its files are planned, made and described like those of the others."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from imagenet_s.export.plan import ExportFile
from imagenet_s.export.source import Split
from imagenet_s.io.hashed_file import HashedFile
from imagenet_s.runtime.progress import LoggedBar


@dataclass(frozen=True)
class Making:
    """How a file is made: with how many threads besides this one, and what counts the bytes read."""

    workers: int
    bar: LoggedBar


@dataclass(frozen=True)
class Format:
    """A format of exports.

    Attributes:
        name: One of `FORMATS`.
        libraries: The packages whose versions may change the bytes.
        order: Split → the order of its samples, for people.
        plan: Returns the files of a split. It depends on nothing but the samples.
        write: Writes the samples of some rows of a split to a file.
        pattern: Subset and split → a glob pattern of all files that an export of any size may have made.
        images: Whether images are part of it; else only masks are read.
        index: Writes what describes all exported splits in a folder, if the format has such a file.
    """

    name: str
    libraries: tuple[str, ...]
    order: Callable[[str], str]
    plan: Callable[[Split], list[ExportFile]]
    write: Callable[[Split, NDArray[np.int64], HashedFile, Making], None]
    pattern: Callable[[int, str], str]
    images: bool = True
    index: Callable[[Path], None] | None = None


def format_of(name: str) -> Format:
    """Return a format: the constant `FORMAT` of the module of its name.

    Only that module is imported, so a change of one format does not export the others again.
    """
    return cast("Format", import_module(f"imagenet_s.export.{name}").FORMAT)
