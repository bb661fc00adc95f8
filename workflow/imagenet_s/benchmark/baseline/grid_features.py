"""A worked example of features, which needs no network and no training: statistics on a grid.

For each cell of a grid: how its colours are spread, and its edges by direction. It knows nothing of what is
in a picture. It is here to show the form of features, and as the weakest of baselines, no more.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL.Image import Resampling

from imagenet_s.benchmark.scoring.predictions import file_bytes, images_in
from imagenet_s.io.atomic import atomic_write_folder, digest_of_files
from imagenet_s.io.receipts import write_receipt
from imagenet_s.runtime.image_file import BadImage, decode
from imagenet_s.runtime.parallel import map_chunks
from imagenet_s.runtime.problems import FileProblem, require_no_file
from imagenet_s.workspace.output_guard import check_output_path

CELLS = 12  # along the longer side of an image
PIXELS = 8  # a side of a cell
LEVELS = 8  # of each colour channel
DIRECTIONS = 8  # of edges
CHANNELS = 3 * LEVELS + DIRECTIONS
EDGES = 0.25  # how much the edges count beside the colours


def grid_features(picture: np.ndarray) -> np.ndarray:
    """A picture, (height, width, 3) uint8 → (CHANNELS, h, w) float16, a cell having PIXELS × PIXELS.

    First 8 levels of red, of green and of blue, each the share of a cell's pixels near it; then the
    lengths of the gradients of brightness by direction. Sides that PIXELS does not divide lose their rest.
    """
    height, width = (size // PIXELS * PIXELS for size in picture.shape[:2])
    picture = picture[:height, :width].astype(np.float32) / 255
    # Of two levels the nearer gets more, so that a cell of one colour does not jump from one to the other.
    distance = np.abs(picture[..., None] * (LEVELS - 1) - np.arange(LEVELS, dtype=np.float32))
    levels = (1 - distance).clip(0).reshape(height, width, 3 * LEVELS)
    down, across = np.gradient(picture.mean(axis=2))
    turn = (np.arctan2(down, across) / np.pi % 1) * DIRECTIONS  # an edge has no front and no back
    edges = (turn.astype(np.intp) % DIRECTIONS)[..., None] == np.arange(DIRECTIONS)
    edges = edges * (EDGES * np.hypot(down, across))[..., None]
    whole = np.concatenate([levels, edges], axis=2, dtype=np.float32)
    cells = whole.reshape(height // PIXELS, PIXELS, width // PIXELS, PIXELS, CHANNELS)
    return cells.mean(axis=(1, 3)).transpose(2, 0, 1).astype(np.float16)


def write_grid_features(images: Path, out: Path, workers: int) -> None:
    """Writes `<wnid>/<stem>.npy` to `out` for each image of a folder, and `<out>.json`: how many.

    Raises UserError with all images that cannot be read.
    """
    check_output_path(out, images)
    found, receipt = list(images_in(images).items()), out.with_name(f"{out.name}.json")
    with atomic_write_folder(out, receipt) as making:
        for folder in {name.rpartition("/")[0] for name, _ in found}:
            (making / folder).mkdir()
        findings = map_chunks(partial(_write, making), found, workers, f"Features of {images.name}", "images")
        advice = (
            "Nothing was written. Get them again: `imagenet-s verify` tells which are not what they were."
        )
        require_no_file(findings, f"Not all images in {images} can be read:", advice)
        digest = digest_of_files(making)
    write_receipt(receipt, {"images": len(found), "channels": CHANNELS, "sha256": digest}, out)
    print(f"{len(found):,} features of shape ({CHANNELS}, h, w) in {out}")


def _write(out: Path, images: Sequence[tuple[str, Path]]) -> list[FileProblem]:
    findings = []
    for name, path in images:
        try:
            picture = _small(path)
        except OSError as error:
            findings.append(FileProblem("unreadable images", f"{path} ({error.strerror})"))
            continue
        except BadImage as error:
            findings.append(FileProblem("unreadable images", f"{path} ({error})"))
            continue
        np.save((out / name).with_suffix(".npy"), grid_features(picture))
    return findings


def _small(path: Path) -> np.ndarray:
    """An image as RGB pixels, scaled so that its longer side has CELLS cells and the other at least one."""
    side = CELLS * PIXELS
    image = decode(file_bytes(path), "RGB", draft=side).image
    scale = side / max(image.size)
    size = tuple(max(PIXELS, round(length * scale)) for length in image.size)
    return np.asarray(image.resize(size, Resampling.BOX))
