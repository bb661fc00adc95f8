"""Compare the metrics of several runs in a table, and say which of them cannot be compared."""

import json as json_format
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tabulate import tabulate

from imagenet_s.io.json_output import STDOUT, write_json_output
from imagenet_s.runtime.errors import CannotCheck, naming
from imagenet_s.spec.subsets import subset_name
from imagenet_s.workspace.output_guard import check_json_path

SCHEMA = "urn:imagenet-s:compare:1"

METRICS = ("mIoU", "mBIoU", "Acc", "FMeasure", "S", "MS", "ML", "L")
MAX_BYTES = 1 << 20  # a metrics.json of 919 has 20,000
DIGITS = 12  # of a digest that are shown


class Run(NamedTuple):
    """A `metrics.json`: its path as the user wrote it, and its content."""

    file: str
    facts: Mapping[str, Any]


class Difference(NamedTuple):
    """Why runs cannot be compared: the key of the fact that differs, and a sentence."""

    key: str
    text: str


def compare(files: Sequence[Path], json: Path | None) -> int:
    """Print a table of runs, and what prevents their comparison.

    Args:
        files: The `metrics.json` of each run.
        json: Where to write the comparison as JSON; see `write_json_output`.

    Returns:
        The exit code: 0 if the runs can be compared, else 1.

    Raises:
        CannotCheck: A file is not a `metrics.json`.
        WrongUsage: `json` is one of the files, or cannot be written.
    """
    check_json_path(json, *files)
    runs = [_read(path) for path in files]
    found = differences(runs)
    if json:
        write_json_output(_document(runs, found), json)
    if json != STDOUT:
        print(_table(runs))
        print()
        print("\n".join(_verdict(runs, found)))
    return 1 if found else 0


def _read(path: Path) -> Run:
    wanted = "Expected: the JSON file that `imagenet-s evaluate --out` writes."
    if not path.is_file():
        raise CannotCheck(f"There is no file {path}. {wanted}")
    with naming(path), path.open("rb") as file:
        data = file.read(MAX_BYTES)
    try:
        facts = json_format.loads(data.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise CannotCheck(f"{path} is not JSON ({error}). {wanted}") from error
    if not isinstance(facts, dict) or not _is_metrics(facts):
        raise CannotCheck(f"{path} has no metrics of a subset. {wanted}")
    return Run(str(path), facts)


def _refuse(constant: str) -> None:
    """Refuse `NaN` and `Infinity`, which Python reads but JSON does not have."""
    raise ValueError(f"it has {constant}")


def _is_metrics(facts: Mapping[str, Any]) -> bool:
    """Return whether a JSON object has what every version wrote."""
    numbers = all(isinstance(facts.get(name, ""), int | float | None) for name in METRICS)
    return numbers and isinstance(facts.get("subset"), int) and isinstance(facts.get("images"), int)


def differences(runs: Sequence[Run]) -> list[Difference]:
    """Return what prevents the comparison of runs.

    What follows from another difference is left out: other images have other masks.
    """
    kinds: dict[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
        "subset": ("are of different subsets", lambda facts: subset_name(facts["subset"])),
        "split": ("are of different splits", lambda facts: str(facts.get("split"))),
        "partial": ("are of different images", _images_of),
        "truth": ("were scored with different true masks", _truth_of),
        "matched": ("are of predicted ids with different meanings", _meaning_of),
    }
    found: list[Difference] = []
    for key, (what, describe) in kinds.items():
        groups: dict[str, list[str]] = {}
        for run in runs:
            groups.setdefault(describe(run.facts), []).append(run.file)
        follows = key == "truth" and found
        if len(groups) > 1 and not follows:
            listed = "; ".join(f"{value}: {', '.join(files)}" for value, files in groups.items())
            found.append(Difference(key, f"The runs {what}. {listed}."))
    return found


def _images_of(facts: Mapping[str, Any]) -> str:
    return f"{facts['images']:,} images" if facts.get("partial") else "all images of the split"


def _truth_of(facts: Mapping[str, Any]) -> str:
    truth = facts.get("truth")
    if not isinstance(truth, dict):
        return "not stated (score the predictions again)"
    digest = truth.get("data_set_digest")
    of = f" of the data set {str(digest)[:DIGITS]}" if digest else ""
    return f"masks {str(truth.get('sha256'))[:DIGITS]}{of}"


def _meaning_of(facts: Mapping[str, Any]) -> str:
    return "generated ids, matched to classes" if facts.get("matched") else "classes"


def _table(runs: Sequence[Run]) -> str:
    rows = [[run.file, _name_of(run.facts), *(_percent(run.facts[name]) for name in METRICS)] for run in runs]
    alignment = ["left", "left", *["right"] * len(METRICS)]
    head = ["file", "run", *METRICS]
    return tabulate([head, *rows], tablefmt="plain", colalign=alignment, disable_numparse=True)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _name_of(facts: Mapping[str, Any]) -> str:
    predictions = facts.get("predictions")
    return str(predictions.get("name")) if isinstance(predictions, dict) else "–"


def _verdict(runs: Sequence[Run], found: Sequence[Difference]) -> list[str]:
    if not found and "truth" not in runs[0].facts:  # earlier versions did not state it
        return ["These runs can be compared if their true masks, which no file states, are the same."]
    if not found:
        return ["These runs can be compared: they are of the same images and true masks."]
    return ["These runs cannot be compared:", *(f"- {difference.text}" for difference in found)]


def _document(runs: Sequence[Run], found: Sequence[Difference]) -> dict[str, Any]:
    """Return the comparison for programs. A run has all that its file says, but not the IoU of each class."""
    return {
        "schema": SCHEMA,
        "comparable": not found,
        "differences": [difference._asdict() for difference in found],
        "runs": [
            {"file": run.file, **{key: value for key, value in run.facts.items() if key != "IoUs"}}
            for run in runs
        ],
    }
