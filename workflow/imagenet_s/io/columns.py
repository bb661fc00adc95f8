"""Columns of Arrow tables, for type checks and as lists."""

from typing import Any, TypeAlias, cast

import pyarrow as pa

# As text: the classes of pyarrow cannot be subscripted at runtime.
Column: TypeAlias = "pa.Array[Any] | pa.ChunkedArray[Any]"


def texts(column: Column) -> list[str]:
    """Return a text column without nulls as a list."""
    return cast("list[str]", column.to_pylist())
