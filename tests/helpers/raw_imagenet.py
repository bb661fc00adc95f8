"""One plain synthetic ImageNet in the other forms that people keep it in.

Each maker takes a plain copy (`train/<wnid>/*.JPEG` and a flat `val/`) and a folder to make, which it
returns. The same source gives the same bytes every time.
"""

import gzip
import io
import itertools
import json
import os
import random
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from helpers.synthetic_zip import zip_bytes
from helpers.tfrecord import tfrecord
from helpers.trees import linked_copy
from imagenet_s.source.scan import SYNTHETIC
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.splits import tier_val_images

Maker = Callable[[Path, Path], Path]
Members = Iterable[tuple[str, bytes]]

TRAIN, VAL = "ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar"
CLASSES = sorted(class_ids(50))


def tar_of(members: Members, form: int = tarfile.GNU_FORMAT) -> bytes:
    """A tar of files, in their order."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


# The official archives, and parts of them


def official(source: Path, target: Path) -> Path:
    """One tar of one tar a class, and a flat one of val."""
    _made(source, target)
    (target / TRAIN).write_bytes(tar_of(_class_tars(source)))
    (target / VAL).write_bytes(tar_of(_val(source)))
    return target


def official_in_pieces(source: Path, target: Path) -> Path:
    """`….tar.001`, `.002`, `.003`."""
    return _cut(official(source, target), ["001", "002", "003"])


def official_in_lettered_pieces(source: Path, target: Path) -> Path:
    """`….tar.aa`, `.ab`, as `split` names them."""
    return _cut(official(source, target), ["aa", "ab"])


def class_tars(source: Path, target: Path, unpacked: Iterable[str] = ()) -> Path:
    """A train folder of one tar a class, but for the `unpacked` ones, which are folders; val flat."""
    _made(source, target)
    (target / "train").mkdir()
    for wnid in unpacked:
        linked_copy(source / "train" / wnid, target / "train" / wnid)
    for name, data in _class_tars(source):
        if name.removesuffix(".tar") not in unpacked:
            (target / "train" / name).write_bytes(data)
    linked_copy(source / "val", target / "val")
    return target


def half_class_tars(source: Path, target: Path) -> Path:
    """Every other class as a tar, the others unpacked."""
    return class_tars(source, target, CLASSES[::2])


def train_folder_and_val_tar(source: Path, target: Path) -> Path:
    _made(source, target)
    linked_copy(source / "train", target / "train")
    (target / VAL).write_bytes(tar_of(_val(source)))
    return target


def train_tar_and_val_folder(source: Path, target: Path) -> Path:
    _made(source, target)
    (target / TRAIN).write_bytes(tar_of(_class_tars(source)))
    linked_copy(source / "val", target / "val")
    return target


def few_classes_beside_the_tar(source: Path, target: Path) -> Path:
    """The official tars, and beside them a train folder with two classes and half of a third."""
    official(source, target)
    for wnid in CLASSES[:3]:
        linked_copy(source / "train" / wnid, target / "train" / wnid)
    for path in sorted((target / "train" / CLASSES[2]).iterdir())[::2]:
        path.unlink()
    return target


# Archives and folders as people name them


def odd_tars(source: Path, target: Path) -> Path:
    """`ILSVRC2012_img_train (1).tar`, and a val tar that is called `train.tar`; beside them, others."""
    official(source, target)
    (target / TRAIN).rename(target / "ILSVRC2012_img_train (1).tar")
    (target / VAL).rename(target / "train.tar")
    (target / "backup.tar").write_bytes(tar_of([("README", b"1")]))
    (target / "valid").mkdir()
    return target


def odd_tar_of_folders_and_a_folder(source: Path, target: Path) -> Path:
    """`imagenet.tar` with class folders, and `val_images` in class folders."""
    _made(source, target)
    train = ((f"train/{name[:9]}/{name}", data) for name, data in _train(source))
    (target / "imagenet.tar").write_bytes(tar_of(train))
    for row in tier_val_images(50):
        folder = target / "val_images" / row.imagenet_wnid
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{row.image}.JPEG").hardlink_to(source / "val" / f"{row.image}.JPEG")
    return target


def odd_folders(source: Path, target: Path) -> Path:
    """`imagenet-train` and `valid`."""
    _made(source, target)
    linked_copy(source / "train", target / "imagenet-train")
    linked_copy(source / "val", target / "valid")
    return target


def odd_gzips(source: Path, target: Path) -> Path:
    """`train.tgz` in pieces, and `val (1).tar.gz` beside `val.tar.gz`, the same."""
    official(source, target)
    cut_up(target / TRAIN, gzipped((target / TRAIN).read_bytes()), "train.tgz", ["aa", "ab", "ac"])
    val = gzipped((target / VAL).read_bytes())
    (target / VAL).unlink()
    for name in ("val.tar.gz", "val (1).tar.gz"):
        (target / name).write_bytes(val)
    return target


def official_zstandard_in_pieces(source: Path, target: Path) -> Path:
    """`ILSVRC2012_img_….tar.zst.00`, `.01`."""
    official(source, target)
    for name in (TRAIN, VAL):
        data = zstandard((target / name).read_bytes())
        cut_up(target / name, data, f"{name}.zst", ["00", "01"])
    return target


def cut_up(path: Path, data: bytes, name: str, endings: list[str]) -> None:
    """Replace a file by pieces of `data` of unlike sizes."""
    path.unlink()
    size = len(data) // len(endings) + 1237  # not at a block's border
    for k, ending in enumerate(endings):
        (path.parent / f"{name}.{ending}").write_bytes(data[k * size : (k + 1) * size])


# A path for train and one for val, as the table `imagenet` names them


def two_odd_files(source: Path, target: Path) -> tuple[Path, Path]:
    """Files in two folders whose names tell nothing."""
    official(source, target / "one")
    (target / "two").mkdir()
    train = (target / "one" / TRAIN).rename(target / "one" / "data.bin")
    return train, (target / "one" / VAL).rename(target / "two" / "a tar")


def two_paths_in_pieces_and_parquet(source: Path, target: Path) -> tuple[Path, Path]:
    """The name of a compressed train tar whose pieces are there, and the folder of val's parquet."""
    hugging_face_parquet(source, target / "val")
    official(source, target / "train")
    data = gzipped((target / "train" / TRAIN).read_bytes())
    cut_up(target / "train" / TRAIN, data, "x.tgz", ["1", "2"])
    return target / "train" / "x.tgz", target / "val"


def two_paths_hub_and_folder(source: Path, target: Path) -> tuple[Path, Path]:
    """The hub's cache, of which train is used, and a flat folder of val images with any name."""
    return hub_of_shards(source, target / "train"), linked_copy(source / "val", target / "images")


def two_paths_of_zip_and_class_folders(source: Path, target: Path) -> tuple[Path, Path]:
    """The folder of classes itself, and Kaggle's zip, which also holds train."""
    return linked_copy(source / "train", target / "n"), kaggle_zip_itself(source, target / "zip")


def two_paths_of_tfds(source: Path, target: Path) -> tuple[Path, Path]:
    """The `data_dir` of TFDS for train, a folder with the val tar among other files for val."""
    official(source, target / "val")
    (target / "val" / VAL).rename(target / "val" / "v (2).tar")
    return tfds(source, target / "train"), target / "val"


# Zips, as Kaggle gives them and as people pack them

KAGGLE_ZIP = "imagenet-object-localization-challenge.zip"
IN_KAGGLE = "ILSVRC/Data/CLS-LOC"


def zip_of(path: Path, members: Members, before: bytes = b"") -> Path:
    """The file of a zip: see `zip_bytes`."""
    path.write_bytes(zip_bytes(members, before))
    return path


def kaggle_zip(source: Path, target: Path) -> Path:
    """Everything in one zip, with what else Kaggle's holds."""
    _made(source, target)
    train = ((f"{IN_KAGGLE}/train/{name[:9]}/{name}", data) for name, data in _train(source))
    val = ((f"{IN_KAGGLE}/val/{name}", data) for name, data in _val(source))
    others = [
        ("ILSVRC/Annotations/CLS-LOC/val/ILSVRC2012_val_00000236.xml", b"<annotation/>"),
        (f"{IN_KAGGLE}/test/ILSVRC2012_test_00000001.JPEG", b"a test image"),
        ("LOC_val_solution.csv", b"ImageId,PredictionString\n"),
    ]
    zip_of(target / KAGGLE_ZIP, [*others, *train, *val])
    return target


def kaggle_zip_itself(source: Path, target: Path) -> Path:
    """The path of a zip under another name, beside other files, not of its folder."""
    kaggle_zip(source, target)
    return (target / KAGGLE_ZIP).rename(target / "all of it.ZIP")


def zips(source: Path, target: Path) -> Path:
    """`train.zip` with class folders, and a flat `val.zip` with other bytes before it."""
    _made(source, target)
    zip_of(target / "train.zip", ((f"{name[:9]}/{name}", data) for name, data in _train(source)))
    zip_of(target / "val.zip", _val(source), before=b"#!/bin/sh\n")
    return target


# As Hugging Face gives it


def hugging_face_tars(source: Path, target: Path) -> Path:
    """`train_images_{0..4}.tar.gz` with each class spread over them, and `val_images.tar.gz`."""
    _made(source, target)
    train = list(_shuffled(_suffixed_train(source)))
    for k in range(5):
        (target / f"train_images_{k}.tar.gz").write_bytes(gzipped(tar_of(train[k::5])))
    (target / "val_images.tar.gz").write_bytes(gzipped(tar_of(_suffixed_val(source))))
    return target


def hugging_face_tars_below_data(source: Path, target: Path) -> Path:
    _made(source, target)
    hugging_face_tars(source, target / "data")
    (target / "data" / SYNTHETIC).unlink()
    return target


def hugging_face_unpacked(source: Path, target: Path) -> Path:
    """Class folders and a flat val, with the suffix kept."""
    linked_copy(source, target)
    for path in (target / "train").glob("*/*"):
        path.rename(path.with_stem(f"{path.stem}_{path.parent.name}"))
    for row in tier_val_images(50):
        path = target / "val" / f"{row.image}.JPEG"
        path.rename(path.with_stem(f"{row.image}_{row.imagenet_wnid}"))
    return target


def hugging_face_parquet(source: Path, target: Path) -> Path:
    """`data/train-*.parquet` in three files and `data/validation-*.parquet`, rows shuffled."""
    _made(source, target)
    (target / "data").mkdir()
    train = list(_shuffled(_suffixed_train(source)))
    for k in range(3):
        _write_parquet(train[k::3], target / "data" / f"train-{k:05}-of-00003.parquet")
    _write_parquet(_shuffled(_suffixed_val(source)), target / "data" / "validation-00000-of-00001.parquet")
    return target


def hugging_face_parquet_at_the_top(source: Path, target: Path) -> Path:
    hugging_face_parquet(source, target)
    for path in (target / "data").iterdir():
        path.rename(target / path.name)
    (target / "data").rmdir()
    return target


def train_parquet_and_val_folder(source: Path, target: Path) -> Path:
    hugging_face_parquet(source, target)
    return _from_folder("val", source, target, (target / "data").glob("validation-*"))


def train_folder_and_val_parquet(source: Path, target: Path) -> Path:
    hugging_face_parquet(source, target)
    return _from_folder("train", source, target, (target / "data").glob("train-*"))


# WebDataset shards


def webdataset(source: Path, target: Path) -> Path:
    """As timm's: shards of shuffled samples with numbers as keys, and the names in their JSON."""
    _made(source, target)
    names = itertools.count()
    for kind, members, total in (("train", _train(source), 4), ("validation", _val(source), 2)):
        samples = [_sample(f"{next(names):08}", name, data) for name, data in _shuffled(members)]
        _write_shards(samples, target, f"imagenet1k-{kind}", total, 4 if kind == "train" else 2)
    return target


def webdataset_in_folders(source: Path, target: Path) -> Path:
    """Shards in `train` and `val`, whose keys are the official names, with the suffix of Hugging Face."""
    _made(source, target)
    endings = itertools.cycle((".jpeg", ".JPEG", ".jpg"))
    for kind, members, total in (("train", _suffixed_train(source), 3), ("val", _suffixed_val(source), 1)):
        (target / kind).mkdir()
        samples = [
            [(f"{name.removesuffix('.JPEG')}{next(endings)}", data), (name.replace(".JPEG", ".cls"), b"7")]
            for name, data in _shuffled(members)
        ]
        _write_shards(samples, target / kind, f"imagenet-{kind}", total, 6)
    return target


def _sample(key: str, name: str, data: bytes) -> list[tuple[str, bytes]]:
    described = {"label": 7, "width": 500, "height": 375, "filename": name}
    return [(f"{key}.cls", b"7"), (f"{key}.jpg", data), (f"{key}.json", json.dumps(described).encode())]


Samples = list[list[tuple[str, bytes]]]


def _write_shards(samples: Samples, folder: Path, stem: str, total: int, digits: int) -> None:
    for k in range(total):
        members = itertools.chain.from_iterable(samples[k::total])
        (folder / f"{stem}-{k:0{digits}}.tar").write_bytes(tar_of(members))


# The cache of the Hugging Face hub


def hub_of_parquet(source: Path, target: Path) -> Path:
    """The hub's folder, with a data set of two revisions: of the older one, only a text is there."""
    cache = cached(hugging_face_parquet(source, target / "plain"), target / "hub", "ILSVRC--imagenet-1k")
    (cache / "snapshots" / "0ld").mkdir()
    (cache / "snapshots" / "0ld" / "README.md").write_text("Of an older revision.")
    return target / "hub"


def hub_of_shards(source: Path, target: Path) -> Path:
    """The `snapshots` of a data set."""
    return cached(webdataset(source, target / "plain"), target / "hub", "timm--imagenet-1k-wds") / "snapshots"


def cached(plain: Path, hub: Path, name: str, revision: str = "c0ffee") -> Path:
    """Moves a copy into the hub's cache, as the revision that `refs/main` names; returns its folder."""
    cache = hub / f"datasets--{name}"
    for folder in ("blobs", "refs"):
        (cache / folder).mkdir(parents=True, exist_ok=True)
    (cache / "refs" / "main").write_text(revision)
    for path in sorted(path for path in plain.rglob("*") if path.is_file()):
        link = cache / "snapshots" / revision / path.relative_to(plain)
        link.parent.mkdir(parents=True, exist_ok=True)
        blob = cache / "blobs" / f"{revision}-{path.name}"
        path.rename(blob)
        link.symlink_to(os.path.relpath(blob, link.parent))
    return cache


# As TFDS writes it


def tfds(source: Path, target: Path) -> Path:
    """`imagenet2012/5.1.0`: train in three files, validation in two, records shuffled."""
    _made(source, target)
    folder = target / "imagenet2012" / "5.1.0"
    folder.mkdir(parents=True)
    _write_tfrecords(_train(source), folder, "train", 3)
    _write_tfrecords(_val(source), folder, "validation", 2)
    return target


def tfds_at_the_top(source: Path, target: Path) -> Path:
    """The version's folder."""
    tfds(source, target)
    for path in (target / "imagenet2012" / "5.1.0").iterdir():
        path.rename(target / path.name)
    (target / "imagenet2012" / "5.1.0").rmdir()
    (target / "imagenet2012").rmdir()
    return target


def train_tfds_and_val_folder(source: Path, target: Path) -> Path:
    tfds(source, target)
    return _from_folder("val", source, target, (target / "imagenet2012" / "5.1.0").glob("*-validation.*"))


# The official archives, compressed by the user


def official_gzip(source: Path, target: Path) -> Path:
    return _compressed(official(source, target), ".gz", gzipped)


def official_zstandard(source: Path, target: Path) -> Path:
    return _compressed(official(source, target), ".zst", zstandard)


def train_tar_and_val_gzip(source: Path, target: Path) -> Path:
    return _compressed(official(source, target), ".gz", gzipped, [VAL])


def train_gzip_and_val_folder(source: Path, target: Path) -> Path:
    return _compressed(train_tar_and_val_folder(source, target), ".gz", gzipped, [TRAIN])


def train_hugging_face_tars_and_val_zstandard(source: Path, target: Path) -> Path:
    hugging_face_tars(source, target)
    (target / "val_images.tar.gz").unlink()
    (target / f"{VAL}.zst").write_bytes(zstandard(tar_of(_val(source))))
    return target


# What the makers share


def _from_folder(kind: str, source: Path, target: Path, files: Iterable[Path]) -> Path:
    """Replace the files that hold `train` or `val` by its plain folder."""
    for path in list(files):
        path.unlink()
    linked_copy(source / kind, target / kind)
    return target


def _made(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    (target / SYNTHETIC).hardlink_to(source / SYNTHETIC)


def _class_files(source: Path, wnid: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted((source / "train" / wnid).iterdir()):
        yield path.name, path.read_bytes()


def _train(source: Path) -> Iterator[tuple[str, bytes]]:
    for folder in sorted((source / "train").iterdir()):
        yield from _class_files(source, folder.name)


def _class_tars(source: Path) -> Iterator[tuple[str, bytes]]:
    for folder in sorted((source / "train").iterdir()):
        yield f"{folder.name}.tar", tar_of(_class_files(source, folder.name))


def _val(source: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted((source / "val").iterdir()):
        yield path.name, path.read_bytes()


def _train(source: Path) -> Iterator[tuple[str, bytes]]:
    for folder in sorted((source / "train").iterdir()):
        yield from _class_files(source, folder.name)


def _suffixed_train(source: Path) -> Iterator[tuple[str, bytes]]:
    for folder in sorted((source / "train").iterdir()):
        for name, data in _class_files(source, folder.name):
            yield f"{name.removesuffix('.JPEG')}_{folder.name}.JPEG", data


def _suffixed_val(source: Path) -> Iterator[tuple[str, bytes]]:
    wnid_of = {f"{row.image}.JPEG": row.imagenet_wnid for row in tier_val_images(50)}
    for name, data in _val(source):
        yield f"{name.removesuffix('.JPEG')}_{wnid_of[name]}.JPEG", data


def _shuffled(members: Members) -> list[tuple[str, bytes]]:
    members = list(members)
    random.Random(0).shuffle(members)
    return members


def _write_parquet(members: Members, path: Path) -> None:
    number = {wnid: k for k, wnid in enumerate(sorted({row.imagenet_wnid for row in tier_val_images(50)}))}
    members = list(members)
    images = [{"bytes": data, "path": name} for name, data in members]
    labels = [number.get(name.removesuffix(".JPEG").rpartition("_")[2], -1) for name, _ in members]
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"image": pa.array(images, image), "label": pa.array(labels, pa.int64())})
    pq.write_table(table, path, row_group_size=50)


def _write_tfrecords(members: Members, folder: Path, split: str, files: int) -> None:
    members = _shuffled(members)
    for k in range(files):
        # The order of features differs from record to record, as TFDS may write them.
        examples = [
            dict(sorted({"image": data, "label": n, "file_name": name.encode()}.items(), reverse=n % 2))
            for n, (name, data) in enumerate(members[k::files])
        ]
        path = folder / f"imagenet2012-{split}.tfrecord-{k:05}-of-{files:05}"
        path.write_bytes(tfrecord(examples))


def _cut(folder: Path, endings: list[str]) -> Path:
    """Cuts both archives into as many pieces as there are endings, of unlike sizes."""
    for name in (TRAIN, VAL):
        cut_up(folder / name, (folder / name).read_bytes(), name, endings)
    return folder


def _compressed(
    folder: Path, ending: str, compress: Callable[[bytes], bytes], names: Iterable[str] = (TRAIN, VAL)
) -> Path:
    for name in names:
        (folder / f"{name}{ending}").write_bytes(compress((folder / name).read_bytes()))
        (folder / name).unlink()
    return folder


def gzipped(data: bytes) -> bytes:
    """`data` compressed by gzip."""
    return gzip.compress(data, 1, mtime=0)


def zstandard(data: bytes) -> bytes:
    """`data` compressed by zstandard."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()
