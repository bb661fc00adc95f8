"""Manifests and `dataset.json` made again from the records of a build, where a copy has damaged ones."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from imagenet_s.annotations.fetch import fetch
from imagenet_s.annotations.unpack import mask_paths
from imagenet_s.config.settings import Config
from imagenet_s.dataset.encoded_masks import encoded
from imagenet_s.dataset.manifests import save_manifests
from imagenet_s.dataset.metadata import Origin, read_dataset, write_dataset
from imagenet_s.demo.generate import make_annotations
from imagenet_s.io.atomic import ensure_real_dir, read_json, write_atomically
from imagenet_s.masks.codec import BadMask
from imagenet_s.spec.subsets import (
    DATASET,
    ENCODINGS,
    MASKED,
    SPLITS,
    label_folder,
    label_path,
    mask_folder,
    sample_manifests,
    tiers_of,
)
from imagenet_s.workspace.paths import Workspace


def make_manifests(root: Path, subset: int, output: Path, damaged: Iterable[str], scratch: Path) -> list[str]:
    """Writes the damaged ones of the manifests again; returns those that could not be, and why.

    `damaged` are paths in the subset's folder. What `dataset.json` vouches for must come out as it was.
    """
    names = [path.rpartition("/")[2] for path in damaged if path != DATASET]
    dataset = read_dataset(root)
    stated = dataset["content"]["manifests"] if dataset else {}
    samples = Workspace(output).samples(subset)
    lost = []
    if set(names) & set(sample_manifests()) and samples.exists():
        made_in = ensure_real_dir(scratch, "manifests")
        save_manifests(samples, {name: made_in / name for name in sample_manifests()})
    for name in names:
        made = scratch / "manifests" / name
        if name not in sample_manifests():
            data = _label_list(root, subset, name)
        elif made.exists():
            data = made.read_bytes()
        else:
            lost.append(f"manifests/{name}: the record of the build, {samples}, is gone")
            continue
        if stated and hashlib.sha256(data).hexdigest() != stated.get(name):
            lost.append(f"manifests/{name}: the records of the build give another one")
            continue
        write_atomically(data, ensure_real_dir(root, "manifests") / name, scratch)
    return lost


def make_dataset(root: Path, subset: int, output: Path, config: Config) -> list[str]:
    """Writes `dataset.json` again, from the manifests and the records; says why not if it cannot be."""
    workspace = Workspace(output)
    findings = [workspace.findings(tier) for tier in tiers_of(subset)]
    annotations, samples = workspace.annotations(subset), workspace.samples(subset)
    gone = [str(path) for path in (*findings, annotations, samples) if not path.exists()]
    if gone:
        return [f"{DATASET}: records of the build are gone: {', '.join(gone)}"]
    # Labels that the configuration does not ask for (any more) are none of a repair's business.
    lists = {path.stem for path in (root / "manifests").glob("*.sha256")}
    labels = [x for x in ENCODINGS if lists & {label_folder(split, x) for split in MASKED}]
    write_dataset(subset, labels, samples, root, Origin(findings, annotations, config.link))
    return []


def annotations_of(config: Config, subset: int, workspace: Workspace) -> Path:
    """The receipt of a subset's annotations, which are fetched again if they are gone."""
    receipt = workspace.annotations(subset)
    if not (receipt.exists() and Path(read_json(receipt)["path"]).exists()):
        if config.demo_annotations:
            make_annotations(subset, workspace.demo / "annotations", receipt, 1)
        else:
            fetch(subset, config.annotations, config.md5[subset], workspace.downloads, receipt)
    return receipt


def _label_list(root: Path, subset: int, name: str) -> bytes:
    """A list of the digests of labels, from the masks that the labels are made of."""
    folder = name.removesuffix(".sha256")
    split = next(split for split in SPLITS if folder.startswith(f"{mask_folder(split)}-"))
    encoding = folder.removeprefix(f"{mask_folder(split)}-")
    lines = []
    for mask in mask_paths(subset):
        if mask.startswith(f"{mask_folder(split)}/"):
            try:
                data = encoded((root / mask).read_bytes(), subset, mask, encoding)
            except (OSError, BadMask):
                continue
            lines.append(f"{hashlib.sha256(data).hexdigest()}  {label_path(mask, encoding)}\n")
    return "".join(lines).encode()
