"""Measure listing a zip of all of ImageNet: time and memory, with the members of Kaggle's.

    python benchmarks/zip_directory.py FOLDER

makes a stand-in below FOLDER: a sparse file of 158 GB with a central directory of two million entries (all
images of train, val and test, and 600,000 annotations), but without the members. It takes 233 MB of disk.
Then it lists each tier as the build does, in a process of its own, and reads the same directory with zipfile.
"""

import argparse
import json
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

import make_imagenet
from measure import machine

from imagenet_s.io.zip_directory import END, END_64, ENTRY, LOCATOR, MAX_16, MAX_32
from imagenet_s.source.listing import listing_of, write_listing
from imagenet_s.source.scan import list_tier
from imagenet_s.source.tar_index import Index

NAME = "imagenet-object-localization-challenge.zip"
IMAGE_BYTES, ANNOTATION_BYTES = 110_000, 400
TEST_IMAGES, ANNOTATIONS = 100_000, 600_000
LOCAL_BYTES = 30  # of a local header, without the name


def members() -> Iterator[tuple[str, int]]:
    """Yield the name and the size of each member."""
    for wnid, image in make_imagenet.train_images(make_imagenet.class_sizes(None)):
        yield f"ILSVRC/Data/CLS-LOC/train/{wnid}/{image}.JPEG", IMAGE_BYTES
    for _, image in make_imagenet.val_images(whole=True):
        yield f"ILSVRC/Data/CLS-LOC/val/{image}.JPEG", IMAGE_BYTES
    for k in range(TEST_IMAGES):
        yield f"ILSVRC/Data/CLS-LOC/test/ILSVRC2012_test_{k + 1:08d}.JPEG", IMAGE_BYTES
    for k in range(ANNOTATIONS):
        yield f"ILSVRC/Annotations/CLS-LOC/train/n01440764/n01440764_{k}.xml", ANNOTATION_BYTES


def make(path: Path) -> None:
    """Write the stand-in."""
    entries, offset = [], 0
    for name, size in members():
        extra = struct.pack("<HHQ", 1, 8, offset) if offset >= MAX_32 else b""
        fields = (b"PK\1\2", 45, 0, 8, 1, size, size, len(name), len(extra), 0, 0, min(offset, MAX_32))
        entries.append(ENTRY.pack(*fields) + name.encode() + extra)
        offset += LOCAL_BYTES + len(name) + size
    count, directory = len(entries), b"".join(entries)
    end_64 = (b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(directory), offset)
    with path.open("wb") as file:
        file.truncate(offset)
        file.seek(offset)
        file.write(directory)
        file.write(END_64.pack(*end_64) + LOCATOR.pack(b"PK\6\7", 0, offset + len(directory), 1))
        file.write(END.pack(b"PK\5\6", 0, 0, MAX_16, MAX_16, MAX_32, MAX_32, 0))


def job(what: str, path: Path) -> None:
    """Read the directory in this process, and print seconds, peak memory and images as JSON."""
    before, began = _peak(), time.perf_counter()
    if what == "zipfile":
        with zipfile.ZipFile(path) as archive:
            images = len(archive.infolist())
    else:
        rows, scan = list_tier(path.parent, int(what), Index())
        write_listing(listing_of(rows, scan.fingerprints), path.with_name("listing.parquet"))
        images = len(rows)
    print(json.dumps([time.perf_counter() - began, _peak(), before, images]))


def _peak() -> int:
    """Return the peak memory of this process in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Run the benchmark and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    path = parser.parse_args().folder / NAME
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        make(path)
    print(f"{machine()}\n")
    print("| what | rows | s | peak memory | before |")
    print("|---|--:|--:|--:|--:|")
    for what in ("50", "300", "919", "zipfile"):
        command = [sys.executable, __file__, "--job", what, str(path)]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        seconds, peak, before, rows = json.loads(output)
        name = what if what == "zipfile" else f"tier {what}"
        print(f"| {name} | {rows:,} | {seconds:.1f} | {peak / 1e6:,.0f} MB | {before / 1e6:,.0f} MB |")


if __name__ == "__main__":
    if sys.argv[1] == "--job":
        job(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
