"""Pictures that are made up: simple shapes, with the regions that a mask of them has."""

import io
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from imagenet_s.masks.codec import rgb_of
from imagenet_s.masks.palette import colors
from imagenet_s.spec.classes import IGNORE, OTHER, class_ids

RIM = -1  # the region around an object that a mask ignores


@dataclass(frozen=True)
class Scene:
    """A picture, (height, width, 3) uint8, and its regions, (height, width) int: 0 is background,
    k the object of `wnids[k - 1]`, RIM the pixels around objects."""

    picture: np.ndarray
    regions: np.ndarray
    wnids: tuple[str, ...]


def scene_of(image: str, wnid: str) -> Scene:
    """The scene of an image, determined by its name and its class alone.

    Of 48 to 96 pixels a side; every fifth has a second object, of a class that all subsets know.
    """
    random = np.random.Generator(np.random.PCG64(zlib.crc32(image.encode())))
    height, width = random.integers(48, 97, 2)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    picture = np.empty((height, width, 3), np.float32)
    picture[:] = random.integers(60, 190, 3)
    picture += ((x / width + y / height) * random.integers(-30, 31))[..., None]
    regions = np.zeros((height, width), np.int16)
    wnids = [wnid]
    if random.integers(5) == 0:
        wnids.append(_SHARED[random.integers(len(_SHARED))])
    for number, kind in reversed(list(enumerate(wnids, 1))):
        size = min(height, width) * random.uniform(0.2, 0.38)
        centre = random.uniform(0.35, 0.65, 2) * (height, width)
        distance = _distance(zlib.crc32(kind.encode()) % 3, (y - centre[0]) / size, (x - centre[1]) / size)
        regions[distance < 1 + 2.5 / size] = RIM
        regions[distance < 1] = number
        picture[distance < 1] = colors(919)[class_ids(919)[kind]]
    picture += random.normal(0, 6, (height, width, 1))
    return Scene(picture.clip(0, 255).astype(np.uint8), regions, tuple(wnids))


def jpeg_of(scene: Scene) -> bytes:
    """The scene's picture as a small JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(scene.picture).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def mask_of(scene: Scene, subset: int) -> bytes:
    """The scene's mask in the ids of a subset, as an RGB PNG."""
    ids = [OTHER, *(class_ids(subset)[wnid] for wnid in scene.wnids), IGNORE]
    buffer = io.BytesIO()
    Image.fromarray(rgb_of(np.array(ids, np.uint16)[scene.regions])).save(buffer, "PNG")
    return buffer.getvalue()


_SHARED = tuple(class_ids(50))


def _distance(shape: int, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """How far pixels are from the centre of a disc, a square or a diamond of size 1."""
    if shape == 0:
        return np.hypot(x, y)
    x, y = np.abs(x), np.abs(y)
    return np.maximum(x, y) if shape == 1 else (x + y) / 1.3
