"""The receipt that says where a subset's annotations are."""

from pathlib import Path
from typing import Literal, TypedDict, cast

from imagenet_s.io.atomic import read_json


class AnnotationsReceipt(TypedDict):
    """Where a subset's annotations are: an archive, or a folder in which it is unpacked."""

    kind: Literal["archive", "folder"]
    path: str  # absolute
    archive: str | None  # its file name; None for a folder
    md5: str | None  # of the archive, in hex; None for a folder
    official: bool  # whether the md5 is the published one


def read_receipt(path: Path) -> AnnotationsReceipt:
    """Return the receipt that `fetch` wrote."""
    return cast(AnnotationsReceipt, read_json(path))
