"""Files in pieces are read as one range of bytes."""

import os
import shutil
import subprocess
from itertools import islice, product

import pytest

from imagenet_s.io.split_file import (
    PiecesStream,
    SplitFile,
    fingerprint,
    first_piece_of,
    piece_paths,
    size_of,
)
from imagenet_s.runtime.errors import UserError


@pytest.mark.parametrize(
    "endings",
    [
        ["001", "002", "003", "004"],
        ["000", "001", "002", "003"],
        ["0", "1", "2", "3"],
        ["1", "2", "3", "4"],
        ["01", "02", "03", "04"],
        ["aa", "ab", "ac", "ad"],
    ],
)
def test_pieces_are_one_range_of_bytes(pieces, endings):
    parts = [b"abcd", b"", b"e", b"fghij"]
    with SplitFile(
        pieces(**{f"_{ending}": data for ending, data in zip(endings, parts, strict=True)})
    ) as whole:
        assert whole.size == 10
        for start in range(11):
            for count in range(12):
                assert whole.read(count, start) == b"abcdefghij"[start : start + count]


def test_many_pieces_with_letters_are_in_order(pieces):
    letters = "abcdefghijklmnopqrstuvwxyz"
    endings = [f"{a}{b}" for a in "abc" for b in letters]
    with SplitFile(pieces(**{ending: ending.encode() for ending in endings})) as whole:
        assert whole.read(1000, 0) == "".join(endings).encode()


@pytest.mark.parametrize(
    ("endings", "missing"),
    [
        (["001", "002", "004", "005"], "x.tar.003"),
        (["00", "03"], "x.tar.01, x.tar.02"),
        (["1", "2", "9", "12"], "x.tar.3, x.tar.4, x.tar.5, x.tar.6, x.tar.7, … (8 in all)"),
        (["aa", "ab", "ae"], "x.tar.ac, x.tar.ad"),
        (["aa", "az", "bb"], ", ".join(f"x.tar.a{letter}" for letter in "bcdef") + ", … (25 in all)"),
        (["aa", *(f"a{letter}" for letter in "bcdefghijklmnopqrstuvwxyz"), "bb"], "x.tar.ba"),
    ],
)
def test_a_missing_piece_is_named(pieces, endings, missing):
    first = pieces(**{f"_{ending}": b"x" for ending in endings})
    with pytest.raises(UserError) as error:
        SplitFile(first)
    text = f"{first.parent} lacks pieces of x.tar: {missing}. Put them into the same folder."
    assert str(error.value) == text
    with pytest.raises(UserError, match="lacks pieces"):
        fingerprint(first)


def test_pieces_of_another_archive_are_ignored(pieces, tmp_path):
    first = pieces(_001=b"ab", _002=b"cd")
    for name in ("y.tar.003", "x.tar.003.part", "x.tar.md5", "ax.tar.003", "x.tar.0003", "xytar.003"):
        (tmp_path / name).write_bytes(b"other")
    with SplitFile(first) as whole:
        assert whole.read(100, 0) == b"abcd"


@pytest.mark.parametrize("name", ["x.tar", "x.tar.002", "x.TAR", "x"])
def test_a_file_of_another_name_is_read_alone(tmp_path, name):
    (tmp_path / name).write_bytes(b"alone")
    (tmp_path / "x.tar.001").write_bytes(b"other")
    with SplitFile(tmp_path / name) as whole:
        assert (whole.size, whole.read(100, 1)) == (5, b"lone")


@pytest.mark.parametrize("endings", [["AA", "AB"], ["001", "002"]])
def test_pieces_are_found_in_upper_case(tmp_path, endings):
    for ending in endings:
        (tmp_path / f"X.TAR.{ending}").write_bytes(ending.encode())
    with SplitFile(tmp_path / f"X.TAR.{endings[0]}") as whole:
        assert whole.read(100, 0) == "".join(endings).encode()


def split_suffixes(digits: str, count: int) -> list[str]:
    """Return the suffixes that GNU split gives to `count` pieces: it adds two characters when it runs out."""
    names, width = [], 2
    while len(names) < count:
        head = digits[-1] * (width // 2 - 1)
        tails = product(digits[:-1], *[digits] * (width // 2))
        names += [head + "".join(tail) for tail in islice(tails, count - len(names))]
        width += 2
    return names


@pytest.mark.parametrize(
    ("digits", "known"), [("0123456789", ["89", "9000"]), ("abcdefghijklmnopqrstuvwxyz", ["yz", "zaaa"])]
)
@pytest.mark.parametrize("upper", [False, True])
def test_pieces_with_suffixes_that_get_longer_are_in_order(tmp_path, digits, known, upper):
    endings = split_suffixes(digits, 1100)
    assert endings[endings.index(known[0]) :][:2] == known
    for ending in endings:
        (tmp_path / f"x.tar.{ending.upper() if upper else ending}").touch()
    (tmp_path / f"x.tar.{endings[0] * 2}").touch()  # not one of the pieces
    paths = piece_paths(tmp_path / f"x.tar.{endings[0].upper() if upper else endings[0]}")
    assert [path.suffix[1:].lower() for path in paths] == endings
    missing = tmp_path / f"x.tar.{known[0].upper() if upper else known[0]}"
    missing.unlink()
    with pytest.raises(UserError, match=rf"lacks pieces of x\.tar: x\.tar\.{known[0]}\. Put them"):
        piece_paths(paths[0])


@pytest.mark.skipif(not shutil.which("split"), reason="no split")
@pytest.mark.parametrize("options", [[], ["-d"]])
def test_the_pieces_of_the_systems_split_are_one_archive(tmp_path, options):
    data = bytes(range(256)) * 30
    (tmp_path / "whole").write_bytes(data)
    command = ["split", "-b", "10", *options, tmp_path / "whole", tmp_path / "x.tar."]
    if subprocess.run(command, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("this split has no such option, or does not lengthen suffixes")
    with SplitFile(tmp_path / ("x.tar.00" if options else "x.tar.aa")) as whole:
        assert whole.read(len(data) + 1, 0) == data


def test_a_hundred_pieces_with_two_digits_are_complete(tmp_path):
    for k in range(100):  # as `split -d -a 2` makes them
        (tmp_path / f"x.tar.{k:02}").touch()
    (tmp_path / "x.tar.9000").touch()
    assert len(piece_paths(tmp_path / "x.tar.00")) == 100


def test_pieces_are_closed(pieces):
    with SplitFile(pieces(_001=b"ab", _002=b"cd")) as whole:
        files = list(whole.files)
        assert len(files) == 2
    for file in files:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(file)
    whole.close()  # a second call does nothing


def test_a_fingerprint_has_the_size_and_time_of_each_piece(pieces):
    first = pieces(_001=b"ab", _002=b"cde")
    before = fingerprint(first)
    assert [size for size, _ in before] == [2, 3]
    assert before == [[p.stat().st_size, p.stat().st_mtime_ns] for p in sorted(first.parent.iterdir())]
    first.with_suffix(".002").write_bytes(b"cdef")
    assert fingerprint(first) != before


@pytest.mark.parametrize("name", ["x.tar", "x.tar.002"])
def test_a_pipe_is_refused_without_waiting(tmp_path, name):
    (tmp_path / "x.tar.001").write_bytes(b"first")
    os.mkfifo(tmp_path / name)
    first = tmp_path / ("x.tar" if name == "x.tar" else "x.tar.001")
    with pytest.raises(UserError, match=rf"{name} is not a regular file"):
        SplitFile(first)


def test_pieces_are_closed_if_a_later_one_cannot_be_opened(pieces):
    first = pieces(_001=b"ab", _002=b"cd")
    (first.parent / "x.tar.003").symlink_to("nowhere")
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(FileNotFoundError) as error:
        SplitFile(first)
    assert error.value.filename.endswith("x.tar.003")
    assert len(os.listdir("/dev/fd")) == before


def test_pieces_are_read_from_front_to_back(pieces):
    first = pieces(_001=b"abcd", _002=b"", _003=b"efg")
    with SplitFile(first) as whole, PiecesStream(whole) as stream:
        assert stream.read(3) == b"abc"
        assert stream.tell() == 3
        assert stream.read(3) == b"def"  # of two pieces
        assert stream.read() == b"g"
        assert stream.read(1) == b""
    assert size_of(first) == 7


@pytest.mark.parametrize("ending", ["aa", "001", "0", "1"])
@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz", "x.tgz", "x.TAR.zst"])
def test_the_first_piece_of_a_whole_is_found(tmp_path, name, ending):
    assert first_piece_of(tmp_path / name) is None
    for other in (f"{name}.{ending}", "y.tar.aa", f"{name}.002", f"a{name}.aa"):
        (tmp_path / other).touch()
    assert first_piece_of(tmp_path / name.lower()) == tmp_path / f"{name}.{ending}"
    assert first_piece_of(tmp_path / "none" / name) is None
