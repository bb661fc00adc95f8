"""Measure how the latency of slow file systems is hidden, against one file at a time.

    python benchmarks/latency.py FOLDER [--per-class 512] [--ms 5] [--rounds 3] [--before CHECKOUT]

makes synthetic ImageNets of 50 classes below FOLDER, once, and builds and verifies subset 50 on two cores,
while a library (`latency.c`, compiled here) makes each call slow that opens, reads or links a file. Then it
builds without latency, also with an older CHECKOUT, and hashes files that are not in memory, as
`openssl dgst` does.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import yaml
from hashing import list_source, run_jobs
from make_imagenet import make
from make_masks import make as make_masks
from measure import LAUNCH, Taken, in_turn, machine, run

from imagenet_s.spec.classes import train_classes
from imagenet_s.spec.shards import subset_parts
from imagenet_s.spec.subsets import subset_of

SUBSET = 50
ROOT = Path(__file__).parents[1]
# The option of Snakemake that turns reading ahead off. Without the other two, Snakemake prints a warning.
ONE = ("--default-resources", "mem_mb=1000", "disk_mb=1000", "readers=1")
FEWER = 8  # times as few images where the output is slow, too


def make_source(layout: str, per_class: int, folder: Path) -> Path:
    """Return a source in this layout, in which each image has bytes of its own; make it if needed."""
    source = folder / f"{layout}-{per_class}"
    if not source.exists():
        linked = folder / f"{layout}-{per_class}-linked"
        make(layout, SUBSET, per_class, linked)
        subprocess.run(["cp", "-r", linked, source], check=True)  # makes a file of each hard link
        shutil.rmtree(linked)
        os.sync()
    return source


def compiled(folder: Path) -> Path | None:
    """Compile the library that makes calls slow, and return its path; None where that is not possible."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler or sys.platform != "linux":
        return None
    library = folder / "latency.so"
    code = Path(__file__).with_suffix(".c")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, code, "-ldl"], check=True)
    return library


def slow(library: Path, ms: float, folders: Sequence[Path], calls: Sequence[str]) -> dict[str, str]:
    """Return the environment in which calls (OPEN, READ, STAT or WRITE) wait `ms` below the folders."""
    waits = {f"SLOW_{call}": str(ms) for call in calls}
    return {"LD_PRELOAD": str(library), "SLOW_FOLDERS": ":".join(map(str, folders)), **waits}


def new_build(source: Path, masks: Path, link: str, folder: Path) -> Path:
    """Return a fresh folder with the configuration of a build."""
    made = Path(tempfile.mkdtemp(prefix="build-", dir=folder))
    md5 = {SUBSET: hashlib.md5(masks.read_bytes()).hexdigest()}
    config = {"imagenet": str(source), "subsets": [SUBSET], "train_images": "any", "link": link}
    config["annotations"] = {"from": str(masks.parent), "md5": md5}
    (made / "config.yaml").write_text(yaml.safe_dump(config))
    return made


def build(
    folder: Path,
    checkout: Path = ROOT,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Taken:
    """Run the workflow of a checkout in `folder` on two cores."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", checkout / "Snakefile", "--cores", "2"]
    command += ["--workflow-profile", checkout / "profiles" / "default", *options]
    with (folder / "log.txt").open("w") as log:
        return run(command, cwd=folder, env={**os.environ, **(environment or {})}, stderr=log)


def slow_rows(library: Path, options: argparse.Namespace, masks: Path) -> None:
    """Print what the slow calls cost with one file at a time, and with the default number of readers."""
    folder, per_class, ms = options.folder, options.per_class, options.ms
    folders = make_source("folders", per_class, folder)
    few = make_source("folders", per_class // FEWER, folder)
    tars = make_source("tar", per_class, folder)

    def built(source: Path, link: str, calls: Sequence[str], readers: Sequence[str]) -> Taken:
        made = new_build(source, masks, link, folder)
        below = [source]
        if "WRITE" in calls:
            below += [made / "results" / name for name in ("work/pool", "work/tmp", f"ImageNetS{SUBSET}")]
        return build(made, ROOT, readers, slow(library, ms, below, calls))

    copy = new_build(folders, masks, "auto", folder)
    build(copy)
    tree = copy / "results" / f"ImageNetS{SUBSET}"

    def verified(readers: Sequence[str]) -> Taken:
        count = ["--readers", "1"] if readers else []
        command = [sys.executable, LAUNCH, *count, "verify", tree, "--workers", "2"]
        return run(command, env={**os.environ, **slow(library, ms, [tree], ["OPEN", "STAT"])})

    rows = {
        "build from folders, slow: open": partial(built, folders, "auto", ["OPEN"]),
        "build from folders, slow: open, read, stat": partial(
            built, folders, "auto", ["OPEN", "READ", "STAT"]
        ),
        "build from tars, slow: open, read": partial(built, tars, "auto", ["OPEN", "READ"]),
        f"build with copies, 1/{FEWER} of the images, slow: open, rename, link, in the output, too": partial(
            built, few, "copy", ["OPEN", "WRITE"]
        ),
        "verify, slow: open, stat": verified,
    }
    print(f"\n{ms:g} ms a call. Memory: the peak of all processes together\n")
    print("| | one at a time | MB | ahead | MB | times as fast |\n|---|---|---|---|---|---|")
    for name, way in rows.items():
        one, ahead = way(ONE), way(())
        figures = [f"{taken.seconds:.1f} s | {taken.memory / 1e6:,.0f}" for taken in (one, ahead)]
        print(f"| {name} | {' | '.join(figures)} | {one.seconds / ahead.seconds:.1f} |", flush=True)


def fast_rows(options: argparse.Namespace, masks: Path) -> None:
    """Print what builds without latency take, with and without reading ahead, and with another version."""
    source = make_source("folders", options.per_class, options.folder)

    def built(checkout: Path, readers: Sequence[str]) -> Taken:
        return build(new_build(source, masks, "auto", options.folder), checkout, readers)

    ways = {"ahead": partial(built, ROOT, ()), "one at a time": partial(built, ROOT, ONE)}
    if options.before:
        ways = {"before": partial(built, options.before.resolve(), ()), **ways}
    taken = in_turn(ways, options.rounds)
    first = next(iter(taken.values()))
    print("\nBuild from folders, in memory, without latency\n\n| | s | ratio |\n|---|---|---|")
    for name, (seconds, _) in taken.items():
        print(f"| {name} | {seconds:.1f} | {seconds / first.seconds:.3f} |", flush=True)


def cold_rows(options: argparse.Namespace) -> None:
    """Print what hashing files takes that are not in memory, by the build's jobs and by `openssl`."""
    source = make_source("folders", options.per_class, options.folder)
    listings = list_source(source, SUBSET, options.folder)
    parts = [part for part in subset_parts(SUBSET) if part.startswith("train")]
    files = [path for wnid in train_classes(SUBSET) for path in (source / "train" / wnid).iterdir()]
    names = options.folder / "names"
    names.write_bytes(b"\0".join(os.fsencode(path) for path in files))

    def cold(way: partial[Taken]) -> Taken:
        for path in files:
            file = os.open(path, os.O_RDONLY)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)
        return way()

    command = f"xargs -0 -P{{}} -n64 openssl dgst -sha256 < {names}"
    ways = {f"openssl, {n} at a time": partial(run, ["sh", "-c", command.format(n)]) for n in (1, 8)}
    ways["jobs of the build, two at a time"] = partial(run_jobs, listings, parts, options.folder)
    taken = in_turn({name: partial(cold, way) for name, way in ways.items()}, options.rounds)
    size = sum(path.stat().st_size for path in files)
    print(f"\nHashing {len(files):,} files, {size / 1e9:.1f} GB, from the disk\n")
    print("| | s | MB/s | × openssl, 8 at a time |\n|---|---|---|---|")
    for name, (seconds, _) in taken.items():
        ratio = seconds / taken["openssl, 8 at a time"].seconds
        print(f"| {name} | {seconds:.1f} | {size / seconds / 1e6:,.0f} | {ratio:.2f} |", flush=True)


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--per-class", type=int, default=512, help="train images per class")
    parser.add_argument("--ms", type=float, default=5, help="how long a slow call waits, in milliseconds")
    parser.add_argument("--rounds", type=int, default=3, help="of the builds without latency")
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="an older version to compare with")
    options = parser.parse_args()
    began = time.monotonic()
    options.folder = options.folder.resolve()
    options.folder.mkdir(parents=True, exist_ok=True)
    masks = options.folder / "annotations" / subset_of(SUBSET).archive_name
    if not masks.exists():
        make_masks(SUBSET, masks)
    print(f"Subset {SUBSET}, {SUBSET * options.per_class:,} train images; two cores\n{machine()}", flush=True)
    if library := compiled(options.folder):
        slow_rows(library, options, masks)
    else:
        print("\nNot measured: slow calls. They need Linux and a C compiler (cc or gcc).")
    fast_rows(options, masks)
    cold_rows(options)
    print(f"\n{time.monotonic() - began:.0f} s in all")


if __name__ == "__main__":
    main()
