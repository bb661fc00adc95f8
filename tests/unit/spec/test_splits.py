"""Splits: which images they hold, how subsets nest, and which images leak."""

import pytest

from imagenet_s.spec.classes import class_ids, merges, train_classes
from imagenet_s.spec.splits import also_in, listed
from imagenet_s.spec.subsets import SUBSETS, subset_of

TEST_50_IN_VALIDATION_919 = {
    "ILSVRC2012_val_00002363": "919/validation",
    "ILSVRC2012_val_00015323": "300/validation 919/validation",
    "ILSVRC2012_val_00024124": "919/validation",
    "ILSVRC2012_val_00024939": "919/validation",
}


def names(subset: int, split: str) -> set[str]:
    """Return the names of the images of a split."""
    return {row.image for row in listed(subset, split)}


@pytest.mark.parametrize(
    ("subset", "train", "train_semi", "validation", "test"),
    [
        (50, 64_431, 500, 752, 1_682),
        (300, 384_862, 3_000, 4_097, 9_088),
        (919, 1_183_322, 9_190, 12_419, 27_423),
    ],
)
def test_each_subset_has_the_published_numbers(subset, train, train_semi, validation, test):
    assert subset_of(subset).train_images == train
    assert len(class_ids(subset)) == subset
    assert len(listed(subset, "train-semi")) == len(names(subset, "train-semi")) == train_semi
    assert len(listed(subset, "validation")) == len(names(subset, "validation")) == validation
    assert len(listed(subset, "test")) == len(names(subset, "test")) == test


@pytest.mark.parametrize("subset", SUBSETS)
def test_train_semi_has_ten_train_images_per_class(subset):
    wnids = [row.wnid for row in listed(subset, "train-semi")]
    assert {wnid: wnids.count(wnid) for wnid in class_ids(subset)} == dict.fromkeys(class_ids(subset), 10)
    assert len(wnids) == 10 * subset
    for row in listed(subset, "train-semi"):
        assert train_classes(subset)[row.imagenet_wnid] == row.wnid
        assert row.image.startswith(f"{row.imagenet_wnid}_")


def test_twenty_train_semi_images_of_919_come_from_merged_classes():
    assert sum(row.imagenet_wnid in merges() for row in listed(919, "train-semi")) == 20


def test_thirteen_percent_of_the_val_images_go_to_another_folder():
    used = {row for subset in SUBSETS for split in ("validation", "test") for row in listed(subset, split)}
    moved = [row for row in used if row.wnid != row.imagenet_wnid]
    assert (len(used), len(moved)) == (39_842, 5_223)
    assert round(100 * len(moved) / len(used), 1) == 13.1
    assert sum(merges().get(row.imagenet_wnid) == row.wnid for row in moved) == 84


@pytest.mark.parametrize(
    ("subset", "split", "classes"),
    [(50, "validation", 138), (50, "test", 205), (919, "validation", 985), (919, "test", 991)],
)
def test_val_images_come_from_many_more_classes_than_the_subset_has(subset, split, classes):
    assert len({row.imagenet_wnid for row in listed(subset, split)}) == classes


@pytest.mark.parametrize(("small", "large"), [(50, 300), (300, 919)])
def test_classes_train_semi_and_validation_nest(small, large):
    assert set(class_ids(small)) < set(class_ids(large))
    assert set(listed(small, "train-semi")) < set(listed(large, "train-semi"))
    assert set(listed(small, "validation")) < set(listed(large, "validation"))


@pytest.mark.parametrize(("subset", "filtered"), [(50, 757), (300, 4_119)])
def test_validation_is_not_the_validation_of_919_filtered_by_class(subset, filtered):
    assert sum(row.wnid in class_ids(subset) for row in listed(919, "validation")) == filtered


def test_test_does_not_nest():
    assert names(50, "test") - names(919, "test") == set(TEST_50_IN_VALIDATION_919)
    assert len(names(300, "test") - names(919, "test")) == 19
    assert names(50, "test") & names(300, "validation") == {"ILSVRC2012_val_00015323"}


@pytest.mark.parametrize("subset", SUBSETS)
def test_validation_and_test_of_a_subset_share_no_image(subset):
    assert not names(subset, "validation") & names(subset, "test")


def test_also_in_lists_the_leaks_into_the_validation_of_larger_subsets():
    assert also_in(50, "test") == TEST_50_IN_VALIDATION_919
    leaked = names(300, "test") & names(919, "validation")
    assert len(leaked) == 19
    assert also_in(300, "test") == dict.fromkeys(leaked, "919/validation")


def test_also_in_lists_the_same_leaks_from_the_other_side():
    assert also_in(300, "validation") == {"ILSVRC2012_val_00015323": "50/test"}
    expected = {}
    for subset in (300, 50):  # "300/test" sorts before "50/test"
        for image in names(subset, "test") & names(919, "validation"):
            expected.setdefault(image, []).append(f"{subset}/test")
    assert also_in(919, "validation") == {image: " ".join(splits) for image, splits in expected.items()}
    assert "300/test 50/test" in also_in(919, "validation").values()


@pytest.mark.parametrize(
    ("subset", "split"),
    [(50, "validation"), (919, "test"), *((subset, "train-semi") for subset in SUBSETS)],
)
def test_also_in_is_empty_where_nothing_leaks(subset, split):
    assert also_in(subset, split) == {}
