"""An opened copy: its tables, images, masks and check, and the answers to mistakes."""

import hashlib
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import imagenet_s
from helpers.builds import digest
from helpers.damages import replaced
from imagenet_s.cli.main import main
from imagenet_s.copies.copy import open_copy
from imagenet_s.copies.samples import samples
from imagenet_s.dataset.typed_manifests import TYPED
from imagenet_s.spec.statistics import statistics_files
from imagenet_s.spec.subsets import SPLITS


def official_ids(path: str) -> np.ndarray:
    with Image.open(path) as image:
        rgb = np.asarray(image).astype(np.uint16)
    return rgb[..., 0] + 256 * rgb[..., 1]


def test_a_build_says_what_it_is(data, output50):
    root = output50 / "ImageNetS50"
    assert (data.root, data.subset, data.splits) == (root, 50, SPLITS)
    assert data.digest == digest(root)
    assert repr(data) == f"<ImageNetS50 at {root}: train, train-semi, validation, test>"
    assert data == imagenet_s.open(str(root)) == imagenet_s.open(output50)


@pytest.mark.parametrize("split", SPLITS)
def test_samples_are_the_rows_of_the_manifest_with_types_and_paths(data, split):
    table = data.samples(split)
    assert [*table.columns] == [*TYPED.names, "image_path", "mask_path"]
    assert isinstance(table.index, pd.RangeIndex)
    assert all(isinstance(dtype, pd.ArrowDtype) for dtype in table.dtypes)
    rows = samples(open_copy(data.root), split).to_pylist()
    for column in TYPED.names:
        found = [None if value is pd.NA else value for value in table[column]]
        assert found == [row[column] for row in rows]
    assert [*table["image_path"]] == [f"{data.root}/{row['image']}" for row in rows]
    assert [*table["mask_path"].dropna()] == [f"{data.root}/{row['mask']}" for row in rows if row["mask"]]


def test_classes_are_indexed_by_class_id_and_count_images(data):
    table = data.classes
    assert [*table.index] == [*range(1, 51)]
    assert table.loc[1, ["wnid", "name", "train_semi"]].to_list() == ["n01443537", "goldfish", 10]
    for split in SPLITS:
        counts = data.samples(split)["class_id"].value_counts()
        assert [*table[split.replace("-", "_")]] == [counts[number] for number in table.index]


def test_changing_a_table_does_not_change_the_data(data):
    before = data.samples("test")
    changed = data.samples("test")
    changed.loc[0, "image_path"] = "nowhere"
    changed["width"] = 0
    pd.testing.assert_frame_equal(data.samples("test"), before)
    assert data["test", 0][0].size == (before["width"][0], before["height"][0])


@pytest.mark.parametrize("split", SPLITS)
def test_an_image_and_its_mask_are_those_of_the_row(data, split):
    table = data.samples(split)
    for index in (0, len(table) // 2, -1):
        row = table.iloc[index]
        image, mask = data[split, index]
        with Image.open(row["image_path"]) as stored:
            assert (image.mode, image.size) == (stored.mode, stored.size)
            assert np.array_equal(np.asarray(image), np.asarray(stored))
        if split in ("train-semi", "validation"):
            assert mask.dtype == np.uint16
            assert np.array_equal(mask, official_ids(row["mask_path"]))
            assert [*np.unique(mask)] == row["mask_ids"]
            pixels = hashlib.sha256(mask.astype("<u2").tobytes()).digest()
            assert pixels == row["mask_pixels_sha256"]
        else:
            assert mask is None


def test_an_index_may_be_of_numpy(data):
    assert data["validation", np.int64(3)][0].tobytes() == data["validation", 3][0].tobytes()


def test_images_keep_their_mode(tree):
    path = imagenet_s.open(tree).samples("test")["image_path"][0]
    buffer = io.BytesIO()
    Image.new("CMYK", (5, 4), (1, 2, 3, 4)).save(buffer, "JPEG")
    replaced(Path(path), buffer.getvalue())
    image, _ = imagenet_s.open(tree)["test", 0]
    assert (image.mode, image.size) == ("CMYK", (5, 4))


def test_a_copy_of_the_official_scripts_has_what_is_known(foreign, data):
    copy = imagenet_s.open(foreign)
    assert copy.digest is None
    table, full = copy.samples("validation"), data.samples("validation")
    for name in ("image", "mask", "wnid", "class_id", "imagenet_wnid", "also_in"):
        assert table[name].equals(full[name])
    for name in ("bytes", "sha256", "width", "mask_ids"):
        assert table[name].isna().all()
        assert table[name].dtype == full[name].dtype
    for split in SPLITS:
        (image, mask), (other, mask_of_build) = copy[split, 7], data[split, 7]
        assert image.tobytes() == other.tobytes()
        assert np.array_equal(mask, mask_of_build)
    assert "by the official lists: it has no manifests" in str(copy.verify())


def test_a_check_is_true_if_the_copy_is_whole_and_else_names_the_damage(tree):
    copy = imagenet_s.open(tree)
    check = copy.verify()
    assert check
    assert check.whole
    assert check.damage.empty
    assert re.search(r"^whole: 6,1\d\d files in ", str(check), re.MULTILINE)
    image, mask = copy.samples("validation")[["image", "mask"]].iloc[5]
    (tree / image).unlink()
    (tree / mask).write_bytes(b"")
    (tree / "test" / "mine.txt").touch()
    check = copy.verify(level="size")
    assert not check
    assert check.damage.to_dict("split")["data"] == [
        ["missing", image],
        ["extra", "test/mine.txt"],
        ["truncated", mask],
    ]
    assert f"\nmissing: {image}\n" in repr(check)
    assert copy.verify("complete").damage["kind"].to_list() == ["missing", "extra"]


def test_the_check_of_every_byte_finds_a_changed_one(tree):
    copy = imagenet_s.open(tree)
    path = tree / copy.samples("test")["image"][0]
    replaced(path, path.read_bytes()[:-3] + b"x\xff\xd9")
    assert copy.verify()
    assert copy.verify("sha256").damage.to_dict("records") == [
        {"kind": "changed", "path": str(path.relative_to(tree))}
    ]


def test_an_unknown_split_is_refused(data):
    message = f"{data.root} has no split 'val'. It has train, train-semi, validation, test."
    for error in (KeyError, ValueError, imagenet_s.UserError):
        with pytest.raises(error) as caught:
            data["val", 0]
        assert str(caught.value) == message
    with pytest.raises(ValueError, match="no split 'train_semi'"):
        data.samples("train_semi")


@pytest.mark.parametrize("index", [752, -753, 10_000_000])
def test_an_index_out_of_range_is_refused(data, index):
    with pytest.raises(IndexError) as caught:
        data["validation", index]
    assert str(caught.value) == (
        f"validation of ImageNetS50 has 752 samples, from 0 to 751; found index {index:,}."
    )


def test_a_split_without_images_has_no_index(tmp_path):
    (tmp_path / "ImageNetS50" / "train").mkdir(parents=True)
    with pytest.raises(IndexError, match=r"^train of ImageNetS50 has no samples; found index 0\.$"):
        imagenet_s.open(tmp_path)["train", 0]


@pytest.mark.parametrize("key", ["validation", 0, ("validation", slice(3)), ("validation", 1.0), (0, 0)])
def test_another_key_is_refused(data, key):
    with pytest.raises(TypeError) as caught:
        data[key]
    assert str(caught.value) == (
        f"Expected data[split, index], such as data['validation', 0]; found data[{key!r}]."
    )


def test_a_path_without_a_copy_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        imagenet_s.open(tmp_path / "x")
    assert str(caught.value) == f"There is no folder {tmp_path / 'x'}."
    (tmp_path / "x").touch()
    with pytest.raises(FileNotFoundError, match=f"^{tmp_path / 'x'} is not a folder\\.$"):
        imagenet_s.open(tmp_path / "x")
    with pytest.raises(imagenet_s.UserError, match="holds no copy of ImageNet-S"):
        imagenet_s.open(tmp_path)


def test_the_home_of_the_user_may_be_abbreviated(data, monkeypatch):
    monkeypatch.setenv("HOME", str(data.root.parent))
    assert imagenet_s.open("~/ImageNetS50") == data
    with pytest.raises(FileNotFoundError, match=r"^There is no folder ~no-such-user/x\.$"):
        imagenet_s.open("~no-such-user/x")


def test_an_unknown_level_is_refused(data):
    with pytest.raises(ValueError, match=r"^Expected a level of complete, size, sha256; found 'all'\.$"):
        data.verify("all")


def test_a_file_that_is_gone_or_no_image_is_named(tree):
    copy = imagenet_s.open(tree)
    row = copy.samples("validation").iloc[0]
    Path(row["mask_path"]).unlink()
    with pytest.raises(FileNotFoundError) as caught:
        copy["validation", 0]
    assert row["mask_path"] in str(caught.value)
    replaced(Path(row["image_path"]), b"<html>")
    with pytest.raises(imagenet_s.UserError) as caught:
        copy["validation", 0]
    assert str(caught.value) == f"{row['image_path']} cannot be decoded: unknown file format."


def test_statistics_are_those_of_the_command(data, tmp_path):
    assert main(["stats", str(data.root), "--out", str(tmp_path), "--workers", "1"]) == 0
    tables = data.statistics()
    assert [f"{kind}.csv" for kind in tables] == statistics_files()
    for kind, table in tables.items():
        assert table.to_csv(index=False) == (tmp_path / "50" / f"{kind}.csv").read_text()


def test_statistics_of_a_copy_with_a_damaged_mask_are_refused(tree):
    mask = min((tree / "validation-segmentation").glob("*/*.png"))
    mask.unlink()
    with pytest.raises(imagenet_s.UserError, match=f"{mask.relative_to(tree)} is missing"):
        imagenet_s.open(tree).statistics()
