"""The Parquet files of Hugging Face: columns, features, bytes, labels, and groups of rows."""

import json

import pyarrow.parquet as pq
import pytest

from imagenet_s.cli.main import main
from imagenet_s.copies.copy import open_copy
from imagenet_s.copies.samples import samples
from imagenet_s.export import parquet
from imagenet_s.spec.subsets import SPLITS


@pytest.mark.parametrize("split", SPLITS)
def test_rows_are_the_files_of_the_data_set_with_names_and_labels(tree50, exported, split):
    name = f"{split.replace('-', '_')}-00000-of-00001.parquet"
    found = pq.read_table(exported("parquet") / "ImageNetS50" / "data" / name)
    assert found.schema.equals(parquet.schema_of(50), check_metadata=True)
    rows = samples(open_copy(tree50), split).to_pylist()
    assert found.to_pylist() == [
        {
            "image": {"bytes": (tree50 / row["image"]).read_bytes(), "path": row["image"]},
            "mask": row["mask"] and {"bytes": (tree50 / row["mask"]).read_bytes(), "path": row["mask"]},
            "filename": row["image"].rpartition("/")[2],
            "label": row["class_id"] - 1,
        }
        for row in rows
    ]


def test_the_features_are_those_that_datasets_reads():
    features = json.loads(parquet.schema_of(50).metadata[b"huggingface"])["info"]["features"]
    names = features["label"].pop("names")
    assert features == {
        "image": {"_type": "Image"},
        "mask": {"_type": "Image"},
        "filename": {"dtype": "string", "_type": "Value"},
        "label": {"_type": "ClassLabel"},
    }
    assert (len(names), names[:2], names[-1]) == (50, ["goldfish", "tiger shark"], "agaric")


def test_files_and_groups_of_rows_have_a_limited_size(tree50, exported, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "FILE_BYTES", 500_000)
    monkeypatch.setattr(parquet, "GROUP_BYTES", 100_000)
    arguments = ["export", "parquet", str(tree50), "--splits", "validation", "--out", str(tmp_path / "x")]
    assert main(arguments) == 0
    folder = tmp_path / "x" / "ImageNetS50" / "data"
    names = [f"validation-{k:05d}-of-00003.parquet" for k in range(3)]
    assert sorted(path.name for path in folder.iterdir()) == names
    rows = []
    for name in names:
        file = pq.ParquetFile(folder / name)
        sizes = [file.metadata.row_group(k).total_byte_size for k in range(file.num_row_groups)]
        assert len(sizes) > 3
        assert max(sizes) < 200_000
        rows += file.read().to_pylist()
    whole = exported("parquet") / "ImageNetS50" / "data" / "validation-00000-of-00001.parquet"
    assert rows == pq.read_table(whole).to_pylist()
    monkeypatch.undo()
    assert main(arguments) == 0  # the files of the former number are gone
    assert [path.name for path in folder.iterdir()] == [whole.name]
    assert whole.read_bytes() == (folder / whole.name).read_bytes()
