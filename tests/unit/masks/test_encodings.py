"""The encodings `id16`, `id8`, `color` and `binary` of a mask."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from helpers.masks import any_ids, ids_50, ids_919, ihdr, opened, png_of, unhurried
from imagenet_s.masks.codec import BadMask, rgb_of
from imagenet_s.masks.encodings import ENCODERS, binary, color, id8, id16
from imagenet_s.masks.palette import colors
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.encodings import ENCODINGS
from imagenet_s.spec.subsets import SUBSETS


@unhurried
@given(any_ids)
def test_id16_is_one_16_bit_channel_and_converts_back_to_the_same_rgb(ids):
    png = id16(ids, 919, "n01440764")
    assert ihdr(png) == (16, 0)  # 16-bit grey
    image = opened(png)
    assert image.mode == "I;16"
    pixels = np.asarray(image)
    assert np.array_equal(pixels, ids)
    assert np.array_equal(rgb_of(pixels), rgb_of(ids))


@unhurried
@given(ids_50)
def test_id8_is_one_8_bit_channel_with_ignore_255(ids):
    png = id8(ids, 50, "n01443537")
    assert ihdr(png) == (8, 0)
    image = opened(png)
    assert image.mode == "L"
    expected = [[255 if x == 1000 else x for x in row] for row in ids.tolist()]
    assert np.asarray(image).tolist() == expected


@pytest.mark.parametrize("number", [255, 256, 300, 999, 1001, 1256])
def test_id8_refuses_ids_that_do_not_fit(number):
    with pytest.raises(BadMask, match="254"):
        id8(np.array([[0, number]], np.uint16), 50, "n01443537")


def test_id8_holds_254():
    assert np.asarray(opened(id8(np.array([[254, 1000]], np.uint16), 300, ""))).tolist() == [[254, 255]]


def test_binary_is_the_class_of_the_folder():
    wnid, own = list(class_ids(919).items())[299]
    assert own == 300  # its low byte is 44: both bytes count
    png = binary(np.array([[0, own, 1000], [1, 44, 919]], np.uint16), 919, wnid)
    assert ihdr(png) == (8, 0)
    assert np.asarray(opened(png)).tolist() == [[0, 255, 128], [0, 0, 0]]


def test_binary_takes_the_id_of_its_own_subset():
    ids = np.array([[46, 275, 850]], np.uint16)  # n04612504 in 50, 300 and 919
    found = [np.asarray(opened(binary(ids, subset, "n04612504"))).tolist() for subset in SUBSETS]
    assert found == [[[255, 0, 0]], [[0, 255, 0]], [[0, 0, 255]]]


@unhurried
@given(ids_919)
def test_color_is_a_palette_image_of_the_fixed_colours(ids):
    png = color(ids, 919, "n01440764")
    assert ihdr(png)[1] == 3  # a palette, of as many bits as it takes
    image = opened(png)
    assert image.mode == "P"
    assert np.array_equal(np.asarray(image.convert("RGB")), colors(919)[ids])


def test_color_holds_256_ids_and_refuses_more():
    ids = np.arange(256, dtype=np.uint16).reshape(16, 16)
    assert np.array_equal(np.asarray(opened(color(ids, 300, "")).convert("RGB")), colors(300)[ids])
    with pytest.raises(BadMask, match="257 ids"):
        color(np.arange(257, dtype=np.uint16).reshape(1, 257), 300, "")
    with pytest.raises(BadMask, match="above 1000"):
        color(np.array([[1001]], np.uint16), 300, "")


@unhurried
@given(ids_50, st.sampled_from(ENCODINGS))
def test_pillow_reads_the_same_as_from_its_own_files(ids, encoding):
    wnid, own = list(class_ids(50).items())[6]
    match encoding:
        case "id16":
            theirs = Image.fromarray(ids)
        case "id8":
            theirs = Image.fromarray(np.where(ids == 1000, 255, ids).astype(np.uint8))
        case "binary":
            values = np.where(ids == own, 255, np.where(ids == 1000, 128, 0))
            theirs = Image.fromarray(values.astype(np.uint8))
        case "color":
            present, indices = np.unique(ids, return_inverse=True)
            theirs = Image.fromarray(indices.reshape(ids.shape).astype(np.uint8))
            theirs.putpalette(colors(50)[present].tobytes())
        case _:
            raise AssertionError(f"say here what {encoding} must have")
    ours, theirs = opened(ENCODERS[encoding](ids, 50, wnid)), opened(png_of(theirs))
    ours.verify()  # every chunk's CRC
    ours = opened(ENCODERS[encoding](ids, 50, wnid))
    assert (ours.mode, ours.size, ours.info) == (theirs.mode, theirs.size, theirs.info)
    assert np.array_equal(np.asarray(ours), np.asarray(theirs))
    assert ours.getpalette() == theirs.getpalette()


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (333, 500)])
def test_labels_of_any_shape_are_read_back(shape):
    ids = np.random.default_rng(0).integers(0, 51, shape).astype(np.uint16)
    assert np.array_equal(np.asarray(opened(id16(ids, 50, ""))), ids)
    assert np.array_equal(np.asarray(opened(id16(ids.T, 50, ""))), ids.T)  # not contiguous
