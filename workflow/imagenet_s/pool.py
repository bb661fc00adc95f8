"""The pool: one copy of each image below the output, where the trees do not link to the source."""

from collections.abc import Iterable
from pathlib import Path

from imagenet_s.files import real_folder


def pool_path(image: str, imagenet_wnid: str) -> str:
    """Where the pool keeps an image, relative to the pool."""
    kind = "val" if image.startswith("ILSVRC") else "train"
    return f"{kind}/{imagenet_wnid}/{image}.JPEG"


def prepare_pool(pool: Path, paths: Iterable[str], classes: Iterable[str]) -> None:
    """Makes the folders of `paths`, and empties those of the train classes of what is not among them.

    So a pool that was filled from another source keeps nothing of it.
    """
    wanted = set(paths)
    for folder in {path.rpartition("/")[0] for path in wanted}:
        real_folder(pool, folder)
    for wnid in classes:
        folder = pool / "train" / wnid
        if folder.is_symlink():
            folder.unlink()
        for path in folder.iterdir() if folder.is_dir() else ():
            if f"train/{wnid}/{path.name}" not in wanted:
                path.unlink()
