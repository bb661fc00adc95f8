"""Masks are unpacked byte for byte and recorded, and all problems are reported at once."""

import hashlib
import io
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from imagenet_s.annotations.unpack import RECORDS, mask_paths, masks_in, unpack_masks
from imagenet_s.io.atomic import read_json, write_json
from imagenet_s.runtime.errors import UserError

PATHS = mask_paths(50)
FIRST, SECOND, THIRD = PATHS[0], PATHS[500], PATHS[-1]  # of train-semi, validation, validation
UNLISTED = "validation-segmentation/n01443537/ILSVRC2012_val_99999999.png"


@pytest.fixture(scope="module")
def original(annotations50) -> dict[str, bytes]:
    """Return mask path → bytes of the correct archive."""
    return members(Path(annotations50["path"]))


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name.removeprefix("ImageNetS50/"): archive.read(name) for name in archive.namelist()}


def zip_of(path: Path, masks: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for mask, data in masks.items():
            archive.writestr(f"ImageNetS50/{mask}", data)
    return path


def unpack(origin: Path, tmp_path: Path, official: bool = False, workers: int = 1) -> list[dict]:
    """Unpack a zip or a folder into the output `tmp_path/out`, and return the records."""
    receipt = {"kind": "folder" if origin.is_dir() else "archive", "path": str(origin), "official": official}
    write_json(tmp_path / "receipt.json", receipt)
    out = tmp_path / "out"
    records, scratch = out / "work" / "records.parquet", out / "work" / "scratch"
    unpack_masks(50, tmp_path / "receipt.json", out, records, workers, scratch)
    return pq.read_table(records, schema=RECORDS).to_pylist()


def masks_of(tmp_path: Path) -> Path:
    """Return the folder of the masks of 50 in the output."""
    return tmp_path / "out" / "work" / "masks" / "50"


def refused(origin: Path, tmp_path: Path, **options) -> UserError:
    """Return the error of unpacking, after checking that it names the origin and wrote no records."""
    with pytest.raises(UserError) as caught:
        unpack(origin, tmp_path, **options)
    assert str(origin) in str(caught.value)
    assert not (tmp_path / "out" / "work" / "records.parquet").exists()
    return caught.value


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def rgb_png(pixels: list) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.array(pixels, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


INVALID = {
    FIRST: (rgb_png([[[1, 0, 9], [0, 0, 0]]]), "has blue pixels"),
    SECOND: (rgb_png([[[51, 0, 0], [232, 3, 0]]]), "has ids other than 0..50 and 1000: 51"),
    THIRD: (b"no PNG", "is not a readable PNG"),
}


@pytest.fixture
def invalid_zip(original, tmp_path) -> Path:
    """Return a zip with a missing mask, one that is not listed, and three that are not valid."""
    masks = original | {mask: data for mask, (data, _) in INVALID.items()} | {UNLISTED: original[FIRST]}
    del masks[PATHS[1]]
    return zip_of(tmp_path / "invalid.zip", masks)


def test_all_listed_masks_are_written_byte_for_byte(annotations50, original, tmp_path):
    rows = unpack(Path(annotations50["path"]), tmp_path)
    assert files_below(masks_of(tmp_path)) == original
    assert len(original) == 500 + 752
    assert [row["mask"] for row in rows] == PATHS == sorted(original)
    # Nothing else: no scratch folder, nothing outside.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "receipt.json"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["work"]
    assert sorted(path.name for path in (tmp_path / "out" / "work").iterdir()) == ["masks", "records.parquet"]


def test_records_describe_each_mask(annotations50, original, tmp_path):
    rows = unpack(Path(annotations50["path"]), tmp_path)
    for row in rows[::25]:
        data = original[row["mask"]]
        rgb = np.asarray(Image.open(io.BytesIO(data))).astype(int)
        ids = rgb[..., 0] + 256 * rgb[..., 1]
        pixels = b"".join(int(x).to_bytes(2, "little") for x in ids.ravel())
        counts = Counter(ids.ravel().tolist())
        assert row == {
            "mask": row["mask"],
            "bytes": len(data),
            "sha256": hashlib.sha256(data).digest(),
            "pixels_sha256": hashlib.sha256(pixels).digest(),
            "ids": " ".join(map(str, sorted(counts))),
            "id_pixels": [counts[x] for x in sorted(counts)],
            "width": ids.shape[1],
            "height": ids.shape[0],
            "problems": "",
        }
    assert any(row["ids"].count(" ") == 3 for row in rows)  # other, two classes, ignore


def test_two_workers_give_the_same_result_as_one(annotations50, original, tmp_path):
    (tmp_path / "two").mkdir()
    (tmp_path / "one").mkdir()
    origin = Path(annotations50["path"])
    assert unpack(origin, tmp_path / "two", workers=2) == unpack(origin, tmp_path / "one")
    assert files_below(masks_of(tmp_path / "two")) == original
    records = [(tmp_path / name / "out" / "work" / "records.parquet").read_bytes() for name in ("one", "two")]
    assert records[0] == records[1]


def test_a_folder_gives_the_same_files_and_records_as_the_archive(annotations50, original, tmp_path):
    with zipfile.ZipFile(annotations50["path"]) as archive:
        archive.extractall(tmp_path / "unpacked")
    (tmp_path / "unpacked/ImageNetS50" / f"{FIRST.rpartition('/')[0]}/._{Path(FIRST).name}").write_bytes(b"")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    rows = unpack(tmp_path / "unpacked" / "ImageNetS50", tmp_path / "a")
    assert rows == unpack(Path(annotations50["path"]), tmp_path / "b")
    assert files_below(masks_of(tmp_path / "a")) == original


def test_a_zip_from_windows_gives_the_same_files_and_records(annotations50, original, tmp_path):
    by_windows = tmp_path / "windows.zip"
    with zipfile.ZipFile(by_windows, "w") as archive:
        for mask, data in original.items():
            archive.writestr(f"ImageNetS50/{mask}".replace("/", "\\"), data)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert unpack(by_windows, tmp_path / "a") == unpack(Path(annotations50["path"]), tmp_path / "b")
    assert files_below(masks_of(tmp_path / "a")) == original


def test_system_files_among_unpacked_masks_are_reported_in_one_line(original, tmp_path, caplog):
    caplog.set_level("INFO", "imagenet_s")
    unpacked, folder = tmp_path / "unpacked", FIRST.rpartition("/")[0]
    for mask, data in original.items():
        (unpacked / mask).parent.mkdir(parents=True, exist_ok=True)
        (unpacked / mask).write_bytes(data)
    for name in (f"._{Path(FIRST).name}", "Thumbs.db"):
        (unpacked / folder / name).write_bytes(b"x")
    unpack(unpacked, tmp_path)
    assert files_below(masks_of(tmp_path)) == original
    line = f"Left by the system, not part of the data set: {folder}/._{Path(FIRST).name}, {folder}/Thumbs.db"
    assert caplog.messages.count(f"{unpacked}: {line}") == 1


def test_mask_files_are_readable_and_writable_by_their_owner(original, tmp_path):
    unpacked = tmp_path / "unpacked"
    for mask, data in original.items():
        (unpacked / mask).parent.mkdir(parents=True, exist_ok=True)
        (unpacked / mask).write_bytes(data)
        (unpacked / mask).chmod(0o444)
    unpack(unpacked, tmp_path)
    modes = {path.stat().st_mode & 0o777 for path in (masks_of(tmp_path)).rglob("*.png")}
    assert len(modes) == 1
    assert modes.pop() & 0o611 == 0o600


def test_all_problems_are_reported_at_once(invalid_zip, tmp_path):
    error = refused(invalid_zip, tmp_path)
    text = str(error)
    assert "ImageNetS50" in text
    assert "have problems (5): " in text
    assert "exactly the 1,252 listed masks" in text
    missing, unlisted, *invalid = error.details
    assert missing == f"{PATHS[1]} is missing"
    assert unlisted == f"{UNLISTED} is not listed"
    assert len(invalid) == len(INVALID)
    for line, (mask, (_, problem)) in zip(invalid, INVALID.items(), strict=True):
        assert line.startswith(f"{mask} {problem}")


def test_problems_in_the_official_archive_are_recorded_and_not_fatal(invalid_zip, original, tmp_path, caplog):
    rows = {row["mask"]: row for row in unpack(invalid_zip, tmp_path, official=True)}
    assert list(rows) == [mask for mask in PATHS if mask != PATHS[1]]
    assert {mask for mask, row in rows.items() if row["problems"]} == set(INVALID)
    for mask, (data, problem) in INVALID.items():
        assert rows[mask]["problems"].startswith(problem)
        assert rows[mask]["sha256"] == hashlib.sha256(data).digest()
    # What cannot be read is left empty in the record.
    assert (rows[FIRST]["ids"], rows[FIRST]["width"], rows[FIRST]["height"]) == ("0 1", 2, 1)
    assert rows[SECOND]["ids"] == "51 1000"
    unreadable = rows[THIRD]
    assert (unreadable["ids"], unreadable["width"], unreadable["pixels_sha256"]) == ("", None, None)
    written = files_below(masks_of(tmp_path))
    expected = original | {mask: data for mask, (data, _) in INVALID.items()}
    del expected[PATHS[1]]
    assert written == expected  # byte for byte, also the invalid ones, but not the unlisted one
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 5
    assert f"unexpected, but in the official archive: {PATHS[1]} is missing" in warnings


def test_a_mask_of_an_earlier_run_does_not_replace_a_missing_one(annotations50, invalid_zip, tmp_path):
    unpack(Path(annotations50["path"]), tmp_path)
    assert (masks_of(tmp_path) / PATHS[1]).is_file()
    unpack(invalid_zip, tmp_path, official=True)
    assert not (masks_of(tmp_path) / PATHS[1]).exists()


def test_masks_of_another_subset_are_refused(original, tmp_path):
    # Subset 300 has higher ids.
    data = rgb_png([[[44, 1, 0]]])  # id 300
    error = refused(zip_of(tmp_path / "300.zip", original | {SECOND: data}), tmp_path)
    assert error.details == (f"{SECOND} has ids other than 0..50 and 1000: 300",)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_damaged_member_is_named(original, tmp_path, workers):
    path = zip_of(tmp_path / "damaged.zip", original)
    data = path.read_bytes()
    # The zip is not compressed, so the mask's own bytes are in it. The CRC reveals the damage.
    at = data.index(original[SECOND]) + len(original[SECOND]) // 2
    path.write_bytes(data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :])
    text = str(refused(path, tmp_path, workers=workers))
    assert f"'ImageNetS50/{SECOND}'" in text
    assert "damaged" in text
    assert "Download it again" in text
    # A repair, which reads single masks, reports the same.
    assert [mask for mask, _ in masks_in(tmp_path / "receipt.json", {FIRST})] == [FIRST]
    with pytest.raises(UserError) as caught:
        list(masks_in(tmp_path / "receipt.json", {SECOND}))
    assert str(caught.value) == text


def test_a_hostile_zip_writes_nothing(original, tmp_path):
    path = zip_of(tmp_path / "evil.zip", original | {"../../evil.png": b"evil"})
    before = files_below(tmp_path)
    text = str(refused(path, tmp_path))
    assert "'ImageNetS50/../../evil.png'" in text
    assert set(files_below(tmp_path)) - set(before) == {"receipt.json"}


def test_a_link_instead_of_a_class_folder_is_replaced_and_never_followed(original, tmp_path):
    wnid_folder = masks_of(tmp_path) / FIRST.rpartition("/")[0]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    wnid_folder.parent.mkdir(parents=True)
    wnid_folder.symlink_to(elsewhere)
    unpack(zip_of(tmp_path / "good.zip", original), tmp_path)
    assert not wnid_folder.is_symlink()
    assert (masks_of(tmp_path) / FIRST).read_bytes() == original[FIRST]
    assert list(elsewhere.iterdir()) == []


def test_a_subset_folder_of_the_user_is_left_alone(original, tmp_path):
    (tmp_path / "out" / "ImageNetS50" / "validation").mkdir(parents=True)
    path = zip_of(tmp_path / "good.zip", original)
    with pytest.raises(UserError, match="was not made by this pipeline; it holds: validation"):
        unpack(path, tmp_path)
    assert list((tmp_path / "out" / "ImageNetS50").rglob("*")) == [
        tmp_path / "out" / "ImageNetS50" / "validation"
    ]
    assert not (tmp_path / "out" / "work").exists()


def test_a_missing_archive_is_reported_with_what_to_do(tmp_path):
    error = refused(tmp_path / "gone.zip", tmp_path)
    assert "no longer exists" in str(error)
    assert "`--forcerun annotations`" in str(error)


def test_the_receipt_of_the_demo_is_of_an_archive_that_is_not_official(annotations50):
    path = Path(annotations50["path"])
    assert annotations50 == read_json(path.with_name("receipt.json"))
    assert annotations50["md5"] == hashlib.md5(path.read_bytes()).hexdigest()
    assert annotations50["official"] is False
