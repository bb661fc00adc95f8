"""Which samples of a class a gallery shows."""

import pytest

from imagenet_s.copies.copy import open_copy
from imagenet_s.copies.samples import samples
from imagenet_s.gallery.choose import Choice, choose, shares


@pytest.mark.parametrize(
    ("available", "most", "expected"),
    [
        ([15, 10], 12, [6, 6]),
        ([15, 10], 11, [6, 5]),
        ([15, 3], 12, [9, 3]),
        ([2, 3], 12, [2, 3]),
        ([15, 10, 1300], 0, [15, 10, 1300]),
        ([0, 0], 12, [0, 0]),
        ([15, 0, 1300], 4, [2, 0, 2]),
        ([5, 5, 5], 2, [1, 1, 0]),
    ],
)
def test_the_splits_get_equal_shares_and_what_one_lacks_goes_to_the_others(available, most, expected):
    assert shares(available, most) == expected


def test_samples_are_those_of_the_class_at_equal_distances_in_the_order_of_the_manifest(tree50):
    copy = open_copy(tree50)
    chosen = choose(copy, Choice(("validation", "train-semi"), 6), ["n01443537", "n01491361"])
    assert list(chosen) == ["n01443537", "n01491361"]
    for wnid, found in chosen.items():
        assert [sample.split for sample in found] == ["validation"] * 3 + ["train-semi"] * 3
        for split in ("validation", "train-semi"):
            rows = [row for row in samples(copy, split).to_pylist() if row["wnid"] == wnid]
            expected = [rows[0], rows[len(rows) // 3], rows[2 * len(rows) // 3]]
            assert [sample.row for sample in found if sample.split == split] == expected


def test_0_takes_all_samples(tree50):
    copy = open_copy(tree50)
    (found,) = choose(copy, Choice(("validation",), 0), ["n01443537"]).values()
    assert [sample.row for sample in found] == [
        row for row in samples(copy, "validation").to_pylist() if row["wnid"] == "n01443537"
    ]
