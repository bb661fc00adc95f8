"""Make a zip of masks with the size and detail of real ones, under the official names, for benchmarks.

    python benchmarks/make_masks.py --subset 919 FOLDER

The masks have 500 × 375 pixels and objects with curved outlines in several parts, each with an ignored rim.
As PNGs by Pillow with default settings they have about 3 kB. The zip is deflated.
"""

import argparse
import io
import sys
import zipfile
import zlib
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from imagenet_s.annotations.unpack import mask_paths
from imagenet_s.io.atomic import atomic_write
from imagenet_s.masks.codec import rgb_of
from imagenet_s.spec.classes import IGNORE, class_ids
from imagenet_s.spec.subsets import subset_of

SIZE = (375, 500)  # height, width of the images of make_imagenet


def ids_of(mask: str, subset: int) -> np.ndarray:
    """Return the ids of a mask, (height, width) uint16, which depend only on its path."""
    random = np.random.default_rng(zlib.crc32(mask.encode()))
    height, width = SIZE
    ids = np.zeros((height, width), np.uint16)
    y, x = (axis.astype(np.float32) for axis in np.ogrid[:height, :width])
    numbers = random.choice(subset, random.integers(1, 4), replace=False) + 1
    numbers[-1] = class_ids(subset)[mask.split("/")[1]]  # the class of its folder
    for number in numbers:
        down = y - np.float32(random.uniform(0.2, 0.8) * height)
        right = x - np.float32(random.uniform(0.2, 0.8) * width)
        # Looked up at 4,096 angles, because computing it for each pixel takes 0.2 s.
        turn = np.linspace(-np.pi, np.pi, 4096, endpoint=False, dtype=np.float32)
        around = np.ones_like(turn)
        for k in range(2, 36):  # coarse waves and small notches, as in hand-drawn outlines
            around += random.normal(0, 0.5 / k**1.4) * np.cos(k * turn + random.uniform(0, 6.3))
        angle, radius = np.arctan2(down, right), np.hypot(down, right)
        outline = around[((angle + np.pi) * (4096 / (2 * np.pi))).astype(np.int32) % 4096]
        outline *= np.float32(random.uniform(0.1, 0.33) * height)
        ids[radius < outline + 4] = IGNORE
        ids[radius < outline] = number
    return ids


def png_of(subset: int, mask: str) -> bytes:
    """Return a mask as a PNG like the official ones: RGB, by Pillow with default settings."""
    buffer = io.BytesIO()
    Image.fromarray(rgb_of(ids_of(mask, subset))).save(buffer, "PNG")
    return buffer.getvalue()


def make(subset: int, path: Path) -> None:
    """Write the zip of a subset's masks to `path`."""
    masks = mask_paths(subset)
    with (
        ProcessPoolExecutor() as pool,
        atomic_write(path) as partial_path,
        zipfile.ZipFile(partial_path, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for mask, data in zip(masks, pool.map(partial(png_of, subset), masks, chunksize=64), strict=True):
            archive.writestr(f"{subset_of(subset).name}/{mask}", data)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--subset", type=int, default=919)
    options = parser.parse_args()
    make(options.subset, options.folder / f"{subset_of(options.subset).name}.zip")
