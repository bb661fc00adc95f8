"""Hugging Face datasets: `load_dataset` on the tree, whose README.md says what belongs to which split."""

from pathlib import Path

import pytest

from clients.truth import MASKED, SPLITS, ids_of, pixels_digest, same_picture, samples, wnids

datasets = pytest.importorskip("datasets")

NAMES = {split.replace("-", "_"): split for split in SPLITS}  # a split's name here has no hyphen
FOLLOWED = [name for name in NAMES if name != "train"]  # with a link per class of train


def paths(data, tree: Path, column: str = "image") -> list[str]:
    """Return the paths of the images of a split, relative to the tree."""
    values = data.cast_column(column, datasets.Image(decode=False))[column]
    return [Path(value["path"]).relative_to(tree).as_posix() for value in values]


@pytest.mark.parametrize(
    ("tree", "names"),
    [("tree50", list(NAMES)), ("file_links50", list(NAMES)), ("linked50", FOLLOWED)],
)
def test_the_tree_gives_the_images_and_labels_of_each_split(request, tmp_path, tree, names):
    folder = request.getfixturevalue(tree)
    loaded = datasets.load_dataset(str(folder), cache_dir=tmp_path)
    assert sorted(loaded) == sorted(names)
    for name, data in loaded.items():
        expected = samples(folder, NAMES[name])
        assert data.column_names == ["image", "label"]
        assert data.features["label"].names == wnids(folder)
        assert paths(data, folder) == [sample.image for sample in expected]
        assert data["label"] == [sample.label for sample in expected]


def test_images_of_the_tree_are_decoded(tree50, tmp_path):
    for name, data in datasets.load_dataset(str(tree50), cache_dir=tmp_path).items():
        for image, sample in zip(data["image"], samples(tree50, NAMES[name]), strict=True):
            assert same_picture(image, tree50 / sample.image)


@pytest.mark.parametrize("tree", ["tree50", "linked50"])
@pytest.mark.parametrize("split", MASKED)
def test_a_further_configuration_adds_the_masks(request, tmp_path, tree, split):
    folder = request.getfixturevalue(tree)
    name = split.replace("-", "_")
    loaded = datasets.load_dataset(str(folder), f"masks_{name}", cache_dir=tmp_path)
    assert list(loaded) == [name]
    data, expected = loaded[name], samples(folder, split)
    assert paths(data, folder) == [sample.image for sample in expected]
    assert paths(data, folder, "mask") == [sample.mask for sample in expected]
    assert data["label"] == [sample.label for sample in expected]
    assert data["wnid"] == [sample.wnid for sample in expected]
    for mask, sample in zip(data["mask"], expected, strict=True):
        assert pixels_digest(ids_of(mask)) == sample.mask_pixels
