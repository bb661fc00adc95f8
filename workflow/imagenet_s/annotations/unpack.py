"""A subset's masks are unpacked from the annotations, checked pixel by pixel, and recorded."""

import hashlib
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from imagenet_s.annotations.receipt import AnnotationsReceipt, read_receipt
from imagenet_s.io.atomic import ensure_real_dir, scratch_folder, write_atomically
from imagenet_s.io.receipts import receipt
from imagenet_s.io.tables import table_of
from imagenet_s.io.zip_reader import MAX_FILE_BYTES, BadMember, Member, read_member, zipped_masks
from imagenet_s.masks.codec import decode, pixels_digest
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.parallel import map_chunks
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.system_files import is_system_file, left_by_systems
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.splits import listed
from imagenet_s.spec.subsets import MASKED, mask_folder, subset_of
from imagenet_s.workspace.ownership import claim_folder
from imagenet_s.workspace.paths import Workspace

COLUMNS: dict[str, pa.DataType] = {
    "mask": pa.string(),  # relative to the subset's folder
    "bytes": pa.int64(),
    "sha256": pa.binary(32),
    "pixels_sha256": pa.binary(32),  # of the ids as little-endian uint16, row by row
    "ids": pa.string(),  # those that occur, ascending, separated by spaces
    "id_pixels": pa.list_(pa.int64()),  # the number of pixels of each of `ids`
    "width": pa.int32(),
    "height": pa.int32(),
    "problems": pa.string(),
}
RECORDS = pa.schema(COLUMNS)


class MaskRecord(NamedTuple):
    """A row of `RECORDS`. What concerns the pixels is None or empty if the mask cannot be read."""

    mask: str
    size: int  # in bytes
    sha256: bytes
    pixels_sha256: bytes | None
    ids: str
    id_pixels: Sequence[int]
    width: int | None
    height: int | None
    problems: str


class Location(NamedTuple):
    """A mask in the annotations: the file at `path`, or a member of the zip at `path`."""

    mask: str  # relative to the subset's folder
    path: str
    member: Member | None = None


def unpack_masks(
    subset: int, annotations: Path, output: Path, records: Path, workers: int, scratch: Path
) -> None:
    """Write a subset's masks to `output/work/masks/<n>`, byte for byte, and their records, sorted by mask.

    Args:
        subset: 50, 300 or 919.
        annotations: The receipt that `annotations.fetch` wrote.
        output: The output folder.
        records: The Parquet file to write, with the columns `RECORDS`.
        workers: The number of processes.
        scratch: A folder for temporary files.

    Raises:
        UserError: Masks are missing, not listed or not valid. The details name all of them. Invalid masks
            of the official archive are only logged and recorded, because users cannot correct them.
    """
    claim_folder(output, subset)
    facts = read_receipt(annotations)
    folder = Workspace(output).masks(subset)
    found = locate_masks(facts)
    listed_masks = mask_paths(subset)
    problems = [f"{mask} is missing" for mask in listed_masks if mask not in found]
    problems += [f"{mask} is not listed" for mask in sorted(set(found) - set(listed_masks))]
    for mask in set(listed_masks) - set(found):
        (folder / mask).unlink(missing_ok=True)
    present = [found[mask] for mask in listed_masks if mask in found]
    for parent in sorted({location.mask.rpartition("/")[0] for location in present}):
        ensure_real_dir(folder, parent)
    with scratch_folder(scratch):
        task = partial(_unpack_chunk, len(class_ids(subset)), folder, scratch)
        what = f"Unpacking the masks of {subset_of(subset).name}"
        rows = map_chunks(task, present, workers, what, "masks")
    problems += [f"{row.mask} {row.problems}" for row in rows if row.problems]
    if problems and not facts["official"]:
        raise UserError(
            f"The masks of {subset_of(subset).name} from {facts['path']} have problems "
            f"({len(problems):,}): {first_few(problems)}.\n"
            f"Expected: exactly the {len(listed_masks):,} listed masks, 8-bit RGB PNGs with B = 0 and ids "
            f"0..{len(class_ids(subset))} or 1000. Get the official archive, or correct `annotations.from`.",
            details=problems,
        )
    for problem in problems:
        log.warning("unexpected, but in the official archive: %s", problem)
    with receipt(records, folder) as partial_path:
        write_records(rows, partial_path)


def write_records(rows: Sequence[MaskRecord], path: Path) -> None:
    """Write records as a Parquet file, in their order."""
    pq.write_table(table_of(rows, RECORDS), path, compression="zstd")


def mask_paths(subset: int) -> list[str]:
    """Return the paths of all listed masks, relative to the subset's folder, sorted."""
    return sorted(
        f"{mask_folder(split)}/{row.wnid}/{row.image}.png"
        for split in MASKED
        for row in listed(subset, split)
    )


def masks_in(receipt: Path, wanted: Container[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the path in the subset's folder, and the bytes, of each wanted mask in the annotations."""
    found = locate_masks(read_receipt(receipt))
    yield from read_masks(location for mask, location in found.items() if mask in wanted)


def locate_masks(receipt: AnnotationsReceipt) -> dict[str, Location]:
    """Return where each mask is in the annotations, by its path in the subset's folder.

    Raises:
        UserError: The archive no longer exists, is not a zip or is not safe to unpack.
    """
    origin = Path(receipt["path"])
    if receipt["kind"] == "archive":
        if not origin.is_file():
            raise UserError(
                f"The archive {origin} no longer exists. Run snakemake with `--forcerun annotations`."
            )
        return {mask: Location(mask, str(origin), member) for mask, member in zipped_masks(origin).items()}
    found = {
        f"{mask_folder(split)}/{path.parent.name}/{path.name}": str(path)
        for split in MASKED
        for path in (origin / mask_folder(split)).glob("*/*")
    }
    system = sorted(filter(is_system_file, found))
    if system:
        log.info("%s: %s", origin, left_by_systems(system))
    masks = (mask for mask in sorted(found.keys() - set(system)) if mask.endswith(".png"))
    return {mask: Location(mask, found[mask]) for mask in masks}


def read_masks(locations: Iterable[Location]) -> Iterator[tuple[str, bytes]]:
    """Yield the path in the subset's folder, and the bytes, of each mask. Raise UserError for damage."""
    with ExitStack() as stack:
        archives: dict[str, BinaryIO] = {}
        for mask, path, member in locations:
            if member is None:
                with open(path, "rb") as file:
                    yield mask, file.read(MAX_FILE_BYTES)
                continue
            if path not in archives:
                archives[path] = stack.enter_context(open(path, "rb"))
            try:
                data = read_member(archives[path].fileno(), member)
            except BadMember as error:
                raise UserError(
                    f"{path} is damaged at its member {member.name!r}: {error}. Download it again."
                ) from error
            yield mask, data


def _unpack_chunk(
    classes: int, folder: Path, scratch: Path, locations: Sequence[Location]
) -> list[MaskRecord]:
    """Write some masks below `folder`, and return their records."""
    rows = []
    for mask, data in read_masks(locations):
        write_atomically(data, folder / mask, scratch)
        rows.append(record_of(mask, data, classes))
    return rows


def record_of(mask: str, data: bytes, classes: int) -> MaskRecord:
    """Return the record of a mask of a subset with `classes` classes."""
    decoded = decode(data, classes)
    sha256, problems = hashlib.sha256(data).digest(), "; ".join(decoded.problems)
    if decoded.ids is None:
        return MaskRecord(mask, len(data), sha256, None, "", (), None, None, problems)
    height, width = decoded.ids.shape
    ids = " ".join(map(str, decoded.present))
    digest, pixels = pixels_digest(decoded.ids), decoded.pixels
    return MaskRecord(mask, len(data), sha256, digest, ids, pixels, width, height, problems)
