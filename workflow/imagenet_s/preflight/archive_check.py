"""What is wrong with a source's archives, as far as names and first bytes tell. Nothing else is read."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from imagenet_s.io.links import dangling_link
from imagenet_s.io.split_file import piece_paths
from imagenet_s.io.tfrecord import begins_with_record
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.file_kind import ADVICE, Kind, kind_of_file, wrong_kind
from imagenet_s.runtime.problems import Problem
from imagenet_s.source.hub_cache import download_command, snapshot_of
from imagenet_s.source.layouts import Places
from imagenet_s.source.readers.choose import COMPRESSED_ENDINGS, is_zip
from imagenet_s.source.readers.tfrecord import TFRECORD_NAME
from imagenet_s.source.readers.webdataset import SHARD

# Names of numbered files. Parquet and TFRecord files state how many there are; of Hugging Face's tars there
# are five. Of shards, the highest number tells.
OF_MANY = re.compile(r"(.*-)(\d{5})(-of-)(\d{5})((?:.*\.parquet)?)", re.IGNORECASE)
OF_FIVE = re.compile(r"(train_images_)(\d+)(\.[a-z.]+)", re.IGNORECASE)
TARS = 5

# The kinds that a file may be of. A damaged tar may begin with any bytes: its reader reports that.
ARCHIVES = frozenset({Kind.TAR, Kind.GZIP, Kind.ZSTANDARD, Kind.UNKNOWN})
PLAIN_TARS = frozenset({Kind.TAR, Kind.UNKNOWN})
# A zip that unpacks itself begins with a program.
ZIPS = frozenset({Kind.ZIP, Kind.UNKNOWN})
PARQUET_FILES = frozenset({Kind.PARQUET, Kind.UNKNOWN})
TFRECORD_FILES = frozenset({Kind.UNKNOWN})


class _NumberedSet(NamedTuple):
    """A set of numbered files in one folder, whose names begin with `stem`."""

    folder: Path
    stem: str
    total: int | None  # None: up to the highest number that is there


def archive_problems(places: Places) -> list[Problem]:
    """Return what is wrong with the archives of a source: files that are missing, or that are not archives.

    Archives beside a folder of the same set are left to their reader: they may not be needed, because the
    folder takes precedence.
    """
    sets = [paths for paths in (places.train, places.val) if not any(path.is_dir() for path in paths)]
    paths = list(dict.fromkeys(path for some in sets for path in some))  # one zip may hold both sets
    existing = [path for path in paths if path.exists()]
    return [
        *dangling_archives(paths),
        *(problem for some in sets if _is_numbered(some) for problem in missing_files(some)),
        *_missing_pieces(existing),
        *_other_kinds(existing),
    ]


def _is_numbered(paths: Iterable[Path]) -> bool:
    """Return whether all are numbered files. Beside a whole archive, a numbered file may be a leftover."""
    return all(path.suffix.lower() == ".parquet" or _number_of(path) for path in paths)


def _number_of(path: Path) -> tuple[_NumberedSet, int] | None:
    """Return the set that a numbered file belongs to, and its number in it; None for any other file."""
    if match := OF_MANY.fullmatch(path.name):
        return _NumberedSet(path.parent, match[1].lower(), int(match[4])), int(match[2])
    if match := OF_FIVE.fullmatch(path.name):
        return _NumberedSet(path.parent, match[1].lower(), TARS), int(match[2])
    if match := SHARD.fullmatch(path.name):
        return _NumberedSet(path.parent, match[1].lower(), None), int(match[2])
    return None


def describe_places(paths: Iterable[Path]) -> list[str]:
    """Return the paths for a message, in their order; those of a numbered set as one."""
    return list(dict.fromkeys(map(place_or_set, paths)))


def place_or_set(path: Path) -> str:
    """Return a path for a message; for a numbered file, what its set has in common."""
    numbered = _number_of(path)
    return f"{path.with_name(numbered[0].stem)}…" if numbered else str(path)


def missing_files(paths: Iterable[Path]) -> Iterator[Problem]:
    """Yield, for each set of numbered files, which files are missing according to the names of the others."""
    sets: dict[_NumberedSet, dict[int, Path]] = defaultdict(dict)
    for path in paths:
        if numbered := _number_of(path):
            sets[numbered[0]][numbered[1]] = path
    lacking = {files: _lacking(files, found) for files, found in sets.items()}
    complete = {(files.folder, files.stem) for files, names in lacking.items() if not names}
    for files, names in lacking.items():
        # Beside a complete set, some files of another edition may be left.
        if (files.folder, files.stem) in complete:
            continue
        others = list(_other_endings(files.folder, names))
        snapshot = snapshot_of(files.folder)
        how = f" with `{download_command(snapshot)}`" if snapshot else ", into the same folder"
        advice = f"Get them{how}. Nothing was read."
        if others:
            advice = (
                f"Instead there are {first_few(others)}: unpack these, or pack the others in the same way."
            )
        yield Problem(
            f"`imagenet`: {files.folder} lacks {len(names):,} of the {_total(files, sets[files]):,} files "
            f"{files.stem}…: {first_few(names)}. {advice}",
            tuple(f"missing {files.folder}/{name}" for name in names),
        )


def _total(files: _NumberedSet, found: Iterable[int]) -> int:
    return max(found) + 1 if files.total is None else files.total


def _lacking(files: _NumberedSet, found: Mapping[int, Path]) -> list[str]:
    """Return the names of the files that a set lacks. `found` is number → file."""
    example = next(iter(found.values()))
    return [_numbered_name(example, k) for k in range(_total(files, found)) if k not in found]


def _other_endings(folder: Path, names: Iterable[str]) -> Iterator[str]:
    """Yield the archives whose names differ from missing ones only in their ending; no partial downloads."""
    stems = {name.partition(".")[0] for name in names}
    for path in sorted(folder.iterdir()):
        if path.name.partition(".")[0] in stems and path.suffix.lower() in (".tar", *COMPRESSED_ENDINGS):
            yield path.name


def dangling_archives(paths: Iterable[Path]) -> Iterator[Problem]:
    """Yield a problem for the links that lead to nothing, one for each revision in the hub's cache."""
    links: dict[Path | None, list[str]] = defaultdict(list)
    for path in paths:
        if link := dangling_link(path):
            links[snapshot_of(path)].append(link)
    for snapshot, some in links.items():
        text = f"links lead to nothing: {first_few(some)}. Restore or mount their targets."
        if snapshot:
            text = (
                f"the revision {snapshot}, in the Hugging Face hub's cache, is only partly downloaded: "
                f"{len(some):,} of its links lead to nothing: {first_few(some)}. Download the rest with "
                f"`{download_command(snapshot)}`."
            )
        yield Problem(f"`imagenet`: {text}", tuple(some))


def _missing_pieces(paths: Iterable[Path]) -> Iterator[Problem]:
    for path in paths:
        try:
            piece_paths(path)
        except UserError as error:
            yield Problem(f"`imagenet`: {error}")


def _numbered_name(example: Path, number: int) -> str:
    """Return the name of a numbered file. `example` is another file of its set."""
    match = OF_MANY.fullmatch(example.name) or OF_FIVE.fullmatch(example.name)
    match = match or SHARD.fullmatch(example.name)
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
    if kind is not Kind.UNKNOWN and TFRECORD_NAME.fullmatch(path.name) and begins_with_record(path):
        return Kind.UNKNOWN
    return kind


def _expected(path: Path) -> tuple[frozenset[Kind], str]:
    """Return which kinds a file may be of, and the same in words."""
    if path.suffix.lower() == ".parquet":
        return PARQUET_FILES, "a parquet file"
    if SHARD.fullmatch(path.name):
        return PLAIN_TARS, "a tar"
    if TFRECORD_NAME.fullmatch(path.name):
        return TFRECORD_FILES, "a TFRecord file"
    if is_zip(path):
        return ZIPS, "a zip"
    return ARCHIVES, "a tar"
