"""The samples of a split of a copy, by its manifest or, if it has none, by official lists and files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from imagenet_s.copies.copy import Copy, UnknownSplit
from imagenet_s.copies.expected import manifest_damage
from imagenet_s.copies.scan import Contents, contents, plausible_train_images
from imagenet_s.dataset.dataset_file import read_dataset
from imagenet_s.dataset.typed_manifests import TYPED, read_csv_manifest
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.companions import TYPED_MANIFESTS
from imagenet_s.spec.splits import Listed, also_in, listed
from imagenet_s.spec.subsets import MASKED, mask_folder


def samples(copy: Copy, split: str) -> pa.Table:
    """Return the samples of a split, sorted by `image`.

    A copy with manifests is taken at their word: no image is looked at. Without manifests, the samples of
    train are the files that are there, and those of the other splits are the listed ones; digests, sizes
    and the ids of masks are null.

    Returns:
        A table of `TYPED`.

    Raises:
        UnknownSplit: The copy does not have the split.
        UserError: The manifest is missing or damaged.
    """
    if split not in copy.splits:
        raise UnknownSplit(f"{copy.root} has no split {split!r}. It has {first_few(copy.splits)}.")
    return _by_manifest(copy, split) if copy.own_manifests else _by_lists(copy, split)


def companion(copy: Copy, name: str) -> Path | None:
    """Return the path of one of the `COMPANIONS`, None if the copy has none or a damaged one."""
    dataset = read_dataset(copy.root)
    digest = dataset["build"].get("files", {}).get(name) if dataset else None
    path = copy.root / name
    return path if digest and not manifest_damage(path, digest) else None


def _by_manifest(copy: Copy, split: str) -> pa.Table:
    """Return the rows of the Parquet manifest if it is there and undamaged, else of the CSV."""
    parquet = companion(copy, TYPED_MANIFESTS[split])
    if parquet:
        return pq.ParquetFile(parquet).read().select(TYPED.names).cast(TYPED)
    dataset = read_dataset(copy.root)
    path = copy.root / "manifests" / f"{split}.csv"
    damage = manifest_damage(path, dataset["content"]["manifests"][path.name] if dataset else None)
    if damage:
        raise _damaged(copy.root, path, damage)
    try:
        return read_csv_manifest(path)
    except (pa.ArrowException, ValueError) as error:  # dataset.json is damaged, so the digest is unknown
        raise _damaged(copy.root, path, "changed") from error


def _damaged(root: Path, path: Path, damage: str) -> UserError:
    found = "is missing" if damage == "missing" else f"is damaged ({damage})"
    return UserError(
        f"The manifest {path} {found}, so the samples are unknown. `imagenet-s repair` restores it, in the "
        "folder of the config.yaml that the copy was built with. "
        f"`imagenet-s verify {root}` lists all damage."
    )


def _by_lists(copy: Copy, split: str) -> pa.Table:
    """Return the samples of a copy without manifests."""
    if split == "train":
        images = _train_files(copy)
    else:
        images = {f"{split}/{row.wnid}/{row.image}.JPEG": row for row in listed(copy.subset, split)}
    rows = [images[path] for path in sorted(images)]
    wnids = [row.wnid for row in rows]
    others = also_in(copy.subset, split)
    columns: dict[str, Sequence[Any]] = {
        "image": sorted(images),
        "wnid": wnids,
        "class_id": list(map(class_ids(copy.subset).__getitem__, wnids)),
        "imagenet_wnid": [row.imagenet_wnid for row in rows],
        "also_in": [others[row.image].split(" ") if row.image in others else None for row in rows],
    }
    if split in MASKED:
        folder = mask_folder(split)
        there = set(_listing(copy.root, folder).files)
        masks = [f"{folder}/{row.wnid}/{row.image}.png" for row in rows]
        columns["mask"] = [mask if mask in there else None for mask in masks]
    nulls = [None] * len(rows)
    return pa.table({field.name: columns.get(field.name, nulls) for field in TYPED}, schema=TYPED)


def _train_files(copy: Copy) -> dict[str, Listed]:
    """Return the train images that are there, by path, also those behind links to class folders."""
    images = {}
    for path in plausible_train_images(copy.subset, _listing(copy.root, "train").files):
        _, wnid, name = path.split("/")
        images[path] = Listed(name.removesuffix(".JPEG"), name.partition("_")[0], wnid)
    return images


def _listing(root: Path, folder: str) -> Contents:
    """Return what a folder of a copy holds.

    Raises:
        UserError: A folder cannot be listed, so that samples would be left out without a word.
    """
    found = contents(root, folder)
    if any((root / closed).is_dir() for closed in found.closed):
        raise UserError(f"Folders of {root} cannot be listed: {first_few(found.closed)}. Check permissions.")
    return found
