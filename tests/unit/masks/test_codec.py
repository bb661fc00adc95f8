"""Masks are converted between PNG and ids, and everything that is wrong with a file is reported."""

import io
import struct
import zlib
from collections import Counter
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from helpers.masks import any_ids, png_of, unhurried
from imagenet_s.masks.codec import BadMask, decode, ids_in, ids_of, pixels_of, rgb_of
from imagenet_s.spec.subsets import SUBSETS


def rgb_png(ids: np.ndarray) -> bytes:
    return png_of(Image.fromarray(rgb_of(ids)))


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def raw_png(
    size: tuple[int, int],
    rows: bytes,
    depth: int = 8,
    interlaced: bool = False,
    before: bytes = b"",
    pieces: int = 1,
) -> bytes:
    """Return an RGB PNG that claims to have `size`, (width, height).

    `before` are chunks before the pixels, and `pieces` is the number of chunks with pixels.
    """
    header = struct.pack(">IIBBBBB", *size, depth, 2, 0, 0, interlaced)
    packed = zlib.compress(rows)
    cut = -(-len(packed) // pieces)
    idats = (chunk(b"IDAT", packed[start : start + cut]) for start in range(0, len(packed), cut))
    body = chunk(b"IHDR", header) + before + b"".join(idats) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def by_pillow(png: bytes) -> np.ndarray | None:
    """Return a PNG's RGB pixels as Pillow decodes them; None if it raises."""
    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            return np.asarray(image.convert("RGB"))
    except Exception:
        return None


@st.composite
def filtered_rows(draw, width: int, height: int, interlaced: bool) -> bytes:
    """Draw rows of 8-bit RGB with any filters. Any bytes are a valid image."""
    passes = [(0, 0, 1, 1)]
    if interlaced:  # Adam7: first column and row, and the steps between columns and rows
        passes = [
            (0, 0, 8, 8),
            (4, 0, 8, 8),
            (0, 4, 4, 8),
            (2, 0, 4, 4),
            (0, 2, 2, 4),
            (1, 0, 2, 2),
            (0, 1, 1, 2),
        ]
    rows = []
    for x, y, across, down in passes:
        wide, high = len(range(x, width, across)), len(range(y, height, down))
        for _ in range(high if wide else 0):
            filters = draw(st.integers(0, 4))
            rows += [bytes([filters]), draw(st.binary(min_size=3 * wide, max_size=3 * wide))]
    return b"".join(rows)


@unhurried
@given(any_ids)
def test_ids_survive_the_conversion_to_rgb_and_back(ids):
    rgb = rgb_of(ids)
    assert rgb.dtype == np.uint8
    assert not rgb[..., 2].any()
    back = ids_of(rgb)
    assert back.dtype == np.uint16
    assert np.array_equal(back, ids)


def test_an_id_is_red_plus_256_green():
    assert rgb_of(np.array([[919, 1000, 3]], np.uint16)).tolist() == [[[151, 3, 0], [232, 3, 0], [3, 0, 0]]]


def test_green_is_widened_before_it_is_shifted():
    # uint8 × 256 is 0: 919 = 151 + 3 × 256 would come out as 151.
    assert ids_of(np.array([[[151, 3, 0]]], np.uint8)).tolist() == [[919]]


@pytest.mark.parametrize("classes", SUBSETS)
def test_a_correct_mask_has_no_problems(classes):
    ids = np.array([[0, 1, 2], [classes - 1, classes, 1000]], np.uint16)
    decoded = decode(rgb_png(ids), classes)
    assert decoded.problems == ()
    assert decoded.ids.dtype == np.uint16
    assert decoded.ids.tolist() == ids.tolist()


def test_blue_pixels_are_reported_and_ignored():
    rgb = rgb_of(np.array([[7, 1000]], np.uint16))
    rgb[0, 1, 2] = 1
    decoded = decode(png_of(Image.fromarray(rgb)), 50)
    assert decoded.problems == ("has blue pixels",)
    assert decoded.ids.tolist() == [[7, 1000]]


@pytest.mark.parametrize("unknown", [51, 255, 999, 1001, 65_535])
def test_unknown_ids_are_reported(unknown):
    decoded = decode(rgb_png(np.array([[50, unknown, 1000]], np.uint16)), 50)
    assert decoded.problems == (f"has ids other than 0..50 and 1000: {unknown}",)
    assert decoded.ids.tolist() == [[50, unknown, 1000]]


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "LA", "1"])
def test_another_mode_than_rgb_is_reported(mode):
    picture = Image.new("RGB", (3, 2), (7, 0, 0)).convert(mode)
    first = decode(png_of(picture), 50).problems[0]
    assert first == f"is not 8-bit RGB but has mode {mode}"


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_the_ids_of_another_mode_are_those_of_its_rgb(mode):
    picture = Image.new("RGB", (2, 1), (7, 0, 0)).convert(mode, palette=Image.Palette.ADAPTIVE)
    decoded = decode(png_of(picture), 50)
    assert len(decoded.problems) == 1
    assert decoded.ids.tolist() == [[7, 7]]


def test_16_bit_rgb_is_reported():
    # Pillow opens it as RGB and keeps the high bytes only: all ids would silently become 0.
    png = raw_png((2, 1), b"\0" + struct.pack(">6H", 7, 0, 0, 9, 0, 0), depth=16)
    assert any("8-bit RGB" in problem for problem in decode(png, 50).problems)


def test_all_problems_are_reported_at_once():
    picture = Image.new("RGBA", (2, 2), (60, 0, 9, 255))
    assert decode(png_of(picture), 50).problems == (
        "is not 8-bit RGB but has mode RGBA",
        "has blue pixels",
        "has ids other than 0..50 and 1000: 60",
    )


def test_a_truncated_png_is_not_readable():
    png = rgb_png(np.random.default_rng(0).integers(0, 51, (40, 40)).astype(np.uint16))
    for end in (4, 20, 33, len(png) // 2, len(png) - 30):
        decoded = decode(png[:end], 50)
        assert decoded.ids is None, end
        assert [problem[:21] for problem in decoded.problems] == ["is not a readable PNG"]


def test_other_files_are_not_readable():
    jpeg = io.BytesIO()
    Image.new("RGB", (4, 4)).save(jpeg, "JPEG")
    for data in (b"<!DOCTYPE html>", jpeg.getvalue()):
        decoded = decode(data, 50)
        assert decoded.ids is None
        assert decoded.problems[0].startswith("is not a readable PNG")
    assert decode(b"", 50).problems == ("is empty",)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [60_000, 9_000])
def test_a_png_that_claims_to_be_huge_is_refused_without_allocating_it(side, monkeypatch):
    # 60,000 is above Pillow's own limit, 9,000 below it and above ours.
    monkeypatch.setattr(Image.Image, "load", lambda image: pytest.fail("its pixels were decoded"))
    decoded = decode(raw_png((side, side), b"\0"), 50)
    assert decoded.ids is None
    assert len(decoded.problems) == 1
    assert "pixels" in decoded.problems[0]


@unhurried
@given(st.data(), st.integers(1, 20), st.integers(1, 20), st.booleans(), st.integers(1, 3))
def test_pixels_are_those_of_pillow_with_any_filters_and_order_of_rows(
    data, width, height, interlaced, pieces
):
    rows = data.draw(filtered_rows(width, height, interlaced))
    png = raw_png((width, height), rows, interlaced=interlaced, pieces=pieces)
    rgb, mode = pixels_of(png)
    assert mode == "RGB"
    assert np.array_equal(rgb, by_pillow(png))


@unhurried
@given(
    arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40).map(lambda s: (*s, 3))),
    st.integers(0, 9),
)
def test_pixels_are_those_that_pillow_wrote_at_any_compression_level(rgb, level):
    found, mode = pixels_of(png_of(Image.fromarray(rgb), compress_level=level))
    assert mode == "RGB"
    assert np.array_equal(found, rgb)


def test_chunks_about_colour_change_no_pixel():
    rgb = np.random.default_rng(0).integers(0, 256, (9, 11, 3)).astype(np.uint8)
    rows = b"".join(b"\0" + row.tobytes() for row in rgb)
    about = {
        b"gAMA": struct.pack(">I", 100_000),
        b"cHRM": struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000),
        b"sRGB": b"\0",
        b"sBIT": b"\5\6\5",
        b"bKGD": bytes(6),
        b"tRNS": struct.pack(">3H", *rgb[0, 0].tolist()),
        b"tIME": bytes([7, 230, 1, 1, 0, 0, 0]),
        b"tEXt": b"Comment\0mask",
        b"prVt": b"whatever",
    }
    for some in (*([name] for name in about), list(about)):
        png = raw_png((11, 9), rows, before=b"".join(chunk(name, about[name]) for name in some))
        assert np.array_equal(pixels_of(png)[0], rgb), some
        assert decode(png, 50).problems[0] == "has blue pixels"


def test_the_first_picture_of_an_animation_counts():
    first, second = (Image.new("RGB", (7, 5), (k, 0, 0)) for k in (1, 2))
    for options in ({}, {"default_image": True}):
        decoded = decode(png_of(first, save_all=True, append_images=[second], **options), 50)
        assert decoded.present == (1,)


def test_bytes_after_the_end_do_not_matter():
    ids = np.array([[7, 1000]], np.uint16)
    assert decode(rgb_png(ids) + b"and more", 50).ids.tolist() == ids.tolist()


def test_a_mask_with_one_wrong_byte_is_refused_where_pillow_reads_other_pixels():
    ids = np.kron(np.arange(12).reshape(3, 4), np.ones((9, 7))).astype(np.uint16)
    png, fooled = rgb_png(ids), 0
    for at in range(len(png)):
        damaged = png[:at] + bytes([png[at] ^ 90]) + png[at + 1 :]
        theirs = by_pillow(damaged)
        fooled += theirs is not None and not np.array_equal(theirs, rgb_of(ids))
        with suppress(BadMask):
            assert np.array_equal(pixels_of(damaged)[0], rgb_of(ids))
    assert fooled  # or this test shows nothing


def test_a_mask_without_its_last_rows_or_its_end_is_refused():
    rows = bytes(10 * (1 + 3 * 7))
    assert pixels_of(raw_png((7, 10), rows))[0].shape == (10, 7, 3)
    for short in (raw_png((7, 10), rows[: 4 * 22]), raw_png((7, 10), rows)[:-12]):
        assert by_pillow(short) is not None
        assert decode(short, 50).problems[0].startswith("is not a readable PNG (")


@unhurried
@given(st.data())
def test_damaged_masks_are_read_correctly_or_refused(data):
    whole = np.kron(np.arange(12).reshape(3, 4), np.ones((9, 7))).astype(np.uint16)
    png = bytearray(rgb_png(whole))
    change = st.tuples(st.integers(0, len(png) - 1), st.integers(0, 255))
    for at, value in data.draw(st.lists(change, max_size=4)):
        png[at] = value
    consistent = data.draw(st.booleans())
    if consistent:  # but for the checksum inside the packed pixels, which only Pillow looks at
        at = 8
        while at + 12 <= len(png) and at + 12 + (size := int.from_bytes(png[at : at + 4])) <= len(png):
            png[at + 8 + size : at + 12 + size] = struct.pack(">I", zlib.crc32(png[at + 4 : at + 8 + size]))
            at += 12 + size
    png = bytes(png[: data.draw(st.integers(0, len(png)))] if data.draw(st.booleans()) else png)
    with suppress(BadMask):
        found = pixels_of(png)[0]
        if consistent:
            theirs = by_pillow(png)
            assert theirs is None or np.array_equal(found, theirs)
        else:
            assert np.array_equal(found, rgb_of(whole))


@unhurried
@given(any_ids)
def test_the_ids_that_occur_are_those_of_the_pixels(ids):
    assert ids_in(ids).tolist() == sorted(set(ids.ravel().tolist()))
    decoded = decode(rgb_png(ids), 919)
    assert decoded.present == tuple(ids_in(ids).tolist())
    assert dict(zip(decoded.present, decoded.pixels, strict=True)) == Counter(ids.ravel().tolist())
