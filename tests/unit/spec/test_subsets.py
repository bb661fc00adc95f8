"""Subsets: the published archives."""

import pytest

from imagenet_s.spec.subsets import subset_of

RELEASE = "https://github.com/LUSSeg/ImageNet-S/releases/download/ImageNet-S/"


@pytest.mark.parametrize(
    ("subset", "md5"),
    [
        (50, "a0fe9d82231f9bc4787ee76e304dfa51"),
        (300, "dd8e42e156bac415a35c3c239de297bf"),
        (919, "5f7f58ae1003d21da9409a8576bf7680"),
    ],
)
def test_archives_have_the_official_address_and_md5(subset, md5):
    facts = subset_of(subset)
    assert facts.archive_md5 == md5
    assert facts.archive_name == f"ImageNetS{subset}-{md5}.zip"
    assert facts.archive_url == f"{RELEASE}ImageNetS{subset}-{md5}.zip"
