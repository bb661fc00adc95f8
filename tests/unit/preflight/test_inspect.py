"""`imagenet-s inspect`: what a copy holds, in every layout, as text and as JSON."""

import hashlib
import json
import os
import re
import warnings
from pathlib import Path

import pytest
from PIL import Image

from helpers.damages import DAMAGED_EXIF
from helpers.raw_imagenet import (
    class_tars,
    hub_of_parquet,
    hugging_face_parquet,
    hugging_face_tars,
    hugging_face_unpacked,
    kaggle_zip,
    kaggle_zip_itself,
    odd_folders,
    odd_tars,
    official,
    official_gzip,
    official_in_pieces,
    official_zstandard,
    tfds,
    tfds_at_the_top,
    train_folder_and_val_tar,
    train_tar_and_val_gzip,
    two_odd_files,
    webdataset,
    zips,
)
from helpers.schemas import require_valid, schema_of
from helpers.trees import linked_copy
from imagenet_s.cli.main import main
from imagenet_s.config.settings import read_config_file
from imagenet_s.preflight import official_archives
from imagenet_s.preflight.completeness import SplitCount
from imagenet_s.preflight.inspect_report import config_lines
from imagenet_s.runtime.image_file import examine
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.units import size_text

FISH = "n01443537"
TRAIN = "650 of 1,281,167 images, 50 of 1,000 classes"
VAL = "2,434 of 50,000 images"
NAMES = ("ImageNetS50", "ImageNetS300", "ImageNetS919")
TABLE = [
    "               train-semi    validation            test            train",
    "ImageNetS50     500 / 500     752 / 752   1,682 / 1,682     650 / 64,431",
    "ImageNetS300  500 / 3,000   753 / 4,097   1,681 / 9,088    650 / 384,862",
    "ImageNetS919  500 / 9,190  756 / 12,419  1,678 / 27,423  650 / 1,183,322",
]
HINT = "`--subset N` says what a subset lacks; `--json` names every image."
TO_CONFIGURE = "Lines for config.yaml, with any output you like; then run `imagenet-s plan`:"


@pytest.fixture(autouse=True)
def uncaptured_log(monkeypatch) -> None:
    """Keep pytest from capturing the log: each report logs up to 60,000 names."""
    monkeypatch.setattr(log, "propagate", False)


@pytest.fixture
def inspected(capsys):
    def run(root: Path, *options: str) -> tuple[int, list[str], str]:
        code = main(["inspect", str(root), *options])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return code, printed.out.splitlines(), printed.err

    return run


@pytest.fixture
def document(capsys):
    """Return a function that inspects a copy, and returns the exit code and the valid JSON document."""

    def run(root: Path, *options: str) -> tuple[int, dict]:
        code = main(["inspect", str(root), "--json", "-", *options])
        found = json.loads(capsys.readouterr().out)
        require_valid(found, "inspect")
        return code, found

    return run


@pytest.mark.parametrize(
    ("layout", "name", "places"),
    [
        (linked_copy, "plain folders", ("train", "val")),
        pytest.param(class_tars, "plain folders", ("train", "val"), marks=pytest.mark.long),
        pytest.param(hugging_face_unpacked, "plain folders", ("train", "val"), marks=pytest.mark.long),
        (
            official_in_pieces,
            "official archives in pieces",
            ("ILSVRC2012_img_train.tar.001", "ILSVRC2012_img_val.tar.001"),
        ),
        (kaggle_zip, "Kaggle's zip", ("imagenet-object-localization-challenge.zip",) * 2),
        (kaggle_zip_itself, "Kaggle's zip", ("all of it.ZIP",) * 2),
        (zips, "zips", ("train.zip", "val.zip")),
        (odd_tars, "recognised by content", ("ILSVRC2012_img_train (1).tar", "train.tar")),
        (odd_folders, "recognised by content", ("imagenet-train", "valid")),
        pytest.param(
            train_folder_and_val_tar,
            "plain folders + official archives",
            ("train", "ILSVRC2012_img_val.tar"),
            marks=pytest.mark.long,
        ),
        (
            hugging_face_parquet,
            "Hugging Face parquet",
            ("3 files: data/train-…", "data/validation-00000-of-00001.parquet"),
        ),
        (
            webdataset,
            "WebDataset",
            ("4 files: imagenet1k-train-…", "2 files: imagenet1k-validation-…"),
        ),
    ],
)
def test_the_verdict_comes_first_and_the_lines_to_configure_last(
    layout, name, places, imagenet50, tmp_path, inspected
):
    train, val = places
    root = layout(imagenet50, tmp_path / "source")
    code, lines, _ = inspected(root)
    assert code == 0
    assert lines[:5] == [
        f"ImageNetS50 can be built from {root} with `train_images: any`; ImageNetS300 and ImageNetS919 "
        "cannot be built.",
        "",
        f"source   {root} ({name})",
        f"train    {TRAIN}, in {train}",
        f"val      {VAL}, in {val}",
    ]
    start = lines.index(TABLE[0])
    assert lines[start:] == [
        *TABLE,
        "",
        HINT,
        "",
        TO_CONFIGURE,
        "",
        *config_lines({"imagenet": str(root)}),
        "output: results",
        "subsets: [50]",
        "train_images: any",
    ]


def test_a_complete_copy_of_50_needs_no_further_setting(imagenet50, inspected, document, monkeypatch):
    # A copy with the official number of train images is too large for a test.
    monkeypatch.setattr("imagenet_s.preflight.completeness._count_train", _as_if_complete)
    code, lines, _ = inspected(imagenet50)
    assert code == 0
    assert lines[0] == (
        f"ImageNetS50 can be built from {imagenet50}; ImageNetS300 and ImageNetS919 cannot be built."
    )
    assert lines[-3:] == [f"imagenet: {imagenet50}", "output: results", "subsets: [50]"]
    code, lines, _ = inspected(imagenet50, "--subset", "50")
    assert (code, lines[0]) == (0, f"ImageNetS50 can be built from {imagenet50}.")
    assert HINT not in lines
    _, found = document(imagenet50)
    assert found["subsets"]["ImageNetS50"]["train_images"] == "complete"
    assert found["config"] == {"imagenet": str(imagenet50), "output": "results", "subsets": [50]}


def _as_if_complete(class_sizes, subset):
    return SplitCount("train", subset.train_images, subset.train_images)


def test_a_short_report_names_no_list_of_images_after_the_lines_for_the_configuration(
    imagenet50, inspected, tmp_path
):
    log = tmp_path / "inspect.log"
    assert inspected(imagenet50, "--log", str(log))[2] == ""
    _, _, errors = inspected(imagenet50, "--subset", "300", "--log", str(log))
    assert re.fullmatch(rf"The full list \([0-9,]+ lines\) is in {log}\n", errors)


def test_only_the_subsets_that_are_named_are_reported_with_what_they_lack(imagenet50, inspected):
    code, lines, _ = inspected(imagenet50, "--subset", "300")
    assert code == 1
    assert lines[0] == f"ImageNetS300 cannot be built from {imagenet50}."
    row = "ImageNetS300  500 / 3,000  753 / 4,097  1,681 / 9,088  650 / 384,862"
    assert [line for line in lines if line.startswith("ImageNetS")] == [lines[0], row]
    (semi,) = (line for line in lines if line.startswith("- ImageNetS300/train-semi: "))
    assert semi.startswith("- ImageNetS300/train-semi: 2,500 of 3,000 listed images missing; by class: ")
    assert TO_CONFIGURE not in lines
    code, lines, _ = inspected(imagenet50, "--subset", "300", "--subset", "50")
    assert code == 1, "not all that were named can be built"
    assert lines[-1] == "train_images: any"
    assert inspected(imagenet50, "--subset", "50")[0] == 0


def test_the_log_and_the_json_name_every_missing_image(imagenet50, tmp_path, document):
    log = tmp_path / "inspect.log"
    assert (
        main(
            ["--log", str(log), "inspect", str(imagenet50), "--subset", "300", "--json", str(tmp_path / "x")]
        )
        == 1
    )
    found = json.loads((tmp_path / "x").read_text())
    semi = found["subsets"]["ImageNetS300"]["problems"][0]
    assert semi["text"].startswith("ImageNetS300/train-semi: 2,500 of 3,000 listed images missing; ")
    assert len(semi["names"]) == 2500
    assert semi["names"][0] in log.read_text()


@pytest.mark.parametrize(
    "name",
    [
        "plain",
        "with space",
        "it's: #1",
        "- dash",
        "Größe",
        "*star",
        "'",
        '"',
        "tab\there",
        "line\nbreak",
        "comma, [and] more",
        "~",
    ],
)
def test_the_lines_to_configure_are_valid_and_a_plan_of_them_works(
    name, imagenet50, tmp_path, monkeypatch, capsys, offline
):
    root = linked_copy(imagenet50, tmp_path / name)
    assert main(["inspect", str(root), "--subset", "50"]) == 0
    lines = capsys.readouterr().out.splitlines()
    start = len(lines) - 1 - lines[::-1].index("")
    (tmp_path / "config.yaml").write_text("\n".join(lines[start:]))
    monkeypatch.chdir(tmp_path)
    assert read_config_file(Path("config.yaml")).imagenet == str(root)
    assert main(["plan"]) == 0
    assert f"source   {root} (plain folders)\n" in capsys.readouterr().out


def test_a_path_that_no_config_can_name_is_reported(imagenet50, tmp_path, document):
    root = linked_copy(imagenet50, tmp_path / "{braces}")
    code, found = document(root)
    assert (code, found["config"]) == (1, None)
    assert found["verdict"] == (
        f"Nothing can be built: '{root}' has braces, which Snakemake takes for wildcards; use another path."
    )


def test_a_path_for_each_set_is_reported(imagenet50, tmp_path, inspected):
    train, val = two_odd_files(imagenet50, tmp_path / "source")
    code, lines, _ = inspected(train, "--val", str(val))
    assert code == 0
    said = f"ImageNetS50 can be built from {train} (train), {val} (val) with `train_images: any`; "
    assert lines[0].startswith(said)
    assert lines[2:5] == [
        f"source   {train} (train), {val} (val) (named paths)",
        f"train    {TRAIN}, in data.bin",
        f"val      {VAL}, in a tar",
    ]
    assert f"imagenet: {{train: {train}, val: {val}}}" in lines
    code, lines, _ = inspected(train, "--val", f"{val}x")
    assert (code, lines) == (1, [f"Nothing can be built: there is no {val}x. Correct the path."])
    code, lines, _ = inspected(train)
    assert code == 1
    assert lines[0].endswith(f"({train.parent}), or give the paths of both sets: `TRAIN --val VAL`.")


def test_the_document_of_a_path_for_each_set_has_both(imagenet50, tmp_path, document):
    train, val = two_odd_files(imagenet50, tmp_path / "source")
    code, found = document(train, "--val", str(val))
    assert (code, found["path"], found["val"]) == (0, str(train), str(val))
    assert found["root"] == f"{train} (train), {val} (val)"
    assert found["config"]["imagenet"] == {"train": str(train), "val": str(val)}


def test_a_cache_of_hugging_face_is_reported_as_the_revision_that_is_read(imagenet50, tmp_path, inspected):
    hub = hub_of_parquet(imagenet50, tmp_path / "source")
    revision = hub / "datasets--ILSVRC--imagenet-1k" / "snapshots" / "c0ffee"
    code, lines, error = inspected(hub)
    assert code == 0
    assert lines[2] == f"source   {revision} (Hugging Face parquet)"
    assert lines[4] == f"val      {VAL}, in data/validation-00000-of-00001.parquet"
    assert f"imagenet: {hub}" in lines, "a later revision is read in a later build"
    said = (
        f"Reading revision c0ffee, which `refs/main` names, from the Hugging Face hub's cache: {revision}\n"
    )
    assert said in error


@pytest.mark.parametrize(
    ("layout", "train"),
    [
        (hugging_face_tars, "5 files: train_images_…"),
        (official_gzip, "ILSVRC2012_img_train.tar.gz"),
        (tfds_at_the_top, "3 files: imagenet2012-train.tfrecord-…"),
    ],
)
def test_the_content_of_files_that_must_be_read_is_reported_as_unknown(
    layout, train, imagenet50, tmp_path, inspected, document
):
    root = layout(imagenet50, tmp_path / "source")
    code, lines, _ = inspected(root)
    assert code == 0
    assert lines[0] == (
        f"ImageNetS50, ImageNetS300 and ImageNetS919 can probably be built from {root}. What its files hold "
        "is only known once they are read."
    )
    size = sum(path.stat().st_size for path in root.glob("*train*"))
    assert lines[3] == f"train    {size_text(size)}, not counted yet, in {train}"
    assert lines[5:7] == ["", TO_CONFIGURE]
    assert lines[-1] == "subsets: [50, 300, 919]"
    code, found = document(root)
    assert found["sets"]["train"]["bytes"] == size
    assert found["sets"]["train"]["images"] is None
    assert {subset["can_be_built"] for subset in found["subsets"].values()} == {"unknown"}


def test_of_a_half_known_copy_the_known_half_is_reported(imagenet50, tmp_path, inspected):
    root = train_tar_and_val_gzip(imagenet50, tmp_path / "source")
    _, lines, _ = inspected(root)
    assert lines[0].startswith(
        f"ImageNetS50 can probably be built from {root} with `train_images: any`; ImageNetS300 and"
    )
    assert "ImageNetS300  500 / 3,000   ? / 4,097   ? / 9,088    650 / 384,862" in lines


def test_classes_and_images_that_no_subset_uses_are_counted_too(imagenet50, tmp_path, inspected):
    root = linked_copy(imagenet50, tmp_path / "source")
    for name in ("train/n01530575/n01530575_1.JPEG", "val/ILSVRC2012_val_00000001.JPEG"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).touch()
    _, lines, _ = inspected(root)
    assert lines[3] == "train    651 of 1,281,167 images, 51 of 1,000 classes, in train"
    assert lines[4] == "val      2,435 of 50,000 images, in val"


@pytest.mark.parametrize("how", ["missing", "empty", "dangling"])
def test_without_the_listed_images_nothing_can_be_built(how, imagenet50, tmp_path, inspected, document):
    root = linked_copy(imagenet50, tmp_path / "source")
    image = root / "val" / "ILSVRC2012_val_00004677.JPEG"
    image.unlink()
    if how == "empty":
        image.touch()
    elif how == "dangling":
        image.symlink_to("/gone/x.JPEG")
    code, lines, _ = inspected(root)
    assert code == 1
    assert lines[0] == f"ImageNetS50, ImageNetS300 and ImageNetS919 cannot be built from {root}."
    assert (f"links    1 lead to nothing: {image} → /gone/x.JPEG" in lines) == (how == "dangling")
    assert lines[-1] == HINT
    _, found = document(root)
    problem = found["subsets"]["ImageNetS50"]["problems"][0]
    if how == "empty":
        assert problem == {"text": f"1 listed images are empty: {image}", "names": [str(image)]}
    else:
        assert problem["names"] == ["missing ImageNetS50/validation val/ILSVRC2012_val_00004677.JPEG"]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda root: root / "nowhere", "there is no folder {}. Correct the path."),
        (
            lambda root: root / "val" / "ILSVRC2012_val_00004677.JPEG",
            "{} is a file, and not a .zip. Inspect the folder",
        ),
        (lambda root: root / "val", "{} looks like the val folder itself.\n{root} holds both: inspect it."),
        (
            lambda root: root.parent,
            "found no train and val images of ImageNet-1k below {}.\nIt holds: source\n"
            "{root} holds both: inspect it.",
        ),
        (
            lambda root: _empty(root.parent / "empty"),
            "found no train and val images of ImageNet-1k below {}.\nIt holds: nothing\n",
        ),
    ],
)
def test_a_wrong_path_is_reported_without_a_word_of_config(
    make, says, imagenet50, tmp_path, inspected, document
):
    root = linked_copy(imagenet50, tmp_path / "source")
    path = make(root)
    code, lines, error = inspected(path)
    assert (code, error) == (1, "")
    text = "\n".join(lines)
    assert text.startswith(f"Nothing can be built: {says.format(path, root=root)}")
    assert "config" not in text
    code, found = document(path)
    assert (code, found["verdict"], found["subsets"]) == (1, lines[0], {})


def _empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_a_folder_that_may_not_be_read_is_reported(imagenet50, document, monkeypatch):
    def find_places(path: Path, val: Path | None):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("imagenet_s.preflight.inspect.find_places", find_places)
    code, found = document(imagenet50)
    assert code == 1
    assert found["verdict"] == (
        f"Nothing can be built: cannot read {imagenet50}: Permission denied. Allow your user to read it "
        "(`ls -l` shows the permissions)."
    )


def test_two_files_of_an_image_with_different_sizes_are_reported(imagenet50, tmp_path, inspected, document):
    root = linked_copy(imagenet50, tmp_path / "source")
    name = "ILSVRC2012_val_00004677.JPEG"
    (root / "val" / "more").mkdir()
    (root / "val" / "more" / name).write_bytes(b"other")
    (text,) = document(root)[1]["differing"]
    assert sorted(text.split(" and ")) == [
        f"{root}/val/{name} ({(root / 'val' / name).stat().st_size:,} bytes)",
        f"{root}/val/more/{name} (5 bytes)",
    ]
    assert f"twice    1 with different sizes: {text}" in inspected(root)[1]


def test_a_built_data_set_is_named_as_such(output50, inspected):
    tree = output50 / "ImageNetS50"
    code, lines, _ = inspected(tree)
    assert (code, lines) == (
        1,
        [
            f"Nothing can be built: {tree} is an ImageNet-S data set, not raw ImageNet-1k. Inspect the "
            f"ImageNet-1k that it was made from. `imagenet-s verify {tree}` checks a data set."
        ],
    )


def test_several_revisions_are_reported_without_a_word_of_config(imagenet50, tmp_path, inspected):
    hub = hub_of_parquet(imagenet50, tmp_path / "source")
    cache = hub / "datasets--ILSVRC--imagenet-1k"
    (cache / "refs" / "main").unlink()
    (cache / "snapshots" / "c0ffee").rename(cache / "snapshots" / "1")
    (cache / "snapshots" / "2").symlink_to("1")
    code, lines, _ = inspected(hub)
    assert code == 1
    assert lines[0].endswith(f"none of them: 1, 2. Inspect one of them, such as {cache}/snapshots/1")


def test_the_schema_describes_every_key():
    schema = schema_of("inspect")
    assert schema["$id"] == schema["properties"]["schema"]["const"] == "urn:imagenet-s:inspect:1"


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
    code, lines, _ = inspected(root, "--md5")
    digest = hashlib.md5(train).hexdigest()
    assert code == 1
    assert f"size     {names[0]}: {len(train):,} bytes, the official one has 147,897,477,120" in lines
    assert f"size     {names[1]}: {len(val):,} bytes, the official one has 6,744,924,160" in lines
    official_md5 = "1d675b47d978889d74fa0da5fadfb00e"
    assert f"md5      {names[0]}: {digest}, the official one is {official_md5}" in lines
    assert lines[0].endswith(f" Not the official bytes: {names[0]} and {names[1]}. Get them again.")

    own = {
        "ilsvrc2012_img_train.tar": (len(train), digest),
        "ilsvrc2012_img_val.tar": (len(val), hashlib.md5(val).hexdigest()),
    }
    monkeypatch.setattr(official_archives, "ARCHIVES", own)
    code, lines, _ = inspected(root, "--md5")
    assert code == 0
    assert f"size     {names[0]}: {len(train):,} bytes, as the official one" in lines
    assert f"md5      {names[1]}: {own['ilsvrc2012_img_val.tar'][1]}, as the official one" in lines
    assert not any(line.startswith("md5") for line in inspected(root)[1])


def test_the_md5_of_an_archive_that_cannot_be_scanned_is_reported(imagenet50, tmp_path, inspected):
    root = official(imagenet50, tmp_path / "source")
    val = root / "ILSVRC2012_img_val.tar"
    os.truncate(val, 100_000)
    code, lines, _ = inspected(root, "--md5")
    assert code == 1
    md5 = f"{hashlib.md5(val.read_bytes()).hexdigest()}, the official one is 29b22e2961454d5413ddabcf34fc5622"
    assert f"md5      {val.name}: {md5}" in lines
    assert lines[0].startswith(f"Nothing can be built: {val} ends early")


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
        pytest.param(class_tars, marks=pytest.mark.long),
        official,
        pytest.param(official_in_pieces, marks=pytest.mark.long),
        hugging_face_tars,
        pytest.param(official_zstandard, marks=pytest.mark.long),
        pytest.param(hugging_face_parquet, marks=pytest.mark.long),
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
    code, lines, _ = inspected(root, "--images", "--workers", "2")
    start = next(k for k, line in enumerate(lines) if line.startswith("images"))
    assert lines[start] == f"images   {650 + 2434:,} decoded, 4 faulty"
    faults = lines[start + 1 : lines.index("", start)]
    assert len(faults) == len(IMAGES)
    for path, (_, says) in IMAGES.items():
        (line,) = [line for line in faults if Path(path).stem in line]
        assert line.startswith(f"{root}/")
        assert says in line
    assert code == 1
    assert lines[0].endswith(" 4 images or archives are faulty: get them again.")


def test_sound_images_are_decoded_and_not_mentioned(imagenet50, inspected):
    code, lines, _ = inspected(imagenet50, "--images", "--workers", "2")
    assert code == 0
    assert f"images   {650 + 2434:,} decoded, 0 faulty" in lines


def test_what_pillow_warns_of_is_not_printed_and_no_fault(imagenet50, tmp_path, inspected):
    root = linked_copy(imagenet50, tmp_path / "source")
    image = root / "val" / "ILSVRC2012_val_00004677.JPEG"
    image.unlink()
    Image.new("RGB", (8, 8)).save(image, "JPEG", exif=DAMAGED_EXIF)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="Truncated File Read"):
            examine(image.read_bytes())
        code, lines, error = inspected(root, "--images", "--workers", "2")
    assert (code, error) == (0, "")
    assert f"images   {650 + 2434:,} decoded, 0 faulty" in lines


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
    start = next(k for k, line in enumerate(lines) if line.startswith("images"))
    assert lines[start + 1].startswith(f"{archive} is damaged or ends early: the last good member is ")
