"""Lays out a synthetic ImageNet of a chosen size, with official names and files of realistic sizes.

    python benchmarks/make_imagenet.py --per-class real FOLDER
    python benchmarks/make_imagenet.py --layout tar --per-class 30 FOLDER

The images are JPEGs of 500 × 375 noise, 40 to 200 kB; all are drawn from a few, so that it is quick. As
folders they are hard links: the real number, 1,281,167 and 50,000, takes the disk its directory entries.
"""

import argparse
import io
import os
import sys
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from imagenet_s.demo.generate import train_names
from imagenet_s.source.scan import SYNTHETIC
from imagenet_s.spec.classes import tier_classes
from imagenet_s.spec.splits import tier_val_images, val_name
from imagenet_s.spec.subsets import SUBSETS, subset_of, tier_train_images

CLASSES, TRAIN_IMAGES, VAL_IMAGES = 1000, 1_281_167, 50_000  # of ImageNet-1k
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


def class_sizes(per_class: int | None) -> dict[str, int]:
    """wnid → number of train images for 1,000 classes, those of the smaller subsets first.

    As many as ImageNet has, subset by subset, where `per_class` is None. The tables do not know the wnids
    of some classes that no subset uses: these are made up.
    """
    sizes = {}
    for tier in SUBSETS:
        sizes |= _spread(tier_classes(tier), per_class, tier_train_images(tier))
    used = {row.imagenet_wnid for tier in SUBSETS for row in tier_val_images(tier)}
    rest = sorted(used - set(sizes))
    rest += [f"n999{k:05d}" for k in range(CLASSES - len(sizes) - len(rest))]
    return sizes | _spread(rest, per_class, TRAIN_IMAGES - subset_of(919).train_images)


def _spread(wnids: Sequence[str], per_class: int | None, images: int) -> dict[str, int]:
    count = len(wnids)
    return {
        wnid: images * (k + 1) // count - images * k // count if per_class is None else per_class
        for k, wnid in enumerate(wnids)
    }


def train_images(sizes: Mapping[str, int]) -> list[tuple[str, str]]:
    """(wnid, name) of so many images of each class, the listed ones in any case."""
    least = {wnid: len(train_names(wnid, 0)) for wnid in sizes}
    return [
        (wnid, image)
        for wnid, size in sizes.items()
        for image in train_names(wnid, max(0, size - least[wnid]))
    ]


def val_images(whole: bool) -> list[tuple[str, str]]:
    """(wnid, name) of all val images that any subset uses; with `whole`, of all 50,000."""
    used = {row.image: row.imagenet_wnid for tier in SUBSETS for row in tier_val_images(tier)}
    unused = [val_name(k) for k in range(1, VAL_IMAGES + 1) if val_name(k) not in used] if whole else []
    return [(wnid, image) for image, wnid in (used | dict.fromkeys(unused, "n99900000")).items()]


def make(layout: str, classes: int, per_class: int | None, folder: Path) -> None:
    """Lays out the first so many `classes` in `folder`, and all val images that a subset uses.

    With `per_class` None as many of each class as ImageNet has, and all of its 50,000 val names.
    """
    folder.mkdir(parents=True)
    (folder / SYNTHETIC).write_text("Noise under the names of ImageNet images.\n")
    sizes = dict(islice(class_sizes(per_class).items(), classes))
    MAKERS[layout](train_images(sizes), val_images(per_class is None), cycle(base_images()), folder)


def _folders(train: Images, val: Images, data: Iterator[bytes], folder: Path) -> None:
    """Class folders and a flat val of hard links to some files: quick, and little disk."""
    paths = [f"train/{wnid}/{image}.JPEG" for wnid, image in train] + [
        f"val/{image}.JPEG" for _, image in val
    ]
    for parent in sorted({path.rpartition("/")[0] for path in paths}):
        (folder / parent).mkdir(parents=True)
    (folder / "base").mkdir()
    made: set[str] = set()
    for k, path in enumerate(paths):
        # An inode of ext4 takes 65,000 links.
        base = f"{folder}/base/{k % BASES}-{k // BASES // 60_000}.JPEG"
        content = next(data)
        if base not in made:
            Path(base).write_bytes(content)
            made.add(base)
        os.link(base, f"{folder}/{path}")


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
    parser.add_argument(
        "--per-class", default="30", help="train images a class (at least the listed), or `real`"
    )
    options = parser.parse_args()
    per_class = None if options.per_class == "real" else int(options.per_class)
    make(options.layout, options.classes, per_class, options.folder)


if __name__ == "__main__":
    main()
