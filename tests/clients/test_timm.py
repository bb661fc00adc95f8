"""timm: its readers of folders, on the tree, and of Hugging Face's data sets, on the export."""

from pathlib import Path

import pytest

from clients.truth import SPLITS, same_picture, samples, wnids

timm_data = pytest.importorskip("timm.data")


@pytest.mark.parametrize("tree", ["tree50", "linked50"])
@pytest.mark.parametrize("split", SPLITS)
def test_the_folder_reader_loads_each_split(request, tree, split):
    folder = request.getfixturevalue(tree)
    data = timm_data.create_dataset("", root=str(folder), split=split)
    assert data.reader.class_to_idx == {wnid: label for label, wnid in enumerate(wnids(folder))}
    # timm sorts by the numbers in names, not by their digits.
    expected = {sample.image: sample for sample in samples(folder, split)}
    names = [Path(split, name).as_posix() for name in data.filenames()]
    assert sorted(names) == list(expected)
    for (image, label), name in zip(data, names, strict=True):
        assert label == expected[name].label
        assert same_picture(image, folder / name)


@pytest.mark.parametrize("split", SPLITS)
def test_the_reader_of_hugging_face_loads_the_parquet_export(exports50, tree50, tmp_path, split):
    pytest.importorskip("datasets")
    data = timm_data.create_dataset(
        f"hfds/{exports50 / 'parquet' / 'ImageNetS50'}", root=str(tmp_path), split=split.replace("-", "_")
    )
    for (image, label), sample in zip(data, samples(tree50, split), strict=True):
        assert label == sample.label
        assert same_picture(image, tree50 / sample.image)
