"""What a copy of a subset must hold: by its own manifests or, where it has none, by the official lists."""

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from imagenet_s.annotations.unpack import mask_paths
from imagenet_s.dataset.metadata import dataset_text, read_dataset
from imagenet_s.io.atomic import sha256_of
from imagenet_s.runtime.image_file import MAX_BYTES, is_cut
from imagenet_s.spec.splits import listed
from imagenet_s.spec.subsets import (
    DATASET,
    MASKED,
    SPLITS,
    label_manifests,
    label_path,
    mask_folder,
    sample_manifests,
)

IMAGE, MASK, LABEL, PAPER = "image", "mask", "label", "paper"  # kinds of files
TOP = "."  # stands for the subset's folder itself

IMAGE_ENDINGS = (".JPEG", ".png")  # endings of images and masks

# With what whole files of other kinds begin and end.
FRAMES = {
    ".csv": (b"", b"\n"),
    ".sha256": (b"", b"\n"),
    ".json": (b"{", b"}\n"),
}

EXPECTED = pa.schema(
    [
        ("path", pa.string()),  # relative to the subset's folder
        ("kind", pa.string()),
        ("bytes", pa.int64()),  # null where it is not known, as are the digests
        ("sha256", pa.string()),
        ("pixels_sha256", pa.string()),  # of masks
    ]
)


@dataclass(frozen=True)
class Expected:
    """The files that a copy must hold, and how that is known.

    `damaged` are manifests (manifests, `dataset.json`) that are not what they were, path → kind of damage.
    `open_train` says that not all names of train images are known, only their number.
    """

    subset: int
    files: pa.Table  # of EXPECTED
    own_manifests: bool
    damaged: dict[str, str] = field(default_factory=dict)
    open_train: bool = False

    def with_images(self, paths: Iterable[str]) -> "Expected":
        """Return the same with further images, of which nothing is known but the name."""
        return replace(self, files=pa.concat_tables([self.files, _table(list(paths), IMAGE)]))

    def count(self) -> dict[str, int]:
        """folder of the subset's (TOP for itself) → the number of files that it must hold."""
        paths = self.files["path"]
        folders = pc.list_element(pc.split_pattern(paths, "/", max_splits=1), 0)
        folders = pc.if_else(pc.match_substring(paths, "/"), folders, TOP)
        return {str(pair["values"]): pair["counts"].as_py() for pair in pc.value_counts(folders)}


def expected_of(root: Path, subset: int) -> Expected:
    """What the copy at `root` must hold."""
    manifests = [root / DATASET, *(root / "manifests" / name for name in sample_manifests())]
    if any(path.exists() for path in manifests):
        return _by_manifests(root, subset)
    return Expected(subset, _by_lists(subset), own_manifests=False, open_train=True)


def cut_short(path: str | Path) -> bool:
    """Whether a file begins as files of its kind do, and does not end so. Raises OSError."""
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


def _by_manifests(root: Path, subset: int) -> Expected:
    damaged = {}
    dataset = read_dataset(root)
    if dataset is None:
        damaged[DATASET] = _kind(root / DATASET)
        there = {path.name for path in (root / "manifests").glob("*.sha256")}
        names = there & set(label_manifests()) | set(sample_manifests())
        # What is left of it may vouch for a manifest all the same: no damage makes up a right digest.
        stated = dict.fromkeys(names) | _stated_in(root / DATASET, names)
    else:
        stated = dataset["content"]["manifests"]
    for name, digest in stated.items():
        problem = _trouble(root / "manifests" / name, digest)
        if problem:
            damaged[f"manifests/{name}"] = problem
    tables = [_papers(sorted(stated))]
    open_train = False
    for split in SPLITS:
        table = _of_split(root / "manifests", split, damaged, stated)
        if table is None:  # nothing that can be trusted is left
            table = _by_lists(subset, split)
            open_train = open_train or split == "train"
        tables.append(table)
    for name in sorted(set(stated) - set(sample_manifests())):
        folder = name.removesuffix(".sha256")
        table = _read(root / "manifests", name, damaged, partial(_from_digests, folder, LABEL))
        if table is None:
            labels = [label_path(mask, folder.rpartition("-")[2]) for mask in mask_paths(subset)]
            table = _table([path for path in labels if path.startswith(f"{folder}/")], LABEL)
        tables.append(table)
    return Expected(subset, pa.concat_tables(tables), True, damaged, open_train)


def _trouble(path: Path, digest: str | None) -> str | None:
    """What is wrong with a manifest, if anything is."""
    try:
        known = digest is None or (path.is_file() and sha256_of(path) == digest)
        right = known and path.stat().st_size > 0
    except OSError:
        right = False
    return None if right else _kind(path)


def _kind(path: Path) -> str:
    """Which damage a paper has that is not what it was."""
    try:
        if not path.is_file():  # to open a pipe would wait for ever
            return "missing"
        return "truncated" if cut_short(path) else "changed"
    except OSError:
        return "unreadable"


def _stated_in(dataset: Path, names: Iterable[str]) -> dict[str, str]:
    """The digests of manifests that can still be read in a damaged `dataset.json`."""
    try:
        text = dataset_text(dataset)
    except OSError:
        return {}
    found = dict(re.findall(r'"([\w.-]+)": "([0-9a-f]{64})"', text))
    return {name: found[name] for name in names if name in found}


def _of_split(
    folder: Path, split: str, damaged: dict[str, str], stated: dict[str, str | None]
) -> pa.Table | None:
    """A split's images and masks, from its table, or else from its lists of digests."""
    lists = [(split, IMAGE), (mask_folder(split), MASK)] if split in MASKED else [(split, IMAGE)]
    names = [f"{split}.csv", *(f"{name}.sha256" for name, _ in lists)]
    table = _read(folder, names[0], damaged, partial(_from_csv, split))
    if table is not None and stated[names[0]]:
        return table
    digests = [_read(folder, f"{x}.sha256", damaged, partial(_from_digests, x, kind)) for x, kind in lists]
    if any(found is None for found in digests):
        return table
    listed_files = pa.concat_tables(digests)
    if table is not None and not _agree(table, listed_files):  # one of them is wrong, nobody knows which
        damaged |= {f"manifests/{name}": "changed" for name in names if not stated[name]}
        return None
    return listed_files if table is None else table


def _read(
    folder: Path, name: str, damaged: dict[str, str], read: Callable[[Path], pa.Table]
) -> pa.Table | None:
    """What `read` makes of a manifest; None for one that is damaged, which it may turn out to be here."""
    if f"manifests/{name}" in damaged:
        return None
    try:
        return read(folder / name)
    except (pa.ArrowException, ValueError, OSError):  # who vouched for it wrote no manifest
        damaged[f"manifests/{name}"] = "changed"
        return None


def _agree(one: pa.Table, other: pa.Table) -> bool:
    columns = ["path", "sha256"]
    return one.select(columns).sort_by("path").equals(other.select(columns).sort_by("path"))


def _from_csv(split: str, path: Path) -> pa.Table:
    types = {"bytes": pa.int64(), "mask_bytes": pa.int64()}
    names = ["image", "bytes", "sha256", "mask", "mask_bytes", "mask_sha256", "mask_pixels_sha256"]
    types = {name: types.get(name, pa.string()) for name in names}
    options = pa.csv.ConvertOptions(
        column_types=types, include_columns=names, strings_can_be_null=True, null_values=[""]
    )
    rows = pa.csv.read_csv(path, convert_options=options)
    images = _table(rows["image"], IMAGE, rows["bytes"], rows["sha256"])
    _require_within(split, images)
    rows = rows.filter(rows["mask"].is_valid())
    masks = _table(rows["mask"], MASK, rows["mask_bytes"], rows["mask_sha256"], rows["mask_pixels_sha256"])
    _require_within(mask_folder(split), masks)
    return pa.concat_tables([images, masks])


def _require_within(folder: str, files: pa.Table) -> None:
    """Raises ValueError unless all are files of class folders in `folder`, and have a digest."""
    rules = {"path": rf"^{folder}/n[0-9]{{8}}/[^/\x00]+\.(JPEG|png)$", "sha256": "^[0-9a-f]{64}$"}
    for name, rule in rules.items():
        right = pc.fill_null(pc.match_substring_regex(files[name], rule), False)
        if not pc.all(right, min_count=0).as_py():
            raise ValueError(f"a {name} that is none")


def _from_digests(folder: str, kind: str, path: Path) -> pa.Table:
    """The files of a folder that a list for `sha256sum -c` names."""
    lines = [line.partition("  ") for line in path.read_text(encoding="utf-8").splitlines()]
    files = _table([line[2] for line in lines], kind, digests=[line[0] for line in lines])
    _require_within(folder, files)
    return files


def _by_lists(subset: int, *splits: str) -> pa.Table:
    """The images and masks that the official lists name; of train those of train-semi, a part of it."""
    splits = splits or SPLITS
    images = [
        f"{split}/{row.wnid}/{row.image}.JPEG"
        for split in splits
        for row in listed(subset, "train-semi" if split == "train" else split)
    ]
    folders = tuple(f"{mask_folder(split)}/" for split in splits if split in MASKED)
    masks = [mask for mask in mask_paths(subset) if mask.startswith(folders)] if folders else []
    return pa.concat_tables([_table(images, IMAGE), _table(masks, MASK)])


def _papers(names: Iterable[str]) -> pa.Table:
    return _table([DATASET, *(f"manifests/{name}" for name in names)], PAPER)


def _table(paths, kind: str, sizes=None, digests=None, pixels=None) -> pa.Table:
    columns = (paths, [kind] * len(paths), sizes, digests, pixels)
    empty = [None] * len(paths)
    arrays = [
        column.cast(f.type) if isinstance(column, pa.ChunkedArray) else pa.array(column or empty, f.type)
        for column, f in zip(columns, EXPECTED, strict=True)
    ]
    return pa.table(arrays, EXPECTED)
