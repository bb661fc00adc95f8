"""Matching: which ids count, the optimum, whether there is another, and the official form."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from imagenet_s.match import Occurring, in_common, match, occurring
from imagenet_s.match_file import BadMatch, matching_table, relabelled

unhurried = settings(deadline=None)  # the first example pays for imports


def test_of_an_image_the_sets_of_classes_count_without_background_and_ignore():
    truth = np.array([[0, 2, 2], [1000, 1000, 1]], np.uint16)
    prediction = np.array([[3, 3, 0], [2, 3, 1000]], np.uint16)
    assert occurring(truth, prediction, 3) == Occurring((3,), (1, 2))  # 2 is predicted where it is ignored


def test_predicted_ids_above_the_classes_are_matched_with_nothing():
    truth = np.array([[1, 2]], np.uint16)
    assert occurring(truth, np.array([[4, 1]], np.uint16), 3) == Occurring((1,), (1, 2))


def test_an_image_that_is_all_ignored_has_no_classes():
    ignored = np.full((2, 2), 1000, np.uint16)
    assert occurring(ignored, np.ones((2, 2), np.uint16), 3) == Occurring((), ())


images = [Occurring((1, 2), (3,)), Occurring((1,), (3, 2)), Occurring((2,), (1,)), Occurring((), (1,))]


def test_images_in_common_have_predicted_ids_in_rows_and_true_ones_in_columns():
    assert in_common(images, 3).tolist() == [[0, 1, 2], [1, 0, 1], [0, 0, 0]]
    assert in_common([], 2).tolist() == [[0, 0], [0, 0]]


def test_the_matching_of_lowest_cost_by_hand():
    found = match(in_common(images, 3), len(images))
    # 1 → 3 (2 images) and 2 → 1 (1 image), so 3, predicted nowhere, is left with 2.
    assert found.classes == (3, 1, 2)
    assert (found.common, found.cost) == (3, 3 - 3 / 4)
    assert found.official() == {"1": 3, "2": 1, "3": 2, "0": 0}
    assert found.unique
    assert found.solver.startswith("scipy.optimize.linear_sum_assignment 1.")


def test_ids_that_could_be_exchanged_are_said():
    common = np.array([[5, 0, 0, 0], [0, 2, 2, 0], [0, 1, 1, 0], [0, 0, 0, 1]])
    found = match(common, 9)
    assert found.movable == (2, 3)
    assert not found.unique
    assert found.common == 5 + 3 + 1


def test_where_nothing_is_predicted_every_id_could_be_exchanged():
    assert match(np.zeros((3, 3), np.int64), 5).movable == (1, 2, 3)
    assert match(np.zeros((1, 1), np.int64), 5).movable == ()


def test_a_solver_that_finds_no_optimum_is_found_out(monkeypatch):
    monkeypatch.setattr(
        "imagenet_s.match.linear_sum_assignment", lambda *_, **__: np.arange(6).reshape(2, 3) % 3
    )
    with pytest.raises(ArithmeticError):
        match(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]]), 3)


@unhurried
@given(
    st.integers(1, 5).flatmap(lambda n: arrays(np.int64, (n, n), elements=st.integers(0, 3))),
)
def test_the_optimum_and_what_may_move_are_those_of_all_permutations(common):
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


def test_a_matching_of_919_is_sound():
    random = np.random.default_rng(4)
    hidden = random.permutation(919) + 1
    images = [
        Occurring(tuple(sorted({int(hidden[c - 1]) for c in true})), tuple(sorted(true)))
        for true in ({int(c) for c in random.integers(1, 920, 2)} for _ in range(12_419))
    ]
    found = match(in_common(images, 919), len(images))
    assert [found.classes[p - 1] for p in hidden] == list(range(1, 920))
    assert found.unique


def test_predictions_are_relabelled_and_ids_above_the_classes_stay():
    table = matching_table({"1": 2, "2": 1, "0": 0}, 2)
    ids = np.array([[0, 1, 2, 3, 1000, 65_535]], np.uint16)
    assert relabelled(ids, table).tolist() == [[0, 2, 1, 3, 1000, 65_535]]
    assert relabelled(ids, table).dtype == np.uint16


@pytest.mark.parametrize(
    ("official", "says"),
    [
        ({"0": 0, "1": 1}, "other keys than 0..2: 2"),
        ({"0": 0, "1": 1, "2": 2, "3": 3}, "other keys than 0..2: 3"),
        ({"0": 0, "1": 1, "2": 1}, "other values than 0..2: 2"),
        ({"0": 1, "1": 0, "2": 2}, "gives background the class 1"),
        ({"0": 0, "one": 1, "2": 2}, "no table|not a table"),
        ([1, 2], "not a table"),
    ],
)
def test_what_is_no_matching_is_refused(official, says):
    with pytest.raises(BadMatch, match=says):
        matching_table(official, 2)
