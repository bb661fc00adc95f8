"""Scoring predictions in tests: the command, and the changes that tests make to folders of masks."""

from pathlib import Path

import numpy as np

from imagenet_s.cli.main import main
from imagenet_s.masks.codec import ids_of, pixels_of


def evaluate(truth: Path, predictions: Path, out: Path, *options: str) -> int:
    arguments = ["--truth", truth, "--predictions", predictions, "--out", out, *options]
    return main(["evaluate", "--subset", "50", "--workers", "1", *map(str, arguments)])


def replace(path: Path, data: bytes) -> None:
    """Gives a file other bytes, and leaves those of its hard links as they are."""
    path.unlink()
    path.write_bytes(data)


def ids_at(path: Path) -> np.ndarray:
    return ids_of(pixels_of(path.read_bytes())[0])
