"""Who made the folder of a subset? Builds do not touch a folder that they did not make."""

from collections.abc import Iterable
from pathlib import Path

from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.progress import log
from imagenet_s.spec.encodings import ENCODINGS
from imagenet_s.spec.subsets import DATASET, MASKED, SPLITS, label_folder, mask_folder
from imagenet_s.workspace.paths import Workspace


def foreign_folder(output: Path, subset: int) -> Iterable[str]:
    """Yield a message if `output/ImageNetS<n>` holds a tree that was not made by a build, finished or not."""
    workspace = Workspace(output)
    folder = workspace.tree(subset)
    # A build unpacks its masks before it touches the tree.
    ours = workspace.masks(subset).exists() or (folder / DATASET).exists()
    if ours or folder.is_symlink() or not folder.is_dir():
        return
    labels = {label_folder(split, encoding) for split in MASKED for encoding in ENCODINGS}
    own = {*SPLITS, *map(mask_folder, MASKED), *labels, "train-full", "manifests"}
    found = sorted(path.name for path in folder.iterdir() if path.name in own)
    if found:
        yield (
            f"{folder} was not made by this pipeline; it holds: {first_few(found)}. "
            "It is left as it is. Move it away, or set another `output` in config.yaml."
        )


def claim_folder(output: Path, subset: int) -> None:
    """Check that a build may write to the folder of a subset. Call this before writing anything.

    Removes a link in place of the folder, without touching what it points to.

    Raises:
        UserError: The folder is one that `foreign_folder` reports.
    """
    for text in foreign_folder(output, subset):
        raise UserError(text)
    folder = Workspace(output).tree(subset)
    for link in (folder, folder / "manifests"):
        if link.is_symlink():
            log.warning("%s was a link to %s; the link is replaced by a folder", link, link.readlink())
            link.unlink()
