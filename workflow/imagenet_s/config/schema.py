"""The JSON schema of a configuration, made of its pydantic model: for editors, the docs and messages."""

from typing import Any

from pydantic import BaseModel

JsonSchema = dict[str, Any]
Keys = tuple[str | int, ...]

NOISE = ("$defs", "$ref", "anyOf", "title")


def json_schema(model: type[BaseModel]) -> JsonSchema:
    """Return the JSON schema of `model` with each table in its place, not among definitions."""
    schema = model.model_json_schema()
    return _simplified(schema, schema.get("$defs", {}))


def rule_at(schema: JsonSchema, keys: Keys) -> JsonSchema:
    """Return the rule for the value that `keys` and the indices of lists lead to."""
    for key in keys:
        schema = schema["items"] if isinstance(key, int) else schema["properties"][key]
    return schema


def _simplified(rule: JsonSchema, definitions: JsonSchema) -> JsonSchema:
    """Return a rule without references, titles and null; its description comes first."""
    found = {"description": rule.get("description", "")}
    if "$ref" in rule:
        # The defaults of a table are those of its keys.
        found |= definitions[rule["$ref"].rpartition("/")[2]] | {"default": {}}
    for option in rule.get("anyOf", ()):
        # None stands for a key that is not given; a user cannot write it.
        found |= option if option != {"type": "null"} else {}
    found |= rule
    properties = found.get("properties", {})
    if properties:
        found["properties"] = {key: _simplified(value, definitions) for key, value in properties.items()}
    return {key: value for key, value in found.items() if key not in NOISE and value is not None}
