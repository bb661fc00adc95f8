"""What to say of an `imagenet` folder in which no images are found, and where they probably are."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from imagenet_s.io.links import dangling_link
from imagenet_s.io.split_file import FIRST_PIECE
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.problems import Problem
from imagenet_s.source.layouts import LAYOUTS, Places, find_places, indexed_reader
from imagenet_s.source.readers.base import IMAGE, WNID, ScanNotes
from imagenet_s.source.scan import SourceScan, dangling_links
from imagenet_s.source.tar_index import Index

NEAR = 100  # folders that are looked into at most
NAMES = {"train": "<wnid>_<number>.JPEG", "val": "ILSVRC2012_val_<number>.JPEG"}
SHOWN = 12  # names of what a folder holds
PIECE = re.compile(r"(ILSVRC2012_img_(?:train|val)\.tar)\.(\d+|[a-z]{2})", re.IGNORECASE)


def layout_problem(seen: SourceScan) -> Problem:
    """Return what to say of a folder below which nothing is called as train or val images are."""
    root = Path(seen.root)
    if not root.exists():
        return Problem(f"`imagenet`: there is no folder {root}. Correct `imagenet` in config.yaml.")
    if not root.is_dir():
        return Problem(f"`imagenet`: {root} is a file. Give the folder that holds it.")
    lacks = " and ".join(name for name in ("train", "val") if not seen.places(name))
    beginning = f"`imagenet`: found no {lacks} images of ImageNet-1k below {root}.\n{_held(root)}\n"
    itself = _itself(seen.entries)
    near = likely_folder(root)
    if itself and not near and (seen.train or seen.val):
        return Problem(
            f"`imagenet`: {itself} images lie in {root} itself, beside its other folders. Move them into a "
            f"folder {root / itself}, or make links to them there."
        )
    if itself and not near:
        return Problem(
            f"`imagenet`: {root} looks like the {itself} folder itself. Set `imagenet` in config.yaml to the "
            f"folder that holds it and the {'val' if itself == 'train' else 'train'} folder: {root.parent}"
        )
    if near:
        return Problem(f"{beginning}{_advice(near)}")
    if reasons := [*_first_pieces(root, seen.entries), *_dangling(root, seen.entries)]:
        return Problem(beginning + "\n".join(reasons))
    rows = {name: f"  {train} and {val} ({name})" for name, train, val in reversed(LAYOUTS)}
    understood = "\n".join(reversed(rows.values()))  # of each layout the first row is enough
    return Problem(
        f"{beginning}Understood, in any case of letters:\n{understood}\n"
        "with <wnid>/<wnid>_<number>.JPEG or <wnid>.tar in train, and val images flat or in folders.\n"
        "Set `imagenet` in config.yaml to the folder that holds both."
    )


def empty_place_problems(findings: Sequence[SourceScan]) -> list[Problem]:
    """Return what to say of places that are called as train or val images are, and hold none of any class."""
    seen = findings[0]
    barren = {kind: places for kind in ("train", "val") if (places := _barren(kind, findings))}
    if not barren:
        return []
    roots = [Path(seen.root), *(place for places in barren.values() for place in places)]
    near = next(filter(None, (likely_folder(folder, roots[:1]) for folder in roots)), None)
    if dangling := dangling_links(findings):
        advice = f"Links in it lead to nothing: {first_few(dangling)}. Bring back what they lead to."
    elif near:
        advice = _advice(near)
    else:
        advice = f"Set `imagenet` in config.yaml to the folder that holds {' and '.join(barren)}."
    problems = [
        Problem(
            f"`imagenet`: found no {kind} images ({NAMES[kind]}) in {', '.join(map(str, places))}.\n"
            f"{_held(places[0])}"
        )
        for kind, places in barren.items()
    ]
    return [*problems, Problem(advice)]


def _barren(kind: str, findings: Sequence[SourceScan]) -> list[Path]:
    """Return the places of train or val if none of them holds an image, as far as that is known unread."""
    places = findings[0].places(kind)
    taken = sum(one.sources.get(str(path), 0) for one in findings for path in places)
    known = kind not in findings[0].one_pass
    return places if known and not taken and not any(_has_images(path, kind) for path in places) else []


def likely_folder(root: Path, known: Sequence[Path] = ()) -> Path | None:
    """Return a folder near `root` that holds train and val images, and is not `known`.

    Looks one level up, one level down, and into a cache of the Hugging Face hub.
    """
    for folder in islice(_near(root), NEAR):
        with suppress(OSError, UserError):  # one that cannot be read is none
            places = find_places(folder)
            right = all(_hold_images(places, kind) for kind in ("train", "val"))
            if right and not any(map(folder.samefile, known)):
                return folder
    return None


def _near(root: Path) -> Iterator[Path]:
    yield root.parent
    with suppress(OSError):
        yield from _below(root)


def _below(root: Path) -> Iterator[Path]:
    for cache in (root, *sorted(root.glob("datasets--*imagenet-1k"))):
        main = cache / "refs" / "main"
        if main.is_file():
            yield cache / "snapshots" / main.read_text(errors="replace").strip()[:100]
        yield from sorted(cache.glob("snapshots/*/"))
    if root.is_dir():
        yield from (path for path in sorted(root.iterdir()) if path.is_dir())


def _advice(folder: Path) -> str:
    return f"{folder} holds both: set `imagenet` in config.yaml to it."


def _held(folder: Path) -> str:
    if not folder.is_dir():
        return f"It is a file of {folder.stat().st_size:,} bytes."
    return f"It holds: {first_few(sorted(path.name for path in folder.iterdir()), SHOWN) or 'nothing'}"


def _itself(names: Sequence[str]) -> str:
    """Whether the names are those in a train or a val folder, by what most of them are."""
    images = [IMAGE.fullmatch(name) for name in names]
    val = sum(1 for match in images if match and not match[2])
    train = sum(1 for match in images if match and match[2])
    train += sum(1 for name in names if WNID.fullmatch(name.lower().removesuffix(".tar")))
    if max(train, val) <= len(names) / 2 or min(train, val):
        return ""
    return "val" if val > train else "train"


def _hold_images(places: Places, kind: str) -> bool:
    """Whether there are images of train or val; of those read in one pass the names must do."""
    found = places.of(kind)
    return bool(found) and (kind in places.one_pass or any(_has_images(path, kind) for path in found))


def _has_images(place: Path, kind: str) -> bool:
    """Whether a place holds images of any class, or any val images."""
    reader = indexed_reader(place, ScanNotes(), Index())
    return bool(reader.classes() if kind == "train" else reader.val_images())


def _first_pieces(root: Path, names: Sequence[str]) -> Iterator[str]:
    """What to say of pieces of an archive whose first is missing."""
    archives = {}
    for name in names:
        if match := PIECE.fullmatch(name):
            archives.setdefault(match[1], []).append(name)
    for archive, pieces in archives.items():
        if not any(FIRST_PIECE.fullmatch(piece) for piece in pieces):
            yield f"The first piece of {archive} is missing: {pieces[0]} is a later one. Get it, into {root}."


def _dangling(root: Path, names: Sequence[str]) -> Iterator[str]:
    """What to say of links in the folder that lead to nothing."""
    if links := [link for name in names if (link := dangling_link(root / name))]:
        yield f"Links lead to nothing: {first_few(links)}. Bring back or mount what they lead to."
