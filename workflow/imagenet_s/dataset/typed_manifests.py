"""The manifests as Parquet files with types, for readers that would otherwise guess the types of a CSV."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from imagenet_s.dataset.manifests import COLUMNS as MANIFEST_COLUMNS
from imagenet_s.dataset.manifests import DIGESTS, binary_of
from imagenet_s.dataset.samples import SAMPLES, sample_batches

# Columns that are lists here: in a CSV they are texts, separated by spaces.
LISTS: dict[str, pa.DataType] = {"mask_ids": pa.list_(pa.uint16()), "also_in": pa.list_(pa.string())}
TYPED = pa.schema([(name, LISTS.get(name, SAMPLES.field(name).type)) for name in MANIFEST_COLUMNS])


def save_typed_manifests(samples: Path, paths: Mapping[str, Path]) -> None:
    """Write the rows of the manifests, in their order, with the columns `TYPED`.

    Args:
        samples: The Parquet file of `SAMPLES`.
        paths: Split → the Parquet file to write.
    """
    with ExitStack() as stack:
        writers = {
            split: stack.enter_context(pq.ParquetWriter(path, TYPED, compression="zstd"))
            for split, path in paths.items()
        }
        for split, rows in sample_batches(samples, TYPED.names):
            if split in writers:
                writers[split].write_table(typed_rows(rows))


def read_csv_manifest(path: Path) -> pa.Table:
    """Return the rows of `manifests/<split>.csv`.

    Returns:
        A table of `TYPED`.

    Raises:
        ArrowException, ValueError: The file is no manifest.
    """
    kinds = {name: SAMPLES.field(name).type for name in TYPED.names}
    kinds |= dict.fromkeys(DIGESTS, pa.string())
    options = pa.csv.ConvertOptions(
        column_types=kinds, include_columns=TYPED.names, strings_can_be_null=True, null_values=[""]
    )
    rows = pa.csv.read_csv(path, convert_options=options)
    for name in DIGESTS:
        rows = rows.set_column(rows.schema.get_field_index(name), name, binary_of(rows[name]))
    return typed_rows(rows)


def typed_rows(rows: pa.Table) -> pa.Table:
    """Return rows of manifests with lists in place of separated texts; empty texts become null."""
    for name, kind in LISTS.items():
        text: Any = rows[name]
        text = pc.if_else(pc.equal(text, pa.scalar("")), pa.scalar(None, pa.string()), text)
        values = pc.split_pattern(text, " ")
        rows = rows.set_column(rows.schema.get_field_index(name), name, values.cast(kind))
    return rows.cast(TYPED)
