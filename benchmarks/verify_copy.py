"""Measure verifying a copy at each level, against `find -L` and `openssl dgst` on the same files.

    python benchmarks/verify_copy.py results/ImageNetS919 [--workers 2] [--rounds 3]

The baselines run in turn with `verify`, after a warm-up of the variants that only read names and sizes.
"""

import argparse
import subprocess
import sys
from functools import partial
from pathlib import Path

from measure import LAUNCH, in_turn, machine, run


def main() -> None:
    """Run the benchmark and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("copy", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    files = f"find -L {options.copy} -path '*/train-full' -prune -o -type f"
    hashing = f"{files} -print0 | xargs -0 -P{options.workers} -n64 openssl dgst -sha256"
    ways = {"find": ["sh", "-c", f"{files} -print"], "openssl": ["sh", "-c", hashing]}
    for level in ("complete", "size", "sha256"):
        ways[level] = [sys.executable, LAUNCH, "verify", options.copy, "--level", level]
        ways[level] += ["--workers", str(options.workers)]
    ways = {name: partial(run, command, codes=(0, 123)) for name, command in ways.items()}
    for name in ("find", "complete", "size"):
        ways[name]()
    sizes = list(map(int, subprocess.check_output(f"{files} -printf '%s\\n'", shell=True).split()))
    taken = in_turn(ways, options.rounds)
    print(f"{options.copy}: {len(sizes):,} files, {sum(sizes) / 1e9:.1f} GB\n{machine()}\n")
    print("| | s | files/s | MB/s | × `find -L` | × `openssl` | peak memory |\n|---|---|---|---|---|---|---|")
    for name, (seconds, memory) in taken.items():
        rate = f"{sum(sizes) / seconds / 1e6:,.0f}" if name in ("openssl", "sha256") else ""
        ratios = f"{seconds / taken['find'].seconds:.2f} | {seconds / taken['openssl'].seconds:.2f}"
        figures = f"{seconds:.1f} | {len(sizes) / seconds:,.0f} | {rate} | {ratios}"
        print(f"| {name} | {figures} | {memory / 1e6:,.0f} MB |")


if __name__ == "__main__":
    main()
