"""Read the official `match.json`: which class each generated id of a prediction stands for."""

import hashlib
import json
import os
import re
import reprlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imagenet_s.runtime.errors import UserError, first_few, naming
from imagenet_s.spec.classes import OTHER
from imagenet_s.spec.subsets import SUBSETS, subset_of

MAX_BYTES = 1 << 20  # a match.json of 919 has about 13,000
KEY = re.compile("0|[1-9][0-9]{0,9}")  # a number as Python writes it; one with more digits cannot be an id


class BadMatch(Exception):
    """A `match.json` that is not valid; the text says why."""


def expected(classes: int) -> str:
    """Describe a valid `match.json`."""
    return (
        f'a JSON object with entries such as "7": 12 that maps each predicted id in 1..{classes} to a '
        f'different class in 1..{classes}, and "0" to 0. `imagenet-s match` writes one.'
    )


class MatchFile(NamedTuple):
    """A valid `match.json`: its `matching_table`, its path, and the hex sha256 of its bytes."""

    table: NDArray[np.uint16]
    path: str
    sha256: str


def read_matching(path: Path, classes: int) -> MatchFile:
    """Read a `match.json`, once: it may be a pipe.

    Raises:
        UserError: It is not valid.
    """
    try:
        with naming(path), path.open("rb") as file:
            data = file.read(MAX_BYTES)
        table = parsed_matching(data, classes)
    except BadMatch as error:
        raise UserError(f"{path} {error}.\nExpected: {expected(classes)}") from error
    return MatchFile(table, os.path.abspath(path), hashlib.sha256(data).hexdigest())


def parsed_matching(data: bytes, classes: int) -> NDArray[np.uint16]:
    """Return the `matching_table` of the bytes of a `match.json`.

    Raises:
        BadMatch: The bytes are not a valid `match.json`.
    """
    if len(data) >= MAX_BYTES:
        raise BadMatch(f"has {MAX_BYTES:,} bytes or more")
    try:
        official = json.loads(data.decode("utf-8"), object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError) as error:
        raise BadMatch(f"is not JSON ({error})") from error
    return matching_table(official, classes)


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object. Raise BadMatch for duplicate keys, of which `json` would keep the last."""
    if twice := [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]:
        raise BadMatch(f"has duplicate keys: {first_few(map(reprlib.repr, twice))}")
    return dict(pairs)


def matching_table(official: object, classes: int) -> NDArray[np.uint16]:
    """Return the content of a `match.json` as a table.

    Keys must be spelled as the official writer spells them: the reader of a submission may accept no other
    spelling.

    Args:
        official: The parsed JSON.
        classes: The number of classes.

    Returns:
        (65536,) uint16: the class of each predicted id. Ids above `classes` map to themselves.

    Raises:
        BadMatch: It does not map the ids one to one to the classes.
    """
    if not isinstance(official, dict):
        raise BadMatch("is not a JSON object")
    wrong = {
        key: value for key, value in official.items() if not KEY.fullmatch(key) or type(value) is not int
    }
    if wrong:
        shown = (f"{reprlib.repr(key)}: {reprlib.repr(value)}" for key, value in wrong.items())
        raise BadMatch(f'has entries that are not of the form "7": 12, namely {first_few(shown, 3)}')
    given = {int(key): value for key, value in official.items()}
    problems = [
        *_number_problems("keys", given.keys(), classes),
        *_number_problems("values", given.values(), classes),
        *([f"maps background to class {given[OTHER]}"] if given.get(OTHER) else []),
    ]
    if len(given) != classes + 1 and len(given) - 1 in SUBSETS:
        problems.append(f"it may be of {subset_of(len(given) - 1).name}")
    if problems:
        raise BadMatch("; ".join(problems))
    table = np.arange(65_536, dtype=np.uint16)
    table[list(given)] = list(given.values())
    return table


def _number_problems(what: str, found: Iterable[int], classes: int) -> list[str]:
    """Describe how numbers differ from 0, 1, …, `classes`, each once."""
    counts, wanted = Counter(found), range(classes + 1)
    missing = [number for number in wanted if number not in counts]
    twice = sorted(number for number, count in counts.items() if count > 1)
    outside = sorted(number for number in counts if number not in wanted)
    phrases = {
        f"lacks the {what} {first_few(missing, 3)}": missing,
        f"has {first_few(twice, 3)} more than once": twice,
        f"has the {what} {first_few(outside, 3)} outside 0..{classes}": outside,
    }
    return [text for text, numbers in phrases.items() if numbers]


def relabelled(ids: NDArray[np.uint16], table: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Return predicted ids as classes. The mapping is one to one, so boundaries stay the same.

    Args:
        ids: Predicted ids, (height, width).
        table: A `matching_table`, (65536,).

    Returns:
        (height, width) uint16.
    """
    classes: NDArray[np.uint16] = table[ids]
    return classes
