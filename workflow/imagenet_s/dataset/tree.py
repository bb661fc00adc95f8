"""The official tree of a subset, made of links: which entry goes where, and nothing of another build."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imagenet_s.dataset.samples import read_samples
from imagenet_s.images.pool import pool_path
from imagenet_s.io.atomic import ensure_real_dir, remove_folder, remove_if_empty, scratch_folder
from imagenet_s.io.links import link_problems, no_link_from_archives, place
from imagenet_s.io.receipts import durable, write_receipt
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.progress import log, progress
from imagenet_s.source.listing import all_files, read_listing
from imagenet_s.source.scan import SourceScan, folder_links, read_scan
from imagenet_s.spec.subsets import (
    DATASET,
    ENCODINGS,
    MASKED,
    SPLITS,
    label_folder,
    mask_folder,
    sample_manifests,
)
from imagenet_s.workspace.paths import Workspace

ENDINGS = ("", ".JPEG", ".png")  # of links to class folders, images, masks
BATCH = 10_000  # entries between two steps of the progress bar


@dataclass(frozen=True)
class ScannedFiles:
    """What scanning the source wrote, one file each a tier: where its images lie, and what else was found."""

    listings: Sequence[Path]
    findings: Sequence[Path]


def build_tree(
    subset: int, samples: Path, scanned: ScannedFiles, link: str, output: Path, receipt: Path
) -> None:
    """Makes `output/ImageNetS<n>` hold exactly the subset's images and masks.

    `link` says how images get there; with `copy`, and for masks, it is a hard link to the copies below
    `output/work`. What an earlier build made and this one does not want is removed; what neither made
    is left, and never written through. `receipt` gets the counts.

    Raises UserError where something of the user's stands in the way.
    """
    workspace = Workspace(output)
    folder = workspace.tree(subset)
    seen = [read_scan(path) for path in scanned.findings]
    listing = all_files(map(read_listing, scanned.listings))
    rows = read_samples(samples, ["image", "wnid", "imagenet_wnid", "sha256", "mask"])
    wanted = entries(subset, rows, listing, seen, link, workspace)
    _require_pooled(wanted, workspace.pool)
    images = wanted.filter(pc.equal(wanted["kind"], link))["target"]
    for problem in link_problems(images[:1].to_pylist(), link, output, workspace.tmp):
        raise UserError(problem)
    plan = workspace.plan(subset)
    root = ensure_real_dir(output, folder.name)
    # Until the new build is whole, nothing may vouch for what is here.
    (root / DATASET).unlink(missing_ok=True)
    ensure_real_dir(root, "manifests")
    before = _read_plan(plan, root)
    # Written before the first entry: a killed run must not leave entries that nobody knows of.
    _write_plan(plan, pa.concat_arrays([before, wanted["path"].combine_chunks()]).unique(), seen[0])
    gone = before.filter(pc.invert(pc.is_in(before, value_set=wanted["path"])))
    _remove(root, gone.to_pylist())
    with scratch_folder(workspace.tmp / f"tree-{subset}") as scratch:
        made = _place(root, wanted, scratch, f"Linking {folder.name}")
    _write_plan(plan, wanted["path"].combine_chunks(), seen[0])
    log.info("%s: %s entries, %s of them new, %s removed", root, len(wanted), made, len(gone))
    write_receipt(receipt, {"link": link, "entries": len(wanted)}, root)


def remove_tree(output: Path, subset: int) -> None:
    """Removes all that builds made in a subset's folder; what is left then is not theirs, and stays."""
    workspace = Workspace(output)
    root = workspace.tree(subset)
    _remove(root, _made(workspace, subset))
    workspace.plan(subset).unlink(missing_ok=True)
    if root.is_dir() and not remove_if_empty(root):
        log.warning("%s is left: it holds what this pipeline did not make", root)


def made_in(output: Path, subset: int) -> int:
    """How many entries `remove_tree` would remove."""
    workspace = Workspace(output)
    root = workspace.tree(subset)
    return sum(os.path.lexists(root / path) for path in _made(workspace, subset))


def _made(workspace: Workspace, subset: int) -> list[str]:
    """Everything that builds made in a subset's folder, by its plan and its lists; the lists come last."""
    root = workspace.tree(subset)
    paths = _read_plan(workspace.plan(subset), root).to_pylist()
    lists = [f"manifests/{name}" for name in sample_manifests()]
    for split, encoding in product(MASKED, ENCODINGS):
        lists.append(f"manifests/{label_folder(split, encoding)}.sha256")
        lines = (root / lists[-1]).read_text().splitlines() if (root / lists[-1]).exists() else []
        paths += [line.partition("  ")[2] for line in lines]
    return [*paths, DATASET, *lists]


def entries(
    subset: int,
    rows: pa.Table,
    listing: pa.Table,
    findings: Sequence[SourceScan],
    link: str,
    workspace: Workspace,
) -> pa.Table:
    """Every entry of the tree: `path` in the subset's folder, `target`, `kind` of link; by path.

    `rows` are the samples (`image`, `wnid`, `imagenet_wnid`, `sha256`, `mask`), `listing` says where the
    images lie.
    """
    masks = rows["mask"].drop_null().combine_chunks()
    origin = os.path.abspath(workspace.masks(subset))
    tables = [_table(masks, pc.binary_join_element_wise(origin, masks, "/"), "hardlink")]
    kind = {"auto": "symlink", "copy": "hardlink"}.get(link, link)
    if kind == "symlink":
        folders = folder_links(subset, findings)
        tables.append(_table(pa.array(folders, pa.string()), pa.array(folders.values(), pa.string()), kind))
        parents = pc.replace_substring_regex(rows["image"], "/[^/]*$", "")
        rows = rows.filter(pc.invert(pc.is_in(parents, value_set=tables[-1]["path"])))
    images = rows["image"].combine_chunks()
    names = pc.replace_substring_regex(images, r"^.*/|\.JPEG$", "")
    lying = listing.take(pc.index_in(names, value_set=listing["image"]))
    # What no listing has was read in one pass.
    pooled = pc.or_(lying["offset"].is_valid(), lying["path"].is_null())
    archives = pc.any(pooled.filter(pc.starts_with(images, "train/"))).as_py()
    if subset == 919 and not archives:
        tables.append(_table(pa.array(["train-full"]), pa.array(findings[0].train[:1]), "symlink"))
    if link == "copy":
        pooled = pa.array([True] * len(rows), pa.bool_())
    elif link != "auto" and pc.any(pooled).as_py():
        raise UserError(no_link_from_archives(link, findings[0].train + findings[0].val))
    in_pool = _pool_paths(names.filter(pooled), rows.filter(pooled), workspace.pool)
    tables.append(_table(images.filter(pooled), in_pool, "hardlink"))
    linked = pc.invert(pooled)
    tables.append(_table(images.filter(linked), lying["path"].filter(linked), kind))
    return pa.concat_tables(tables).sort_by("path")


def _pool_paths(names: pa.Array, rows: pa.Table, pool: Path) -> pa.Array:
    columns = names, rows["imagenet_wnid"], rows["sha256"]
    paths = map(pool_path, *(column.to_pylist() for column in columns))
    return pa.array([f"{os.path.abspath(pool)}/{path}" for path in paths], pa.string())


def _require_pooled(wanted: pa.Table, pool: Path) -> None:
    """Raises UserError for copies that the tree links to and that are gone."""
    targets = wanted.filter(pc.starts_with(wanted["target"], f"{os.path.abspath(pool)}/"))["target"]
    targets = targets.unique()  # an image of a list is one of train, too
    lost = [path for path in targets.to_pylist() if not os.path.exists(path)]
    if lost:
        raise UserError(
            f"{len(lost):,} images that were copied from the source are gone, of {len(targets):,}: "
            f"{first_few(lost)}.\nRun snakemake again with `--forcerun images stream`.",
            details=lost,
        )


def _table(paths: pa.Array, targets: pa.Array | pa.ChunkedArray, kind: str) -> pa.Table:
    kinds = pa.array([kind] * len(paths), pa.string())
    return pa.table({"path": paths, "target": targets, "kind": kinds})


def _place(root: Path, wanted: pa.Table, scratch: Path, what: str) -> int:
    """Makes each entry that is not there yet; returns how many."""
    made, parent, inside = 0, None, root
    with progress(what, len(wanted), "entries") as bar:
        for batch in wanted.to_batches(BATCH):
            columns = (batch[name].to_pylist() for name in ("path", "target", "kind"))
            for path, target, kind in zip(*columns, strict=True):
                folder, _, name = path.rpartition("/")
                if folder != parent:
                    parent, inside = folder, ensure_real_dir(root, folder)
                try:
                    made += place(target, inside / name, kind, scratch)
                except IsADirectoryError:
                    made += _replace_folder(target, inside / name, kind, scratch)
            bar.update(len(batch))
    return made


def _replace_folder(target: str, folder: Path, kind: str, scratch: Path) -> bool:
    """Puts an entry in the place of an empty folder."""
    try:
        remove_folder(folder)
    except OSError as error:
        raise UserError(
            f"{folder} stands where a {kind} belongs, and holds what this pipeline did not make: "
            f"{first_few(sorted(path.name for path in folder.iterdir()))}. Move it away and run again."
        ) from error
    return place(target, folder, kind, scratch)


def _remove(root: Path, paths: Iterable[str]) -> None:
    """Removes files and links of an earlier build, and the folders that they leave empty."""
    emptied = set()
    for path in paths:
        entry = root / path
        # Behind a link to a folder lies the source.
        if any(parent.is_symlink() for parent in _parents(root, entry)):
            continue
        emptied.add(entry.parent)
        if entry.is_symlink() or entry.is_file():
            entry.unlink()
    # A split's folder goes with its last class, so the classes come first.
    folders = {folder for inner in emptied for folder in (inner, *_parents(root, inner))} - {root}
    for folder in sorted(folders, key=lambda folder: len(folder.parts), reverse=True):
        if folder.is_dir():
            remove_if_empty(folder)


def _parents(root: Path, entry: Path) -> Iterable[Path]:
    return (parent for parent in entry.parents if parent.is_relative_to(root) and parent != root)


def _read_plan(plan: Path, root: Path) -> pa.Array:
    """The entries that earlier builds made; if that is not known any more, all that could be theirs."""
    if plan.exists():
        return pq.read_table(plan)["path"].combine_chunks()
    found = []
    for name in (*SPLITS, *map(mask_folder, MASKED)):
        classes = (root / name).iterdir() if (root / name).is_dir() else ()
        for folder in classes:
            entries = [folder] if folder.is_symlink() or not folder.is_dir() else folder.iterdir()
            found += [str(entry.relative_to(root)) for entry in entries if entry.suffix in ENDINGS]
    return pa.array(found, pa.string())


def _write_plan(path: Path, entries: pa.Array, seen: SourceScan) -> None:
    table = pa.table({"path": entries}).replace_schema_metadata({"source": seen.root})
    with durable(path) as partial:  # it is needed by a run after a power cut, too
        pq.write_table(table, partial, compression="zstd")
