"""Samples: records of images and masks, joined by the official lists. The records are made up."""

import hashlib
import logging
import zlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagenet_s.annotations import unpack as masks
from imagenet_s.annotations.unpack import mask_paths
from imagenet_s.dataset.samples import SAMPLES, hex_of, join_samples
from imagenet_s.images import read as images
from imagenet_s.io.atomic import write_json
from imagenet_s.runtime.errors import UserError
from imagenet_s.spec.classes import train_classes
from imagenet_s.spec.splits import listed

FISH = "n01443537"  # class 1 of 50
MOVED = "ILSVRC2012_val_00026064"  # of ImageNet class n01440764; in validation of 50 under FISH
LEAKING = "ILSVRC2012_val_00015323"  # in test of 50, and in validation of 300 and 919
SEMI = listed(50, "train-semi")[0].image
MASK_COLUMNS = ("mask", "mask_bytes", "mask_sha256", "mask_pixels_sha256", "mask_ids")


def sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def size_of(image: str) -> dict:
    return {"width": 40 + zlib.crc32(image.encode()) % 50, "height": 30 + len(image)}


def image_record(image: str, wnid: str) -> dict:
    number = zlib.crc32(image.encode())
    return {"image": image, "imagenet_wnid": wnid, "bytes": number, "sha256": sha256(image), **size_of(image)}


def image_records(subset: int) -> dict[str, dict]:
    """Return records of all listed images of a subset, and of one more train image per class."""
    rows = [row for split in ("train-semi", "validation", "test") for row in listed(subset, split)]
    names = {row.image: row.imagenet_wnid for row in rows}
    names |= {f"{wnid}_0": wnid for wnid in train_classes(subset)}
    return {image: image_record(image, wnid) for image, wnid in sorted(names.items())}


def mask_records(subset: int) -> dict[str, dict]:
    """Return records of all listed masks of a subset, each as large as its image."""
    return {
        mask: {
            "mask": mask,
            "bytes": len(mask),
            "sha256": sha256(mask),
            "pixels_sha256": sha256(f"pixels of {mask}"),
            "ids": "0 7 1000",
            **size_of(mask.rpartition("/")[2].removesuffix(".png")),
            "problems": "",
        }
        for mask in mask_paths(subset)
    }


@pytest.fixture
def found() -> dict[str, dict]:
    return image_records(50)


@pytest.fixture
def drawn() -> dict[str, dict]:
    return mask_records(50)


@pytest.fixture
def join(tmp_path):
    """Return a function that joins records, those of images in two parts; it returns `path → row`."""

    def join(found: dict, drawn: dict, subset=50, complete=False, official=False) -> dict[str, dict]:
        rows = list(found.values())
        parts = [tmp_path / "part-0.parquet", tmp_path / "part-1.parquet"]
        for half, path in zip((rows[::2], rows[1::2]), parts, strict=True):
            pq.write_table(pa.Table.from_pylist(half, images.RECORDS), path)
        records, receipt = tmp_path / "masks.parquet", tmp_path / "annotations.json"
        pq.write_table(pa.Table.from_pylist(list(drawn.values()), masks.RECORDS), records)
        write_json(receipt, {"official": official})
        join_samples(subset, complete, parts, records, receipt, tmp_path / "samples.parquet")
        return {row["image"]: row for row in pq.read_table(tmp_path / "samples.parquet").to_pylist()}

    return join


def test_samples_are_those_of_the_lists_split_by_split_sorted_by_image(join, found, drawn, tmp_path):
    paths = list(join(found, drawn))
    assert pq.read_schema(tmp_path / "samples.parquet").equals(SAMPLES)
    train = [f"train/{name.partition('_')[0]}/{name}.JPEG" for name in found if name[0] == "n"]
    assert len(train) == 550
    expected = sorted(train)
    for split in ("train-semi", "validation", "test"):
        expected += sorted(f"{split}/{row.wnid}/{row.image}.JPEG" for row in listed(50, split))
    assert paths == expected


def test_a_train_image_has_no_mask(join, found, drawn):
    image = f"{FISH}_0"
    assert join(found, drawn)[f"train/{FISH}/{image}.JPEG"] == {
        "split": "train",
        "image": f"train/{FISH}/{image}.JPEG",
        "wnid": FISH,
        "class_id": 1,
        "imagenet_wnid": FISH,
        "bytes": zlib.crc32(image.encode()),
        "sha256": sha256(image),
        **size_of(image),
        **dict.fromkeys(MASK_COLUMNS),
        "also_in": None,
        "mask_problems": "",
        "suspect": None,
        "mode": None,
        "quantization": None,
    }


def test_a_val_image_goes_where_the_list_says_and_keeps_its_imagenet_class(join, found, drawn):
    mask = f"validation-segmentation/{FISH}/{MOVED}.png"
    found[MOVED] |= {"suspect": "ends in zeros", "mode": "CMYK", "quantization": 4_294_967_295}
    assert join(found, drawn)[f"validation/{FISH}/{MOVED}.JPEG"] == {
        "split": "validation",
        "image": f"validation/{FISH}/{MOVED}.JPEG",
        "wnid": FISH,
        "class_id": 1,
        "imagenet_wnid": "n01440764",
        "bytes": zlib.crc32(MOVED.encode()),
        "sha256": sha256(MOVED),
        **size_of(MOVED),
        "mask": mask,
        "mask_bytes": len(mask),
        "mask_sha256": sha256(mask),
        "mask_pixels_sha256": sha256(f"pixels of {mask}"),
        "mask_ids": "0 7 1000",
        "also_in": None,
        "mask_problems": "",
        "suspect": "ends in zeros",
        "mode": "CMYK",
        "quantization": 4_294_967_295,
    }


def test_a_train_semi_image_is_a_train_image_with_a_mask(join, found, drawn):
    samples = join(found, drawn)
    wnid = SEMI.partition("_")[0]
    train, semi = samples[f"train/{wnid}/{SEMI}.JPEG"], samples[f"train-semi/{wnid}/{SEMI}.JPEG"]
    assert semi["mask"] == f"train-semi-segmentation/{wnid}/{SEMI}.png"
    same = set(SAMPLES.names) - {"split", "image", *MASK_COLUMNS}
    assert {name: semi[name] for name in same} == {name: train[name] for name in same}


def test_masks_are_of_train_semi_and_validation_only(join, found, drawn):
    splits = {"train": set(), "train-semi": set(), "validation": set(), "test": set()}
    for row in join(found, drawn).values():
        splits[row["split"]] |= {row[name] is None for name in MASK_COLUMNS}
    assert splits == {"train": {True}, "train-semi": {False}, "validation": {False}, "test": {True}}


def test_also_in_names_the_other_splits_that_hold_an_image(join, found, drawn):
    leaks = {row["image"]: row["also_in"] for row in join(found, drawn).values() if row["also_in"]}
    assert {path.split("/")[0] for path in leaks} == {"test"}
    assert len(leaks) == 4
    (path,) = (path for path in leaks if LEAKING in path)
    assert leaks.pop(path) == "300/validation 919/validation"
    assert set(leaks.values()) == {"919/validation"}


def test_919_merges_classes_and_has_its_own_ids(join):
    samples = join(image_records(919), mask_records(919), subset=919)
    merged = samples["train/n02808440/n04493381_0.JPEG"]
    assert (merged["wnid"], merged["class_id"], merged["imagenet_wnid"]) == ("n02808440", 430, "n04493381")
    assert samples["train/n01491361/n01491361_0.JPEG"]["class_id"] == 4  # in 50 it is 2
    assert not any("/n04493381/" in path for path in samples)
    counts = {split: sum(path.startswith(f"{split}/") for path in samples) for split in ("train", "test")}
    assert counts == {"train": 9190 + 924, "test": 27423}
    # 4 test images of 50 and 19 of 300 are in validation of 919; three of them are the same.
    leaks = [row["also_in"] for row in samples.values() if row["also_in"]]
    assert sorted(leaks) == ["300/test"] * 16 + ["300/test 50/test"] * 3 + ["50/test"]


def test_images_that_the_subset_does_not_use_are_ignored(join, found, drawn):
    expected = join(found, drawn)
    found |= {"n01440764_5": image_record("n01440764_5", "n01440764")}
    found |= {row.image: image_record(row.image, row.imagenet_wnid) for row in listed(300, "test")}
    assert join(found, drawn) == expected


def test_all_masks_of_the_wrong_size_are_named(join, found, drawn, tmp_path, caplog):
    wrong = [f"train-semi-segmentation/{FISH}/{SEMI}.png", f"validation-segmentation/{FISH}/{MOVED}.png"]
    drawn[wrong[0]]["width"] = 1
    drawn[wrong[1]]["height"] = 2
    with caplog.at_level(logging.WARNING, "imagenet_s"), pytest.raises(UserError) as error:
        join(found, drawn)
    assert caplog.records == []  # the error has the names
    semi, moved = size_of(SEMI), size_of(MOVED)
    lines = (
        f"{wrong[0]} is 1 × {semi['height']}, its image {semi['width']} × {semi['height']}",
        f"{wrong[1]} is {moved['width']} × 2, its image {moved['width']} × {moved['height']}",
    )
    assert error.value.details == lines
    assert str(error.value).startswith(
        f"2 masks of ImageNetS50 are not as large as their image: {', '.join(lines)}.\n"
    )
    assert not (tmp_path / "samples.parquet").exists()


def test_a_wrong_size_in_the_official_archive_is_logged_and_recorded(join, found, drawn, caplog):
    mask = f"validation-segmentation/{FISH}/{MOVED}.png"
    drawn[mask]["width"] = 1
    with caplog.at_level(logging.WARNING, "imagenet_s"):
        samples = join(found, drawn, official=True)
    begin = f"1 masks of ImageNetS50 are not as large as their image: {mask} is 1 × "
    assert [record.getMessage()[: len(begin)] for record in caplog.records] == [begin]
    row = samples[f"validation/{FISH}/{MOVED}.JPEG"]
    assert (row["mask"], row["mask_problems"]) == (mask, "is not as large as its image")
    assert sum(row["mask_problems"] != "" for row in samples.values()) == 1


def test_problems_of_an_official_mask_are_recorded(join, found, drawn):
    faulty, absent = sorted(mask for mask in drawn if mask.startswith(f"validation-segmentation/{FISH}/"))[:2]
    drawn[faulty] |= {"pixels_sha256": None, "width": None, "height": None}
    drawn[faulty]["problems"] = "is not a readable PNG"
    del drawn[absent]
    samples = {row["mask"] or path: row for path, row in join(found, drawn, official=True).items()}
    assert samples[faulty]["mask_problems"] == "is not a readable PNG"
    row = samples[absent.replace("-segmentation", "").replace(".png", ".JPEG")]
    assert row["mask_problems"] == "is missing"
    assert [row[name] for name in MASK_COLUMNS] == [None] * 5


def test_an_image_without_a_known_size_is_kept_with_its_mask(join, found, drawn):
    found[MOVED] |= {"width": None, "height": None}
    row = join(found, drawn)[f"validation/{FISH}/{MOVED}.JPEG"]
    assert (row["width"], row["height"], row["mask_problems"]) == (None, None, "")
    assert row["mask"] == f"validation-segmentation/{FISH}/{MOVED}.png"


def test_a_listed_image_that_was_not_read_is_an_error(join, found, drawn):
    del found[LEAKING]
    with pytest.raises(
        UserError, match=r"ImageNetS50/test: 1 of 1,682 listed images missing; .*\b" + LEAKING
    ):
        join(found, drawn)


def test_a_complete_train_set_has_exactly_the_official_number(join, found, drawn, tmp_path):
    with pytest.raises(UserError, match="ImageNetS50/train: 550 images, officially 64,431") as error:
        join(found, drawn, complete=True)
    assert "train_images: any" in str(error.value)
    assert not (tmp_path / "samples.parquet").exists()
    names = [f"{FISH}_x{k}" for k in range(64_431 - 550)]
    found |= {name: image_record(name, FISH) for name in names}
    assert len(join(found, drawn, complete=True)) == 64_431 + 500 + 752 + 1682
    found |= {f"{FISH}_y": image_record(f"{FISH}_y", FISH)}
    with pytest.raises(UserError, match="ImageNetS50/train: 64,432 images, officially 64,431"):
        join(found, drawn, complete=True)


# Digests as text


@given(
    chunks=st.lists(st.lists(st.none() | st.binary(min_size=4, max_size=4), max_size=20), max_size=4),
    start=st.integers(0, 30),
    length=st.integers(0, 40),
)
@settings(database=None, deadline=None)
def test_hex_of_says_what_bytes_hex_says(chunks, start, length):
    column = pa.chunked_array([pa.array(chunk, pa.binary(4)) for chunk in chunks], pa.binary(4))
    column = column.slice(start, length)
    expected = [None if value is None else value.hex() for value in column.to_pylist()]
    result = hex_of(column)
    result.validate(full=True)
    assert result.type == pa.string()
    assert result.to_pylist() == expected


def test_hex_of_a_long_slice_of_one_chunk_with_nulls():
    values = [None if k % 3 == 0 else sha256(str(k)) for k in range(1000)]
    column = pa.chunked_array([pa.array(values, pa.binary(32)).slice(13, 500)])
    assert hex_of(column).to_pylist() == [value and value.hex() for value in values[13:513]]
