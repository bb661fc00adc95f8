"""A subset's masks in further encodings, beside the masks as they came."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq

from imagenet_s.annotations import unpack as masks_module
from imagenet_s.io.atomic import ensure_real_dir, scratch_folder, write_atomically
from imagenet_s.io.receipts import receipts
from imagenet_s.masks.codec import BadMask, ids_of, pixels_of
from imagenet_s.masks.encodings import ENCODERS
from imagenet_s.runtime.parallel import map_chunks
from imagenet_s.runtime.progress import log
from imagenet_s.spec.subsets import DATASET, label_folder, label_path, subset_of


@dataclass(frozen=True)
class UnpackedMasks:
    """What `annotations.unpack.unpack_masks` wrote for a subset: the folder of masks, and their records."""

    subset: int
    records: Path
    masks: Path


def encode_labels(
    unpacked: UnpackedMasks, encoding: str, tree: Path, digests: dict[str, Path], workers: int, scratch: Path
) -> None:
    """Write the subset's masks in one encoding below `tree`, and their sha256 lists.

    `digests` has the list's path for each split. A mask of the official archive that cannot be encoded is
    left out, with a warning.
    """
    paths = pq.read_table(unpacked.records, schema=masks_module.RECORDS)["mask"].to_pylist()
    for folder in sorted({label_path(path, encoding).rpartition("/")[0] for path in paths}):
        ensure_real_dir(tree, folder)
    # Until the new labels are listed, nothing may vouch for the folder.
    (tree / DATASET).unlink(missing_ok=True)
    with scratch_folder(scratch):
        task = partial(_encode, unpacked, encoding, tree, scratch)
        what = f"{subset_of(unpacked.subset).name}: labels {encoding}"
        results = map_chunks(task, paths, workers, what, "masks")
    for label, _, problem in results:
        if problem:
            log.warning("%s left out: its mask %s", label, problem)
    with receipts(list(digests.values()), tree) as partials:
        for split, path in zip(digests, partials, strict=True):
            start = f"{label_folder(split, encoding)}/"
            lines = (f"{digest}  {x}\n" for x, digest, _ in sorted(results) if digest and x.startswith(start))
            path.write_text("".join(lines))


def encoded(png: bytes, subset: int, mask: str, encoding: str) -> bytes:
    """The mask `png`, whose path in the tree is `mask`, in another encoding.

    Raises BadMask where it cannot be had.
    """
    ids = ids_of(pixels_of(png)[0])
    return ENCODERS[encoding](ids, subset, mask.split("/")[1])


def _encode(
    unpacked: UnpackedMasks, encoding: str, tree: Path, scratch: Path, paths: Sequence[str]
) -> list[tuple[str, str, str]]:
    """(label, sha256, problem) of each mask of a chunk; no sha256 where there is a problem."""
    results = []
    for path in paths:
        label = label_path(path, encoding)
        try:
            data = encoded((unpacked.masks / path).read_bytes(), unpacked.subset, path, encoding)
        except BadMask as error:
            (tree / label).unlink(missing_ok=True)
            results.append((label, "", str(error)))
            continue
        write_atomically(data, tree / label, scratch)
        results.append((label, hashlib.sha256(data).hexdigest(), ""))
    return results
