"""The official `match.json`: which class each generated id of a prediction stands for."""

import json
import re
import reprlib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.spec.classes import OTHER
from imagenet_s.spec.subsets import SUBSETS, subset_of

MAX_BYTES = 1 << 20  # bytes; that of 919 has some 13,000
KEY = re.compile("0|[1-9][0-9]{0,9}")  # as Python writes a number, of which more digits would be no id


class BadMatch(Exception):
    """A matching that is none; the text says why."""


def expected(classes: int) -> str:
    """What a `match.json` is."""
    return (
        f'a JSON object of entries such as "7": 12 that gives each predicted id of 1..{classes} a class of '
        f'its own out of 1..{classes}, and "0": 0. `imagenet-s match` makes one.'
    )


def read_matching(path: Path, classes: int) -> np.ndarray:
    """The `matching_table` of a `match.json`. Raises UserError for one that is none."""
    try:
        with path.open("rb") as file:
            return parsed_matching(file.read(MAX_BYTES), classes)
    except BadMatch as error:
        raise UserError(f"{path} {error}.\nExpected: {expected(classes)}") from error


def parsed_matching(data: bytes, classes: int) -> np.ndarray:
    """The `matching_table` of the bytes of a `match.json`. Raises BadMatch for what is none."""
    if len(data) >= MAX_BYTES:
        raise BadMatch(f"has {MAX_BYTES:,} bytes or more")
    try:
        official = json.loads(data.decode("utf-8"), object_pairs_hook=_table)
    except (ValueError, RecursionError) as error:
        raise BadMatch(f"is not JSON ({error})") from error
    return matching_table(official, classes)


def _table(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object. Raises BadMatch for a key that is there twice, of which json would keep the last."""
    if twice := [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]:
        raise BadMatch(f"has keys twice: {first_few(map(reprlib.repr, twice))}")
    return dict(pairs)


def matching_table(official: Mapping[str, int], classes: int) -> np.ndarray:
    """The content of a `match.json` as a table, (65536,) uint16: predicted id → class.

    Ids above `classes` stay what they are. Raises BadMatch if it does not give each of the classes once, and
    for another spelling than that of the official writer: who reads a submission may know no other.
    """
    if not isinstance(official, dict):
        raise BadMatch("is not a table of whole numbers")
    odd = {key: value for key, value in official.items() if not KEY.fullmatch(key) or type(value) is not int}
    if odd:
        shown = (f"{reprlib.repr(key)}: {reprlib.repr(value)}" for key, value in odd.items())
        raise BadMatch(f'has entries that are not written as in "7": 12, but {first_few(shown, 3)}')
    given = {int(key): value for key, value in official.items()}
    problems = [
        *_problems("keys", given.keys(), classes),
        *_problems("values", given.values(), classes),
        *([f"gives background the class {given[OTHER]}"] if given.get(OTHER) else []),
    ]
    if len(given) != classes + 1 and len(given) - 1 in SUBSETS:
        problems.append(f"it may be of {subset_of(len(given) - 1).name}")
    if problems:
        raise BadMatch("; ".join(problems))
    table = np.arange(65_536, dtype=np.uint16)
    table[list(given)] = list(given.values())
    return table


def _problems(what: str, found: Iterable[int], classes: int) -> list[str]:
    """How numbers differ from 0, 1, …, `classes`."""
    counts, wanted = Counter(found), range(classes + 1)
    lacking = [number for number in wanted if number not in counts]
    twice = sorted(number for number, count in counts.items() if count > 1)
    beyond = sorted(number for number in counts if number not in wanted)
    phrases = {
        f"lacks the {what} {first_few(lacking, 3)}": lacking,
        f"has {first_few(twice, 3)} more than once": twice,
        f"has the {what} {first_few(beyond, 3)} beyond 0..{classes}": beyond,
    }
    return [text for text, numbers in phrases.items() if numbers]


def relabelled(ids: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Predicted ids, (height, width) uint16, as classes. Boundaries stay where they are: it is one to one."""
    return table[ids]
