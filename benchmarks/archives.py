"""Measure reading ImageNet from archives: bytes, memory and time of building 50, by layout.

    python benchmarks/archives.py FOLDER [--per-class 30] [--rounds 3]

makes a synthetic ImageNet of about 1,000 classes in each layout below FOLDER, lists it, and reads the images
of subset 50 with two workers. In turn, it unpacks the same nested tar with `tar xf`. Bytes are what the jobs
read with system calls (rchar of /proc/self/io) after their modules were loaded.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

import make_imagenet
from measure import Taken, in_turn, machine

from imagenet_s.config.build_request import BuildRequest
from imagenet_s.images.read import read_part
from imagenet_s.images.stream import read_pass
from imagenet_s.preflight.check import check_and_list
from imagenet_s.source.layouts import find_places, one_pass_sets, pass_files
from imagenet_s.source.readers.base import ScanNotes
from imagenet_s.source.readers.tar import Tar
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.shards import subset_parts

SUBSET = 50


def job(name: str, root: str, output: str) -> None:
    """Run one job of a build in this process, and print its bytes read and peak memory as JSON."""
    imagenet, work = Path(root), Path(output) / "work"
    scratch, records, pool = work / "tmp" / name, work / "images" / f"{name}.parquet", work / "pool"
    before = _bytes_read()
    if name == "source":
        request = BuildRequest(imagenet, Path(output), [SUBSET], False, "auto", [])
        check_and_list(SUBSET, request, work / "source")
    elif "pass" in name:
        read_pass(name, pass_files(find_places(imagenet), name), records, pool, scratch)
    else:
        read_part(name, work / "source" / f"{SUBSET}.parquet", records, pool, None, scratch)
    # Not ru_maxrss, which starts at the value of the parent process.
    memory = int(_proc("status")["VmHWM"].split()[0]) * 1024
    print(json.dumps({"read": _bytes_read() - before, "memory": memory}))


def build(root: Path, output: Path) -> tuple[float, int, int]:
    """List and read subset 50; return seconds, bytes read and the peak memory of a job in bytes."""
    began = time.perf_counter()
    parts = subset_parts(SUBSET, one_pass_sets(find_places(root)), SUBSET)
    results = [_run("source", root, output)]
    with ThreadPoolExecutor(2) as workers:
        results += workers.map(lambda part: _run(part, root, output), parts)
    seconds = time.perf_counter() - began
    return seconds, sum(r["read"] for r in results), max(r["memory"] for r in results)


def unpack(root: Path, target: Path, wnids: list[str]) -> float:
    """Return the seconds that `tar xf` takes for the archives and the tars of `wnids` in them."""
    began = time.perf_counter()
    for kind in ("train", "val"):
        (target / kind).mkdir(parents=True)
        subprocess.run(["tar", "xf", root / f"ILSVRC2012_img_{kind}.tar", "-C", target / kind], check=True)
    for wnid in wnids:
        (target / "train" / wnid).mkdir()
        archive = target / "train" / f"{wnid}.tar"
        subprocess.run(["tar", "xf", archive, "-C", target / "train" / wnid], check=True)
    return time.perf_counter() - began


def build_index(archive: Path) -> int:
    """Return the number of images in an archive of one tar per class, as the build finds them."""
    tar = Tar(archive, ScanNotes(), Index())
    return sum(len(images) for _, images in tar.train_images(tar.classes()))


def tarfile_index(archive: Path) -> int:
    """Return the same number by `tarfile.getmembers`."""
    count = 0
    with tarfile.open(archive) as outer:
        for member in outer.getmembers():
            with tarfile.open(fileobj=outer.extractfile(member)) as inner:
                count += len(inner.getmembers())
    return count


def timed(way: Callable[[Path], int], archive: Path) -> Taken:
    """Return the time that a way of indexing an archive takes."""
    began = time.perf_counter()
    way(archive)
    return Taken(time.perf_counter() - began, 0)


def _run(name: str, root: Path, output: Path) -> dict[str, int]:
    command = [sys.executable, __file__, "--job", name, str(root), str(output)]
    taken: dict[str, int] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return taken


def _bytes_read() -> int:
    return int(_proc("io")["rchar"])


def _proc(name: str) -> dict[str, str]:
    lines = Path(f"/proc/self/{name}").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def _needed(output: Path) -> int:
    """Return the bytes of all recorded images."""
    return sum(sum(pq.read_table(p)["bytes"].to_pylist()) for p in (output / "work" / "images").iterdir())


def main() -> None:
    """Run the benchmark and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--per-class", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    classes = list(make_imagenet.class_sizes(options.per_class))
    print(f"{machine()}\n")
    print("| layout | images of 50 | bytes read / bytes of the images | s | peak memory of a job |")
    print("|---|---|---|---|---|")
    for layout in make_imagenet.MAKERS:
        root, output = options.folder / layout, options.folder / "results" / layout
        if not root.exists():
            make_imagenet.make(layout, len(classes), options.per_class, root)
        seconds, read, memory = build(root, output)
        needed = _needed(output)
        figures = f"{needed / 1e6:,.0f} MB | {read / needed:.2f} | {seconds:.1f} | {memory / 1e6:,.0f} MB"
        print(f"| {layout} | {figures} |")
        shutil.rmtree(output)
        if layout != "tar":
            shutil.rmtree(root)
    root, times = options.folder / "tar", {"build": [], "50 classes": [], "all classes": []}
    for _ in range(options.rounds):
        for what, wnids in (("build", None), ("50 classes", classes[:SUBSET]), ("all classes", classes)):
            target = options.folder / "results" / "tar"
            times[what].append(build(root, target)[0] if wnids is None else unpack(root, target, wnids))
            shutil.rmtree(target)
    own = statistics.median(times["build"])
    archive = root / "ILSVRC2012_img_train.tar"
    size = os.path.getsize(archive)
    print(
        f"\nNested tar of {size / 1e9:.1f} GB, {len(classes)} classes; medians of {options.rounds}, in turn:"
    )
    print(f"- the build: subset 50 listed, hashed and copied: {own:.1f} s")
    for what in ("50 classes", "all classes"):
        other = statistics.median(times[what])
        print(
            f"- `tar xf` of the archives and of the tars of {what}: {other:.1f} s; "
            f"the build takes {own / other:.2f} ×"
        )
    ways = {"build": partial(timed, build_index, archive), "tarfile": partial(timed, tarfile_index, archive)}
    own, other = (one.seconds for one in in_turn(ways, options.rounds).values())
    print(
        f"- indexing its {build_index(archive):,} members: {own:.2f} s; with `tarfile.getmembers()` "
        f"{other:.2f} s, {other / own:.1f} times as long"
    )


if __name__ == "__main__":
    if sys.argv[1] == "--job":
        job(*sys.argv[2:])
    else:
        main()
