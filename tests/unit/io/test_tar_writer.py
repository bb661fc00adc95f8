"""Tars are read by tarfile and GNU tar, and tell nothing about the files that were packed."""

import io
import subprocess
import tarfile

import pytest

from imagenet_s.io.tar_writer import BLOCK, END, MAX_NAME, MAX_SIZE, header, padding

FILES = {"n01440764/a.jpg": b"x" * 1000, "n01440764/a.cls": b"0", "b": b"", "c" * MAX_NAME: b"y" * 512}


def packed(files: dict[str, bytes]) -> bytes:
    parts = [
        part for name, data in files.items() for part in (header(name, len(data)), data, padding(len(data)))
    ]
    return b"".join([*parts, END])


def test_tarfile_reads_names_bytes_and_nothing_else():
    with tarfile.open(fileobj=io.BytesIO(packed(FILES))) as archive:
        members = archive.getmembers()
        assert {m.name: archive.extractfile(m).read() for m in members} == FILES
    for member in members:
        assert (member.mode, member.uid, member.gid, member.mtime) == (0o644, 0, 0, 0)
        assert (member.uname, member.gname, member.pax_headers) == ("", "", {})


def test_a_header_is_that_of_tarfile():
    for name, size in [*((name, len(data)) for name, data in FILES.items()), ("big", MAX_SIZE)]:
        member = tarfile.TarInfo(name)
        member.size = size
        own, other = header(name, size), member.tobuf(tarfile.USTAR_FORMAT)
        # tarfile leaves out the numbers of a device, and so its checksum is another.
        assert (own[:148], own[156:329], len(own)) == (other[:148], other[156:329], BLOCK)


def test_tar_lists_it_without_a_word(tmp_path):
    (tmp_path / "x.tar").write_bytes(packed(FILES))
    listed = subprocess.run(["tar", "tf", tmp_path / "x.tar"], capture_output=True, text=True, check=True)
    assert (listed.stdout.split(), listed.stderr) == (list(FILES), "")


@pytest.mark.parametrize(("name", "size"), [("é" * 51, 1), ("a", MAX_SIZE + 1)])
def test_what_does_not_fit_is_refused(name, size):
    with pytest.raises(ValueError, match="does not fit into a header of a tar"):
        header(name, size)
