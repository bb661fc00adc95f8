"""A reader returns the bytes of images, from files and archives, or says what is wrong."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from helpers.synthetic_zip import zip_bytes
from imagenet_s.images import reader as module
from imagenet_s.images.reader import Reader, Readers
from imagenet_s.io.tar_headers import MAX_IMAGE_BYTES
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.listing import Row
from imagenet_s.source.readers.base import ScanNotes
from imagenet_s.source.readers.zip import Zip
from imagenet_s.source.tar_index import Index

FISH = "n01443537"


def row_of(path: Path) -> Row:
    return Row(f"{FISH}_1", FISH, str(path))


def test_a_reader_returns_complete_files_of_any_size(tmp_path):
    with Reader(8) as reader:
        # A short file must not end with bytes of a longer one before it.
        for size in (0, 7, 8, 9, 3, 100, 0, 5000, 1):
            data = np.random.default_rng(size).bytes(size)
            (tmp_path / "a").write_bytes(data)
            assert bytes(reader.read(row_of(tmp_path / "a"))) == data


def test_a_reader_alternates_between_archives_and_files(tmp_path):
    archive, file = np.random.default_rng(0).bytes(9000), b"a file"
    (tmp_path / "a.tar").write_bytes(archive)
    (tmp_path / "b").write_bytes(file)
    with Reader(8) as reader:
        for start, size in ((0, 3), (5, 9), (100, 8000), (0, 9000), (8999, 1), (17, 0)):
            row = row_of(tmp_path / "a.tar")._replace(offset=start, size=size)
            assert bytes(reader.read(row)) == archive[start : start + size]
            assert bytes(reader.read(row_of(tmp_path / "b"))) == file


def test_an_archive_that_became_shorter_is_reported(tmp_path):
    path = tmp_path / "a.tar"
    path.write_bytes(b"x" * 100)
    row = row_of(path)._replace(offset=20, size=50)
    with Reader(8) as reader:
        assert bytes(reader.read(row)) == b"x" * 50
        os.truncate(path, 60)
        with pytest.raises(UserError, match=f"{path} became shorter while it was read"):
            reader.read(row)


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"x" * 5)
    real_fstat = os.fstat

    def fstat_then_grow(file):
        stat = real_fstat(file)
        with path.open("ab") as more:
            more.write(b"y" * 100)
        return stat

    with Reader(8) as reader:
        held = reader.read(row_of(path))  # as the loop over images keeps the previous one
        monkeypatch.setattr(os, "fstat", fstat_then_grow)
        with pytest.raises(UserError, match="a changed while it was read"):
            reader.read(row_of(path))
    assert len(held) == 5


def opened(paths: list[Path]) -> list[Path]:
    """Return those of the files that this process has open."""
    found = []
    for file in range(1024):
        with suppress(OSError):
            found += [path for path in paths if os.path.samestat(os.fstat(file), os.stat(path))]
    return found


def test_a_reader_closes_its_files(tmp_path):
    names = [tmp_path / "a", tmp_path / "a.tar", tmp_path / "b.tar"]
    for path in names:
        path.write_bytes(b"x")
    with Reader(8) as reader:
        for _ in range(3):
            reader.read(row_of(names[0]))
        assert opened(names) == []
        for path in names[1:]:  # the archive that was read last stays open
            reader.read(row_of(path)._replace(offset=0, size=1))
        assert opened(names) == names[2:]
    assert opened(names) == []


def zipped(path: Path, *images: bytes) -> list[Row]:
    """Write a zip of images, stored and deflated in turn, and return their rows."""
    path.write_bytes(zip_bytes((f"{FISH}_{k}.JPEG", data) for k, data in enumerate(images)))
    [(_, found)] = Zip(path, ScanNotes(), Index()).train_images([FISH])
    return [Row(image.image, FISH, *image[1:]) for image in found]


def test_a_reader_alternates_between_members_of_zips_and_files(tmp_path):
    images = [np.random.default_rng(size).bytes(size) for size in (3, 0, 5000, 9000, 0, 1)]
    rows = zipped(tmp_path / "x.zip", *images)
    (tmp_path / "b").write_bytes(b"a file")
    with Reader(8) as reader:
        for row, image in zip(rows[::-1], images[::-1], strict=True):
            assert bytes(reader.read(row)) == image
            assert bytes(reader.read(row_of(tmp_path / "b"))) == b"a file"


@pytest.mark.parametrize("k", [0, 1])
def test_a_zip_that_became_shorter_is_reported(tmp_path, k):
    path = tmp_path / "x.zip"
    row = zipped(path, b"x" * 100, bytes(range(100)))[k]
    with Reader(8) as reader:
        reader.read(row)
        os.truncate(path, row.offset + 60)
        with pytest.raises(UserError, match=f"{path} is damaged at {row.image}: "):
            reader.read(row)


@pytest.mark.parametrize("field", ["size", "packed"])
def test_a_member_of_a_zip_that_is_larger_than_any_image_is_not_read(tmp_path, field):
    row = zipped(tmp_path / "x.zip", b"x")[0]._replace(**{field: MAX_IMAGE_BYTES + 1})
    with Reader(8) as reader, pytest.raises(UserError, match="bytes, more than any image has"):
        reader.read(row)
    assert len(reader.buffer) < 1000


# Several threads


@pytest.fixture
def eight(monkeypatch):
    """Images of more than eight bytes are large, for readers in several threads."""
    monkeypatch.setattr(module, "COMMON_SIZE", 8)


@pytest.fixture
def rows(tmp_path) -> dict[bytes, Row]:
    """The rows of images by their bytes: files and members of archives, each small and large."""
    images = [np.random.default_rng(size).bytes(size) for size in (3, 5000, 4, 9000)]
    found = dict(zip(images[:2], zipped(tmp_path / "x.zip", *images[:2]), strict=True))
    for image in images[2:]:
        (tmp_path / f"{len(image)}").write_bytes(image)
        found[image] = row_of(tmp_path / f"{len(image)}")
    (tmp_path / "x.tar").write_bytes(b"".join(images))
    for k in (0, 1):
        image, start = images[k] + images[k + 1], sum(map(len, images[:k]))
        found[image] = row_of(tmp_path / "x.tar")._replace(offset=start, size=len(image))
    return found


def test_readers_return_small_and_large_images_in_many_threads(eight, rows, tmp_path):
    with Readers() as readers:

        def read(image: bytes) -> bytes:
            with readers.read(rows[image]) as data:
                return bytes(data)

        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(read, list(rows) * 50)) == list(rows) * 50
        assert len(readers.free) <= 8
        assert {len(reader.buffer) for reader in readers.free} == {8}, "only one buffer grows"
    assert opened([path for path in tmp_path.iterdir() if path.suffix]) == []


def test_only_one_large_image_is_in_memory(eight, tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 5000)
    (tmp_path / "b").write_bytes(b"x" * 5)
    second = threading.Event()
    with Readers() as readers:

        def read_second() -> None:
            with readers.read(row_of(tmp_path / "a")):
                second.set()

        with readers.read(row_of(tmp_path / "a")):
            thread = threading.Thread(target=read_second)
            thread.start()
            with readers.read(row_of(tmp_path / "b")) as small:
                assert bytes(small) == b"x" * 5, "small ones do not wait"
            assert not second.wait(0.05)
        thread.join()
        assert second.is_set()


def test_an_image_that_cannot_be_read_leaves_the_readers_usable(eight, rows, tmp_path):
    with Readers() as readers:
        for _ in range(3):
            with pytest.raises(FileNotFoundError), readers.read(row_of(tmp_path / "none")):
                pass
            with pytest.raises(ZeroDivisionError), readers.read(row_of(tmp_path / "9000")):
                raise ZeroDivisionError
        assert len(readers.free) == 1
        for image, row in rows.items():
            with readers.read(row) as data:
                assert bytes(data) == image


def test_a_file_that_grows_past_the_buffer_of_a_thread_is_read_again(eight, tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"x" * 5)
    real_fstat = os.fstat

    def fstat_then_grow(file):
        stat = real_fstat(file)
        if stat.st_size == 5:
            with path.open("ab") as more:
                more.write(b"y" * 100)
        return stat

    monkeypatch.setattr(os, "fstat", fstat_then_grow)
    with Readers() as readers, readers.read(row_of(path)) as data:
        assert bytes(data) == b"x" * 5 + b"y" * 100
