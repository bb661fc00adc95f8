"""A subset's masks: taken out of the annotations, looked at pixel by pixel, kept and recorded."""

import hashlib
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from imagenet_s.io.atomic import ensure_real_dir, read_json, scratch_folder, write_atomically
from imagenet_s.io.receipts import receipt
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

RECORDS = pa.schema(
    [
        ("mask", pa.string()),  # relative to the subset's folder
        ("bytes", pa.int64()),
        ("sha256", pa.binary(32)),
        ("pixels_sha256", pa.binary(32)),  # over the ids as little-endian uint16, row by row
        ("ids", pa.string()),  # those present, ascending, separated by spaces
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("problems", pa.string()),
    ]
)


def unpack_masks(
    subset: int, annotations: Path, output: Path, records: Path, workers: int, scratch: Path
) -> None:
    """Writes the subset's masks to `output/work/masks/<n>`, byte for byte, and their `records`, by `mask`.

    `annotations` is the receipt that `annotations.fetch` wrote. Raises UserError with everything that
    is wrong: listed masks that are not there, masks that are not listed, masks that are not what a
    mask is. For an archive with the official md5 these are only recorded: nobody can mend them.
    """
    claim_folder(output, subset)
    facts = read_json(annotations)
    origin = Path(facts["path"])
    folder = Workspace(output).masks(subset)
    unpack, found = _sources(facts, origin)
    wanted = mask_paths(subset)
    oddities = [f"{mask} is missing" for mask in wanted if mask not in found]
    oddities += [f"{mask} is not listed" for mask in sorted(set(found) - set(wanted))]
    present = [(mask, found[mask]) for mask in wanted if mask in found]
    for mask in set(wanted) - set(found):
        (folder / mask).unlink(missing_ok=True)
    for parent in sorted({mask.rpartition("/")[0] for mask, _ in present}):
        ensure_real_dir(folder, parent)
    with scratch_folder(scratch):
        task = partial(unpack, origin, len(class_ids(subset)), folder, scratch)
        what = f"Unpacking the masks of {subset_of(subset).name}"
        rows = map_chunks(task, present, workers, what, "masks")
    oddities += [f"{row[0]} {row[-1]}" for row in rows if row[-1]]
    if oddities and not facts["official"]:
        raise UserError(
            f"The masks of {subset_of(subset).name} from {origin} are not as they should be "
            f"({len(oddities):,} findings): {first_few(oddities)}.\n"
            f"Expected: exactly the {len(wanted):,} listed masks, 8-bit RGB PNGs with B = 0 and ids "
            f"0..{len(class_ids(subset))} or 1000. Get the official archive, or mend `annotations.from`.",
            details=oddities,
        )
    for oddity in oddities:
        log.warning("odd, but in the official archive: %s", oddity)
    with receipt(records, folder) as partial_path:
        write_records(rows, partial_path)


def write_records(rows: list[tuple], path: Path) -> None:
    """Writes rows of `RECORDS` as a Parquet file."""
    columns = zip(*rows, strict=True) if rows else [()] * len(RECORDS)
    table = pa.table([pa.array(c, f.type) for c, f in zip(columns, RECORDS, strict=True)], RECORDS)
    pq.write_table(table, path, compression="zstd")


def mask_paths(subset: int) -> list[str]:
    """The paths of all listed masks, relative to the subset's folder, sorted."""
    return sorted(
        f"{mask_folder(split)}/{row.wnid}/{row.image}.png"
        for split in MASKED
        for row in listed(subset, split)
    )


def masks_in(receipt: Path, wanted: Container[str]) -> Iterator[tuple[str, bytes]]:
    """(path in the tree, bytes) of those of the `wanted` masks that the annotations have."""
    facts = read_json(receipt)
    origin = Path(facts["path"])
    found = {mask: where for mask, where in _sources(facts, origin)[1].items() if mask in wanted}
    if facts["kind"] == "archive":
        yield from unzipped(origin, found.items())
    else:
        yield from ((mask, Path(path).read_bytes()) for mask, path in found.items())


def _sources(receipt: dict, origin: Path) -> tuple:
    """The function that takes out a chunk of masks, and mask path → where it is in the origin."""
    if receipt["kind"] == "archive":
        if not origin.is_file():
            raise UserError(f"The archive {origin} is gone. Run snakemake with `--forcerun annotations`.")
        return _from_zip, zipped_masks(origin)
    found = {
        f"{mask_folder(split)}/{path.parent.name}/{path.name}": str(path)
        for split in MASKED
        for path in (origin / mask_folder(split)).glob("*/*")
    }
    system = sorted(filter(is_system_file, found))
    if system:
        log.info("%s: %s", origin, left_by_systems(system))
    return _from_folder, {x: found[x] for x in sorted(found.keys() - set(system)) if x.endswith(".png")}


def _from_zip(
    origin: Path, classes: int, folder: Path, scratch: Path, masks: Sequence[tuple[str, Member]]
) -> list[tuple]:
    return [_keep(mask, data, classes, folder, scratch) for mask, data in unzipped(origin, masks)]


def unzipped(origin: Path, masks: Iterable[tuple[str, Member]]) -> Iterator[tuple[str, bytes]]:
    """(mask, bytes) of members of the zip `origin`. Raises UserError for the first that is damaged."""
    with open(origin, "rb", buffering=0) as file:
        for mask, member in masks:
            try:
                yield mask, read_member(file.fileno(), member)
            except BadMember as error:
                raise UserError(
                    f"{origin} is damaged at its member {member.name!r}: {error}. Download it again."
                ) from error


def _from_folder(
    origin: Path, classes: int, folder: Path, scratch: Path, masks: Sequence[tuple[str, str]]
) -> list[tuple]:
    rows = []
    for mask, path in masks:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE_BYTES)
        rows.append(_keep(mask, data, classes, folder, scratch))
    return rows


def _keep(mask: str, data: bytes, classes: int, folder: Path, scratch: Path) -> tuple:
    """Writes one mask and returns its row of `RECORDS`."""
    write_atomically(data, folder / mask, scratch)
    return record_of(mask, data, classes)


def record_of(mask: str, data: bytes, classes: int) -> tuple:
    """A row of `RECORDS`."""
    decoded = decode(data, classes)
    row = (mask, len(data), hashlib.sha256(data).digest())
    problems = "; ".join(decoded.problems)
    if decoded.ids is None:
        return (*row, None, "", None, None, problems)
    height, width = decoded.ids.shape
    pixels = pixels_digest(decoded.ids)
    ids = " ".join(map(str, decoded.present))
    return (*row, pixels, ids, width, height, problems)
