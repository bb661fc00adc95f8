"""What a repair works on: the copy, its damaged files, and the entries of its tree."""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_s.config.settings import Config
from imagenet_s.io.atomic import ensure_real_dir, remove_folder, sha256_of
from imagenet_s.io.columns import texts
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
        """The output folder."""
        return Path(self.config.output)

    @property
    def workspace(self) -> Workspace:
        """The paths below the output folder."""
        return Workspace(self.output)


class TreeEntry(NamedTuple):
    """How a file gets into a tree."""

    path: str  # the entry to make, in the subset's folder: the file itself, or a link to its class folder
    target: str  # what the entry leads to
    kind: str  # of link
    file: str  # the file that the path of the image or mask then leads to


def damaged_of(result: VerificationResult, kind: str, relocated: Set[str] = frozenset()) -> dict[str, str]:
    """Return path → sha256 of the damaged or missing files of a kind, without those in `relocated`."""
    paths = {path for k, found in result.damage.items() if k != "extra" for path in found} - relocated
    files = result.expected.files
    wrong = pc.is_in(files["path"], pa.array(paths, pa.string()))
    rows = files.filter(pc.and_(pc.equal(files["kind"], pa.scalar(kind)), wrong))
    return dict(zip(texts(rows["path"]), texts(rows["sha256"]), strict=True))


def behind_links(result: VerificationResult, kind: str, entries: Iterable[str]) -> dict[str, str]:
    """Return path → sha256 of all files of a kind behind the links to folders on the way to `entries`.

    Such a link is replaced by a folder as soon as something is written there.
    """
    parents = {str(parent) for entry in entries for parent in Path(entry).parents}
    links = tuple(f"{parent}/" for parent in parents if (result.root / parent).is_symlink())
    files = result.expected.files
    rows = files.filter(pc.equal(files["kind"], pa.scalar(kind))).select(["path", "sha256"]).to_pylist()
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
    """Return where to put a file, in real folders; remove an empty folder of its name.

    Raises:
        OSError: A folder of its name is not empty.
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
