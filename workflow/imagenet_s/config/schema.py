"""Values of a user against a schema: tidied, completed by defaults, and what is wrong in the user's words."""

from collections.abc import Iterable, Mapping
from typing import Any

import jsonschema

from imagenet_s.runtime.errors import UserError

DEEPEST, MOST = 20, 10_000  # levels and values of a configuration; one has 3 and some 20
LONGEST_NUMBER = 64  # bits


def require_finite(values: Any) -> None:
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


def plain(values: Any) -> Any:
    """The same with text for keys, and numbers for numerals in lists: YAML's 50 and "50" are one.

    `--config` on the command line quotes what a file does not. Of equal keys the later one counts.
    """
    match values:
        case Mapping():
            return {str(key): plain(value) for key, value in values.items()}
        case list():
            return [_number(value) for value in values]
    return values


def _number(value: Any) -> Any:
    """The number that a numeral or a whole float stands for; anything else as it is."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 4:
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def completed(values: Any, schema: dict) -> Any:
    """The same with the schema's defaults for what is not given, at every depth, and with its numbers."""
    if isinstance(schema.get("enum", [None])[0], int):
        return _number(values)
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
            values[key] = completed(values[key], rule)
    return values


def explained(error: jsonschema.ValidationError) -> Iterable[str]:
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
                "object": f"a table with some of the keys {', '.join(error.schema.get('properties', ()))}",
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
