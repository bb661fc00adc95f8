"""The registry of digests: which data sets were built by whom, and from what. Two people can compare theirs.

`docs/digests.md` says how to add one.
"""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).with_suffix(".csv")
DEMO = "the demo"  # a source


class KnownDigest(NamedTuple):
    """A row of the table."""

    digest: str  # of a data set, as `dataset.json` states it
    subset: int
    source: str  # the copy of ImageNet that it was built from
    built_by: str
    date: str  # of the build: year, month, day


@cache
def known_digests() -> tuple[KnownDigest, ...]:
    """Return the rows of the table."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        return tuple(
            KnownDigest(digest, int(subset), source, built_by, date)
            for digest, subset, source, built_by, date in list(csv.reader(file))[1:]
        )
