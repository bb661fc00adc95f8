"""The pool: one copy of each image below the output, where the trees do not link to the source."""

from collections.abc import Container
from pathlib import Path


def pool_path(image: str, imagenet_wnid: str) -> str:
    """Where the pool keeps an image, relative to the pool."""
    kind = "val" if image.startswith("ILSVRC") else "train"
    return f"{kind}/{imagenet_wnid}/{image}.JPEG"


def sweep_pool(pool: Path, wanted: Container[str]) -> set[str]:
    """Removes the images whose `pool_path` is not in `wanted`, and returns the paths of those."""
    removed = set()
    for folder in pool.glob("*/*/"):
        if folder.is_symlink():  # behind a link lies what is not ours
            folder.unlink()
            continue
        for path in folder.iterdir():
            if str(path.relative_to(pool)) not in wanted:
                path.unlink()
                removed.add(str(path.relative_to(pool)))
        if not any(folder.iterdir()):
            folder.rmdir()
    return removed
