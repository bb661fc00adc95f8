"""Tars from every writer have the members that tarfile finds; damaged and hostile ones are refused."""

import contextlib
import io
import os
import shutil
import subprocess
import tarfile
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.raw_imagenet import tar_of
from imagenet_s.io.split_file import SplitFile
from imagenet_s.io.tar_headers import BLOCK, MAX_PADDING, Member, members
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.tar_index import Index

FORMS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
END = bytes(2 * BLOCK)


def found(path: Path, start: int = 0, stop: int | None = None) -> list[Member]:
    """Return the first 100 members. The limit ends the test if a bug makes the reader loop."""
    with SplitFile(path) as pieces:
        return list(islice(members(pieces, str(path), start, stop), 100))


def expected(data: bytes) -> list[Member]:
    """Return the members that tarfile finds."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return [Member(m.name, m.offset_data, m.size) for m in archive if not m.isdir()]


def same(path: Path, data: bytes) -> list[Member]:
    """Return the members, after checking that they are those that tarfile finds."""
    path.write_bytes(data)
    assert found(path) == expected(data)
    return expected(data)


def refusal(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(UserError) as error:
        found(path)
    assert str(error.value).startswith(str(path))
    return str(error.value)


def forged(name: bytes, size: int | bytes, kind: bytes = b"0", magic: bytes = b"ustar\x0000") -> bytes:
    """Return a header with a correct checksum and these fields."""
    header = bytearray(BLOCK)
    header[: len(name)] = name
    header[100:108] = b"0000644\0"
    header[124:136] = size if isinstance(size, bytes) else b"%011o\0" % size
    header[156:157] = kind
    header[257 : 257 + len(magic)] = magic
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % BLOCK)


GOOD = forged(b"good.JPEG", 700) + padded(b"g" * 700)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "a.tar"


# Formats of different writers


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 5000])
def test_members_of_every_size_are_found(path, form, size):
    data = tar_of([(f"{k}.JPEG", bytes([k]) * size) for k in range(3)], FORMS[form])
    assert [data[m.offset : m.offset + m.size] for m in same(path, data)] == [
        bytes([k]) * size for k in range(3)
    ]


@pytest.mark.parametrize("form", ["gnu", "pax"])
@pytest.mark.parametrize("length", [99, 100, 101, 154, 155, 156, 256, 257, 1000])
def test_long_names_are_complete(path, form, length):
    names = ["a" * length, "b" * (length // 2) + "/" + "c" * (length - length // 2 - 1), "last"]
    assert [m.name for m in same(path, tar_of([(name, b"x") for name in names], FORMS[form]))] == names


def test_the_prefix_of_ustar_names_is_put_before_them(path):
    name = "p" * 155 + "/" + "n" * 100
    assert [m.name for m in same(path, tar_of([(name, b"x")], tarfile.USTAR_FORMAT))] == [name]


@pytest.mark.parametrize("form", ["gnu", "pax"])
def test_names_that_are_not_ascii_are_found(path, form):
    names = ["Bäume.JPEG", "图片" * 60 + ".JPEG", "plain.JPEG"]
    assert [m.name for m in same(path, tar_of([(name, b"x") for name in names], FORMS[form]))] == names


def test_global_pax_headers_are_skipped(path):
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "x"}
    ) as archive:
        for name in ("a", "b"):
            info = tarfile.TarInfo(name)
            info.size = 3
            archive.addfile(info, io.BytesIO(b"abc"))
    assert buffer.getvalue()[156:157] == b"g"
    assert [m.name for m in same(path, buffer.getvalue())] == ["a", "b"]


@pytest.mark.parametrize("count", [1, 2])
def test_a_tar_may_end_after_a_global_pax_header(path, count):
    header = forged(b"pax_global_header", 13, b"g") + padded(b"13 comment=x\n")
    path.write_bytes(header + GOOD + header * count + END)
    assert [m.name for m in found(path)] == ["good.JPEG"]
    path.write_bytes(header * count + END)
    assert found(path) == []
    for end in (b"", forged(b"pax", 13, b"x") + padded(b"13 comment=x\n") + END):
        assert "'good.JPEG'" in refusal(path, GOOD + header * count + end)


def test_headers_of_unix_v7_are_read(path):
    data = forged(b"old.JPEG", 5, b"\0", b"") + padded(b"bytes") + END
    assert same(path, data) == [Member("old.JPEG", BLOCK, 5)]


def test_a_folder_of_unix_v7_is_not_a_file(path):
    # It has the type of a file and a name that ends in a slash.
    assert same(path, forged(b"n01443537/", 0, b"\0", b"") + GOOD + END) == [
        Member("good.JPEG", 2 * BLOCK, 700)
    ]


def test_folders_are_skipped(path):
    assert same(path, forged(b"train/", 0, b"5") + GOOD + END) == [Member("good.JPEG", 2 * BLOCK, 700)]


def test_a_size_in_binary_is_read(path):
    size = b"\x80" + (700).to_bytes(11)
    data = forged(b"big.JPEG", size, magic=b"ustar  \0") + padded(b"b" * 700) + GOOD + END
    assert [m.name for m in same(path, data)] == ["big.JPEG", "good.JPEG"]


def test_a_member_larger_than_an_octal_size_is_found(path):
    size = 9 << 30
    header = forged(b"big.tar", b"\x80" + size.to_bytes(11), magic=b"ustar  \0")
    with path.open("wb") as file:  # a sparse file
        file.write(header)
        file.seek(BLOCK + size)
        file.write(GOOD + END)
    assert found(path) == [Member("big.tar", BLOCK, size), Member("good.JPEG", size + 2 * BLOCK, 700)]


def test_sizes_padded_with_spaces_are_read(path):
    assert same(path, forged(b"a", b"        14 \0") + padded(b"a" * 12) + END) == [Member("a", BLOCK, 12)]


def test_a_header_of_zeros_is_not_the_end_if_other_bytes_follow(path):
    more = [forged(f"{k}.JPEG".encode(), 700) + padded(b"m" * 700) for k in range(3)]
    text = refusal(path, GOOD + bytes(BLOCK) + padded(b"x" * 700) + more[0] + END)
    assert text == (
        f"{path} is damaged: at byte 1,536 there are zeros instead of a member's header, and other bytes "
        "follow at byte 2,048. The last good member is 'good.JPEG'. Unfinished downloads have such holes: "
        "let the download finish, or get the archive again."
    )
    # After an empty member or one of zeros, the next header follows at once or later.
    for behind in (more[0] + END, bytes(5 * BLOCK) + more[1] + more[2] + END, END + b"\xff" * 5000):
        assert "there are zeros instead of" in refusal(path, GOOD + bytes(BLOCK) + behind)
        assert "The last good member is its beginning." in refusal(path, bytes(BLOCK) + behind)
    pax = forged(b"pax_global_header", 13, b"g") + padded(b"13 comment=x\n")
    assert "at byte 2,560 there are zeros" in refusal(path, GOOD + pax + bytes(BLOCK) + more[0] + END)


def test_zeros_may_follow_the_end_up_to_the_longest_record_of_any_writer(path):
    assert [m.name for m in same(path, GOOD + bytes(MAX_PADDING))] == ["good.JPEG"]
    text = refusal(path, GOOD + bytes(MAX_PADDING + BLOCK))
    assert text == (
        f"{path} is damaged: from byte 1,536 on it contains only zeros, more than the 1,048,576 that may "
        "end a tar. The last good member is 'good.JPEG'. Unfinished downloads look like this: let the "
        "download finish, or get the archive again."
    )
    assert "from byte 0 on it contains only zeros" in refusal(path, bytes(MAX_PADDING + BLOCK))


def test_zeros_at_the_end_are_not_read_beyond_the_limit(path):
    path.write_bytes(GOOD)
    os.truncate(path, 1 << 40)  # like a preallocated download
    with pytest.raises(UserError, match="from byte 1,536 on it contains only zeros"):
        found(path)


@pytest.mark.skipif(not shutil.which("tar"), reason="no tar")
def test_the_systems_tar_may_pad_to_long_records(path, tmp_path):
    (tmp_path / "a.JPEG").write_bytes(b"a" * 700)
    subprocess.run(["tar", "-b", "2048", "-C", tmp_path, "-cf", path, "a.JPEG"], check=True)
    assert path.stat().st_size == 1 << 20
    assert [m.name for m in found(path)] == ["a.JPEG"]


@pytest.mark.skipif(not shutil.which("tar"), reason="no tar")
@pytest.mark.parametrize("form", ["v7", "ustar", "gnu", "oldgnu", "pax"])
def test_archives_of_the_systems_tar_are_read(path, tmp_path, form):
    folder = tmp_path / "train" / "n01443537"
    folder.mkdir(parents=True)
    for k in range(3):
        (folder / f"n01443537_{k}.JPEG").write_bytes(bytes([k]) * 1000 * k)
    command = ["tar", f"--format={form}", "-C", tmp_path, "-cf", path, "train"]
    if subprocess.run(command, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("this tar does not know the format")
    assert found(path) == expected(path.read_bytes())
    assert len(found(path)) == 3


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=300).filter(
    lambda name: ".." not in name.split("/") and name.strip("/") == name
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(NAMES, st.binary(max_size=1200)), max_size=6), st.sampled_from(["gnu", "pax"]))
def test_any_tar_has_the_members_that_tarfile_finds(path, files, form):
    data = tar_of(files, FORMS[form])
    there = same(path, data)
    assert [(m.name, data[m.offset : m.offset + m.size]) for m in there] == files


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_tar_with_wrong_bytes_is_read_or_refused(path, data):
    form = data.draw(st.sampled_from(sorted(FORMS)))
    name = "n" * 90 if form == "ustar" else "ä" * 120
    whole = bytearray(tar_of([(name, b"a" * 600), ("b", b"b" * 100)], FORMS[form]))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, 7 * BLOCK))] = data.draw(st.integers(0, 255))
    del whole[data.draw(st.integers(0, len(whole))) :]
    path.write_bytes(whole)
    with contextlib.suppress(UserError):
        assert all(m.offset + m.size <= len(whole) for m in found(path))


# Tars in tars


@pytest.mark.parametrize("form", FORMS)
def test_a_tar_in_a_tar_is_read_in_its_own_range(path, form):
    inner = [tar_of([(f"{wnid}_{k}.JPEG", wnid.encode() * k) for k in range(4)]) for wnid in ("n1", "n2")]
    outer = tar_of([("n1.tar", inner[0]), ("n2.tar", inner[1])], FORMS[form])
    for (name, start, size), data in zip(same(path, outer), inner, strict=True):
        there = found(path, start, start + size)
        assert there == [Member(m.name, m.offset + start, m.size) for m in expected(data)]
        assert [m.name for m in there] == [f"{name[:2]}_{k}.JPEG" for k in range(4)]


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("cut", [700, 1400])
def test_a_tar_in_a_tar_that_ends_early_does_not_go_on_in_the_next(path, long, cut):
    inner = tar_of([("x" * 150 if long else "x", b"a" * 1000)])[:cut]
    path.write_bytes(padded(inner) + GOOD + END)
    with pytest.raises(UserError, match="ends early"):
        found(path, 0, len(inner))


# Hostile archives


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/etc/evil", "a/..", ".."])
def test_names_that_lead_outside_are_refused(path, name, form):
    data = tar_of([("good", b""), (name, b"evil")], FORMS[form])
    assert f"{name!r} leads outside" in refusal(path, data)


@pytest.mark.parametrize("form", ["gnu", "pax"])
def test_long_names_that_lead_outside_are_refused(path, form):
    assert "leads outside" in refusal(path, tar_of([("x/" * 100 + "../" * 101 + "evil", b"")], FORMS[form]))


def test_a_folder_that_leads_outside_is_refused(path):
    assert "'../evil/' leads outside" in refusal(path, forged(b"../evil/", 0, b"5") + END)


def test_two_dots_inside_a_name_are_harmless(path):
    names = ["a..JPEG", "..a/b.."]
    assert [m.name for m in same(path, tar_of([(name, b"") for name in names]))] == names


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.SYMTYPE, "a symbolic link"),
        (tarfile.CHRTYPE, "a character device"),
        (tarfile.BLKTYPE, "a block device"),
        (tarfile.FIFOTYPE, "a pipe"),
    ],
)
def test_a_member_that_is_not_a_file_is_refused_by_name(path, kind, words, long):
    info = tarfile.TarInfo("x" * (200 if long else 5))
    info.type, info.linkname = kind, "/etc/passwd"
    assert f"member {info.name!r} is {words}, not a regular file" in refusal(path, GOOD + info.tobuf() + END)


@pytest.mark.skipif(not shutil.which("tar"), reason="no tar")
@pytest.mark.parametrize("form", ["gnu", "posix"])
@pytest.mark.parametrize("version", ["0.0", "0.1", "1.0"])
def test_sparse_files_are_refused(path, tmp_path, form, version):
    with (tmp_path / "sparse.JPEG").open("wb") as file:
        file.truncate(1 << 20)
        file.seek(1 << 19)
        file.write(b"data")
    command = ["tar", "-S", f"--format={form}", f"--sparse-version={version}", "-C", tmp_path]
    done = subprocess.run([*command, "-cf", path, "sparse.JPEG"], stderr=subprocess.DEVNULL)
    if done.returncode or len(path.read_bytes()) > 1 << 19:
        pytest.skip("this tar makes no sparse members here")
    with pytest.raises(UserError, match=r"'.*sparse\.JPEG' is a sparse file"):
        found(path)


def test_a_forged_sparse_header_is_refused(path):
    header = bytearray(forged(b"sparse.JPEG", 512, b"S", b"ustar  \0"))
    header[386:410] = b"%011o\0%011o\0" % (0, 512)
    header[483:495] = b"%011o\0" % (1 << 20)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    assert "'sparse.JPEG' is a sparse file" in refusal(path, GOOD + header + bytes(512) + END)


def test_the_rest_of_a_file_that_began_on_another_volume_is_refused(path):
    text = refusal(path, GOOD + forged(b"n01443537_1.JPEG", 512, b"M") + bytes(512) + END)
    assert "'n01443537_1.JPEG'" in text


# Damaged archives


@pytest.mark.parametrize("form", FORMS)
def test_wherever_a_tar_is_cut_its_last_good_member_is_named(path, form):
    name = "long" * 24 if form == "ustar" else "long" * 60
    files = [("first.JPEG", b"1" * 700), (name, b"2" * 1000), ("third.JPEG", b"3" * 10)]
    data = tar_of(files, FORMS[form])
    there = expected(data)
    ends = [m.offset + m.size for m in there]
    last = there[-1].offset + BLOCK  # the offset of the first empty block
    cuts = {*range(0, last + 1, 100), *range(0, last + 1, BLOCK), *ends, *(end - 1 for end in ends), last}
    for cut in cuts:
        text = refusal(path, data[:cut])
        whole = [m.name for m in there if m.offset + m.size <= cut]
        good = repr(whole[-1]) if whole else "its beginning"
        if cut == 0:
            assert text == f"{path} is empty, not a tar. Get it again."
            continue
        assert "ends early" in text or f"after {good}" in text, (cut, text)
        assert good in text, (cut, text)
    path.write_bytes(data[: last + BLOCK])  # one empty block is enough of an end
    assert found(path) == there


def test_a_truncated_member_is_named_with_its_size(path):
    text = refusal(path, GOOD + forged(b"short.JPEG", 5000) + b"s" * 4000)
    assert "'short.JPEG' should have 5,000 bytes" in text
    assert "the last good member is 'good.JPEG'" in text


@pytest.mark.parametrize("stated", [100, 1300])
def test_a_wrong_size_is_detected_at_the_next_header(path, stated):
    # One block of data less, or more, than the header says.
    data = forged(b"liar.JPEG", stated) + padded(b"l" * 700) + GOOD + padded(b"x" * 2000) + END
    text = refusal(path, data)
    assert "after 'liar.JPEG'" in text
    assert "not as large as its header says" in text


@pytest.mark.parametrize("size", [b"-0000004000\0", b"-0000000001\0", b"\xff" * 12, b"abc", b"1.5", b"8"])
def test_an_invalid_size_is_refused(path, size):
    # With a negative size, the reader would go backwards and loop forever.
    refusal(path, GOOD + forged(b"bad.JPEG", size) + padded(b"b" * 1500) + END)


@pytest.mark.parametrize("kind", [b"L", b"x", b"g"])
@pytest.mark.parametrize(
    "size", [b"\x80" + (1 << 60).to_bytes(11), b"-0000003721\0", b"\xff" + bytes(11), b"\x80" + b"\xff" * 11]
)
def test_a_name_of_an_impossible_size_is_refused(path, kind, size):
    refusal(path, GOOD + forged(b"././@LongLink", size, kind) + padded(b"n" * 700) + GOOD + END)


@pytest.mark.parametrize("kind", [b"x", b"g"])
def test_a_pax_record_of_an_impossible_length_is_refused(path, kind):
    record = b"9" * 30 + b" path=abc\n"
    text = refusal(path, GOOD + forged(b"pax", len(record), kind) + padded(record) + GOOD + END)
    # Some older tarfile modules take it for the end of the file.
    early = "ends early: the last good member is 'good.JPEG'"
    assert "is damaged at byte 1,536, after 'good.JPEG'" in text or early in text


@pytest.mark.parametrize("kind", [b"L", b"x", b"g"])
def test_thousands_of_headers_before_a_member_are_damage(path, kind):
    header = forged(b"././@LongLink", 12, kind) + padded(b"12 path=abc\n")
    text = refusal(path, GOOD + header * 3000 + GOOD + END)
    assert "after 'good.JPEG': too many name headers" in text


@pytest.mark.parametrize("at", [0, 100, 124, 148, 156, 257, 400])
def test_a_header_with_a_wrong_byte_is_refused(path, at):
    data = bytearray(GOOD + GOOD.replace(b"good", b"next") + END)
    data[len(GOOD) + at] ^= 1
    text = refusal(path, bytes(data))
    assert f"at byte {len(GOOD):,}, after 'good.JPEG'" in text


@pytest.mark.parametrize("data", [b"\xff" * 2048, b"notes" * 300])
def test_other_bytes_are_refused(path, data):
    assert "at byte 0, after its beginning" in refusal(path, data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty, not a tar. Get it again."),
        (b"\x1f\x8b gzip", "is compressed with gzip, not a tar. Unpack it with `gunzip`."),
        (b"\x28\xb5\x2f\xfd" * 300, "is compressed with zstandard, not a tar. Unpack it with `unzstd`."),
        (b"PK\3\4" * 300, "is a zip, not a tar. Unpack it with `unzip`."),
        (b"PAR1" * 300, "is a parquet file, not a tar. Replace it with the right file, or remove it."),
        (
            b"<html>" * 1000,
            "is an HTML page, not a tar. The server sent a web page, such as a login page, instead of "
            "the file. Download it again.",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
            "is a git-lfs pointer, not a tar. It was cloned without git-lfs. Run `git lfs pull` there, or "
            "download the file itself.",
        ),
    ],
)
def test_a_file_of_another_kind_is_named(path, data, message):
    assert refusal(path, data) == f"{path} {message}"


def test_a_tar_of_empty_blocks_only_is_empty(path):
    assert same(path, END * 5) == []


# Tars in pieces


def test_a_member_may_lie_across_pieces(pieces):
    data = tar_of([("a", b"a" * 700), ("b" * 200, b"b" * 3000)])
    first = pieces(_001=data[:300], _002=data[300:1100], _003=data[1100:2500], _004=data[2500:])
    assert found(first) == expected(data)


def test_an_archive_without_its_last_piece_ends_early(pieces):
    data = tar_of([("a", b"a" * 700), ("b", b"b" * 3000)])
    message = "ends early: 'b' should have 3,000 bytes; the last good member is 'a'"
    with pytest.raises(UserError, match=message):
        found(pieces(_001=data[:1000], _002=data[1000:2500]))


def test_the_message_says_which_pieces_there_are(pieces, tmp_path):
    data = tar_of([("a", b"a" * 700), ("b", b"b" * 3000)])
    first = pieces(_001=data[:1000])
    for called in (f"{first} (the only piece)", f"{first} (2 pieces, up to x.tar.002)"):
        with pytest.raises(UserError) as error, SplitFile(first) as whole:
            Index().members(whole)
        assert str(error.value).startswith(f"{called} ends early: ")
        assert str(error.value).endswith(" Is the last piece missing? Add it, or get the archive again.")
        pieces(_002=data[1000:2500])
    (tmp_path / "x.tar").write_bytes(data[:2500])
    with pytest.raises(UserError) as error, SplitFile(tmp_path / "x.tar") as whole:
        Index().members(whole)
    assert str(error.value).startswith(f"{tmp_path}/x.tar ends early: ")
    assert "piece" not in str(error.value).removeprefix(str(tmp_path))


def test_an_inner_tar_that_ends_early_is_not_blamed_on_a_missing_piece(pieces):
    outer = tar_of([("n1.tar", tar_of([("a", b"a" * 700)])[:1000]), ("n2.tar", tar_of([]))])
    first = pieces(_001=outer[:900], _002=outer[900:])
    with SplitFile(first) as whole:
        index = Index()
        tar = index.members(whole)[0]
        with pytest.raises(UserError) as error:
            index.members(whole, tar)
    assert str(error.value).startswith(f"{first} (2 pieces, up to x.tar.002): n1.tar ends early: ")
    assert "missing" not in str(error.value)
