"""Count the pixels of each pair of true and predicted id in one image.

Ids are arrays (height, width) of unsigned integers: 0 is other (background), 1..C are the classes of the
subset, 1000 in the true mask is ignore.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagenet_s.benchmark.scoring.boundary import boundary
from imagenet_s.masks.codec import ids_in
from imagenet_s.spec.classes import IGNORE


@dataclass(frozen=True)
class Confusion:
    """How many pixels of one image have which true id and which predicted id, without ignored pixels.

    Attributes:
        classes: C, the number of classes.
        true_ids: (k,) intp, the ids 0..C that are present in the truth, ascending.
        predicted_ids: (m,) intp, the ids 0..C that are present in the prediction, ascending; C + 1 stands for
            every id above C.
        pixels: (k, m, 2, 2) int64, numbers of pixels. The last two axes say whether the pixel is boundary in
            the truth and in the prediction.
    """

    classes: int
    true_ids: NDArray[np.intp]
    predicted_ids: NDArray[np.intp]
    pixels: NDArray[np.int64]

    @property
    def matrix(self) -> NDArray[np.int64]:
        """The numbers of pixels, boundary or not, (k, m)."""
        matrix: NDArray[np.int64] = self.pixels.sum(axis=(2, 3))
        return matrix


def confusion(
    truth: NDArray[np.unsignedinteger], prediction: NDArray[np.unsignedinteger], classes: int
) -> Confusion:
    """Count the pixels of each pair of true and predicted id in one image.

    Args:
        truth: True ids, (height, width).
        prediction: Predicted ids, (height, width).
        classes: The number of classes.

    Raises:
        ValueError: The shapes differ, or the truth has ids above `classes` other than ignore.
    """
    if truth.shape != prediction.shape:
        raise ValueError(f"the truth has {truth.shape} pixels, the prediction {prediction.shape}")
    true_ids, predicted_ids = ids_in(truth), ids_in(prediction)
    if ((true_ids > classes) & (true_ids != IGNORE)).any():
        raise ValueError(f"the truth has ids above {classes} other than {IGNORE}")
    known = predicted_ids[predicted_ids <= classes].astype(np.intp)
    columns = known if len(known) == len(predicted_ids) else np.append(known, classes + 1)
    # The flat index of each pixel in the table: a row for each true id (including ignore), a column for each
    # predicted id, and four cells for the two boundary bits.
    row = np.zeros(int(true_ids[-1]) + 1, np.intp)
    row[true_ids] = np.arange(len(true_ids)) * len(columns) * 4
    column = np.full(int(predicted_ids[-1]) + 1, len(known) * 4, np.intp)
    column[known] = np.arange(len(known)) * 4
    cells = row[truth] + column[prediction]
    # Boundaries are those of the whole masks: a class that meets ignored pixels has a boundary there.
    cells += 2 * boundary(truth).view(np.uint8) + boundary(prediction).view(np.uint8)
    shape = (len(true_ids), len(columns), 2, 2)
    pixels = np.bincount(cells.ravel(), minlength=math.prod(shape)).reshape(shape)
    counted = true_ids != IGNORE
    pixels = pixels[counted]
    present = pixels.any(axis=(0, 2, 3))  # an id may be predicted only where the truth is ignore
    return Confusion(classes, true_ids[counted].astype(np.intp), columns[present], pixels[:, present])
