"""A large file as one range of bytes, also where it lies in pieces: `x.tar.001`, `x.tar.002`, …"""

import os
import re
import stat
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

from imagenet_s.runtime.errors import UserError, first_few

# The first of several pieces of a tar; the others follow it.
FIRST_PIECE = re.compile(r"(.*\.tar)\.(0*[01]|aa)", re.IGNORECASE)

# GNU split lengthens its suffixes as it runs out of them: after 89 comes 9000, after 9899 990000, and
# after yz zaaa; so their order is that of text. First piece → the last short suffix, the longer ones.
LONGER = {
    "00": ("89", re.compile("|".join(rf"9{{{n}}}[0-8]\d{{{n + 1}}}" for n in (1, 2, 3)))),
    "aa": ("yz", re.compile("|".join(rf"z{{{n}}}[a-y][a-z]{{{n + 1}}}" for n in (1, 2, 3)))),
}


class SplitFile:
    """Reads a file, or the pieces that begin with it, by offset. Close it, or use it with `with`."""

    def __init__(self, path: str | Path):
        self.paths = piece_paths(Path(path))
        self.first_of_some = bool(FIRST_PIECE.fullmatch(self.paths[0].name))
        self.files: list[int] = []
        try:
            for piece in self.paths:
                require_file(piece)
                self.files.append(os.open(piece, os.O_RDONLY))
        except BaseException:
            self.close()
            raise
        sizes = [os.fstat(file).st_size for file in self.files]
        self.starts = [0, *accumulate(sizes)][:-1]
        self.size = sum(sizes)

    @property
    def called(self) -> str:
        """The file's path, and how many pieces there are if it is the first of some."""
        first, *others = self.paths
        if others:
            return f"{first} ({len(self.paths)} pieces, up to {others[-1].name})"
        return f"{first} (the only piece)" if self.first_of_some else str(first)

    def __enter__(self) -> "SplitFile":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        for file in self.files:
            os.close(file)
        self.files = []

    def fill(self, buffer: memoryview, offset: int) -> int:
        """Reads into the whole of `buffer` from `offset`; returns how many bytes there were."""
        filled = 0
        while filled < len(buffer) and offset + filled < self.size:
            k = bisect_right(self.starts, offset + filled) - 1
            try:
                count = os.preadv(self.files[k], [buffer[filled:]], offset + filled - self.starts[k])
            except OSError as error:
                error.filename = str(self.paths[k])  # a failed read does not say of what
                raise
            if not count:
                break
            filled += count
        return filled

    def read(self, count: int, offset: int) -> bytes:
        """Up to `count` bytes from `offset`."""
        buffer = bytearray(count)
        return bytes(buffer[: self.fill(memoryview(buffer), offset)])


def piece_paths(path: Path) -> list[Path]:
    """`path`, and the pieces that follow it if it is the first of several.

    Raises UserError where one is missing between others.
    """
    match = FIRST_PIECE.fullmatch(path.name)
    if not match:
        return [path]
    stem, first = match[1], match[2]
    ending = "[a-z]{2}"
    if first.isdecimal():
        ending = rf"\d{{{len(first)}}}" if len(first) > 1 else "[1-9][0-9]*|0"
    pattern = re.compile(rf"{re.escape(stem)}\.([0-9a-z]+)", re.IGNORECASE)
    matches = map(pattern.fullmatch, (piece.name for piece in path.parent.iterdir()))
    suffixes = sorted((match[1].lower(), path.parent / match[0]) for match in matches if match)
    numbered = sorted((_number(suffix), piece) for suffix, piece in suffixes if re.fullmatch(ending, suffix))
    numbers, found = [number for number, _ in numbered], [piece for _, piece in numbered]
    if first.lower() in LONGER:
        turn, longer = LONGER[first.lower()]
        further = [piece for suffix, piece in suffixes if longer.fullmatch(suffix)]
        if further and numbers[-1] <= _number(turn):
            numbers.append(_number(turn) + 1)  # of the first that is longer
            found += further
    missing = sorted(set(range(numbers[0], numbers[-1])) - set(numbers))
    if missing:
        names = first_few(f"{stem}.{_suffix(number, first)}" for number in missing)
        raise UserError(f"{path.parent} lacks pieces of {stem}: {names}. Get them, into the same folder.")
    return found


def _number(suffix: str) -> int:
    return int(suffix) if suffix.isdecimal() else 26 * ord(suffix[0].lower()) + ord(suffix[1].lower())


def _suffix(number: int, like: str) -> str:
    """The suffix of a piece, from its number: as long as that of another piece."""
    if like.isdecimal():
        return f"{number:0{len(like)}}"
    first, second = divmod(number - _number("aa"), 26)
    return f"{chr(ord('a') + first)}{chr(ord('a') + second)}"


def require_file(path: Path) -> None:
    """Raises UserError for a pipe, a socket or a device: to open it would wait for ever, or do harm."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise UserError(f"{path} is no plain file: it is a pipe, a device or the like. Put the file there.")


def fingerprint(path: Path) -> list[list[int]]:
    """[size, mtime in ns] of the file or of each of its pieces: what tells that it is still the same."""
    return [[piece.stat().st_size, piece.stat().st_mtime_ns] for piece in piece_paths(path)]
