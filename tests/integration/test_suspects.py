"""Images that are probably not whole: carried byte for byte, and named wherever a person looks."""

import logging
import os
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fuzz import mutations
from helpers import raw_imagenet
from helpers.builds import build, check_sums, digest
from helpers.damages import own_copy, replaced
from helpers.trees import linked_copy
from imagenet_s.benchmark.scoring.example_images import draw_images
from imagenet_s.benchmark.scoring.pairs import Pair
from imagenet_s.benchmark.scoring.results import Scored
from imagenet_s.cli.main import main
from imagenet_s.copies.file_tables import LABEL
from imagenet_s.dataset import metadata as dataset_module
from imagenet_s.dataset.dataset_file import own_digest, read_dataset
from imagenet_s.dataset.samples import SAMPLES
from imagenet_s.dataset.summary import write_summary
from imagenet_s.images.read import RECORDS, read_records, write_records
from imagenet_s.io.atomic import read_json, write_json
from imagenet_s.masks.codec import BadMask, decode_png, ids_of_png, rgb_png
from imagenet_s.spec.splits import listed
from imagenet_s.spec.subsets import LEVELS
from imagenet_s.verify.compare import verify
from imagenet_s.verify.file_checks import check_files

SEMI = listed(50, "train-semi")[0]
VALIDATION = next(row for row in listed(50, "validation") if row.wnid != row.imagenet_wnid)
TEST = listed(50, "test")[:3]

# The image in the subset's folder → the one in a plain source.
SOURCE_OF = {
    f"train/{SEMI.wnid}/{SEMI.image}.JPEG": f"train/{SEMI.imagenet_wnid}/{SEMI.image}.JPEG",
    f"validation/{VALIDATION.wnid}/{VALIDATION.image}.JPEG": f"val/{VALIDATION.image}.JPEG",
    **{f"test/{row.wnid}/{row.image}.JPEG": f"val/{row.image}.JPEG" for row in TEST},
}
# A header of 24,000 × 24,000 pixels, and whole besides.
HUGE = mutations.png_of(
    [
        (b"IHDR", struct.pack(">IIBBBBB", 24_000, 24_000, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"")),
        (b"IEND", b""),
    ]
)


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def zeros(data: bytes) -> bytes:
    return half(data) + bytes(len(data) - len(data) // 2)


CHANGES: list[tuple[Callable[[bytes], bytes], str]] = [
    (half, "has no end marker"),
    (zeros, "ends in zeros"),
    (lambda data: b"<html>404 not found</html>", "is an HTML page"),
    (lambda data: data[:100], "has no pixel data"),
    (lambda data: HUGE, ""),
]
FOUND = [
    {"image": image, "reason": reason}
    for image, (_, reason) in sorted(zip(SOURCE_OF, CHANGES, strict=True))
    if reason
]


@pytest.fixture(scope="module")
def hurt(imagenet50, tmp_path_factory) -> Path:
    """A plain source with four images that are not whole, and one that is huge."""
    source = linked_copy(imagenet50, tmp_path_factory.mktemp("hurt") / "imagenet")
    for path, (change, _) in zip(SOURCE_OF.values(), CHANGES, strict=True):
        replaced(source / path, change((source / path).read_bytes()))
    return source


@pytest.fixture(scope="module")
def built(hurt, annotations50, tmp_path_factory) -> Path:
    """A build of it; never change it."""
    return build(
        hurt, annotations50 | {"official": True}, tmp_path_factory.mktemp("built") / "results", "copy"
    )


def as_found(source: Path, target: Path) -> Path:
    return source


@pytest.mark.parametrize(
    "layout",
    [
        as_found,
        raw_imagenet.official,
        raw_imagenet.half_class_tars,
        raw_imagenet.hugging_face_tars,
        raw_imagenet.official_zstandard,
        raw_imagenet.hugging_face_parquet,
        raw_imagenet.tfds,
    ],
)
def test_suspects_are_named_in_every_layout(layout, hurt, built, annotations50, tmp_path, caplog):
    caplog.set_level(logging.DEBUG, logger="imagenet_s")
    source = layout(hurt, tmp_path / "imagenet")
    tree = build(source, annotations50 | {"official": True}, tmp_path / "results", "auto")
    content = read_json(tree / "dataset.json")["content"]
    assert content["suspect_images"] == {"count": 4, "images": FOUND}
    assert content["digest"] == digest(built)
    check_sums(tree)
    warned = [record.message for record in caplog.records if "probably incomplete" in record.message]
    logged = {record.message for record in caplog.records if record.message.startswith("suspect: ")}
    assert sum(int(line.partition("(")[2].partition(")")[0]) for line in warned) == len(logged) == 4
    assert all(record.levelno == logging.DEBUG for record in caplog.records if record.message in logged)
    for one in FOUND:
        (line,) = [line for line in logged if Path(one["image"]).stem in line and one["reason"] in line]
        assert line.startswith(f"suspect: {source}/")
        assert any(line.removeprefix("suspect: ") in text for text in warned)


def test_a_job_warns_in_one_line_that_names_file_and_reason(hurt, annotations50, tmp_path, caplog):
    build(hurt, annotations50 | {"official": True}, tmp_path / "results", "symlink")
    told = [record.message for record in caplog.records if "probably incomplete" in record.message]
    train, *val = SOURCE_OF.values()
    reasons = [reason for _, reason in CHANGES]
    names = sorted(f"{hurt}/{path} {reason}" for path, reason in zip(val, reasons[1:], strict=True) if reason)
    assert told == [
        f"Images that are probably incomplete (1): {hurt}/{train} has no end marker",
        f"Images that are probably incomplete (3): {', '.join(names)}",
    ]


def test_suspects_are_carried_and_the_size_of_a_huge_image_is_told(built, hurt):
    for (image, source), (_, reason) in zip(SOURCE_OF.items(), CHANGES, strict=True):
        assert (built / image).read_bytes() == (hurt / source).read_bytes()
        split = image.partition("/")[0]
        row = next(x for x in (built / "manifests" / f"{split}.csv").read_text().splitlines() if image in x)
        if not reason:
            assert ",24000,24000," in row
        assert "suspect" not in row
    assert "suspect" not in (built / "manifests" / "train.csv").read_text().splitlines()[0]
    unreadable = read_json(built / "dataset.json")["content"]["splits"]["test"]["unreadable_headers"]
    assert unreadable == 2


def test_the_summary_names_the_first(built, tmp_path):
    write_summary([built / "dataset.json"], tmp_path / "summary.txt")
    names = ", ".join(f"{one['image']} {one['reason']}" for one in FOUND[:3])
    text = (tmp_path / "summary.txt").read_text().replace("\n" + 10 * " ", " ")
    notes = [line for line in text.splitlines() if "incomplete" in line]
    assert notes == [
        f"  note    probably incomplete images (4; dataset.json names them): {names}, …",
    ]


@pytest.mark.parametrize("level", LEVELS)
def test_verify_names_those_that_dataset_json_names_unless_they_are_damaged(built, tmp_path, level, capsys):
    tree = own_copy(built, tmp_path / "ImageNetS50")
    assert main(["verify", str(tree), "--level", level, "--workers", "1"]) == 0
    names = "".join(f"  {one['image']} {one['reason']}\n" for one in FOUND)
    assert f"\nsuspect, but not counted as damage ({len(FOUND)}):\n{names}" in capsys.readouterr().out
    (tree / FOUND[0]["image"]).unlink()
    assert list(verify(tree, 50, level, 1).suspects) == [one["image"] for one in FOUND[1:]]
    assert verify(tree, 50, level, 1, built).suspects == {}


@pytest.mark.parametrize("odd", [None, [], 7, {"images": 3}, {"images": [3]}, {"images": [{"image": "x"}]}])
def test_suspects_of_no_known_shape_are_no_obstacle(built, tmp_path, odd):
    tree = own_copy(built, tmp_path / "ImageNetS50")
    stated = read_json(tree / "dataset.json")
    stated["content"]["suspect_images"] = odd
    write_json(tree / "dataset.json", stated | {"sha256": own_digest(stated["content"], stated["build"])})
    result = verify(tree, 50, "complete", 1)
    assert result.whole
    assert result.suspects == {}


def test_of_many_suspects_a_thousand_are_in_dataset_json_and_the_rest_in_the_log(
    built, annotations50, tmp_path, caplog
):
    caplog.set_level(logging.DEBUG, logger="imagenet_s")
    rows = pq.read_table(built.parent / "work" / "samples" / "50.parquet", schema=SAMPLES).to_pylist()
    for row in rows:
        row["suspect"] = "ends in zeros" if row["split"] in ("train", "train-semi", "test") else None
    pq.write_table(pa.Table.from_pylist(rows, SAMPLES), tmp_path / "samples.parquet")
    write_json(tmp_path / "annotations.json", annotations50)
    copy = own_copy(built, tmp_path / "ImageNetS50")
    findings = [built.parent / "work" / "source" / "50.json"]
    origin = dataset_module.Origin(findings, tmp_path / "annotations.json", "copy")
    dataset_module.write_dataset(50, (), tmp_path / "samples.parquet", copy, origin)
    found = read_dataset(copy)["content"]["suspect_images"]
    images = sorted(row["image"] for row in rows if row["split"] in ("train", "test"))
    assert found["count"] == len(images) == 650 + 1682
    assert [one["image"] for one in found["images"]] == images[:1000]
    logged = [record.message for record in caplog.records if record.message.startswith("suspect")]
    assert logged == [f"suspect, and not named in dataset.json: {x} ends in zeros" for x in images[1000:]]


def test_a_copy_of_an_earlier_version_is_whole_and_repaired_as_it_was(built, annotations50, tmp_path):
    tree = own_copy(built, tmp_path / "ImageNetS50")
    stated = read_json(tree / "dataset.json")
    del stated["content"]["suspect_images"]
    write_json(tree / "dataset.json", stated | {"sha256": own_digest(stated["content"], stated["build"])})
    assert verify(tree, 50, "sha256", 1).whole
    write_summary([tree / "dataset.json"], tmp_path / "summary.txt")
    assert "probably" not in (tmp_path / "summary.txt").read_text()
    # Its records do not say it either: what is written again from them claims nothing.
    table = pq.read_table(built.parent / "work" / "samples" / "50.parquet").drop("suspect")
    pq.write_table(table, tmp_path / "samples.parquet")
    write_json(tmp_path / "annotations.json", annotations50)
    findings = [built.parent / "work" / "source" / "50.json"]
    origin = dataset_module.Origin(findings, tmp_path / "annotations.json", "copy")
    dataset_module.write_dataset(50, (), tmp_path / "samples.parquet", tree, origin)
    assert read_dataset(tree)["content"] == stated["content"]


def test_records_of_one_image_with_other_bytes_are_still_an_error(tmp_path):
    row = ("n01443537_1", "n01443537", 9, bytes(32), 3, 4, "ends in zeros", "RGB", 7)
    other = (*row[:3], bytes(31) + b"\1", 3, 4, None, "RGB", 7)
    for k, one in enumerate((row, row, other)):
        write_records([one], [], tmp_path / f"{k}.parquet", [f"archive-{k}"])
    assert read_records([tmp_path / "0.parquet", tmp_path / "1.parquet"]).to_pylist() == [
        dict(zip(RECORDS.names, row, strict=True))
    ]
    with pytest.raises(Exception, match="twice, with different bytes: in archive-0, archive-2"):
        read_records([tmp_path / "0.parquet", tmp_path / "2.parquet"])


# Where images are decoded


def test_a_bomb_is_refused_by_name_before_anything_is_decoded(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "images" / "n01443537"
    folder.mkdir(parents=True)
    (folder / "bomb.JPEG").write_bytes(HUGE)
    monkeypatch.setattr("PIL.Image.Image.load", lambda image: pytest.fail("its pixels were asked for"))
    out = tmp_path / "out"
    assert main(["grid-features", "--images", str(tmp_path / "images"), "--out", str(out)]) == 1
    assert (
        f"- unreadable images (1): {folder}/bomb.JPEG (claims to have 24000 × 24000 pixels; the limit is "
        "40,000,000 pixels)\n"
    ) in capsys.readouterr().err
    assert not out.exists()


def test_a_bug_is_not_reported_as_a_damaged_image(imagenet50, tmp_path, monkeypatch, capsys):
    def broken(*_, **__):
        raise AttributeError("module 'x' has no attribute 'y'")

    monkeypatch.setattr("imagenet_s.benchmark.baseline.grid_features.decode", broken)
    images, out = imagenet50 / "train", tmp_path / "out"
    assert main(["grid-features", "--images", str(images), "--out", str(out), "--workers", "1"]) == 1
    told = capsys.readouterr().err
    assert "This is a bug in imagenet-s, not a mistake of yours." in told
    assert "unreadable images" not in told


def test_a_pipe_among_images_is_refused_and_not_waited_for(tmp_path, capsys):
    folder = tmp_path / "images" / "n01443537"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "pipe.JPEG")
    assert main(["grid-features", "--images", str(tmp_path / "images"), "--out", str(tmp_path / "out")]) == 1
    assert f"unreadable images (1): {folder}/pipe.JPEG (Not a regular file)" in capsys.readouterr().err


def test_a_bomb_beside_the_masks_is_drawn_in_grey_and_named(tmp_path, caplog):
    name = "n01443537/x.png"
    truth, prediction = tmp_path / "validation-segmentation" / name, tmp_path / "p.png"
    truth.parent.mkdir(parents=True)
    for path in (truth, prediction):
        path.write_bytes(rgb_png(np.zeros((40, 60), np.uint16)))
    scored = [Scored(Pair(name, truth, prediction), 0.5, (0,))]
    draw_images(50, scored, None, "worst", tmp_path / "without.png")
    assert not caplog.records  # that there are no images is usual
    image = tmp_path / "validation" / "n01443537" / "x.JPEG"
    image.parent.mkdir(parents=True)
    for data, says in (
        (HUGE, "claims to have 24000 × 24000 pixels; the limit is 40,000,000 pixels"),
        (b"<html>", "unknown file format"),
    ):
        caplog.clear()
        image.write_bytes(data)
        draw_images(50, scored, None, "worst", tmp_path / "with.png")
        assert (tmp_path / "with.png").read_bytes() == (tmp_path / "without.png").read_bytes()
        assert [x.message for x in caplog.records] == [
            f"Cannot read {image} ({says}); its masks are drawn over grey."
        ]


@pytest.mark.parametrize("palette", [False, True], ids=["RGB", "palette"])
def test_bombs_in_the_place_of_masks_and_labels_are_unreadable(built, tmp_path, palette, monkeypatch):
    bomb = HUGE if not palette else HUGE.replace(b"\x08\x02\0\0\0", b"\x08\x03\0\0\0")
    bomb = bomb[:29] + struct.pack(">I", zlib.crc32(bomb[12:29])) + bomb[33:]
    tree = own_copy(built, tmp_path / "ImageNetS50")
    mask = f"validation-segmentation/{VALIDATION.wnid}/{VALIDATION.image}.png"
    replaced(tree / mask, bomb)
    shutil.rmtree(tree / "manifests")
    (tree / "dataset.json").unlink()
    monkeypatch.setattr("PIL.Image.Image.load", lambda image: pytest.fail("its pixels were asked for"))
    monkeypatch.setattr("imagenet_s.masks.codec.decode_png", decode_small)
    assert mask in verify(tree, 50, "sha256", 1).damage["unreadable"]
    label = mask.replace("-segmentation/", "-segmentation-id16/")
    (tree / label).parent.mkdir(parents=True)
    replaced(tree / label, bomb)
    rows = mutations.expected_table([[label], [LABEL], [None], [None], [None]])
    assert [(x.path, x.kind) for x in check_files(tree, 50, "sha256", rows, 1) if x.path] == [
        (label, "unreadable")
    ]
    with pytest.raises(BadMask, match=r"^claims to have 24000 × 24000 pixels"):
        ids_of_png(bomb)


def decode_small(png: bytes, shape: tuple[int, int], mode: str) -> np.ndarray:
    assert shape[0] * shape[1] < 1_000_000
    return decode_png(png, shape, mode)
