"""The official facts, as the project keeps them: small CSV tables in `official/`.

`classes.csv`     the 919 classes, with their id in each subset (ids are per subset) and their name;
`val.csv`         the 39,842 ImageNet val images used: ImageNet class, ImageNet-S class, and for each
                  subset `v` (validation), `t` (test) or nothing;
`train_semi.csv`  the 9,190 train-semi images, their class, and the smallest subset that has them;
`merges.csv`      the five ImageNet classes that 919 merges into another;
`subsets.csv`     per subset, the number of train images and the annotation archive;
`lists.sha256`    digests of the official lists, which `official_lists.py` regenerates from these tables.

The rows of `val.csv` and `train_semi.csv` stand in an order of which every official list is a part.
Source of all of them: github.com/LUSSeg/ImageNet-S at commit b2312ba.
"""

import csv
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "official"


@cache
def rows(table: str) -> list[list[str]]:
    """The rows of `official/<table>.csv` without the header, all cells as text."""
    with (FOLDER / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))[1:]
