"""Tables of the files that a copy must have, read from manifests or from the official lists."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from imagenet_s.annotations.unpack import mask_paths
from imagenet_s.io.columns import Column
from imagenet_s.spec.splits import listed
from imagenet_s.spec.subsets import MASKED, SPLITS, mask_folder

# Kinds of files. `MANIFEST` also stands for `dataset.json` and the files of `spec.companions`.
IMAGE, MASK, LABEL, MANIFEST = "image", "mask", "label", "manifest"

FIELDS: list[tuple[str, pa.DataType]] = [
    ("path", pa.string()),  # relative to the subset's folder
    ("kind", pa.string()),
    ("bytes", pa.int64()),  # null if unknown, like the digests
    ("sha256", pa.string()),
    ("pixels_sha256", pa.string()),  # of masks
]
EXPECTED = pa.schema(FIELDS)

Values: TypeAlias = "pa.ChunkedArray[Any] | Sequence[str]"  # of a column: of another table, or new ones


def files_in_csv(split: str, path: Path) -> pa.Table:
    """Return the images and masks that the table of a split names."""
    names = ["image", "bytes", "sha256", "mask", "mask_bytes", "mask_sha256", "mask_pixels_sha256"]
    types: dict[str, pa.DataType] = dict.fromkeys(names, pa.string())
    types |= {"bytes": pa.int64(), "mask_bytes": pa.int64()}
    options = pa.csv.ConvertOptions(
        column_types=types, include_columns=names, strings_can_be_null=True, null_values=[""]
    )
    rows = pa.csv.read_csv(path, convert_options=options)
    images = file_table(rows["image"], IMAGE, rows["bytes"], rows["sha256"])
    _require_within(split, images)
    rows = rows.filter(rows["mask"].is_valid())
    masks = file_table(
        rows["mask"], MASK, rows["mask_bytes"], rows["mask_sha256"], rows["mask_pixels_sha256"]
    )
    _require_within(mask_folder(split), masks)
    return pa.concat_tables([images, masks])


def _require_within(folder: str, files: pa.Table) -> None:
    """Raise ValueError unless all files are in class folders of `folder` and have digests."""
    rules = {"path": rf"^{folder}/n[0-9]{{8}}/[^/\x00]+\.(JPEG|png)$", "sha256": "^[0-9a-f]{64}$"}
    for name, rule in rules.items():
        right: Any = pc.fill_null(pc.match_substring_regex(files[name], rule), pa.scalar(False))
        if not pc.all(right, min_count=0).as_py():
            raise ValueError(f"an invalid {name}")


def files_in_list(folder: str, kind: str, path: Path) -> pa.Table:
    """Return the files of a folder that its sha256 list names."""
    lines = [line.partition("  ") for line in path.read_text(encoding="utf-8").splitlines()]
    files = file_table([line[2] for line in lines], kind, digests=[line[0] for line in lines])
    _require_within(folder, files)
    return files


def official_files(subset: int, *splits: str) -> pa.Table:
    """Return the images and masks that the official lists name.

    Of train they name only the images that are also in train-semi.
    """
    splits = splits or SPLITS
    images = [
        f"{split}/{row.wnid}/{row.image}.JPEG"
        for split in splits
        for row in listed(subset, "train-semi" if split == "train" else split)
    ]
    folders = tuple(f"{mask_folder(split)}/" for split in splits if split in MASKED)
    masks = [mask for mask in mask_paths(subset) if mask.startswith(folders)] if folders else []
    return pa.concat_tables([file_table(images, IMAGE), file_table(masks, MASK)])


def file_table(
    paths: Values,
    kind: str,
    sizes: "Values | None" = None,
    digests: "Values | None" = None,
    pixels: "Values | None" = None,
) -> pa.Table:
    """Return a table of `EXPECTED` with files of one kind.

    Args:
        paths: The paths.
        kind: The kind of all files.
        sizes: Their sizes in bytes; like the following columns, null for all files if None.
        digests: Their sha256, as hex text.
        pixels: The sha256 of their pixels, as hex text.
    """
    count = len(paths)
    columns = (paths, [kind] * count, sizes, digests, pixels)
    arrays = [_column(column, count, f.type) for column, f in zip(columns, EXPECTED, strict=True)]
    return pa.table(arrays, schema=EXPECTED)


def _column(values: "Values | None", count: int, kind: pa.DataType) -> Column:
    if isinstance(values, pa.ChunkedArray):
        return values.cast(kind)
    column: pa.Array[Any] = pa.array([None] * count if values is None else values, kind)
    return column
