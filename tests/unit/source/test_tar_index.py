"""The index of tars: headers are read once, and again when the archive has changed."""

import io
import os
import resource
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.raw_imagenet import tar_of
from helpers.scans import FISH, SHARK, VAL
from imagenet_s.io.split_file import SplitFile
from imagenet_s.io.tar_headers import Member
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.scan import list_tier
from imagenet_s.source.tar_index import Index

TENCH = "n01440764"  # a class of tier 300
TRAIN_TAR, VAL_TAR = "ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar"


@pytest.fixture
def root(tmp_path) -> Path:
    """Return a folder of the official archives, with two classes of 50, one of 300, and one val image."""
    root = tmp_path / "imagenet"
    root.mkdir()
    tars = [(f"{wnid}.tar", class_tar(wnid)) for wnid in (TENCH, FISH, SHARK)]
    (root / TRAIN_TAR).write_bytes(tar_of(tars))
    (root / VAL_TAR).write_bytes(tar_of([(f"{VAL}.JPEG", b"val")]))
    return root


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "work" / "index.parquet"


def class_tar(wnid: str) -> bytes:
    return tar_of([(f"{wnid}_{k}.JPEG", f"{wnid} {k}".encode()) for k in range(3)])


def members(archive: Path, index: Index, tar: Member | None = None) -> list[Member]:
    with SplitFile(archive) as pieces:
        return index.members(pieces, tar)


def indexed(path: Path, *archives: Path) -> None:
    """Write an index of some archives."""
    index = Index(path)
    for archive in archives:
        members(archive, index)
    index.save()


def wiped(archive: Path) -> None:
    """Overwrite all bytes of an archive, and keep its size and time."""
    stat = archive.stat()
    archive.write_bytes(b"\xff" * stat.st_size)
    os.utime(archive, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def bytes_read() -> int:
    """Return how many bytes this process has read so far."""
    return int(Path("/proc/self/io").read_text().split()[1])


# What the index keeps


@pytest.mark.parametrize("tier", [50, 300])
def test_a_second_listing_reads_no_header(root, path, tier):
    index = Index(path)
    first = list_tier(root, tier, index)
    index.save()
    assert len(first[0]) == {50: 2 * 3 + 1, 300: 3}[tier]
    for archive in root.iterdir():
        wiped(archive)
    assert list_tier(root, tier, Index(path)) == first
    with pytest.raises(UserError):
        list_tier(root, tier, Index())


def test_only_the_classes_asked_for_are_indexed(root, path):
    index = Index(path)
    list_tier(root, 50, index)
    index.save()
    with tarfile.open(root / TRAIN_TAR) as archive:
        offsets = {member.name: member.offset_data for member in archive}
    train = str(root / TRAIN_TAR)
    expected = {(train, 0), (train, offsets[f"{FISH}.tar"]), (train, offsets[f"{SHARK}.tar"])}
    assert set(Index(path).tables) == expected | {(str(root / VAL_TAR), 0)}
    # The headers of other classes were not read: this one has none.
    with (root / TRAIN_TAR).open("r+b") as file:
        file.seek(offsets[f"{TENCH}.tar"])
        file.write(b"\xff" * 512)
    assert len(list_tier(root, 50, Index())[0]) == 2 * 3 + 1
    with pytest.raises(UserError, match=f"{TENCH}.tar"):
        list_tier(root, 300, Index())


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="no count of what was read")
def test_a_listing_reads_headers_and_a_second_one_not_even_those(root, path):
    images = [(f"{FISH}_{k}.JPEG", bytes([k]) * 50_000) for k in range(100)]
    (root / TRAIN_TAR).write_bytes(
        tar_of([(f"{TENCH}.tar", tar_of(images)), (f"{FISH}.tar", tar_of(images))])
    )
    list_tier(root, 50, Index())  # the official lists are read once
    counts = [bytes_read()]
    for _ in range(2):
        index = Index(path)
        assert len(list_tier(root, 50, index)[0]) == 101
        index.save()
        counts.append(bytes_read())
    first, second = counts[1] - counts[0], counts[2] - counts[1]
    padding = 3 * tarfile.RECORDSIZE  # at the end of each tar
    assert first < 512 * 110 + padding + 10_000, "100 images, 2 classes, 1 val image, the end of each tar"
    assert second < path.stat().st_size + 10_000


def test_several_archives_and_the_tars_in_them_share_one_index(tmp_path, path):
    archives = [tmp_path / f"{k}.tar" for k in range(3)]
    for archive in archives:
        archive.write_bytes(tar_of([(f"{wnid}.tar", class_tar(wnid)) for wnid in (FISH, SHARK)]))
    index = Index(path)
    inner = {}
    for k in range(2):
        for archive in archives:  # in turn
            tar = members(archive, index)[k]
            inner[archive, tar] = members(archive, index, tar)
    index.save()
    for archive in archives:
        wiped(archive)
    kept = Index(path)
    assert len(inner) == 6
    for (archive, tar), expected in inner.items():
        assert members(archive, kept) == members(archive, index)
        assert members(archive, kept, tar) == expected
        assert [member.name for member in expected] == [f"{tar.name[:9]}_{k}.JPEG" for k in range(3)]
        assert all(tar.offset < member.offset < tar.offset + tar.size for member in expected)


def test_the_pieces_of_an_archive_are_indexed_as_one(tmp_path, path):
    data = tar_of([(f"{FISH}_{k}.JPEG", bytes([k]) * 700) for k in range(9)])
    pieces = [tmp_path / f"a.tar.00{k}" for k in (1, 2, 3)]
    for k, piece in enumerate(pieces):
        piece.write_bytes(data[k * 5000 : (k + 1) * 5000 if k < 2 else None])
    indexed(path, pieces[0])
    expected = members(pieces[0], Index())
    for piece in pieces:
        wiped(piece)
    assert members(pieces[0], Index(path)) == expected
    os.utime(pieces[2])
    with pytest.raises(UserError):
        members(pieces[0], Index(path))


def test_names_that_are_not_utf_8_survive(tmp_path, path):
    names = [
        "Bäume.JPEG",
        b"\xff\xfe\xe4.JPEG".decode("utf-8", "surrogateescape"),
        "图片.JPEG",
        "a\nb,\"c'.JPEG",
    ]
    archive = tmp_path / "a.tar"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name))
    archive.write_bytes(buffer.getvalue())
    indexed(path, archive)
    wiped(archive)
    assert [member.name for member in members(archive, Index(path))] == names


def test_offsets_and_sizes_beyond_four_gigabytes_survive(tmp_path, path):
    archive, size = tmp_path / "a.tar", 9 << 30
    info = tarfile.TarInfo("large")
    info.size = size
    with archive.open("wb") as file:  # sparse, so it takes no space
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        file.seek(512 + size)
        file.write(tar_of([("last", b"x")]))
    indexed(path, archive)
    assert members(archive, Index(path)) == [Member("large", 512, size), Member("last", 2 * 512 + size, 1)]
    assert path.stat().st_size < 10_000


def test_a_tar_without_members_is_indexed(tmp_path, path):
    archives = [tmp_path / f"{k}.tar" for k in range(2)]
    archives[0].write_bytes(tar_of([]))
    archives[1].write_bytes(tar_of([("a", b"")]))
    indexed(path, *archives)
    assert members(archives[0], Index(path)) == []
    assert members(archives[1], Index(path)) == [Member("a", 512, 0)]
    indexed(path.with_name("empty.parquet"), archives[0])
    assert members(archives[0], Index(path.with_name("empty.parquet"))) == []


# What no longer counts


@pytest.mark.parametrize("how", ["touched", "older", "longer", "shorter"])
def test_an_archive_of_another_size_or_time_is_read_again(tmp_path, path, how):
    archive, other = tmp_path / "a.tar", tmp_path / "b.tar"
    archive.write_bytes(tar_of([("before", b"1")]))
    other.write_bytes(tar_of([("other", b"1")]))
    indexed(path, archive, other)
    stat = archive.stat()
    data = tar_of([("after", b"1")])
    data = {"longer": data + b"\0", "shorter": data[:-1]}.get(how, data)
    archive.write_bytes(data)
    shift = {"touched": 1, "older": -1}.get(how, 0)
    os.utime(archive, ns=(stat.st_atime_ns, stat.st_mtime_ns + shift))
    index = Index(path)
    assert [member.name for member in members(archive, index)] == ["after"]
    index.save()
    for written in (archive, other):
        wiped(written)
    assert [member.name for member in members(archive, Index(path))] == ["after"]
    assert [member.name for member in members(other, Index(path))] == ["other"]


def test_an_archive_that_is_gone_is_forgotten(tmp_path, path):
    archive, other = tmp_path / "a.tar", tmp_path / "b.tar"
    for written in (archive, other):
        written.write_bytes(tar_of([(written.name, b"1")]))
    indexed(path, archive)
    archive.unlink()
    indexed(path, other)
    assert set(Index(path).tables) == {(str(other), 0)}
    assert set(Index(path).fingerprints) == {str(other)}


def test_an_earlier_archive_whose_pieces_are_gone_does_not_stop_another(tmp_path, path, root):
    data = tar_of([("a", b"1" * 3000)])
    for k in range(4):
        (tmp_path / f"a.tar.00{k}").write_bytes(data[k * 1000 : (k + 1) * 1000 if k < 3 else None])
    indexed(path, tmp_path / "a.tar.000")
    (tmp_path / "a.tar.002").unlink()
    assert len(list_tier(root, 50, Index(path))[0]) == 7


def test_an_index_is_not_written_if_nothing_is_new(root, path):
    indexed(path, root / VAL_TAR)
    before = path.stat()
    indexed(path, root / VAL_TAR)
    assert path.stat() == before
    indexed(path, root / TRAIN_TAR)
    assert path.stat() != before


def test_without_a_file_nothing_is_written(root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    index = Index()
    list_tier(root, 50, index)
    index.save()
    assert sorted(tmp_path.rglob("*")) == before


# Failures and damage


def test_a_save_that_fails_leaves_the_old_index(root, path):
    indexed(path, root / VAL_TAR)
    before = path.read_bytes()
    index = Index(path)
    members(root / TRAIN_TAR, index)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))  # as on a full disk
    try:
        with pytest.raises(OSError, match="File too large"):
            index.save()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == before
    index.save()
    assert {archive for archive, _ in Index(path).tables} == {str(root / TRAIN_TAR), str(root / VAL_TAR)}


def test_what_a_killed_save_left_is_not_read(root, path):
    indexed(path, root / VAL_TAR)
    path.with_name(f".{path.name}.part").write_bytes(path.read_bytes()[:100])
    wiped(root / VAL_TAR)
    assert members(root / VAL_TAR, Index(path)) == [Member(f"{VAL}.JPEG", 512, 3)]
    indexed(path, root / TRAIN_TAR)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 20)


def replaced(**columns) -> Callable[[Path], None]:
    return lambda path: pq.write_table(pa.table(columns), path)


def relabelled(**metadata: str) -> Callable[[Path], None]:
    """Return a function that writes the same table with other metadata."""

    def change(path: Path) -> None:
        table = pq.read_table(path)
        labels = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
        labels = {key: value for key, value in (labels | metadata).items() if value}
        pq.write_table(table.replace_schema_metadata(labels), path)

    return change


def wrong_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(VAL.encode())] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [
        truncated,
        wrong_byte,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"no parquet" * 100),
        replaced(archive=["a"]),
        replaced(archive=[1], inner=["x"], name=[None], offset=[1.5], size=[True]),
        relabelled(version="1"),
        relabelled(version=""),
        relabelled(fingerprints=""),
        relabelled(fingerprints="[1"),
        relabelled(fingerprints="[]"),
        relabelled(fingerprints='{"a": 5}'),
    ],
)
def test_an_index_that_cannot_be_used_is_made_again(root, path, damage):
    indexed(path, root / VAL_TAR)
    expected = members(root / VAL_TAR, Index())
    damage(path)
    index = Index(path)
    assert members(root / VAL_TAR, index) == expected
    index.save()
    wiped(root / VAL_TAR)
    assert members(root / VAL_TAR, Index(path)) == expected


def test_an_index_that_is_ignored_is_named_in_the_log(root, path, caplog):
    indexed(path, root / VAL_TAR)
    relabelled(version="1")(path)
    with caplog.at_level("INFO"):
        Index(path)
    assert (
        f"{path} cannot be used and is made again: expected an index of version 2, found version 1"
        in caplog.text
    )


def test_a_damaged_archive_leaves_the_others_in_the_index(root, tmp_path, path):
    (root / TRAIN_TAR).write_bytes((root / TRAIN_TAR).read_bytes()[:5000])
    index = Index(path)
    assert len(members(root / VAL_TAR, index)) == 1
    with pytest.raises(UserError, match="ends early"):
        members(root / TRAIN_TAR, index)
    index.save()
    assert set(Index(path).tables) == {(str(root / VAL_TAR), 0)}


@pytest.mark.parametrize("size", [-512, -1024, -1536, -2048])
def test_a_pax_header_with_a_negative_size_is_refused(tmp_path, size):
    record = f" size={size}\n"
    record = f"{len(record) + 2}{record}".encode()
    pax = tarfile.TarInfo("pax")
    pax.type, pax.size = b"x", len(record)
    data = pax.tobuf(tarfile.GNU_FORMAT) + record.ljust(512, b"\0") + tar_of([(f"{FISH}_1.JPEG", b"1")])
    (tmp_path / "a.tar").write_bytes(data)
    with pytest.raises(UserError, match=f"'{FISH}_1.JPEG' has {size:,} bytes"):
        members(tmp_path / "a.tar", Index())
