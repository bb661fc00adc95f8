"""What is said of a data set's origin, sentence by sentence, and of one whose dataset.json says less."""

import pytest

from imagenet_s.dataset import provenance
from imagenet_s.dataset.known_digests import KnownDigest, known_digests
from imagenet_s.dataset.provenance import describe_origin

OURS, OTHER = "ab" * 32, "cd" * 32


def dataset(digest=OURS, subset=50, synthetic=False, found=64431, **source) -> dict:
    content = {"dataset": f"ImageNetS{subset}", "subset": subset, "digest": digest}
    content["splits"] = {"train": {"expected": 64431, "found": found}}
    return {"content": content, "build": {"source": {"synthetic": synthetic, **source}}}


@pytest.fixture
def registry(monkeypatch):
    """Return a function that replaces the registry."""
    return lambda *rows: monkeypatch.setattr(provenance, "known_digests", lambda: rows)


def test_a_digest_of_the_demo_is_known():
    (row,) = (row for row in known_digests() if row.subset == 50)
    assert describe_origin(dataset(row.digest, synthetic=True, found=650)) == [
        f"digest known: built by {row.built_by} from the demo ({row.date})"
    ]


def test_all_who_built_a_digest_are_named(registry):
    rows = [KnownDigest(OURS, 50, "the official archives", who, "2026-01-02") for who in ("A", "B")]
    registry(*rows, KnownDigest(OTHER, 50, "Kaggle's zip", "C", "2026-01-03"))
    assert describe_origin(dataset()) == [
        "digest known: built by A from the official archives (2026-01-02), "
        "built by B from the official archives (2026-01-02)"
    ]


def test_an_unknown_digest_is_compared_with_those_of_its_subset(registry):
    known = [KnownDigest(OTHER, 50, "Kaggle's zip", "C", "x"), KnownDigest("ef" * 32, 300, "x", "D", "x")]
    registry(*known)
    assert describe_origin(dataset()) == [
        "digest not in the registry; if yours is an original ImageNet, compare with cdcdcdcdcdcd…, "
        "built by C from Kaggle's zip"
    ]


def test_an_unknown_digest_of_a_subset_without_entries_can_be_added(registry):
    registry(KnownDigest(OTHER, 50, "the demo", "C", "x"))
    assert describe_origin(dataset()) == [
        "digest not in the registry, which has no ImageNetS50 of the original ImageNet yet; "
        "docs/digests.md says how to add yours"
    ]


@pytest.mark.parametrize("options", [{"synthetic": True}, {"found": 64430}])
def test_nothing_is_said_of_the_digest_of_made_up_or_incomplete_data(options):
    assert describe_origin(dataset(**options)) == []


def test_altered_images_are_said_to_be_other_ones():
    kinds = [("converted", 1, 1), ("resized", 1200, 1252), ("re-encoded", 65_000, 66_000)]
    signs = [{"kind": kind, "images": images, "of": of} for kind, images, of in kinds]
    assert describe_origin(dataset(alterations=signs[:1])) == [
        "NOT the original ImageNet: 1 of 1 images that are CMYK or PNG in ImageNet are RGB JPEGs, as in "
        "copies made from TFDS",
        "its digest cannot be compared with one of the original ImageNet",
    ]
    assert describe_origin(dataset(alterations=signs[1:]))[0] == (
        "NOT the original ImageNet: 1,200 of 1,252 images have another size than their masks; "
        "65,000 of 66,000 JPEGs have the same quantization table, as if one program wrote them"
    )


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"content": [], "build": {}},
        {"content": {}, "build": {"source": None}},
        {"content": {}, "build": {"source": {"alterations": 7}}},
        {"content": {}, "build": {"source": {"alterations": [{"kind": "of tomorrow"}]}}},
        {"content": {}, "build": {"source": {"alterations": [{"kind": "resized", "images": "x"}]}}},
    ],
)
def test_a_dataset_json_of_no_known_shape_says_nothing(odd):
    assert describe_origin(odd) == []
