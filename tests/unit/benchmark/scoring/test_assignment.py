"""The optimal matching: which ids count, the optimum, and whether there is another one."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from imagenet_s.benchmark.scoring.assignment import ClassSets, class_sets, count_common_images, match

unhurried = settings(deadline=None)  # the first example pays for imports


def test_the_classes_of_an_image_exclude_background_and_ignored_pixels():
    truth = np.array([[0, 2, 2], [1000, 1000, 1]], np.uint16)
    prediction = np.array([[3, 3, 0], [2, 3, 1000]], np.uint16)
    # 2 is predicted on ignored pixels; 1000 is not a class.
    assert class_sets(truth, prediction, 3) == ClassSets((3,), (1, 2), unknown=True)


def test_predicted_ids_above_the_classes_are_matched_with_nothing():
    truth = np.array([[1, 2]], np.uint16)
    assert class_sets(truth, np.array([[4, 1]], np.uint16), 3) == ClassSets((1,), (1, 2), unknown=True)
    assert class_sets(truth, np.array([[3, 1]], np.uint16), 3) == ClassSets((1, 3), (1, 2), unknown=False)


def test_an_image_that_is_all_ignored_has_no_classes():
    ignored = np.full((2, 2), 1000, np.uint16)
    assert class_sets(ignored, np.ones((2, 2), np.uint16), 3) == ClassSets((), ())


images = [ClassSets((1, 2), (3,)), ClassSets((1,), (3, 2)), ClassSets((2,), (1,)), ClassSets((), (1,))]


def test_images_in_common_have_predicted_ids_in_rows_and_true_ones_in_columns():
    assert count_common_images(images, 3).tolist() == [[0, 1, 2], [1, 0, 1], [0, 0, 0]]
    assert count_common_images([], 2).tolist() == [[0, 0], [0, 0]]


def test_the_matching_of_lowest_cost_by_hand():
    found = match(count_common_images(images, 3), len(images))
    # 1 → 3 (2 images) and 2 → 1 (1 image). 3 is predicted nowhere and gets 2, which is left.
    assert found.classes == (3, 1, 2)
    assert (found.common, found.cost) == (3, 3 - 3 / 4)
    assert found.official() == {"1": 3, "2": 1, "3": 2, "0": 0}
    assert found.unique
    assert found.solver.startswith("scipy.optimize.linear_sum_assignment 1.")


def test_ids_that_another_optimum_maps_differently_are_listed():
    common = np.array([[5, 0, 0, 0], [0, 2, 2, 0], [0, 1, 1, 0], [0, 0, 0, 1]])
    found = match(common, 9)
    assert found.movable == (2, 3)
    assert not found.unique
    assert found.common == 5 + 3 + 1


def test_if_nothing_is_predicted_every_id_may_change():
    assert match(np.zeros((3, 3), np.int64), 5).movable == (1, 2, 3)
    assert match(np.zeros((1, 1), np.int64), 5).movable == ()


def test_a_solver_that_finds_no_optimum_raises(monkeypatch):
    monkeypatch.setattr(
        "imagenet_s.benchmark.scoring.assignment.linear_sum_assignment",
        lambda *_, **__: np.arange(6).reshape(2, 3) % 3,
    )
    with pytest.raises(ArithmeticError):
        match(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]]), 3)


@unhurried
@given(
    st.integers(1, 5).flatmap(lambda n: arrays(np.int64, (n, n), elements=st.integers(0, 3))),
)
def test_optimum_and_movable_ids_agree_with_all_permutations(common):
    n = len(common)
    values = {p: sum(common[i, c] for i, c in enumerate(p)) for p in itertools.permutations(range(n))}
    best = max(values.values())
    optima = [p for p, value in values.items() if value == best]
    found = match(common, 7)
    own = tuple(c - 1 for c in found.classes)
    assert found.common == best
    assert own in optima
    assert found.unique == (len(optima) == 1)
    assert found.movable == tuple(i + 1 for i in range(n) if any(p[i] != own[i] for p in optima))


def test_a_hidden_permutation_of_919_ids_is_found():
    random = np.random.default_rng(4)
    hidden = random.permutation(919) + 1
    images = [
        ClassSets(tuple(sorted({int(hidden[c - 1]) for c in true})), tuple(sorted(true)))
        for true in ({int(c) for c in random.integers(1, 920, 2)} for _ in range(12_419))
    ]
    found = match(count_common_images(images, 919), len(images))
    assert [found.classes[p - 1] for p in hidden] == list(range(1, 920))
    assert found.unique
