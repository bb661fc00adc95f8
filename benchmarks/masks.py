"""Measure masks: encoding them as id16 against a plain loop, and unpacking them against `unzip -q`.

    python benchmarks/masks.py FOLDER [--subset 919] [--rounds 3]

Makes a zip of a subset's masks in FOLDER, once (919: 21,609 masks). Each variant runs in a process of its
own, start and imports included, and writes into a folder of its own, which is removed at the end.
"""

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from pathlib import Path

import make_masks
import numpy as np
from measure import Taken, in_turn, machine, run
from PIL import Image

from imagenet_s.annotations.receipt import read_receipt
from imagenet_s.annotations.unpack import Location, locate_masks, mask_paths, read_masks, unpack_masks
from imagenet_s.dataset.encoded_masks import UnpackedMasks, encode_labels
from imagenet_s.io.atomic import scratch_folder, write_atomically, write_json
from imagenet_s.runtime.parallel import CHUNK, map_chunks
from imagenet_s.spec.subsets import MASKED, subset_of

WAYS = {
    "plain": "id16: Pillow and NumPy, a plain loop, one process",
    "labels": "id16: the stage, two processes, with digests and lists",
    "unzip": "unpacking: `unzip -q`",
    "take": "unpacking: only the masks, two processes: check CRC-32, write, rename",
    "start": "unpacking: the same with 128 masks: start three Pythons, read the list of members",
    "unpack": "unpacking: the stage, two processes: also decode, check, hash twice, record",
}


def plain(masks: Path, target: Path) -> None:
    """Encode all masks as one 16-bit channel, the simple way."""
    for mask in masks.glob("*/*/*.png"):
        rgb = np.asarray(Image.open(mask).convert("RGB"))
        ids = rgb[..., 0] | (rgb[..., 1].astype(np.uint16) << 8)
        path = target / mask.relative_to(masks)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(ids).save(path)


def labels(subset: int, folder: Path, target: Path) -> None:
    """Run the stage that writes labels, on the masks that `prepare` unpacked."""
    digests = {split: target / "manifests" / f"{split}.sha256" for split in MASKED}
    records, masks, tree, scratch = (
        folder / "records.parquet",
        _masks(subset, folder),
        target / "tree",
        target / "x",
    )
    encode_labels(UnpackedMasks(subset, records, masks), "id16", tree, digests, 2, scratch)


def take(receipt: Path, target: Path, most: int | None = None) -> None:
    """Only extract the masks, or the first `most` of them, with the functions of the stage."""
    found = locate_masks(read_receipt(receipt))
    for parent in {mask.rpartition("/")[0] for mask in found}:
        (target / parent).mkdir(parents=True)
    with scratch_folder(target / "x") as scratch:
        some = [found[mask] for mask in sorted(found)][:most]
        map_chunks(partial(_take, target, scratch), some, 2, "Unpacking", "masks")


def _take(target: Path, scratch: Path, locations: Sequence[Location]) -> list[None]:
    return [write_atomically(data, target / mask, scratch) for mask, data in read_masks(locations)]


def prepare(subset: int, folder: Path) -> None:
    """Make the zip, the receipt that fetching it would write, and a folder of its masks with records."""
    path = folder / f"{subset_of(subset).name}.zip"
    if not path.exists():
        make_masks.make(subset, path)
    receipt = {"kind": "archive", "path": str(path.absolute()), "official": False}
    write_json(folder / "receipt.json", receipt)
    unpack_masks(subset, folder / "receipt.json", folder / "out", folder / "records.parquet", 2, folder / "x")


def job(way: str, subset: int, folder: Path, target: Path) -> None:
    """Run one variant in this process."""
    if way == "plain":
        plain(_masks(subset, folder), target)
    elif way == "labels":
        labels(subset, folder, target)
    elif way in ("start", "take"):
        take(folder / "receipt.json", target, 2 * CHUNK if way == "start" else None)
    else:
        unpack_masks(subset, folder / "receipt.json", target, target / "records.parquet", 2, target / "x")


def _masks(subset: int, folder: Path) -> Path:
    return folder / "out" / "work" / "masks" / str(subset)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.png"))


def main() -> None:
    """Run the benchmark and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--subset", type=int, default=919)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    subset, folder = options.subset, options.folder
    folder.mkdir(parents=True, exist_ok=True)
    prepare(subset, folder)
    numbers, last = count(), {}

    def timed(way: str) -> Taken:
        # Each run uses a new folder: some file systems create files slowly where many were deleted.
        last[way] = target = folder / "runs" / f"{way}-{next(numbers)}"
        target.mkdir(parents=True)
        if way == "unzip":
            return run(["unzip", "-q", folder / f"{subset_of(subset).name}.zip", "-d", target])
        return run([sys.executable, __file__, "--job", way, str(subset), folder, target])

    ways: dict[str, Callable[[], Taken]] = {way: partial(timed, way) for way in WAYS}
    taken = in_turn(ways, options.rounds)
    masks = len(mask_paths(subset))
    print(f"{masks:,} masks of {_bytes(_masks(subset, folder)) / masks:,.0f} bytes\n{machine()}\n")
    print("| | s | masks/s | × baseline's time | peak memory |\n|---|---|---|---|---|")
    for way, (seconds, memory) in taken.items():
        base = taken["plain" if way in ("plain", "labels") else "unzip"].seconds
        rate = "" if way == "start" else f"{masks / seconds:,.0f}"
        figures = f"{seconds:.2f} | {rate} | {seconds / base:.2f} | {memory / 1e6:,.0f} MB"
        print(f"| {WAYS[way]} | {figures} |")
    faster = taken["plain"].seconds / taken["labels"].seconds
    size = _bytes(last["labels"]) / _bytes(last["plain"])
    print(f"\nid16: {faster:.1f} times as fast as the plain loop; the files have {size:.2f} × its bytes")
    alone = (taken["take"].seconds - taken["start"].seconds) / taken["unzip"].seconds
    print(f"unpacking without the start-up time: {alone:.2f} × the time of `unzip -q`")
    shutil.rmtree(folder / "runs")


if __name__ == "__main__":
    if sys.argv[1] == "--job":
        job(sys.argv[2], int(sys.argv[3]), *map(Path, sys.argv[4:]))
    else:
        main()
