"""Find the optimal matching of generated ids to classes, and whether it is the only one.

Source of the objective: the official toolbox. For each image, take the set of predicted ids and the set of
true ids. The cost of matching predicted id p to class c is 1 − (images with both) / (all images). Each id is
matched to one class. C is the number of classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from imagenet_s.masks.codec import ids_in
from imagenet_s.spec.classes import IGNORE, OTHER

SOLVER = "scipy.optimize.linear_sum_assignment"


@dataclass(frozen=True)
class ClassSets:
    """The classes 1..C in the prediction and in the truth of one image, each ascending.

    Attributes:
        predicted: Classes that are predicted on pixels that are not ignored.
        true: Classes in the truth.
        unknown: Whether ids above C are predicted, too. They are matched to nothing.
    """

    predicted: tuple[int, ...]
    true: tuple[int, ...]
    unknown: bool = False


def class_sets(truth: NDArray[np.uint16], prediction: NDArray[np.uint16], classes: int) -> ClassSets:
    """Return the classes in the true and the predicted ids of an image, both (height, width).

    Source: the official toolbox. Pixels whose truth is ignore do not count.
    """
    counted = truth != IGNORE
    predicted, true = prediction[counted], truth[counted]
    unknown = bool((predicted > classes).any())
    return ClassSets(_classes_in(predicted, classes), _classes_in(true, classes), unknown)


def _classes_in(ids: NDArray[np.uint16], classes: int) -> tuple[int, ...]:
    present = ids_in(ids) if ids.size else ids
    return tuple(present[(present != OTHER) & (present <= classes)].tolist())


def count_common_images(images: Sequence[ClassSets], classes: int) -> NDArray[np.int64]:
    """Count for each predicted id p and true class c the images that have both.

    Returns:
        (C, C) int64, at [p − 1, c − 1].
    """
    predicted = _membership([image.predicted for image in images], classes)
    true = _membership([image.true for image in images], classes)
    common: NDArray[np.int64] = (predicted.T @ true).toarray()
    return common


def _membership(sets: Sequence[tuple[int, ...]], classes: int) -> csr_array:
    """Return a matrix with 1 where image i has class c, (images, C) int64 at [i, c − 1].

    It is sparse because nearly all entries are 0.
    """
    ends = np.cumsum([0, *map(len, sets)])
    columns = np.fromiter((c - 1 for one in sets for c in one), np.int64, int(ends[-1]))
    return csr_array((np.ones(len(columns), np.int64), columns, ends), shape=(len(sets), classes))


@dataclass(frozen=True)
class Matching:
    """An optimal matching.

    Attributes:
        classes: The class of predicted id 1, 2, ….
        common: What the matching maximises, the sum of images in common.
        images: The number of images.
        movable: The predicted ids, ascending, to which some other optimal matching gives another class.
        solver: The function that found the matching, and its version.
    """

    classes: tuple[int, ...]
    common: int
    images: int
    movable: tuple[int, ...]
    solver: str = f"{SOLVER} {scipy.__version__}"

    @property
    def unique(self) -> bool:
        """Whether no other matching is optimal."""
        return not self.movable

    @property
    def cost(self) -> float:
        """The objective of the official toolbox: the sum of 1 − (images in common) / (images)."""
        return len(self.classes) - self.common / self.images

    def official(self) -> dict[str, int]:
        """Return the content of the official `match.json`: predicted id → class, both from 1, and 0 → 0."""
        return {str(p): c for p, c in enumerate(self.classes, 1)} | {str(OTHER): OTHER}


def match(common: NDArray[np.int64], images: int) -> Matching:
    """Return the matching of lowest cost.

    Args:
        common: Numbers of images in common, (C, C). They are integers, unlike costs, so ties are exact.
        images: The number of all images, 1 or more.
    """
    rows, columns = linear_sum_assignment(common, maximize=True)
    return Matching(
        classes=tuple((columns + 1).tolist()),
        common=int(common[rows, columns].sum()),
        images=images,
        movable=tuple((_movable(common, columns) + 1).tolist()),
    )


def _movable(common: NDArray[np.int64], columns: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the rows that have another column in some other optimal assignment.

    If row i takes the column of row k, it loses loss[i, k]. Another optimal assignment differs by cycles of
    such moves that lose nothing in total, and no cycle gains. Shortest paths give each row a potential that
    makes the loss of every move 0 or more. Then the cycles that lose nothing consist of moves that lose 0,
    and a row is on such a cycle if its strongly connected component contains other rows.

    Args:
        common: Numbers of images in common, (C, C).
        columns: The column of each row in an optimal assignment, (C,).

    Returns:
        (n,) intp, ascending.

    Raises:
        ArithmeticError: The assignment is not optimal.
    """
    assigned = common[np.arange(len(columns)), columns]
    loss = assigned[:, None] - common[:, columns]
    potential = np.zeros(len(columns), np.int64)
    for _ in columns:
        shorter = (potential[:, None] + loss).min(axis=0)
        if (shorter == potential).all():  # never above, because loss[k, k] is 0
            break
        potential = shorter
    else:  # the paths keep getting shorter: some cycle gains, so the solver was wrong
        raise ArithmeticError(f"{SOLVER} found no optimum")
    free = potential[:, None] + loss == potential
    _, component = connected_components(csr_array(free), directed=True, connection="strong")
    return np.flatnonzero(np.bincount(component)[component] > 1)
