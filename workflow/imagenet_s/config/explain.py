"""What is wrong with a configuration, in the user's words: the key, what was found, what is allowed."""

from collections.abc import Iterator

from pydantic import ValidationError

from imagenet_s.config.checks import Refused
from imagenet_s.config.schema import JsonSchema, Keys, rule_at
from imagenet_s.runtime.spelling import hint


def explain(error: ValidationError, schema: JsonSchema) -> Iterator[str]:
    """Yield one line for each thing that is wrong.

    Args:
        error: What pydantic says.
        schema: The JSON schema of the model that refused the values.
    """
    for details in error.errors(include_url=False):
        kind, keys, found = details["type"], _keys_of(details["loc"], schema), details["input"]
        reason = details.get("ctx", {}).get("error")
        if isinstance(reason, Refused):
            yield from (f"{_path((*keys, *below))}: {text}" for below, text in reason.problems)
        # pydantic calls a list too short if all of its items are wrong, which it says of them as well.
        elif kind != "too_short" or not found:
            yield _explained(kind, keys, found, schema)


def _keys_of(location: Keys, schema: JsonSchema) -> Keys:
    """Return the keys of pydantic's location without its names for what a key allows, such as a table."""
    keys: list[str | int] = []
    rule: JsonSchema = {"properties": schema["properties"]}
    for key in location:
        if isinstance(rule.get("type"), list):
            rule = {**rule, "type": "object"}
            continue
        keys.append(key)
        rule = rule.get("items", {}) if isinstance(key, int) else rule.get("properties", {}).get(key, {})
    return tuple(keys)


def _explained(kind: str, keys: Keys, found: object, schema: JsonSchema) -> str:
    if kind == "extra_forbidden":
        return _unknown_key(keys, rule_at(schema, keys[:-1]))
    if kind == "missing":
        return f"{_path(keys)}: missing; a table here needs {_needed(rule_at(schema, keys[:-1]))}"
    rule = rule_at(schema, keys)
    if kind == "string_unicode" and "properties" in rule:  # pydantic cannot read a key of this table
        return _unknown_key((*keys, str(found)), rule)
    return f"{_path(keys)}: {_wrong_value(found, rule)}"


def _unknown_key(keys: Keys, table: JsonSchema) -> str:
    *above, name = keys
    shown = name if name and str(name).isprintable() else repr(name)
    return f"{_path((*above, shown))}: no such key; {hint(name, table['properties'], 'there are')}"


def _wrong_value(found: object, rule: JsonSchema) -> str:
    if "enum" in rule:
        return f"{found!r} is not allowed; {hint(found, rule['enum'], 'allowed')}"
    if found == [] and "minItems" in rule:
        return "must not be empty"
    if isinstance(found, str) and "pattern" in rule:
        return f"{found!r} is not an md5 (32 hexadecimal digits)"
    return f"{found!r} is not allowed; allowed: {_allowed(rule)}"


def _needed(table: JsonSchema) -> str:
    """Return the keys that a table must have, as an example."""
    return f"{{{', '.join(f'{key}: …' for key in table['required'])}}}"


def _allowed(rule: JsonSchema) -> str:
    if isinstance(rule["type"], list):
        return f"a text, in quotes if need be, or a table {_needed(rule)}"
    if rule["type"] == "array":
        return f"a list such as [{', '.join(map(str, rule['examples'][0]))}]"
    if rule["type"] == "object":
        return f"a table with some of the keys {', '.join(rule['properties'])}"
    if "minimum" in rule:
        return f"a number of {rule['minimum']} or more"
    return "a text, in quotes if need be"


def _path(keys: Keys) -> str:
    """Return a key as users write it: `annotations.from`, `subsets[0]`."""
    parts = (f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return "".join(parts).removeprefix(".") or "the configuration"
