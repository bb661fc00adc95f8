"""Measure building the tree of 919 with links, against the `ln -s` and `cp` of the official scripts.

    python benchmarks/trees.py results [--link symlink-files] [--rounds 3]

`results` is the output of a build of 919 with `link: symlink`. The build's own job runs into a fresh folder,
once for the train samples and once for those of the other splits, without masks. The scripts' steps are one
shell that calls `ln -s` or `cp` once per class. Merged classes are linked file by file, and with
`--link symlink-files` all classes.
"""

import argparse
import shlex
import sys
import tempfile
from collections import defaultdict
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from measure import LAUNCH, Taken, in_turn, machine, run

from imagenet_s.source.listing import all_files, read_listing
from imagenet_s.spec.subsets import SUBSETS


def run_job(results: Path, samples: Path, link: str, folder: Path) -> Taken:
    """Build the tree with the build's own job."""
    source, output = results / "work" / "source", Path(tempfile.mkdtemp(dir=folder))
    listings = [source / f"{tier}.parquet" for tier in SUBSETS]
    findings = [source / f"{tier}.json" for tier in SUBSETS]
    command = [sys.executable, LAUNCH, "tree", "--subset", "919", "--samples", samples, "--link", link]
    command += ["--listings", *listings, "--findings", *findings, "--output", output]
    return run([*command, "--receipt", output / "receipt.json"])


def run_scripts(steps: list[tuple[str, str, list[str]]], folder: Path) -> Taken:
    """Run one shell that makes each class folder and calls a command once for its files."""
    target = tempfile.mkdtemp(dir=folder)
    lines = [f"cd {target}"]
    for command, inside, files in steps:
        lines.append(f"mkdir -p {inside} && {command} {shlex.join(files)} {inside}/")
    script = Path(target, "steps.sh")
    script.write_text("\n".join(lines))
    return run(["sh", script])


def steps_of(
    samples: pa.Table, path_of: dict[str, str], command: str, folders: bool
) -> list[tuple[str, str, list[str]]]:
    """Return (command, folder, files) for each class.

    With `folders`, classes are linked as folders, and merged classes file by file.
    """
    by_class = defaultdict(list)
    for image in samples["image"].to_pylist():
        inside, _, name = image.rpartition("/")
        by_class[inside].append(path_of[name.removesuffix(".JPEG")])
    steps = []
    for inside, files in by_class.items():
        parents = {str(Path(file).parent) for file in files}
        if folders and len(parents) == 1:
            steps.append((command, "train", list(parents)))
        else:
            steps.append((command, inside, files))
    return steps


def main() -> None:
    """Run the benchmark and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--link", choices=("symlink", "symlink-files"), default="symlink")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    results = options.results.absolute()
    samples = pq.read_table(results / "work" / "samples" / "919.parquet")
    mask = samples.schema.get_field_index("mask")
    samples = samples.set_column(mask, "mask", pa.nulls(len(samples), pa.string()))
    listing = all_files(read_listing(results / "work" / "source" / f"{tier}.parquet") for tier in SUBSETS)
    path_of = dict(zip(listing["image"].to_pylist(), listing["path"].to_pylist(), strict=True))
    train = pc.equal(samples["split"], "train")
    sets = {"train": samples.filter(train), "the other splits": samples.filter(pc.invert(train))}
    rows = []
    with tempfile.TemporaryDirectory(dir=results.parent) as name:
        folder = Path(name)
        for what, some in sets.items():
            pq.write_table(some, folder / "samples.parquet")
            command = "ln -s" if what == "train" else "cp"
            steps = steps_of(some, path_of, command, what == "train" and options.link == "symlink")
            ways = {
                "build": partial(run_job, results, folder / "samples.parquet", options.link, folder),
                "scripts": partial(run_scripts, steps, folder),
            }
            own, other = (one.seconds for one in in_turn(ways, options.rounds).values())
            rows.append(f"| {what} | {len(some):,} | {own:.1f} s | {other:.1f} s | {other / own:.1f} |")
    print(f"Trees of 919, {options.link}; medians of {options.rounds}\n{machine()}\n")
    print(
        "| splits | images | build | `ln -s`, `cp` | times as fast |\n|---|---|---|---|---|", *rows, sep="\n"
    )


if __name__ == "__main__":
    main()
