"""The files that a copy must have: by its own manifests or, if it has none, by the official lists."""

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_s.annotations.unpack import mask_paths
from imagenet_s.copies.file_tables import (
    IMAGE,
    LABEL,
    MANIFEST,
    MASK,
    file_table,
    files_in_csv,
    files_in_list,
    official_files,
)
from imagenet_s.dataset.dataset_file import dataset_text, read_dataset
from imagenet_s.dataset.dataset_json import Dataset
from imagenet_s.io.atomic import sha256_of
from imagenet_s.runtime.image_file import MAX_BYTES
from imagenet_s.runtime.incomplete_image import is_cut
from imagenet_s.spec.companions import COMPANIONS
from imagenet_s.spec.encodings import label_manifests
from imagenet_s.spec.subsets import DATASET, MASKED, SPLITS, label_path, mask_folder, sample_manifests

TOP = "."  # stands for the subset's folder itself

IMAGE_ENDINGS = (".JPEG", ".png")  # endings of images and masks

# How complete files of other kinds begin and end.
FRAMES = {
    ".csv": (b"", b"\n"),
    ".sha256": (b"", b"\n"),
    ".json": (b"{", b"}\n"),
    ".jsonl": (b"{", b"}\n"),
    ".md": (b"", b"\n"),
    ".parquet": (b"PAR1", b"PAR1"),
    ".txt": (b"", b"\n"),
}


@dataclass(frozen=True)
class Expected:
    """The files that a copy must have, and how that is known."""

    subset: int
    files: pa.Table  # of EXPECTED
    own_manifests: bool  # whether the copy's manifests say so; otherwise the official lists do
    damaged: dict[str, str] = field(default_factory=dict)  # files of kind MANIFEST: path → kind of damage
    open_train: bool = False  # whether only the number of train images is known, not all their names

    def with_images(self, paths: Iterable[str]) -> "Expected":
        """Return the same with more images, of which only the names are known."""
        return replace(self, files=pa.concat_tables([self.files, file_table(list(paths), IMAGE)]))

    def count(self) -> dict[str, int]:
        """Return each folder below the subset's folder (TOP for itself) → its number of files."""
        paths = self.files["path"]
        split: Any = pc.split_pattern  # the stubs lack chunked columns
        folders = pc.list_element(split(paths, "/", max_splits=1), 0)
        folders = pc.if_else(pc.match_substring(paths, "/"), folders, pa.scalar(TOP))
        return {str(pair["values"]): pair["counts"].as_py() for pair in pc.value_counts(folders)}


def expected_of(root: Path, subset: int) -> Expected:
    """Return the files that the copy at `root` must have."""
    if has_manifests(root):
        return _by_manifests(root, subset)
    files = pa.concat_tables([file_table(list(_companions(root, None)), MANIFEST), official_files(subset)])
    return Expected(subset, files, own_manifests=False, open_train=True)


def has_manifests(root: Path) -> bool:
    """Return whether a copy has manifests, even if some are lost; the official scripts write none."""
    manifests = [root / DATASET, *(root / "manifests" / name for name in sample_manifests())]
    return any(path.exists() for path in manifests)


def is_truncated(path: str | Path) -> bool:
    """Return whether a file begins like a complete file of its kind but does not end like one.

    Raises:
        OSError: The file cannot be read.
    """
    ending = os.path.splitext(path)[1]
    with open(path, "rb") as file:
        if ending in IMAGE_ENDINGS:
            return is_cut(file.read(MAX_BYTES))
        begin, end = FRAMES.get(ending, (b"", b""))
        head, size = file.read(len(begin)), file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(end)))
        tail = file.read()
    if not begin.startswith(head):
        return False
    return size <= len(begin) or tail != end


def manifest_damage(path: Path, digest: str | None) -> str | None:
    """Return the kind of damage of a manifest, None if it has none; `digest` is None if it is unknown."""
    try:
        right = digest is None or (path.is_file() and sha256_of(path) == digest)
        right = right and path.stat().st_size > 0
    except OSError:
        right = False
    return None if right else _damage_of(path)


def _by_manifests(root: Path, subset: int) -> Expected:
    """Return the expected files of a copy that has manifests, some of which may be damaged."""
    damaged: dict[str, str] = {}
    dataset = read_dataset(root)
    stated: dict[str, str | None] = {}
    if dataset is None:
        damaged[DATASET] = _damage_of(root / DATASET)
        lists = {path.name for path in (root / "manifests").glob("*.sha256")}
        names = lists & set(label_manifests()) | set(sample_manifests())
        # Digests in the rest of the file are still good evidence: damage does not produce a correct digest.
        stated |= dict.fromkeys(names) | _stated_in(root / DATASET, names)
    else:
        stated |= dataset["content"]["manifests"]
    for name, digest in stated.items():
        problem = manifest_damage(root / "manifests" / name, digest)
        if problem:
            damaged[f"manifests/{name}"] = problem
    companions = _companions(root, dataset)
    for name, digest in companions.items():
        if problem := manifest_damage(root / name, digest):
            damaged[name] = problem
    tables = [file_table([DATASET, *companions, *(f"manifests/{name}" for name in sorted(stated))], MANIFEST)]
    open_train = False
    for split in SPLITS:
        table = _of_split(root / "manifests", split, damaged, stated)
        if table is None:  # no manifest of the split can be trusted
            table = official_files(subset, split)
            open_train = open_train or split == "train"
        tables.append(table)
    for name in sorted(set(stated) - set(sample_manifests())):
        folder = name.removesuffix(".sha256")
        table = _read(root / "manifests", name, damaged, partial(files_in_list, folder, LABEL))
        if table is None:
            labels = [label_path(mask, folder.rpartition("-")[2]) for mask in mask_paths(subset)]
            table = file_table([path for path in labels if path.startswith(f"{folder}/")], LABEL)
        tables.append(table)
    return Expected(subset, pa.concat_tables(tables), True, damaged, open_train)


def _companions(root: Path, dataset: Dataset | None) -> dict[str, str | None]:
    """Return the files of `COMPANIONS` that a copy must have, and those that it has: path → digest, if known.

    Copies of earlier versions and of other programs need none, and may have files of these names.
    """
    there = {name: None for name in COMPANIONS if (root / name).is_file()}
    stated = dataset["build"].get("files", {}) if dataset else _stated_in(root / DATASET, COMPANIONS)
    return {**there, **stated}


def _damage_of(path: Path) -> str:
    """Return the kind of damage of a manifest that is known to be damaged."""
    try:
        if not path.is_file():  # opening a pipe would block
            return "missing"
        return "truncated" if is_truncated(path) else "changed"
    except OSError:
        return "unreadable"


def _stated_in(dataset: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the digests of files that a damaged `dataset.json` still states."""
    try:
        text = dataset_text(dataset)
    except OSError:
        return {}
    found = dict(re.findall(r'"([\w./-]+)": "([0-9a-f]{64})"', text))
    return {name: found[name] for name in names if name in found}


def _of_split(
    folder: Path, split: str, damaged: dict[str, str], stated: dict[str, str | None]
) -> pa.Table | None:
    """Return the images and masks of a split, from its table or else from its sha256 lists.

    Args:
        folder: The folder of the manifests.
        split: The split.
        damaged: Manifests → kind of damage; manifests that turn out to be damaged are added.
        stated: Name of a manifest → its digest in `dataset.json`, None if it is unknown.

    Returns:
        A table of `EXPECTED`; None if no manifest of the split can be trusted.
    """
    lists = [(split, IMAGE), (mask_folder(split), MASK)] if split in MASKED else [(split, IMAGE)]
    names = [f"{split}.csv", *(f"{name}.sha256" for name, _ in lists)]
    table = _read(folder, names[0], damaged, partial(files_in_csv, split))
    if table is not None and stated[names[0]]:
        return table
    digests = [_read(folder, f"{x}.sha256", damaged, partial(files_in_list, x, kind)) for x, kind in lists]
    complete = [table for table in digests if table is not None]
    if len(complete) < len(lists):
        return table
    listed_files = pa.concat_tables(complete)
    if table is not None and not _agree(table, listed_files):  # one is wrong, but it is unknown which
        damaged |= {f"manifests/{name}": "changed" for name in names if not stated[name]}
        return None
    return listed_files if table is None else table


def _read(
    folder: Path, name: str, damaged: dict[str, str], read: Callable[[Path], pa.Table]
) -> pa.Table | None:
    """Return the files that a manifest names, None if it is damaged.

    A manifest that `read` cannot parse is added to `damaged`.
    """
    if f"manifests/{name}" in damaged:
        return None
    try:
        return read(folder / name)
    except (pa.ArrowException, ValueError, OSError):  # its digest is right or unknown, but it is no manifest
        damaged[f"manifests/{name}"] = "changed"
        return None


def _agree(one: pa.Table, other: pa.Table) -> bool:
    """Return whether two tables name the same files with the same digests."""
    columns = ["path", "sha256"]
    # The stubs say that `equals` returns a table.
    return bool(one.select(columns).sort_by("path").equals(other.select(columns).sort_by("path")))
