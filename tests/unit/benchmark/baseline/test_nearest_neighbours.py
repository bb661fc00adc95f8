"""The steps of distance matching: enlarging, regions as vectors, votes of the nearest."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagenet_s.benchmark.baseline.nearest_neighbours import (
    NEIGHBOURS,
    TEMPERATURE,
    Regions,
    embedded,
    enlarged,
    nearest,
    voted,
)

unhurried = settings(deadline=None)


def test_the_constants_are_those_of_the_protocol():
    assert (NEIGHBOURS, TEMPERATURE) == (10, 0.07)


def test_features_are_enlarged_four_times_with_corners_as_areas():
    # Two pixels as eight: centres at -0.375, -0.125, 0.125, … of the old ones.
    row = enlarged(np.array([[[0.0, 8.0]]]))
    assert row.shape == (1, 4, 8)
    assert row.dtype == np.float32
    assert row[0, 0].tolist() == [0, 0, 1, 3, 5, 7, 8, 8]
    assert (row == row[:, :1]).all()
    assert (enlarged(np.full((3, 2, 5), 7)) == 7).all()


def test_enlarging_is_separate_in_each_channel_and_direction():
    random = np.random.default_rng(1)
    features = random.normal(size=(2, 3, 4)).astype(np.float32)
    big = enlarged(features)
    assert big.shape == (2, 12, 16)
    assert enlarged(features.transpose(0, 2, 1)) == pytest.approx(big.transpose(0, 2, 1), abs=1e-6)
    assert enlarged(features[1:])[0] == pytest.approx(big[1], abs=1e-6)


def test_ids_are_resized_to_the_pixel_at_the_left_and_top():
    ids = np.array([[1, 2, 3]], np.uint16)
    assert nearest(ids, (1, 5)).tolist() == [[1, 1, 2, 2, 3]]
    assert nearest(ids, (1, 2)).tolist() == [[1, 2]]
    assert nearest(ids, (2, 3)).tolist() == [[1, 2, 3]] * 2


@unhurried
@given(st.integers(1, 1000), st.integers(1, 1000))
def test_resizing_takes_the_proportional_pixel_up_to_rounding(old, new):
    found = nearest(np.arange(old, dtype=np.uint16)[:, None], (new, 1))[:, 0].astype(int)
    exact = np.arange(new) * old
    assert (found[exact % new > 0] == exact[exact % new > 0] // new).all()
    assert np.isin(exact // new - found, [0, 1]).all()


@pytest.mark.parametrize(
    ("old", "new", "i", "taken"), [(4, 82, 41, 1), (36, 500, 375, 26), (500, 60, 15, 124), (56, 500, 250, 28)]
)
def test_resizing_rounds_as_pytorch_does(old, new, i, taken):
    # The first three as interpolate(…, mode="nearest") of PyTorch 2.13 has them: in whole numbers 2, 27, 125.
    assert nearest(np.arange(old, dtype=np.uint16)[None], (1, new))[0, i] == taken


def test_a_region_is_the_sum_of_its_features_at_length_1():
    features = np.array([[[3.0, 0, 1, 9]], [[0.0, 2, 1, 9]]])
    found = embedded(features, np.array([[5, 5, 0, 1000]], np.uint16))
    assert found.labels.tolist() == [0, 5]  # background is a region, ignore is not
    assert found.vectors[0] == pytest.approx(np.array([1, 1]) / math.sqrt(2))
    assert found.vectors[1] == pytest.approx(np.array([3, 2]) / math.sqrt(13))


def test_a_mask_is_resized_to_the_features_and_may_lose_regions():
    mask = np.zeros((4, 4), np.uint16)
    mask[1, 1] = 7
    mask[2:, 2:] = 3
    assert embedded(np.ones((1, 2, 2)), mask).labels.tolist() == [0, 3]


def test_a_region_without_any_feature_stays_zero():
    found = embedded(np.zeros((2, 1, 2)), np.array([[1, 0]], np.uint16))
    assert found.vectors.tolist() == [[0, 0], [0, 0]]


def unit(*vectors: list[float]) -> np.ndarray:
    array = np.array(vectors, np.float32)
    return array / np.linalg.norm(array, axis=1, keepdims=True)


def test_the_class_of_the_nearest_region_wins():
    bank = Regions(unit([1, 0], [0, 1]), np.array([4, 9]))
    features = np.array([[[5.0, 0.1, 2]], [[0.1, 3.0, 1]]])
    assert voted(features, bank, 1, 0.07).tolist() == [[4, 9, 4]]


def test_several_neighbours_vote_with_their_similarity():
    bank = Regions(unit([1, 0], [1, 0.5], [1, -0.5], [0, 1]), np.array([1, 2, 2, 3]))
    features = np.array([[[1.0]], [[0.0]]])
    # Similarity 1 for class 1; 0.894 twice for class 2: e^(1/T) against 2·e^(0.894/T).
    assert voted(features, bank, 1, 1.0).tolist() == [[1]]
    assert voted(features, bank, 3, 1.0).tolist() == [[2]]
    assert voted(features, bank, 3, 0.1).tolist() == [[1]]
    assert 2 * math.exp((2 / math.sqrt(5) - 1) / 0.1) < 1 < 2 * math.exp((2 / math.sqrt(5) - 1) / 1.0)


def test_no_more_than_k_neighbours_vote():
    bank = Regions(unit([1, 0], [1, 0.1], [1, 0.2], [1, 0.3]), np.array([1, 2, 2, 2]))
    features = np.array([[[1.0]], [[0.0]]])
    # By similarity: 1 for class 1, then 0.995, 0.981 and 0.958 for class 2.
    assert [voted(features, bank, k, 1.0)[0, 0] for k in (1, 2, 3, 4, 5)] == [1, 1, 2, 2, 2]


def test_the_nearest_counts_alone_at_a_low_temperature():
    bank = Regions(unit([0.8, 0.6], [1, 0]), np.array([1, 2]))
    for temperature in (0.07, 1e-3, 1e-300):
        assert voted(np.array([[[1.0]], [[0.0]]]), bank, 10, temperature).tolist() == [[2]]


def test_among_classes_with_equal_votes_the_lowest_wins():
    bank = Regions(unit([1, 0], [1, 0]), np.array([8, 3]))
    assert voted(np.ones((2, 1, 1)), bank, 2, 0.07).tolist() == [[3]]


def test_ties_do_not_depend_on_the_order_of_the_neighbours(monkeypatch):
    random = np.random.default_rng(3)
    nearness = random.random(40)  # of class 8's regions, and of class 3's
    bank = Regions(np.tile(nearness, 2).astype(np.float32)[:, None], np.repeat([8, 3], 40))
    monkeypatch.setattr(np, "argpartition", lambda *_, **__: random.permutation(80)[None])
    for _ in range(20):
        assert voted(np.ones((1, 1, 1)), bank, 80, 0.07).tolist() == [[3]]


def test_fewer_regions_than_neighbours_all_vote():
    bank = Regions(unit([1, 0], [0.9, 0.1], [0.8, 0.1]), np.array([1, 6, 6]))
    assert voted(np.array([[[1.0]], [[0.0]]]), bank, 10, 0.07).tolist() == [[6]]


@unhurried
@given(st.integers(1, 12), st.integers(1, 8), st.integers(0, 10**6))
def test_votes_agree_with_a_plain_implementation(k, regions, seed):
    random = np.random.default_rng(seed)
    bank = Regions(unit(*random.normal(size=(regions, 3)).tolist()), random.integers(0, 4, regions))
    features = random.normal(size=(3, 2, 3)).astype(np.float32)
    found = voted(features, bank, k, 0.07)
    for y in range(2):
        for x in range(3):
            position = features[:, y, x] / np.linalg.norm(features[:, y, x])
            similarity = sorted(zip(bank.vectors @ position, bank.labels, strict=True), key=lambda s: -s[0])[
                :k
            ]
            votes = [sum(math.exp(s / 0.07) for s, label in similarity if label == c) for c in range(4)]
            # Sums that differ only by the rounding of 32 bits count as equal.
            assert votes[found[y, x]] == pytest.approx(max(votes), rel=1e-4)


def test_positions_are_processed_in_chunks_with_the_same_result(monkeypatch):
    random = np.random.default_rng(5)
    bank = Regions(unit(*random.normal(size=(20, 4)).tolist()), random.integers(0, 9, 20))
    features = random.normal(size=(4, 9, 7)).astype(np.float32)
    whole = voted(features, bank, 5, 0.07)
    monkeypatch.setattr("imagenet_s.benchmark.baseline.nearest_neighbours.MAX_SIMILARITIES", 60)
    assert (voted(features, bank, 5, 0.07) == whole).all()
