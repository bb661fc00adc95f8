"""Compressed tars, read from front to back: the same images as in the tar itself, and every damage found."""

import contextlib
import errno
import gzip
import os
import random
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.raw_imagenet import gzipped, tar_of, zstandard
from helpers.scans import FISH, SHARK, VAL
from imagenet_s.io.split_file import SplitFile
from imagenet_s.io.tar_headers import MAX_HEADER_BYTES, MAX_IMAGE_BYTES, MAX_PADDING
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.readers.base import ScanNotes
from imagenet_s.source.readers.compressed_tar import BUFFER, MAX_MEMBER_BYTES, CompressedTar
from imagenet_s.source.readers.tar import Tar
from imagenet_s.source.tar_index import Index

FORMS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
COMPRESSIONS = {".gz": gzipped, ".zst": zstandard}
END = bytes(2 * 512)  # the empty blocks that end a tar
NOISE = random.Random(0).randbytes(3 << 20)  # cannot be compressed


@pytest.fixture(params=COMPRESSIONS)
def compressed(request, tmp_path) -> Callable[[bytes], Path]:
    """Return a function that writes bytes, compressed, to a file and returns its path."""

    def compressed(data: bytes) -> Path:
        (tmp_path / f"a.tar{request.param}").write_bytes(COMPRESSIONS[request.param](data))
        return tmp_path / f"a.tar{request.param}"

    return compressed


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "a.tar.gz"


def images_of(path: Path, wanted: Callable[[str], bool] = lambda image: True) -> list[tuple[str, bytes]]:
    return list(CompressedTar(path).stream(wanted))


def refusal(path: Path, wanted: Callable[[str], bool] = lambda image: True) -> str:
    """Return the message for an archive that cannot be read to its end."""
    with pytest.raises(UserError) as error:
        images_of(path, wanted)
    assert str(error.value).startswith(str(path))
    return str(error.value)


def special(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, data: bytes = b"") -> bytes:
    """Return a member of any type, with any size in its header."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, max(size, 0), "/etc/passwd"
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    if size < 0:
        header[124:136] = b"-%010o\0" % -size
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + data + bytes(-len(data) % 512)


GOOD = special(f"{FISH}_1.JPEG", size=5, data=b"first")


# Images that are read


def test_images_are_given_in_the_archives_order_under_their_official_names(compressed):
    names = [
        f"{FISH}_2_{FISH}.JPEG",
        f"train/{SHARK}/{SHARK}_7.jpg",
        f"./{VAL}_{SHARK}.JPEG",
        f"{FISH}_1.JPEG",
    ]
    path = compressed(tar_of([(name, name.encode()) for name in names]))
    official = [f"{FISH}_2", f"{SHARK}_7", VAL, f"{FISH}_1"]
    assert images_of(path) == [(image, name.encode()) for image, name in zip(official, names, strict=True)]


def test_names_in_another_case_are_given_in_the_official_spelling(compressed):
    path = compressed(tar_of([(f"{FISH.upper()}_1_{FISH}.jpeg", b"1"), (f"{VAL.lower()}.JPG", b"2")]))
    assert images_of(path) == [(f"{FISH}_1", b"1"), (VAL, b"2")]


def test_only_wanted_images_are_given(compressed):
    path = compressed(tar_of([(f"{FISH}_{k}.JPEG", b"%d" % k) for k in range(9)]))
    wanted = {f"{FISH}_3", f"{FISH}_8"}
    assert images_of(path, wanted.__contains__) == [(f"{FISH}_3", b"3"), (f"{FISH}_8", b"8")]
    assert images_of(path, lambda image: False) == []


def test_files_that_are_not_images_are_skipped(compressed):
    others = ["._" + FISH + "_1.JPEG", f"{FISH}_1.png", f"{FISH}.JPEG", ".DS_Store", "notes.txt"]
    members = [special(name, size=3, data=b"odd") for name in others]
    folders = [special(f"{FISH}_1.JPEG/", tarfile.DIRTYPE), special("train/", tarfile.AREGTYPE)]
    tar_of_a_mac = special(f"._{FISH}.tar", size=3, data=b"odd")
    path = compressed(b"".join([*members, *folders, tar_of_a_mac, GOOD, END]))
    assert images_of(path) == [(f"{FISH}_1", b"first")]


def test_tars_in_the_tar_are_read_through(compressed):
    tars = [
        (f"./{wnid}.TAR", tar_of([(f"{wnid}_{k}.JPEG", f"{wnid} {k}".encode() * 400) for k in range(3)]))
        for wnid in (FISH, SHARK)
    ]
    path = compressed(tar_of([tars[0], ("readme.txt", b"text"), tars[1], (f"{FISH}_9.JPEG", b"loose")]))
    expected = [(f"{wnid}_{k}", f"{wnid} {k}".encode() * 400) for wnid in (FISH, SHARK) for k in range(3)]
    assert images_of(path) == [*expected, (f"{FISH}_9", b"loose")]


def test_an_image_in_the_tar_of_another_class_is_not_read_compressed_or_not(compressed, tmp_path):
    inner = [(f"{FISH}_1.JPEG", b"1"), (f"{SHARK}_1.JPEG", b"stray"), (f"{VAL}.JPEG", b"stray")]
    data = tar_of([(f"{FISH}.tar", tar_of(inner)), ("other.tar", tar_of(inner)), (f"{SHARK}_2.JPEG", b"2")])
    (tmp_path / "a.tar").write_bytes(data)
    listed = dict(Tar(tmp_path / "a.tar", ScanNotes(), Index()).train_images([FISH, SHARK]))
    with SplitFile(tmp_path / "a.tar") as pieces:
        expected = [(i.image, pieces.read(i.size, i.offset)) for found in listed.values() for i in found]
    assert images_of(compressed(data)) == expected == [(f"{FISH}_1", b"1"), (f"{SHARK}_2", b"2")]


@pytest.mark.parametrize("form", FORMS)
def test_bytes_of_any_kind_are_kept(compressed, form):
    data = [b"\x89PNG\r\n\x1a\n", b"", bytes(1024), bytes(range(256)) * 9, NOISE[: 2 * BUFFER]]
    path = compressed(tar_of([(f"{FISH}_{k}.JPEG", x) for k, x in enumerate(data)], FORMS[form]))
    assert images_of(path) == [(f"{FISH}_{k}", x) for k, x in enumerate(data)]


@pytest.mark.parametrize("form", ["gnu", "pax"])
def test_names_that_need_headers_of_their_own_are_read(compressed, form):
    names = ["d" * 90 + "/" + "é" * 90 + f"/{FISH}_{k}.JPEG" for k in range(2)]
    path = compressed(tar_of([(name, b"x") for name in names], FORMS[form]))
    assert images_of(path) == [(f"{FISH}_0", b"x"), (f"{FISH}_1", b"x")]


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_an_archive_compressed_piece_by_piece_is_read_as_one(tmp_path, suffix):
    data = tar_of([(f"{FISH}_{k}.JPEG", NOISE[:5000]) for k in range(9)])
    path = tmp_path / f"a.tar{suffix.upper()}"  # parallel compressors write many frames
    path.write_bytes(b"".join(COMPRESSIONS[suffix](data[k : k + 7000]) for k in range(0, len(data), 7000)))
    assert images_of(path) == [(f"{FISH}_{k}", NOISE[:5000]) for k in range(9)]


@pytest.mark.parametrize("command", ["gzip", "zstd"])
def test_the_output_of_gzip_and_zstd_is_read(tmp_path, command):
    if not shutil.which(command):
        pytest.skip(f"no {command}")
    (tmp_path / "a.tar").write_bytes(tar_of([(f"{FISH}_1.JPEG", NOISE[:70_000])]))
    subprocess.run([command, "-q", tmp_path / "a.tar"], check=True)
    (path,) = (p for p in tmp_path.iterdir() if p.suffix in COMPRESSIONS)
    assert images_of(path) == [(f"{FISH}_1", NOISE[:70_000])]


@pytest.mark.parametrize("count", [1, 2])
def test_a_tar_may_end_after_a_global_pax_header(compressed, count):
    header = special("pax_global_header", b"g", 13, b"13 comment=x\n")
    path = compressed(header + GOOD + header * count + END)
    assert images_of(path) == [(f"{FISH}_1", b"first")]
    assert images_of(compressed(header * count + END)) == []
    for end in (b"", special("pax", b"x", 13, b"13 comment=x\n") + END):
        assert f"'{FISH}_1.JPEG'" in refusal(compressed(GOOD + header * count + end))


# Damage


@pytest.mark.parametrize("share", [0.001, 0.3, 0.6, 0.99])
def test_an_archive_that_ends_early_is_named_with_its_last_good_member(compressed, share):
    files = [(f"{FISH}_{k}", NOISE[k * 100_000 : (k + 1) * 100_000]) for k in range(30)]
    path = compressed(tar_of([(f"{image}.JPEG", data) for image, data in files]))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    given = []
    with pytest.raises(UserError) as error:
        given.extend(CompressedTar(path).stream(lambda image: True))
    good = f"'{given[-1][0]}.JPEG'" if given else "its beginning"
    assert str(error.value).startswith(f"{path} is damaged or ends early: the last good member is {good} (")
    assert given == files[: len(given)]
    assert (len(given) > 5) == (share > 0.5)


@pytest.mark.parametrize("lost", [1, 4, 8])
def test_an_archive_without_its_last_bytes_is_refused(compressed, lost):
    path = compressed(tar_of([(f"{FISH}_1.JPEG", NOISE[:9000])]))
    path.write_bytes(path.read_bytes()[:-lost])
    refusal(path)


def test_wherever_a_tar_was_cut_before_it_was_compressed_it_is_refused(path):
    inner = tar_of([(f"{FISH}_1.JPEG", b"1" * 700), (f"{FISH}_2.JPEG", b"2" * 10)])
    data = tar_of([(f"{FISH}.tar", inner), ("x" * 120 + f"/{SHARK}_1.JPEG", b"3" * 600)])
    # Where the images' bytes end, and where the first of the last two empty blocks begins.
    ends = {f"{FISH}_1": 512 + 512 + 700, f"{FISH}_2": 512 + 512 + 1024 + 512 + 10}
    stop = 512 + len(inner) + 3 * 512 + 2 * 512
    ends[f"{SHARK}_1"] = stop - 1024 + 600
    assert data[stop : stop + len(END)] == END
    for cut in {*range(0, stop, 100), *range(0, stop + 1, 512)}:
        path.write_bytes(gzipped(data[:cut]))
        text = refusal(path)
        good = ["its beginning", *(f"{image}.JPEG'" for image, end in ends.items() if end <= cut)]
        named = text.partition("ends early: the last good member is ")[2].partition(" (")[0]
        # A tar in the tar is read some way ahead.
        assert named.endswith(tuple(good) if cut < 512 + len(inner) else good[-1]), cut
    path.write_bytes(gzipped(data[: stop + 512]))  # one empty block is enough
    assert [image for image, _ in images_of(path)] == list(ends)


def test_an_unwanted_member_is_not_called_good_before_it_was_skipped(path):
    members = [special(f"{FISH}_{k}.JPEG", size=2 * BUFFER, data=NOISE[: 2 * BUFFER]) for k in (1, 2)]
    path.write_bytes(gzipped(b"".join(members)[:-1000]))
    text = refusal(path, lambda image: False)
    assert f"the last good member is '{FISH}_1.JPEG'" in text


@pytest.mark.parametrize("at", [0, 100, 124, 148, 156, 257, 400])
@pytest.mark.parametrize("inside", [False, True])
def test_a_header_with_a_wrong_byte_is_not_taken_for_the_end(path, at, inside):
    data = bytearray(tar_of([(f"{FISH}_{k}.JPEG", b"x" * 500) for k in range(4)]))
    data[2 * 1024 + at] ^= 1
    path.write_bytes(gzipped(tar_of([(f"{FISH}.tar", bytes(data))]) if inside else bytes(data)))
    assert f"the last good member is '{FISH}_1.JPEG'" in refusal(path)


def test_a_wrong_byte_that_only_the_checksum_knows_of_is_found(path):
    data = bytearray(gzip.compress(tar_of([(f"{FISH}_{k}.JPEG", NOISE[:9000]) for k in range(9)]), 0))
    data[len(data) // 2] ^= 1  # in the bytes of an image, which are stored uncompressed
    path.write_bytes(data)
    assert "incorrect data check" in refusal(path)


def test_the_checksum_is_verified_when_the_tar_ends_with_a_buffer(path):
    image = NOISE[: BUFFER - 512 - len(END)]
    tar = special(f"{FISH}_1.JPEG", size=len(image), data=image) + END
    assert len(tar) == BUFFER
    data = bytearray(gzip.compress(tar, 0))
    path.write_bytes(data)
    assert images_of(path) == [(f"{FISH}_1", image)]
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert "incorrect data check" in refusal(path)
    path.write_bytes(gzip.compress(tar, 0)[:-8])
    refusal(path)


@pytest.mark.skipif(not shutil.which("zstd"), reason="no zstd")
def test_a_wrong_byte_in_what_zstd_compressed_is_found(tmp_path):
    (tmp_path / "a.tar").write_bytes(tar_of([(f"{FISH}_1.JPEG", NOISE[:90_000])]))
    subprocess.run(["zstd", "-q", tmp_path / "a.tar"], check=True)
    data = bytearray((tmp_path / "a.tar.zst").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "a.tar.zst").write_bytes(data)
    refusal(tmp_path / "a.tar.zst")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty, not"),
        (tar_of([]), "is zeros, not"),
        (tar_of([("a", b"1")]), "is a tar, not"),
        (b"<html>" * 1000, "is an HTML page, not"),
        (NOISE[:2000], "is of an unknown kind, not"),
    ],
)
@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_files_that_are_not_compressed_are_refused(tmp_path, suffix, data, said):
    path = tmp_path / f"a.tar{suffix}"
    path.write_bytes(data)
    assert refusal(path).startswith(f"{path} {said} a tar compressed with gzip or zstandard. ")


def test_the_first_bytes_decide_the_compression_not_the_name(tmp_path):
    data = tar_of([(f"{FISH}_1.JPEG", b"1")])
    for name, compress in (
        (f"a{suffix}", c) for suffix in (".tar.gz", ".zst", ".tgz", ".tar") for c in COMPRESSIONS.values()
    ):
        (tmp_path / name).write_bytes(compress(data))
        assert images_of(tmp_path / name) == [(f"{FISH}_1", b"1")]


def test_a_skippable_frame_may_come_first(tmp_path):
    skipped = b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"  # as pzstd writes it
    path = tmp_path / "a.tar.zst"
    path.write_bytes(skipped + zstandard(tar_of([(f"{FISH}_1.JPEG", b"1")])))
    assert images_of(path) == [(f"{FISH}_1", b"1")]


@pytest.mark.parametrize("inner", [gzipped, zstandard])
def test_a_compressed_class_tar_is_reported_as_such(compressed, inner):
    said = {gzipped: "gzip", zstandard: "zstandard"}[inner]
    path = compressed(tar_of([(f"{SHARK}.tar", tar_of([])), (f"{FISH}.tar", inner(tar_of([("a", b"1")])))]))
    assert f"(expected a header, found data of another kind: compressed with {said})" in refusal(path)


# Headers of zeros, which end a tar for tarfile


def without_header(data: bytes, name: str) -> bytes:
    """Return the tar with zeros in place of a member's header."""
    at = data.index(name.encode()) // 512 * 512
    return data[:at] + bytes(512) + data[at + 512 :]


def test_a_header_of_zeros_does_not_end_a_tar_if_other_bytes_follow(compressed):
    tar = tar_of([(f"{FISH}_{k}.JPEG", b"x" * 700) for k in range(4)])
    path = compressed(without_header(tar, f"{FISH}_2.JPEG"))
    given = []
    with pytest.raises(UserError) as error:
        given.extend(CompressedTar(path).stream(lambda image: True))
    assert [name for name, _ in given] == [f"{FISH}_0", f"{FISH}_1"]
    assert str(error.value) == (
        f"{path} (unpacked) is damaged: at byte 3,072 there are zeros instead of a member's header, and "
        f"other bytes follow at byte 3,584. The last good member is '{FISH}_1.JPEG'. Unfinished downloads "
        "have such holes: let the download finish, or get the archive again."
    )


def test_a_header_of_zeros_in_a_class_tar_is_found(compressed):
    inner = without_header(tar_of([(f"{FISH}_{k}.JPEG", b"x" * 700) for k in range(4)]), f"{FISH}_2.JPEG")
    path = compressed(tar_of([(f"{FISH}.tar", inner), (f"{SHARK}.tar", tar_of([(f"{SHARK}_1.JPEG", b"1")]))]))
    assert refusal(path).startswith(
        f"{path}: {FISH}.tar (unpacked) is damaged: at byte 3,072 there are zeros "
    )


@pytest.mark.parametrize("wanted", [lambda image: True, lambda image: False])
def test_a_header_of_zeros_is_found_among_unwanted_images_too(compressed, wanted):
    tar = tar_of([(f"{wnid}.tar", tar_of([(f"{wnid}_1.JPEG", b"1")])) for wnid in (FISH, SHARK)])
    assert "there are zeros instead of" in refusal(compressed(without_header(tar, f"{SHARK}.tar")), wanted)


def test_zeros_follow_the_end_up_to_the_longest_record_that_writers_make(compressed):
    assert images_of(compressed(GOOD + bytes(MAX_PADDING))) == [(f"{FISH}_1", b"first")]
    path = compressed(GOOD + bytes(MAX_PADDING + 512))
    assert refusal(path) == (
        f"{path} (unpacked) is damaged: from byte 1,024 on it contains only zeros, more than the 1,048,576 "
        f"that may end a tar. The last good member is '{FISH}_1.JPEG'. Unfinished downloads look like this: "
        "let the download finish, or get the archive again."
    )
    path = compressed(tar_of([(f"{FISH}.tar", GOOD + bytes(MAX_PADDING + 512))]))
    assert f"{FISH}.tar (unpacked) is damaged: from byte 1,024 on it contains only zeros" in refusal(path)


@pytest.mark.parametrize("data", [b"", b"<html>" * 1000, NOISE[:2000]])
@pytest.mark.parametrize("inside", [False, True])
def test_data_that_is_not_a_tar_is_refused(compressed, data, inside):
    assert "its beginning" in refusal(compressed(tar_of([(f"{FISH}.tar", data)]) if inside else data))


def test_an_archive_with_nothing_in_it_has_no_images(compressed):
    assert images_of(compressed(tar_of([]))) == []
    assert images_of(compressed(tar_of([(f"{FISH}.tar", tar_of([]))]))) == []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_wrong_bytes_are_read_or_refused_and_nothing_else(path, data):
    form = FORMS[data.draw(st.sampled_from(sorted(FORMS)))]
    name = ("n" * 90 if form == tarfile.USTAR_FORMAT else "ä" * 120) + f"/{FISH}_1.JPEG"
    whole = bytearray(
        tar_of([(name[-100:], b"a" * 600), (f"{FISH}.tar", tar_of([(name, b"b")], form))], form)
    )
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, 9 * 512))] = data.draw(st.integers(0, 255))
    del whole[data.draw(st.integers(0, len(whole))) :]
    path.write_bytes(gzip.compress(whole, 0))
    with contextlib.suppress(UserError):
        assert all(len(given) <= len(whole) for _, given in images_of(path))


# Members that are not to be trusted


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("name", [f"../{FISH}_1.JPEG", f"a/../../{FISH}_1.JPEG", f"/tmp/{FISH}_1.JPEG", ".."])
def test_names_that_lead_outside_are_refused(compressed, name, inside):
    data = tar_of([(f"{FISH}_2.JPEG", b""), (name, b"evil")])
    path = compressed(tar_of([(f"{FISH}.tar", data)]) if inside else data)
    text = refusal(path)
    assert f"{name!r} leads outside" in text
    assert (f"{path}: {FISH}.tar" in text) == inside


@pytest.mark.parametrize("name", [f"{FISH}_2.JPEG", "x" * 200, f"{FISH}.tar"])
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.SYMTYPE, "a symbolic link"),
        (tarfile.CHRTYPE, "a character device"),
        (tarfile.BLKTYPE, "a block device"),
        (tarfile.FIFOTYPE, "a pipe"),
        (b"M", "the rest of a file on another volume"),
    ],
)
def test_members_that_are_not_files_are_refused_by_name(path, kind, words, name):
    path.write_bytes(gzipped(GOOD + special(name, kind) + END))
    assert f"member {name!r} is {words}, not a regular file" in refusal(path, lambda image: False)


@pytest.mark.skipif(not shutil.which("tar"), reason="no tar")
@pytest.mark.parametrize("form", ["gnu", "posix"])
def test_sparse_files_are_refused(path, tmp_path, form):
    with (tmp_path / f"{FISH}_1.JPEG").open("wb") as file:
        file.truncate(1 << 20)
        file.seek(1 << 19)
        file.write(b"data")
    command = ["tar", "-S", f"--format={form}", "-C", tmp_path, "-cf", tmp_path / "a.tar", f"{FISH}_1.JPEG"]
    done = subprocess.run(command, stderr=subprocess.DEVNULL)
    if done.returncode or (tmp_path / "a.tar").stat().st_size > 1 << 19:
        pytest.skip("this tar makes no sparse members here")
    path.write_bytes(gzipped((tmp_path / "a.tar").read_bytes()))
    assert f"'{FISH}_1.JPEG' is a sparse file" in refusal(path)


@pytest.mark.parametrize("size", [MAX_IMAGE_BYTES + 1, 1 << 40])
def test_an_image_larger_than_any_is_refused(compressed, size):
    path = compressed(GOOD + special(f"{FISH}_2.JPEG", size=size, data=b"few"))
    assert f"its member '{FISH}_2.JPEG' has {size:,} bytes, more than any image has" in refusal(path)


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("size", [MAX_MEMBER_BYTES + 1, 1 << 63])
def test_a_member_that_would_take_hours_to_skip_is_refused(compressed, size, inside):
    data = GOOD + special("README", size=size, data=b"few")
    path = compressed(tar_of([(f"{FISH}.tar", data)]) if inside else data)
    assert f"'README' has {size:,} bytes" in refusal(path)


@pytest.mark.parametrize("kind", [b"x", b"g"])
def test_a_pax_record_of_an_impossible_length_is_refused(compressed, kind):
    record = b"9" * 30 + b" path=abc\n"
    text = refusal(compressed(GOOD + special("pax", kind, len(record), record) + GOOD + END))
    assert f"the last good member is '{FISH}_1.JPEG'" in text


@pytest.mark.parametrize("kind", [b"L", b"K", b"x", b"g"])
@pytest.mark.parametrize("size", [MAX_HEADER_BYTES + 1, 1 << 40])
def test_a_name_of_an_impossible_size_is_refused(compressed, kind, size):
    path = compressed(GOOD + special("././@LongLink", kind, size, b"n" * 1024) + GOOD + END)
    text = refusal(path)
    assert f"it has a name of {size:,} bytes" in text
    assert f"the last good member is '{FISH}_1.JPEG'" in text


@pytest.mark.parametrize("size", [-1, -512, -1024])
@pytest.mark.parametrize("in_pax", [False, True])
def test_a_negative_size_is_refused(compressed, size, in_pax):
    if in_pax:
        record = f" size={size}\n"
        record = f"{len(record) + 2}{record}".encode()
        member = special("pax", b"x", len(record), record) + special(f"{FISH}_2.JPEG", size=5, data=b"again")
    else:
        member = special(f"{FISH}_2.JPEG", size=size, data=b"again")
    text = refusal(compressed(GOOD + member + GOOD + END))
    assert f"'{FISH}_2.JPEG' has {size:,} bytes" in text
    assert f"the last good member is '{FISH}_1.JPEG'" in text


# Files that cannot be read


def test_a_file_that_is_gone_is_not_called_damaged(path):
    with pytest.raises(FileNotFoundError) as error:
        images_of(path)
    assert (error.value.filename, error.value.strerror) == (str(path), "No such file or directory")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="nothing to read that fails")
def test_a_disk_that_fails_is_not_called_a_damaged_archive(path):
    path.symlink_to("/proc/self/mem")
    with pytest.raises(OSError, match="Input/output error") as error:
        images_of(path)
    assert (error.value.filename, error.value.errno) == (str(path), errno.EIO)


@pytest.mark.parametrize("kind", [b"L", b"x", b"g"])
def test_thousands_of_headers_before_a_member_are_damage(path, kind):
    header = special("././@LongLink", kind, 12, b"12 path=abc\n")
    path.write_bytes(gzipped(GOOD + header * 3000 + GOOD + END))
    text = refusal(path)
    assert "too many headers" in text
    assert f"the last good member is '{FISH}_1.JPEG'" in text


def test_a_pipe_is_refused_at_once(path):
    os.mkfifo(path)
    with pytest.raises(UserError, match="is not a regular file"):
        images_of(path)


# Pieces


def cut_up(path: Path, count: int) -> list[Path]:
    """Replace a file by pieces, with endings as those of `split`."""
    data = path.read_bytes()
    path.unlink()
    pieces = [path.with_name(f"{path.name}.a{'abcdef'[k]}") for k in range(count)]
    for k, piece in enumerate(pieces):
        piece.write_bytes(data[len(data) * k // count : len(data) * (k + 1) // count])
    return pieces


def test_pieces_are_read_as_one_archive(compressed):
    members = [(f"{FISH}_{k}.JPEG", NOISE[k * 100_000 : (k + 1) * 100_000]) for k in range(9)]
    first, *_ = cut_up(compressed(tar_of(members)), 4)
    assert images_of(first) == [(name.removesuffix(".JPEG"), data) for name, data in members]


def test_a_missing_last_piece_is_guessed_and_one_between_is_named(compressed):
    members = [(f"{FISH}_{k}.JPEG", NOISE[k * 100_000 : (k + 1) * 100_000]) for k in range(9)]
    first, second, *_, last = cut_up(compressed(tar_of(members)), 4)
    last.unlink()
    assert refusal(first) == (
        f"{first} is damaged or ends early: the last good member is its beginning (Truncated compressed "
        "stream). Is the last piece missing? Add it, or get the archive again."
    )
    second.unlink()
    with pytest.raises(UserError) as error:
        images_of(first)
    whole = first.name.removesuffix(".aa")
    assert str(error.value) == (
        f"{first.parent} lacks pieces of {whole}: {second.name}. Put them into the same folder."
    )


def test_a_piece_that_cannot_be_read_is_named(compressed, monkeypatch):
    first, second = cut_up(compressed(tar_of([(f"{FISH}_1.JPEG", NOISE)])), 2)
    preadv = os.preadv

    def fail(file: int, buffers: list, offset: int) -> int:
        if os.path.samestat(os.fstat(file), second.stat()):
            raise OSError(errno.EIO, "Input/output error")
        return preadv(file, buffers, offset)

    monkeypatch.setattr(os, "preadv", fail)
    with pytest.raises(OSError, match="Input/output error") as error:
        images_of(first)
    assert error.value.filename == str(second)


def test_the_first_bytes_are_those_of_the_tar_as_far_as_they_can_be_read(compressed):
    data = tar_of([(f"{FISH}_1.JPEG", NOISE)])
    path = compressed(data)
    assert CompressedTar(path).first_bytes(5000) == data[:5000]
    assert CompressedTar(path).first_bytes(10 * len(data)) == data
    path.write_bytes(path.read_bytes()[: len(NOISE) // 2])
    found = CompressedTar(path).first_bytes(len(data))
    assert 1 << 20 < len(found) < len(data)
    assert data.startswith(found)
