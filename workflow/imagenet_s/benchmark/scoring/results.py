"""What a scoring comes to: the figure of each image, the table by class."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from imagenet_s.benchmark.scoring.metrics import BOUNDARY, PLAIN, PREDICTED, TRUE, Tally, ious
from imagenet_s.benchmark.scoring.predictions import Pair
from imagenet_s.io.atomic import atomic_write
from imagenet_s.spec.classes import class_ids, class_names


class Scored(NamedTuple):
    """An image and its own figure: the mean IoU of the classes in its truth or prediction, 0 to 1.

    `true` has the ids of its truth.
    """

    pair: Pair
    iou: float
    true: tuple[int, ...]


def image_iou(one: Tally) -> float:
    """The mean IoU of the classes, background included, that one image has in its truth or prediction."""
    areas = one.areas[PLAIN, 0]
    there = areas[PREDICTED] + areas[TRUE] > 0
    return float(ious(areas)[there].mean()) if there.any() else 0.0


class ClassRow(NamedTuple):
    """A class's row of the table; IoUs in percent, `pixels` in the truth. Id 0 is background."""

    id: int
    wnid: str
    name: str
    IoU: float
    boundary_IoU: float
    pixels: int


def class_rows(subset: int, sums: Tally) -> list[ClassRow]:
    """The table by class, background first."""
    wnids, names = ["", *class_ids(subset)], class_names()
    plain, edges = 100 * ious(sums.areas[PLAIN, 0]), 100 * ious(sums.areas[BOUNDARY, 0])
    pixels = sums.areas[PLAIN, 0, TRUE]
    return [
        ClassRow(i, wnid, names.get(wnid, "background"), float(plain[i]), float(edges[i]), int(pixels[i]))
        for i, wnid in enumerate(wnids)
    ]


def write_table(rows: Sequence[ClassRow], path: Path) -> None:
    """Writes the table by class as CSV."""
    with atomic_write(path) as partial_path, partial_path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(ClassRow._fields)
        writer.writerows(rows)
