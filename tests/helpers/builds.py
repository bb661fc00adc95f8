"""Builds for tests: stage by stage without Snakemake, or with it as a user runs it."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from imagenet_s.annotations.unpack import unpack_masks
from imagenet_s.config.build_request import BuildRequest
from imagenet_s.dataset.companions import Records, write_companions
from imagenet_s.dataset.encoded_masks import UnpackedMasks, encode_labels
from imagenet_s.dataset.manifests import write_manifests
from imagenet_s.dataset.metadata import Origin, write_dataset
from imagenet_s.dataset.samples import join_samples
from imagenet_s.dataset.tree import ScannedFiles, build_tree
from imagenet_s.images.read import read_part
from imagenet_s.images.stream import read_pass
from imagenet_s.io.atomic import read_json, write_json
from imagenet_s.preflight.check import check_and_list
from imagenet_s.source.layouts import find_places, one_pass_sets, pass_files
from imagenet_s.spec.shards import subset_parts, tier_of
from imagenet_s.spec.subsets import MASKED, label_folder, subset_of, tiers_of

ROOT = Path(__file__).parents[2]
SNAKEMAKE = Path(sys.executable).with_name("snakemake")


def build(
    imagenet: Path | tuple[Path, Path],
    annotations: dict,
    output: Path,
    link: str,
    subset: int = 50,
    labels: tuple = (),
) -> Path:
    """All stages of one subset, one after the other; returns the subset's folder.

    `imagenet` is the path of the source, or the paths of train and of val.
    """
    imagenet, val = imagenet if isinstance(imagenet, tuple) else (imagenet, None)
    work = output / "work"
    source, scratch = work / "source", work / "tmp" / "test"
    tree = output / subset_of(subset).name
    for tier in tiers_of(subset):
        check_and_list(tier, BuildRequest(imagenet, output, [subset], False, link, labels, val), source)
    listings = {tier: source / f"{tier}.parquet" for tier in tiers_of(subset)}
    findings = [path.with_suffix(".json") for path in listings.values()]
    places = find_places(imagenet, val)
    parts = subset_parts(subset, one_pass_sets(places), subset)
    records = {part: work / "images" / f"{part}.parquet" for part in parts}
    for part, path in records.items():
        if "pass" in part:
            read_pass(part, pass_files(places, part), path, work / "pool", scratch)
        else:
            copied = work / "pool" / f"{part}.json" if link == "copy" else None
            read_part(part, listings[tier_of(part)], path, work / "pool", copied, scratch)
    receipt, masks = work / "annotations" / f"{subset}.json", work / "masks" / f"{subset}.parquet"
    samples = work / "samples" / f"{subset}.parquet"
    write_json(receipt, annotations)
    unpack_masks(subset, receipt, output, masks, 1, scratch)
    join_samples(subset, False, list(records.values()), masks, receipt, samples)
    scanned = ScannedFiles(list(listings.values()), findings)
    build_tree(subset, samples, scanned, link, output, work / "trees" / f"{subset}.json")
    for encoding in labels:
        digests = {s: tree / "manifests" / f"{label_folder(s, encoding)}.sha256" for s in MASKED}
        unpacked = UnpackedMasks(subset, masks, masks.with_suffix(""))
        encode_labels(unpacked, encoding, tree, digests, 1, scratch)
    write_manifests(samples, tree / "manifests")
    write_companions(Records(subset, samples, masks), tree)
    write_dataset(subset, labels, samples, tree, Origin(findings, receipt, link))
    return tree


@dataclass(frozen=True)
class Run:
    """What a run of Snakemake came to: exit code, all that it printed, and the rules that ran."""

    code: int
    text: str

    @property
    def rules(self) -> list[str]:
        """The rule of each job that ended well, sorted, without `all`."""
        return sorted(r for r in re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", self.text) if r != "all")


def not_activated() -> dict[str, str]:
    """The variables of a user who calls `.venv/bin/snakemake` by its path and activated nothing."""
    folders = os.environ["PATH"].split(os.pathsep)
    path = os.pathsep.join(folder for folder in folders if Path(folder) != SNAKEMAKE.parent)
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return kept | {"PATH": path}


def snakemake(
    folder: Path,
    *arguments: str,
    project: Path = ROOT,
    before: tuple[str, ...] = (),
    profile: str = "verbose",
    **config,
) -> Run:
    """Runs Snakemake in `folder` on `project`'s workflow with a config file of `config`.

    `before` goes before the command, as `nice` does. With the profile `default` it prints what a user sees,
    with `verbose` also Snakemake's lines, which name each job.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    done = subprocess.run(
        [
            *(*before, SNAKEMAKE, "--snakefile", project / "Snakefile", "--cores", "2"),
            *("--workflow-profile", ROOT / "profiles" / profile, *arguments),
        ],
        cwd=folder,
        env=not_activated(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    return Run(done.returncode, done.stdout)


def check_sums(tree: Path) -> None:
    """Runs the system's own `sha256sum -c` over every list of a subset's folder."""
    lists = sorted(path.relative_to(tree) for path in (tree / "manifests").glob("*.sha256"))
    assert lists
    subprocess.run(["sha256sum", "-c", "--quiet", *lists], cwd=tree, check=True)


def digest(tree: Path) -> str:
    """The digest of the data set, as dataset.json states it."""
    return read_json(tree / "dataset.json")["content"]["digest"]


def image_files(folder: Path) -> dict[str, Path]:
    """Relative path → path of every file and link to a file below `folder`, through links to folders."""
    found = {}
    for parent, _, names in os.walk(folder, followlinks=True):
        for name in names:
            path = Path(parent) / name
            found[str(path.relative_to(folder))] = path
    return found
