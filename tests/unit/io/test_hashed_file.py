"""The digest of a file that is written is that of its bytes."""

import hashlib

import pytest

from helpers.outputs import FULL
from imagenet_s.io.hashed_file import HashedFile


def test_the_digest_and_the_size_are_those_of_the_file(tmp_path):
    parts = [bytes([k % 256]) * (k * 100) for k in range(100)]
    with HashedFile(tmp_path / "x") as file:
        for k, part in enumerate(parts):
            assert file.tell() == sum(map(len, parts[:k]))
            assert file.write(part if k % 2 else memoryview(part)) == len(part)
        file.flush()
    data = b"".join(parts)
    assert (tmp_path / "x").read_bytes() == data
    assert (file.size, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert file.closed


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("size", [1, 10_000_000])
def test_a_full_disk_is_an_error_at_the_latest_when_the_file_is_closed(size):
    with pytest.raises(OSError, match="No space left on device"), HashedFile(FULL) as file:
        file.write(bytes(size))


def test_an_error_in_the_block_closes_the_file(tmp_path):
    file = HashedFile(tmp_path / "x")
    file.write(b"abc")
    with pytest.raises(KeyError), file:
        raise KeyError
    assert file.closed
    assert (tmp_path / "x").read_bytes() == b"abc"
