"""Advice on an `imagenet` folder in which no images are found: where they probably are."""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from imagenet_s.io.links import dangling_link
from imagenet_s.io.split_file import FIRST_PIECE
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.problems import Problem
from imagenet_s.source.content import candidates_in
from imagenet_s.source.hub_cache import download_command, hub_caches
from imagenet_s.source.layouts import LAYOUTS, Places, find_places
from imagenet_s.source.readers.base import IMAGE, WNID, ScanNotes
from imagenet_s.source.readers.choose import indexed_reader
from imagenet_s.source.scan import SourceScan, dangling_links
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.subsets import MASKED, SUBSETS, mask_folder, subset_name

MAX_FOLDERS = 100  # folders nearby that are searched
NAMES = {"train": "<wnid>_<number>.JPEG", "val": "ILSVRC2012_val_<number>.JPEG"}
NAME_BOTH = "name the place of each set: `imagenet: {train: PATH, val: PATH}`"
SHOWN = 12  # names in a folder that a message shows
DATA_SET = ("train-semi", *map(mask_folder, MASKED))  # folders that ImageNet-1k does not have
PIECE = re.compile(r"(.*\.(?:tar|tar\.gz|tgz|tar\.zst))\.(\d+|[a-z]{2})", re.IGNORECASE)


def source_folder_problems(scans: Sequence[SourceScan]) -> list[Problem]:
    """Return the problems of a folder that has no train or no val images, or is not raw ImageNet."""
    scan = scans[0]
    root = Path(scan.root)
    for own_root in scan.roots:
        if is_data_set(own_root):
            return [_data_set_problem(own_root)]
    if scan.train and scan.val:
        return empty_place_problems(scans)
    if scan.val_root:
        return [_missing_paths(scan)]
    return [_data_set_problem(root.parent) if is_data_set(root.parent) else layout_problem(scan)]


def is_data_set(folder: Path) -> bool:
    """Return whether a folder is an ImageNet-S data set, by its folders."""
    return all((folder / name).is_dir() for name in DATA_SET)


def _data_set_problem(folder: Path) -> Problem:
    return Problem(
        f"`imagenet`: {folder} is an ImageNet-S data set, not raw ImageNet-1k. Set `imagenet` in config.yaml "
        f"to the ImageNet-1k that it was made from. `imagenet-s verify {shlex.quote(str(folder))}` checks a "
        "data set."
    )


def layout_problem(scan: SourceScan) -> Problem:
    """Return the problem of a folder in which no train or no val images are found."""
    root = Path(scan.root)
    if not root.exists():
        return Problem(f"`imagenet`: there is no folder {root}. Correct `imagenet` in config.yaml.")
    if not root.is_dir():
        return Problem(
            f"`imagenet`: {root} is a file, and not a .zip. Set `imagenet` in config.yaml to the folder that "
            f"holds it ({root.parent}), or {NAME_BOTH}."
        )
    lacks = " and ".join(kind for kind in ("train", "val") if not scan.places(kind))
    lines = [f"`imagenet`: found no {lacks} images of ImageNet-1k below {root}.", _content(root)]
    kind = _kind_of_folder(scan.entries)
    near = likely_folder(root)
    if kind and not near and (scan.train or scan.val):
        return Problem(
            f"`imagenet`: {kind} images are in {root} itself, beside its other folders. Move them into a "
            f"folder {root / kind}, make links to them there, or {NAME_BOTH}."
        )
    if kind and not near:
        return Problem(
            f"`imagenet`: {root} looks like the {kind} folder itself. Set `imagenet` in config.yaml to the "
            f"folder that holds it and the {'val' if kind == 'train' else 'train'} folder: {root.parent}"
        )
    if near:
        itself = [f"`imagenet`: {root} looks like the {kind} folder itself."]
        return Problem("\n".join([*(itself if kind else lines), _advice(near)]))
    entries = scan.entries
    reasons = [*_first_pieces(root, entries), *_dangling(root, entries), *_in_hub(root), *_built(entries)]
    lines += _looked_at(root, [*scan.train, *scan.val])
    if reasons:
        return Problem("\n".join([*lines, *reasons]))
    rows = {
        row.name: f"  {' and '.join(dict.fromkeys((row.train, row.val)))} ({row.name})"
        for row in reversed(LAYOUTS)
    }
    # Of each layout, the first row is enough.
    lines += [
        "Expected one of these layouts, in upper or lower case:",
        *(row.replace("#", "*") for row in reversed(rows.values())),
        "with <wnid>/<wnid>_<number>.JPEG or <wnid>.tar in train, and val images flat or in folders.",
        f"Set `imagenet` in config.yaml to the folder that holds both, or {NAME_BOTH}.",
    ]
    return Problem("\n".join(lines))


def _missing_paths(scan: SourceScan) -> Problem:
    """Return the problem of paths that the user names for train and for val, and that do not exist."""
    lacks = [
        f"`imagenet.{kind}`: there is no {root}. Correct it in config.yaml."
        for kind, root in zip(("train", "val"), scan.roots, strict=True)
        if not scan.places(kind)
    ]
    return Problem("\n".join(lacks))


def _looked_at(root: Path, known: Iterable[str] = ()) -> Iterator[str]:
    """Yield a line on the folders and archives in `root` whose names do not tell what they hold."""
    candidates = candidates_in(root, set(map(Path, known)))
    if candidates:
        found = (f"{candidate.path.name} ({candidate.description})" for candidate in candidates)
        yield f"Looked into: {first_few(found)}."


def empty_place_problems(scans: Sequence[SourceScan]) -> list[Problem]:
    """Return the problems of places named like those of train or val images that hold none of any class."""
    scan = scans[0]
    empty = {kind: places for kind in ("train", "val") if (places := _empty_places(kind, scans))}
    if not empty:
        return []
    roots = [Path(scan.root), *(place for places in empty.values() for place in places)]
    near = next(filter(None, (likely_folder(folder, roots[:1]) for folder in roots)), None)
    if dangling := dangling_links(scans):
        advice = f"Links in it lead to nothing: {first_few(dangling)}. Restore or mount their targets."
    elif scan.val_root:
        advice = f"Correct {' and '.join(f'`imagenet.{kind}`' for kind in empty)} in config.yaml."
    elif near:
        advice = _advice(near)
    else:
        advice = f"Set `imagenet` in config.yaml to the folder that holds {' and '.join(empty)}."
    problems = [_empty_set(kind, places, bool(scan.val_root)) for kind, places in empty.items()]
    return [*problems, Problem(advice)]


def _empty_set(kind: str, places: Sequence[Path], has_own_path: bool) -> Problem:
    """Return the problem of places that hold no train or val images, or of the path that names them."""
    key = f"imagenet.{kind}" if has_own_path else "imagenet"
    lines = [f"`{key}`: found no {kind} images ({NAMES[kind]}) in {', '.join(map(str, places))}."]
    lines.append(_content(places[0]))
    if has_own_path:
        lines += _looked_at(places[0])
    return Problem("\n".join(lines))


def _empty_places(kind: str, scans: Sequence[SourceScan]) -> list[Path]:
    """Return all places of train or val if none holds an image, as far as this is known without reading."""
    places = scans[0].places(kind)
    used = sum(scan.sources.get(str(place), 0) for scan in scans for place in places)
    is_known = kind not in scans[0].one_pass
    return places if is_known and not used and not any(_has_images(place, kind) for place in places) else []


def likely_folder(root: Path, known: Sequence[Path] = ()) -> Path | None:
    """Return a folder near `root`, not one of `known`, that holds train and val images.

    Searches one level up and one level down.
    """
    for folder in islice(_near(root), MAX_FOLDERS):
        with suppress(OSError, UserError):  # a folder that cannot be read is not a likely one
            if is_data_set(folder):
                continue
            places = find_places(folder)
            has_both = all(_hold_images(places, kind) for kind in ("train", "val"))
            if has_both and not any(map(folder.samefile, known)):
                return folder
    return None


def _near(root: Path) -> Iterator[Path]:
    yield root.parent
    with suppress(OSError):
        yield from (path for path in sorted(root.iterdir()) if path.is_dir())


def _advice(folder: Path) -> str:
    return f"{folder} holds both: set `imagenet` in config.yaml to it."


def _content(folder: Path) -> str:
    if not folder.is_dir():
        return f"It is a file of {folder.stat().st_size:,} bytes."
    return f"It holds: {first_few(sorted(path.name for path in folder.iterdir()), SHOWN) or 'nothing'}"


def _kind_of_folder(names: Sequence[str]) -> str:
    """Return `train` or `val` if most names in a folder are those of such a folder, else an empty text."""
    images = [IMAGE.fullmatch(name) for name in names]
    val = sum(1 for match in images if match and not match[2])
    train = sum(1 for match in images if match and match[2])
    train += sum(1 for name in names if WNID.fullmatch(name.lower().removesuffix(".tar")))
    if max(train, val) <= len(names) / 2 or min(train, val):
        return ""
    return "val" if val > train else "train"


def _hold_images(places: Places, kind: str) -> bool:
    """Return whether there are train or val images. Places read from front to back count by their names."""
    found = places.of(kind)
    return bool(found) and (kind in places.one_pass or any(_has_images(place, kind) for place in found))


def _has_images(place: Path, kind: str) -> bool:
    """Return whether a place holds train images of any class, or any val images."""
    reader = indexed_reader(place, ScanNotes(), Index())
    return bool(reader.classes() if kind == "train" else reader.val_images())


def _first_pieces(root: Path, names: Sequence[str]) -> Iterator[str]:
    """Yield a line for each archive in pieces whose first piece is missing."""
    archives: dict[str, list[str]] = {}
    for name in names:
        if match := PIECE.fullmatch(name):
            archives.setdefault(match[1], []).append(name)
    for archive, pieces in archives.items():
        if not any(FIRST_PIECE.fullmatch(piece) for piece in pieces):
            yield f"The first piece of {archive} is missing: {pieces[0]} is a later one. Get it, into {root}."


def _in_hub(root: Path) -> Iterator[str]:
    """Yield a line for each cache of the Hugging Face hub, none of whose revisions has any archives."""
    for hub_cache in hub_caches(root):
        revisions = first_few(path.name for path in hub_cache.revisions) or "none"
        yield (
            f"{hub_cache.folder} is a cache of the Hugging Face hub, but no revision in it ({revisions}) has "
            f"files of ImageNet-1k. Download them with `{download_command(hub_cache.folder)}`."
        )


def _built(names: Sequence[str]) -> Iterator[str]:
    """Yield a line on the data sets among the entries of an output folder."""
    if built := [subset_name(subset) for subset in SUBSETS if subset_name(subset) in names]:
        yield (
            f"A build made {', '.join(built)} there. Set `imagenet` in config.yaml to the ImageNet-1k that "
            "it was made from."
        )


def _dangling(root: Path, names: Sequence[str]) -> Iterator[str]:
    """Yield a line on the links in the folder that lead to nothing."""
    if links := [link for name in names if (link := dangling_link(root / name))]:
        yield f"Links lead to nothing: {first_few(links)}. Restore or mount their targets."
