"""Generated pictures: simple shapes on a gradient, with the regions of their masks."""

import io
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imagenet_s.masks.codec import rgb_of
from imagenet_s.masks.palette import colors
from imagenet_s.spec.classes import IGNORE, OTHER, class_ids

RIM = -1  # the region around an object, which masks ignore


@dataclass(frozen=True)
class Scene:
    """A picture and the regions of its mask."""

    picture: NDArray[np.uint8]  # (height, width, 3), RGB
    regions: NDArray[np.int16]  # (height, width): 0 background, k the object of `wnids[k - 1]`, or RIM
    wnids: tuple[str, ...]


def scene_of(image: str, wnid: str) -> Scene:
    """Return the scene of an image. It depends only on the image's name and class.

    A scene has 48 to 96 pixels per side. One in five has a second object, of a class that all subsets have.
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
    """Return the picture of a scene as a JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(scene.picture).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def mask_of(scene: Scene, subset: int) -> bytes:
    """Return the mask of a scene with the class ids of a subset, as an RGB PNG."""
    ids = [OTHER, *(class_ids(subset)[wnid] for wnid in scene.wnids), IGNORE]
    buffer = io.BytesIO()
    Image.fromarray(rgb_of(np.array(ids, np.uint16)[scene.regions])).save(buffer, "PNG")
    return buffer.getvalue()


_SHARED = tuple(class_ids(50))


def _distance(
    shape: int, y: NDArray[np.floating[Any]], x: NDArray[np.floating[Any]]
) -> NDArray[np.floating[Any]]:
    """Return the distance of pixels from the centre of an object; inside the object it is below 1.

    Args:
        shape: 0 for a disc, 1 for a square, 2 for a diamond.
        y: Offsets from the centre in units of the object's size, (height, width), float.
        x: The same, horizontally.
    """
    if shape == 0:
        distance: NDArray[np.floating[Any]] = np.hypot(x, y)
        return distance
    x, y = np.abs(x), np.abs(y)
    distance = np.maximum(x, y) if shape == 1 else (x + y) / 1.3
    return distance
