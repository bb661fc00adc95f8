"""The masks of a subset in other encodings, in folders beside the original masks."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from imagenet_s.annotations import unpack as masks_module
from imagenet_s.io.atomic import ensure_real_dir, scratch_folder, write_atomically
from imagenet_s.io.columns import texts
from imagenet_s.io.receipts import receipts
from imagenet_s.masks.codec import BadMask, ids_of, pixels_of
from imagenet_s.masks.encodings import ENCODERS
from imagenet_s.runtime.parallel import map_chunks
from imagenet_s.runtime.progress import log
from imagenet_s.spec.subsets import DATASET, label_folder, label_path, subset_of


@dataclass(frozen=True)
class UnpackedMasks:
    """What `unpack_masks` wrote for a subset."""

    subset: int
    records: Path  # the Parquet file of mask records
    masks: Path  # the folder of masks


class EncodedMask(NamedTuple):
    """The result of encoding one mask."""

    label: str  # its path in the subset's folder
    sha256: str = ""  # of the file; empty if the mask could not be encoded
    problem: str = ""  # why it could not be encoded


def encode_labels(
    unpacked: UnpackedMasks,
    encoding: str,
    tree: Path,
    digests: Mapping[str, Path],
    workers: int,
    scratch: Path,
) -> None:
    """Write the masks of a subset in one encoding below `tree`, and their sha256 lists.

    Masks that cannot be encoded are skipped with a warning; the official archives may hold some.

    Args:
        unpacked: The masks of the subset, and their records.
        encoding: One of `ENCODINGS`.
        tree: The folder of the subset.
        digests: Split → the sha256 list to write.
        workers: The number of processes.
        scratch: A folder for temporary files, on the same file system as `tree`.
    """
    paths = texts(pq.read_table(unpacked.records, schema=masks_module.RECORDS)["mask"])
    for folder in sorted({label_path(path, encoding).rpartition("/")[0] for path in paths}):
        ensure_real_dir(tree, folder)
    # A folder with a dataset.json counts as complete, which it is not until the new lists are written.
    (tree / DATASET).unlink(missing_ok=True)
    with scratch_folder(scratch):
        task = partial(_encode_chunk, unpacked, encoding, tree, scratch)
        what = f"{subset_of(unpacked.subset).name}: labels {encoding}"
        results: list[EncodedMask] = map_chunks(task, paths, workers, what, "masks")
    for result in results:
        if result.problem:
            log.warning("%s skipped: its mask %s", result.label, result.problem)
    results.sort()
    with receipts(list(digests.values()), tree) as partials:
        for split, path in zip(digests, partials, strict=True):
            start = f"{label_folder(split, encoding)}/"
            lines = (f"{x.sha256}  {x.label}\n" for x in results if x.sha256 and x.label.startswith(start))
            path.write_text("".join(lines))


def encode_mask(png: bytes, subset: int, mask: str, encoding: str) -> bytes:
    """Return a mask in another encoding.

    Args:
        png: The bytes of the original mask.
        subset: 50, 300 or 919.
        mask: The path of the original mask in the subset's folder.
        encoding: One of `ENCODINGS`.

    Raises:
        BadMask: The mask cannot be read, or not be expressed in this encoding.
    """
    ids = ids_of(pixels_of(png)[0])
    return ENCODERS[encoding](ids, subset, mask.split("/")[1])


def _encode_chunk(
    unpacked: UnpackedMasks, encoding: str, tree: Path, scratch: Path, paths: Sequence[str]
) -> list[EncodedMask]:
    """Encode some masks; remove what an earlier run wrote for those that cannot be encoded."""
    results = []
    for path in paths:
        label = label_path(path, encoding)
        try:
            data = encode_mask((unpacked.masks / path).read_bytes(), unpacked.subset, path, encoding)
        except BadMask as error:
            (tree / label).unlink(missing_ok=True)
            results.append(EncodedMask(label, problem=str(error)))
            continue
        write_atomically(data, tree / label, scratch)
        results.append(EncodedMask(label, hashlib.sha256(data).hexdigest()))
    return results
