"""Kills builds at random moments, again and again; in the end all must be as if nothing had happened.

    python tests/fuzz/kill_storm.py --kills 100 --source official --link auto

Builds the same data set twice from a small synthetic source: once undisturbed, once with kills (SIGKILL: no
clean-up code runs) of Snakemake alone, of one process of a job alone, or of all at once. After each kill
the same command is given again. What stands under a final name is compared with the undisturbed build after
each kill; a build that comes to its end is removed, or made again by --forceall, and the storm goes on.
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import yaml

if __name__ == "__main__":  # a test has these on its path
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "workflow")]

from helpers.builds import ROOT, check_sums, digest, image_files, snakemake
from helpers.raw_imagenet import hugging_face_tars, official
from helpers.trees import linked_copy
from imagenet_s.demo.generate import make_annotations, make_images
from imagenet_s.io.atomic import read_json
from imagenet_s.spec.subsets import subset_of

SOURCES = {"folders": linked_copy, "official": official, "huggingface": hugging_face_tars}
KINDS = ("snakemake", "job", "all")
IMAGES = (".JPEG", ".png")
MANIFEST_FILES = (".csv", ".sha256")


@dataclass
class Storm:
    """A folder in which a build is disturbed, the undisturbed one, and figures of what happened."""

    folder: Path
    config: dict
    reference: Path
    random: random.Random
    kills: Counter = field(default_factory=Counter)
    stages: Counter = field(default_factory=Counter)
    runs: int = 0
    finished: int = 0
    files_compared: int = 0

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def __post_init__(self):
        self.right = {
            name: hashlib.sha256(path.read_bytes()).digest()
            for name, path in image_files(self.reference).items()
        }

    def rage(self, kills: int) -> None:
        """Starts the build and kills it until there were so many kills, then lets it come to its end."""
        longest, arguments = 10.0, []  # seconds
        while self.kills.total() < kills:
            run = _Run(self.folder, arguments)
            self.runs += 1
            began, moment = time.monotonic(), self.random.uniform(0.2, longest)
            while run.alive() and time.monotonic() - began < moment:
                time.sleep(0.02)
            if run.alive():
                kind = self.random.choice(KINDS)
                hit = run.kill(kind, self.random)
                if hit:
                    self.kills[kind] += 1
                    self.stages[hit] += 1
                    print(f"kill {self.kills.total()}: {kind}, at {hit}", file=sys.stderr, flush=True)
                    self.compare()
                if kind == "snakemake" and self.random.random() < 0.3:
                    run.leave_nothing()  # its orphans as well
                elif kind == "job" or not hit:
                    text = run.wait()  # Snakemake sees the job fail
                    assert "bug in imagenet-s" not in text, text
                arguments = arguments if self.random.random() < 0.5 else []
            else:
                text = run.wait()
                assert run.code == 0, text
                self.finished += 1
                self.compare(whole=True)
                arguments = ["--forceall"] if self.random.random() < 0.5 else []
                if not arguments:
                    shutil.rmtree(self.results)
        done = snakemake(self.folder, *arguments, **self.config)
        assert done.code == 0, done.text
        self.compare(whole=True)

    def compare(self, whole: bool = False) -> None:
        """Whatever stands under a final name must be right; a `whole` build has all, and nothing besides."""
        tree = self.results / "ImageNetS50"
        found = image_files(tree)
        for name, path in found.items():
            if path.suffix not in (*IMAGES, *MANIFEST_FILES) or path.name.startswith("."):
                continue
            assert name in self.right, f"{name} does not belong there"
            try:
                data = path.read_bytes()
            except FileNotFoundError:  # orphans of a killed run still work
                continue
            assert hashlib.sha256(data).digest() == self.right[name], f"{name} is not what it should be"
            self.files_compared += 1
        for path in (self.results / "work").glob("masks/50/*/*/*.png"):
            name = str(path.relative_to(self.results / "work" / "masks" / "50"))
            assert hashlib.sha256(path.read_bytes()).digest() == self.right[name], path
        for path in (self.results / "work").glob("pool/*/*/*.JPEG"):
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            assert path.stem.rpartition("-")[2] == sha256[:16], path
        if whole:
            assert set(found) == set(self.right)
            assert digest(tree) == digest(self.reference)
            check_sums(tree)
            assert not (left := leftovers(self.results)), left


def leftovers(results: Path) -> list[str]:
    """Temporary files below an output; the folder for them may stay, if it is empty."""
    paths = (path for path in results.rglob("*") if path != results / "work" / "tmp")
    return sorted(
        str(path.relative_to(results))
        for path in paths
        if path.name.startswith(".") or path.is_relative_to(results / "work" / "tmp")
    )


class _Run:
    """A run of Snakemake in a process group of its own."""

    def __init__(self, folder: Path, arguments: list[str]):
        self.folder, self.code = folder, None
        command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", "2"]
        environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
        self.printed = (folder / "printed").open("w+")
        self.process = subprocess.Popen(
            [*command, *arguments],
            cwd=folder,
            env=environment,
            stdout=self.printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def alive(self) -> bool:
        return self.process.poll() is None

    def members(self) -> dict[int, str]:
        """Process id → command line of the processes of the group, but for Snakemake itself."""
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal() or int(entry.name) == self.process.pid:
                continue
            try:
                group = int((entry / "stat").read_text().rpartition(")")[2].split()[2])
                if group == self.process.pid:
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except (OSError, IndexError):  # it has ended
                continue
        return {pid: command for pid, command in found.items() if command}

    def kill(self, kind: str, chance: random.Random) -> str:
        """Kills; returns the stage that was hit, or nothing if there was nothing to kill."""
        members = self.members()
        stages = {_stage(command) for command in members.values()} - {""}
        stage = "+".join(sorted(stages)) or "between jobs"
        try:
            if kind == "all":
                os.killpg(self.process.pid, signal.SIGKILL)
            elif kind == "snakemake":
                self.process.kill()
            else:
                if not members:
                    return ""
                os.kill(chance.choice(sorted(members)), signal.SIGKILL)
        except ProcessLookupError:
            return ""
        if kind != "job":
            self.process.wait()
        return stage

    def leave_nothing(self) -> None:
        for pid in self.members():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def wait(self) -> str:
        self.code = self.process.wait(300)
        self.printed.seek(0)
        return self.printed.read()


def _stage(command: str) -> str:
    """The command of `imagenet-s` in a command line."""
    words = command.partition("launch.py")[2].split()
    return next((word for k, word in enumerate(words) if k > 3 and word.isalpha()), "") if words else ""


def storm(folder: Path, kills: int, seed: int, source: str = "folders", link: str = "auto") -> Storm:
    """Makes a source and an undisturbed build below `folder`, then lets a storm of kills go over another."""
    make_images(50, folder / "plain", folder / "images.json", 2, folder / "scratch")
    make_annotations(50, folder / "annotations", folder / "annotations.json", 2)
    receipt = read_json(folder / "annotations.json")
    Path(receipt["path"]).rename(folder / "annotations" / subset_of(50).archive_name)
    config = {
        "imagenet": str(SOURCES[source](folder / "plain", folder / "imagenet")),
        "train_images": "any",
        "link": link,
        "annotations": {"from": str(folder / "annotations"), "md5": {50: receipt["md5"]}},
    }
    undisturbed = snakemake(folder / "undisturbed", **config)
    assert undisturbed.code == 0, undisturbed.text
    disturbed = folder / "disturbed"
    disturbed.mkdir()
    (disturbed / "config.yaml").write_text(yaml.safe_dump(config))
    reference = folder / "undisturbed" / "results" / "ImageNetS50"
    raging = Storm(disturbed, config, reference, random.Random(seed))
    raging.rage(kills)
    return raging


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--source", choices=SOURCES, default="folders")
    parser.add_argument(
        "--link", choices=("auto", "symlink", "symlink-files", "hardlink", "copy"), default="auto"
    )
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kill-storm-") as folder:
        raging = storm(Path(folder), options.kills, options.seed, options.source, options.link)
        found = digest(raging.results / "ImageNetS50")
        print(f"source {options.source}, link {options.link}, seed {options.seed}")
        print(f"kills  {raging.kills.total()}: {dict(raging.kills)}")
        print(f"hit    {dict(raging.stages.most_common())}")
        print(f"runs   {raging.runs + 1}, of which {raging.finished + 1} came to their end, exit 0")
        print(f"files  {raging.files_compared:,} compared after kills, all right; nothing left behind")
        right = found == digest(raging.reference)
        print(f"digest {found}, that of the undisturbed build: {right}")
    print(f"time   {time.monotonic() - began:.0f} s")
    if not right:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
