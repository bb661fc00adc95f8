"""Show a mask over its image, with the names of its classes."""

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from imagenet_s.api.masks import ids_of_array
from imagenet_s.masks.legend import draw_legend, legend_of, legend_width
from imagenet_s.masks.overlay import overlaid
from imagenet_s.spec.subsets import checked_subset

SUBSET = "subset"  # the entry of `Image.info` that says which subset's ids the mask of an image has


def show(image: Image.Image, mask: ArrayLike | None, subset: int | None = None) -> Image.Image:
    """Return an image in grey under the colours of its mask, above a legend with the names of the classes.

    Regions have a black outline, and ignored pixels are hatched.

    Args:
        image: The image.
        mask: The ids of its mask or of a prediction, (height, width).
        subset: The subset that the ids are of: 50, 300 or 919. Images that `data[split, index]` returned
            know it.

    Raises:
        ValueError: There is no mask, it is not as large as the image or holds no ids, or the subset is
            unknown.

    Example:
        >>> image, mask = imagenet_s.open("results/ImageNetS50")["validation", 0]
        >>> imagenet_s.show(image, mask).save("overlay.png")
    """
    if mask is None:
        raise ValueError("This image has no mask. Images of train-semi and validation have one.")
    subset = subset or image.info.get(SUBSET)
    if subset is None:
        raise ValueError("The subset of the class ids is unknown. Name it: show(image, mask, subset=50).")
    subset, ids = checked_subset(subset), ids_of_array(mask)
    if ids.shape != (image.height, image.width):
        raise ValueError(
            f"Expected a mask of shape (height, width) = {(image.height, image.width)}; found {ids.shape}."
        )
    entries = legend_of(subset, ids)
    width = max(image.width, legend_width(entries))
    legend = draw_legend(entries, width)
    shown = Image.new("RGB", (width, image.height + legend.height), "white")
    shown.paste(Image.fromarray(overlaid(np.asarray(image.convert("RGB")), ids, subset)))
    shown.paste(legend, (0, image.height))
    return shown
