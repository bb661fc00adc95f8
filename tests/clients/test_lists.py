"""Loaders of lists: `<split>.txt` has a line for each sample."""

import pytest

from clients.truth import SPLITS, samples


@pytest.mark.parametrize("split", SPLITS)
def test_a_list_has_a_line_for_each_sample(tree50, split):
    found = [line.split(" ") for line in (tree50 / f"{split}.txt").read_text().splitlines()]
    assert found == [
        [sample.image, sample.mask or "-", str(sample.class_id)] for sample in samples(tree50, split)
    ]
