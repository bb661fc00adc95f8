"""Parts: each subset is the union of its parts, and no image is in two."""

from itertools import chain

import pytest

from imagenet_s.spec.classes import class_ids, merges, tier_classes, train_classes
from imagenet_s.spec.shards import part_classes, part_val_images, subset_parts, tier_of, tier_parts, tiers
from imagenet_s.spec.splits import listed, tier_val_images
from imagenet_s.spec.subsets import SUBSETS


def test_a_tier_is_what_its_subset_adds():
    assert {tier: len(tier_classes(tier)) for tier in SUBSETS} == {50: 50, 300: 250, 919: 624}
    assert set(tier_classes(50)) == set(class_ids(50))
    assert set(tier_classes(300)) == set(class_ids(300)) - set(class_ids(50))
    assert set(tier_classes(919)) == set(class_ids(919)) - set(class_ids(300)) | set(merges())
    assert [tiers([subset]) for subset in SUBSETS] == [[50], [50, 300], [50, 300, 919]]
    assert tiers([300, 50]) == [50, 300]


@pytest.mark.parametrize("subset", SUBSETS)
def test_a_subset_is_exactly_the_union_of_its_parts(subset):
    classes = list(chain.from_iterable(map(part_classes, subset_parts(subset))))
    images = list(chain.from_iterable(map(part_val_images, subset_parts(subset))))
    assert sorted(classes) == list(train_classes(subset))  # each once
    assert len(images) == len(set(images))
    smaller = (s for s in SUBSETS if s <= subset)
    assert set(images) == {
        row.image for s in smaller for split in ("validation", "test") for row in listed(s, split)
    }


@pytest.mark.parametrize("tier", SUBSETS)
def test_the_parts_of_a_tier_partition_it_and_none_is_empty(tier):
    parts = tier_parts(tier)
    assert len(parts) == len(set(parts))
    assert {tier_of(part) for part in parts} == {tier}
    assert sorted(chain.from_iterable(map(part_classes, parts))) == list(tier_classes(tier))
    images = chain.from_iterable(map(part_val_images, parts))
    assert sorted(images) == [row.image for row in tier_val_images(tier)]
    for part in parts:
        # A part is of train or of val, never of both.
        assert bool(part_classes(part)) == part.startswith("train-")
        assert bool(part_val_images(part)) == part.startswith("val-")


def test_a_larger_subset_adds_parts_and_changes_none():
    assert subset_parts(300)[: len(subset_parts(50))] == subset_parts(50)
    assert subset_parts(919)[: len(subset_parts(300))] == subset_parts(300)
    assert len(subset_parts(919)) < 100  # tens of jobs in all
