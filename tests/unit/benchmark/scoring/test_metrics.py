"""The metrics: each formula against a case computed by hand, and all against a plain implementation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import binary_erosion

from imagenet_s.benchmark.scoring.confusion import confusion
from imagenet_s.benchmark.scoring.metrics import (
    BOUNDARY,
    BUCKETS,
    INTERSECTION,
    PLAIN,
    PREDICTED,
    TRUE,
    Tally,
    compute_metrics,
    f_measure,
    ious,
    tally,
    total,
)

unhurried = settings(deadline=None)  # the first example pays for imports


def ids(*rows: list[int]) -> np.ndarray:
    return np.array(rows, np.uint16)


def pair(truth: list[int], prediction: list[int], classes: int = 2) -> Tally:
    """The counts of a true mask and a prediction of one row each."""
    return tally(confusion(ids(truth), ids(prediction), classes))


def square(areas: dict[int, int]) -> np.ndarray:
    """A mask of 10 × 10 pixels with the given area of each id; the rest is background."""
    flat = np.zeros(100, np.uint16)
    taken = [id for id, area in areas.items() for _ in range(area)]
    flat[: len(taken)] = taken
    return flat.reshape(10, 10)


def test_iou_is_intersection_over_union_and_background_is_in_the_mean():
    found = compute_metrics(pair([0, 0, 1, 1], [0, 1, 1, 2]))
    # Background 1 of 2, class 1: 1 of 3, class 2: 0 of 1.
    assert found["IoUs"] == pytest.approx([50, 100 / 3, 0])
    assert found["mIoU"] == pytest.approx(250 / 9)


def test_intersections_and_unions_are_summed_over_images_before_they_are_divided():
    sums = total([pair([1, 1, 1, 1], [1, 1, 1, 1]), pair([1, 1, 0, 0], [0, 0, 1, 1])])
    assert ious(sums.areas[PLAIN, 0])[1] == pytest.approx(4 / 8)


def test_iou_has_the_epsilon_of_the_official_toolbox():
    areas = np.array([[0, 1], [0, 1], [0, 1]])
    assert ious(areas).tolist() == [0, 1 / (1 + 1e-10)]
    assert ious(areas)[1] < 1


def test_a_class_absent_from_both_scores_0_and_is_in_the_mean():
    found = compute_metrics(pair([0, 1], [0, 1]))
    assert found["IoUs"] == pytest.approx([100, 100, 0])
    assert found["mIoU"] == pytest.approx(200 / 3)


def test_ignored_pixels_do_not_count():
    one = pair([0, 1000, 1, 1000], [0, 2, 1, 3])
    assert one.areas[PLAIN, 0].tolist() == [[1, 1, 0]] * 3
    assert one.unknown == 0
    assert one.f_measures == pytest.approx([1])
    assert one.areas[BOUNDARY, 0].tolist() == [[1, 1, 0]] * 3


def test_ids_above_the_classes_are_misses_but_not_false_positives():
    one = pair([1, 1, 0], [3, 1, 1000])
    assert one.areas[PLAIN, 0, PREDICTED].tolist() == [0, 1, 0]
    assert compute_metrics(one)["IoUs"] == pytest.approx([0, 50, 0])
    assert one.unknown == 2
    assert pair([2, 1], [2, 3]).unknown == 1
    assert total([one, pair([2, 1], [2, 3]), one]).unknown == 5


def test_ids_above_the_classes_are_foreground_of_the_f_measure_but_no_label():
    one = pair([1, 1, 0], [3, 3, 1])
    # Precision 2/3, recall 1.
    assert one.f_measures == pytest.approx([1.3 * (2 / 3) / (0.3 * (2 / 3) + 1)])
    assert one.correct == 1
    assert pair([1, 1, 0], [3, 3, 3]).correct == 0


def test_the_epsilons_of_the_f_measure_do_not_change_a_perfect_score():
    assert pair([0, 1], [0, 1]).f_measures == (1.0,)


def test_f_measure_weights_precision():
    # 2 true, 4 predicted, 1 both: precision 1/4, recall 1/2.
    one = pair([1, 1, 0, 0, 0], [0, 2, 2, 2, 2])
    assert one.f_measures == pytest.approx([1.3 * 0.125 / (0.3 * 0.25 + 0.5)])


@pytest.mark.parametrize(
    ("truth", "prediction"),
    [([0, 0], [0, 1]), ([0, 1], [0, 0]), ([0, 0], [0, 0]), ([1000, 1000], [1, 0])],
    ids=["empty truth", "empty prediction", "both empty", "all ignored"],
)
def test_an_image_without_foreground_is_wrong_and_its_f_measure_0(truth, prediction):
    one = pair(truth, prediction)
    assert (one.correct, one.f_measures) == (0, (0,))


def test_f_measure_is_the_mean_over_all_images_and_in_percent():
    sums = total([pair([0, 1], [0, 1]), pair([0, 1], [0, 0])])
    assert compute_metrics(sums)["FMeasure"] == pytest.approx(50)
    assert compute_metrics(sums)["Acc"] == 50


def test_the_label_is_the_class_of_the_largest_predicted_area_and_need_not_overlap():
    assert pair([2, 0, 0, 1], [1, 2, 2, 0]).correct == 1
    assert pair([1, 0, 0, 1], [1, 2, 2, 0]).correct == 0
    assert pair([1, 0, 0, 0, 0], [1, 0, 0, 0, 0]).correct == 1  # even with much background


def test_among_labels_of_equal_area_the_first_counts():
    assert pair([1, 0, 0, 0], [2, 2, 1, 1]).correct == 1
    assert pair([2, 0, 0, 0], [2, 2, 1, 1]).correct == 0


def test_the_label_ignores_ignored_pixels():
    assert pair([1, 1000, 1000, 0], [1, 2, 2, 0]).correct == 1


@pytest.mark.parametrize(
    ("area", "ignored", "bucket"),
    [
        (1, 0, "S"),
        (5, 0, "S"),
        (6, 0, "MS"),
        (25, 0, "MS"),
        (26, 0, "ML"),
        (50, 0, "ML"),
        (51, 0, "L"),
        (100, 0, "L"),
        (5, 1, "MS"),  # 5 of 99 is more than 5 %
        (25, 1, "ML"),
        (50, 1, "L"),
        (4, 20, "S"),  # 4 of 80 is 5 %
    ],
)
def test_a_bucket_includes_its_upper_bound(area, ignored, bucket):
    truth = square({1: area, 1000: ignored})
    found = compute_metrics(tally(confusion(truth, truth, 1)))
    assert {name for name in BUCKETS[1:] if found[name] is not None} == {bucket}
    assert {name for name in BUCKETS[1:] if found[f"B{name}"] is not None} == {bucket}
    assert found[bucket] == pytest.approx(100)


def test_a_bucket_has_the_pixels_of_background_and_of_its_classes():
    truth = square({1: 5, 2: 60})
    prediction = truth.copy()
    prediction.flat[:2] = 2  # pixels of class 1
    prediction.flat[5:15] = 1  # pixels of class 2: not in S, so not false positives of 1 there
    one = tally(confusion(truth, prediction, 2))
    # By class: intersection, predicted, true.
    assert one.areas[PLAIN, BUCKETS.index("S")].tolist() == [[35, 3, 0], [35, 3, 2], [35, 5, 0]]
    assert one.areas[PLAIN, BUCKETS.index("L")].tolist() == [[35, 0, 50], [35, 10, 50], [35, 0, 60]]
    found = compute_metrics(one)
    # 2 is predicted in S, but has no true pixels there, so it is not in the mean.
    assert found["S"] == pytest.approx((100 + 60) / 2)
    assert found["L"] == pytest.approx((100 + 100 * 50 / 60) / 2)
    assert (found["MS"], found["ML"]) == (None, None)


def test_an_image_adds_nothing_to_buckets_without_its_classes():
    small, large = square({1: 5}), square({1: 60})
    wrong = np.ones((10, 10), np.uint16)
    alone = tally(confusion(small, small, 1))
    both = total([alone, tally(confusion(large, wrong, 1)), tally(confusion(square({}), wrong, 1))])
    bucket_name = BUCKETS.index("S")
    assert (both.areas[:, bucket_name] == alone.areas[:, bucket_name]).all()
    assert both.areas[PLAIN, 0, TRUE].tolist() == [95 + 40 + 100, 65]


def test_the_same_class_may_be_in_several_buckets():
    found = compute_metrics(
        total(tally(confusion(square({1: a}), square({1: a}), 1)) for a in (5, 20, 40, 80))
    )
    assert [found[name] for name in BUCKETS[1:]] == pytest.approx([100] * 4)


def test_boundary_iou_counts_pixels_that_are_boundary_in_either_mask():
    # 6 × 8 pixels, boundaries of one pixel; the border of the image is boundary, too.
    truth, prediction = np.zeros((2, 6, 8), np.uint16)
    truth[:, 4:] = 1
    prediction[:, 5:] = 1
    one = tally(confusion(truth, prediction, 1))
    assert one.areas[BOUNDARY, 0, TRUE].tolist() == [16, 16]  # 4 × 6, of which 2 × 4 are interior
    assert one.areas[BOUNDARY, 0, PREDICTED].tolist() == [18, 14]
    # Background: columns 0 to 3 of rows 0 and 5, column 0 between; column 3 is interior in the prediction.
    # Class 1: columns 5 to 7 of rows 0 and 5, column 7 between; column 5 is interior in the truth.
    assert one.areas[BOUNDARY, 0, INTERSECTION].tolist() == [12, 10]
    assert compute_metrics(one)["mBIoU"] == pytest.approx(100 * (12 / 22 + 10 / 20) / 2)


def test_boundaries_are_those_before_the_ignored_pixels_are_dropped():
    truth, prediction = np.zeros((2, 7, 7), np.uint16)
    truth[:, 4:] = 1000
    one = tally(confusion(truth, prediction, 1))
    # 7 × 4 pixels count. In the truth column 3 is boundary, because ignored pixels begin next to it.
    assert one.areas[BOUNDARY, 0, :, 0].tolist() == [13, 13, 18]


def test_boundaries_of_a_bucket_are_those_of_its_pixels():
    truth, prediction = np.zeros((2, 10, 10), np.uint16)
    truth[4:6, 4:6] = 1  # 4 %
    truth[:, 8:] = 2  # 20 %
    one = tally(confusion(truth, prediction, 2))
    assert one.areas[BOUNDARY, BUCKETS.index("S"), TRUE, 1:].tolist() == [4, 0]
    assert one.areas[BOUNDARY, BUCKETS.index("MS"), TRUE, 1:].tolist() == [0, 20]
    # Only background is predicted, with a border of 36 pixels: 14 + 10 of the 80 in columns 0 to 7.
    assert one.areas[BOUNDARY, BUCKETS.index("S"), PREDICTED].tolist() == [24, 0, 0]
    assert one.areas[BOUNDARY, BUCKETS.index("MS"), PREDICTED].tolist() == [36, 0, 0]


def test_metrics_have_the_official_names():
    found = compute_metrics(pair([0, 1], [0, 1]))
    official = "Acc mIoU mBIoU S MS ML L BS BMS BML BL IoUs FMeasure"
    assert list(found) == official.split()
    assert len(found["IoUs"]) == 3


# A plain implementation after the official toolbox: class by class, with Python's numbers.


def edges(mask: np.ndarray, d: int) -> np.ndarray:
    return mask & ~binary_erosion(mask, np.ones((3, 3)), iterations=d, border_value=0)


def plain_metrics(pairs: list[tuple[np.ndarray, np.ndarray]], classes: int) -> dict:
    sums = {
        (name, c): [0, 0, 0] for name in [*BUCKETS, *(f"B{t}" for t in BUCKETS)] for c in range(classes + 1)
    }
    right, f = 0, []
    for truth, prediction in pairs:
        kept = truth != 1000
        n = int(kept.sum())
        d = max(1, round(0.03 * math.sqrt(truth.shape[0] ** 2 + truth.shape[1] ** 2)))
        bucket = {}
        for c in range(1, classes + 1):
            area = int((truth == c).sum())
            if area:
                share = math.ceil(100 * area / n)
                bucket[c] = "S" if share <= 5 else "MS" if share <= 25 else "ML" if share <= 50 else "L"
        for bucket_name in BUCKETS:
            members = [c for c, name in bucket.items() if name == bucket_name]
            if bucket_name and not members:
                continue
            region = kept & np.isin(truth, [0, *members]) if bucket_name else kept
            for c in range(classes + 1):
                for name, t, p in (
                    (bucket_name, truth == c, prediction == c),
                    (f"B{bucket_name}", edges(truth == c, d), edges(prediction == c, d)),
                ):
                    added = (t & p & region).sum(), (p & region).sum(), (t & region).sum()
                    sums[name, c] = [x + int(y) for x, y in zip(sums[name, c], added, strict=True)]
        areas = [int(((prediction == c) & kept).sum()) for c in range(1, classes + 1)]
        label = 1 + areas.index(max(areas))
        right += bool(max(areas) and ((truth == label) & kept).any())
        t, p = (truth > 0) & kept, (prediction > 0) & kept
        precision, recall = (t & p).sum() / (p.sum() + 1e-20), (t & p).sum() / (t.sum() + 1e-20)
        f.append(1.3 * precision * recall / (0.3 * precision + recall + 1e-20))

    def iou(name, c):
        both, predicted, true = sums[name, c]
        return 100 * both / (predicted + true - both + 1e-10)

    def mean(name):
        there = [c for c in range(classes + 1) if sums[name, c][2]]
        return sum(iou(name, c) for c in there) / len(there) if there else None

    every = range(classes + 1)
    return {
        "Acc": 100 * right / len(pairs),
        "mIoU": sum(iou("", c) for c in every) / (classes + 1),
        "mBIoU": sum(iou("B", c) for c in every) / (classes + 1),
        **{name: mean(name) for name in [*BUCKETS[1:], *(f"B{bucket_name}" for bucket_name in BUCKETS[1:])]},
        "IoUs": [iou("", c) for c in every],
        "FMeasure": 100 * sum(f) / len(f),
    }


@st.composite
def pairs_of_masks(draw):
    side = draw(st.integers(1, 9))
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))

    def mask(elements):
        blocks = draw(arrays(np.uint16, shape, elements=st.sampled_from(elements)))
        return np.kron(blocks, np.ones((side, side), np.uint16))

    return mask([0, 0, 1, 2, 3, 1000]), mask([0, 0, 1, 2, 3, 4, 1000, 65_535])


@unhurried
@given(st.lists(pairs_of_masks(), min_size=1, max_size=4))
def test_all_metrics_agree_with_the_plain_implementation(pairs):
    found = compute_metrics(total(tally(confusion(truth, prediction, 3)) for truth, prediction in pairs))
    expected = plain_metrics(pairs, 3)
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name] == (None if value is None else pytest.approx(value)), name


def test_sums_do_not_depend_on_the_order_or_on_how_images_are_grouped():
    random = np.random.default_rng(3)
    tallies = [tally(confusion(*(random.integers(0, 4, (2, 9, 9)).astype(np.uint16)), 3)) for _ in range(30)]
    groups = [total(tallies[20:]), total(tallies[:7]), total(tallies[7:20])]
    assert compute_metrics(total(groups)) == compute_metrics(total(tallies))
    assert f_measure(confusion(ids([0, 1]), ids([0, 1]), 1)) == pytest.approx(1)
    assert tallies[0].images == 1  # a sum does not change its terms
    assert tallies[0].areas[PLAIN, 0, TRUE].sum() == 81
