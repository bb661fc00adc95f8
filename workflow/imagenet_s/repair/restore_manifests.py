"""Restoring manifests and `dataset.json` of a build from its records."""

import hashlib
from collections.abc import Collection, Iterable
from pathlib import Path

import pyarrow.parquet as pq

from imagenet_s.annotations.fetch import fetch
from imagenet_s.annotations.unpack import mask_paths
from imagenet_s.config.settings import Config
from imagenet_s.dataset.companions import Records, save_companions
from imagenet_s.dataset.dataset_file import read_dataset
from imagenet_s.dataset.encoded_masks import encode_mask
from imagenet_s.dataset.manifests import save_manifests
from imagenet_s.dataset.metadata import Origin, describing_files, write_dataset
from imagenet_s.demo.generate import make_annotations
from imagenet_s.io.atomic import ensure_real_dir, read_json, write_atomically
from imagenet_s.masks.codec import BadMask
from imagenet_s.repair.damage import digest_of, free_place
from imagenet_s.spec.companions import FROM_DATASET, FROM_RECORDS
from imagenet_s.spec.encodings import ENCODINGS
from imagenet_s.spec.subsets import (
    DATASET,
    MASKED,
    SPLITS,
    label_folder,
    label_path,
    mask_folder,
    sample_manifests,
    tiers_of,
)
from imagenet_s.workspace.paths import Workspace

BUILD_AGAIN = "`snakemake --cores all --forcerun companions` writes it again"
OTHER_VERSION = f"it was written by another version of pyarrow or of this package; {BUILD_AGAIN}"


def make_manifests(root: Path, subset: int, output: Path, damaged: Iterable[str], scratch: Path) -> list[str]:
    """Restore damaged manifests; return those that could not be restored, and why.

    Manifests that differ from the digests in `dataset.json` are not written.

    Args:
        root: The folder of the subset.
        subset: 50, 300 or 919.
        output: The output folder of the build.
        damaged: The paths of the manifests in the subset's folder.
        scratch: A folder for temporary files, on the same file system as `root`.
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
            lost.append(f"manifests/{name}: the records of the build result in another digest")
            continue
        lost += _written(data, root, f"manifests/{name}", scratch)
    return lost


def make_companions(
    root: Path, subset: int, output: Path, damaged: Collection[str], scratch: Path
) -> list[str]:
    """Restore files of `COMPANIONS`; return those that could not be restored, and why.

    The arguments are those of `make_manifests`. Without a `dataset.json`, those of `FROM_DATASET` are left to
    `make_dataset`.
    """
    dataset, workspace = read_dataset(root), Workspace(output)
    made, lost = {}, []
    if dataset and not set(FROM_DATASET).isdisjoint(damaged):
        described = describing_files(dataset["content"], dataset["build"], root)
        made = {name: data for name, data in described.items() if name in damaged}
    records = Records(subset, workspace.samples(subset), workspace.mask_records(subset))
    reason = _unusable(records)
    names = [name for name in FROM_RECORDS if name in damaged]
    if names and reason:
        lost += [f"{name}: {reason}" for name in names]
    elif names:
        paths = {name: scratch / "companions" / name for name in names}
        ensure_real_dir(scratch, "companions/manifests")
        save_companions(records, paths)
        made |= {name: path.read_bytes() for name, path in paths.items()}
    stated = dataset["build"].get("files", {}) if dataset else {}
    for name, data in made.items():
        digest = hashlib.sha256(data).hexdigest()
        if dataset and digest != stated.get(name):
            lost.append(f"{name}: {OTHER_VERSION}")
        elif digest != digest_of(root / name):
            lost += _written(data, root, name, scratch)
    return lost


def _written(data: bytes, root: Path, path: str, scratch: Path) -> list[str]:
    """Write a file, also in place of an empty folder; return why not if its place is taken."""
    if text := _taken(root, path):
        return [text]
    write_atomically(data, root / path, scratch)
    return []


def _taken(root: Path, path: str) -> str | None:
    """Make room for a file; return why not if its place is taken."""
    try:
        free_place(root, path)
    except OSError as error:
        return f"{path}: its place is taken: {error.strerror}"
    return None


def _unusable(records: Records) -> str | None:
    """Return why no files can be made from the records of a build; None if they can."""
    for path in (records.samples, records.mask_records):
        if not path.exists():
            return f"the record of the build, {path}, is gone"
    if "id_pixels" not in pq.read_schema(records.mask_records).names:
        return f"the record of the build, {records.mask_records}, is of an earlier version; {BUILD_AGAIN}"
    return None


def make_dataset(root: Path, subset: int, output: Path, config: Config) -> list[str]:
    """Restore `dataset.json` from the manifests and the records; return why if that is not possible."""
    workspace = Workspace(output)
    findings = [workspace.findings(tier) for tier in tiers_of(subset)]
    annotations, samples = workspace.annotations(subset), workspace.samples(subset)
    gone = [str(path) for path in (*findings, annotations, samples) if not path.exists()]
    if gone:
        return [f"{DATASET}: records of the build are gone: {', '.join(gone)}"]
    # Keep all labels that have lists, also those that the configuration no longer asks for.
    lists = {path.stem for path in (root / "manifests").glob("*.sha256")}
    labels = [x for x in ENCODINGS if lists & {label_folder(split, x) for split in MASKED}]
    if taken := [text for name in (DATASET, *FROM_DATASET) if (text := _taken(root, name))]:
        return taken
    write_dataset(subset, labels, samples, root, Origin(findings, annotations, config.link))
    return []


def annotations_of(config: Config, subset: int, workspace: Workspace) -> Path:
    """Return the receipt of a subset's annotations; fetch them again if they are gone."""
    receipt = workspace.annotations(subset)
    if not (receipt.exists() and Path(read_json(receipt)["path"]).exists()):
        if config.demo_annotations:
            make_annotations(subset, workspace.demo / "annotations", receipt, 1)
        else:
            fetch(subset, config.annotations, config.md5[subset], workspace.downloads, receipt)
    return receipt


def _label_list(root: Path, subset: int, name: str) -> bytes:
    """Return a sha256 list of labels, computed from their masks."""
    folder = name.removesuffix(".sha256")
    split = next(split for split in SPLITS if folder.startswith(f"{mask_folder(split)}-"))
    encoding = folder.removeprefix(f"{mask_folder(split)}-")
    lines = []
    for mask in mask_paths(subset):
        if mask.startswith(f"{mask_folder(split)}/"):
            try:
                data = encode_mask((root / mask).read_bytes(), subset, mask, encoding)
            except (OSError, BadMask):
                continue
            lines.append(f"{hashlib.sha256(data).hexdigest()}  {label_path(mask, encoding)}\n")
    return "".join(lines).encode()
