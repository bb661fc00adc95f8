"""Make a synthetic ImageNet of a chosen size, with official names and files of realistic sizes.

    python benchmarks/make_imagenet.py --per-class real FOLDER
    python benchmarks/make_imagenet.py --layout tar --per-class 30 FOLDER

The images are JPEGs of 500 × 375 pixels of noise, 40 to 200 kB. They repeat a few files, which is fast. In
the layout `folders` they are hard links, so the real number of images (1,281,167 and 50,000) takes little
disk.
"""

import argparse
import io
import json
import os
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from imagenet_s.demo.generate import train_names
from imagenet_s.io.tfrecord import FOOTER, HEADER, LENGTH_BYTES, masked_crc32c
from imagenet_s.source.readers.tfrecord import example_class
from imagenet_s.source.scan import SYNTHETIC
from imagenet_s.spec.classes import tier_classes
from imagenet_s.spec.splits import tier_val_images, val_name
from imagenet_s.spec.subsets import SUBSETS, subset_of, tier_train_images

CLASSES, TRAIN_IMAGES, VAL_IMAGES = 1000, 1_281_167, 50_000  # of ImageNet-1k
BASES = 40  # different images
SHARDS = 64  # of train; timm's copy has 1,024
ROWS = 100  # of a row group, as in the files of Hugging Face

Images = Iterable[tuple[str, str]]  # wnid, name without extension


def base_images() -> list[bytes]:
    """Return JPEGs of 500 × 375 pixels of noise with different sizes in bytes, the same on each call."""
    random = np.random.default_rng(0)
    found = []
    for k in range(BASES):
        noise = random.normal(128, 20 + k, (375, 500, 3)).clip(0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(noise).save(buffer, "JPEG", quality=70 + k % 20)
        found.append(buffer.getvalue())
    return found


def class_sizes(per_class: int | None) -> dict[str, int]:
    """Return the number of train images by wnid for 1,000 classes, those of the smaller subsets first.

    If `per_class` is None, each subset has as many images as in ImageNet. The wnids of some classes that no
    subset uses are invented, because the tables do not contain them.
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
    """Return (wnid, name) of the given number of images per class, which always include the listed ones."""
    least = {wnid: len(train_names(wnid, 0)) for wnid in sizes}
    return [
        (wnid, image)
        for wnid, size in sizes.items()
        for image in train_names(wnid, max(0, size - least[wnid]))
    ]


def val_images(whole: bool) -> list[tuple[str, str]]:
    """Return (wnid, name) of all val images that a subset uses or, with `whole`, of all 50,000."""
    used = {row.image: row.imagenet_wnid for tier in SUBSETS for row in tier_val_images(tier)}
    unused = [val_name(k) for k in range(1, VAL_IMAGES + 1) if val_name(k) not in used] if whole else []
    return [(wnid, image) for image, wnid in (used | dict.fromkeys(unused, "n99900000")).items()]


def make(layout: str, classes: int, per_class: int | None, folder: Path) -> None:
    """Make the first `classes` classes in `folder`, and all val images that a subset uses.

    If `per_class` is None, there are as many images as in ImageNet, including all 50,000 val images.
    """
    folder.mkdir(parents=True)
    (folder / SYNTHETIC).write_text("Noise under the names of ImageNet images.\n")
    sizes = dict(islice(class_sizes(per_class).items(), classes))
    MAKERS[layout](train_images(sizes), val_images(per_class is None), cycle(base_images()), folder)


def _folders(train: Images, val: Images, data: Iterator[bytes], folder: Path) -> None:
    """Write class folders and a flat val folder of hard links to a few files."""
    paths = [f"train/{wnid}/{image}.JPEG" for wnid, image in train] + [
        f"val/{image}.JPEG" for _, image in val
    ]
    for parent in sorted({path.rpartition("/")[0] for path in paths}):
        (folder / parent).mkdir(parents=True)
    (folder / "base").mkdir()
    written: set[str] = set()
    for k, path in enumerate(paths):
        # ext4 allows 65,000 links to a file.
        base = f"{folder}/base/{k % BASES}-{k // BASES // 60_000}.JPEG"
        content = next(data)
        if base not in written:
            Path(base).write_bytes(content)
            written.add(base)
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


def _zip(train: Images, val: Images, data: Iterator[bytes], folder: Path) -> None:
    """Write a zip like Kaggle's, of deflated members."""
    with zipfile.ZipFile(
        folder / "imagenet-object-localization-challenge.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1
    ) as archive:
        for wnid, image in train:
            archive.writestr(f"ILSVRC/Data/CLS-LOC/train/{wnid}/{image}.JPEG", next(data))
        for _, image in val:
            archive.writestr(f"ILSVRC/Data/CLS-LOC/val/{image}.JPEG", next(data))


def _gzip(train: Images, val: Images, data: Iterator[bytes], folder: Path) -> None:
    """Write the archives of Hugging Face, with each class spread over the five of train."""
    files = [(f"train_images_{k}.tar.gz", list(train)[k::5]) for k in range(5)]
    for name, images in [*files, ("val_images.tar.gz", val)]:
        with tarfile.open(folder / name, "w:gz", compresslevel=1) as archive:
            for wnid, image in images:
                _add(archive, f"{image}_{wnid}.JPEG", next(data))


def _odd_names(train: Images, val: Images, data: Iterator[bytes], folder: Path) -> None:
    """Write `train.tgz` in four pieces, as `split` makes them, and a val tar called `valid (1).tar`."""
    with tarfile.open(folder / "train.tgz", "w:gz", compresslevel=1) as archive:
        for wnid, image in train:
            _add(archive, f"{wnid}/{image}.JPEG", next(data))
    size = -(-(folder / "train.tgz").stat().st_size // 4)
    with (folder / "train.tgz").open("rb") as whole:
        for letter in "abcd":
            (folder / f"train.tgz.a{letter}").write_bytes(whole.read(size))
    (folder / "train.tgz").unlink()
    with tarfile.open(folder / "valid (1).tar", "w") as archive:
        for _, image in val:
            _add(archive, f"{image}.JPEG", next(data))


def _parquet(train: Images, val: Images, data: Iterator[bytes], folder: Path) -> None:
    """Write the parquet files of Hugging Face; the last one of train has all of its rows in one group."""
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


def _webdataset(train: Images, val: Images, data: Iterator[bytes], folder: Path) -> None:
    """Write shards of samples with numbers as keys and names in JSON, each class spread over all shards."""
    for kind, images, total in (("train-{:04}", list(train), SHARDS), ("validation-{:02}", list(val), 8)):
        for k in range(total):
            with tarfile.open(folder / f"imagenet1k-{kind.format(k)}.tar", "w") as archive:
                for number, (_, image) in enumerate(images[k::total]):
                    key, described = f"{k * 10_000 + number:09}", {"label": 0, "filename": f"{image}.JPEG"}
                    _add(archive, f"{key}.cls", b"0")
                    _add(archive, f"{key}.jpg", next(data))
                    _add(archive, f"{key}.json", json.dumps(described).encode())


def _tfds(train: Images, val: Images, data: Iterator[bytes], folder: Path) -> None:
    """Write the files of TFDS: 32 of train and 4 of validation, in which each class is spread."""
    version = folder / "imagenet2012" / "5.1.0"
    version.mkdir(parents=True)
    for split, images, files in (("train", list(train), 32), ("validation", list(val), 4)):
        for k in range(files):
            path = version / f"imagenet2012-{split}.tfrecord-{k:05d}-of-{files:05d}"
            with path.open("wb") as file:
                for _, image in images[k::files]:
                    file.write(_record({"file_name": f"{image}.JPEG".encode(), "image": next(data)}))


def _record(features: Mapping[str, bytes]) -> bytes:
    """Return a record of a TFRecord file that holds a message tf.train.Example."""
    message = example_class()()
    for name, value in features.items():
        message.features.feature[name].bytes_list.value.append(value)
    data = message.SerializeToString()
    length = len(data).to_bytes(LENGTH_BYTES, "little")
    return HEADER.pack(len(data), masked_crc32c(length)) + data + FOOTER.pack(masked_crc32c(data))


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


MAKERS = {
    "folders": _folders,
    "tar": _tar,
    "webdataset": _webdataset,
    "zip": _zip,
    "gzip": _gzip,
    "odd-names": _odd_names,
    "parquet": _parquet,
    "tfds": _tfds,
}


def main() -> None:
    """Make the data set that the arguments describe."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--layout", choices=MAKERS, default="folders")
    parser.add_argument("--classes", type=int, default=1000, help="number of classes")
    parser.add_argument(
        "--per-class", default="30", help="train images per class (at least the listed ones), or `real`"
    )
    options = parser.parse_args()
    per_class = None if options.per_class == "real" else int(options.per_class)
    make(options.layout, options.classes, per_class, options.folder)


if __name__ == "__main__":
    main()
