"""The command `gallery`, and those that its jobs run."""

import argparse
from functools import partial
from pathlib import Path

from imagenet_s.cli.arguments import Commands, command, function, new_folder, paths, several, subset, workers
from imagenet_s.spec.gallery import PER_CLASS, SHOWN
from imagenet_s.spec.subsets import SPLITS

CHOICE = {"choice": "gallery.choose.Choice"}


def add_gallery(commands: Commands) -> None:
    """Add the command `gallery`."""
    added = command(
        commands,
        "gallery",
        function("gallery.command.make_gallery", CHOICE),
        "make pages that show the classes, images and masks of a copy of ImageNet-S",
    )
    added.add_argument(
        "path", type=Path, metavar="PATH", help="the folder ImageNetS<n>, or the folder that contains it"
    )
    added.add_argument(
        "--out",
        type=new_folder,
        required=True,
        metavar="FOLDER",
        help="the folder to write to: a new or an empty one, or an earlier gallery, which is replaced",
    )
    _choice(added)
    workers(added)


def add_gallery_jobs(commands: Commands) -> None:
    """Add the commands of the jobs of galleries."""
    job = partial(command, commands, listed=False)
    added = job(
        "gallery-pictures",
        function("gallery.pictures.pictures_job", CHOICE),
        "make the pictures of some classes of a gallery",
    )
    subset(added)
    _choice(added)
    added.add_argument("--job", type=int, required=True, metavar="N", help="which classes, counted from 0")
    paths(
        added,
        tree="the folder ImageNetS<n>",
        folder="the folder of the gallery",
        receipt="the JSON file to write when everything is on disk",
    )

    added = job("gallery-pages", "gallery.pages.pages_job", "write the pages of a gallery")
    subset(added)
    several(added, receipts="the receipts of all jobs that made its pictures, in their order")
    paths(added, tree="the folder ImageNetS<n>", folder="the folder of the gallery")


def _choice(added: argparse.ArgumentParser) -> None:
    added.add_argument(
        "--splits",
        choices=SPLITS,
        nargs="+",
        default=SHOWN,
        metavar="SPLIT",
        help=f"the splits to show: {', '.join(SPLITS)} (default: {' '.join(SHOWN)})",
    )
    added.add_argument(
        "--per-class",
        type=_from_zero,
        default=PER_CLASS,
        metavar="N",
        help=f"the most images of a class, over all these splits (default: {PER_CLASS}; 0: all)",
    )


def _from_zero(text: str) -> int:
    """Return an integer of 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not an integer of 0 or more")
    return int(text)
