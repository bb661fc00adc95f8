"""`dataset.json`: what a subset's folder holds, how it was built, and digests that show damage."""

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from zlib_ng import zlib_ng

from imagenet_s.dataset.samples import read_samples
from imagenet_s.io.atomic import read_json, remove_if_empty, sha256_of
from imagenet_s.io.receipts import write_receipt
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.version import __version__
from imagenet_s.source.scan import read_scan
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.splits import listed
from imagenet_s.spec.subsets import (
    DATASET,
    ENCODINGS,
    MASKED,
    SPLITS,
    label_folder,
    label_manifests,
    label_path,
    sample_manifests,
    subset_of,
)

MAX_CHARACTERS = 1 << 20  # letters of a `dataset.json`; it has some 4,000, and 150 for each suspect image
MAX_SUSPECTS = 1000  # that are named there
ROWS = 65_536  # of samples at a time


@dataclass(frozen=True)
class Origin:
    """Where a data set is from: scans of the source, receipt of the annotations; and how it is linked."""

    findings: Sequence[Path]
    annotations: Path
    link: str


def write_dataset(subset: int, labels: Sequence[str], samples: Path, tree: Path, origin: Origin) -> None:
    """Write `dataset.json` into `tree`, the subset's folder; remove label folders that are not in `labels`.

    `samples` is the table of the data set's images.
    """
    archive, seen = read_json(origin.annotations), [read_scan(path) for path in origin.findings]
    source, pooled = seen[0], sorted({kind for findings in seen for kind in findings.pooled})
    table = read_samples(samples, ["split", "bytes", "width", "mask", "mask_bytes", "mask_problems"])
    _remove_other_labels(tree, labels, table["mask"].drop_null().to_pylist())
    names = sorted({*sample_manifests(), *label_manifests()} & set(os.listdir(tree / "manifests")))
    digests = {name: sha256_of(tree / "manifests" / name) for name in names}
    content = {
        "dataset": subset_of(subset).name,
        "subset": subset,
        "classes": len(class_ids(subset)),
        "digest": dataset_digest(digests),
        "splits": {split: _split_facts(subset, split, table) for split in SPLITS},
        **_suspects(samples),
        "odd_masks": pc.sum(pc.not_equal(table["mask_problems"], "")).as_py(),
        "annotations": {"archive": archive["archive"], "md5": archive["md5"]},
        "manifests": digests,
    }
    build = {
        "source": {"layout": source.layout, "path": source.root, "synthetic": source.synthetic},
        "annotations": archive["path"],
        "link": _link(origin.link, pooled),
        "pipeline": f"imagenet-s {__version__}",
        "png_encoder": f"zlib-ng {zlib_ng.ZLIBNG_VERSION}",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_receipt(tree / DATASET, {"content": content, "build": build, "sha256": own_digest(content, build)})


def read_dataset(root: Path) -> dict | None:
    """`dataset.json` of a copy, None if it is not there or not what it was when it was written."""
    try:
        stated = json.loads(dataset_text(root / DATASET))
    except (OSError, ValueError, RecursionError):
        return None
    return stated if _is_stated(stated) else None


def _is_stated(stated: object) -> bool:
    """Whether JSON is of the shape of a `dataset.json`, and has its own digest, which anyone can compute."""
    match stated:
        case {
            "content": {"manifests": dict(manifests)} as content,
            "build": {"link": str()} as build,
            "sha256": digest,
        }:
            always, names = set(sample_manifests()), manifests.keys()
            known = always <= names <= always | set(label_manifests())
            # Halves of characters have no digest, and neither have lists of lists of lists without end.
            with suppress(UnicodeEncodeError, RecursionError):
                return known and digest == own_digest(content, build)
    return False


def stated_suspects(root: Path) -> dict[str, str]:
    """Return the images that a copy's `dataset.json` calls probably not whole: path → why."""
    try:
        named = read_dataset(root)["content"]["suspect_images"]["images"]
        return {str(one["image"]): str(one["reason"]) for one in named}
    except (LookupError, TypeError):  # it is damaged, of an earlier version, or of no known shape
        return {}


def dataset_text(path: Path) -> str:
    """The text of a `dataset.json`, as far as one can be long. Raises OSError for a pipe or a device."""
    if not path.is_file():
        raise FileNotFoundError(path)
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(MAX_CHARACTERS)


def _link(link: str, pooled: Sequence[str]) -> str:
    """How images got into the tree, `auto` spelt out: `pooled` are the sets of which archives were read."""
    if link != "auto" or not pooled:
        return "symlink" if link == "auto" else link
    return "copy" if len(pooled) == 2 else f"copy ({pooled[0]}), symlink"


def dataset_digest(digests: dict[str, str]) -> str:
    """One digest for images, masks and sample manifests, whatever the labels.

    The sha256 of what `sha256sum manifests/…` prints for the `sample_manifests`, sorted by name.
    """
    lines = (f"{digests[name]}  manifests/{name}\n" for name in sorted(sample_manifests()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def own_digest(content: dict, build: dict) -> str:
    """The sha256 of the two parts of `dataset.json` as JSON with sorted keys and no spaces."""
    parts = {"content": content, "build": build}
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _split_facts(subset: int, split: str, table: pa.Table) -> dict:
    """Expected and found numbers of a split; `masks` is null where masks are not public."""
    rows = table.filter(pc.equal(table["split"], split))
    train = split == "train"
    return {
        "expected": subset_of(subset).train_images if train else len(listed(subset, split)),
        "found": len(rows),
        "masks": len(rows) - rows["mask"].null_count if split in MASKED else None,
        "bytes": (pc.sum(rows["bytes"]).as_py() or 0) + (pc.sum(rows["mask_bytes"]).as_py() or 0),
        "unreadable_headers": rows["width"].null_count,
    }


def _suspects(samples: Path) -> dict:
    """Return how many images are probably not whole, and the first of them; the log gets the others.

    Samples that an earlier version wrote say nothing of that, and neither does this.
    """
    file, found = pq.ParquetFile(samples), []
    if "suspect" not in file.schema_arrow.names:
        return {}
    for batch in file.iter_batches(ROWS, columns=["split", "image", "suspect"]):
        rows = pa.table(batch).filter(pc.field("suspect").is_valid() & (pc.field("split") != "train-semi"))
        found += rows.select(["image", "suspect"]).to_pylist()  # train-semi is part of train
    found.sort(key=lambda row: row["image"])
    for row in found[MAX_SUSPECTS:]:
        log.debug("suspect, and not named in %s: %s %s", DATASET, row["image"], row["suspect"])
    named = [{"image": row["image"], "reason": row["suspect"]} for row in found[:MAX_SUSPECTS]]
    return {"suspect_images": {"count": len(found), "images": named}}


def _remove_other_labels(tree: Path, labels: Sequence[str], masks: Sequence[str]) -> None:
    """Removes the labels of `masks` in encodings that are not asked for, and their lists."""
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
        for folder in sorted(folders, reverse=True):  # classes before the folder that holds them
            if (tree / folder).is_dir():
                remove_if_empty(tree / folder)
