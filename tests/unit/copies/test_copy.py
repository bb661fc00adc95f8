"""Opening a copy: of this pipeline or of other programs, by its folder or the one above it."""

from pathlib import Path

import pytest

from helpers.damages import removed
from imagenet_s.copies.copy import Copy, open_copy
from imagenet_s.runtime.errors import CannotCheck
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.subsets import SPLITS


def refused(*arguments) -> str:
    with pytest.raises(CannotCheck) as caught:
        open_copy(*arguments)
    return str(caught.value)


def test_a_build_is_opened_by_its_folder_or_the_output(built):
    root = built("copy")
    for path, subset in ((root, None), (root, 50), (root.parent, None), (root.parent, 50)):
        copy = open_copy(path, subset)
        assert copy == Copy(root, 50, own_manifests=True)
        assert (copy.name, copy.splits) == ("ImageNetS50", SPLITS)


def test_a_copy_of_the_official_scripts_is_opened_whatever_its_name(foreign):
    assert open_copy(foreign) == Copy(foreign, 50, own_manifests=False)


def test_one_of_several_subsets_is_chosen(tmp_path):
    for subset in (50, 300):
        for wnid in class_ids(subset):
            (tmp_path / f"ImageNetS{subset}" / "validation" / wnid).mkdir(parents=True)
    assert open_copy(tmp_path, 300) == Copy(tmp_path / "ImageNetS300", 300, own_manifests=False)
    assert open_copy(tmp_path, 300).splits == ("validation",)
    assert refused(tmp_path) == (
        f"{tmp_path} holds several subsets: ImageNetS50, ImageNetS300. Name the folder of one of them."
    )
    with pytest.raises(ValueError, match="several subsets"):
        open_copy(tmp_path)
    assert refused(tmp_path, 919) == (
        f"{tmp_path} holds no copy of ImageNetS919. It holds ImageNetS50, ImageNetS300."
    )


def test_what_is_no_copy_is_refused(tmp_path):
    missing, empty = tmp_path / "ImageNetS300", tmp_path / "ImageNetS50"
    empty.mkdir()
    assert refused(missing) == f"There is no folder {missing}."
    assert refused(empty) == (
        f"{empty} holds no copy of ImageNet-S: there are neither manifests nor folders of splits "
        "(train, train-semi, validation, test)."
    )
    with pytest.raises(FileNotFoundError):
        open_copy(missing)
    for number in (51, "50"):
        with pytest.raises(ValueError, match=f"^Expected a subset of 50, 300, 919; found {number!r}\\.$"):
            open_copy(tmp_path, number)
    (tmp_path / "x").mkdir()
    assert "holds no copy of ImageNet-S" in refused(tmp_path / "x")


@pytest.mark.parametrize("lost", ["dataset.json", "manifests"])
def test_a_copy_that_lost_some_of_its_manifests_still_has_its_own(tree: Path, lost):
    removed(tree / lost)
    assert open_copy(tree).own_manifests
