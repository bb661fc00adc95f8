"""The shape of `dataset.json`: its parts, and what their fields say."""

from typing import Literal, NotRequired, TypedDict


class SplitFacts(TypedDict):
    """The numbers of one split."""

    expected: int
    found: int
    masks: int | None  # None where masks are not public
    bytes: int  # of images and masks
    unreadable_headers: int  # images of unknown width and height


class Suspect(TypedDict):
    """An image that is probably incomplete, and why."""

    image: str
    reason: str


class SuspectImages(TypedDict):
    """The number of suspect images, and the first of them by name."""

    count: int
    images: list[Suspect]


class Content(TypedDict):
    """What the folder contains. `digest` is equal for all builds from the same images and masks."""

    dataset: str
    subset: int
    classes: int
    digest: str
    splits: dict[str, SplitFacts]
    suspect_images: NotRequired[SuspectImages]  # earlier versions did not look for them
    odd_masks: int
    annotations: dict[str, str | None]  # archive, md5
    manifests: dict[str, str]  # name → sha256


AlterationKind = Literal["converted", "resized", "re-encoded"]


class Alteration(TypedDict):
    """A sign that the images are not the original ones; see `alterations`."""

    kind: AlterationKind
    images: int  # that show it
    of: int  # images that could show it


class Source(TypedDict):
    """The raw ImageNet of a build."""

    layout: str
    path: str
    synthetic: bool
    alterations: NotRequired[list[Alteration]]  # earlier versions did not look for them; empty for the demo


class Build(TypedDict):
    """How a folder was built."""

    source: Source
    annotations: str
    link: str
    pipeline: str
    png_encoder: str
    date: str
    files: NotRequired[dict[str, str]]  # `COMPANIONS`: path → sha256; earlier versions made none


class Dataset(TypedDict):
    """A `dataset.json`; `sha256` is the `own_digest` of the two other parts."""

    content: Content
    build: Build
    sha256: str
