"""The commands on a copy of ImageNet-S: check it, restore it, remove it, count what it holds."""

from pathlib import Path

from imagenet_s.cli.arguments import Commands, command, configfile, json_output, new_folder, workers
from imagenet_s.spec.subsets import LEVELS

COPIES = "the folder ImageNetS<n>, or the folder that contains it"


def add_copy_commands(commands: Commands) -> None:
    """Add the commands `verify`, `repair`, `clean` and `stats`."""
    added = command(
        commands,
        "verify",
        "verify.command.verify_copies",
        "check that a copy of ImageNet-S is complete and undamaged",
    )
    added.add_argument("path", type=Path, metavar="PATH", help=COPIES)
    added.add_argument(
        "--level",
        choices=LEVELS,
        default="sha256",
        help="what to compare: names (complete), also sizes (size), or also all bytes (sha256, default)",
    )
    added.add_argument(
        "--against",
        type=Path,
        metavar="DIR",
        help="compare with the manifests of this copy instead of its own",
    )
    added.add_argument(
        "--adopt",
        dest="adopting",
        action="store_true",
        help="write manifests for a copy without them, once it is checked",
    )
    json_output(added)
    workers(added)

    added = command(
        commands,
        "repair",
        "repair.command.repair_copies",
        "restore files of a build that verify reports as missing or damaged",
    )
    configfile(added)
    added.add_argument(
        "--delete-extra", action="store_true", help="also delete files that do not belong to the data set"
    )
    added.add_argument("--dry-run", action="store_true", help="show what would be done, without doing it")
    workers(added)

    added = command(
        commands,
        "clean",
        "repair.clean.clean",
        "remove everything that builds made in an output folder, and nothing else",
    )
    added.add_argument("output", type=Path, metavar="PATH", help="the folder that contains ImageNetS<n>")
    added.add_argument("--yes", action="store_true", help="remove without asking, also on a terminal")
    added.add_argument(
        "--dry-run", action="store_true", help="show what would be removed, without removing it"
    )

    added = command(
        commands,
        "stats",
        "statistics.command.print_statistics",
        "count the images, masks, classes and pixels of a copy of ImageNet-S",
    )
    added.add_argument("path", type=Path, metavar="PATH", help=COPIES)
    added.add_argument(
        "--out",
        type=new_folder,
        metavar="DIR",
        help="also write all numbers as CSV files to this folder, in a folder for each subset",
    )
    json_output(added)
    workers(added)
