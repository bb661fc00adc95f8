"""The results of scoring: the IoU of each image, and the table of classes."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from imagenet_s.benchmark.scoring.metrics import BOUNDARY, PLAIN, PREDICTED, TRUE, Tally, ious
from imagenet_s.benchmark.scoring.pairs import Pair
from imagenet_s.io.atomic import atomic_write
from imagenet_s.spec.classes import class_ids, class_names


class Scored(NamedTuple):
    """A scored image.

    Attributes:
        pair: Its true mask and its prediction.
        iou: The mean IoU of the classes in its truth or its prediction, 0 to 1.
        true: The ids in its truth, ascending.
    """

    pair: Pair
    iou: float
    true: tuple[int, ...]


def image_iou(image: Tally) -> float:
    """Return the mean IoU of the classes in the truth or the prediction of an image, background included."""
    areas = image.areas[PLAIN, 0]
    present = areas[PREDICTED] + areas[TRUE] > 0
    return float(ious(areas)[present].mean()) if present.any() else 0.0


class ClassRow(NamedTuple):
    """A row of the table of classes. Id 0 is background.

    `IoU` and `boundary_IoU` are in percent; `pixels` counts those of the class in the truth.
    """

    id: int
    wnid: str
    name: str
    IoU: float
    boundary_IoU: float
    pixels: int


def class_rows(subset: int, sums: Tally) -> list[ClassRow]:
    """Return the table of classes, background first."""
    wnids, names = ["", *class_ids(subset)], class_names()
    plain, edges = 100 * ious(sums.areas[PLAIN, 0]), 100 * ious(sums.areas[BOUNDARY, 0])
    pixels = sums.areas[PLAIN, 0, TRUE]
    return [
        ClassRow(i, wnid, names.get(wnid, "background"), float(plain[i]), float(edges[i]), int(pixels[i]))
        for i, wnid in enumerate(wnids)
    ]


def write_table(rows: Sequence[ClassRow], path: Path) -> None:
    """Write the table of classes as CSV."""
    with atomic_write(path) as partial_path, partial_path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(ClassRow._fields)
        writer.writerows(rows)
