"""Measure hashing all train images of subset 919, against `openssl dgst` on the same files.

    python benchmarks/hashing.py FOLDER [--per-class real] [--rounds 3]

makes a synthetic ImageNet in FOLDER, once. Its images are hard links to a few files, so everything is read
from memory. The build's own jobs run two at a time; they also read the pixel sizes and write records.
"""

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from make_imagenet import make
from measure import LAUNCH, Taken, in_turn, machine, run

from imagenet_s.config.build_request import BuildRequest
from imagenet_s.preflight.check import check_and_list
from imagenet_s.spec.classes import train_classes
from imagenet_s.spec.shards import subset_parts, tier_of
from imagenet_s.spec.subsets import tiers_of

SUBSET = 919


def run_jobs(listings: Path, parts: list[str], folder: Path, *copied: str) -> Taken:
    """Run the build's job for each part, two at a time; return the total time and the peak memory of one."""
    output = Path(tempfile.mkdtemp(dir=folder))

    def job(part: str) -> Taken:
        places = {"listing": listings / f"{tier_of(part)}.parquet", "records": output / f"{part}.parquet"}
        places |= {"pool": output / "pool", "scratch": output / "tmp" / part}
        places |= {name: output / f"{part}.json" for name in copied}
        options = [word for name, path in places.items() for word in (f"--{name}", path)]
        return run([sys.executable, LAUNCH, "images", "--part", part, *options])

    began = time.perf_counter()
    with ThreadPoolExecutor(2) as workers:
        taken = list(workers.map(job, parts))
    return Taken(time.perf_counter() - began, max(one.memory for one in taken))


def list_source(imagenet: Path, subset: int, folder: Path) -> Path:
    """List the source; return the folder of the listings."""
    listings = Path(tempfile.mkdtemp(dir=folder))
    for tier in tiers_of(subset):
        request = BuildRequest(imagenet, folder / "output", [subset], False, "symlink", [])
        check_and_list(tier, request, listings)
    return listings


def main() -> None:
    """Run the benchmark and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--per-class", default="real", help="train images per class, or `real`")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    imagenet = options.folder / f"imagenet-{options.per_class}"
    if not imagenet.exists():
        make("folders", 1000, None if options.per_class == "real" else int(options.per_class), imagenet)
    listings = list_source(imagenet, SUBSET, options.folder)
    parts = [part for part in subset_parts(SUBSET) if part.startswith("train")]
    files = f"cd {imagenet}/train && find {' '.join(train_classes(SUBSET))} -type f"
    openssl = f"{files} -print0 | xargs -0 -P2 -n64 openssl dgst -sha256"
    ways = {
        "build": partial(run_jobs, listings, parts, options.folder),
        "openssl": partial(run, ["sh", "-c", openssl]),
    }
    taken = in_turn(ways, options.rounds)
    sizes = [
        path.stat().st_size for w in train_classes(SUBSET) for path in (imagenet / "train" / w).iterdir()
    ]
    print(f"{len(sizes):,} train images, {sum(sizes) / 1e9:.1f} GB, from memory; medians of {options.rounds}")
    print(f"{machine()}\n")
    print("| | s | images/s | MB/s | × `openssl` | peak memory of a job |\n|---|---|---|---|---|---|")
    for name, (seconds, memory) in taken.items():
        figures = f"{seconds:.1f} | {len(sizes) / seconds:,.0f} | {sum(sizes) / seconds / 1e6:,.0f}"
        print(f"| {name} | {figures} | {seconds / taken['openssl'].seconds:.2f} | {memory / 1e6:,.0f} MB |")


if __name__ == "__main__":
    main()
