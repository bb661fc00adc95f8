"""Show a mask over its image, with the names of its classes."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from imagenet_s.masks.overlay import largest_ids, overlaid
from imagenet_s.masks.palette import colors
from imagenet_s.spec.classes import IGNORE, class_ids, class_names

SUBSET = "subset"  # the entry of `Image.info` that says which subset's ids the mask of an image has

# Of the legend, in pixels.
TEXT = 14
LINE = 20
MARGIN = 4


class Entry(NamedTuple):
    """A line of the legend."""

    color: tuple[int, int, int]
    text: str


def show(image: Image.Image, mask: NDArray[np.uint16] | None, subset: int | None = None) -> Image.Image:
    """Return an image in grey under the colours of its mask, above a legend with the names of the classes.

    Args:
        image: The image.
        mask: The ids of its mask or of a prediction, (height, width).
        subset: The subset that the ids are of: 50, 300 or 919. Images that `data[split, index]` returned
            know it.

    Raises:
        ValueError: There is no mask, it is not as large as the image, or the subset is unknown.

    Example:
        >>> image, mask = imagenet_s.open("results/ImageNetS50")["validation", 0]
        >>> imagenet_s.show(image, mask).save("overlay.png")
    """
    if mask is None:
        raise ValueError("This image has no mask. Images of train-semi and validation have one.")
    subset = subset or image.info.get(SUBSET)
    if subset is None:
        raise ValueError("Whose class ids are these? Name the subset: show(image, mask, subset=50).")
    ids = np.asarray(mask, np.uint16)
    if ids.shape != (image.height, image.width):
        raise ValueError(
            f"Expected a mask of shape (height, width) = {(image.height, image.width)}; found {ids.shape}."
        )
    entries = _legend(ids, subset)
    font = ImageFont.load_default(TEXT)
    width = max([image.width, *(LINE + MARGIN + round(font.getlength(entry.text)) for entry in entries)])
    shown = Image.new("RGB", (width, image.height + LINE * len(entries)), "white")
    shown.paste(Image.fromarray(overlaid(np.asarray(image.convert("RGB")), ids, subset)))
    draw = ImageDraw.Draw(shown)
    for number, entry in enumerate(entries):
        top = image.height + LINE * number
        corners = (MARGIN, top + MARGIN, LINE - MARGIN, top + LINE - MARGIN)
        draw.rectangle(corners, fill=entry.color, outline="black")
        draw.text((LINE + MARGIN // 2, top + LINE // 2), entry.text, "black", font, anchor="lm")
    return shown


def _legend(ids: NDArray[np.uint16], subset: int) -> list[Entry]:
    """Return a line for each class of a mask, the largest first, and one for ignored pixels."""
    wnids = {number: wnid for wnid, number in class_ids(subset).items()}
    texts = {number: f"{class_names()[wnid]} ({number})" for number, wnid in wnids.items()}
    texts[IGNORE] = f"ignore ({IGNORE})"
    table = colors(subset)
    found = (number for number in largest_ids(ids) if number in texts)
    return [Entry(tuple(table[number].tolist()), texts[number]) for number in found]
