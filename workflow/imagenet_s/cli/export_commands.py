"""The command `export`, and those that the jobs of exports run."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from imagenet_s.cli.arguments import Commands, command, function, new_folder, paths, several, subset, workers
from imagenet_s.spec.exports import FORMATS
from imagenet_s.spec.subsets import SPLITS

TARGET = {"target": "export.job.Target"}
FORMAT = "the format to write"


def add_export(commands: Commands) -> None:
    """Add the command `export`."""
    added = command(
        commands, "export", _export, "write a copy of ImageNet-S in a format that other software reads"
    )
    added.add_argument(
        "export_format", choices=FORMATS, metavar="FORMAT", help=f"{FORMAT}: {', '.join(FORMATS)}"
    )
    added.add_argument(
        "path", type=Path, metavar="PATH", help="the folder ImageNetS<n>, or the folder that contains it"
    )
    added.add_argument(
        "--splits",
        choices=SPLITS,
        nargs="+",
        metavar="SPLIT",
        help=f"the splits to export: {', '.join(SPLITS)} (default: all of the copy that the format can hold)",
    )
    added.add_argument(
        "--out",
        type=new_folder,
        metavar="DIR",
        help="the folder to write to (default: exports/FORMAT beside the folder ImageNetS<n>)",
    )
    workers(added, "threads")


def add_export_jobs(commands: Commands) -> None:
    """Add the commands of the jobs of exports."""
    job = partial(command, commands, listed=False)
    added = job("export-files", function("export.job.export_job", TARGET), "export a part of a split")
    _format(added)
    subset(added)
    added.add_argument("--split", choices=SPLITS, required=True, help="the split")
    added.add_argument("--job", type=int, required=True, metavar="N", help="which part, counted from 0")
    added.add_argument("--code", required=True, metavar="DIGEST", help="files of other code are made again")
    paths(
        added,
        tree="the folder ImageNetS<n>",
        folder="the folder to write to",
        receipt="the JSON file to write when everything is on disk",
    )
    workers(added, "threads")

    added = job(
        "export-manifest", "export.finish.write_export_manifest", "write the manifest of an exported split"
    )
    _format(added)
    several(added, receipts="the receipts of all jobs of the split, in their order")
    paths(added, folder="the folder of the export")

    added = job("export-info", "export.finish.write_export_info", "write what describes all exported splits")
    _format(added)
    paths(added, folder="the folder of the export")


def _format(added: Any) -> None:
    added.add_argument("--format", dest="export_format", choices=FORMATS, required=True, help=FORMAT)


def _export(options: Mapping[str, Any]) -> int | None:
    # Imported here because no other command reads the code of the package.
    from imagenet_s.pipeline.code_digest import code_digest

    code = code_digest("export.job", f"export.{options['export_format']}")
    return function("export.command.export_copies")({**options, "code": code})
