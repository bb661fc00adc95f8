"""The settings of the benchmark as pydantic models."""

from typing import Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from imagenet_s.config.checks import Number, PathText, Refused, Text, refuse
from imagenet_s.config.table import Table
from imagenet_s.spec.method_txt import field_problems
from imagenet_s.spec.protocols import PROTOCOLS, ProtocolName


class MethodSettings(Table):
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


class BenchmarkSettings(Table):
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
