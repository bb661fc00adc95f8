"""The signs that images are not the original ones, in words: for the summary of a build and the data card."""

from collections.abc import Iterable

from imagenet_s.dataset.dataset_json import Alteration, AlterationKind

TEXTS: dict[AlterationKind, str] = {
    "converted": "{images:,} of {of:,} images that are CMYK or PNG in ImageNet are RGB JPEGs, as in copies "
    "made from TFDS",
    "resized": "{images:,} of {of:,} images have another size than their masks",
    "re-encoded": "{images:,} of {of:,} JPEGs have the same quantization table, as if one program wrote them",
}


def describe_alterations(alterations: Iterable[Alteration]) -> list[str]:
    """Return a text for each sign that the images are not the original ones."""
    return [TEXTS[one["kind"]].format(**one) for one in alterations]
