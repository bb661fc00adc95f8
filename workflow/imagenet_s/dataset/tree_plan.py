"""What builds made in a subset's folder, as their plans record it, and how it is removed."""

import os
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from imagenet_s.io.atomic import remove_if_empty
from imagenet_s.io.columns import texts
from imagenet_s.io.receipts import durable
from imagenet_s.runtime.progress import log
from imagenet_s.source.scan import SourceScan
from imagenet_s.spec.companions import COMPANIONS
from imagenet_s.spec.encodings import ENCODINGS
from imagenet_s.spec.subsets import DATASET, MASKED, SPLITS, label_folder, mask_folder, sample_manifests
from imagenet_s.workspace.paths import Workspace

ENDINGS = ("", ".JPEG", ".png")  # of links to class folders, of images and of masks


def remove_tree(output: Path, subset: int) -> None:
    """Remove everything that builds made in a subset's folder; other files stay."""
    workspace = Workspace(output)
    root = workspace.tree(subset)
    remove_entries(root, _made(workspace, subset))
    workspace.plan(subset).unlink(missing_ok=True)
    if root.is_dir() and not remove_if_empty(root) and not root.is_symlink():
        log.warning("%s is not removed: it holds files that this pipeline did not create", root)


def made_in(output: Path, subset: int) -> Iterator[str]:
    """Yield the paths of the entries that `remove_tree` would remove."""
    workspace = Workspace(output)
    paths = (f"{workspace.tree(subset)}/{path}" for path in _made(workspace, subset))
    return filter(os.path.lexists, paths)


def _made(workspace: Workspace, subset: int) -> list[str]:
    """Return the paths of all that builds made in a subset's folder, by its plan and its sha256 lists.

    The lists themselves come last: a run that is killed while it removes these paths can be repeated.
    """
    root = workspace.tree(subset)
    paths = texts(read_plan(workspace.plan(subset), root))
    lists = [f"manifests/{name}" for name in sample_manifests()]
    for split, encoding in product(MASKED, ENCODINGS):
        folder = label_folder(split, encoding)
        lists.append(f"manifests/{folder}.sha256")
        paths += _listed(root / lists[-1], folder)
    return [*paths, DATASET, *COMPANIONS, *lists]


def _listed(file: Path, folder: str) -> Iterator[str]:
    """Yield the paths in `folder` that a sha256 list names, which may be damaged."""
    text = file.read_text(encoding="utf-8", errors="surrogateescape") if file.is_file() else ""
    for line in text.splitlines():
        path = line.partition("  ")[2]
        if path.startswith(f"{folder}/") and ".." not in Path(path).parts and "\0" not in path:
            yield path


def remove_entries(root: Path, paths: Iterable[str]) -> None:
    """Remove files and links of an earlier build, and the folders that become empty."""
    real: dict[str, bool] = {}  # folder → whether it and those above it are no links
    for path in paths:
        parent = path.rpartition("/")[0]
        if parent not in real:
            # A link to a folder leads to the source, where nothing may be removed.
            real[parent] = not any(above.is_symlink() for above in _parents(root, root / path))
        entry = f"{root}/{path}"
        if real[parent] and (os.path.islink(entry) or os.path.isfile(entry)):
            os.unlink(entry)
    # Class folders first: a split's folder is empty only after its last class folder is removed.
    emptied = [root / parent for parent, is_real in real.items() if is_real]
    folders = {folder for inner in emptied for folder in (inner, *_parents(root, inner))} - {root}
    for folder in sorted(folders, key=lambda folder: len(folder.parts), reverse=True):
        if folder.is_dir():
            remove_if_empty(folder)


def _parents(root: Path, entry: Path) -> Iterable[Path]:
    """Return the folders between `root` and an entry, the innermost first."""
    return (parent for parent in entry.parents if parent.is_relative_to(root) and parent != root)


def read_plan(plan: Path, root: Path) -> "pa.Array[Any]":
    """Return the paths of the entries that earlier builds made; without a plan, of all they may have made."""
    if plan.exists():
        return pq.read_table(plan)["path"].combine_chunks()
    found: list[str] = []
    for name in (*SPLITS, *map(mask_folder, MASKED)):
        classes = (root / name).iterdir() if (root / name).is_dir() else ()
        for folder in classes:
            entries = [folder] if folder.is_symlink() or not folder.is_dir() else folder.iterdir()
            found += [str(entry.relative_to(root)) for entry in entries if entry.suffix in ENDINGS]
    return pa.array(found, pa.string())


def write_plan(path: Path, entries: "pa.Array[Any]", scan: SourceScan) -> None:
    """Write the paths of entries, and where their source is."""
    table = pa.table({"path": entries}).replace_schema_metadata({"source": scan.root})
    with durable(path) as partial:  # a run after a power cut needs the plan, too
        pq.write_table(table, partial, compression="zstd")
