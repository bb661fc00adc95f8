"""Score predictions in tests: run the command, and read and replace masks."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imagenet_s.cli.main import main
from imagenet_s.masks.codec import ids_of, pixels_of


def evaluate(truth: Path, predictions: Path, out: Path, *options: str) -> int:
    """Run `imagenet-s evaluate` for subset 50 and return its exit code."""
    arguments = ["--truth", truth, "--predictions", predictions, "--out", out, *options]
    return main(["evaluate", "--subset", "50", "--workers", "1", *map(str, arguments)])


def replace(path: Path, data: bytes) -> None:
    """Replace a file, without changing the files that are hard links to it."""
    path.unlink()
    path.write_bytes(data)


def ids_at(path: Path) -> NDArray[np.uint16]:
    """Return the ids of a mask, (height, width)."""
    return ids_of(pixels_of(path.read_bytes())[0])
