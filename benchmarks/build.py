"""Measure a whole build, stage by stage, and how it grows with the number of images.

    python benchmarks/build.py FOLDER --images 10000 100000 1000000 [--subsets 919]
    python benchmarks/build.py FOLDER --images real --subsets 50 300 919

makes synthetic sources with these numbers of train images (once) and masks below FOLDER, builds each twice
into a fresh folder with Snakemake on two cores (the second run has nothing to do), and watches the jobs.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import yaml
from make_imagenet import class_sizes, make
from make_masks import make as make_masks
from measure import machine, memory_of

from imagenet_s.spec.classes import tier_classes
from imagenet_s.spec.shards import tiers
from imagenet_s.spec.subsets import SUBSETS, subset_of

ROOT = Path(__file__).parents[1]
INTERVAL = 0.2  # seconds between two samples of the jobs


@dataclass
class Job:
    """A job: its stage, when it began and was last seen, and its peak memory in bytes."""

    stage: str
    began: float
    seen: float
    memory: int = 0


@dataclass(frozen=True)
class Built:
    """A build.

    Attributes:
        jobs: The jobs of the first run.
        seconds: Of the first run.
        idle: Seconds of the first run without a job.
        again: Seconds of the second run.
        own_bytes: Bytes in `.snakemake`.
    """

    jobs: list[Job]
    seconds: float
    idle: float
    again: float
    own_bytes: int


def build(source: Path, annotations: Path, subsets: list[int], folder: Path) -> Built:
    """Build `subsets` in a fresh folder, twice, and watch the jobs."""
    md5 = {
        s: hashlib.md5((annotations / subset_of(s).archive_name).read_bytes()).hexdigest() for s in subsets
    }
    config = {"imagenet": str(source), "subsets": subsets, "train_images": "any"}
    config["annotations"] = {"from": str(annotations), "md5": md5}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2"]
    command += ["--workflow-profile", str(ROOT / "profiles" / "default")]
    seconds, jobs = [], []
    for _ in range(2):
        start = time.perf_counter()
        with (folder / "log.txt").open("w") as log:
            process = psutil.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
            done = threading.Event()
            watcher = threading.Thread(target=_watch, args=(process, jobs, done))
            watcher.start()
            code = process.wait()
        seconds.append(time.perf_counter() - start)
        done.set()
        watcher.join()
        if code:
            raise SystemExit((folder / "log.txt").read_text())
    busy = _union([(job.began, job.seen) for job in jobs])
    own = sum(path.stat().st_size for path in (folder / ".snakemake").rglob("*") if path.is_file())
    return Built(jobs, seconds[0], seconds[0] - busy, seconds[1], own)


def _watch(process: psutil.Process, jobs: list[Job], done: threading.Event) -> None:
    """Record the processes below `process` that are jobs of the build, until `done`."""
    found: dict[psutil.Process, Job] = {}
    while not done.wait(INTERVAL):
        try:
            children = process.children(recursive=True)
        except psutil.NoSuchProcess:
            return
        for child in children:
            try:
                if child not in found and (stage := _stage(child.cmdline())):
                    found[child] = Job(stage, child.create_time(), time.time())
                    jobs.append(found[child])
                if child in found:
                    found[child].seen = time.time()
                    found[child].memory = max(found[child].memory, memory_of(child))
            except psutil.NoSuchProcess:
                continue


def _stage(command: list[str]) -> str | None:
    """Return the stage that a process works on, or None if it is not a job of the build."""
    if len(command) < 2 or not command[1].endswith("workflow/launch.py"):
        return None
    words = command[2:]
    while words and words[0].startswith("--"):
        words = words[2:]
    return words[0] if words else None


def _union(spans: list[tuple[float, float]]) -> float:
    """Return the seconds that are in at least one of the spans."""
    total, until = 0.0, 0.0
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def print_table(builds: dict[str, Built]) -> None:
    """Print one row per stage: seconds of its jobs and the peak memory of one, by number of images."""
    print("| stage | jobs |", " | ".join(f"{name} images: s | peak memory" for name in builds), "|")
    print("|---|---|" + "---|---|" * len(builds))
    stages = list(dict.fromkeys(job.stage for built in builds.values() for job in built.jobs))
    for stage in stages:
        cells, count = [], 0
        for built in builds.values():
            jobs = [job for job in built.jobs if job.stage == stage]
            count = max(count, len(jobs))
            memory = max((job.memory for job in jobs), default=0)
            cells += [f"{sum(job.seen - job.began for job in jobs):.1f}", f"{memory / 1e6:,.0f} MB"]
        print(f"| {stage} | {count} | {' | '.join(cells)} |")
    for what, text in {
        "total wall-clock time": lambda b: f"{b.seconds:.1f}",
        "of which without a job (Snakemake itself)": lambda b: f"{b.idle:.1f}",
        "the second run": lambda b: f"{b.again:.1f}",
        "size of `.snakemake`": lambda b: f"{b.own_bytes / 1e6:.1f} MB",
    }.items():
        print(f"| {what} | |", " | ".join(f"{text(built)} |" for built in builds.values()), "|")


def main() -> None:
    """Run the benchmark and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--images", nargs="+", default=["10000"], help="numbers of train images, or `real`")
    parser.add_argument("--subsets", type=int, nargs="+", choices=SUBSETS, default=[919])
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    annotations = options.folder / "annotations"
    for subset in options.subsets:
        archive = annotations / subset_of(subset).archive_name
        if not archive.exists():
            make_masks(subset, archive)
    classes = sum(len(tier_classes(tier)) for tier in tiers(options.subsets))
    builds = {}
    for images in options.images:
        source = options.folder / f"imagenet-{images}"
        if not source.exists():
            real = images == "real"
            make(
                "folders",
                len(class_sizes(1)) if real else classes,
                None if real else int(images) // classes,
                source,
            )
        name = images if images == "real" else f"{int(images):,}"
        folder = tempfile.mkdtemp(prefix=f"build-{images}-", dir=options.folder)
        builds[name] = build(source, annotations, options.subsets, Path(folder))
    print(f"Subsets {options.subsets}, label id16, symlinks; two cores\n{machine()}\n")
    print_table(builds)


if __name__ == "__main__":
    main()
