"""The end of an export: manifests, what describes all splits, and the removal of outdated files."""

from collections.abc import Sequence
from pathlib import Path

from imagenet_s.export.formats import Format, format_of
from imagenet_s.export.record import MadeFile, Manifest, joined, read_manifest, write_manifest
from imagenet_s.runtime.errors import UserError, first_few


def write_export_manifest(export_format: str, folder: Path, receipts: Sequence[Path]) -> None:
    """Write the manifest of a split from the receipts of its jobs, in their order.

    Raises:
        UserError: A receipt or a file is missing: jobs made them, but then they were deleted or changed.
    """
    parts = [read_manifest(receipt) for receipt in receipts]
    missing = [str(path) for path, part in zip(receipts, parts, strict=True) if part is None]
    if missing:
        raise UserError(
            f"Receipts of exports are missing or damaged: {', '.join(missing)}. Delete them and run again."
        )
    manifest = joined([part for part in parts if part])
    if lost := [str(folder / file["name"]) for file in manifest["files"] if not _is_there(folder, file)]:
        raise UserError(
            f"Files of an export are missing or have another size: {first_few(lost)}. Run "
            "`snakemake --cores all export --forcerun export_files`: it makes them again."
        )
    finish_split(format_of(export_format), folder, manifest)


def _is_there(folder: Path, file: MadeFile) -> bool:
    path = folder / file["name"]
    return path.is_file() and path.stat().st_size == file["bytes"]


def finish_split(export_format: Format, folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a split; remove files of the split that it does not name, and notes."""
    names = {file["name"] for file in manifest["files"]}
    pattern = Path(export_format.pattern(manifest["subset"], manifest["split"]))
    for path in folder.glob(str(pattern)):
        if str(path.relative_to(folder)) not in names:
            path.unlink()
    write_manifest(folder, manifest)
    for path in folder.glob(str(pattern.with_name(f".{pattern.name}.*"))):  # notes and unfinished files
        path.unlink()


def write_export_info(export_format: str, folder: Path) -> None:
    """Write what describes all exported splits in a folder, if the format has such a file."""
    index = format_of(export_format).index
    if index:
        index(folder)
