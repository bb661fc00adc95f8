"""The regions of a mask, and masks that have none or cannot be exported."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from helpers.masks import png_of
from imagenet_s.copies.copy import Copy
from imagenet_s.export.class_regions import regions_of
from imagenet_s.export.source import Sample
from imagenet_s.masks.codec import rgb_of
from imagenet_s.masks.run_lengths import Region
from imagenet_s.runtime.errors import UserError
from imagenet_s.spec.classes import IGNORE

OWN, FOREIGN = (Copy(Path("/x"), 50, own_manifests=own) for own in (True, False))
MASK = "validation-segmentation/n01443537/a.png"
ADVICE = "`imagenet-s verify /x` lists all damage and says how to repair it. Then run the same command again."


def sample(png: bytes | None, **row: Any) -> Sample:
    """Return a sample of which only names are known, and in addition `row`."""
    known = {"image": "validation/n01443537/a.JPEG", "mask": MASK if png else None}
    return Sample(dict.fromkeys(("width", "height", "mask_sha256")) | known | row, b"", png)


def test_other_ignore_and_ids_that_are_no_class_have_no_region():
    ids = np.array([[51, 51, 1], [999, IGNORE, 0]], np.uint16)
    found = regions_of(FOREIGN, sample(png_of(Image.fromarray(rgb_of(ids)))))
    assert found[1:] == ((2, 3), (Region(1, 1, (2, 0, 1, 1), "411"),), 1, 3)


def test_an_image_whose_mask_the_manifest_does_not_state_has_no_regions():
    assert regions_of(OWN, sample(None, width=5, height=4))[1:] == ((4, 5), (), 0, 0)
    assert regions_of(OWN, sample(None))[1:] == ((0, 0), (), 0, 0)


def test_a_mask_that_is_damaged_in_the_official_archive_has_no_regions():
    official = sample(b"damaged", width=5, height=4, mask_sha256=hashlib.sha256(b"damaged").digest())
    assert regions_of(OWN, official)[1:] == ((4, 5), (), 0, 0)


def test_a_damaged_mask_of_a_copy_without_manifests_is_named():
    with pytest.raises(UserError) as caught:
        regions_of(FOREIGN, sample(b"damaged"))
    assert str(caught.value) == f"/x/{MASK} is not a readable PNG (unknown file format).\n{ADVICE}"


def test_a_damaged_mask_with_another_digest_than_the_manifest_states_is_named():
    with pytest.raises(UserError) as caught:
        regions_of(OWN, sample(b"damaged", mask_sha256=bytes(32)))
    assert str(caught.value) == f"/x/{MASK} is not a readable PNG (unknown file format).\n{ADVICE}"
