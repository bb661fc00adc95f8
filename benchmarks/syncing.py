"""Measure the cost of syncing a build to disk: with and without the syncs of its jobs, in turn.

    python benchmarks/syncing.py FOLDER [--images demo] [--link auto] [--rounds 5] [--beside]

builds the demo, or a synthetic source of 50 with this number of train images (made once), into fresh folders
below FOLDER, which should be on a disk. With `--beside`, `dd` keeps writing to the same disk, as other users
of a shared server would.
"""

import argparse
import hashlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import yaml
from make_imagenet import make
from make_masks import make as make_masks
from measure import Taken, in_turn, machine, run

from imagenet_s.io.links import LINKS
from imagenet_s.spec.subsets import subset_of

ROOT = Path(__file__).parents[1]
SUBSET = 50

# Python imports `sitecustomize` when it starts. Snakemake's jobs inherit the path that it is imported from.
WITHOUT = """import os, sys
sys.path.insert(1, {package!r})
from imagenet_s.io import receipts
os.fsync = receipts._sync_file_system = lambda _: None
"""


def build(config: dict[str, object], patch: Path, waited: list[float], folder: Path) -> Taken:
    """Build into a fresh folder.

    Args:
        config: The configuration.
        patch: A folder that comes first on the import path.
        waited: Gets the seconds that all jobs waited for the disk, from their logs.
        folder: Where to make the fresh folder.
    """
    output = Path(tempfile.mkdtemp(dir=folder))
    (output / "config.yaml").write_text(yaml.safe_dump(config))
    os.sync()  # so that data of earlier builds is not measured
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        ROOT / "Snakefile",
        "--cores",
        "2",
        "--quiet",
    ]
    taken = run(command, cwd=output, env=os.environ | {"PYTHONPATH": str(patch)}, stderr=subprocess.DEVNULL)
    logs = [path.read_text() for path in (output / "results" / "work" / "logs").iterdir()]
    waited.append(sum(float(s) for text in logs for s in re.findall(r"Waited ([\d.]+) s for the disk", text)))
    shutil.rmtree(output)
    return taken


def settings(images: str, link: str, folder: Path) -> dict[str, object]:
    """Return the configuration of the build; make its source if it does not exist."""
    if images == "demo":
        return {"link": link}
    source, archive = folder / f"imagenet-{images}", folder / "annotations" / subset_of(SUBSET).archive_name
    if not archive.exists():
        make_masks(SUBSET, archive)
    if not source.exists():
        make("folders", SUBSET, int(images) // SUBSET, source)
    md5 = {SUBSET: hashlib.md5(archive.read_bytes()).hexdigest()}
    annotations = {"from": str(archive.parent), "md5": md5}
    config = {"imagenet": str(source), "subsets": [SUBSET], "train_images": "any"}
    return config | {"link": link, "annotations": annotations}


@contextmanager
def writer(folder: Path) -> Iterator[None]:
    """Run `dd` in a loop that keeps writing files of 2 GB."""
    loop = f"while :; do dd if=/dev/zero of={folder}/beside bs=1M count=2000 status=none; done"
    process = subprocess.Popen(["sh", "-c", loop], start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, 15)
        process.wait()
        (folder / "beside").unlink(missing_ok=True)


def main() -> None:
    """Run the benchmark and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--images", default="demo", help="number of train images, or `demo`")
    parser.add_argument("--link", choices=LINKS, default="auto")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--beside", action="store_true", help="with a process that writes to the same disk")
    options = parser.parse_args()
    folder = options.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    config = settings(options.images, options.link, folder)
    with tempfile.TemporaryDirectory() as name:
        with_syncs, without = Path(name, "with"), Path(name, "without")
        for patch in (with_syncs, without):
            patch.mkdir()
        text = WITHOUT.format(package=str(ROOT / "workflow"))
        (without / "sitecustomize.py").write_text(text)
        # The same imports without the patch, so that both variants import the same modules.
        (with_syncs / "sitecustomize.py").write_text(text.rpartition("os.fsync")[0])
        waited = {"without": [], "with syncs": []}
        patches = {"without": without, "with syncs": with_syncs}
        ways = {name: partial(build, config, patches[name], waited[name], folder) for name in waited}
        if options.beside:
            with writer(folder):
                taken = in_turn(ways, options.rounds)
        else:
            taken = in_turn(ways, options.rounds)
    what = "the demo" if options.images == "demo" else f"{options.images} train images, subset 50"
    print(
        f"{what}, link: {options.link}; medians of {options.rounds}, "
        f"{'with' if options.beside else 'without'} a writer"
    )
    print(f"{machine()}\n")
    for name, (seconds, _) in taken.items():
        ratio, share = seconds / taken["without"].seconds, statistics.median(waited[name]) / seconds
        print(
            f"{name}: {seconds:.2f} s ({ratio:.3f} ×); its jobs waited for the disk {share:.1%} of the time"
        )


if __name__ == "__main__":
    main()
