"""Boundaries: their width, the border of the image, and one pass against class by class."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.ndimage import binary_erosion

from imagenet_s.benchmark.scoring.boundary import boundary, boundary_of_width, boundary_width

unhurried = settings(deadline=None)  # the first example pays for imports


def by_class(ids: np.ndarray, d: int) -> np.ndarray:
    """The way of the official toolbox: the mask of each id minus its erosion."""
    found = np.zeros(ids.shape, bool)
    for id in np.unique(ids):
        mask = ids == id
        found |= mask & ~binary_erosion(mask, np.ones((3, 3)), iterations=d, border_value=0)
    return found


def drawn(bits: np.ndarray) -> list[str]:
    return ["".join(".#"[bit] for bit in row) for row in bits.astype(int)]


@pytest.mark.parametrize(
    ("height", "width", "d"),
    [
        (210, 280, 10),  # 0.03 · 350 = 10.5: to the even number, down
        (280, 210, 10),
        (30, 40, 2),  # 1.5: to the even number, up
        (90, 120, 4),  # 4.5: down
        (375, 500, 19),  # 18.75
        (10, 10, 1),  # 0.42: at least 1
        (1, 1, 1),
    ],
)
def test_a_boundary_is_three_hundredths_of_the_diagonal_wide(height, width, d):
    assert boundary_width(height, width) == d


def test_the_border_of_the_image_is_boundary():
    assert drawn(boundary(np.zeros((5, 6), np.uint16))) == ["######", "#....#", "#....#", "#....#", "######"]


def test_two_classes_and_ignore_each_have_a_boundary_where_they_meet():
    ids = np.repeat(np.array([[0] * 4 + [1] * 4 + [1000] * 4], np.uint16), 5, axis=0)
    assert drawn(boundary_of_width(ids, 1)) == [
        "############",
        "#..##..##..#",
        "#..##..##..#",
        "#..##..##..#",
        "############",
    ]


def test_classes_that_touch_only_at_a_corner_are_boundary_there():
    ids = np.zeros((8, 8), np.uint16)
    ids[:4, :4] = 1
    ids[4:, 4:] = 1
    ids[4:, :4] = 2
    bits = boundary_of_width(ids, 1)
    assert bits[3, 3]
    assert bits[4, 4]
    ids[4, 4] = 7
    ids[3:5, 3:5] = 7
    assert boundary_of_width(ids, 1)[2, 2]  # its only other neighbour is diagonal


def test_a_single_pixel_makes_a_square_of_boundary_around_it():
    ids = np.zeros((11, 11), np.uint16)
    ids[5, 5] = 3
    assert drawn(boundary_of_width(ids, 2)[2:-2, 2:-2]) == [
        ".......",
        ".#####.",
        ".#####.",
        ".#####.",
        ".#####.",
        ".#####.",
        ".......",
    ]


@unhurried
@given(
    arrays(
        np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=8), elements=st.sampled_from([0, 1, 2, 1000])
    ),
    st.integers(1, 5),
    st.integers(1, 7),
)
def test_one_pass_agrees_with_eroding_class_by_class(blocks, side, d):
    # Blocks of pixels, because single pixels are rarely interior.
    ids = np.kron(blocks, np.ones((side, side), np.uint16))
    assert (boundary_of_width(ids, d) == by_class(ids, d)).all()


def test_a_mask_of_usual_size_agrees_with_eroding_class_by_class():
    random = np.random.default_rng(1)
    ids = np.kron(random.integers(0, 3, (5, 7)), np.ones((75, 70), int)).astype(np.uint16)
    ids[100:220, 50:300] = 1000
    d = boundary_width(*ids.shape)
    assert d > 15
    assert (boundary(ids) == by_class(ids, d)).all()
