"""Builds on a real Slurm of two nodes, which loses a job and a node meanwhile.

With SLURM_SUBSETS=50,300 in the environment the larger of the two is built for these subsets.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from fuzz.kill_storm import leftovers
from helpers.builds import ROOT, build, check_sums, digest, snakemake
from imagenet_s.demo.generate import make_annotations, make_images
from imagenet_s.io.atomic import read_json
from imagenet_s.spec.subsets import subset_of
from slurm.cluster import NODES, Cluster, lacking, running

SUBSETS = [int(subset) for subset in os.environ.get("SLURM_SUBSETS", "50").split(",")]
PATIENCE = 240  # seconds

# What is of this cluster alone: it has no accounting, and no one minds being asked every second.
OWN = ["--slurm-status-command", "squeue", "--slurm-no-account", "--latency-wait", "5"]
OWN += ["--slurm-init-seconds-before-status-checks", "1", "--seconds-between-status-checks", "1"]

pytestmark = pytest.mark.skipif(bool(lacking()), reason=f"no Slurm can be started here: {lacking()}")
pytest.importorskip("snakemake_executor_plugin_slurm", reason="pip install -e '.[slurm]' is needed")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    with running(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster


@contextmanager
def started(
    cluster: Cluster, folder: Path, *targets: str, shown: str = "verbose", **config
) -> Iterator[subprocess.Popen]:
    """A run with the profile, as a user of the cluster starts it; it prints to `folder/printed`.

    `shown` is the profile that decides what it prints.
    """
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", *targets]
    profiles = ["--profile", ROOT / "profiles" / "slurm", "--workflow-profile", ROOT / "profiles" / shown]
    environment = {k: v for k, v in cluster.environment.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    with (folder / "printed").open("w") as printed:
        run = subprocess.Popen(
            [*command, *profiles, *OWN],
            cwd=folder,
            env=environment,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
    try:
        yield run
    finally:
        run.kill()
        run.wait()


def finished(run: subprocess.Popen, folder: Path) -> str:
    """What a run printed that must end well."""
    code = run.wait(PATIENCE)
    printed = (folder / "printed").read_text()
    assert code == 0, printed
    return printed


def images_read(cluster: Cluster, folder: Path, but: str = "") -> list[tuple[str, str]]:
    """(id, node) of the running jobs that read images for a run in `folder`, without the job `but`."""
    lines = cluster.ask("squeue", "-h", "-t", "R", "-o", "%A|%N|%k|%Z").splitlines()
    rows = [line.split("|") for line in lines]
    return [
        (job, node)
        for job, node, comment, where in rows
        if job != but and comment.startswith("rule_images") and where == str(folder)
    ]


def ended_on(cluster: Cluster, job: str) -> list[tuple[str, str]]:
    """How, and on which node, a job ended each time that it did."""
    return [(other.state, other.node) for other in cluster.jobs() if other.id == job]


def until(happened):
    """What `happened` returns, as soon as it is true."""
    began = time.monotonic()
    while not (found := happened()):
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.1)
    return found


@dataclass(frozen=True)
class Source:
    """A raw ImageNet, and subset → the receipt of annotations that fit."""

    imagenet: Path
    receipts: dict[int, dict]


@pytest.fixture(scope="module")
def larger(tmp_path_factory) -> Source:
    """All that `SUBSETS` list, and many more train images than the demo has."""
    folder = tmp_path_factory.mktemp("larger")
    receipts = {}
    for subset in SUBSETS:
        make_images(subset, folder / "imagenet", folder / "images.json", 2, folder / "scratch")
        make_annotations(subset, folder / "annotations", folder / f"{subset}.json", 2)
        receipts[subset] = read_json(folder / f"{subset}.json")
    for wnid in (folder / "imagenet" / "train").iterdir():
        image = next(wnid.iterdir())
        for number in range(90_000, 90_100):
            (wnid / f"{wnid.name}_{number}.JPEG").hardlink_to(image)
    return Source(folder / "imagenet", receipts)


def config_of(source: Source, annotations: Path) -> dict:
    """The config of a build that copies every image, from annotations under their official names."""
    annotations.mkdir()
    for subset, receipt in source.receipts.items():
        shutil.copy(receipt["path"], annotations / subset_of(subset).archive_name)
    return {
        "imagenet": str(source.imagenet),
        "subsets": SUBSETS,
        "train_images": "any",
        "link": "copy",
        "annotations": {"from": str(annotations), "md5": {s: r["md5"] for s, r in source.receipts.items()}},
        "labels": ["id16", "color"],
    }


def test_lost_jobs_a_lost_node_and_a_killed_snakemake_change_nothing(
    cluster, larger, imagenet50, annotations50, tmp_path
):
    demo, copied = tmp_path / "demo", tmp_path / "copied"
    config = config_of(larger, tmp_path / "annotations")
    with started(cluster, copied, "fetch", **config) as run:
        assert "Getting the annotations of ImageNetS50" in finished(run, copied)

    with started(cluster, demo, imagenet="demo") as first, started(cluster, copied, **config) as other:
        cancelled, _ = until(lambda: images_read(cluster, copied))[0]
        cluster.ask("scancel", cancelled)
        # Slurm decides on which node it is.
        lost, node = until(lambda: images_read(cluster, copied, but=cancelled))[0]
        cluster.ask("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
        until(lambda: images_read(cluster, demo))
        first.kill()
        with started(cluster, demo, shown="default", imagenet="demo") as second:
            until(lambda: ended_on(cluster, lost)[1:])
            cluster.ask("scontrol", "update", f"nodename={node}", "state=resume")
            printed = finished(other, copied)
            quiet = finished(second, demo).splitlines()

    summary = (demo / "results" / "summary.txt").read_text(encoding="utf-8").splitlines()
    assert quiet[-len(summary) - 2 : -2] == summary
    assert any("Reading images" in line for line in quiet)
    assert not [line for line in quiet if re.search("SLURM run|rule_|Job |Finished", line)]

    assert "Getting the annotations" not in printed
    submitted = dict(re.findall(r"submitted with SLURM jobid (\d+) .*/rule_images/([a-z0-9-]+)/", printed))
    again = [job for job, part in submitted.items() if part == submitted[cancelled]]
    assert [state for job in again for state, _ in ended_on(cluster, job)] == ["CANCELLED", "COMPLETED"]
    (other_node,) = set(NODES) - {node}
    assert ended_on(cluster, lost) == [("NODE_FAIL", node), ("COMPLETED", other_node)]
    assert {job.node for job in cluster.jobs() if job.state == "COMPLETED"} == set(NODES)
    assert cluster.ask("squeue", "-h") == ""

    here = build(imagenet50, annotations50, tmp_path / "here", "symlink")
    assert digest(demo / "results" / "ImageNetS50") == digest(here)
    for subset, receipt in larger.receipts.items():
        tree = copied / "results" / subset_of(subset).name
        here = build(larger.imagenet, receipt, tmp_path / f"here-{subset}", "copy", subset)
        assert digest(tree) == digest(here)
        check_sums(tree)
    for folder, settings in ((demo, {"imagenet": "demo"}), (copied, config)):
        assert leftovers(folder / "results") == []
        assert "Nothing to be done" in snakemake(folder, "--dry-run", **settings).text
