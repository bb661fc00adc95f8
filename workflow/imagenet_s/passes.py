"""Reading a source that can only be read from front to back: once, for all the subsets that are built."""

from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path

from imagenet_s.classes import train_classes
from imagenet_s.files import put, real_folder, scratch_folder
from imagenet_s.images import differing, record_of, write_records
from imagenet_s.layouts import reader_of
from imagenet_s.pool import pool_path
from imagenet_s.progress import progress
from imagenet_s.splits import tier_val_images
from imagenet_s.subsets import tiers_of


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
    starts: list[int] = []  # how many rows there were before each file
    folders: dict[str, Path] = {}
    empty = []
    with progress(f"Reading {part}", None, "images") as bar, scratch_folder(scratch):
        for file in files:
            starts.append(len(rows))
            for image, data in reader_of(file)(file).stream(wanted):
                wnid = wnid_of[image] if kind == "val" else image.partition("_")[0]
                row = record_of(image, wnid, data)
                if rows.setdefault(image, row) != row:
                    first = files[bisect_right(starts, list(rows).index(image)) - 1]
                    raise differing(image, [first, file])
                if data:
                    folder, _, name = pool_path(image, wnid).rpartition("/")
                    if folder not in folders:
                        folders[folder] = real_folder(pool, folder)
                    put(data, folders[folder] / name, scratch)
                else:
                    empty.append(f"{file}: {image}")
                bar.update()
    write_records([row for row in rows.values() if row[2]], empty, records)
