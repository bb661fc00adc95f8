"""The user's configuration: checked against the schema, completed, ready to use."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from imagenet_s.errors import UserError
from imagenet_s.subsets import SUBSETS, subset_of

DEEPEST, MOST = 20, 10_000  # levels and values of a configuration; one has 3 and some 20
LONGEST_NUMBER = 64  # bits
SCHEMA = Path(__file__).parents[1] / "schemas" / "config.schema.yaml"


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

    @property
    def demo_annotations(self) -> bool:
        """Whether the demo brings the annotations, too."""
        return self.imagenet is None and self.annotations == "official"


def read_config(values: Mapping[str, Any]) -> Config:
    """Checks and completes what a config file says. Raises UserError with everything that is wrong."""
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    _require_finite(values)
    values = _completed(_plain(values), schema)
    errors = sorted(jsonschema.Draft202012Validator(schema).iter_errors(values), key=lambda e: e.json_path)
    troubles = [text for error in errors for text in _explained(error)]
    if not errors:
        troubles += _odd_paths(values)
    if not errors and "id8" in values["labels"] and set(values["subsets"]) != {50}:
        troubles.append("labels: `id8` holds the ids of 50 classes only; remove it, or set `subsets: [50]`")
    if troubles:
        lines = "".join(f"\n- {trouble}" for trouble in troubles)
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
    )


def read_config_file(path: Path) -> Config:
    """The same for a file. Raises UserError for one that is not there or no YAML, too."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(
            f"There is no {path.absolute()}. Run in the folder of config.yaml, or give --configfile."
        ) from error
    except OSError:
        raise
    except Exception as error:  # yaml raises all sorts of things: ValueError, KeyError, RecursionError …
        raise UserError(f"{path} is no YAML file: {error}") from error
    return read_config({} if values is None else values)


def _require_finite(values: Any) -> None:
    """Raises UserError for what would fill the memory or the stack: tables in themselves, say.

    Lists of YAML's aliases of lists of aliases are small only as long as nobody prints them.
    """
    waiting, met = [(values, 0)], 0
    while waiting:
        value, depth = waiting.pop()
        met += 1
        large = isinstance(value, int) and value.bit_length() > LONGEST_NUMBER
        if met > MOST or depth > DEEPEST or large:
            raise UserError(
                "The configuration (config.yaml, --config) is not valid: it has "
                + ("a number of too many digits." if large else "too many values, or too deep ones.")
            )
        if isinstance(value, Mapping):
            waiting += [(child, depth + 1) for pair in value.items() for child in pair]
        elif isinstance(value, list | tuple | set):
            waiting += [(child, depth + 1) for child in value]


def _odd_paths(values: dict) -> Iterable[str]:
    """What is wrong with the paths and addresses, as far as it shows without looking at them."""
    paths = {"imagenet": values["imagenet"], "output": values["output"]}
    paths["annotations.from"] = values["annotations"]["from"]
    zeros = [key for key, path in paths.items() if "\0" in path]
    yield from (f"{key}: has a zero byte, which no path has" for key in zeros)
    if zeros:  # no path of them can be looked at
        return
    for key, path in paths.items():
        if "{" in path or "}" in path:
            yield f"{key}: {path!r} has braces, which Snakemake takes for wildcards; use another path"
        local = path not in ("demo", "official") and "://" not in path
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


def _plain(values: Any) -> Any:
    """The same with text for keys, and numbers for numerals in lists: YAML's 50 and "50" are one.

    `--config` on the command line quotes what a file does not. Of equal keys the later one counts.
    """
    match values:
        case Mapping():
            return {str(key): _plain(value) for key, value in values.items()}
        case list():
            return [_number(value) for value in values]
    return values


def _number(value: Any) -> Any:
    """The number that a numeral or a whole float stands for; anything else as it is."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 4:
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _completed(values: Any, schema: dict) -> Any:
    """The same with the schema's defaults for what is not given, at every depth."""
    if not isinstance(values, dict):
        return values
    values = dict(values)
    for key, rule in schema.get("properties", {}).items():
        # A table with nothing in it is one that is not given.
        if rule.get("type") == "object" and values.get(key, 0) is None:
            del values[key]
        if "default" in rule:
            values.setdefault(key, rule["default"])
        if key in values:
            values[key] = _completed(values[key], rule)
    return values


def _explained(error: jsonschema.ValidationError) -> Iterable[str]:
    """One validation error in the user's words: the key, what it says, what is allowed."""
    key = error.json_path.removeprefix("$").removeprefix(".") or "the configuration"
    found = error.instance
    match error.validator:
        case "additionalProperties":
            known = ", ".join(error.schema["properties"])
            place = "" if key == "the configuration" else f"{key}."
            for name in sorted(set(found) - set(error.schema["properties"])):
                yield f"{place}{name}: no such key; there are: {known}"
        case "enum":
            yield f"{key}: {found!r} is not allowed; allowed: {', '.join(map(str, error.validator_value))}"
        case "type":
            allowed = {
                "array": "a list such as [50, 300]",
                "object": "a table such as {from: official}",
                "string": "a text, in quotes if need be",
            }
            yield f"{key}: {found!r} is not allowed; allowed: {allowed[error.validator_value]}"
        case "pattern":
            yield f"{key}: {found!r} is no md5 (32 hexadecimal digits)"
        case "minItems" | "minLength":
            yield f"{key}: must not be empty"
        case "uniqueItems":
            yield f"{key}: {found!r} names something twice"
        case _:
            yield f"{key}: {error.message}"
