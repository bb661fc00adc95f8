"""The JSON schema of a configuration, made of its pydantic model: for editors, the docs and messages."""

from typing import Any, cast

from pydantic import BaseModel

JsonSchema = dict[str, Any]
Keys = tuple[str | int, ...]

NOISE = ("$defs", "$ref", "anyOf", "oneOf", "title")


def json_schema(model: type[BaseModel]) -> JsonSchema:
    """Return the JSON schema of `model` with each table in its place, not among definitions."""
    schema = model.model_json_schema()
    return _simplified(schema, schema.get("$defs", {}))


def rule_at(schema: JsonSchema, keys: Keys) -> JsonSchema:
    """Return the rule for the value that `keys` and the indices of lists lead to."""
    for key in keys:
        schema = schema["items"] if isinstance(key, int) else schema["properties"][key]
    return schema


def _definition(rule: JsonSchema, definitions: JsonSchema) -> JsonSchema:
    """Return the rule that a reference leads to; any other rule unchanged."""
    return cast("JsonSchema", definitions[rule["$ref"].rpartition("/")[2]]) if "$ref" in rule else rule


def _simplified(rule: JsonSchema, definitions: JsonSchema) -> JsonSchema:
    """Return a rule without references, titles and null; its description comes first.

    The rules for a text and for a table that a key allows become one: each keyword concerns one of them.
    """
    found = {"description": rule.get("description", "")}
    if "$ref" in rule:
        # The defaults of a table are those of its keys.
        found |= _definition(rule, definitions) | {"default": {}}
    # None stands for a key that is not given; a user cannot write it.
    allowed = rule.get("anyOf") or rule.get("oneOf") or ()
    options = [option for option in allowed if option != {"type": "null"}]
    for option in options:
        found |= _definition(option, definitions)
    if len(options) > 1:
        found["type"] = [_definition(option, definitions)["type"] for option in options]
    found |= rule
    properties = found.get("properties", {})
    if properties:
        found["properties"] = {key: _simplified(value, definitions) for key, value in properties.items()}
    return {key: value for key, value in found.items() if key not in NOISE and value is not None}
