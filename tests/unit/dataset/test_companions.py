"""The files beside the tree that follow from the records of a build, value by value against the manifests."""

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imagenet_s.annotations.unpack import record_of, write_records
from imagenet_s.dataset.class_table import class_table
from imagenet_s.masks.codec import rgb_png
from imagenet_s.spec.classes import class_ids, class_names, merges
from imagenet_s.spec.companions import METADATA
from imagenet_s.spec.subsets import MASKED, SPLITS, mask_folder
from imagenet_s.workspace.paths import Workspace


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def ids_in(mask: Path) -> np.ndarray:
    with Image.open(mask) as image:
        rgb = np.asarray(image).astype(np.uint16)
    return rgb[..., 0] + 256 * rgb[..., 1]


def test_classes_are_named_and_counted_as_found(tree):
    rows = rows_of(tree / "classes.csv")
    assert (tree / "classes.csv").read_text().splitlines()[0] == (
        "class_id,wnid,name,train,train_semi,validation,test,train_semi_masks,validation_masks,"
        "train_semi_pixels,validation_pixels,merged_wnids"
    )
    assert [(row["wnid"], int(row["class_id"])) for row in rows] == list(class_ids(50).items())
    assert [row["name"] for row in rows] == [class_names()[row["wnid"]] for row in rows]
    for split in SPLITS:
        files = Counter(path.parent.name for path in (tree / split).glob("*/*.JPEG"))
        assert {row["wnid"]: int(row[split.replace("-", "_")]) for row in rows} == files
    for split in MASKED:
        masks, pixels = Counter(), Counter()
        for mask in (tree / mask_folder(split)).glob("*/*.png"):
            ids, counts = np.unique(ids_in(mask), return_counts=True)
            masks.update(ids.tolist())
            pixels.update(dict(zip(ids.tolist(), counts.tolist(), strict=True)))
        column = split.replace("-", "_")
        assert [int(row[f"{column}_masks"]) for row in rows] == [masks[k] for k in range(1, 51)]
        assert [int(row[f"{column}_pixels"]) for row in rows] == [pixels[k] for k in range(1, 51)]
    assert {row["merged_wnids"] for row in rows} == {""}


def test_ids_that_no_subset_has_do_not_count(output50, tmp_path):
    """An official archive may hold such a mask; it is recorded as it is."""
    mask = f"{mask_folder('validation')}/n01443537/x.png"
    png = rgb_png(np.array([[1, 1, 4000, 1000]], np.uint16))
    write_records([record_of(mask, png, 50)], tmp_path / "records.parquet")
    rows = class_table(50, Workspace(output50).samples(50), tmp_path / "records.parquet").to_pylist()
    assert (rows[0]["validation_masks"], rows[0]["validation_pixels"]) == (1, 2)
    assert {row["validation_masks"] for row in rows[1:]} == {0}


def test_merged_classes_are_named_in_919(output50):
    workspace = Workspace(output50)
    rows = class_table(919, workspace.samples(50), workspace.mask_records(50)).to_pylist()
    assert len(rows) == 919
    merged = {row["wnid"]: row["merged_wnids"].split() for row in rows if row["merged_wnids"]}
    assert {source: wnid for wnid, sources in merged.items() for source in sources} == merges()
    quoted = [row["name"] for row in rows if "," in row["name"]]
    assert quoted == sorted({class_names()[wnid] for wnid in class_ids(919)} & set(quoted), key=quoted.index)


@pytest.mark.parametrize("split", SPLITS)
def test_lists_have_a_line_for_each_row_of_the_manifest(tree, split):
    rows = rows_of(tree / "manifests" / f"{split}.csv")
    lines = (tree / f"{split}.txt").read_text().splitlines()
    assert lines == [f"{row['image']} {row['mask'] or '-'} {row['class_id']}" for row in rows]


@pytest.mark.parametrize("split", MASKED)
def test_metadata_has_a_row_for_each_mask_with_labels_from_0(tree, split):
    rows = [row for row in rows_of(tree / "manifests" / f"{split}.csv") if row["mask"]]
    path = tree / METADATA[split]
    if path.suffix == ".csv":
        found = rows_of(path)
    else:
        found = [json.loads(line) for line in path.read_text().splitlines()]
        found = [{name: str(value) for name, value in row.items()} for row in found]
    assert found == [
        {
            "image_file_name": row["image"],
            "mask_file_name": row["mask"],
            "label": str(int(row["class_id"]) - 1),
            "wnid": row["wnid"],
        }
        for row in rows
    ]
