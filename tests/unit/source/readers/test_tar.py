"""Images found in archives: the right ones, each once, with no byte read that is not needed."""

import hashlib
import io
import os
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from helpers.builds import snakemake
from helpers.raw_imagenet import official, official_in_pieces, tar_of
from helpers.scans import FISH, MOVED, SHARK, VAL
from imagenet_s.images.pool import pool_path
from imagenet_s.images.read import read_part
from imagenet_s.io.split_file import SplitFile
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.listing import Row, listing_of, write_listing
from imagenet_s.source.scan import SourceScan, list_tier
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.shards import subset_parts

TRAIN_TAR, VAL_TAR = "ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar"
APPLE = b"\0\5\x16\7 of a Mac"


def scanned(root: Path) -> tuple[dict[str, bytes], SourceScan]:
    """List tier 50, and return image → the bytes that its row points to, and the scan."""
    rows, scan = list_tier(root, 50, Index())
    assert rows == sorted(rows)
    assert len({row.image for row in rows}) == len(rows)
    return {row.image: bytes_of(row) for row in rows}, scan


def bytes_of(row: Row) -> bytes:
    if not row.in_archive:
        return Path(row.path).read_bytes()
    with SplitFile(row.path) as pieces:
        return pieces.read(row.size, row.offset)


def refusal(root: Path) -> str:
    with pytest.raises(UserError) as error:
        list_tier(root, 50, Index())
    return str(error.value)


def train_tar(root: Path, *classes: tuple[str, list[tuple[str, bytes]]]) -> None:
    (root / TRAIN_TAR).write_bytes(tar_of([(name, tar_of(members)) for name, members in classes]))


# Members lost behind a header of zeros


def without_header(path: Path, name: str) -> None:
    """Overwrite the header of a member, at any depth, with zeros."""
    data = path.read_bytes()
    at = data.index(f"{name}\0".encode()) // 512 * 512
    path.write_bytes(data[:at] + bytes(512) + data[at + 512 :])


def two_classes(root: Path) -> None:
    """Make the official archives, with three images of each of two classes, and three val images."""
    train_tar(
        root,
        *((f"{wnid}.tar", [(f"{wnid}_{k}.JPEG", b"x" * 900) for k in range(3)]) for wnid in (FISH, SHARK)),
    )
    val = [f"ILSVRC2012_val_{k:08}.JPEG" for k in (1, 4677, 26064)]
    (root / VAL_TAR).write_bytes(tar_of([(name, b"x" * 900) for name in val]))


@pytest.mark.parametrize(
    ("archive", "member", "last"),
    [
        (TRAIN_TAR, f"{SHARK}.tar", f"'{FISH}.tar'"),
        (TRAIN_TAR, f"{FISH}.tar", "its beginning"),
        (TRAIN_TAR, f"{FISH}_1.JPEG", f"'{FISH}_0.JPEG'"),
        (TRAIN_TAR, f"{SHARK}_0.JPEG", "its beginning"),
        (VAL_TAR, f"{VAL}.JPEG", "'ILSVRC2012_val_00000001.JPEG'"),
        (VAL_TAR, f"{MOVED}.JPEG", f"'{VAL}.JPEG'"),
    ],
)
@pytest.mark.parametrize("pieces", [0, 3])
def test_a_header_of_zeros_is_found_in_the_archive_and_in_the_tars_in_it(root, archive, member, last, pieces):
    two_classes(root)
    without_header(root / archive, member)
    if pieces:
        data = (root / archive).read_bytes()
        (root / archive).unlink()
        for k in range(pieces):
            size = len(data) // pieces + 1
            (root / f"{archive}.{k + 1:03}").write_bytes(data[k * size : (k + 1) * size])
    text = refusal(root)
    inside = f": {member[:9]}.tar" if "_" in member and archive == TRAIN_TAR else ""
    called = f"{archive}.001 (3 pieces, up to {archive}.003)" if pieces else archive
    assert text.startswith(f"{root}/{called}{inside} is damaged: at byte ")
    assert "there are zeros instead of a member's header, and other bytes follow at byte " in text
    assert f" The last good member is {last}. Unfinished downloads have such holes" in text


def test_a_header_of_zeros_is_found_in_a_tar_of_a_class(root):
    (root / "train").mkdir()
    path = root / "train" / f"{FISH}.tar"
    path.write_bytes(tar_of([(f"{FISH}_{k}.JPEG", b"x" * 900) for k in range(3)]))
    without_header(path, f"{FISH}_1.JPEG")
    assert refusal(root).startswith(f"{path} is damaged: at byte 1,536 there are zeros instead of")


def test_an_unfinished_download_is_refused(root):
    two_classes(root)
    size = (root / VAL_TAR).stat().st_size
    with (root / VAL_TAR).open("r+b") as file:  # like a torrent: the right size, with zeros at the end
        file.truncate(1536)
        file.truncate(size + (3 << 20))
    assert refusal(root) == (
        f"{root}/{VAL_TAR} is damaged: from byte 1,536 on it contains only zeros, more than the 1,048,576 "
        "that may end a tar. The last good member is 'ILSVRC2012_val_00000001.JPEG'. Unfinished downloads "
        "look like this: let the download finish, or get the archive again."
    )


# Images that are found


def test_the_official_archives_give_the_images_of_the_tier_and_no_others(root):
    train_tar(
        root,
        ("n01440764.tar", [("n01440764_1.JPEG", b"of 300")]),
        (f"{FISH}.tar", [(f"{FISH}_1.JPEG", b"fish 1"), (f"{FISH}_2.JPEG", b"fish 2")]),
        (f"{SHARK}.tar", [(f"{SHARK}_1.JPEG", b"shark")]),
    )
    val = [("ILSVRC2012_val_00000001.JPEG", b"of none"), (f"{VAL}.JPEG", b"val"), (f"{MOVED}.JPEG", b"moved")]
    (root / VAL_TAR).write_bytes(tar_of(val))
    images, scan = scanned(root)
    assert images == {
        VAL: b"val",
        MOVED: b"moved",
        f"{FISH}_1": b"fish 1",
        f"{FISH}_2": b"fish 2",
        f"{SHARK}_1": b"shark",
    }
    rows, _ = list_tier(root, 50, Index())
    assert {row.image: row.imagenet_wnid for row in rows}[MOVED] == "n01440764"
    assert scan.layout == "official archives"
    assert scan.whole_folders == {}
    assert scan.unrecognized == scan.duplicates == []
    assert scan.sources == {f"{root}/{TRAIN_TAR}": 3, f"{root}/{VAL_TAR}": 2}
    stats = {str(path): path.stat() for path in root.iterdir()}
    assert scan.fingerprints == {path: [[stat.st_size, stat.st_mtime_ns]] for path, stat in stats.items()}


def test_a_class_may_be_in_its_own_tar_in_a_train_folder(root):
    (root / "train" / SHARK).mkdir(parents=True)
    (root / "train" / SHARK / f"{SHARK}_1.JPEG").write_bytes(b"shark")
    (root / "train" / f"{FISH}.tar").write_bytes(tar_of([(f"{FISH}_1.JPEG", b"fish")]))
    (root / "train" / "n01440764.tar").write_bytes(b"of 300, and no tar at all")
    images, scan = scanned(root)
    assert images == {f"{FISH}_1": b"fish", f"{SHARK}_1": b"shark"}
    assert list(scan.fingerprints) == [f"{root}/train/{FISH}.tar"]
    assert scan.whole_folders == {SHARK: f"{root}/train/{SHARK}"}


def test_folders_in_names_do_not_matter(root):
    train_tar(
        root,
        (f"./{FISH}.tar", [(f"./{FISH}_1.JPEG", b"1"), (f"train/{FISH}/{FISH}_2.JPEG", b"2")]),
        (f"train/{SHARK}.tar", [(f"any/{FISH}/{SHARK}_1.JPEG", b"3")]),
    )
    (root / VAL_TAR).write_bytes(tar_of([(f"./val/{SHARK}/{VAL}.JPEG", b"4")]))
    assert scanned(root)[0] == {f"{FISH}_1": b"1", f"{FISH}_2": b"2", f"{SHARK}_1": b"3", VAL: b"4"}


def test_a_train_tar_may_hold_the_images_themselves(root):
    names = [f"{FISH}/{FISH}_1.JPEG", f"./train/{SHARK}/{SHARK}_1.JPEG", "n01440764/n01440764_1.JPEG"]
    (root / TRAIN_TAR).write_bytes(tar_of([(name, name.encode()) for name in names]))
    assert scanned(root)[0] == {f"{FISH}_1": names[0].encode(), f"{SHARK}_1": names[1].encode()}


def test_names_in_another_case_are_found_under_the_official_ones(root):
    archive = tar_of([(f"{FISH.upper()}.TAR", tar_of([(f"{FISH.upper()}_1.JPG", b"1")]))])
    (root / TRAIN_TAR.upper()).write_bytes(archive)
    val = [(f"{VAL.lower()}.jpeg", b"2"), (f"{MOVED.upper()}.JPEG", b"3")]
    (root / VAL_TAR.lower()).write_bytes(tar_of(val))
    assert scanned(root)[0] == {f"{FISH}_1": b"1", VAL: b"2", MOVED: b"3"}


def test_suffixes_of_hugging_face_are_dropped(root):
    train_tar(root, (f"{FISH}.tar", [(f"{FISH}_1_{FISH}.JPEG", b"1")]))
    (root / VAL_TAR).write_bytes(tar_of([(f"{VAL}_{FISH}.JPEG", b"2")]))
    assert scanned(root)[0] == {f"{FISH}_1": b"1", VAL: b"2"}


def test_files_that_macos_adds_are_skipped(root):
    train_tar(
        root,
        (f"._{FISH}.tar", [(f"{FISH}_9.JPEG", b"no")]),
        (f"{FISH}.tar", [(f"._{FISH}_1.JPEG", APPLE), (f"{FISH}_1.JPEG", b"1"), (".DS_Store", APPLE)]),
    )
    (root / VAL_TAR).write_bytes(tar_of([(f"._{VAL}.JPEG", APPLE), (f"{VAL}.JPEG", b"2"), ("._.", APPLE)]))
    images, scan = scanned(root)
    assert images == {f"{FISH}_1": b"1", VAL: b"2"}
    assert scan.unrecognized == []


@pytest.mark.parametrize(
    "name",
    ["notes.txt", f"{SHARK}_1.JPEG", f"{FISH}.JPEG", f"{FISH}_1.png", f"{VAL}.JPEG", f"{FISH}_1.JPEG.part"],
)
def test_unrecognized_files_in_a_class_are_named_and_not_listed(root, name):
    train_tar(root, (f"{FISH}.tar", [(f"{FISH}_2.JPEG", b"2"), (name, b"other")]))
    images, scan = scanned(root)
    assert images == {f"{FISH}_2": b"2"}
    (other,) = scan.unrecognized
    assert other.startswith(f"{root}/{TRAIN_TAR}")
    assert other.endswith(name)


def test_bytes_of_any_kind_are_kept(root):
    contents = [b"\x89PNG\r\n\x1a\n", b"", b"\0" * 1024, bytes(range(256)) * 9]
    train_tar(root, (f"{FISH}.tar", [(f"{FISH}_{k}.JPEG", data) for k, data in enumerate(contents)]))
    assert scanned(root)[0] == {f"{FISH}_{k}": data for k, data in enumerate(contents)}


# Images that are there twice


@pytest.mark.parametrize("second", [f"{FISH}_1.JPEG", f"again/{FISH}_1.jpg", f"{FISH}_1_{FISH}.JPEG"])
def test_an_image_twice_with_the_same_bytes_is_one_image(root, second):
    train_tar(root, (f"{FISH}.tar", [(f"{FISH}_1.JPEG", b"same"), (second, b"same")]))
    assert scanned(root)[0] == {f"{FISH}_1": b"same"}


@pytest.mark.parametrize("second", [f"{FISH}_1.JPEG", f"again/{FISH}_1.jpg", f"{FISH}_1_{FISH}.JPEG"])
@pytest.mark.parametrize("data", [b"sama", b"longer than the first", b""])
def test_an_image_twice_with_other_bytes_is_an_error_that_names_both(root, second, data):
    train_tar(root, (f"{FISH}.tar", [(f"{FISH}_1.JPEG", b"same"), (second, data)]))
    text = refusal(root)
    assert f"{FISH}_1.JPEG twice, with different bytes" in text
    assert repr(second) in text
    whole = (root / TRAIN_TAR).read_bytes()
    with tarfile.open(fileobj=io.BytesIO(whole)) as outer:
        start = outer.next().offset_data
    with tarfile.open(fileobj=io.BytesIO(whole[start:])) as inner:
        offsets = [member.offset_data + start for member in inner]
    assert all(f"at byte {offset:,}" in text for offset in offsets)


def test_a_val_image_twice_with_other_bytes_is_an_error(root):
    (root / VAL_TAR).write_bytes(tar_of([(f"{VAL}.JPEG", b"1"), (f"{FISH}/{VAL}.JPEG", b"2")]))
    assert f"{VAL}.JPEG twice, with different bytes" in refusal(root)


def test_an_image_in_a_class_tar_and_beside_it_must_be_the_same(root):
    members = [(f"{FISH}.tar", tar_of([(f"{FISH}_1.JPEG", b"1")])), (f"{FISH}_1.JPEG", b"2")]
    (root / TRAIN_TAR).write_bytes(tar_of(members))
    assert f"{FISH}_1.JPEG twice, with different bytes" in refusal(root)


@pytest.mark.parametrize("second", [f"{FISH}.tar", f"again/{FISH.upper()}.TAR"])
def test_a_class_tar_twice_with_other_bytes_is_an_error(root, second):
    train_tar(root, (f"{FISH}.tar", [(f"{FISH}_1.JPEG", b"1")]), (second, [(f"{FISH}_1.JPEG", b"2")]))
    assert f"{FISH}_1.JPEG twice, with different bytes" in refusal(root)


def test_two_tars_of_a_class_complete_each_other(root):
    train_tar(
        root,
        (f"{FISH}.tar", [(f"{FISH}_1.JPEG", b"1"), (f"{FISH}_2.JPEG", b"2")]),
        (f"again/{FISH}.tar", [(f"{FISH}_2.JPEG", b"2"), (f"{FISH}_3.JPEG", b"3")]),
    )
    assert scanned(root)[0] == {f"{FISH}_1": b"1", f"{FISH}_2": b"2", f"{FISH}_3": b"3"}


def test_a_folder_comes_before_the_archive_and_is_completed_from_it(root):
    (root / "train" / FISH).mkdir(parents=True)
    (root / "train" / FISH / f"{FISH}_1.JPEG").write_bytes(b"the folder")
    (root / "val").mkdir()
    (root / "val" / f"{VAL}.JPEG").write_bytes(b"the folder")
    train_tar(root, (f"{FISH}.tar", [(f"{FISH}_1.JPEG", b"of the tar"), (f"{FISH}_2.JPEG", b"of the tar")]))
    (root / VAL_TAR).write_bytes(tar_of([(f"{VAL}.JPEG", b"of the tar"), (f"{MOVED}.JPEG", b"of the tar")]))
    images, scan = scanned(root)
    assert images == {
        VAL: b"the folder",
        MOVED: b"of the tar",
        f"{FISH}_1": b"the folder",
        f"{FISH}_2": b"of the tar",
    }
    assert scan.train == [f"{root}/train", f"{root}/{TRAIN_TAR}"]
    assert scan.sources == {f"{root}/{name}": 1 for name in ("train", "val", TRAIN_TAR, VAL_TAR)}
    assert scan.whole_folders == {}, "a link to the folder would lack the archive's image"


def test_of_a_class_folder_and_its_tar_the_folder_is_used_and_the_tar_reported(root):
    (root / "train" / FISH).mkdir(parents=True)
    (root / "train" / FISH / f"{FISH}_1.JPEG").write_bytes(b"the folder")
    (root / "train" / f"{FISH}.tar").write_bytes(tar_of([(f"{FISH}_1.JPEG", b"of the tar")]))
    images, scan = scanned(root)
    assert images == {f"{FISH}_1": b"the folder"}
    assert scan.duplicates == [f"{root}/train/{FISH}.tar: {FISH}_1"]


@pytest.mark.parametrize("endings", [["000", "001", "002"], ["00", "01", "02"], ["001", "002", "003"]])
def test_the_pieces_of_an_archive_are_read_as_one(root, endings):
    data = tar_of([(f"{VAL}.JPEG", b"1" * 3000)])
    for k, ending in enumerate(endings):
        (root / f"{VAL_TAR}.{ending}").write_bytes(data[k * 2000 : (k + 1) * 2000 if k < 2 else None])
    images, scan = scanned(root)
    assert images == {VAL: b"1" * 3000}
    assert scan.val == [f"{root}/{VAL_TAR}.{endings[0]}"]


@pytest.mark.parametrize("sizes", [(5 << 30, 5 << 30), (4, 5 << 30), (5 << 30, 4)])
def test_duplicates_larger_than_any_image_are_refused_unread(root, monkeypatch, sizes):
    with (root / VAL_TAR).open("wb") as file:  # sparse, so it takes no space
        for size in sizes:
            info = tarfile.TarInfo(f"{VAL}.JPEG")
            info.size = size
            file.write(info.tobuf(tarfile.GNU_FORMAT))
            file.seek(-(-size // 512) * 512, io.SEEK_CUR)
        file.write(bytes(1024))
    read = []
    fill = SplitFile.fill
    monkeypatch.setattr(SplitFile, "fill", lambda self, *args: read.append(len(args[0])) or fill(self, *args))
    text = refusal(root)
    assert text.startswith(f"{root}/{VAL_TAR}: {VAL} has {5 << 30:,} bytes, more than any image has. ")
    assert max(read) <= tarfile.RECORDSIZE  # the end of the archive


def test_duplicates_of_different_sizes_are_not_read(root, monkeypatch):
    (root / VAL_TAR).write_bytes(tar_of([(f"{VAL}.JPEG", b"1" * 5000), (f"{FISH}/{VAL}.JPEG", b"1" * 5001)]))
    read = []
    fill = SplitFile.fill
    monkeypatch.setattr(SplitFile, "fill", lambda self, *args: read.append(len(args[0])) or fill(self, *args))
    assert f"{VAL}.JPEG twice, with different bytes" in refusal(root)
    assert max(read) <= tarfile.RECORDSIZE  # the end of the archive


# Damage


@pytest.mark.parametrize("bad", ["../evil.JPEG", f"/tmp/{FISH}_1.JPEG"])
def test_a_member_that_leads_outside_stops_the_listing_with_the_class_named(root, bad):
    train_tar(root, (f"{FISH}.tar", [(f"{FISH}_2.JPEG", b""), (bad, b"evil")]))
    text = refusal(root)
    assert f"{root}/{TRAIN_TAR}: {FISH}.tar is not safe to read" in text
    assert repr(bad) in text


def test_a_class_tar_that_ends_early_is_named_with_its_last_good_member(root):
    inner = tar_of([(f"{FISH}_1.JPEG", b"1" * 900), (f"{FISH}_2.JPEG", b"2" * 900)])
    (root / TRAIN_TAR).write_bytes(tar_of([(f"{FISH}.tar", inner[:2300]), (f"{SHARK}.tar", tar_of([]))]))
    text = refusal(root)
    assert text.startswith(f"{root}/{TRAIN_TAR}: {FISH}.tar ends early")
    assert f"the last good member is '{FISH}_1.JPEG'" in text


def test_a_train_tar_that_ends_early_is_named_with_its_last_good_class(root):
    train_tar(root, *((f"{wnid}.tar", [(f"{wnid}_1.JPEG", b"1")]) for wnid in (FISH, SHARK)))
    os.truncate(root / TRAIN_TAR, (root / TRAIN_TAR).stat().st_size // 2)
    text = refusal(root)
    assert text.startswith(f"{root}/{TRAIN_TAR} ends early")
    assert f"the last good member is '{FISH}.tar'" in text


def test_a_damaged_class_that_the_tier_does_not_need_does_no_harm(root):
    members = [("n01440764.tar", b"of 300, and no tar"), (f"{FISH}.tar", tar_of([(f"{FISH}_1.JPEG", b"1")]))]
    (root / TRAIN_TAR).write_bytes(tar_of(members))
    assert scanned(root)[0] == {f"{FISH}_1": b"1"}


# After the listing


def read_all(root: Path, folder: Path, change: Callable[[], None] = lambda: None) -> dict[str, int]:
    """List tier 50, call `change`, and read all parts; return image → size in bytes."""
    rows, scan = list_tier(root, 50, Index())
    write_listing(listing_of(rows, scan.fingerprints), folder / "listing.parquet")
    change()
    found = {}
    for part in subset_parts(50):
        records = folder / f"{part}.parquet"
        read_part(part, folder / "listing.parquet", records, folder / "pool", None, folder / "scratch")
        found |= {row["image"]: row["bytes"] for row in pq.read_table(records).to_pylist()}
    return found


@pytest.mark.parametrize("how", ["touched", "longer", "shorter", "replaced"])
@pytest.mark.parametrize("name", [TRAIN_TAR, f"{VAL_TAR}.002"])
def test_an_archive_that_changed_after_the_listing_is_refused(root, tmp_path, name, how):
    train_tar(root, (f"{FISH}.tar", [(f"{FISH}_1.JPEG", b"1")]))
    val = tar_of([(f"{VAL}.JPEG", b"2")])
    (root / f"{VAL_TAR}.001").write_bytes(val[:700])
    (root / f"{VAL_TAR}.002").write_bytes(val[700:])
    path = root / name

    def change():
        stat, data = path.stat(), path.read_bytes()
        if how == "touched":
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
        elif how == "replaced":  # as large as before, and older
            path.unlink()
            path.write_bytes(data[::-1])
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns - 10**9))
        else:
            path.write_bytes(data + b"\0" if how == "longer" else data[:-1])
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    with pytest.raises(UserError, match="has changed since its members were listed") as error:
        read_all(root, tmp_path, change)
    assert name.removesuffix(".002") in str(error.value)
    assert not (tmp_path / "pool").exists()
    assert not list(tmp_path.glob("*-0.parquet"))


def test_archives_that_did_not_change_are_read(root, tmp_path):
    train_tar(root, (f"{FISH}.tar", [(f"{FISH}_1.JPEG", b"1")]))
    (root / VAL_TAR).write_bytes(tar_of([(f"{VAL}.JPEG", b"22")]))
    assert read_all(root, tmp_path) == {f"{FISH}_1": 1, VAL: 2}
    pool = tmp_path / "pool"
    pooled = {str(path.relative_to(pool)): path.read_bytes() for path in pool.rglob("*.JPEG")}
    images = ((f"{FISH}_1", b"1"), (VAL, b"22"))
    assert pooled == {pool_path(name, FISH, hashlib.sha256(data).digest()): data for name, data in images}


def test_an_empty_member_is_named_with_its_archive(root, tmp_path):
    train_tar(root, (f"{FISH}.tar", [(f"{FISH}_1.JPEG", b""), (f"{FISH}_2.JPEG", b"2")]))
    with pytest.raises(UserError, match="1 image files are empty") as error:
        read_all(root, tmp_path)
    assert f"{root}/{TRAIN_TAR}: {FISH}_1" in str(error.value)


@pytest.mark.parametrize("layout", [official, official_in_pieces])
def test_only_headers_and_the_members_needed_are_read(imagenet50, tmp_path, monkeypatch, layout):
    root = layout(imagenet50, tmp_path / "imagenet")
    if layout is official:  # classes and val images that 50 does not need, as large as those that it needs
        other = [(f"n01440764_{k}.JPEG", b"o" * 100_000) for k in range(100)]
        unlisted = [(f"ILSVRC2012_val_{k:08}.JPEG", b"u" * 100_000) for k in range(90_000, 90_100)]
        prepend(root / TRAIN_TAR, [("n01440764.tar", tar_of(other))])
        prepend(root / VAL_TAR, unlisted)
    read = []
    fill = SplitFile.fill

    def counting(self, buffer, offset):
        read.append(fill(self, buffer, offset))
        return read[-1]

    monkeypatch.setattr(SplitFile, "fill", counting)
    found = read_all(root, tmp_path)
    assert len(found) == 650 + 752 + 1682
    needed = sum(found.values())
    # One header per member: classes, their images, val images, and the end of each tar.
    headers = 512 * (51 + 650 + 1682 + 752 + 100 + 50 + 2)
    padding = tarfile.RECORDSIZE * (50 + 2)
    assert needed <= sum(read) <= needed + headers + padding
    sizes = sum(path.stat().st_size for path in root.iterdir())
    assert layout is not official or sizes > 2 * needed


def prepend(path: Path, members: list[tuple[str, bytes]]) -> None:
    """Insert members before those of a tar."""
    first = tar_of(members)
    with tarfile.open(fileobj=io.BytesIO(first)) as archive:
        last = archive.getmembers()[-1]
    path.write_bytes(first[: last.offset_data + -(-last.size // 512) * 512] + path.read_bytes())


# Folders that cannot be read


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="pathlib takes it for a folder that is not there")
def test_a_folder_that_cannot_be_read_is_reported_without_a_traceback(tmp_path):
    # A name that no file system allows, as root may read any folder.
    folder = tmp_path / ("x" * 300)
    run = snakemake(tmp_path, "-n", imagenet=str(folder))
    assert run.code == 1
    assert f"`imagenet`: cannot read {folder}: File name too long. " in run.text
    assert "Traceback" not in run.text
