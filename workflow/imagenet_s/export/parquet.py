"""Parquet files as Hugging Face's datasets reads them: `load_dataset(folder)` gives all splits.

Images and masks are the files of the data set, byte for byte, in columns of its feature `Image`.
"""

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from imagenet_s.export.formats import Format, Making
from imagenet_s.export.plan import SORTED, ExportFile, in_files
from imagenet_s.export.source import Sample, Split, read_samples
from imagenet_s.io.hashed_file import HashedFile
from imagenet_s.spec.classes import unique_names
from imagenet_s.spec.subsets import subset_name

FILE_BYTES = 500e6  # of images and masks: what the hub recommends
GROUP_BYTES = 100e6  # of a row group, which readers hold in memory
PAGE_ROWS = 16  # after which a page may end: the writer holds a page in memory

PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
FIELDS: list[tuple[str, pa.DataType]] = [
    ("image", PICTURE),
    ("mask", PICTURE),  # null where there is none: all splits must have the same columns
    ("filename", pa.string()),
    ("label", pa.int64()),  # from 0
]


def schema_of(subset: int) -> pa.Schema:
    """Return the schema of all files of a subset, with Hugging Face's features in its metadata."""
    features = {
        "image": {"_type": "Image"},
        "mask": {"_type": "Image"},
        "filename": {"dtype": "string", "_type": "Value"},
        "label": {"names": list(unique_names(subset).values()), "_type": "ClassLabel"},
    }
    return pa.schema(FIELDS, {"huggingface": json.dumps({"info": {"features": features}})})


def plan(split: Split) -> list[ExportFile]:
    """Return the files of a split."""
    rows = np.arange(len(split.samples))
    return in_files(rows, split.sizes(), FILE_BYTES, partial(_file_name, split))


def write(split: Split, rows: NDArray[np.int64], file: HashedFile, making: Making) -> None:
    """Write a file. Neither JPEGs nor PNGs become smaller by compression."""
    schema = schema_of(split.copy.subset)
    samples = read_samples(split, rows, making.workers, making.bar)
    sink = pa.PythonFile(file, "w")
    # Without dictionaries and statistics of images, which readers have no use for.
    with pq.ParquetWriter(
        sink,
        schema,
        compression="none",
        use_dictionary=False,
        write_statistics=["filename", "label"],
        write_batch_size=PAGE_ROWS,
    ) as writer:
        for group in _groups(samples):
            table = _table(group, schema)
            group.clear()  # its bytes are in the table now
            writer.write_table(table, row_group_size=len(table))


def _groups(samples: Iterator[Sample]) -> Iterator[list[Sample]]:
    """Yield the samples in groups of about `GROUP_BYTES`."""
    group: list[Sample] = []
    size = 0
    for sample in samples:
        group.append(sample)
        size += len(sample.image) + len(sample.mask or b"")
        if size >= GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _table(group: list[Sample], schema: pa.Schema) -> pa.Table:
    rows = [sample.row for sample in group]
    columns: list[Any] = [
        _pictures([sample.image for sample in group], [row["image"] for row in rows]),
        _pictures([sample.mask for sample in group], [row["mask"] for row in rows]),
        pa.array([row["image"].rpartition("/")[2] for row in rows], pa.string()),
        pa.array([row["class_id"] - 1 for row in rows], pa.int64()),
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _pictures(files: Sequence[bytes | None], paths: Sequence[str | None]) -> "pa.StructArray":
    """Return a column of pictures. Their bytes are joined once: a builder would move them as it grows."""
    given = [file or b"" for file in files]
    ends = np.cumsum([0, *map(len, given)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends.tobytes()), pa.py_buffer(b"".join(given))]
    data: Any = pa.Array.from_buffers(pa.binary(), len(given), buffers)
    names = pa.array(paths, pa.string())
    return pa.StructArray.from_arrays([data, names], fields=list(PICTURE), mask=names.is_null())


def _file_name(split: Split, number: int, count: int) -> str:
    return f"{_start(split.copy.subset, split.name)}-{number:05d}-of-{count:05d}.parquet"


def _start(subset: int, split: str) -> str:
    """Return the beginning of names, without hyphens in that of the split, which datasets does not allow."""
    return f"{subset_name(subset)}/data/{split.replace('-', '_')}"


def _pattern(subset: int, split: str) -> str:
    digits = 5 * "[0-9]"
    return f"{_start(subset, split)}-{digits}-of-{digits}.parquet"


FORMAT = Format("parquet", ("pyarrow",), lambda split: SORTED, plan, write, _pattern)
