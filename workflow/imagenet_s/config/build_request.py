"""What a build is asked for: the settings that decide whether it can begin."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class BuildRequest:
    """A build of `subsets` from the raw ImageNet at `imagenet` into `output`.

    `val` is the path of val if `imagenet` is that of train alone. `complete` asks for the official number of
    train images, `link` says how images get into the trees, and `labels` are the further encodings of masks.
    """

    imagenet: Path
    output: Path
    subsets: Sequence[int]
    complete: bool
    link: str
    labels: Sequence[str]
    val: Path | None = None
