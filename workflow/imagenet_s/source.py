"""Raw ImageNet: finding the train and val folders of a copy, and listing what they hold."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from imagenet_s.classes import tier_classes
from imagenet_s.progress import progress
from imagenet_s.splits import listed, tier_val_images

# Where people keep the two sets below the folder they name, in the order in which we look.
# Compared without regard to case.
LAYOUTS = (
    ("plain folders", "train", "val"),
    ("plain folders", "train", "validation"),
    ("renamed folders", "ILSVRC2012_img_train", "ILSVRC2012_img_val"),
    ("Kaggle", "ILSVRC/Data/CLS-LOC/train", "ILSVRC/Data/CLS-LOC/val"),
    ("Kaggle", "Data/CLS-LOC/train", "Data/CLS-LOC/val"),
    ("Kaggle", "CLS-LOC/train", "CLS-LOC/val"),
)

IMAGE = re.compile(r"(?:(n\d{8})_\d+|(ILSVRC2012_val_\d{8}))\.jpe?g", re.IGNORECASE)
WNID = re.compile(r"n\d{8}")
SYNTHETIC = "SYNTHETIC.txt"  # stands in a copy that is made up, and says so


@dataclass(frozen=True)
class Layout:
    """Where the train and val images of one copy lie; None for what was not found."""

    root: Path
    train: Path | None
    val: Path | None
    name: str


@dataclass
class Findings:
    """What a listing saw beside the images. Paths are text, for JSON."""

    layout: str
    root: str
    train: str | None
    val: str | None
    synthetic: bool
    entries: list[str]  # what the root holds, for the message when no layout fits
    whole_folders: list[str] = field(default_factory=list)  # wnids whose folder is only its images
    strangers: list[str] = field(default_factory=list)  # entries that are no image of the class
    empty: list[str] = field(default_factory=list)  # listed images of no bytes
    doubles: list[str] = field(default_factory=list)  # second files of an image, not used


def find_layout(root: Path) -> Layout:
    """Looks for the folders of `LAYOUTS` below `root`; train and val may come from two rows."""
    rows = [(name, _below(root, train), _below(root, val)) for name, train, val in LAYOUTS]
    train = next(((name, train) for name, train, _ in rows if train), None)
    val = next(((name, val) for name, _, val in rows if val), None)
    names = dict.fromkeys(found[0] for found in (train, val) if found)
    return Layout(root, train and train[1], val and val[1], " + ".join(names) or "not recognised")


def list_tier(root: Path, tier: int) -> tuple[list[tuple[str, str, str]], Findings]:
    """Lists the source's images of one tier, without opening any: rows of `LISTING`, sorted by image.

    Never fails for what is missing: `check.py` tells all of that at once.
    """
    layout = find_layout(root)
    seen = Findings(
        layout=layout.name,
        root=str(root),
        train=layout.train and str(layout.train),
        val=layout.val and str(layout.val),
        synthetic=(root / SYNTHETIC).exists(),
        entries=sorted(path.name for path in root.iterdir()) if root.is_dir() else [],
    )
    rows: list[tuple[str, str, str]] = []
    if layout.train:
        wnids = tier_classes(tier)
        with progress(f"Listing train, tier {tier}", len(wnids), "classes") as bar:
            for wnid in wnids:
                rows += _list_class(layout.train, wnid, seen)
                bar.update()
    if layout.val:
        rows += _list_val(layout.val, tier, seen)
    # To look at the size of every train image would take long on a network's disk.
    named = {row.image for row in listed(tier, "train-semi")} | {row.image for row in tier_val_images(tier)}
    rows.sort()
    seen.empty = [path for image, _, path in rows if image in named and not os.path.getsize(path)]
    return rows, seen


def _list_class(train: Path, wnid: str, seen: Findings) -> Iterator[tuple[str, str, str]]:
    """The images of one class folder; notes what else is there."""
    folder = train / wnid
    if not folder.is_dir():
        return
    images: dict[str, str] = {}
    whole = True
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: (not entry.name.endswith(".JPEG"), entry.name)):
            match = IMAGE.fullmatch(entry.name)
            if not match or (match[1] or "").lower() != wnid or not entry.is_file():
                seen.strangers.append(f"{folder}/{entry.name}")
                whole = False
                continue
            image = _image_name(entry.name)
            if image in images:
                seen.doubles.append(f"{folder}/{entry.name}")
                whole = False
                continue
            images[image] = entry.name
            whole = whole and entry.name == f"{image}.JPEG"
    if whole and images:
        seen.whole_folders.append(wnid)
    for image, name in images.items():
        yield image, wnid, f"{folder}/{name}"


def _list_val(val: Path, tier: int, seen: Findings) -> Iterator[tuple[str, str, str]]:
    """The tier's val images, from a flat folder or from class folders: the file name decides."""
    wanted = {row.image: row.imagenet_wnid for row in tier_val_images(tier)}
    found: dict[str, str] = {}
    for path in _val_files(val):
        image = _image_name(path.rpartition("/")[2])
        if image in wanted and found.setdefault(image, path) != path:
            seen.doubles.append(path)
    for image, path in found.items():
        yield image, wanted[image], path


def _val_files(val: Path) -> Iterator[str]:
    """Paths of the val images: the flat ones first, then class folder by class folder, sorted."""
    folders = [str(val)]
    for folder in folders:  # grows while the first, the val folder itself, is read
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                match = IMAGE.fullmatch(entry.name)
                if match and match[2] and entry.is_file():
                    yield f"{folder}/{entry.name}"
                elif folder == str(val) and WNID.fullmatch(entry.name) and entry.is_dir():
                    folders.append(f"{folder}/{entry.name}")


def _image_name(file_name: str) -> str:
    """`n01440764_10026.jpg` → `n01440764_10026`, in the official spelling."""
    stem = file_name.rpartition(".")[0].lower()
    return stem.replace("ilsvrc2012", "ILSVRC2012")


def _below(root: Path, relative: str) -> Path | None:
    """The folder `relative` below `root`, each name compared without regard to case."""
    folder = root
    for name in relative.split("/"):
        exact = folder / name
        folder = exact if exact.is_dir() else _any_case(folder, name)
        if folder is None:
            return None
    return folder


def _any_case(folder: Path, name: str) -> Path | None:
    if not folder.is_dir():
        return None
    matches = (path for path in sorted(folder.iterdir()) if path.name.lower() == name.lower())
    return next((path for path in matches if path.is_dir()), None)
