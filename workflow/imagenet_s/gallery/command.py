"""The command `gallery`: pages that show any copy of ImageNet-S."""

from pathlib import Path

from imagenet_s.copies.copy import open_copy
from imagenet_s.gallery.choose import Choice
from imagenet_s.gallery.pages import START, begin_gallery, require_own_gallery, write_pages
from imagenet_s.gallery.pictures import make_pictures
from imagenet_s.runtime.errors import WrongUsage
from imagenet_s.spec.classes import class_ids
from imagenet_s.workspace.output_guard import check_output_path


def make_gallery(path: Path, choice: Choice, out: Path, workers: int) -> None:
    """Make the gallery of a copy, and print where it is.

    Args:
        path: The folder of a copy, or the folder above it. Nothing is written there.
        choice: What to show. Splits that the copy does not have are left out.
        out: The folder to write to.
        workers: The number of processes.

    Raises:
        UserError: There is no copy or several, the copy has none of the splits, its samples are not known, or
            `out` holds other files.
    """
    copy = open_copy(path)
    shown = tuple(split for split in choice.splits if split in copy.splits)
    if not shown:
        raise WrongUsage(
            f"--splits: {copy.root} has no {' or '.join(choice.splits)}, only {', '.join(copy.splits)}."
        )
    check_output_path(out, copy.root)
    require_own_gallery(out, "--out")
    begin_gallery(copy, out)
    choice = Choice(shown, choice.per_class)
    made = make_pictures(copy, choice, list(class_ids(copy.subset)), out, workers)
    write_pages(copy, made, out)
    pictures = [picture for of_class in made for picture in of_class["pictures"]]
    broken = sum(picture["problem"] is not None for picture in pictures)
    print(f"{copy.name}: {len(pictures):,} images of {len(made)} classes; open {out.absolute() / START}")
    if broken:
        print(f"{broken:,} of the images cannot be shown; their pages say why.")
