"""What an export says of its files: digests, numbers of samples, order, and what the bytes depend on.

A manifest `<name>.manifest.json` and a list `<name>.sha256` stand beside the files of a split. They are
written last, so an export that has them is complete.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypedDict

from imagenet_s.io.atomic import dump_json, read_json, sha256_of
from imagenet_s.io.receipts import receipts
from imagenet_s.spec.exports import digests_name, manifest_name


class MadeFile(TypedDict):
    """A file of an export."""

    name: str  # relative to the folder of the format
    samples: int
    bytes: int
    sha256: str
    inputs: str  # a digest of what the file is made of: a later export keeps it if this is the same


class Manifest(TypedDict):
    """A manifest, or the receipt of a job, which has the files of that job only."""

    format: str
    dataset: str
    subset: int
    split: str
    digest: str | None  # of the data set; None for a copy without manifests
    order: str
    libraries: dict[str, str]  # by whose versions the bytes may differ
    samples: int
    bytes: int
    files: list[MadeFile]


def joined(parts: Sequence[Manifest]) -> Manifest:
    """Return the manifest of a split from the receipts of its jobs, in their order."""
    files = [file for part in parts for file in part["files"]]
    return with_files(parts[0], files)


def with_files(facts: Manifest, files: list[MadeFile]) -> Manifest:
    """Return a manifest with other files."""
    samples, size = (sum(file[key] for file in files) for key in ("samples", "bytes"))
    return {**facts, "samples": samples, "bytes": size, "files": files}


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a split and the list of its digests, once all its files are on disk."""
    names = [name_of(manifest["subset"], manifest["split"]) for name_of in (manifest_name, digests_name)]
    with receipts([folder / name for name in names]) as (as_json, as_list):
        dump_json(manifest, as_json)
        as_list.write_text("".join(f"{file['sha256']}  {file['name']}\n" for file in manifest["files"]))


def read_manifest(path: Path) -> Manifest | None:
    """Return a manifest or a receipt; None if there is none, or it is damaged."""
    with suppress(OSError, ValueError, LookupError, TypeError):
        stated: Any = read_json(path)
        files = [{key: file[key] for key in MadeFile.__annotations__} for file in stated["files"]]
        manifest: Manifest = {**{key: stated[key] for key in Manifest.__annotations__}, "files": files}  # type: ignore[typeddict-item]
        return manifest
    return None


def note_of(path: Path) -> Path:
    """Return where a job notes that the file at a path is complete, until there is a manifest."""
    return path.with_name(f".{path.name}.json")


def known_files(folder: Path, subset: int, split: str, names: Sequence[str]) -> dict[str, MadeFile]:
    """Return the files that an earlier export made, by the manifest or by notes, which are newer."""
    manifest = read_manifest(folder / manifest_name(subset, split))
    known = {file["name"]: file for file in manifest["files"]} if manifest else {}
    for name in names:
        with suppress(OSError, ValueError, LookupError, TypeError):
            note = read_json(note_of(folder / name))
            known[name] = {key: note[key] for key in MadeFile.__annotations__}  # type: ignore[assignment]
    return known


def is_whole(folder: Path, file: MadeFile) -> bool:
    """Return whether a file is there with the bytes that were noted of it."""
    path = folder / file["name"]
    try:
        return path.stat().st_size == file["bytes"] and sha256_of(path) == file["sha256"]
    except OSError:
        return False
