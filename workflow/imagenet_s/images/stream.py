"""A source that can only be read from front to back is read once for all subsets of a build."""

from collections.abc import Sequence
from pathlib import Path

from imagenet_s.images.pool import Pool
from imagenet_s.images.read import ImageRecord, record_of, two_versions, warn_of_suspects, write_records
from imagenet_s.io.atomic import scratch_folder
from imagenet_s.io.receipts import receipt
from imagenet_s.io.split_file import fingerprint, size_of
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.progress import progress
from imagenet_s.source.readers.choose import streaming_reader
from imagenet_s.spec.classes import train_classes
from imagenet_s.spec.splits import tier_val_images
from imagenet_s.spec.subsets import tiers_of


def read_pass(part: str, files: Sequence[Path], records: Path, pool: Path, scratch: Path) -> None:
    """Read the files of one pass, copy the images that the subsets need, and record them like `read_part`.

    Args:
        part: The name of the pass, such as `train-pass-300-4`.
        files: The files that this pass reads.
        records: The Parquet file to write, with the columns `images.read.RECORDS`.
        pool: The folder for copies.
        scratch: A folder for temporary files.

    Raises:
        UserError: An image occurs twice with different bytes, images are empty, or a file changed while it
            was read.
    """
    kind, _, top, _ = part.split("-")
    wnid_of = {row.image: row.imagenet_wnid for tier in tiers_of(int(top)) for row in tier_val_images(tier)}
    classes = set(train_classes(int(top)))

    def wanted(image: str) -> bool:
        bar.reach(ended + reader.position)  # here, because images that are not wanted take time, too
        return image in wnid_of if kind == "val" else image.partition("_")[0] in classes

    rows: dict[str, ImageRecord] = {}
    file_of: dict[str, Path] = {}
    empty: list[str] = []
    suspects: list[str] = []
    ended = 0  # bytes of the files that are read
    sizes = {file: size_of(file) for file in files}
    with progress(f"Reading {part}", sum(sizes.values()), "B") as bar, scratch_folder(scratch):
        copies = Pool(pool, scratch)
        for file in files:
            before, reader = fingerprint(file), streaming_reader(file)
            for image, data in reader.stream(wanted):
                wnid = wnid_of[image] if kind == "val" else image.partition("_")[0]
                row = record_of(image, wnid, data)
                if rows.setdefault(image, row) != row:
                    raise two_versions(image, [str(file_of[image]), str(file)])
                if image not in file_of and data and row.suspect:
                    suspects.append(f"{file}: {image} {row.suspect}")
                file_of.setdefault(image, file)
                if data:
                    copies.add(image, wnid, row.sha256, data)
                else:
                    empty.append(f"{file}: {image}")
            ended += sizes[file]
            bar.reach(ended)
            if fingerprint(file) != before:
                raise UserError(f"{file} changed while it was read. Run the same command again.")
    warn_of_suspects(suspects)
    with receipt(records, pool) as partial:
        write_records(
            [row for row in rows.values() if row.size], empty, partial, [str(file) for file in files]
        )
