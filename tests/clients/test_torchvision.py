"""torchvision: `ImageFolder` on the tree."""

from pathlib import Path

import pytest

from clients.truth import SPLITS, same_picture, samples, wnids

datasets = pytest.importorskip("torchvision.datasets")


@pytest.mark.parametrize("split", SPLITS)
def test_image_folder_loads_each_split(tree50, split):
    folder = datasets.ImageFolder(tree50 / split)
    expected = samples(tree50, split)
    assert folder.classes == wnids(tree50)
    assert folder.samples == [(str(tree50 / sample.image), sample.label) for sample in expected]
    for (image, _), sample in zip(folder, expected, strict=True):
        assert image.size == sample.size
        assert same_picture(image, tree50 / sample.image)


def test_image_folder_follows_links_to_folders(linked50):
    assert all(folder.is_symlink() for folder in (linked50 / "train").iterdir())
    found = [
        (Path(path).relative_to(linked50).as_posix(), label)
        for path, label in datasets.ImageFolder(linked50 / "train").samples
    ]
    assert found == [(sample.image, sample.label) for sample in samples(linked50, "train")]
