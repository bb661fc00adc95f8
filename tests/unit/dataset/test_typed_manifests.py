"""Manifests as Parquet files: the rows of the CSV, with types."""

import csv
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imagenet_s.dataset.typed_manifests import save_typed_manifests
from imagenet_s.spec.subsets import SPLITS
from imagenet_s.workspace.paths import Workspace


def value_of(name: str, text: str) -> Any:
    """A cell of a CSV as the Parquet file has it."""
    if text == "":
        return None
    match name:
        case "class_id" | "bytes" | "width" | "height" | "mask_bytes":
            return int(text)
        case "sha256" | "mask_sha256" | "mask_pixels_sha256":
            return bytes.fromhex(text)
        case "mask_ids":
            return [int(x) for x in text.split(" ")]
        case "also_in":
            return text.split(" ")
    return text


@pytest.mark.parametrize("split", SPLITS)
def test_each_row_of_the_csv_comes_back_with_types(output50, tree, tmp_path, split):
    paths = {name: tmp_path / f"{name}.parquet" for name in SPLITS}
    save_typed_manifests(Workspace(output50).samples(50), paths)
    with (tree / "manifests" / f"{split}.csv").open(newline="", encoding="utf-8") as file:
        rows = [{name: value_of(name, text) for name, text in row.items()} for row in csv.DictReader(file)]
    table = pq.read_table(paths[split])
    assert table.to_pylist() == rows
    assert table.schema.field("sha256").type == pa.binary(32)
    assert table.schema.field("mask_ids").type.value_type == pa.uint16()
    assert table.schema.field("also_in").type.value_type == pa.string()
    assert pq.ParquetFile(paths[split]).metadata.row_group(0).column(0).compression == "ZSTD"
