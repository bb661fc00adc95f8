"""What is wrong with a source's archives as far as names and first bytes tell: nothing else is read."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from imagenet_s.io.links import dangling_link
from imagenet_s.io.split_file import FIRST_PIECE, piece_paths
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.file_kind import ADVICE, Kind, kind_of_file, wrong_kind
from imagenet_s.runtime.problems import Problem
from imagenet_s.source.layouts import COMPRESSED_ENDINGS, Places

# How files of a set are numbered: Hugging Face's parquet files name their number, of its tars there are five.
OF_MANY = re.compile(r"(.*-)(\d{5})(-of-)(\d{5})(.*\.parquet)", re.IGNORECASE)
OF_FIVE = re.compile(r"(train_images_)(\d+)(\.[a-z.]+)", re.IGNORECASE)
TARS = 5

# What a file may be, by its ending. A damaged tar may begin with anything: that is for its reader to say.
ARCHIVES = frozenset({Kind.TAR, Kind.GZIP, Kind.ZSTANDARD, Kind.UNKNOWN})
FIRST_PIECES = frozenset({Kind.TAR, Kind.UNKNOWN})
PARQUET_FILES = frozenset({Kind.PARQUET, Kind.UNKNOWN})


def archive_problems(places: Places) -> list[Problem]:
    """Return what is wrong with the archives that a source is read from: some are missing, or no archives.

    Archives beside a folder of the same set are left to their reader: the folder comes first, and may do.
    """
    sets = [paths for paths in (places.train, places.val) if not any(path.is_dir() for path in paths)]
    paths = [path for some in sets for path in some]
    there = [path for path in paths if path.exists()]
    return [
        *_dangling(paths),
        *(problem for some in sets if _is_numbered(some) for problem in missing_files(some)),
        *_missing_pieces(there),
        *_other_kinds(there),
    ]


def _is_numbered(paths: Iterable[Path]) -> bool:
    """Whether all are files of numbered sets: beside a whole archive, such a file may be a leftover."""
    return all(path.suffix.lower() == ".parquet" or OF_FIVE.fullmatch(path.name) for path in paths)


def missing_files(paths: Iterable[Path]) -> Iterator[Problem]:
    """Yield, for each set of numbered files, which of them are missing by the names of the others."""
    sets: dict[tuple, dict[int, Path]] = defaultdict(dict)
    for path in paths:
        if match := OF_MANY.fullmatch(path.name):
            sets[path.parent, match[1].lower(), int(match[4])][int(match[2])] = path
        elif match := OF_FIVE.fullmatch(path.name):
            sets[path.parent, match[1].lower(), TARS][int(match[2])] = path
    whole = {
        (folder, stem) for (folder, stem, total), found in sets.items() if found.keys() >= set(range(total))
    }
    for (folder, stem, total), found in sets.items():
        # Beside a whole set, some files of another edition may be left.
        if (folder, stem) in whole:
            continue
        names = [_name(next(iter(found.values())), k) for k in range(total) if k not in found]
        others = list(_others(folder, names))
        advice = "Get them, into the same folder. Nothing was read."
        if others:
            advice = f"There are {first_few(others)}: unpack these, or pack the others as these are."
        yield Problem(
            f"`imagenet`: {folder} lacks {len(names):,} of the {total:,} files {stem}…: {first_few(names)}. "
            f"{advice}",
            tuple(f"missing {folder}/{name}" for name in names),
        )


def _others(folder: Path, names: Iterable[str]) -> Iterator[str]:
    """Yield the archives that differ from missing ones in the ending alone; no half downloads (`.part`)."""
    stems = {name.partition(".")[0] for name in names}
    for path in sorted(folder.iterdir()):
        if path.name.partition(".")[0] in stems and path.suffix.lower() in (".tar", *COMPRESSED_ENDINGS):
            yield path.name


def _dangling(paths: Iterable[Path]) -> Iterator[Problem]:
    if links := [link for path in paths if (link := dangling_link(path))]:
        advice = "Bring back or mount what they lead to."
        yield Problem(f"`imagenet`: links lead to nothing: {first_few(links)}. {advice}", tuple(links))


def _missing_pieces(paths: Iterable[Path]) -> Iterator[Problem]:
    for path in paths:
        try:
            piece_paths(path)
        except UserError as error:
            yield Problem(f"`imagenet`: {error}")


def _name(other: Path, number: int) -> str:
    """The name of a file, from that of another of its set."""
    before, digits, *behind = (OF_MANY.fullmatch(other.name) or OF_FIVE.fullmatch(other.name)).groups()
    return f"{before}{number:0{len(digits)}}{''.join(behind)}"


def _other_kinds(paths: Sequence[Path]) -> Iterator[Problem]:
    """Yield what files are that are no archives, whatever their names say; those of a kind together."""
    found: dict[tuple[Kind, str], list[Path]] = defaultdict(list)
    for path in paths:
        kind = kind_of_file(path) if path.is_file() else Kind.UNKNOWN  # to open a pipe would wait for ever
        possible, expected = _expected(path)
        if kind not in possible:
            found[kind, expected].append(path)
    for (kind, expected), some in found.items():
        if len(some) == 1:
            text = wrong_kind(some[0], kind, expected)
        else:
            text = (
                f"{len(some):,} files are not {expected}: each is {kind}: {first_few(some)}. {_advice(kind)}"
            )
        yield Problem(f"`imagenet`: {text}", tuple(f"{path}: {kind}" for path in some))


def _expected(path: Path) -> tuple[frozenset[Kind], str]:
    """Which kinds a file may be of, and in words."""
    if path.suffix.lower() == ".parquet":
        return PARQUET_FILES, "a parquet file"
    if FIRST_PIECE.fullmatch(path.name):
        return FIRST_PIECES, "a tar in pieces (join pieces of a compressed one first, with `cat`)"
    return ARCHIVES, "a tar"


def _advice(kind: Kind) -> str:
    return ADVICE.get(kind, "Get the right files, or remove them.")
