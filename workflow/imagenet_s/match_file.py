"""The official `match.json`: which class each generated id of a prediction stands for."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from imagenet_s.classes import OTHER
from imagenet_s.errors import UserError, first_few

LONGEST = 1 << 20  # bytes; that of 919 has some 13,000


class BadMatch(Exception):
    """A matching that is none; the text says why."""


def read_matching(path: Path, classes: int) -> np.ndarray:
    """The `matching_table` of a `match.json`. Raises UserError for one that is none."""
    try:
        with path.open("rb") as file:
            return parsed_matching(file.read(LONGEST), classes)
    except BadMatch as error:
        raise UserError(
            f"{path} {error}.\nExpected: a JSON object that gives each predicted id of 1..{classes} another "
            f'class of 1..{classes}, and "0": 0. `imagenet-s match` makes one.'
        ) from error


def parsed_matching(data: bytes, classes: int) -> np.ndarray:
    """The `matching_table` of the bytes of a `match.json`. Raises BadMatch for what is none."""
    if len(data) >= LONGEST:
        raise BadMatch(f"has {LONGEST:,} bytes or more")
    try:
        official = json.loads(data.decode("utf-8"), object_pairs_hook=_table)
    except (ValueError, RecursionError) as error:
        raise BadMatch(f"is not JSON ({error})") from error
    return matching_table(official, classes)


def _table(pairs: list[tuple[str, object]]) -> dict[int, object]:
    """A JSON object with its keys as numbers. Raises BadMatch for two keys of one number."""
    try:
        keys = [_whole(key) for key, _ in pairs]
    except ValueError as error:
        raise BadMatch("is not a table of whole numbers") from error
    if twice := sorted(key for key, count in Counter(keys).items() if count > 1):
        raise BadMatch(f"has keys twice: {first_few(twice)}")
    return dict(zip(keys, (value for _, value in pairs), strict=True))


def matching_table(official: Mapping[str | int, int], classes: int) -> np.ndarray:
    """The content of a `match.json` as a table, (65536,) uint16: predicted id → class.

    Ids above `classes` stay what they are. Raises BadMatch if it does not give each of the classes once.
    """
    wanted = set(range(classes + 1))
    try:
        given = {_whole(key): _whole(value) for key, value in official.items()}
    except (TypeError, ValueError, AttributeError) as error:
        raise BadMatch("is not a table of whole numbers") from error
    for what, found in (("keys", given.keys()), ("values", set(given.values()))):
        if found != wanted:
            raise BadMatch(f"has other {what} than 0..{classes}: {first_few(sorted(found ^ wanted))}")
    if given[OTHER] != OTHER:
        raise BadMatch(f"gives background the class {given[OTHER]}")
    table = np.arange(65_536, dtype=np.uint16)
    table[list(given)] = list(given.values())
    return table


def _whole(value: object) -> int:
    """The number that a key or a value stands for. Raises TypeError and ValueError."""
    digits = not isinstance(value, str) or (value.isascii() and value.isdecimal())
    if isinstance(value, bool) or not digits or (isinstance(value, float) and not value.is_integer()):
        raise ValueError(value)
    return int(value)


def relabelled(ids: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Predicted ids, (height, width) uint16, as classes. Boundaries stay where they are: it is one to one."""
    return table[ids]
