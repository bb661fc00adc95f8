"""Small masks as arrays and PNGs."""

import io

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

unhurried = settings(deadline=None)  # the first example pays for imports


def ids_up_to(*ids: st.SearchStrategy[int] | range):
    """Return a strategy of small masks with ids from `ids`."""
    elements = st.one_of(*(st.sampled_from(x) if isinstance(x, range) else x for x in ids))
    return arrays(np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=elements)


any_ids = ids_up_to(st.integers(0, 65_535))


ids_919 = ids_up_to(range(920), st.just(1000))


ids_50 = ids_up_to(range(51), st.just(1000))


def png_of(image: Image.Image, **options) -> bytes:
    """Return an image as a PNG that Pillow wrote."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def opened(png: bytes) -> Image.Image:
    """Return a PNG as Pillow opens it."""
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG"
    return image


def ihdr(png: bytes) -> tuple[int, int]:
    """Return the bit depth and colour type from the file's header, without Pillow."""
    return png[24], png[25]
