"""Make the files of a split that are not there yet, as a job of the workflow or for the command.

A file gets its name when it is complete, and then a note of its digest. After a kill, the files that are as
their notes say stay: they are read to be sure, which takes less time than making them.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from imagenet_s.copies.copy import Copy, open_copy
from imagenet_s.dataset.dataset_file import digest_of_copy
from imagenet_s.export.formats import Making, format_of
from imagenet_s.export.plan import ExportFile, files_of_job
from imagenet_s.export.record import (
    MadeFile,
    Manifest,
    is_whole,
    known_files,
    note_of,
    read_manifest,
    with_files,
)
from imagenet_s.export.source import Split, read_split
from imagenet_s.io.atomic import partial_file, write_json
from imagenet_s.io.hashed_file import HashedFile
from imagenet_s.io.receipts import write_receipt
from imagenet_s.preflight.disk_space import space_at
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.lock import Locked, locked_folder
from imagenet_s.runtime.progress import log, progress
from imagenet_s.runtime.units import size_text
from imagenet_s.runtime.version import __version__
from imagenet_s.spec.exports import export_name, jobs_of, manifest_name

SAMPLE_BYTES = 4096  # more than the names and labels of a sample take in any format


@dataclass(frozen=True)
class Target:
    """Where exports go, and how they are made.

    Attributes:
        export_format: The format.
        folder: The folder for files of this format.
        code: A digest of the code that makes them: files of other code are made again.
        workers: The number of threads.
    """

    export_format: str
    folder: Path
    code: str
    workers: int


class PlannedSplit(NamedTuple):
    """A split of a copy, and the files that it becomes."""

    split: Split
    files: Sequence[ExportFile]


def export_job(target: Target, subset: int, split: str, job: int, tree: Path, receipt: Path) -> None:
    """Make the files of one job, and its receipt."""
    planned = plan_split(target, open_copy(tree, subset), split)
    mine = files_of_job(planned.files, job, jobs_of(target.export_format, subset, split))
    with writing_to(target.folder, with_other_jobs=True):
        made = make_files(target, planned, mine)
        write_receipt(receipt, with_files(facts_of(target, planned.split), made), target.folder)
        forget(target.folder, made)


@contextmanager
def writing_to(folder: Path, with_other_jobs: bool = False) -> Iterator[None]:
    """Make the folder of a format, and keep other exports away from it.

    Raises:
        UserError: Another export writes there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with locked_folder(folder, shared=with_other_jobs):
            yield
    except Locked as error:
        raise UserError(
            f"Another export writes to {folder}. Wait until it has ended, or name another folder with --out."
        ) from error


def plan_split(target: Target, copy: Copy, split: str) -> PlannedSplit:
    """Read which samples a split has, and plan its files.

    Raises:
        UserError: The samples are not known, or the folder holds an export of another format.
    """
    export_format = format_of(target.export_format)
    _require_one_format(target)
    read = read_split(copy, split, export_format.images)
    return PlannedSplit(read, export_format.plan(read))


def make_files(target: Target, planned: PlannedSplit, files: Sequence[ExportFile]) -> list[MadeFile]:
    """Make those of the files that are not there yet, and return all of them.

    Raises:
        UserError: There is too little space, or a file of the copy is missing or damaged.
    """
    split, folder = planned.split, target.folder
    known = known_files(folder, split.copy.subset, split.name, [file.name for file in files])
    require_space(target, [planned])
    sizes = split.sizes()
    made = []
    what = f"{target.export_format}: {export_name(split.copy.subset, split.name)}"
    with progress(what, sum(int(sizes[file.rows].sum()) for file in files), "B") as bar:
        for file in files:
            inputs = _inputs(target, split, file)
            before = known.get(file.name)
            if before and before["inputs"] == inputs and is_whole(folder, before):
                log.debug("%s is there already", file.name)
                bar.update(int(sizes[file.rows].sum()))
                made.append(before)
            else:
                made.append(_make(target, split, file, inputs, Making(target.workers, bar)))
            write_json(note_of(folder / file.name), made[-1])
    return made


def forget(folder: Path, files: Iterable[MadeFile]) -> None:
    """Remove the notes of files that a receipt or a manifest names."""
    for file in files:
        note_of(folder / file["name"]).unlink(missing_ok=True)


def facts_of(target: Target, split: Split) -> Manifest:
    """Return the manifest of a split without its files."""
    export_format, copy = format_of(target.export_format), split.copy
    return {
        "format": export_format.name,
        "dataset": copy.name,
        "subset": copy.subset,
        "split": split.name,
        "digest": digest_of_copy(copy.root),
        "order": export_format.order(split.name),
        "libraries": _versions(export_format.libraries),
        "samples": 0,
        "bytes": 0,
        "files": [],
    }


def require_space(target: Target, planned: Iterable[PlannedSplit]) -> None:
    """Raise UserError if the files that are not there yet need more space than is free."""
    needed = 0
    for split, files in planned:
        sizes = split.sizes()
        missing = [file.rows for file in files if not (target.folder / file.name).exists()]
        needed += sum(int(sizes[rows].sum()) + len(rows) * SAMPLE_BYTES for rows in missing)
    space = space_at(target.folder)
    if needed > space.bytes:
        raise UserError(
            f"{space.folder} has {size_text(space.bytes)} free, and the export needs about "
            f"{size_text(needed)}. Make room there, or name another folder."
        )


def _require_one_format(target: Target) -> None:
    """Raise UserError if the folder is that of another format: its manifests have the same names."""
    for path in sorted(target.folder.glob(manifest_name("*", "*"))):
        manifest = read_manifest(path)
        if manifest and manifest["format"] != target.export_format:
            raise UserError(
                f"{target.folder} holds an export of another format, {manifest['format']}: {path.name}. Each "
                "format needs a folder of its own: name another one with --out."
            )


def _make(target: Target, split: Split, file: ExportFile, inputs: str, making: Making) -> MadeFile:
    path = target.folder / file.name
    with partial_file(path) as partial:
        note_of(path).unlink(missing_ok=True)  # it is of a file that is replaced now
        with HashedFile(partial) as hashed:
            format_of(target.export_format).write(split, file.rows, hashed, making)
        partial.replace(path)
    return {
        "name": file.name,
        "samples": len(file.rows),
        "bytes": hashed.size,
        "sha256": hashed.sha256,
        "inputs": inputs,
    }


def _inputs(target: Target, split: Split, file: ExportFile) -> str:
    """Return a digest of all that the bytes of a file depend on."""
    libraries = sorted(_versions(format_of(target.export_format).libraries).items())
    digest = hashlib.sha256(f"{file.name} {target.code} {libraries}".encode())
    rows = split.take(file.rows).combine_chunks()
    buffer = pa.BufferOutputStream()
    with pa.ipc.new_stream(buffer, rows.schema) as stream:
        stream.write_table(rows)
    digest.update(buffer.getvalue())
    return digest.hexdigest()


def _versions(libraries: Iterable[str]) -> dict[str, str]:
    return {"imagenet-s": __version__, **{name: version(name) for name in libraries}}
