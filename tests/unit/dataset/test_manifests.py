"""Manifests: tables of samples, and lists for `sha256sum -c`."""

import csv
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from helpers.trees import linked_copy
from imagenet_s.dataset.manifests import write_manifests
from imagenet_s.dataset.samples import SAMPLES
from imagenet_s.io.atomic import sha256_of
from imagenet_s.spec.subsets import MASKED, SPLITS, sample_manifests

HEADER = (
    "image,wnid,class_id,imagenet_wnid,bytes,sha256,width,height,"
    "mask,mask_bytes,mask_sha256,mask_pixels_sha256,mask_ids,also_in"
)
SPLIT_SIZES = {"train": 650, "train-semi": 500, "validation": 752, "test": 1682}
MOVED = "n01443537/ILSVRC2012_val_00026064"  # of ImageNet class n01440764, in validation of 50

needs_sha256sum = pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum here")


def rows_of(manifest: Path) -> list[dict]:
    with manifest.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def pixels_sha256(mask: Path) -> str:
    """The digest of a mask's ids as the documentation defines it."""
    with Image.open(mask) as image:
        rgb = np.asarray(image).astype(int)
    return hashlib.sha256((rgb[..., 0] + 256 * rgb[..., 1]).astype("<u2").tobytes()).hexdigest()


@pytest.mark.parametrize("split", SPLITS)
def test_a_manifest_is_plain_csv_sorted_by_image(tree, split):
    data = (tree / "manifests" / f"{split}.csv").read_bytes()
    lines = data.decode("utf-8").split("\n")
    assert lines.pop() == ""  # the last line ends with LF, too
    assert lines[0] == HEADER
    assert len(lines) == 1 + SPLIT_SIZES[split]
    assert b"\r" not in data
    assert b'"' not in data
    assert {line.count(",") for line in lines} == {13}
    names = [line.partition(",")[0] for line in lines[1:]]
    assert names == sorted(names)


@pytest.mark.parametrize("split", SPLITS)
def test_a_manifest_names_exactly_the_splits_images_and_what_they_are(tree, split):
    rows = rows_of(tree / "manifests" / f"{split}.csv")
    assert {row["image"] for row in rows} == {
        str(path.relative_to(tree)) for path in (tree / split).rglob("*.JPEG")
    }
    for row in rows:
        with Image.open(tree / row["image"]) as image:
            assert (row["width"], row["height"]) == tuple(map(str, image.size))
        assert int(row["bytes"]) == (tree / row["image"]).stat().st_size
        assert row["sha256"] == sha256_of(tree / row["image"])
        assert row["wnid"] == row["image"].split("/")[1]


def test_a_row_computed_by_hand(tree):
    image, mask = f"validation/{MOVED}.JPEG", f"validation-segmentation/{MOVED}.png"
    with Image.open(tree / image) as opened:
        width, height = opened.size
    with Image.open(tree / mask) as opened:
        red, green, _ = np.moveaxis(np.asarray(opened).astype(int), -1, 0)
    ids = sorted(set((red + 256 * green).flatten().tolist()))
    assert {0, 1, 1000} <= set(ids)
    cells = [
        *(image, "n01443537", "1", "n01440764"),
        *(str((tree / image).stat().st_size), sha256_of(tree / image), str(width), str(height)),
        *(mask, str((tree / mask).stat().st_size), sha256_of(tree / mask), pixels_sha256(tree / mask)),
        *(" ".join(map(str, ids)), ""),
    ]
    lines = (tree / "manifests" / "validation.csv").read_text().splitlines()
    assert [line for line in lines if line.startswith(image)] == [",".join(cells)]


def test_every_masks_pixels_have_the_digest_that_is_stated(tree):
    for split in MASKED:
        rows = rows_of(tree / "manifests" / f"{split}.csv")
        stated = {row["mask"]: row["mask_pixels_sha256"] for row in rows}
        assert stated == {mask: pixels_sha256(tree / mask) for mask in stated}
        assert len(stated) == SPLIT_SIZES[split]


def test_cells_that_do_not_apply_are_empty(tree):
    for split in ("train", "test"):
        for row in rows_of(tree / "manifests" / f"{split}.csv"):
            assert [row[name] for name in row if name.startswith("mask")] == [""] * 5
    leaks = [row["also_in"] for row in rows_of(tree / "manifests" / "test.csv")]
    assert sorted(leaks) == [""] * 1678 + ["300/validation 919/validation"] + ["919/validation"] * 3


def test_an_image_of_unknown_size_and_a_mask_that_is_missing_have_empty_cells(tmp_path):
    row = dict.fromkeys(SAMPLES.names) | {
        "split": "validation",
        "image": "validation/n01443537/a.JPEG",
        "wnid": "n01443537",
        "class_id": 1,
        "imagenet_wnid": "n01440764",
        "bytes": 3,
        "sha256": b"\xab" * 32,
        "mask_problems": "is missing",
    }
    pq.write_table(pa.Table.from_pylist([row], SAMPLES), tmp_path / "samples.parquet")
    write_manifests(tmp_path / "samples.parquet", tmp_path / "manifests")
    text = (tmp_path / "manifests" / "validation.csv").read_text()
    assert text == f"{HEADER}\nvalidation/n01443537/a.JPEG,n01443537,1,n01440764,3,{'ab' * 32},,,,,,,,\n"
    assert (tmp_path / "manifests" / "validation-segmentation.sha256").read_text() == ""
    assert (tmp_path / "manifests" / "test.csv").read_text() == f"{HEADER}\n"


def test_manifests_written_twice_are_identical(output50, tree, tmp_path):
    write_manifests(output50 / "work" / "samples" / "50.parquet", tmp_path / "again")
    assert sorted(os.listdir(tmp_path / "again")) == sorted(sample_manifests())
    for name in sample_manifests():
        assert (tmp_path / "again" / name).read_bytes() == (tree / "manifests" / name).read_bytes()


# Lists for sha256sum


@needs_sha256sum
def test_sha256sum_confirms_every_file(tree):
    lists = sorted(path.relative_to(tree) for path in (tree / "manifests").glob("*.sha256"))
    names = [*SPLITS, *(f"{split}-segmentation{ending}" for split in MASKED for ending in ("", "-id16"))]
    assert sorted(path.stem for path in lists) == sorted(names)
    done = subprocess.run(
        ["sha256sum", "-c", "--quiet", *lists], cwd=tree, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_sha256sum
@pytest.mark.parametrize("path", [f"validation/{MOVED}.JPEG", f"validation-segmentation/{MOVED}.png"])
def test_sha256sum_names_a_file_with_one_wrong_bit(tree, tmp_path, path):
    copied = linked_copy(tree, tmp_path / "tree")
    data = bytearray((copied / path).read_bytes())
    data[len(data) // 2] ^= 1
    (copied / path).unlink()
    (copied / path).write_bytes(data)
    listing = f"manifests/{path.split('/')[0]}.sha256"
    done = subprocess.run(
        ["sha256sum", "-c", "--quiet", listing], cwd=copied, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout.splitlines() == [f"{path}: FAILED"]


def test_the_lists_name_every_image_and_mask(tree):
    for folder in (*SPLITS, *(f"{split}-segmentation" for split in MASKED)):
        lines = (tree / "manifests" / f"{folder}.sha256").read_text().splitlines()
        files = sorted((tree / folder).glob("*/*"), key=str)
        assert lines == [f"{sha256_of(path)}  {path.relative_to(tree)}" for path in files]
