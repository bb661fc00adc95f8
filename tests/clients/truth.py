"""What a client must load: the rows of the manifests, which the tests read without the package."""

import csv
import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COUNTS = {"train": 650, "train-semi": 500, "validation": 752, "test": 1682}
SPLITS = tuple(COUNTS)
MASKED = ("train-semi", "validation")


class Sample(NamedTuple):
    """A row of a manifest."""

    image: str  # path in the subset's folder
    wnid: str
    class_id: int
    sha256: str
    size: tuple[int, int]  # width and height in pixels
    mask: str  # path in the subset's folder; empty if there is no mask
    mask_sha256: str
    mask_pixels: str  # digest of the ids, see `pixels_digest`
    mask_ids: list[int]

    @property
    def label(self) -> int:
        """The class as clients count it, from 0."""
        return self.class_id - 1

    @property
    def key(self) -> str:
        """`<wnid>/<stem>`."""
        return f"{self.wnid}/{Path(self.image).stem}"


def samples(tree: Path, split: str) -> list[Sample]:
    """Return the samples of a split, in the order of its manifest."""
    with (tree / "manifests" / f"{split}.csv").open(encoding="utf-8", newline="") as file:
        found = [
            Sample(
                row["image"],
                row["wnid"],
                int(row["class_id"]),
                row["sha256"],
                (int(row["width"]), int(row["height"])),
                row["mask"],
                row["mask_sha256"],
                row["mask_pixels_sha256"],
                [int(number) for number in row["mask_ids"].split()],
            )
            for row in csv.DictReader(file)
        ]
    assert len(found) == COUNTS[split]
    return found


def wnids(tree: Path) -> list[str]:
    """Return the wnids of the subset, in the order of their labels."""
    found = sorted({sample.wnid for sample in samples(tree, "validation")})
    assert len(found) == 50
    return found


def same_picture(image: Image.Image, path: Path) -> bool:
    """Whether an image has the pixels of a file, both as RGB."""
    with Image.open(path) as expected:
        return image.convert("RGB").tobytes() == expected.convert("RGB").tobytes()


def ids_of(mask: Image.Image) -> NDArray[np.uint16]:
    """Return the class ids of a mask as the official tree has them: red + 256 · green."""
    assert mask.mode == "RGB"
    red, green, _ = np.moveaxis(np.asarray(mask).astype("<u2"), -1, 0)
    return red | green << 8


def pixels_digest(ids: NDArray[np.uint16]) -> str:
    """Return the digest that a manifest states of a mask's ids."""
    return sha256(ids.astype("<u2").tobytes())


def sha256(content: bytes) -> str:
    """Return the digest of bytes in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
