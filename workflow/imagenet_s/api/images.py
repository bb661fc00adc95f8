"""Read one image."""

from os import PathLike
from pathlib import Path

from PIL import Image

from imagenet_s.benchmark.scoring.predictions import file_bytes
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.image_file import BadImage, decode


def read_image(path: str | PathLike[str], mode: str | None = None) -> Image.Image:
    """Return an image in the mode in which it is stored, or converted to another one of Pillow.

    Raises:
        UserError: It cannot be decoded.
    """
    try:
        return decode(file_bytes(Path(path)), mode).image
    except BadImage as error:
        raise UserError(f"{path} cannot be decoded: {error}.") from error
