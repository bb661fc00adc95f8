"""What a copy of ImageNet-1k contains, and which subsets can be built from it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import pyarrow as pa

from imagenet_s.config.checks import path_problems
from imagenet_s.io.split_file import size_of
from imagenet_s.preflight.check import known_images, scan_source
from imagenet_s.preflight.completeness import SplitCount, count_splits, empty_images
from imagenet_s.preflight.decoding import Decoded, faults_of_images, images_in
from imagenet_s.preflight.official_archives import Archive, compare_archives
from imagenet_s.preflight.wrong_folder import NAME_BOTH, source_folder_problems
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.problems import Problem, require_none
from imagenet_s.source.layouts import find_places
from imagenet_s.source.listing import all_files
from imagenet_s.source.scan import SourceScan, dangling_links, describe_roots
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.shards import tiers
from imagenet_s.spec.subsets import tiers_of

OUTPUT = "results"  # the output that a report suggests


@dataclass(frozen=True)
class Checks:
    """What to check beside the names and sizes of the files.

    Attributes:
        md5: Whether to read official archives as a whole and compare their md5.
        images: Whether to decode every image.
        workers: The number of threads that decode.
    """

    md5: bool
    images: bool
    workers: int


class ImageSet(NamedTuple):
    """The train or the val images of a copy, of any class. Numbers are None if they are not known.

    Attributes:
        places: The folders and files that hold the images, as reports name them.
        one_pass: Whether they can only be read from front to back.
        images: The number of images.
        classes: The number of classes; always None for val images, whose names do not tell the class.
        bytes: The size of the files, if they are read from front to back.
    """

    places: tuple[str, ...]
    one_pass: bool
    images: int | None
    classes: int | None
    bytes: int | None


class Prospect(NamedTuple):
    """Whether a subset can be built, as far as is known without reading the images.

    Attributes:
        subset: 50, 300 or 919.
        can_be_built: `unknown` if nothing is known to prevent it, but more is known only after reading.
        train_images: The value that the setting `train_images` must have; None if no value helps.
        splits: How many images of each split there are.
        problems: What is missing.
    """

    subset: int
    can_be_built: Literal["yes", "no", "unknown"]
    train_images: Literal["complete", "any"] | None
    splits: tuple[SplitCount, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Inspection:
    """What was found in a copy of ImageNet-1k.

    Attributes:
        path: The absolute path that the user gave.
        val: The absolute path of val, if the user gave one; `path` is then that of train alone.
        problems: Why nothing can be built at all. Then the rest is only known in part.
        root: The folder that holds train and val, or both paths: as given, or a revision in the Hugging
            Face hub's cache.
        layout: The name of its layout.
        sets: `train` and `val` → what is there.
        unused: Places that were found but are not needed.
        dangling: Links that lead to nothing, as `path → target`.
        differing: Images with two files of different sizes, as the two files.
        prospects: The subsets that were asked for.
        archives: The archives with official names.
        decoded: The images that were decoded, if this was asked for.
    """

    path: str
    val: str | None = None
    problems: tuple[Problem, ...] = ()
    root: str | None = None
    layout: str | None = None
    sets: Mapping[str, ImageSet] | None = None
    unused: tuple[str, ...] = ()
    dangling: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    prospects: tuple[Prospect, ...] = ()
    archives: tuple[Archive, ...] = ()
    decoded: Decoded | None = None

    @property
    def origin(self) -> str:
        """Where the images come from: the path that the user gave, or both."""
        return describe_roots(self.path, self.val)

    @property
    def changed_archives(self) -> list[str]:
        """The archives whose md5 was computed and is not the official one."""
        return [archive.name for archive in self.archives if archive.md5 not in (None, archive.official_md5)]

    @property
    def faults(self) -> list[str]:
        """A line for each image or archive that was found to be faulty."""
        return self.decoded.faults if self.decoded else []

    def to_configure(self) -> dict[str, object]:
        """Return the settings of a build of all subsets that can be built together; nothing if none can."""
        possible = [prospect for prospect in self.prospects if prospect.train_images]
        complete = [prospect for prospect in possible if prospect.train_images == "complete"]
        if not possible:
            return {}
        subsets = [prospect.subset for prospect in complete or possible]
        imagenet = {"train": self.path, "val": self.val} if self.val else self.path
        values: dict[str, object] = {"imagenet": imagenet, "output": OUTPUT, "subsets": subsets}
        return values if complete else values | {"train_images": "any"}


def inspect(path: Path, subsets: Sequence[int], checks: Checks, val_path: Path | None = None) -> Inspection:
    """Return what a copy of ImageNet-1k contains.

    Args:
        path: The folder of the copy, as an absolute path.
        subsets: The subsets to report on.
        checks: What else to check.
        val_path: Where val is, as an absolute path, if `path` is that of train alone.
    """
    val = str(val_path) if val_path else None
    archives: list[Archive] = []
    try:
        given = [str(path), val] if val else [str(path)]
        require_none([Problem(f"{text}.") for one in given for text in path_problems(one)])
        places = find_places(path, val_path)
        archives += compare_archives(places, checks.md5)  # before the scan, which a damaged archive stops
        index = Index()
        asked = tiers(subsets)
        listings, scans = scan_source(path, asked, index, val_path)
        require_none(source_folder_problems(scans))
        images, unknown = known_images(all_files(listings), scans[0])
        sets = {kind: _image_set(kind, scans[0], unknown, images, index) for kind in ("train", "val")}
    except UserError as error:
        problem = Problem(_as_argument(str(error)), error.details)
        return Inspection(str(path), val, (problem,), archives=tuple(archives))
    except PermissionError as error:
        problem = Problem(
            f"cannot read {error.filename}: {error.strerror}. Allow your user to read it (`ls -l` shows the "
            "permissions)."
        )
        return Inspection(str(path), val, (problem,), archives=tuple(archives))
    empty = {tier: scan.empty for tier, scan in zip(asked, scans, strict=True)}
    return Inspection(
        path=str(path),
        val=val,
        root=scans[0].origin,
        layout=scans[0].layout,
        sets=sets,
        unused=tuple(map(scans[0].short_name, scans[0].unused)),
        dangling=tuple(dangling_links(scans)),
        differing=tuple(dict.fromkeys(name for scan in scans for name in scan.differing)),
        prospects=tuple(_prospect(images, subset, unknown, empty) for subset in subsets),
        archives=tuple(archives),
        decoded=_decode(scans[0], index, checks.workers) if checks.images else None,
    )


def _as_argument(text: str) -> str:
    """Return a message about the setting `imagenet` for a user who gave the folder as an argument."""
    text = re.sub(r"`imagenet(?:\.\w+)?`: ", "", text)
    text = text.replace(NAME_BOTH, "give the paths of both sets: `TRAIN --val VAL`")
    text = re.sub(r"Correct (?:it|`imagenet.*`) in config\.yaml", "Correct the path", text)
    return re.sub(r"([Ss])et `imagenet`(?: in config\.yaml)? to", _inspect, text)


def _inspect(match: re.Match[str]) -> str:
    return "Inspect" if match[1] == "S" else "inspect"


def _prospect(
    images: pa.Table, subset: int, unknown: Sequence[str], empty: Mapping[int, Sequence[str]]
) -> Prospect:
    splits = tuple(count_splits(images, subset, unknown))
    of_train = [split.problem for split in splits if split.problem and split.split == "train"]
    of_listed = [split.problem for split in splits if split.problem and split.split != "train"]
    of_listed += empty_images([name for tier in tiers_of(subset) for name in empty[tier]])
    problems = (*of_listed, *of_train)
    if of_listed:
        return Prospect(subset, "no", None, splits, problems)
    return Prospect(
        subset, "unknown" if unknown else "yes", "any" if of_train else "complete", splits, problems
    )


def _image_set(
    kind: str, scan: SourceScan, unknown: Sequence[str], images: pa.Table, index: Index
) -> ImageSet:
    """Return the train or val images of any class, also of those that no subset uses."""
    places, one_pass = scan.places(kind), kind in scan.one_pass
    shown = tuple(map(scan.short_name, places))
    size = sum(map(size_of, places)) if one_pass else None
    if kind in unknown:
        return ImageSet(shown, one_pass, None, None, size)
    if one_pass:
        prefix = "n" if kind == "train" else "ILSVRC"
        names = {name for name in map(str, images["image"].to_pylist()) if name.startswith(prefix)}
    else:
        names = {location.image for place in places for location in images_in(place, kind, index)}
    classes = len({name.partition("_")[0] for name in names}) if kind == "train" else None
    return ImageSet(shown, one_pass, len(names), classes, size)


def _decode(scan: SourceScan, index: Index, workers: int) -> Decoded:
    scanned = [(kind, place) for kind in ("train", "val") for place in scan.places(kind)]
    return faults_of_images(scanned, index, workers)
