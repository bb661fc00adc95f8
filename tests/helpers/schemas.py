"""The JSON schemas of the commands' documents."""

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

from imagenet_s.project_files import PROJECT

MOST_ITEMS = 50  # of a list of texts


def schema_of(command: str) -> dict[str, Any]:
    """Return the schema of the document that `imagenet-s COMMAND --json` writes. It is a valid schema."""
    schema = json.loads((PROJECT / "workflow" / "schemas" / f"{command}.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return schema


def require_valid(document: Mapping[str, Any], command: str) -> None:
    """Raise `jsonschema.ValidationError` if a command's document does not fit its schema.

    Of long lists of texts only some items are compared with the schema, because thousands take seconds.
    """
    Draft202012Validator(schema_of(command)).validate(_shortened(document))


def _shortened(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        is_long = len(value) > MOST_ITEMS and all(isinstance(item, str) for item in value)
        return value[:MOST_ITEMS] if is_long else [_shortened(item) for item in value]
    return value
