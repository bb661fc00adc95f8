"""The statistics: those of masks made by hand, and of 300 masks of the demo, counted without the package."""

import math
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

from imagenet_s.annotations.unpack import RECORDS, record_of
from imagenet_s.api.masks import read_mask
from imagenet_s.benchmark.scoring.confusion import confusion
from imagenet_s.benchmark.scoring.metrics import PLAIN, TRUE, tally, total
from imagenet_s.copies.copy import open_copy
from imagenet_s.copies.samples import samples
from imagenet_s.dataset.typed_manifests import TYPED
from imagenet_s.io.tables import table_of
from imagenet_s.masks.codec import rgb_png
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.statistics import KINDS
from imagenet_s.statistics.masks import mask_records
from imagenet_s.statistics.tables import SplitContent, Statistics, statistics_tables

MASKS = 150  # of each split
BUCKETS = ("S", "MS", "ML", "L")


def listed(table: pd.DataFrame, *columns: str) -> list[tuple]:
    """Return some columns as a list of tuples, with None for nulls."""
    part = table[list(columns)].astype(object)
    return list(part.where(part.notna(), None).itertuples(index=False, name=None))


def some_samples(*rows: dict) -> pa.Table:
    """Return samples with these values, and nulls."""
    return pa.Table.from_pylist([{name: row.get(name) for name in TYPED.names} for row in rows], TYPED)


def made(*masks: list[list[int]], subset: int = 50) -> pa.Table:
    """Return the records of masks."""
    pngs = [rgb_png(np.array(mask, np.uint16)) for mask in masks]
    return table_of([record_of("x.png", png, len(class_ids(subset))) for png in pngs], RECORDS)


def statistics(masks: pa.Table | None, *rows: dict, subset: int = 50, **options) -> Statistics:
    """Return the statistics of one split, validation."""
    content = {"suspects": None, **options}
    return statistics_tables(subset, [SplitContent("validation", some_samples(*rows), masks, **content)])


def counted(paths: list[Path]) -> dict[str, Counter]:
    """Count classes in masks pixel by pixel, with Pillow, loops and the formulas of the benchmark."""
    found = {name: Counter() for name in ("masks", "pixels", "bucket", "per_mask", "pairs", "areas")}
    bucket_masks: dict[str, set] = {name: set() for name in BUCKETS}
    bucket_classes: dict[str, set] = {name: set() for name in BUCKETS}
    for path in paths:
        areas = Counter()
        with Image.open(path) as image:
            for red, green, blue in np.asarray(image).reshape(-1, 3).tolist():
                assert blue == 0
                areas[red + 256 * green] += 1
        pixels = sum(area for number, area in areas.items() if number != 1000)
        classes = sorted(number for number in areas if 1 <= number <= 50)
        found["areas"].update(areas)
        found["per_mask"][len(classes)] += 1
        found["pairs"].update(combinations(classes, 2))
        for number in classes:
            percent = math.ceil(100 * areas[number] / pixels)
            bucket = "S" if percent <= 5 else "MS" if percent <= 25 else "ML" if percent <= 50 else "L"
            found["masks"][number] += 1
            found["pixels"][number] += areas[number]
            found["bucket"][number, bucket] += 1
            bucket_masks[bucket].add(path)
            bucket_classes[bucket] |= {number, *([0] if areas[0] else [])}
    found["bucket_masks"] = Counter({name: len(masks) for name, masks in bucket_masks.items()})
    found["bucket_classes"] = Counter({name: len(classes) for name, classes in bucket_classes.items()})
    return found


@pytest.mark.parametrize("split", ["train-semi", "validation"])
def test_300_masks_of_two_splits_are_counted_as_pillow_and_loops_count_them(split, tree50):
    copy = open_copy(tree50)
    rows = samples(copy, split).slice(0, MASKS)
    records = mask_records(copy, rows, 1)
    tables = statistics_tables(50, [SplitContent(split, rows, records, 0)])
    paths = [tree50 / mask for mask in rows["mask"].to_pylist()]
    truth = counted(paths)
    assert len(paths) == MASKS
    assert listed(tables["splits"], "masks", "class_pixels", "other_pixels", "ignored_pixels") == [
        (MASKS, truth["pixels"].total(), truth["areas"][0], truth["areas"][1000])
    ]
    images = Counter(path.parent.name for path in paths)
    assert listed(tables["classes"], "class_id", "wnid", "images", "masks", "pixels", *BUCKETS) == [
        (
            *(number, wnid, images[wnid], truth["masks"][number], truth["pixels"][number]),
            *(truth["bucket"][number, bucket] for bucket in BUCKETS),
        )
        for wnid, number in class_ids(50).items()
    ]
    assert listed(tables["size_buckets"], "size_bucket", "regions", "masks", "classes_and_other") == [
        (
            bucket,
            sum(count for (_, name), count in truth["bucket"].items() if name == bucket),
            truth["bucket_masks"][bucket],
            truth["bucket_classes"][bucket],
        )
        for bucket in BUCKETS
    ]
    per_mask = [(n, truth["per_mask"][n]) for n in range(max(truth["per_mask"]) + 1)]
    assert listed(tables["classes_per_mask"], "classes", "masks") == per_mask
    pairs = [(*pair, count) for pair, count in sorted(truth["pairs"].items())]
    assert pairs
    assert listed(tables["co_occurrence"], "class_id", "other_class_id", "masks") == pairs


def test_the_classes_of_a_size_are_those_that_the_benchmark_scores(tree50, statistics50):
    masks = [read_mask(path) for path in (tree50 / "validation-segmentation").glob("*/*.png")]
    sums = total(tally(confusion(mask, mask, 50)) for mask in masks)
    scored = (sums.areas[PLAIN, 1:, TRUE] > 0).sum(axis=1)
    buckets = statistics50["size_buckets"]
    found = buckets[buckets["split"] == "validation"]
    assert found["classes_and_other"].to_list() == scored.tolist() == [25, 51, 51, 19]


def test_masks_made_by_hand():
    masks = made(
        [[1] * 5 + [2] * 25 + [0] * 70],  # S and MS: both bounds are inside
        [[1] * 6 + [2] * 26 + [3] * 51 + [0] * 17 + [1000] * 50],  # MS, ML, L of 100 pixels
        [[3] * 50 + [1000] * 7],  # all of it, no other
        [[0] * 3 + [60] * 2 + [1000]],  # an id that the subset does not have
    )
    tables = statistics(masks, *({"class_id": n, "wnid": "n", "imagenet_wnid": "n"} for n in (1, 1, 3, 2)))
    assert list(tables) == list(KINDS)
    assert listed(tables["splits"], *tables["splits"].columns[1:]) == [
        (4, None, 0, 0, 4, 11 + 51 + 101, 70 + 17 + 3, 58, 2)
    ]
    assert listed(tables["classes"][:4], "images", "masks", "pixels", *BUCKETS) == [
        (2, 2, 11, 1, 1, 0, 0),
        (1, 2, 51, 0, 1, 1, 0),
        (1, 2, 101, 0, 0, 0, 2),
        (0, 0, 0, 0, 0, 0, 0),
    ]
    assert listed(tables["size_buckets"], *tables["size_buckets"].columns[1:]) == [
        ("S", 1, 1, 2, None),
        ("MS", 2, 2, 3, None),
        ("ML", 1, 1, 2, None),
        ("L", 2, 2, 2, None),
    ]
    assert listed(tables["classes_per_mask"], "classes", "masks") == [(0, 1), (1, 1), (2, 1), (3, 1)]
    names = ("goldfish", "tiger shark", "goldfinch")
    assert listed(tables["co_occurrence"], "name", "other_name", "masks") == [
        (names[0], names[1], 2),
        (names[0], names[2], 1),
        (names[1], names[2], 1),
    ]


def test_other_is_no_class_of_a_bucket_whose_masks_have_none_of_it():
    alone, beside = made([[3, 3]]), made([[3, 3]], [[0] * 9 + [2]])
    for masks, classes in ((alone, [0, 0, 0, 1]), (beside, [0, 2, 0, 1])):
        assert statistics(masks)["size_buckets"]["classes_and_other"].to_list() == classes


def test_an_unreadable_mask_is_a_mask_without_pixels():
    masks = pa.concat_tables([made([[1]]), table_of([record_of("x.png", b"", 50)], RECORDS)])
    tables = statistics(masks)
    assert listed(tables["splits"], "masks", "class_pixels", "unknown_pixels") == [(2, 1, 0)]
    assert listed(tables["classes_per_mask"], "classes", "masks") == [(0, 1), (1, 1)]


def test_sizes_leaks_and_merged_classes_are_counted_by_the_samples():
    merged = {"class_id": 1, "wnid": "n04355933", "imagenet_wnid": "n04356056"}
    moved = merged | {"wnid": "n04355338"}  # another class than the one that it is merged into
    rows = [
        merged | {"width": 5, "height": 4, "also_in": ["50/test"]},
        moved | {"width": 5, "height": 4, "also_in": ["300/test", "50/test"]},
        moved | {"width": 4, "height": 9},
        moved,
    ]
    tables = statistics(None, *rows, subset=919, suspects=2)
    assert listed(tables["image_sizes"], "width", "height", "images") == [
        *((4, 9, 1), (5, 4, 2), (None, None, 1))
    ]
    assert listed(tables["leaks"], "also_in", "images") == [("300/test", 1), ("50/test", 2)]
    assert listed(tables["merged_classes"], "imagenet_wnid", "wnid", "images") == [
        ("n04356056", "n04355933", 1)
    ]
    assert listed(tables["splits"], *tables["splits"].columns) == [
        ("validation", 4, 2, 2, 1, None, None, None, None, None)
    ]


def test_a_split_without_masks_has_no_numbers_of_them():
    tables = statistics(None, {"class_id": 2, "wnid": "n", "imagenet_wnid": "n"})
    assert listed(tables["classes"][:2], "images", "masks", "pixels", *BUCKETS) == [
        (images, None, None, None, None, None, None) for images in (0, 1)
    ]
    for kind in ("size_buckets", "classes_per_mask", "co_occurrence"):
        assert tables[kind].empty


@pytest.mark.parametrize(("published", "expected"), [(False, [None] * 4), (True, [30, 49, 48, 42])])
def test_the_published_classes_stand_beside_those_of_the_official_masks(published, expected):
    tables = statistics(made([[1]]), published=published)
    assert listed(tables["size_buckets"], "published_classes_and_other") == [(n,) for n in expected]
