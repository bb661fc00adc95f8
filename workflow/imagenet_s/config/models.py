"""The user's settings as pydantic models: every key, its default, its description and its checks.

They are the only list of keys: `schema` derives the JSON schema from them, `reference` the documentation,
and `explain` the messages about what is wrong.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationInfo,
    field_validator,
)

from imagenet_s.config.benchmark_models import BenchmarkSettings
from imagenet_s.config.checks import (
    DistinctList,
    Number,
    PathText,
    check_imagenet,
    check_origin,
    output_problems,
    refuse,
)
from imagenet_s.config.table import Table
from imagenet_s.io.links import LinkMode
from imagenet_s.spec.encodings import Encoding
from imagenet_s.spec.exports import ExportFormat
from imagenet_s.spec.gallery import PER_CLASS, SHOWN, GallerySplit
from imagenet_s.spec.subsets import subset_of


def _md5_of(subset: int) -> Any:
    return Field(
        default=subset_of(subset).archive_md5,
        alias=str(subset),
        description=f"The md5 of the zip for {subset_of(subset).name}.",
    )


Md5 = Annotated[str, StringConstraints(strict=True, pattern="^[0-9a-fA-F]{32}$")]


class Md5Settings(Table):
    """The table `annotations.md5`."""

    of_50: Md5 = _md5_of(50)
    of_300: Md5 = _md5_of(300)
    of_919: Md5 = _md5_of(919)


class AnnotationsSettings(Table):
    """The table `annotations`."""

    origin: Annotated[PathText, AfterValidator(check_origin)] = Field(
        default="official",
        alias="from",
        description="`official` (download the release), or a folder or URL prefix that holds zips of the "
        "official names, or a folder in which they are unpacked.",
    )
    md5: Md5Settings = Field(
        default_factory=Md5Settings,
        description="The expected md5 of each subset's zip, for zips with other content under the "
        "official file names.",
    )


class ImagenetSettings(Table):
    """The table `imagenet`, for train and val images that lie in two places."""

    train: PathText = Field(
        description="Where the train images are: a folder in any of the supported layouts, a folder of class "
        "folders, or an archive of any name; for an archive in pieces, its name without their endings."
    )
    val: PathText = Field(description="Where the val images are, in the same way.")


def imagenet_paths(given: str | ImagenetSettings) -> list[str]:
    """Return the path of ImageNet, or the paths of train and of val."""
    return [given.train, given.val] if isinstance(given, ImagenetSettings) else [given]


def _is_table(value: object) -> str:
    return "table" if isinstance(value, Mapping | ImagenetSettings) else "text"


class Settings(Table):
    """Everything that a user can set. Unknown keys are refused."""

    imagenet: Annotated[
        Annotated[PathText, AfterValidator(check_imagenet), Tag("text")]
        | Annotated[ImagenetSettings, Tag("table")],
        Discriminator(_is_table),
    ] = Field(
        default="demo",
        description="The folder of raw ImageNet-1k, in any of the supported layouts, or Kaggle's zip itself. "
        "`~`, `$HOME` and relative paths work. `demo` is a small synthetic one that a build makes. If train "
        "and val lie in two places, or under names that are not recognised: `{train: PATH, val: PATH}`.",
    )
    output: PathText = Field(
        default="results",
        validate_default=True,
        description="The folder in which `ImageNetS50/`, `ImageNetS300/`, `ImageNetS919/` appear.",
    )
    subsets: DistinctList[Number] = Field(
        default=[50],
        validate_default=True,
        min_length=1,
        examples=[[50, 300]],
        json_schema_extra={"uniqueItems": True},
        description="Which subsets to build, by their number of classes.",
    )
    link: LinkMode = Field(
        default="auto",
        description="How images get into the trees. `symlink` (absolute) takes no space; `symlink-files` "
        "links each image, never a class folder; `hardlink` and `reflink` need the same file system; `copy` "
        "makes the output independent of the source; `auto` is `symlink` from folders, and `copy` for "
        "images in archives, which allow no other mode.",
    )
    train_images: Literal["complete", "any"] = Field(
        default="complete",
        description="`complete`: the number of train images must be the official one. `any`: take what is "
        "there. The demo implies `any`.",
    )
    annotations: AnnotationsSettings = Field(
        default_factory=AnnotationsSettings, description="Where the masks come from."
    )
    labels: DistinctList[Encoding] = Field(
        default=("id16",),
        examples=[["id16"]],
        json_schema_extra={"uniqueItems": True},
        description="Further encodings in which the masks are written: `id16` (one 16-bit channel), `id8` "
        "(one 8-bit channel, for 50 only), `color` (a palette to look at), `binary` (the "
        "folder's class).",
    )
    exports: DistinctList[ExportFormat] = Field(
        default=(),
        examples=[["webdataset"]],
        json_schema_extra={"uniqueItems": True},
        description="The formats into which the target `export` writes the data sets, in `exports/` below "
        "`output`. A build writes none of them.",
    )
    gallery: Annotated[int, Field(strict=True, ge=0)] = Field(
        default=PER_CLASS,
        description="The most images of a class that the target `gallery` shows, over all splits that it "
        "shows; 0 for all.",
    )
    gallery_splits: DistinctList[GallerySplit] = Field(
        default=SHOWN,
        min_length=1,
        examples=[["validation", "train-semi", "test"]],
        json_schema_extra={"uniqueItems": True},
        description="The splits that the target `gallery` shows; train and test have no masks.",
    )
    benchmark: BenchmarkSettings = Field(
        default_factory=BenchmarkSettings,
        description="Scoring predictions and making a submission of them: the targets `match`, `evaluate`, "
        "`submission`.",
    )

    # A check of two keys belongs to the later one. The earlier one is missing if it was refused itself.

    @field_validator("subsets")
    @classmethod
    def _pass_on(cls, subsets: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        if info.context is not None:  # the tables inside see no other keys than their own
            info.context["subsets"] = subsets
        return subsets

    @field_validator("output")
    @classmethod
    def _check_output(cls, output: str, info: ValidationInfo) -> str:
        imagenet = info.data.get("imagenet", "demo")
        refuse(*output_problems(output, [] if imagenet == "demo" else imagenet_paths(imagenet)))
        return output

    @field_validator("labels")
    @classmethod
    def _check_labels(cls, labels: tuple[Encoding, ...], info: ValidationInfo) -> tuple[Encoding, ...]:
        if "id8" in labels and set(info.data.get("subsets", [50])) != {50}:
            refuse("`id8` holds the ids of 50 classes only; remove it, or set `subsets: [50]`")
        return labels
