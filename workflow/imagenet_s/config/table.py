"""What all tables of a configuration have in common."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, model_validator


class Table(BaseModel):
    """A table of a configuration. Unknown keys are refused; an empty table has its defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _read(cls, values: object) -> object:
        """Return a table whose keys are text: YAML's 50 and "50" are the same. The later one counts."""
        if values is None:
            return {}
        return {str(key): value for key, value in values.items()} if isinstance(values, Mapping) else values
