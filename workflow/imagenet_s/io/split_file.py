"""A large file as one range of bytes, even if it is split into pieces: `x.tar.001`, `x.tar.002`, …."""

import io
import os
import re
import stat
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

from imagenet_s.runtime.errors import UserError, first_few

# The name of the first piece of a tar, which may be compressed.
FIRST_PIECE = re.compile(r"(.*\.(?:tar|tar\.gz|tgz|tar\.zst))\.(0*[01]|aa)", re.IGNORECASE)

# GNU split makes its suffixes longer when it runs out of them: 9000 follows 89, 990000 follows 9899, and
# zaaa follows yz. They still sort as text. First suffix → the last short suffix, a pattern of longer ones.
LONGER = {
    "00": ("89", re.compile("|".join(rf"9{{{n}}}[0-8]\d{{{n + 1}}}" for n in (1, 2, 3)))),
    "aa": ("yz", re.compile("|".join(rf"z{{{n}}}[a-y][a-z]{{{n + 1}}}" for n in (1, 2, 3)))),
}


class SplitFile:
    """Reads a file, or the pieces that begin with it, by offset. Close it, or use it with `with`.

    Attributes:
        paths: The files, in order.
        starts: The offset in bytes at which each file begins.
        size: The bytes of all files together.
        is_first_piece: Whether the file's name is that of a first piece, even if it is the only one.
    """

    def __init__(self, path: str | Path):
        self.paths = piece_paths(Path(path))
        self.is_first_piece = bool(FIRST_PIECE.fullmatch(self.paths[0].name))
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
    def description(self) -> str:
        """The file's path for a message, with the number of pieces if it is the first one."""
        first, *others = self.paths
        if others:
            return f"{first} ({len(self.paths)} pieces, up to {others[-1].name})"
        return f"{first} (the only piece)" if self.is_first_piece else str(first)

    def __enter__(self) -> "SplitFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all files. A second call does nothing."""
        for file in self.files:
            os.close(file)
        self.files = []

    def fill(self, buffer: memoryview, offset: int) -> int:
        """Fill `buffer` from `offset` on, and return how many bytes there were."""
        filled = 0
        while filled < len(buffer) and offset + filled < self.size:
            k = bisect_right(self.starts, offset + filled) - 1
            try:
                count = os.preadv(self.files[k], [buffer[filled:]], offset + filled - self.starts[k])
            except OSError as error:
                error.filename = str(self.paths[k])  # a failed read does not name the file
                raise
            if not count:
                break
            filled += count
        return filled

    def read(self, count: int, offset: int) -> bytes:
        """Return up to `count` bytes from `offset` on."""
        buffer = bytearray(count)
        return bytes(buffer[: self.fill(memoryview(buffer), offset)])


class PiecesStream(io.RawIOBase):
    """The bytes of a SplitFile from front to back, as a file. Closing it leaves the SplitFile open.

    Of the methods of a file, it has those that Arrow calls.
    """

    def __init__(self, pieces: SplitFile):
        super().__init__()
        self.pieces, self.position = pieces, 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return the next `size` bytes, fewer at the end; all that are left if `size` is negative."""
        data = self.pieces.read(self.pieces.size - self.position if size < 0 else size, self.position)
        self.position += len(data)
        return data

    def tell(self) -> int:
        """Return the offset of the next byte."""
        return self.position


def first_piece_of(path: Path) -> Path | None:
    """Return the first piece of a file that is not there as a whole; None if its folder has none."""
    if not path.parent.is_dir():
        return None
    matches = ((FIRST_PIECE.fullmatch(piece.name), piece) for piece in path.parent.iterdir())
    firsts = sorted(piece for match, piece in matches if match and match[1].lower() == path.name.lower())
    return firsts[0] if firsts else None


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all pieces that begin with it."""
    return sum(size for size, _ in fingerprint(path))


def piece_paths(path: Path) -> list[Path]:
    """Return `path`, followed by the other pieces if it is the first piece.

    Raises:
        UserError: A piece between others is missing.
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
    numbers, pieces = [number for number, _ in numbered], [piece for _, piece in numbered]
    if first.lower() in LONGER:
        last_short, longer = LONGER[first.lower()]
        further = [piece for suffix, piece in suffixes if longer.fullmatch(suffix)]
        if further and numbers[-1] <= _number(last_short):
            numbers.append(_number(last_short) + 1)  # that of the first longer suffix
            pieces += further
    missing = sorted(set(range(numbers[0], numbers[-1])) - set(numbers))
    if missing:
        names = first_few(f"{stem}.{_suffix(number, first)}" for number in missing)
        raise UserError(f"{path.parent} lacks pieces of {stem}: {names}. Put them into the same folder.")
    return pieces


def _number(suffix: str) -> int:
    return int(suffix) if suffix.isdecimal() else 26 * ord(suffix[0].lower()) + ord(suffix[1].lower())


def _suffix(number: int, like: str) -> str:
    """Return the suffix of the piece with this number, as long as `like`, the suffix of another piece."""
    if like.isdecimal():
        return f"{number:0{len(like)}}"
    first, second = divmod(number - _number("aa"), 26)
    return f"{chr(ord('a') + first)}{chr(ord('a') + second)}"


def require_file(path: Path) -> None:
    """Raise UserError unless `path` is a regular file.

    Opening a pipe, a socket or a device could wait forever or do harm.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise UserError(f"{path} is not a regular file (pipe or device). Replace it with the file itself.")


def fingerprint(path: Path) -> list[list[int]]:
    """Return [size in bytes, mtime in ns] of the file, or of each of its pieces.

    If it is equal later, the file has not changed.
    """
    return [[piece.stat().st_size, piece.stat().st_mtime_ns] for piece in piece_paths(path)]
