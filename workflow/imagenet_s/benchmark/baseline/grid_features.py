"""Compute example features that need no network and no training: colours and edges on a grid.

Each cell of the grid has the distribution of its colours, and its edges by direction. These features show the
file format and serve as a very weak baseline.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Resampling

from imagenet_s.benchmark.scoring.predictions import file_bytes, images_in
from imagenet_s.io.atomic import atomic_write_folder, digest_of_files
from imagenet_s.io.receipts import write_receipt
from imagenet_s.runtime.image_file import BadImage, decode
from imagenet_s.runtime.parallel import map_chunks
from imagenet_s.runtime.problems import FileProblem, require_no_file
from imagenet_s.workspace.output_guard import check_output_path

CELLS = 12  # along the longer side of an image
PIXELS = 8  # along a side of a cell
LEVELS = 8  # of each colour channel
DIRECTIONS = 8  # of edges
CHANNELS = 3 * LEVELS + DIRECTIONS
EDGES = 0.25  # weight of the edges relative to the colours


def grid_features(picture: NDArray[np.uint8]) -> NDArray[np.float16]:
    """Return the features of an image.

    The first channels are 8 levels each of red, green and blue: the share of the cell's pixels near that
    level. The others are the mean length of the brightness gradients in each direction. Pixels beyond the
    last whole cell of a side are ignored.

    Args:
        picture: RGB, (height, width, 3).

    Returns:
        (CHANNELS, height // PIXELS, width // PIXELS) float16.
    """
    height, width = (size // PIXELS * PIXELS for size in picture.shape[:2])
    scaled = picture[:height, :width].astype(np.float32) / 255
    # A pixel counts for the two nearest levels, more for the nearer one, so that features change smoothly.
    distance = np.abs(scaled[..., None] * (LEVELS - 1) - np.arange(LEVELS, dtype=np.float32))
    levels = (1 - distance).clip(0).reshape(height, width, 3 * LEVELS)
    down, across = np.gradient(scaled.mean(axis=2))
    turn = (np.arctan2(down, across) / np.pi % 1) * DIRECTIONS  # opposite directions are the same edge
    in_direction = (turn.astype(np.intp) % DIRECTIONS)[..., None] == np.arange(DIRECTIONS)
    edges = in_direction * (EDGES * np.hypot(down, across))[..., None]
    pixels = np.concatenate([levels, edges], axis=2, dtype=np.float32)
    cells = pixels.reshape(height // PIXELS, PIXELS, width // PIXELS, PIXELS, CHANNELS)
    features: NDArray[np.float16] = cells.mean(axis=(1, 3)).transpose(2, 0, 1).astype(np.float16)
    return features


def write_grid_features(images: Path, out: Path, workers: int) -> None:
    """Write `<wnid>/<stem>.npy` to `out` for each image of a folder, and `<out>.json`: how many there are.

    Raises:
        UserError: Some images cannot be read; it names all of them.
    """
    check_output_path(out, images)
    found, receipt = list(images_in(images).items()), out.with_name(f"{out.name}.json")
    with atomic_write_folder(out, receipt) as partial_out:
        for folder in {name.rpartition("/")[0] for name, _ in found}:
            (partial_out / folder).mkdir()
        problems: list[FileProblem] = map_chunks(
            partial(_write, partial_out), found, workers, f"Features of {images.name}", "images"
        )
        advice = "Nothing was written. Restore these images; `imagenet-s verify` lists all that are damaged."
        require_no_file(problems, f"Some images in {images} cannot be read:", advice)
        digest = digest_of_files(partial_out)
    write_receipt(receipt, {"images": len(found), "channels": CHANNELS, "sha256": digest}, out)
    print(f"Wrote features of {len(found):,} images, of shape ({CHANNELS}, h, w), to {out}")


def _write(out: Path, images: Sequence[tuple[str, Path]]) -> list[FileProblem]:
    """Write the features of a chunk of images, given by name and path; return what is wrong with images."""
    problems = []
    for name, path in images:
        try:
            picture = _scaled(path)
        except OSError as error:
            problems.append(FileProblem("unreadable images", f"{path} ({error.strerror})"))
            continue
        except BadImage as error:
            problems.append(FileProblem("unreadable images", f"{path} ({error})"))
            continue
        np.save((out / name).with_suffix(".npy"), grid_features(picture))
    return problems


def _scaled(path: Path) -> NDArray[np.uint8]:
    """Return an image as RGB, (height, width, 3), with CELLS cells along the longer side.

    The other side has at least one cell.
    """
    side = CELLS * PIXELS
    image = decode(file_bytes(path), "RGB", draft=side).image
    scale = side / max(image.size)
    width, height = (max(PIXELS, round(length * scale)) for length in image.size)
    return np.asarray(image.resize((width, height), Resampling.BOX))
