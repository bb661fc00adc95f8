"""Counting the pixels of each pair of true and predicted id."""

import numpy as np
import pytest

from imagenet_s.benchmark.scoring.confusion import confusion


def ids(*row: int) -> np.ndarray:
    return np.array([row], np.uint16)


def test_the_ids_are_those_of_pixels_that_are_not_ignored():
    table = confusion(ids(1, 1, 1000, 0), ids(7, 9, 2, 0), 3)
    assert table.true_ids.tolist() == [0, 1]
    assert table.predicted_ids.tolist() == [0, 4]  # 7 and 9 are both above 3; 2 is ignored
    assert table.matrix.tolist() == [[1, 0], [0, 2]]


def test_a_prediction_of_another_size_and_a_truth_with_unknown_ids_are_refused():
    with pytest.raises(ValueError, match="prediction"):
        confusion(ids(0, 1), ids(0, 1, 1), 2)
    with pytest.raises(ValueError, match="above 2"):
        confusion(ids(0, 3), ids(0, 1), 2)
    assert confusion(ids(0, 1000), ids(0, 1), 2).true_ids.tolist() == [0]
