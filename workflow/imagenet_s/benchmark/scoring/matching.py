"""Matching of generated ids to classes, for predictions made without labels: one to one, by images in common.

Source of the measure: the official toolbox. For each image the set of the predicted ids and the set of the
true ones count; the cost of giving predicted id p to class c is 1 − (images with both) / (all images).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial as bound
from pathlib import Path

import numpy as np
import scipy
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from imagenet_s.benchmark.scoring.comparison import Comparison, pairs_of, partial_would_do
from imagenet_s.benchmark.scoring.predictions import (
    Pair,
    class_of,
    read_pair,
    require_own_classes,
)
from imagenet_s.io.atomic import dump_json
from imagenet_s.io.receipts import receipts
from imagenet_s.masks.codec import ids_in
from imagenet_s.runtime.parallel import map_chunks
from imagenet_s.runtime.problems import FileProblem, require_no_file
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.version import __version__
from imagenet_s.spec.classes import IGNORE, OTHER, class_ids
from imagenet_s.spec.protocols import describe
from imagenet_s.spec.subsets import subset_of
from imagenet_s.workspace.output_guard import check_output_path

SOLVER = "scipy.optimize.linear_sum_assignment"


@dataclass(frozen=True)
class Occurring:
    """The classes 1..C that one image has in its prediction and in its truth, each ascending.

    `unknown`: whether ids above C are predicted, too. They are matched with nothing.
    """

    predicted: tuple[int, ...]
    true: tuple[int, ...]
    unknown: bool = False


def occurring(truth: np.ndarray, prediction: np.ndarray, classes: int) -> Occurring:
    """Of ids, (height, width), both of one shape. What is predicted only on ignored pixels is not there."""
    counting = truth != IGNORE
    predicted, true = prediction[counting], truth[counting]
    return Occurring(
        _classes_in(predicted, classes), _classes_in(true, classes), bool((predicted > classes).any())
    )


def _classes_in(ids: np.ndarray, classes: int) -> tuple[int, ...]:
    present = ids_in(ids) if ids.size else ids
    return tuple(present[(present != OTHER) & (present <= classes)].tolist())


def in_common(images: Sequence[Occurring], classes: int) -> np.ndarray:
    """In how many images predicted id p and true id c both are, (classes, classes) int64: [p − 1, c − 1]."""
    predicted = _membership([image.predicted for image in images], classes)
    true = _membership([image.true for image in images], classes)
    return (predicted.T @ true).toarray()


def _membership(sets: Sequence[tuple[int, ...]], classes: int) -> csr_array:
    """1 where image i has class c, sparse, (images, classes) int64 at [i, c − 1]: nearly all are 0."""
    ends = np.cumsum([0, *map(len, sets)])
    columns = np.fromiter((c - 1 for one in sets for c in one), np.int64, int(ends[-1]))
    return csr_array((np.ones(len(columns), np.int64), columns, ends), shape=(len(sets), classes))


@dataclass(frozen=True)
class Matching:
    """An optimal matching.

    `classes` has the class of predicted id 1, 2, …; `common` is what it maximises, the sum of images in
    common; `movable` has the predicted ids, ascending, to which another optimum gives another class.
    """

    classes: tuple[int, ...]
    common: int
    images: int
    movable: tuple[int, ...]
    solver: str = f"{SOLVER} {scipy.__version__}"

    @property
    def unique(self) -> bool:
        return not self.movable

    @property
    def cost(self) -> float:
        """The objective as the official toolbox states it: the sum of 1 − (images in common) / (images)."""
        return len(self.classes) - self.common / self.images

    def official(self) -> dict[str, int]:
        """As the official `match.json` has it: predicted id → class, from 1, and 0 → 0."""
        return {str(p): c for p, c in enumerate(self.classes, 1)} | {str(OTHER): OTHER}


def match(common: np.ndarray, images: int) -> Matching:
    """The matching of lowest cost, of images in common, (C, C), out of `images` ≥ 1.

    Counts, not costs: whole numbers, among which ties are ties.
    """
    rows, columns = linear_sum_assignment(common, maximize=True)
    return Matching(
        classes=tuple((columns + 1).tolist()),
        common=int(common[rows, columns].sum()),
        images=images,
        movable=tuple((_movable(common, columns) + 1).tolist()),
    )


def _movable(common: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The rows, ascending, that have another column in some other optimal assignment.

    Row i that takes the column of row k loses loss[i, k]. Another optimal assignment differs by cycles of
    such moves that lose nothing in all, and no cycle gains. Shortest paths give each row a potential with
    which each move loses 0 or more; then cycles that lose nothing are those of moves that lose 0, and a row
    is on one if it has company in its strongly connected component.
    """
    kept = common[np.arange(len(columns)), columns]
    loss = kept[:, None] - common[:, columns]
    potential = np.zeros(len(columns), np.int64)
    for _ in columns:
        shorter = (potential[:, None] + loss).min(axis=0)
        if (shorter == potential).all():  # never above: loss[k, k] is 0
            break
        potential = shorter
    else:  # paths that become shorter for ever: some cycle gains, so the solver was wrong
        raise ArithmeticError(f"{SOLVER} found no optimum")
    free = potential[:, None] + loss == potential
    _, component = connected_components(csr_array(free), directed=True, connection="strong")
    return np.flatnonzero(np.bincount(component)[component] > 1)


def match_predictions(compared: Comparison, out: Path, workers: int) -> None:
    """Writes `out`, a `match.json`, and `<stem>-info.json` beside it: how good and how certain it is.

    Raises UserError with everything that is wrong with the two folders.
    """
    check_output_path(out, *compared.folders)
    subset = compared.subset
    name, classes = subset_of(subset).name, len(class_ids(subset))
    log.info("%s", describe("unsupervised"))
    pairs, findings = pairs_of(compared)
    read = map_chunks(bound(_occurring, classes), pairs, workers, f"Matching {name}", "images")
    findings += [one for one in read if isinstance(one, FileProblem)]
    partly = " `imagenet-s match --partial` takes the images that are there." * partial_would_do(findings)
    what = f"{compared.predictions} cannot be matched with {compared.truth}:"
    require_no_file(findings, what, f"Nothing was matched.{partly}")
    masks = [(pair, image.true) for pair, image in zip(pairs, read, strict=True) if image.true]
    own = {pair.name: class_of(subset, pair) in true for pair, true in masks}
    require_own_classes(subset, compared.truth, own)
    if unknown := sum(image.unknown for image in read):
        log.warning(
            "%s images have predicted ids above %s, which are matched with nothing: generated ids are 1..%s",
            *(f"{unknown:,}", classes, classes),
        )
    common = in_common(read, classes)
    found = match(common, len(read))
    predicted = {p for image in read for p in image.predicted}
    changeable = [p for p in found.movable if p in predicted]
    info = {
        "subset": subset,
        "images": found.images,
        "cost": found.cost,
        "images_in_common": found.common,
        "unique": found.unique,
        "ids_that_could_change": len(found.movable),
        "of_them_predicted": changeable,
        "ids_never_predicted": classes - len(predicted),
        "solver": found.solver,
        "made_by": f"imagenet-s {__version__}",
    }
    with receipts([out.with_name(f"{out.stem}-info.json"), out]) as (about, matching):
        dump_json(info, about)
        dump_json(found.official(), matching)
    print(f"{out}: cost {found.cost:.6f}, by {found.images:,} images; {_certainty(found, changeable)}")


def _occurring(classes: int, pairs: Sequence[Pair]) -> list[Occurring | FileProblem]:
    results = []
    for pair in pairs:
        read = read_pair(pair, classes)
        results += read if isinstance(read, list) else [occurring(*read, classes)]
    return results


def _certainty(found: Matching, changeable: Sequence[int]) -> str:
    if found.unique:
        return "no other matching is as good"
    return (
        f"others are as good: {len(found.movable):,} of {len(found.classes):,} ids could have another class, "
        f"{len(changeable):,} of which are predicted anywhere"
    )
