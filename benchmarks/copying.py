"""Measure copying and hashing 40,000 images in one pass, against `cp -r` of the same folders.

    python benchmarks/copying.py FOLDER [--per-class 800] [--rounds 3]

makes the classes of subset 50 in FOLDER, once. Each round copies 4.4 GB per variant into fresh folders. These
are removed only at the end, because ext4 creates files slowly where many were just deleted.
"""

import argparse
import tempfile
from functools import partial
from pathlib import Path

from hashing import list_source, run_jobs
from make_imagenet import make
from measure import Taken, in_turn, machine, run

from imagenet_s.spec.classes import train_classes
from imagenet_s.spec.shards import tier_parts

SUBSET = 50


def cp(imagenet: Path, folder: Path) -> Taken:
    """Copy the train folders into a fresh one with `cp -r`."""
    return run(
        ["cp", "-r", *(imagenet / "train" / w for w in train_classes(SUBSET)), tempfile.mkdtemp(dir=folder)]
    )


def main() -> None:
    """Run the benchmark and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--per-class", type=int, default=800)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    imagenet = options.folder / f"imagenet-50-{options.per_class}"
    if not imagenet.exists():
        make("folders", SUBSET, options.per_class, imagenet)
    listings = list_source(imagenet, SUBSET, options.folder)
    parts = [part for part in tier_parts(SUBSET) if part.startswith("train")]
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        ways = {
            "copied and hashed, two jobs": partial(run_jobs, listings, parts, Path(name), "copied"),
            "`cp -r`": partial(cp, imagenet, Path(name)),
        }
        taken = in_turn(ways, options.rounds)
    count = sum(len(list((imagenet / "train" / wnid).iterdir())) for wnid in train_classes(SUBSET))
    print(f"{count:,} images; medians of {options.rounds}\n{machine()}\n")
    print("| | s | images/s | × `cp -r` |\n|---|---|---|---|")
    for name, (seconds, _) in taken.items():
        print(
            f"| {name} | {seconds:.1f} | {count / seconds:,.0f} | {seconds / taken['`cp -r`'].seconds:.2f} |"
        )


if __name__ == "__main__":
    main()
