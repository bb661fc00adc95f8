"""The user's configuration: checked against the schema, completed, ready to use."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from imagenet_s.config.schema import completed, explained, plain, require_finite
from imagenet_s.project_files import PROJECT
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.yaml_files import BadYaml, parse_yaml
from imagenet_s.spec.method_txt import BASELINE, method_problems
from imagenet_s.spec.protocols import PROTOCOLS
from imagenet_s.spec.subsets import SUBSETS, subset_of

SCHEMA = PROJECT / "workflow" / "schemas" / "config.schema.yaml"


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
    """A complete configuration. `imagenet` is None for the demo, an absolute path otherwise."""

    imagenet: str | None
    output: str
    subsets: tuple[int, ...]
    link: str
    complete: bool
    annotations: str
    md5: dict[int, str]
    labels: tuple[str, ...]
    benchmark: Benchmark

    @property
    def demo_annotations(self) -> bool:
        """Whether the demo brings the annotations, too."""
        return self.imagenet is None and self.annotations == "official"


def read_config(values: Mapping[str, Any]) -> Config:
    """Checks and completes what a config file says. Raises UserError with everything that is wrong."""
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    require_finite(values)
    values = completed(plain(values), schema)
    errors = sorted(jsonschema.Draft202012Validator(schema).iter_errors(values), key=lambda e: e.json_path)
    problems = [text for error in errors for text in explained(error)]
    if not errors:
        problems += _odd_paths(values)
    if not errors and "id8" in values["labels"] and set(values["subsets"]) != {50}:
        problems.append("labels: `id8` holds the ids of 50 classes only; remove it, or set `subsets: [50]`")
    if not errors:
        problems += _benchmark_problems(values)
    if problems:
        lines = "".join(f"\n- {problem}" for problem in problems)
        raise UserError(f"The configuration (config.yaml, --config) is not valid:{lines}")
    demo = values["imagenet"] == "demo"
    subsets = tuple(sorted(values["subsets"]))
    given = {int(subset): md5.lower() for subset, md5 in values["annotations"]["md5"].items()}
    origin = values["annotations"]["from"]
    if origin != "official" and not re.match("https?://", origin):
        origin = _absolute(origin)
    output = os.path.normpath(os.path.expanduser(values["output"]))
    if not demo:
        _require_apart(_absolute(values["imagenet"]), output)
    return Config(
        imagenet=None if demo else _absolute(values["imagenet"]),
        output=output,
        subsets=subsets,
        link=values["link"],
        complete=values["train_images"] == "complete" and not demo,
        annotations=origin,
        md5={subset: given.get(subset, subset_of(subset).archive_md5) for subset in subsets},
        labels=tuple(values["labels"]),
        benchmark=_benchmark(values["benchmark"], subsets),
    )


def _benchmark(values: dict, subsets: tuple[int, ...]) -> Benchmark:
    baseline = values["predictions"] == "baseline"
    match = values["match"] if values["match"] == "auto" else _absolute(values["match"])
    if match == "auto" and not PROTOCOLS[values["protocol"]].generated:
        match = None
    return Benchmark(
        predictions=None if baseline else _absolute(values["predictions"]),
        subset=values.get("subset", subsets[0]),
        protocol=values["protocol"],
        match=match,
        method=BASELINE if baseline and not values["method"] else values["method"],
    )


def _benchmark_problems(values: dict) -> Iterable[str]:
    """What is wrong with the table `benchmark`, beyond its schema."""
    given = values["benchmark"]
    if given.get("subset", values["subsets"][0]) not in values["subsets"]:
        yield f"benchmark.subset: {given['subset']} is not among `subsets`"
    if given["predictions"] == "baseline" and PROTOCOLS[given["protocol"]].generated:
        yield (
            f"benchmark.protocol: `{given['protocol']}` does not allow the masks of train-semi, by which the "
            "baseline is made; name a folder in `benchmark.predictions`"
        )
    if given["method"]:
        yield from (f"benchmark.method.{problem}" for problem in method_problems(given["method"]))


def read_config_file(path: Path) -> Config:
    """The same for a file. Raises UserError for one that is not there or no YAML, too."""
    try:
        values = parse_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(
            f"There is no {path.absolute()}. Run in the folder of config.yaml, or give --configfile. "
            "`imagenet-s init` makes a folder with one."
        ) from error
    except (UnicodeDecodeError, BadYaml) as error:
        raise UserError(f"{path} is no YAML file: {error}") from error
    return read_config({} if values is None else values)


def _odd_paths(values: dict) -> Iterable[str]:
    """What is wrong with the paths and addresses, as far as it shows without looking at them."""
    paths = {"imagenet": values["imagenet"], "output": values["output"]}
    paths["annotations.from"] = values["annotations"]["from"]
    paths["benchmark.predictions"] = values["benchmark"]["predictions"]
    paths["benchmark.match"] = values["benchmark"]["match"]
    zeros = [key for key, path in paths.items() if "\0" in path]
    yield from (f"{key}: has a zero byte, which no path has" for key in zeros)
    if zeros:  # no path of them can be looked at
        return
    for key, path in paths.items():
        if "{" in path or "}" in path:
            yield f"{key}: {path!r} has braces, which Snakemake takes for wildcards; use another path"
        local = path not in ("demo", "official", "baseline", "auto") and "://" not in path
        whole = _absolute(path) if local else path
        if not _is_utf8(whole):
            yield f"{key}: {whole!r} is not UTF-8; rename the folder, or reach it by a link with another name"
    origin = paths["annotations.from"]
    if "://" in origin and not re.match("https?://", origin):
        allowed = "official, http://…, https://…, a folder"
        yield f"annotations.from: {origin!r} is of no known kind; allowed: {allowed}"
    if os.path.exists(_absolute(paths["output"])) and not os.path.isdir(_absolute(paths["output"])):
        yield f"output: {paths['output']} is a file, not a folder"


def _require_apart(imagenet: str, output: str) -> None:
    """Raises UserError where source and output lie inside each other: the source is never written to.

    Told here and not by a job, as Snakemake makes a job's folders before the job could refuse.
    """
    source, target = os.path.realpath(imagenet), os.path.realpath(output)
    own = [f"{target}/work", *(f"{target}/{subset_of(subset).name}" for subset in SUBSETS)]
    if _is_inside(target, source):
        raise UserError(
            f"`output` ({target}) lies inside the source ({source}), which is never written to. Set "
            "`output` in config.yaml to a folder elsewhere."
        )
    if any(_is_inside(source, folder) for folder in own):
        raise UserError(
            f"`imagenet` ({source}) lies inside the folders that a build into `output` ({target}) writes to. "
            "Set `output` in config.yaml to a folder elsewhere."
        )


def _is_inside(path: str, folder: str) -> bool:
    return os.path.commonpath([path, folder]) == folder


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # Python keeps other bytes as lone surrogates
        return False
    return True
