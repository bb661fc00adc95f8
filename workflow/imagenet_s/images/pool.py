"""The pool: one copy of each image below the output, for data sets that do not link to the source.

The name of a copy contains its digest, so a record and its bytes always match: if another source has other
bytes, they become another file.
"""

from collections.abc import Container
from pathlib import Path

from imagenet_s.io.atomic import RealDirs, remove_if_empty, write_atomically
from imagenet_s.runtime.system_files import is_system_file


def pool_path(image: str, imagenet_wnid: str, sha256: bytes) -> str:
    """Return the path of an image's copy, relative to the pool."""
    kind = "val" if image.startswith("ILSVRC") else "train"
    return f"{kind}/{imagenet_wnid}/{image}-{sha256.hex()[:16]}.JPEG"


def pooled_images(pool: Path) -> set[str]:
    """Return the names, without extension, of the images in the pool."""
    return {path.name.rpartition("-")[0] for path in pool.glob("*/*/*.JPEG")}


class Pool:
    """Writes images into the pool, also in several threads, and makes each folder once."""

    def __init__(self, root: Path, scratch: Path):
        self.folders, self.scratch = RealDirs(root), scratch

    def add(self, image: str, imagenet_wnid: str, sha256: bytes, data: bytes | memoryview) -> None:
        """Write an image's bytes under its `pool_path`."""
        folder, _, name = pool_path(image, imagenet_wnid, sha256).rpartition("/")
        write_atomically(data, self.folders.ensure(folder) / name, self.scratch)


def sweep_pool(pool: Path, wanted: Container[str]) -> set[str]:
    """Delete the images whose `pool_path` is not in `wanted`, and return their paths."""
    removed = set()
    for folder in pool.glob("*/*/"):
        if folder.is_symlink():  # files behind a link belong to the user
            folder.unlink()
            continue
        for path in folder.iterdir():
            if str(path.relative_to(pool)) not in wanted and not is_system_file(path.name):
                path.unlink()
                removed.add(str(path.relative_to(pool)))
        remove_if_empty(folder)
    return removed
