"""Reading a source that can only be read from front to back: once, for all the subsets that are built."""

from collections.abc import Sequence
from pathlib import Path

from imagenet_s.images.pool import Pool
from imagenet_s.images.read import differing, record_of, warn_of_suspects, write_records
from imagenet_s.io.atomic import scratch_folder
from imagenet_s.io.receipts import receipt
from imagenet_s.io.split_file import fingerprint
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.progress import progress
from imagenet_s.source.layouts import streaming_reader
from imagenet_s.spec.classes import train_classes
from imagenet_s.spec.splits import tier_val_images
from imagenet_s.spec.subsets import tiers_of


def read_pass(part: str, files: Sequence[Path], records: Path, pool: Path, scratch: Path) -> None:
    """Reads the files of a one-pass source that are this part's, from front to back, once.

    What the subsets need of them is copied to `pool`, and recorded as by `read_part`. Of an image that
    is there twice, both must be the same: raises UserError otherwise.
    """
    kind, _, top, _ = part.split("-")
    wnid_of = {row.image: row.imagenet_wnid for tier in tiers_of(int(top)) for row in tier_val_images(tier)}
    classes = set(train_classes(int(top)))

    def wanted(image: str) -> bool:
        return image in wnid_of if kind == "val" else image.partition("_")[0] in classes

    rows: dict[str, tuple] = {}
    file_of: dict[str, int] = {}
    empty, suspects = [], []
    with progress(f"Reading {part}", None, "images") as bar, scratch_folder(scratch):
        copies = Pool(pool, scratch)
        for k, file in enumerate(files):
            before = fingerprint(file)
            for image, data in streaming_reader(file).stream(wanted):
                wnid = wnid_of[image] if kind == "val" else image.partition("_")[0]
                row = record_of(image, wnid, data)
                if rows.setdefault(image, row) != row:
                    raise differing(image, [str(files[file_of[image]]), str(file)])
                if image not in file_of and data and row[-1]:
                    suspects.append(f"{file}: {image} {row[-1]}")
                file_of.setdefault(image, k)
                if data:
                    copies.add(image, wnid, row[3], data)
                else:
                    empty.append(f"{file}: {image}")
                bar.update()
            if fingerprint(file) != before:
                raise UserError(f"{file} changed while it was read. Run the same command again.")
    warn_of_suspects(suspects)
    with receipt(records, pool) as partial:
        write_records([row for row in rows.values() if row[2]], empty, partial, [str(file) for file in files])
