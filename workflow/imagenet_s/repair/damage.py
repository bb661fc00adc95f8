"""The copy that is repaired, which of its files are damaged, and how one entry of its tree is replaced."""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_s.config.settings import Config
from imagenet_s.io.atomic import ensure_real_dir, remove_folder, sha256_of
from imagenet_s.io.links import place
from imagenet_s.verify.compare import VerificationResult
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


class TreeEntry(NamedTuple):
    """How a file gets into a tree.

    `path` is the entry to make, in the subset's folder: the file's own, or a link to its class folder.
    `target` is what the entry leads to, `kind` the kind of link, `file` the file that is then found there.
    """

    path: str
    target: str
    kind: str
    file: str


def damaged_of(verdict: VerificationResult, kind: str, relocated: Set[str] = frozenset()) -> dict[str, str]:
    """Return path → sha256 of the damaged or missing files of a kind, without those in `relocated`."""
    paths = {path for k, found in verdict.damage.items() if k != "extra" for path in found} - relocated
    files = verdict.expected.files
    wrong = pc.is_in(files["path"], pa.array(paths, pa.string()))
    rows = files.filter(pc.and_(pc.equal(files["kind"], kind), wrong))
    return dict(zip(rows["path"].to_pylist(), rows["sha256"].to_pylist(), strict=True))


def behind_links(verdict: VerificationResult, kind: str, entries: Iterable[str]) -> dict[str, str]:
    """Return path → sha256 of all files of a kind behind the links to folders on the way to `entries`.

    Such a link is replaced by a folder as soon as something is written there.
    """
    parents = {str(parent) for entry in entries for parent in Path(entry).parents}
    links = tuple(f"{parent}/" for parent in parents if (verdict.root / parent).is_symlink())
    files = verdict.expected.files
    rows = files.filter(pc.equal(files["kind"], kind)).select(["path", "sha256"]).to_pylist()
    return {row["path"]: row["sha256"] for row in rows if links and row["path"].startswith(links)}


def place_entry(root: Path, entry: TreeEntry, scratch: Path) -> str | None:
    """Make an entry of the tree at `root`; return why not if it cannot be made."""
    try:
        path = free_place(root, entry.path)
        place(entry.target, path, entry.kind, scratch)
    except OSError as error:
        return error.strerror
    return None


def free_place(root: Path, path: str) -> Path:
    """Return where to put a file, in real folders, once a folder of its name is removed.

    Raises OSError if that folder is not empty.
    """
    entry = ensure_real_dir(root, Path(path).parent) / Path(path).name
    if entry.is_dir() and not entry.is_symlink():
        remove_folder(entry)
    return entry


def digest_of(path: str | Path) -> str | None:
    """Return the sha256 of a file; None if it cannot be read."""
    try:
        return sha256_of(Path(path))
    except OSError:
        return None
