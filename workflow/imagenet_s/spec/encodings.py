"""The encodings in which masks are written besides their own: the labels.

They are apart from `subsets`, which nearly every stage imports: a new encoding reads no source again.
"""

from typing import Literal, get_args

from imagenet_s.spec.subsets import MASKED, label_folder

Encoding = Literal["id16", "id8", "color", "binary"]

ENCODINGS: tuple[str, ...] = get_args(Encoding)


def label_manifests() -> list[str]:
    """Return the names of the files in `manifests/` that a build may write for encoded masks."""
    return [f"{label_folder(split, encoding)}.sha256" for split in MASKED for encoding in ENCODINGS]
