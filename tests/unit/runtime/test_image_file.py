"""Image files: size without a limit, pixels within limits, and signs that a file is incomplete."""

import io
import random
import struct
import subprocess
import sys
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from fuzz import mutations
from imagenet_s.masks import codec as mask
from imagenet_s.runtime import image_file
from imagenet_s.runtime.image_file import (
    BadImage,
    TooLarge,
    decode,
    examine,
    pixel_size,
    pixel_size_of_file,
)
from imagenet_s.runtime.incomplete_image import is_cut

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8))


def packed(kind: str, image: Image.Image = PICTURE, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


JPEG, PNG = packed("JPEG"), packed("PNG")
SPIDER = struct.pack(">27f", 1, 10, 0, 0, 1, *[0] * 6, 10, 1, *[0] * 8, 40, 40, 0, 0, 0, 1)


def with_thumbnail(jpeg: bytes, padding: int = 0) -> bytes:
    """Return a JPEG with a thumbnail, a complete JPEG, in a segment before its own first scan."""
    body = b"Exif\0\0" + packed("JPEG", PICTURE.resize((16, 12))) + bytes(padding)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(body)) + body + jpeg[2:]


def png_bomb(side: int) -> bytes:
    """Return a valid PNG of one colour: side × side pixels in few bytes."""
    packer = zlib.compressobj(9)
    rows = (packer.compress(bytes(1 + (side + 7) // 8)) for _ in range(side))
    pixels = b"".join(rows) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return mutations.png_of([(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")])


# Bugs are not reported as damage


@pytest.mark.parametrize("fault", [AttributeError, ImportError, NameError])
def test_a_bug_is_not_reported_as_a_damaged_file(fault, monkeypatch):
    def broken(*_, **__):
        raise fault("module 'x' has no attribute 'y'")

    monkeypatch.setattr(Image, "open", broken)
    for call in (pixel_size, examine, decode):
        with pytest.raises(fault):
            call(JPEG)


@pytest.mark.parametrize("fault", [AttributeError, ImportError])
def test_a_bug_is_not_reported_as_a_damaged_mask(fault, monkeypatch):
    def broken(*_, **__):
        raise fault("module 'x' has no attribute 'y'")

    monkeypatch.setattr(mask, "decode_png", broken)
    with pytest.raises(fault):
        mask.decode(PNG, 50)


def test_the_bug_of_pillows_reader_for_spider_does_not_stop_the_program():
    with pytest.raises(AttributeError, match="stkoffset"):  # if Pillow has fixed it, the workaround can go
        Image.open(io.BytesIO(SPIDER))
    assert pixel_size(SPIDER) == (None, None)


# The limit of the process


def test_pillows_own_limit_is_left_unchanged(monkeypatch):
    code = "import PIL.Image as image, pkgutil, importlib, imagenet_s; before = image.MAX_IMAGE_PIXELS\n"
    code += "for one in pkgutil.walk_packages(imagenet_s.__path__, 'imagenet_s.'):\n"
    code += "    if one.name != 'imagenet_s.torch': importlib.import_module(one.name)\n"
    code += "assert image.MAX_IMAGE_PIXELS == before > 0"
    subprocess.run([sys.executable, "-c", code], check=True)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 7)
    for data in (JPEG, PNG, b"none", SPIDER):
        pixel_size(data)
        assert Image.MAX_IMAGE_PIXELS == 7


# The size


def plain_size(data: bytes) -> tuple[int | None, int | None]:
    """Return the size that Pillow reports without a limit."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.size
    except Exception:
        return None, None


@pytest.mark.filterwarnings("ignore")
def test_sizes_are_those_of_pillow_in_all_formats_whole_and_damaged(monkeypatch, tmp_path):
    dice = random.Random(5)
    cases = [*mutations.images(), *(mutations.image_case(dice)["image"] for _ in range(3000))]
    found = [pixel_size(data) for data in cases]
    assert len({size for size in found if size[0]}) > 10
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert found == [plain_size(data) for data in cases]
    for data, size in list(zip(cases, found, strict=True))[:60]:
        (tmp_path / "image").write_bytes(data)
        assert pixel_size_of_file(tmp_path / "image") == size


def test_a_huge_image_has_a_size_but_is_never_decoded(monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda image: pytest.fail("its pixels were decoded"))
    for side in (7_000, 24_000):
        data = (
            png_bomb(side)
            if side == 7_000
            else mutations.png_of(
                [
                    (b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)),
                    (b"IDAT", b""),
                    (b"IEND", b""),
                ]
            )
        )
        assert pixel_size(data) == (side, side)
        text = f"claims to have {side} × {side} pixels; the limit is 40,000,000 pixels"
        with pytest.raises(TooLarge) as error:
            decode(data, "RGB")
        assert str(error.value) == text


def test_a_file_of_too_many_bytes_is_not_decoded(monkeypatch):
    monkeypatch.setattr(image_file, "MAX_BYTES", len(PNG) - 1)
    with pytest.raises(TooLarge) as error:
        decode(PNG)
    assert str(error.value) == f"has {len(PNG):,} bytes; the limit is {len(PNG) - 1:,}"
    assert decode(JPEG).image.size == PICTURE.size


# Pixels


def test_pixels_are_those_of_pillow():
    for data in (JPEG, PNG, packed("GIF"), packed("BMP"), packed("TIFF"), packed("WEBP")):
        mode, image = decode(data, "RGB")
        with Image.open(io.BytesIO(data)) as plain:
            assert mode == plain.mode
            assert np.array_equal(np.asarray(image), np.asarray(plain.convert("RGB")))
    small = decode(packed("JPEG", PICTURE.resize((800, 600))), "RGB", draft=75).image
    assert small.size == (100, 75)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "unknown file format"),
        (b"<html>", "unknown file format"),
        (JPEG[: len(JPEG) // 2], "image file is truncated"),
        (PNG[: len(PNG) // 2], "image file is truncated"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "unknown file format"),
    ],
)
def test_an_image_that_cannot_be_decoded_raises_with_the_reason(data, reason):
    with pytest.raises(BadImage) as error:
        decode(data, "RGB")
    assert str(error.value).startswith(reason)


# Incomplete images

HALF = len(JPEG) // 2

WHOLE = {
    "JPEG": JPEG,
    "progressive JPEG": packed("JPEG", progressive=True),
    "CMYK JPEG": packed("JPEG", PICTURE.convert("CMYK")),
    "JPEG with a thumbnail": with_thumbnail(JPEG),
    "JPEG with bytes behind its end": JPEG + random.Random(0).randbytes(5000),
    "JPEG with zeros behind its end": JPEG + bytes(5000),
    "JPEG with bytes between its segments": JPEG[:20] + b"junk" + JPEG[20:],
    "JPEG with padding before a marker": JPEG[:2] + b"\xff\xff" + JPEG[2:],
    "PNG": PNG,
    "PNG with bytes behind its end": PNG + random.Random(0).randbytes(5000),
    "GIF": packed("GIF"),
    "BMP": packed("BMP"),
    "TIFF": packed("TIFF"),
    "WEBP": packed("WEBP"),
}

PROGRESSIVE = packed("JPEG", PICTURE.resize((400, 300)), progressive=True)
NOT_WHOLE = {
    "half a JPEG": (JPEG[:HALF], "has no end marker"),
    "a JPEG without its last byte": (JPEG[:-1], "has no end marker"),
    "half a progressive JPEG": (PROGRESSIVE[: len(PROGRESSIVE) // 2], "has no end marker"),
    "half a JPEG with a thumbnail": (
        with_thumbnail(JPEG)[: len(with_thumbnail(JPEG)) // 2],
        "has no end marker",
    ),
    "half a small JPEG with a thumbnail": (with_thumbnail(JPEG)[:-700], "has no end marker"),
    "a JPEG that ends in its thumbnail": (with_thumbnail(JPEG, 400)[:700], "has no pixel data"),
    "a JPEG cut in its header": (JPEG[:200], "has no pixel data"),
    "a JPEG of no scan": (b"\xff\xd8\xff\xe0\0\x04ab\xff\xd9", "has no pixel data"),
    "a JPEG whose second half is zeros": (JPEG[:HALF] + bytes(len(JPEG) - HALF), "ends in zeros"),
    "a JPEG whose last part is zeros": (JPEG[:-100] + bytes(100), "ends in zeros"),
    "a JPEG of a header and zeros": (JPEG[:200] + bytes(5000), "ends in zeros"),
    "half a PNG": (PNG[: len(PNG) // 2], "has no end marker"),
    "a PNG without its last byte": (PNG[:-1], "has no end marker"),
    "a PNG whose second half is zeros": (PNG[: len(PNG) // 2] + bytes(len(PNG) // 2), "ends in zeros"),
    "the ends of a PNG": (PNG[:33] + PNG[-12:], "has no pixel data"),
    "a PNG cut in its header": (PNG[:20], "has no pixel data"),
    "a GIF whose second half is zeros": (packed("GIF")[:3000] + bytes(3000), "ends in zeros"),
    "zeros": (bytes(3000), "begins with zeros"),
    "nothing": (b"", "is empty"),
    "an HTML page": (b"<!DOCTYPE html><title>404</title>", "is an HTML page"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a git-lfs pointer"),
    "a zip": (b"PK\3\4" + bytes(100), "is a zip"),
    "text": (b"Too many requests", "does not begin like an image"),
    "a JPEG of no size": (
        JPEG.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x07"),
        "has an unreadable header",
    ),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_complete_image_is_not_suspect(name):
    for data in (WHOLE[name], memoryview(bytearray(WHOLE[name]))):
        assert examine(data)[:3] == (80, 60, None)
        assert not is_cut(data)


def test_how_an_image_is_encoded_is_found():
    coarse, fine = (examine(packed("JPEG", quality=quality)) for quality in (60, 90))
    assert coarse.quantization != fine.quantization
    assert (coarse.mode, fine.mode) == ("RGB", "RGB")
    assert examine(packed("JPEG", PICTURE.rotate(180), quality=60)).quantization == coarse.quantization
    cmyk = examine(packed("JPEG", PICTURE.convert("CMYK"), quality=60))
    assert (cmyk.mode, cmyk.quantization) == ("CMYK", coarse.quantization)
    assert examine(packed("JPEG", PICTURE.convert("L")))[3] == "L"
    assert examine(PNG)[3:] == ("RGB", None)
    assert examine(b"<!DOCTYPE html>")[3:] == (None, None)


def test_a_quantization_table_of_two_bytes_a_value_is_read():
    table = JPEG.index(b"\xff\xdb")
    wide = b"\xff\xdb" + struct.pack(">HB64H", 131, 0x10, *range(1, 65 * 16, 16)[:64])
    assert isinstance(examine(JPEG[:table] + wide + JPEG[table:]).quantization, int)


@pytest.mark.parametrize("name", NOT_WHOLE)
def test_an_incomplete_image_is_suspect_with_the_reason(name):
    data, reason = NOT_WHOLE[name]
    for given in (data, memoryview(bytearray(data))):
        assert examine(given).suspect == reason


@pytest.mark.parametrize(
    "name", [name for name in NOT_WHOLE if name.startswith(("half", "a JPEG without", "a PNG"))]
)
def test_cut_images_are_recognized(name):
    assert is_cut(NOT_WHOLE[name][0])


def test_the_end_marker_of_a_thumbnail_near_the_end_does_not_count():
    data = with_thumbnail(JPEG)
    start = data.index(b"\xff\xda", len(data) - len(JPEG))
    half = data[: start + 300]
    assert b"\xff\xd9" in half[-4096:]
    assert examine(half).suspect == "has no end marker"
    assert is_cut(half)


@pytest.mark.parametrize("data", [JPEG, PNG], ids=["JPEG", "PNG"])
def test_a_damaged_segment_length_is_not_taken_for_a_cut(data):
    # The length of the first segment or chunk points beyond the end.
    changed = bytearray(data)
    changed[4 if data is JPEG else 9] = 0xFF
    assert not is_cut(bytes(changed))
    assert examine(bytes(changed)).suspect == "has no pixel data"


def test_examining_never_raises_whatever_the_bytes_are():
    dice = random.Random(3)
    with warnings.catch_warnings(action="ignore"):
        for _ in range(2000):
            data = mutations.image_case(dice)["image"]
            width, height, suspect, mode, quantization = examine(data)
            assert (width is None) == (height is None) == (mode is None)
            assert quantization is None or mode
            assert suspect is None or suspect.isprintable()
            assert width is not None or suspect
            is_cut(data)
