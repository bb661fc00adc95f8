"""The JSON schemas of the commands' documents."""

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

from imagenet_s.project_files import PROJECT


def schema_of(command: str) -> dict[str, Any]:
    """Return the schema of the document that `imagenet-s COMMAND --json` writes. It is a valid schema."""
    schema = json.loads((PROJECT / "workflow" / "schemas" / f"{command}.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return schema


def require_valid(document: Mapping[str, Any], command: str) -> None:
    """Raise `jsonschema.ValidationError` if a command's document does not fit its schema."""
    Draft202012Validator(schema_of(command)).validate(document)
