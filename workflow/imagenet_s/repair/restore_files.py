"""Making single files of a build again: images from the source, masks from the annotations, labels."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_s.annotations.unpack import masks_in
from imagenet_s.config.settings import Config
from imagenet_s.dataset.encoded_masks import encoded
from imagenet_s.dataset.manifests import manifest_rows
from imagenet_s.dataset.metadata import read_dataset
from imagenet_s.dataset.tree import entries
from imagenet_s.images.read import Reader
from imagenet_s.io.atomic import ensure_real_dir, remove_folder, sha256_of, write_atomically
from imagenet_s.io.links import place
from imagenet_s.masks.codec import BadMask
from imagenet_s.preflight.check import scan_source
from imagenet_s.repair.restore_manifests import annotations_of
from imagenet_s.source.layouts import reader_of
from imagenet_s.source.listing import Row, all_files
from imagenet_s.source.scan import SourceScan
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.subsets import (
    SPLITS,
    mask_of,
    tiers_of,
)
from imagenet_s.verify.adopt import ADOPTED
from imagenet_s.verify.compare import VerificationResult
from imagenet_s.verify.expected import IMAGE, LABEL, MASK
from imagenet_s.workspace.paths import Workspace


@dataclass(frozen=True)
class Copy:
    """A subset's folder, and the configuration it was built with."""

    config: Config
    subset: int
    root: Path

    @property
    def output(self) -> Path:
        return Path(self.config.output)

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.output)


def damaged_of(verdict: VerificationResult, kind: str, relocated: Set[str] = frozenset()) -> dict[str, str]:
    """path → sha256 of the files of a kind that are not what they must be, but for those `moved` back."""
    paths = {path for k, found in verdict.damage.items() if k != "extra" for path in found} - relocated
    files = verdict.expected.files
    wrong = pc.is_in(files["path"], pa.array(paths, pa.string()))
    rows = files.filter(pc.and_(pc.equal(files["kind"], kind), wrong))
    return dict(zip(rows["path"].to_pylist(), rows["sha256"].to_pylist(), strict=True))


def _behind(verdict: VerificationResult, kind: str, entries: Iterable[str]) -> dict[str, str]:
    """path → sha256 of all files of a kind that go with the links to folders on the way to `entries`.

    Such a link is replaced by a folder as soon as something is written there.
    """
    parents = {str(parent) for entry in entries for parent in Path(entry).parents}
    links = tuple(f"{parent}/" for parent in parents if (verdict.root / parent).is_symlink())
    files = verdict.expected.files
    rows = files.filter(pc.equal(files["kind"], kind)).select(["path", "sha256"]).to_pylist()
    return {row["path"]: row["sha256"] for row in rows if links and row["path"].startswith(links)}


def restore_images(copy: Copy, verdict: VerificationResult, relocated: Set[str], scratch: Path) -> list[str]:
    """Makes images again: the right link, or a copy of the right bytes."""
    damaged = damaged_of(verdict, IMAGE, relocated)
    if not damaged:
        return []
    listing, findings = _source(copy)
    splits = [split for split in SPLITS if f"manifests/{split}.csv" not in verdict.expected.damaged]
    lost = {path: "its manifest is damaged" for path in damaged if path.partition("/")[0] not in splits}
    # What comes later can tell only of images that the source has.
    rows = manifest_rows(copy.root, splits)
    one_pass = tuple("ILSVRC" if kind == "val" else "n" for kind in findings[0].one_pass)
    known = set(listing["image"].to_pylist())
    known = [Path(x).stem in known or Path(x).stem.startswith(one_pass) for x in rows["image"].to_pylist()]
    rows, absent = rows.filter(known), set(rows.filter(pc.invert(pa.array(known)))["image"].to_pylist())
    lost |= dict.fromkeys(absent & damaged.keys(), "the source does not have it")
    dataset = read_dataset(copy.root)
    link = "copy" if dataset and dataset["build"]["link"] == ADOPTED else copy.config.link
    plan = entries(copy.subset, rows, listing, findings, link, copy.workspace)
    targets = dict(zip(plan["path"].to_pylist(), plan.drop("path").to_pylist(), strict=True))
    wanted = {path: _wanted(copy.root, path, targets) for path in damaged.keys() - lost.keys()}
    behind = _behind(verdict, IMAGE, {want.entry for want in wanted.values()})
    damaged |= behind
    wanted |= {path: _wanted(copy.root, path, targets) for path in behind.keys() - lost.keys() - absent}
    pool = f"{os.path.abspath(copy.workspace.pool)}/"
    wrong = {path for path, want in wanted.items() if digest_of(want.file) != damaged[path]}
    lost |= dict.fromkeys(wrong, "the source has other bytes")
    copies = {Path(path).stem: path for path in wrong if wanted[path].file.startswith(pool)}
    got = set()
    for image, data in _bytes_of(set(copies), listing, findings):
        path = copies[image]
        if sha256(data).hexdigest() == damaged[path]:
            file = Path(wanted[path].file)
            write_atomically(
                data, ensure_real_dir(copy.workspace.pool, file.parent.relative_to(pool)) / file.name, scratch
            )
            got.add(image)
    lost = {path: why for path, why in lost.items() if Path(path).stem not in got}
    made = {want.entry: want for path, want in wanted.items() if path not in lost}
    problems = [text for want in made.values() for text in _linked(copy.root, want, scratch)]
    return [*problems, *(f"{path}: {why}" for path, why in sorted(lost.items()))]


class Wanted(NamedTuple):
    """How an image gets into a tree: the entry to make, what it links to, the file that it then is."""

    entry: str
    target: str
    kind: str
    file: str


def _wanted(root: Path, path: str, targets: Mapping[str, Mapping[str, str]]) -> Wanted:
    """The entry for an image: its own, or the link of its class folder."""
    if path in targets:
        own = targets[path]
        return Wanted(path, own["target"], own["kind"], own["target"])
    folder, _, name = path.rpartition("/")
    whole = targets[folder]
    file = f"{whole['target']}/{name}"
    if (root / folder).is_dir() and not (root / folder).is_symlink():  # it was not whole when it was linked
        return Wanted(path, file, whole["kind"], file)
    return Wanted(folder, whole["target"], whole["kind"], file)


def _linked(root: Path, want: Wanted, scratch: Path) -> list[str]:
    """Makes an entry; says why not if it cannot be made."""
    try:
        entry = ensure_real_dir(root, Path(want.entry).parent) / Path(want.entry).name
        if entry.is_dir() and not entry.is_symlink():
            remove_folder(entry)
        place(want.target, entry, want.kind, scratch)
    except OSError as error:
        return [f"{want.entry}: {error.strerror}"]
    return []


def _source(copy: Copy) -> tuple[pa.Table, list[SourceScan]]:
    """Where the source has its images by now, and what was found with them."""
    imagenet = copy.config.imagenet or os.path.abspath(copy.workspace.demo_images)
    index = copy.workspace.index
    index = Index(index if index.exists() else None)
    listings, findings = scan_source(Path(imagenet), tiers_of(copy.subset), index)
    return all_files(listings), findings


def _bytes_of(
    images: set[str], listing: pa.Table, findings: Sequence[SourceScan]
) -> Iterator[tuple[str, bytes]]:
    """(name without ending, bytes) of those of the images that the source has."""
    rows = listing.filter(pc.is_in(listing["image"], pa.array(images, pa.string()))).to_pylist()
    with Reader() as reader:
        for row in sorted(rows, key=lambda row: (row["path"], row["offset"] or 0)):
            yield row["image"], bytes(reader.read(Row(**row)))
    left = images - {row["image"] for row in rows}
    for path in (Path(path) for kind in findings[0].one_pass for path in getattr(findings[0], kind)):
        if left:
            yield from reader_of(path)(path).stream(left.__contains__)


def restore_masks(copy: Copy, verdict: VerificationResult, relocated: Set[str], scratch: Path) -> list[str]:
    """Takes masks out of the annotations again."""
    damaged = damaged_of(verdict, MASK, relocated)
    if not damaged:
        return []
    damaged |= _behind(verdict, MASK, damaged)
    folder = copy.workspace.masks(copy.subset)
    wrong = [mask for mask, digest in damaged.items() if digest_of(folder / mask) != digest]
    lost = {}
    if wrong:
        receipt = annotations_of(copy.config, copy.subset, copy.workspace)
        lost = dict.fromkeys(wrong, "is not in the annotations")
        for mask, data in masks_in(receipt, set(wrong)):
            if sha256(data).hexdigest() != damaged[mask]:
                lost[mask] = "the annotations have other bytes"
                continue
            write_atomically(data, ensure_real_dir(folder, Path(mask).parent) / Path(mask).name, scratch)
            del lost[mask]
    for mask in set(damaged) - set(lost):
        file = os.path.abspath(folder / mask)
        for text in _linked(copy.root, Wanted(mask, file, "hardlink", file), scratch):
            lost[mask] = text
    return [f"{mask}: {why}" for mask, why in sorted(lost.items())]


def restore_labels(copy: Copy, verdict: VerificationResult, relocated: Set[str], scratch: Path) -> list[str]:
    """Encodes masks again."""
    damaged, lost = damaged_of(verdict, LABEL, relocated), []
    damaged |= _behind(verdict, LABEL, damaged)
    for label, digest in damaged.items():
        mask, encoding = mask_of(label)
        try:
            data = encoded((copy.root / mask).read_bytes(), copy.subset, mask, encoding)
            if sha256(data).hexdigest() != digest:
                lost.append(f"{label}: this version of zlib-ng packs it in other bytes")
                continue
            entry = ensure_real_dir(copy.root, Path(label).parent) / Path(label).name
            if entry.is_dir() and not entry.is_symlink():
                remove_folder(entry)
            write_atomically(data, entry, scratch)
        except (OSError, BadMask) as error:
            lost.append(f"{label}: {error}")
    return lost


def digest_of(path: str | Path) -> str | None:
    try:
        return sha256_of(Path(path))
    except OSError:
        return None
