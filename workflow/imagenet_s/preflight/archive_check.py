"""What is wrong with a source's archives, as far as names and first bytes tell. Nothing else is read."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from imagenet_s.io.links import dangling_link
from imagenet_s.io.split_file import FIRST_PIECE, piece_paths
from imagenet_s.io.tfrecord import begins_with_record
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.file_kind import ADVICE, Kind, kind_of_file, wrong_kind
from imagenet_s.runtime.problems import Problem
from imagenet_s.source.layouts import COMPRESSED_ENDINGS, Places
from imagenet_s.source.readers.tfrecord import SHARD

# Names of numbered files. Parquet and TFRecord files state how many there are; Hugging Face has five tars.
OF_MANY = re.compile(r"(.*-)(\d{5})(-of-)(\d{5})((?:.*\.parquet)?)", re.IGNORECASE)
OF_FIVE = re.compile(r"(train_images_)(\d+)(\.[a-z.]+)", re.IGNORECASE)
TARS = 5

# The kinds that a file may be of. A damaged tar may begin with any bytes: its reader reports that.
ARCHIVES = frozenset({Kind.TAR, Kind.GZIP, Kind.ZSTANDARD, Kind.UNKNOWN})
FIRST_PIECES = frozenset({Kind.TAR, Kind.UNKNOWN})
PARQUET_FILES = frozenset({Kind.PARQUET, Kind.UNKNOWN})
TFRECORD_FILES = frozenset({Kind.UNKNOWN})


class _NumberedSet(NamedTuple):
    """A set of `total` numbered files in one folder, whose names begin with `stem`."""

    folder: Path
    stem: str
    total: int


def archive_problems(places: Places) -> list[Problem]:
    """Return what is wrong with the archives of a source: files that are missing, or that are not archives.

    Archives beside a folder of the same set are left to their reader: they may not be needed, because the
    folder takes precedence.
    """
    sets = [paths for paths in (places.train, places.val) if not any(path.is_dir() for path in paths)]
    paths = [path for some in sets for path in some]
    existing = [path for path in paths if path.exists()]
    return [
        *_dangling(paths),
        *(problem for some in sets if _is_numbered(some) for problem in missing_files(some)),
        *_missing_pieces(existing),
        *_other_kinds(existing),
    ]


def _is_numbered(paths: Iterable[Path]) -> bool:
    """Return whether all are numbered files. Beside a whole archive, a numbered file may be a leftover."""
    names = [path.name for path in paths]
    return all(
        name.lower().endswith(".parquet") or SHARD.fullmatch(name) or OF_FIVE.fullmatch(name)
        for name in names
    )


def missing_files(paths: Iterable[Path]) -> Iterator[Problem]:
    """Yield, for each set of numbered files, which files are missing according to the names of the others."""
    sets: dict[_NumberedSet, dict[int, Path]] = defaultdict(dict)
    for path in paths:
        if match := OF_MANY.fullmatch(path.name):
            sets[_NumberedSet(path.parent, match[1].lower(), int(match[4]))][int(match[2])] = path
        elif match := OF_FIVE.fullmatch(path.name):
            sets[_NumberedSet(path.parent, match[1].lower(), TARS)][int(match[2])] = path
    complete = {
        (files.folder, files.stem) for files, found in sets.items() if found.keys() >= set(range(files.total))
    }
    for files, found in sets.items():
        # Beside a complete set, some files of another edition may be left.
        if (files.folder, files.stem) in complete:
            continue
        example = next(iter(found.values()))
        names = [_numbered_name(example, k) for k in range(files.total) if k not in found]
        others = list(_other_endings(files.folder, names))
        advice = "Get them, into the same folder. Nothing was read."
        if others:
            advice = (
                f"Instead there are {first_few(others)}: unpack these, or pack the others in the same way."
            )
        yield Problem(
            f"`imagenet`: {files.folder} lacks {len(names):,} of the {files.total:,} files {files.stem}…: "
            f"{first_few(names)}. {advice}",
            tuple(f"missing {files.folder}/{name}" for name in names),
        )


def _other_endings(folder: Path, names: Iterable[str]) -> Iterator[str]:
    """Yield the archives whose names differ from missing ones only in their ending; no partial downloads."""
    stems = {name.partition(".")[0] for name in names}
    for path in sorted(folder.iterdir()):
        if path.name.partition(".")[0] in stems and path.suffix.lower() in (".tar", *COMPRESSED_ENDINGS):
            yield path.name


def _dangling(paths: Iterable[Path]) -> Iterator[Problem]:
    if links := [link for path in paths if (link := dangling_link(path))]:
        advice = "Restore or mount their targets."
        yield Problem(f"`imagenet`: links lead to nothing: {first_few(links)}. {advice}", tuple(links))


def _missing_pieces(paths: Iterable[Path]) -> Iterator[Problem]:
    for path in paths:
        try:
            piece_paths(path)
        except UserError as error:
            yield Problem(f"`imagenet`: {error}")


def _numbered_name(example: Path, number: int) -> str:
    """Return the name of a numbered file. `example` is another file of its set."""
    match = OF_MANY.fullmatch(example.name) or OF_FIVE.fullmatch(example.name)
    assert match  # only numbered files are in sets
    before, digits, *behind = match.groups()
    return f"{before}{number:0{len(digits)}}{''.join(behind)}"


def _other_kinds(paths: Sequence[Path]) -> Iterator[Problem]:
    """Yield a problem for each kind of file that is named like an archive but is none."""
    found: dict[tuple[Kind, str], list[Path]] = defaultdict(list)
    for path in paths:
        kind = _kind(path)
        possible, expected = _expected(path)
        if kind not in possible:
            found[kind, expected].append(path)
    for (kind, expected), some in found.items():
        if len(some) == 1:
            text = wrong_kind(some[0], kind, expected)
        else:
            advice = ADVICE.get(kind, "Get the right files, or remove them.")
            text = f"{len(some):,} files are not {expected}: each is {kind}: {first_few(some)}. {advice}"
        yield Problem(f"`imagenet`: {text}", tuple(f"{path}: {kind}" for path in some))


def _kind(path: Path) -> Kind:
    """Return what a file is. Only regular files are opened: opening a pipe would block."""
    kind = kind_of_file(path) if path.is_file() else Kind.UNKNOWN
    # The length with which a TFRecord file begins can look like the signature of another kind.
    if kind is not Kind.UNKNOWN and SHARD.fullmatch(path.name) and begins_with_record(path):
        return Kind.UNKNOWN
    return kind


def _expected(path: Path) -> tuple[frozenset[Kind], str]:
    """Return which kinds a file may be of, and the same in words."""
    if path.suffix.lower() == ".parquet":
        return PARQUET_FILES, "a parquet file"
    if SHARD.fullmatch(path.name):
        return TFRECORD_FILES, "a TFRecord file"
    if FIRST_PIECE.fullmatch(path.name):
        return FIRST_PIECES, "a tar in pieces (join pieces of a compressed one first, with `cat`)"
    return ARCHIVES, "a tar"
