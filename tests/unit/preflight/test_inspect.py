"""`imagenet-s inspect`: what a copy holds, in every layout."""

import hashlib
import os
from pathlib import Path

import pytest

from helpers.raw_imagenet import (
    class_tars,
    hub_of_parquet,
    hugging_face_parquet,
    hugging_face_tars,
    hugging_face_unpacked,
    kaggle_zip,
    kaggle_zip_itself,
    official,
    official_gzip,
    official_in_pieces,
    official_zstandard,
    tfds,
    tfds_at_the_top,
    train_folder_and_val_tar,
    webdataset,
    zips,
)
from helpers.trees import linked_copy
from imagenet_s.cli.main import main
from imagenet_s.preflight import inspect as inspection
from imagenet_s.runtime.units import size_text

FISH = "n01443537"
TRAIN = "650 images in 50 classes (ImageNet-1k: 1,281,167 in 1,000)"
VAL = "2,434 images (ImageNet-1k: 50,000)"
SHORT = "ImageNetS50  can be built, but only with `train_images: any`:"


@pytest.fixture
def inspected(capsys):
    def run(root: Path, *options: str) -> tuple[int, list[str], str]:
        code = main(["inspect", str(root), *options])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return code, printed.out.splitlines(), printed.err

    return run


@pytest.mark.parametrize(
    ("layout", "name", "places"),
    [
        (linked_copy, "plain folders", ("train", "val")),
        (class_tars, "plain folders", ("train", "val")),
        (hugging_face_unpacked, "plain folders", ("train", "val")),
        (official, "official archives", ("ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar")),
        (
            official_in_pieces,
            "official archives in pieces",
            ("ILSVRC2012_img_train.tar.001", "ILSVRC2012_img_val.tar.001"),
        ),
        (kaggle_zip, "Kaggle's zip", ("imagenet-object-localization-challenge.zip",) * 2),
        (kaggle_zip_itself, "Kaggle's zip", ("all of it.ZIP",) * 2),
        (zips, "zips", ("train.zip", "val.zip")),
        (train_folder_and_val_tar, "plain folders + official archives", ("train", "ILSVRC2012_img_val.tar")),
        (
            hugging_face_parquet,
            "Hugging Face parquet",
            (
                "data/train-00000-of-00003.parquet, data/train-00001-of-00003.parquet, "
                "data/train-00002-of-00003.parquet",
                "data/validation-00000-of-00001.parquet",
            ),
        ),
        (
            webdataset,
            "WebDataset",
            (
                "imagenet1k-train-0000.tar, …, imagenet1k-train-0003.tar",
                "imagenet1k-validation-00.tar, imagenet1k-validation-01.tar",
            ),
        ),
    ],
)
def test_layout_counts_and_buildable_subsets_are_reported(
    layout, name, places, imagenet50, tmp_path, inspected
):
    train, val = places
    root = layout(imagenet50, tmp_path / "source")
    code, lines, _ = inspected(root)
    assert code == 0
    assert lines[:4] == [f"{root}: {name}", f"train    {train}: {TRAIN}", f"val      {val}: {VAL}", SHORT]
    assert lines[4].startswith("  - ImageNetS50/train: 650 images, officially 64,431; 50 classes outside")
    assert lines[5] == "ImageNetS300 cannot be built:"
    assert lines[6].startswith(
        "  - ImageNetS300/train-semi: 2,500 of 3,000 listed images missing; by class: "
    )


def test_a_cache_of_hugging_face_is_reported_as_the_revision_that_is_read(imagenet50, tmp_path, inspected):
    hub = hub_of_parquet(imagenet50, tmp_path / "source")
    revision = hub / "datasets--ILSVRC--imagenet-1k" / "snapshots" / "c0ffee"
    code, lines, error = inspected(hub)
    assert code == 0
    assert lines[0] == f"{revision}: Hugging Face parquet"
    assert lines[2] == f"val      data/validation-00000-of-00001.parquet: {VAL}"
    said = (
        f"Reading revision c0ffee, which `refs/main` names, from the Hugging Face hub's cache: {revision}\n"
    )
    assert said in error


@pytest.mark.parametrize(
    ("layout", "train"),
    [
        (hugging_face_tars, "train_images_0.tar.gz, …, train_images_4.tar.gz"),
        (official_gzip, "ILSVRC2012_img_train.tar.gz"),
        (
            tfds_at_the_top,
            ", ".join(f"imagenet2012-train.tfrecord-{k:05}-of-00003" for k in range(3)),
        ),
    ],
)
def test_the_content_of_files_that_must_be_read_is_reported_as_unknown(
    layout, train, imagenet50, tmp_path, inspected
):
    root = layout(imagenet50, tmp_path / "source")
    code, lines, _ = inspected(root)
    assert code == 0
    size = size_text(sum(path.stat().st_size for path in root.glob("*train*")))
    assert lines[1] == (
        f"train    {train}: {size}; what it holds is not known until it is read from front to back"
    )
    assert lines[3:] == [f"{name:<12} not known until it is read" for name in NAMES]


NAMES = ("ImageNetS50", "ImageNetS300", "ImageNetS919")


def test_classes_and_images_that_no_subset_uses_are_counted_too(imagenet50, tmp_path, inspected):
    root = linked_copy(imagenet50, tmp_path / "source")
    for name in ("train/n01530575/n01530575_1.JPEG", "val/ILSVRC2012_val_00000001.JPEG"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).touch()
    _, lines, _ = inspected(root)
    assert lines[1].startswith("train    train: 651 images in 51 classes ")
    assert lines[2].startswith("val      val: 2,435 images ")


def test_without_the_listed_images_nothing_can_be_built(imagenet50, tmp_path, inspected):
    root = linked_copy(imagenet50, tmp_path / "source")
    (root / "val" / "ILSVRC2012_val_00004677.JPEG").unlink()
    code, lines, error = inspected(root)
    assert code == 1
    assert "ImageNetS50  cannot be built:" in lines
    assert "No subset can be built: listed images are missing. Complete the copy.\n" in error


def test_a_folder_of_no_known_layout_is_reported_with_the_known_layouts(tmp_path, inspected):
    (tmp_path / "readme.txt").touch()
    code, lines, error = inspected(tmp_path)
    assert (code, lines) == (1, [])
    assert f"found no train and val images of ImageNet-1k below {tmp_path}.\nIt holds: readme.txt\n" in error
    assert "data/train-*.parquet and data/validation-*.parquet (Hugging Face parquet)" in error
    assert inspected(tmp_path / "nowhere")[0] == 1


@pytest.mark.parametrize("layout", [official, official_in_pieces])
def test_official_archives_are_compared_with_the_official_size_and_md5(
    layout, imagenet50, tmp_path, inspected, monkeypatch
):
    root = layout(imagenet50, tmp_path / "source")
    train, val = (
        b"".join(path.read_bytes() for path in sorted(root.glob(f"*_{kind}.*"))) for kind in ("train", "val")
    )
    ending = ".001" if layout is official_in_pieces else ""
    names = [f"ILSVRC2012_img_{kind}.tar{ending}" for kind in ("train", "val")]
    code, lines, error = inspected(root, "--md5")
    digest = hashlib.md5(train).hexdigest()
    assert code == 1
    assert f"size     {names[0]}: {len(train):,} bytes, the official one has 147,897,477,120" in lines
    assert f"size     {names[1]}: {len(val):,} bytes, the official one has 6,744,924,160" in lines
    official_md5 = "1d675b47d978889d74fa0da5fadfb00e"
    assert f"md5      {names[0]}: {digest}, the official one is {official_md5}" in lines
    assert f"Not the official bytes: {names[0]}, {names[1]}. Get them again.\n" in error

    own = {
        "ilsvrc2012_img_train.tar": (len(train), digest),
        "ilsvrc2012_img_val.tar": (len(val), hashlib.md5(val).hexdigest()),
    }
    monkeypatch.setattr(inspection, "ARCHIVES", own)
    code, lines, _ = inspected(root, "--md5")
    assert code == 0
    assert f"size     {names[0]}: {len(train):,} bytes, as the official one" in lines
    assert f"md5      {names[1]}: {own['ilsvrc2012_img_val.tar'][1]}, as the official one" in lines
    assert not any(line.startswith("md5") for line in inspected(root)[1])


def test_the_md5_of_an_archive_that_cannot_be_scanned_is_reported(imagenet50, tmp_path, inspected):
    root = official(imagenet50, tmp_path / "source")
    val = root / "ILSVRC2012_img_val.tar"
    os.truncate(val, 100_000)
    code, lines, error = inspected(root, "--md5")
    assert code == 1
    md5 = f"{hashlib.md5(val.read_bytes()).hexdigest()}, the official one is 29b22e2961454d5413ddabcf34fc5622"
    assert f"md5      {val.name}: {md5}" in lines
    assert f"{val} ends early" in error


# Decoding every image


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def zeros(data: bytes) -> bytes:
    return half(data) + bytes(len(data) - len(data) // 2)


def wrong_pixels(data: bytes) -> bytes:
    """Return a JPEG with an end mark, whose first scan names an impossible number of components."""
    at = data.index(b"\xff\xda")
    return data[: at + 4] + b"\7" + data[at + 5 :]


IMAGES = {
    f"train/{FISH}/{FISH}_1.JPEG": (half, "has no end marker, cannot be decoded (image file is truncated"),
    f"train/{FISH}/{FISH}_2.JPEG": (wrong_pixels, "cannot be decoded ("),
    "val/ILSVRC2012_val_00004677.JPEG": (zeros, "ends in zeros"),
    "val/ILSVRC2012_val_00002848.JPEG": (
        lambda data: b"<html>",
        "is an HTML page, cannot be decoded (unknown file format)",
    ),
}


@pytest.mark.parametrize(
    "layout",
    [
        linked_copy,
        class_tars,
        official,
        official_in_pieces,
        hugging_face_tars,
        official_zstandard,
        hugging_face_parquet,
        webdataset,
        tfds,
    ],
)
def test_every_image_is_decoded_in_every_layout(layout, imagenet50, tmp_path, inspected):
    plain = linked_copy(imagenet50, tmp_path / "plain")
    for path, (change, _) in IMAGES.items():
        data = (plain / path).read_bytes()
        (plain / path).unlink()
        (plain / path).write_bytes(change(data))
    root = layout(plain, tmp_path / "source")
    code, lines, error = inspected(root, "--images", "--workers", "2")
    start = next(k for k, line in enumerate(lines) if line.startswith("images"))
    assert lines[start] == f"images   {650 + 2434:,} decoded"
    faults = lines[start + 1 :]
    assert len(faults) == len(IMAGES)
    for path, (_, says) in IMAGES.items():
        (line,) = [line for line in faults if Path(path).stem in line]
        assert line.startswith(f"{root}/")
        assert says in line
    assert code == 1
    assert error.endswith("4 images or archives are faulty, see above. Get them again.\n")


def test_sound_images_are_decoded_and_not_mentioned(imagenet50, inspected):
    code, lines, _ = inspected(imagenet50, "--images", "--workers", "2")
    assert code == 0
    assert lines[-1] == f"images   {650 + 2434:,} decoded"


def test_no_image_is_decoded_without_the_option(imagenet50, inspected, monkeypatch):
    monkeypatch.setattr(
        "imagenet_s.preflight.decoding.decode", lambda *_: pytest.fail("an image was decoded")
    )
    code, lines, _ = inspected(imagenet50)
    assert code == 0
    assert not any(line.startswith("images") for line in lines)


def test_a_damaged_archive_is_reported_and_the_others_are_decoded(imagenet50, tmp_path, inspected):
    root = hugging_face_tars(imagenet50, tmp_path / "source")
    archive = root / "train_images_2.tar.gz"
    archive.write_bytes(half(archive.read_bytes()))
    code, lines, _ = inspected(root, "--images", "--workers", "2")
    assert code == 1
    assert lines[-1].startswith(f"{archive} is damaged or ends early: the last good member is ")
