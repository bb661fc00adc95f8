"""The user's configuration: read, checked, with defaults, and ready to use."""

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from imagenet_s.config.benchmark_models import BenchmarkSettings
from imagenet_s.config.checks import is_web, require_finite
from imagenet_s.config.explain import explain
from imagenet_s.config.models import Settings, imagenet_paths
from imagenet_s.config.schema import json_schema
from imagenet_s.runtime.errors import UserError, naming
from imagenet_s.runtime.yaml_files import BadYaml, parse_yaml
from imagenet_s.spec.method_txt import BASELINE
from imagenet_s.spec.protocols import PROTOCOLS


@dataclass(frozen=True)
class Benchmark:
    """What is to be scored and submitted. `predictions` is None for the baseline, an absolute path otherwise.

    `match` is None where ids are classes, "auto" for the match.json to be made, or the absolute path of one.
    `method` has its six fields, or none.
    """

    predictions: str | None
    subset: int
    protocol: str
    match: str | None
    method: dict[str, str]


@dataclass(frozen=True)
class Config:
    """A complete configuration.

    `imagenet` is None for the demo, an absolute path otherwise. `val` is the path of val, if `imagenet` is
    that of train alone.
    """

    imagenet: str | None
    output: str
    subsets: tuple[int, ...]
    link: str
    complete: bool
    annotations: str
    md5: dict[int, str]
    labels: tuple[str, ...]
    exports: tuple[str, ...]
    gallery: int
    gallery_splits: tuple[str, ...]
    benchmark: Benchmark
    val: str | None = None

    @property
    def source(self) -> str | None:
        """Where the images come from, for messages; None for the demo."""
        return f"{self.imagenet} (train), {self.val} (val)" if self.val else self.imagenet

    @property
    def demo_annotations(self) -> bool:
        """Whether the demo brings the annotations, too."""
        return self.imagenet is None and self.annotations == "official"


def read_config(values: object) -> Config:
    """Return the configuration that a file's values make. Raise UserError with everything that is wrong."""
    require_finite(values)
    try:
        settings = Settings.model_validate(values, context={})
    except ValidationError as error:
        lines = "".join(f"\n- {line}" for line in explain(error, json_schema(Settings)))
        raise UserError(f"The configuration (config.yaml, --config) is not valid:{lines}") from error
    return _resolved(settings)


def read_config_file(path: Path) -> Config:
    """Return the configuration of a file. Raise UserError also if the file is missing or is not YAML."""
    try:
        with naming(path):
            values = parse_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(
            f"There is no {path.absolute()}. Run in the folder of config.yaml, or give --configfile. "
            "`imagenet-s init` makes a folder with one."
        ) from error
    except (UnicodeDecodeError, BadYaml) as error:
        raise UserError(f"{path} is not valid YAML: {error}") from error
    return read_config(values)


def config_fault(path: Path) -> str | None:
    """Return what is wrong with a configuration file; None if it can be read."""
    try:
        read_config_file(path)
    except UserError as error:
        return str(error)
    return None


def _resolved(settings: Settings) -> Config:
    """Return the settings with absolute paths, sorted subsets, and words such as `demo` resolved."""
    demo = settings.imagenet == "demo"
    imagenet, *val = map(os.path.abspath, imagenet_paths(settings.imagenet))
    subsets = tuple(sorted(settings.subsets))
    origin = settings.annotations.origin
    md5 = settings.annotations.md5.model_dump(by_alias=True)
    return Config(
        imagenet=None if demo else imagenet,
        output=os.path.normpath(settings.output),
        subsets=subsets,
        link=settings.link,
        complete=settings.train_images == "complete" and not demo,
        annotations=origin if origin == "official" or is_web(origin) else os.path.abspath(origin),
        md5={subset: md5[str(subset)].lower() for subset in subsets},
        labels=settings.labels,
        exports=settings.exports,
        gallery=settings.gallery,
        gallery_splits=settings.gallery_splits,
        benchmark=_resolved_benchmark(settings.benchmark, subsets),
        val=val[0] if val else None,
    )


def _resolved_benchmark(settings: BenchmarkSettings, subsets: tuple[int, ...]) -> Benchmark:
    baseline = settings.predictions == "baseline"
    match: str | None = settings.match if settings.match == "auto" else os.path.abspath(settings.match)
    if match == "auto" and not PROTOCOLS[settings.protocol].generated:
        match = None
    method = settings.method.model_dump(exclude_unset=True)
    return Benchmark(
        predictions=None if baseline else os.path.abspath(settings.predictions),
        subset=settings.subset or subsets[0],
        protocol=settings.protocol,
        match=match,
        method=BASELINE if baseline and not method else method,
    )
