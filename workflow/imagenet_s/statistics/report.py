"""The statistics of a copy: for people, a summary; for programs, JSON."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from tabulate import tabulate

from imagenet_s.copies.copy import Copy
from imagenet_s.dataset.dataset_file import digest_of_copy
from imagenet_s.masks.size_buckets import SIZE_BUCKETS
from imagenet_s.statistics.tables import Statistics

SCHEMA = "urn:imagenet-s:stats:1"

WIDTH = 80  # characters of a line
EXAMPLES = 3  # classes, or pairs of classes, that the summary names
MANY = 4  # classes of a mask: masks with more are counted with these
NONE = "–"  # stands for a number that is unknown or does not apply

# Columns of the table `splits` → labels of rows.
IMAGES = {
    "images": "images",
    "suspect_images": "probably incomplete images",
    "images_of_merged_classes": "images of merged classes",
    "images_also_in": "leaking images (see below)",
}
PIXELS = {
    "class_pixels": "pixels of classes",
    "other_pixels": "pixels of other",
    "ignored_pixels": "ignored pixels",
    "unknown_pixels": "pixels of unknown ids",
}
ALWAYS = (IMAGES["images"], IMAGES["suspect_images"], "masks")  # rows that stay if they have no number but 0


def report_lines(copy: Copy, statistics: Statistics) -> Iterator[str]:
    """Yield the lines of the summary."""
    yield f"{copy.root}: {copy.name}"
    yield _table(statistics)
    for line in chain(
        _classes(statistics["classes"]),
        _pairs(statistics["co_occurrence"]),
        _leaks(statistics["leaks"]),
        _verdict(statistics["size_buckets"]),
    ):
        yield textwrap.fill(line, WIDTH, subsequent_indent="  ")


def report_document(found: Mapping[Copy, Statistics]) -> dict[str, Any]:
    """Return the statistics of copies as JSON: see workflow/schemas/stats.schema.json."""
    return {"schema": SCHEMA, "subsets": {copy.name: _document(copy, found[copy]) for copy in found}}


def _document(copy: Copy, statistics: Statistics) -> dict[str, Any]:
    tables = {
        kind: table.astype(object).where(table.notna(), None).to_dict("records")
        for kind, table in statistics.items()
    }
    return {"path": str(copy.root), "digest": digest_of_copy(copy.root), **tables}


def _table(statistics: Statistics) -> str:
    """Return a table with a column for each split."""
    splits = list(statistics["splits"]["split"])
    columns = [
        _cells({kind: table[table["split"] == split] for kind, table in statistics.items()})
        for split in splits
    ]
    rows = [[label, *(column[label] for column in columns)] for label in columns[0]]
    rows = [row for row in rows if row[0] in ALWAYS or set(row[1:]) - {NONE, "0", "0.0 %"}]
    alignment = ["left", *["right"] * len(splits)]
    return tabulate([["", *splits], *rows], tablefmt="plain", colalign=alignment, disable_numparse=True)


def _cells(statistics: Statistics) -> dict[str, str]:
    """Return the numbers of one split: label → text."""
    row = statistics["splits"].iloc[0]
    cells = {label: _number(row[column]) for column, label in IMAGES.items()}
    cells["median size of images"] = _median_size(statistics["image_sizes"].dropna())
    cells["masks"] = _number(row["masks"])
    pixels = sum(0 if pd.isna(row[column]) else row[column] for column in PIXELS)
    for column, label in PIXELS.items():
        cells[label] = f"{100 * row[column] / pixels:.1f} %" if pixels else NONE
    counted = statistics["classes_per_mask"]
    for classes in range(MANY + 1):
        alike = counted["classes"] == classes if classes < MANY else counted["classes"] >= classes
        label = f"masks with {classes} {'class' if classes == 1 else 'classes'}"
        cells[label + " or more" * (classes == MANY)] = _number(
            counted["masks"][alike].sum() if len(counted) else None
        )
    regions = statistics["size_buckets"].set_index("size_bucket")["regions"]
    cells |= {f"regions of size {name}": _number(regions.get(name)) for name in SIZE_BUCKETS}
    return cells


def _number(value: Any) -> str:
    return NONE if pd.isna(value) else f"{value:,}"


def _median_size(sizes: pd.DataFrame) -> str:
    """Return the median width and height of images, in pixels; `sizes` has the number of each size."""
    if sizes.empty:
        return NONE
    images = sizes["images"].to_numpy(np.int64)
    sides = (np.median(np.repeat(sizes[side].to_numpy(np.int64), images)) for side in ("width", "height"))
    return " × ".join(f"{side:.0f}" for side in sides)


def _classes(classes: pd.DataFrame) -> Iterator[str]:
    """Yield lines about classes that stand out in the masks of all splits."""
    found = classes.groupby(["class_id", "name"])[["masks", "pixels"]].sum().reset_index("name")
    found = found[found["masks"] > 0]
    if found.empty:
        return
    found["mean"] = (found["pixels"] / found["masks"]).round().astype(int)
    for what, column in (("Classes in the fewest masks", "masks"), ("Fewest pixels per mask", "mean")):
        least = found.sort_values(column, kind="stable").head(EXAMPLES)
        yield f"{what}: {_list(least['name'], least[column])}"


def _pairs(pairs: pd.DataFrame) -> Iterator[str]:
    """Yield a line about the classes that most often occur together."""
    keys = ["class_id", "other_class_id", "name", "other_name"]
    found = pairs.groupby(keys)["masks"].sum().reset_index()
    most = found.sort_values("masks", ascending=False, kind="stable").head(EXAMPLES)
    if len(most):
        names = most["name"] + " and " + most["other_name"]
        yield f"Together in the most masks: {_list(names, most['masks'])}"


def _list(names: Iterable[str], counts: Iterable[int]) -> str:
    return ", ".join(f"{name} ({count:,})" for name, count in zip(names, counts, strict=True))


def _leaks(leaks: pd.DataFrame) -> Iterator[str]:
    """Yield lines about images that are in another split of another subset."""
    for split, rows in leaks.groupby("split", sort=False):
        yield f"Leak: {split} shares images with {_list(rows['also_in'], rows['images'])}"


def _verdict(buckets: pd.DataFrame) -> Iterator[str]:
    """Yield a line that compares the size buckets with the published ones, where they can be compared."""
    known = buckets.dropna(subset="published_classes_and_other")
    if known.empty:
        return
    found, published = (
        "/".join(map(str, known[column])) for column in ("classes_and_other", "published_classes_and_other")
    )
    verdict = "as published" if found == published else f"differs from the published {published}"
    yield f"Classes, and other, in the size buckets of validation: {found}, {verdict}"
