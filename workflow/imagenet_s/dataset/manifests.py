"""The manifests of a subset: a table of samples for each split, a sha256 list for each folder."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from imagenet_s.dataset.samples import SAMPLES, hex_of, sample_batches
from imagenet_s.io.receipts import receipts
from imagenet_s.spec.subsets import MASKED, SPLITS, mask_folder, sample_manifests

UNPUBLISHED = ("split", "mask_problems", "suspect", "mode", "quantization")
COLUMNS = [name for name in SAMPLES.names if name not in UNPUBLISHED]
DIGESTS = ("sha256", "mask_sha256", "mask_pixels_sha256")


def write_manifests(samples: Path, folder: Path) -> None:
    """Write all files of `sample_manifests` into `folder`; see `save_manifests`."""
    names = sample_manifests()
    with receipts([folder / name for name in names]) as partials:
        save_manifests(samples, dict(zip(names, partials, strict=True)))


def save_manifests(samples: Path, paths: Mapping[str, Path]) -> None:
    """Write a subset's samples to the manifests.

    A CSV has one row per sample, sorted by `image`: UTF-8, LF, no quotes, empty cells where a value does
    not apply. A sha256 list is read by `sha256sum -c` in the subset's folder.

    Args:
        samples: The Parquet file of `SAMPLES`.
        paths: Each name of `sample_manifests` → the file to write.
    """
    with ExitStack() as stack:
        files: dict[str, BinaryIO] = {
            name: stack.enter_context(path.open("wb")) for name, path in paths.items()
        }
        for split in SPLITS:
            files[f"{split}.csv"].write(f"{','.join(COLUMNS)}\n".encode())
        for split, rows in sample_batches(samples, COLUMNS):
            _append(rows, split, files)


def manifest_rows(root: Path, splits: Iterable[str]) -> pa.Table:
    """Return the samples in the manifests of the subset's folder `root`.

    Returns:
        A table of `image`, `wnid`, `imagenet_wnid`, `sha256` (32 bytes, binary) and `mask`.
    """
    names = ["image", "wnid", "imagenet_wnid", "sha256", "mask"]
    options = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        include_columns=names,
        strings_can_be_null=True,
        null_values=[""],
    )
    paths = (root / "manifests" / f"{split}.csv" for split in splits)
    rows = pa.concat_tables(pa.csv.read_csv(path, convert_options=options) for path in paths)
    return rows.set_column(names.index("sha256"), "sha256", binary_of(rows["sha256"]))


def binary_of(digests: "pa.ChunkedArray[Any]") -> "pa.Array[Any]":
    """Return a column of sha256 as hex text in binary; nulls stay null. The inverse of `hex_of`.

    Raises:
        ValueError: A text is no sha256.
    """
    if digests.null_count == len(digests):  # the mask columns of train and test
        return pa.nulls(len(digests), pa.binary(32))
    if pc.any(pc.not_equal(pc.binary_length(digests), pa.scalar(64))).as_py():
        raise ValueError("not the length of a sha256")
    filled: Any = pc.fill_null(digests, pa.scalar("0" * 64))
    text = "".join(filled.to_pylist())
    values = np.frombuffer(bytes.fromhex(text), "V32")
    return pa.array(values, pa.binary(32), mask=digests.is_null().to_numpy())


def write_lines(lines: Any, file: BinaryIO) -> None:
    """Write a column of texts, each as a line."""
    _write_rows(pa.table({"line": lines}), file)


def _append(rows: pa.Table, split: str, files: Mapping[str, BinaryIO]) -> None:
    """Append some samples of one split to its manifests."""
    for name in DIGESTS:
        rows = rows.set_column(rows.schema.get_field_index(name), name, hex_of(rows[name]))
    _write_rows(rows, files[f"{split}.csv"])
    _write_digests(rows, "sha256", "image", files[f"{split}.sha256"])
    if split in MASKED:
        with_mask = rows.filter(rows["mask"].is_valid())
        _write_digests(with_mask, "mask_sha256", "mask", files[f"{mask_folder(split)}.sha256"])


def _write_digests(rows: pa.Table, digest: str, name: str, file: BinaryIO) -> None:
    """Write the lines of a sha256 list, from the columns `digest` and `name`."""
    lines = pc.binary_join_element_wise(rows[digest], rows[name], "  ")  # type: ignore[call-overload]  # stubs: no str
    write_lines(lines, file)


def _write_rows(rows: pa.Table, file: BinaryIO) -> None:
    options = pa.csv.WriteOptions(include_header=False, quoting_style="none")
    pa.csv.write_csv(rows, file, options)
