"""Measure writing the manifests of a subset, against `pandas.to_csv` with the same rows.

    python benchmarks/manifests.py results/work/samples/919.parquet [--rounds 3]

The build's own job reads the samples and writes the tables and the lists of digests. Pandas writes only the
tables, from memory.
"""

import argparse
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from measure import LAUNCH, Taken, in_turn, machine, run

from imagenet_s.dataset.manifests import COLUMNS, DIGESTS


def run_job(samples: Path, folder: Path) -> Taken:
    """Write the manifests with the build's own job."""
    options = ["--samples", samples, "--folder", tempfile.mkdtemp(dir=folder)]
    return run([sys.executable, LAUNCH, "manifests", *options])


def run_pandas(tables: dict[str, pd.DataFrame], folder: Path) -> Taken:
    """Write the tables with pandas."""
    target = tempfile.mkdtemp(dir=folder)
    began = time.perf_counter()
    for split, table in tables.items():
        table.to_csv(f"{target}/{split}.csv", index=False)
    return Taken(time.perf_counter() - began, 0)


def main() -> None:
    """Run the benchmark and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("samples", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rows = pq.read_table(options.samples).to_pandas()
    for name in DIGESTS:
        rows[name] = rows[name].map(lambda digest: digest.hex() if digest else digest)
    tables = {split: some[list(COLUMNS)] for split, some in rows.groupby("split")}
    with tempfile.TemporaryDirectory() as name:
        ways = {
            "build": partial(run_job, options.samples, Path(name)),
            "`pandas.to_csv`": partial(run_pandas, tables, Path(name)),
        }
        taken = in_turn(ways, options.rounds)
    print(f"{len(rows):,} rows; medians of {options.rounds}\n{machine()}\n")
    print("| | s | × `pandas.to_csv` | peak memory |\n|---|---|---|---|")
    for name, (seconds, memory) in taken.items():
        ratio = seconds / taken["`pandas.to_csv`"].seconds
        print(f"| {name} | {seconds:.1f} | {ratio:.2f} | {f'{memory / 1e6:,.0f} MB' if memory else ''} |")


if __name__ == "__main__":
    main()
