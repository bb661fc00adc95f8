"""Lays out a synthetic ImageNet of a chosen size, with official names and files of realistic sizes.

    python benchmarks/make_imagenet.py --layout tar --per-class 30 FOLDER

The images are JPEGs of 500 × 375 noise, 40 to 200 kB; all are drawn from a few, so that it is quick.
"""

import argparse
import io
import os
import sys
import tarfile
from collections.abc import Iterable, Iterator
from itertools import count, cycle, islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from imagenet_s.classes import tier_classes
from imagenet_s.source import SYNTHETIC
from imagenet_s.splits import listed, tier_val_images
from imagenet_s.subsets import SUBSETS

BASES = 40
ROWS = 100  # of a row group, as Hugging Face has them

Images = Iterable[tuple[str, str]]  # wnid, name without ending


def base_images() -> list[bytes]:
    """JPEGs of 500 × 375 pixels of noise, of different sizes in bytes, always the same ones."""
    random = np.random.default_rng(0)
    found = []
    for k in range(BASES):
        noise = random.normal(128, 20 + k, (375, 500, 3)).clip(0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(noise).save(buffer, "JPEG", quality=70 + k % 20)
        found.append(buffer.getvalue())
    return found


def classes() -> list[str]:
    """The ImageNet wnids that the tables know, those of the smaller subsets first: almost all 1,000."""
    known = [wnid for tier in SUBSETS for wnid in tier_classes(tier)]
    rest = {row.imagenet_wnid for tier in SUBSETS for row in tier_val_images(tier)} - set(known)
    return known + sorted(rest)


def train_images(wnid: str, per_class: int) -> list[str]:
    """The listed images of a class, and as many others as make `per_class`."""
    names = [row.image for row in listed(919, "train-semi") if row.imagenet_wnid == wnid]
    others = (f"{wnid}_{k}" for k in count(1) if f"{wnid}_{k}" not in names)
    return names + list(islice(others, max(0, per_class - len(names))))


def val_images() -> list[tuple[str, str]]:
    """(wnid, name) of all val images that any subset uses."""
    return [(row.imagenet_wnid, row.image) for tier in SUBSETS for row in tier_val_images(tier)]


def make(layout: str, wnids: Iterable[str], per_class: int, folder: Path) -> None:
    """Lays out the classes `wnids` and all val images that a subset uses in `folder`."""
    folder.mkdir(parents=True)
    (folder / SYNTHETIC).write_text("Noise under the names of ImageNet images.\n")
    train = [(wnid, image) for wnid in wnids for image in train_images(wnid, per_class)]
    MAKERS[layout](train, val_images(), cycle(base_images()), folder)


def _folders(train: Images, val: Images, data: Iterator[bytes], folder: Path) -> None:
    """Class folders and a flat val of hard links to some files: quick, and little disk."""
    paths = [f"train/{wnid}/{image}.JPEG" for wnid, image in train] + [
        f"val/{image}.JPEG" for _, image in val
    ]
    for parent in sorted({path.rpartition("/")[0] for path in paths}):
        (folder / parent).mkdir(parents=True)
    (folder / "base").mkdir()
    for k, path in enumerate(paths):
        # An inode of ext4 takes 65,000 links.
        base = folder / "base" / f"{k % BASES}-{k // BASES // 60_000}.JPEG"
        content = next(data)
        if not base.exists():
            base.write_bytes(content)
        os.link(base, folder / path)


def _tar(train: Images, val: Images, data: Iterator[bytes], folder: Path) -> None:
    by_class: dict[str, list[str]] = {}
    for wnid, image in train:
        by_class.setdefault(wnid, []).append(image)
    with tarfile.open(folder / "ILSVRC2012_img_train.tar", "w") as outer:
        for wnid, images in by_class.items():
            buffer = io.BytesIO()
            with tarfile.open(fileobj=buffer, mode="w") as inner:
                for image in images:
                    _add(inner, f"{image}.JPEG", next(data))
            _add(outer, f"{wnid}.tar", buffer.getvalue())
    with tarfile.open(folder / "ILSVRC2012_img_val.tar", "w") as archive:
        for _, image in val:
            _add(archive, f"{image}.JPEG", next(data))


def _gzip(train: Images, val: Images, data: Iterator[bytes], folder: Path) -> None:
    """Hugging Face's archives, each class spread over the five of train."""
    files = [(f"train_images_{k}.tar.gz", list(train)[k::5]) for k in range(5)]
    for name, images in [*files, ("val_images.tar.gz", val)]:
        with tarfile.open(folder / name, "w:gz", compresslevel=1) as archive:
            for wnid, image in images:
                _add(archive, f"{image}_{wnid}.JPEG", next(data))


def _parquet(train: Images, val: Images, data: Iterator[bytes], folder: Path) -> None:
    """Hugging Face's parquet files; the last of train has all of its rows in one group."""
    (folder / "data").mkdir()
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    files = [(f"train-{k:05d}-of-00005", list(train)[k::5]) for k in range(5)]
    for name, images in [*files, ("validation-00000-of-00001", list(val))]:
        rows = len(images) if name.startswith("train-00004") else ROWS
        path, schema = folder / "data" / f"{name}.parquet", pa.schema([("image", kind)])
        with pq.ParquetWriter(path, schema, compression="none") as file:
            for start in range(0, len(images), rows):
                some = [
                    {"bytes": next(data), "path": f"{i}_{w}.JPEG"} for w, i in images[start : start + rows]
                ]
                file.write_table(pa.table({"image": pa.array(some, kind)}), row_group_size=rows)


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


MAKERS = {"folders": _folders, "tar": _tar, "gzip": _gzip, "parquet": _parquet}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--layout", choices=MAKERS, default="folders")
    parser.add_argument("--classes", type=int, default=1000, help="the first so many classes")
    parser.add_argument("--per-class", type=int, default=30, help="train images a class, at least the listed")
    options = parser.parse_args()
    make(options.layout, classes()[: options.classes], options.per_class, options.folder)


if __name__ == "__main__":
    main()
