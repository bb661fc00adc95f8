"""The user's settings as pydantic models: every key, its default, its description and its checks.

They are the only list of keys: `schema` derives the JSON schema from them, `reference` the documentation,
and `explain` the messages about what is wrong.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from imagenet_s.config.checks import (
    DistinctList,
    Number,
    PathText,
    Refused,
    Text,
    check_imagenet,
    check_origin,
    output_problems,
    refuse,
)
from imagenet_s.io.links import LinkMode
from imagenet_s.spec.encodings import Encoding
from imagenet_s.spec.method_txt import field_problems
from imagenet_s.spec.protocols import PROTOCOLS, ProtocolName
from imagenet_s.spec.subsets import subset_of


class _Table(BaseModel):
    """A table of a configuration. Unknown keys are refused; an empty table has its defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _read(cls, values: object) -> object:
        """Return a table whose keys are text: YAML's 50 and "50" are the same. The later one counts."""
        if values is None:
            return {}
        return {str(key): value for key, value in values.items()} if isinstance(values, Mapping) else values


def _md5_of(subset: int) -> Any:
    return Field(
        default=subset_of(subset).archive_md5,
        alias=str(subset),
        description=f"The md5 of the zip for {subset_of(subset).name}.",
    )


Md5 = Annotated[str, StringConstraints(strict=True, pattern="^[0-9a-fA-F]{32}$")]


class Md5Settings(_Table):
    """The table `annotations.md5`."""

    of_50: Md5 = _md5_of(50)
    of_300: Md5 = _md5_of(300)
    of_919: Md5 = _md5_of(919)


class AnnotationsSettings(_Table):
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


class MethodSettings(_Table):
    """The table `benchmark.method`: the fields of `method.txt`."""

    name: Text = Field(default="", description="The name of the method.")
    training_data: Text = Field(default="", description="The data it was trained on.")
    training_scheme: Text = Field(default="", description="How it was trained, such as SSL or Sup.")
    networks: Text = Field(default="", description="The networks that were used.")
    link: Text = Field(default="", description="The paper or the project.")
    description: Text = Field(default="", description="The method in a sentence or two.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.model_fields_set:
            fields = self.model_dump()
            problems = [((key,), text) for key, value in fields.items() for text in field_problems(value)]
            if problems:
                raise Refused(problems)
        return self


class BenchmarkSettings(_Table):
    """The table `benchmark`."""

    predictions: PathText = Field(
        default="baseline",
        description="The folder of predictions, `<wnid>/<stem>.png`, RGB with id = R + 256·G, of the "
        "validation images (`match`, `evaluate`) or the test images (`submission`), or one that "
        "holds two such folders, `validation` and `test`. `baseline` makes predictions "
        "from colours and edges alone.",
    )
    subset: Number | None = Field(
        default=None,
        description="The subset that the predictions are of; the smallest of `subsets` if it is not given.",
    )
    protocol: ProtocolName = Field(
        default="distance-matching",
        description="The benchmark's protocol by whose rules the predictions were made.",
    )
    match: PathText = Field(
        default="auto",
        description="The `match.json` that says what generated ids mean. `auto`: with the protocol "
        "`unsupervised` the one that the target `match` makes, otherwise none.",
    )
    method: MethodSettings = Field(
        default_factory=MethodSettings,
        description="What the submission says of the method, one line for each key; needed for the target "
        "`submission` only. Give all six keys or none; the baseline has its own.",
    )

    @field_validator("subset", mode="before")
    @classmethod
    def _check_given(cls, subset: object) -> object:
        if subset is None:  # which is the default, but not a number that a user may write
            raise ValueError
        return subset

    @field_validator("subset")
    @classmethod
    def _check_subset(cls, subset: int, info: ValidationInfo) -> int:
        if subset not in (info.context or {}).get("subsets", [subset]):
            refuse(f"{subset} is not among `subsets`")
        return subset

    @field_validator("protocol")
    @classmethod
    def _check_protocol(cls, protocol: ProtocolName, info: ValidationInfo) -> ProtocolName:
        if info.data.get("predictions") == "baseline" and PROTOCOLS[protocol].generated:
            refuse(
                f"`{protocol}` does not allow the masks of train-semi, by which the baseline is made; "
                "name a folder in `benchmark.predictions`"
            )
        return protocol


class ImagenetSettings(_Table):
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


class Settings(_Table):
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
