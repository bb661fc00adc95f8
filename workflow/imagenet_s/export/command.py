"""The command `export`: write a copy in a format that other software reads."""

from collections.abc import Sequence
from pathlib import Path

from imagenet_s.copies.copy import Copy, open_copy
from imagenet_s.copies.find import copies_at
from imagenet_s.export.finish import finish_split, write_export_info
from imagenet_s.export.formats import format_of
from imagenet_s.export.job import (
    PlannedSplit,
    Target,
    facts_of,
    make_files,
    plan_split,
    require_space,
    writing_to,
)
from imagenet_s.export.record import Manifest, with_files
from imagenet_s.runtime.errors import WrongUsage
from imagenet_s.runtime.units import size_text
from imagenet_s.spec.exports import digests_name, splits_of
from imagenet_s.workspace.output_guard import check_output_path
from imagenet_s.workspace.paths import Workspace


def export_copies(
    export_format: str, path: Path, splits: Sequence[str] | None, out: Path | None, code: str, workers: int
) -> None:
    """Export all copies at a path, split by split, and print what was made.

    Args:
        export_format: The format.
        path: The folder of a copy, or the folder above it. Nothing is written there.
        splits: The splits; None for all that the copy has and the format can hold.
        out: The folder to write to; None for that of the workflow, beside the folder of the copy.
        code: A digest of the code that makes the files.
        workers: The number of threads.

    Raises:
        UserError: Nothing is written yet: there is too little space, or samples are not known. Or a file of
            a copy is missing or damaged; then the files that are complete stay.
    """
    copies = [open_copy(root, subset) for subset, root in copies_at(path).items()]
    wanted = {copy: _chosen(export_format, copy, splits) for copy in copies}
    folders = {copy: out or Workspace(copy.root.parent).export_folder(export_format) for copy in copies}
    planned: list[tuple[Target, list[PlannedSplit]]] = []
    for copy, folder in folders.items():
        check_output_path(folder, *(other.root for other in copies), option="--out")
        target = Target(export_format, folder, code, workers)
        planned.append((target, [plan_split(target, copy, split) for split in wanted[copy]]))
        require_space(*planned[-1])
    for target, of_copy in planned:
        with writing_to(target.folder):
            for split in of_copy:
                print(_line(target.folder, _export_split(target, split)))
            write_export_info(export_format, target.folder)


def _chosen(export_format: str, copy: Copy, splits: Sequence[str] | None) -> list[str]:
    """Return the splits of a copy to export, in their usual order.

    Raises:
        WrongUsage: The format cannot hold one of them, or the copy does not have it.
    """
    possible = splits_of(export_format)
    for split in splits or ():
        if split not in possible:
            raise WrongUsage(f"--splits: {export_format} cannot hold {split}, only {', '.join(possible)}.")
        if split not in copy.splits:
            raise WrongUsage(f"--splits: {copy.root} has no {split}, only {', '.join(copy.splits)}.")
    chosen = [split for split in possible if split in (splits or copy.splits)]
    if not chosen:
        raise WrongUsage(
            f"{copy.root} has only {', '.join(copy.splits)}; {export_format} can hold {', '.join(possible)}."
        )
    return chosen


def _export_split(target: Target, planned: PlannedSplit) -> Manifest:
    made = make_files(target, planned, planned.files)
    manifest = with_files(facts_of(target, planned.split), made)
    finish_split(format_of(target.export_format), target.folder, manifest)
    return manifest


def _line(folder: Path, manifest: Manifest) -> str:
    count = len(manifest["files"])
    files = "1 file" if count == 1 else f"{count:,} files"
    return (
        f"{manifest['dataset']} {manifest['split']}: {manifest['samples']:,} samples in {files}, "
        f"{size_text(manifest['bytes'])}; {folder / digests_name(manifest['subset'], manifest['split'])} "
        "has their sha256"
    )
