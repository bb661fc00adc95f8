"""The pool: one copy of each image below the output, where the trees do not link to the source.

A copy's name holds its digest, so that records and bytes cannot part: what is read again from another
source is another file, and what a tree wants is there or not.
"""

from collections.abc import Container
from pathlib import Path

from imagenet_s.io.atomic import ensure_real_dir, remove_if_empty, write_atomically
from imagenet_s.runtime.system_files import is_system_file


def pool_path(image: str, imagenet_wnid: str, sha256: bytes) -> str:
    """Where the pool keeps an image, relative to the pool."""
    kind = "val" if image.startswith("ILSVRC") else "train"
    return f"{kind}/{imagenet_wnid}/{image}-{sha256.hex()[:16]}.JPEG"


def pooled_images(pool: Path) -> set[str]:
    """The names, without ending, of the images that the pool has."""
    return {path.name.rpartition("-")[0] for path in pool.glob("*/*/*.JPEG")}


class Pool:
    """Puts images into the pool; makes each folder once."""

    def __init__(self, root: Path, scratch: Path):
        self.root, self.scratch = root, scratch
        self.folders: dict[str, Path] = {}

    def add(self, image: str, imagenet_wnid: str, sha256: bytes, data: bytes | memoryview) -> None:
        """Writes an image's bytes under its name."""
        folder, _, name = pool_path(image, imagenet_wnid, sha256).rpartition("/")
        if folder not in self.folders:
            self.folders[folder] = ensure_real_dir(self.root, folder)
        write_atomically(data, self.folders[folder] / name, self.scratch)


def sweep_pool(pool: Path, wanted: Container[str]) -> set[str]:
    """Removes the images whose `pool_path` is not in `wanted`, and returns the paths of those."""
    removed = set()
    for folder in pool.glob("*/*/"):
        if folder.is_symlink():  # behind a link lies what is not ours
            folder.unlink()
            continue
        for path in folder.iterdir():
            if str(path.relative_to(pool)) not in wanted and not is_system_file(path.name):
                path.unlink()
                removed.add(str(path.relative_to(pool)))
        remove_if_empty(folder)
    return removed
