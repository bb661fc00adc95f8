"""The published facts about ImageNet-S, kept as small CSV tables in `official/`.

`classes.csv`     the 919 classes, with their id in each subset (ids differ between subsets) and their name;
`val.csv`         the 39,842 ImageNet val images used: ImageNet class, ImageNet-S class, and for each
                  subset `v` (validation), `t` (test) or nothing;
`train_semi.csv`  the 9,190 train-semi images, their class, and the smallest subset that has them;
`merges.csv`      the five ImageNet classes that 919 merges into another;
`subsets.csv`     per subset, the number of train images and the annotation archive;
`lists.sha256`    digests of the official lists, which `official_lists.py` rebuilds from these tables.

The order of the rows in `val.csv` and `train_semi.csv` is that of every official list.
Source of all of them: github.com/LUSSeg/ImageNet-S at commit b2312ba.
"""

import csv
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "official"


@cache
def rows(table: str) -> list[list[str]]:
    """Return the rows of `official/<table>.csv` without the header. All cells are text."""
    with (FOLDER / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))[1:]
