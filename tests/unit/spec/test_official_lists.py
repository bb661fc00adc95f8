"""The project's tables contain exactly what the official lists contain."""

import hashlib

import pytest

from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.official_lists import official_lists
from imagenet_s.spec.subsets import SUBSETS
from imagenet_s.spec.tables import FOLDER

# Computed from the official lists (commit b2312ba), not from our tables.
DIGESTS = {
    "categories/ImageNetS_categories_im50.txt": (
        "cba1701f5d94bf0dfbb40f2d529daab362dff552b9bfcea4bcdddbb5fcf762ad"
    ),
    "categories/ImageNetS_categories_im919.txt": (
        "b2ee89cf2d5def583dcea806b8cc99def3d9bb7355ae981fc4c986c6d8dec1da"
    ),
    "class_names.csv": "f8a2e87efb3131a99d27202386d0663df56e1989a3979a00075203d49cee425f",
    "mapping/ImageNetS_im300_mapping_validation.txt": (
        "d887652204f140a57775740f000ea7660f7e34a458d7bcfcf9b3898501351482"
    ),
    "mapping/ImageNetS_im919_mapping_test.txt": (
        "b2e60b72dafe47c71ba3d912d912dce5d4b612aae60ee6dfbdd95d780133dd61"
    ),
    "names/ImageNetS_im50_validation.txt": (
        "683614c6dd07d508e26862b24b3bcffccb919e50ee1ad1d14eb0e809ba8ee979"
    ),
    "names/ImageNetSemi_im919_train.txt": (
        "d8a33edfeda5ea6a302fbf5bfc41735dc6b8f3d525a7dfc09bc5cb39d6ec44db"
    ),
}
# `sha256sum` of lists.sha256 itself, which contains the other nine digests.
DIGEST_OF_DIGESTS = "f2983f41c5d8b3eb924c70c6a9d2b970378f5867cad083e7e86ae7f95a0a4023"


@pytest.fixture(scope="module")
def regenerated() -> dict[str, str]:
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in official_lists().items()}


def test_regenerated_lists_have_the_digests_of_the_official_ones(regenerated):
    data = (FOLDER / "lists.sha256").read_bytes()
    assert hashlib.sha256(data).hexdigest() == DIGEST_OF_DIGESTS
    lines = (line.split("  ") for line in data.decode().splitlines())
    assert regenerated == {name: digest for digest, name in lines}
    assert len(regenerated) == 16


def test_regenerated_lists_have_the_digests_written_down_here(regenerated):
    assert {name: regenerated[name] for name in DIGESTS} == DIGESTS


@pytest.mark.parametrize("subset", SUBSETS)
def test_class_id_i_is_line_i_of_the_sorted_categories(subset):
    wnids = list(class_ids(subset))
    assert list(class_ids(subset).values()) == list(range(1, subset + 1))
    assert wnids == sorted(wnids)
    assert official_lists()[f"categories/ImageNetS_categories_im{subset}.txt"].split("\n") == wnids
