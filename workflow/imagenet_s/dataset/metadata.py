"""Write `dataset.json`, which says what a subset's folder holds and how it was built, and the data card."""

import hashlib
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from zlib_ng import zlib_ng

from imagenet_s.dataset.alterations import find_alterations
from imagenet_s.dataset.croissant import croissant
from imagenet_s.dataset.data_card import data_card, real_folders
from imagenet_s.dataset.dataset_file import dataset_digest, own_digest, read_dataset
from imagenet_s.dataset.dataset_json import Build, Content, Dataset, SplitFacts, Suspect, SuspectImages
from imagenet_s.dataset.samples import read_samples
from imagenet_s.io.atomic import json_bytes, read_json, remove_if_empty, sha256_of
from imagenet_s.io.columns import texts
from imagenet_s.io.receipts import receipts
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.version import __version__
from imagenet_s.source.scan import read_scan
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.companions import CARD, COMPANIONS, CROISSANT
from imagenet_s.spec.encodings import ENCODINGS, label_manifests
from imagenet_s.spec.splits import listed
from imagenet_s.spec.subsets import (
    DATASET,
    MASKED,
    SPLITS,
    label_folder,
    label_path,
    sample_manifests,
    subset_of,
)

MAX_SUSPECTS = 1000  # suspect images that it names
BATCH = 65_536  # samples at a time


@dataclass(frozen=True)
class Origin:
    """Where a data set comes from, and how images get into its folder."""

    findings: Sequence[Path]  # the JSON files of source scans, one per tier
    annotations: Path  # the receipt of the annotations
    link: str


def write_dataset(
    subset: int,
    labels: Sequence[str],
    samples: Path,
    tree: Path,
    origin: Origin,
    keep: Collection[str] = (),
) -> None:
    """Write `dataset.json` and `FROM_DATASET` into a subset's folder, and remove labels not in `labels`.

    Args:
        subset: 50, 300 or 919.
        labels: The encodings that the configuration asks for.
        samples: The Parquet file of `SAMPLES`.
        tree: The folder of the subset, with its manifests.
        origin: Where the data set comes from.
        keep: Files of `FROM_DATASET` that others made: they stay as they are.

    Raises:
        UserError: The folder has no images.
    """
    if not any((tree / split).is_dir() for split in SPLITS):
        # Snakemake knows only the receipt of the stage, in `work`.
        raise UserError(
            f"{tree} has no images: the folder was removed after it was built. Run snakemake again with "
            "`--forcerun tree`."
        )
    archive, scans = read_json(origin.annotations), [read_scan(path) for path in origin.findings]
    source, pooled = scans[0], sorted({kind for scan in scans for kind in scan.pooled})
    table = read_samples(samples, ["split", "bytes", "width", "mask", "mask_bytes", "mask_problems"])
    _remove_other_labels(tree, labels, texts(table["mask"].drop_null()))
    names = sorted({*sample_manifests(), *label_manifests()} & set(os.listdir(tree / "manifests")))
    digests = {name: sha256_of(tree / "manifests" / name) for name in names}
    content: dict[str, Any] = {
        "dataset": subset_of(subset).name,
        "subset": subset,
        "classes": len(class_ids(subset)),
        "digest": dataset_digest(digests),
        "splits": {split: _split_facts(subset, split, table) for split in SPLITS},
        **_suspects(samples),
        "odd_masks": len(table.filter(pc.not_equal(table["mask_problems"], pa.scalar("")))),
        "annotations": {"archive": archive["archive"], "md5": archive["md5"]},
        "manifests": digests,
    }
    build: Build = {
        "source": {
            "layout": source.layout,
            "path": source.origin,
            "synthetic": source.synthetic,
            "alterations": [] if source.synthetic else find_alterations(subset, samples),
        },
        "annotations": archive["path"],
        "link": link_in_tree(origin.link, pooled),
        "pipeline": f"imagenet-s {__version__}",
        "png_encoder": f"zlib-ng {zlib_ng.ZLIBNG_VERSION}",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    described = describing_files(cast("Content", content), build, tree)
    described = {name: data for name, data in described.items() if name not in keep}
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in described.items()}
    there = [name for name in COMPANIONS if name in digests or (tree / name).is_file()]
    build["files"] = {name: digests.get(name) or sha256_of(tree / name) for name in there}
    whole = {"content": content, "build": build, "sha256": own_digest(content, build)}
    described[DATASET] = json_bytes(whole)  # last: it certifies the others
    with receipts([tree / name for name in described]) as partials:
        for partial, data in zip(partials, described.values(), strict=True):
            partial.write_bytes(data)


def describing_files(content: Content, build: Build, tree: Path) -> dict[str, bytes]:
    """Return the files of `FROM_DATASET` for the data set in the folder `tree`: name → bytes."""
    card = data_card(content, build, real_folders(tree))
    return {CARD: card.encode(), CROISSANT: json_bytes(croissant(content, build))}


def stated_suspects(root: Path) -> dict[str, str]:
    """Return the images that a copy's `dataset.json` calls probably incomplete: path → why."""
    try:
        suspects = cast("Dataset", read_dataset(root))["content"]["suspect_images"]["images"]
        return {str(suspect["image"]): str(suspect["reason"]) for suspect in suspects}
    except (LookupError, TypeError):  # no dataset.json, one of an earlier version, or of another shape
        return {}


def link_in_tree(link: str, pooled: Sequence[str]) -> str:
    """Return how images got into the tree, with `auto` resolved.

    `pooled` are the sets, train or val, that were read from archives.
    """
    if link != "auto" or not pooled:
        return "symlink" if link == "auto" else link
    return "copy" if len(pooled) == 2 else f"copy ({pooled[0]}), symlink"


def _split_facts(subset: int, split: str, table: pa.Table) -> SplitFacts:
    rows = table.filter(pc.equal(table["split"], pa.scalar(split)))
    train = split == "train"
    return {
        "expected": subset_of(subset).train_images if train else len(listed(subset, split)),
        "found": len(rows),
        "masks": len(rows) - rows["mask"].null_count if split in MASKED else None,
        "bytes": (pc.sum(rows["bytes"]).as_py() or 0) + (pc.sum(rows["mask_bytes"]).as_py() or 0),
        "unreadable_headers": rows["width"].null_count,
    }


def _suspects(samples: Path) -> dict[str, SuspectImages]:
    """Return the entry `suspect_images`, and log the images that it does not name.

    Samples of earlier versions lack the column: then there is no entry.
    """
    file = pq.ParquetFile(samples)
    if "suspect" not in file.schema_arrow.names:
        return {}
    found: list[Suspect] = []
    for batch in file.iter_batches(BATCH, columns=["split", "image", "suspect"]):
        table = pa.table(batch)
        # train-semi is part of train.
        chosen = pc.and_(table["suspect"].is_valid(), pc.not_equal(table["split"], pa.scalar("train-semi")))
        rows = table.filter(chosen).to_pylist()
        found += [{"image": row["image"], "reason": row["suspect"]} for row in rows]
    found.sort(key=lambda suspect: suspect["image"])
    for suspect in found[MAX_SUSPECTS:]:
        log.debug("suspect, and not named in %s: %s %s", DATASET, suspect["image"], suspect["reason"])
    return {"suspect_images": {"count": len(found), "images": found[:MAX_SUSPECTS]}}


def _remove_other_labels(tree: Path, labels: Sequence[str], masks: Sequence[str]) -> None:
    """Remove the labels of `masks` in encodings other than `labels`, and their lists."""
    for encoding in set(ENCODINGS) - set(labels):
        folders = set()
        for split in MASKED:
            (tree / "manifests" / f"{label_folder(split, encoding)}.sha256").unlink(missing_ok=True)
            folder = tree / label_folder(split, encoding)
            if folder.is_symlink():
                folder.unlink()
            elif folder.is_dir():
                folders.add(folder.name)
        for label in (tree / label_path(mask, encoding) for mask in masks if folders):
            label.unlink(missing_ok=True)
            folders.add(str(label.parent.relative_to(tree)))
        for name in sorted(folders, reverse=True):  # class folders before the folder that holds them
            if (tree / name).is_dir():
                remove_if_empty(tree / name)
