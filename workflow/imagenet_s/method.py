"""What a submission says of its method: six fields, and `method.txt`, which has a line for each."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from imagenet_s.errors import UserError

# The official file's line beginnings, in its order, and our keys.
LINES = {
    "name": "Method name: ",
    "training_data": "Training data: ",
    "training_scheme": "Training scheme: ",
    "networks": "Networks: ",
    "link": "Paper/Project link: ",
    "description": "Method description: ",
}
BASELINE = {
    "name": "Grid statistics",
    "training_data": "none",
    "training_scheme": "none",
    "networks": "none",
    "link": "https://arxiv.org/abs/2106.03149 (the protocol)",
    "description": "Colour levels and edge directions on a grid, by distance matching: a weak baseline.",
}
LONGEST = 1 << 16  # bytes of a `method.txt`


def read_method(path: Path) -> dict[str, str]:
    """The six fields of a YAML or JSON file. Raises UserError with all that is wrong."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError:
        raise
    except Exception as error:  # yaml raises all sorts of things
        raise UserError(f"{path} is no YAML file: {error}") from error
    troubles = list(method_troubles(values))
    if troubles:
        lines = "".join(f"\n- {trouble}" for trouble in troubles)
        raise UserError(f"{path} does not describe a method:{lines}\nExpected: the keys {', '.join(LINES)}.")
    return {key: str(values[key]) for key in LINES}


def method_troubles(values: object) -> list[str]:
    """What is wrong with the six fields; empty if nothing is."""
    if not isinstance(values, Mapping):
        return ["is not a table of keys and texts"]
    troubles = [f"{key}: no such key" for key in values if key not in LINES]
    for key in LINES:
        value = values.get(key)
        if value is None or not str(value).strip():
            troubles.append(f"{key}: is missing or empty")
        elif isinstance(value, list | Mapping) or len(str(value).splitlines()) > 1:
            troubles.append(f"{key}: must be one line of text")
    return troubles


def method_text(fields: Mapping[str, str]) -> str:
    """The official `method.txt`: six lines, no newline at the end."""
    return "\n".join(f"{start}{fields[key].strip()}" for key, start in LINES.items())


def text_troubles(data: bytes) -> list[str]:
    """What is wrong with the bytes of a `method.txt`; empty if nothing is."""
    try:
        lines = data[:LONGEST].decode("utf-8").split("\n")
    except UnicodeDecodeError:
        return ["is not UTF-8"]
    troubles = []
    if "\r" in data[:LONGEST].decode("utf-8"):
        troubles.append("has carriage returns, as Windows writes them")
    if lines[-1] == "":
        troubles.append("ends in a newline")
        lines.pop()
    if len(lines) != len(LINES):
        troubles.append(f"has {len(lines)} lines, not {len(LINES)}")
    for number, (line, start) in enumerate(zip(lines, LINES.values(), strict=False), 1):
        if not line.startswith(start):
            troubles.append(f"its line {number} does not begin with {start!r}")
        elif not line[len(start) :].strip():
            troubles.append(f"its line {number}, {start!r}, says nothing")
    return troubles
