"""WebDataset: tars in which the files of a sample follow each other and share a name.

Read by webdataset, timm (`wds/`), Hugging Face's `webdataset` and DALI. The images and masks are the files of
the data set, byte for byte.
"""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imagenet_s.export.formats import Format, Making
from imagenet_s.export.plan import SHUFFLED, SORTED, ExportFile, in_files, shuffled
from imagenet_s.export.record import read_manifest
from imagenet_s.export.source import Sample, Split, read_samples
from imagenet_s.io.atomic import write_json
from imagenet_s.io.columns import texts
from imagenet_s.io.hashed_file import HashedFile
from imagenet_s.io.tar_writer import END, header, padding
from imagenet_s.spec.classes import class_names
from imagenet_s.spec.exports import INFO, export_name, manifest_name

SHARD_BYTES = 1e9  # of images and masks
AT_ONCE = 1 << 20  # bytes of a write
JSON_COLUMNS = ("image", "mask", "wnid", "class_id", "imagenet_wnid", "width", "height")


def plan(split: Split) -> list[ExportFile]:
    """Return the shards of a split. Train is shuffled, because readers shuffle only what is near."""
    rows = np.arange(len(split.samples))
    if _is_shuffled(split.name):
        rows = shuffled(texts(split.samples["image"]))
    return in_files(rows, split.sizes()[rows], SHARD_BYTES, partial(_shard_name, split))


def write(split: Split, rows: NDArray[np.int64], file: HashedFile, making: Making) -> None:
    """Write a shard."""
    names = class_names()
    parts: list[bytes] = []
    size = 0
    for sample in read_samples(split, rows, making.workers, making.bar):
        key = sample.row["image"].partition("/")[2].rpartition(".")[0]
        for ending, data in _members(sample, names):
            parts += (header(f"{key}.{ending}", len(data)), data, padding(len(data)))
            size += len(data)
        if size > AT_ONCE:
            file.write(b"".join(parts))
            parts, size = [], 0
    file.write(b"".join([*parts, END]))


def write_info(folder: Path) -> None:
    """Write `_info.json`, by which timm finds the files and numbers of samples of the splits in a folder."""
    splits = {}
    for path in sorted(folder.glob(manifest_name("*", "*"))):
        if manifest := read_manifest(path):
            name = export_name(manifest["subset"], manifest["split"])
            splits[name] = {
                "name": name,
                "num_samples": manifest["samples"],
                "filenames": [file["name"] for file in manifest["files"]],
                "shard_lengths": [file["samples"] for file in manifest["files"]],
                "order": manifest["order"],
            }
    write_json(folder / INFO, {"splits": splits})


def _members(sample: Sample, names: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    """Yield the ending and the bytes of each file of a sample. Labels count from 0, class ids from 1."""
    row = sample.row
    yield "jpg", sample.image
    if sample.mask is not None:
        yield "seg.png", sample.mask
    yield "cls", str(row["class_id"] - 1).encode()
    facts: dict[str, Any] = {column: row[column] for column in JSON_COLUMNS}
    facts |= {"name": names[row["wnid"]], "sha256": row["sha256"].hex() if row["sha256"] else None}
    yield "json", json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()


def _is_shuffled(split: str) -> bool:
    return split == "train"


def _order(split: str) -> str:
    return SHUFFLED if _is_shuffled(split) else SORTED


def _shard_name(split: Split, number: int, count: int) -> str:
    return f"{export_name(split.copy.subset, split.name)}-{number:06d}.tar"


def _pattern(subset: int, split: str) -> str:
    return f"{export_name(subset, split)}-{6 * '[0-9]'}.tar"


FORMAT = Format("webdataset", (), _order, plan, write, _pattern, index=write_info)
