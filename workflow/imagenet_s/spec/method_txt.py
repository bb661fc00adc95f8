"""The description of a method in a submission: six fields, and `method.txt` with one line for each."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from unicodedata import category

from imagenet_s.runtime.errors import UserError, first_few, naming
from imagenet_s.runtime.yaml_files import BadYaml, parse_yaml

# Our key of each field → how its line begins in the official file, in the file's order.
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
MAX_BYTES = 1 << 16  # bytes of a `method.txt`


def read_method(path: Path) -> dict[str, str]:
    """Return the six fields from a YAML or JSON file.

    Raises:
        UserError: The file is not readable or a field is wrong. The text lists all problems.
    """
    try:
        with naming(path):
            values = _parsed(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise UserError(
            f"There is no {path}. Write a YAML file with the keys {', '.join(LINES)}: one line of text for "
            "each."
        ) from error
    except (UnicodeDecodeError, BadYaml) as error:
        raise UserError(f"{path} is not valid YAML: {error}") from error
    problems = method_problems(values)
    if problems or not isinstance(values, Mapping):
        lines = "".join(f"\n- {problem}" for problem in problems)
        raise UserError(f"{path} does not describe a method:{lines}\nExpected: the keys {', '.join(LINES)}.")
    return {key: values[key] for key in LINES}


def _parsed(text: str) -> object:
    try:
        # JSON joins two surrogate escapes into one character. PyYAML leaves them separate.
        return json.loads(text)
    except (ValueError, RecursionError):
        return parse_yaml(text)


def method_problems(values: object) -> list[str]:
    """Return what is wrong with the six fields; empty if nothing is."""
    if not isinstance(values, Mapping):
        return ["is not a table of keys and texts"]
    problems = [f"{_shown(key)}: no such key" for key in values if key not in LINES]
    return problems + [f"{key}: {problem}" for key in LINES for problem in field_problems(values.get(key))]


def field_problems(value: object) -> list[str]:
    """Return what is wrong with one of the six fields; empty if nothing is."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return ["is missing or empty"]
    if isinstance(value, bool | int | float | date):
        # YAML reads `no` as False and `1.10` as 1.1, so the original text is lost.
        return [f"{_shown(value)} is not text; put it in quotes"]
    if not isinstance(value, str) or len(value.splitlines()) > 1:
        return ["must be one line of text"]
    return _character_problems(value)


def _shown(value: object) -> str:
    """Return a key or a value as text. Python itself refuses to print numbers of thousands of digits."""
    if isinstance(value, str):
        return value if value.isprintable() else repr(value)
    return "a long number" if isinstance(value, int) and value.bit_length() > 64 else str(value)


def _character_problems(text: str) -> list[str]:
    problems = []
    # YAML and JSON can contain surrogates, which UTF-8 cannot encode.
    if any(category(character) == "Cs" for character in text):
        problems.append("has a lone surrogate, which is not a character")
    controls = {character for character in text if category(character) == "Cc"} - set("\t\r\n")
    if controls:
        problems.append(f"has control characters: {first_few(map(repr, sorted(controls)))}")
    return problems


def method_text(fields: Mapping[str, str]) -> str:
    """Return the official `method.txt`: six lines, no newline at the end."""
    return "\n".join(f"{start}{fields[key].strip()}" for key, start in LINES.items())


def text_problems(data: bytes) -> list[str]:
    """Return what is wrong with the bytes of a `method.txt`; empty if nothing is."""
    if len(data) > MAX_BYTES:
        return [f"has {len(data):,} bytes, more than {MAX_BYTES:,}"]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return ["is not UTF-8"]
    problems = []
    if text.startswith("\ufeff"):
        problems.append("begins with a byte order mark")
        text = text[1:]
    if not text:
        return [*problems, "is empty"]
    if "\r" in text:
        problems.append("has carriage returns, as Windows writes them")
    problems += _character_problems(text)
    lines = text.split("\n")
    if lines[-1] == "":
        problems.append("ends in a newline")
        lines.pop()
    if len(lines) != len(LINES):
        problems.append(f"has {len(lines)} lines, not {len(LINES)}")
    for number, (line, start) in enumerate(zip(lines, LINES.values(), strict=False), 1):
        if not line.startswith(start):
            problems.append(f"its line {number} does not begin with {start!r}")
        elif not line[len(start) :].strip():
            problems.append(f"its line {number}, {start!r}, is empty")
    return problems
