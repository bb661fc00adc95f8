"""What reads foreign bytes, and the makers of wrong ones for each: the targets of `fuzz.py`."""

import random
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from functools import partial
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from fuzz import mutations as m
from imagenet_s.annotations import unpack as masks
from imagenet_s.benchmark.baseline.features import BadFeatures, read_features
from imagenet_s.benchmark.submission.check import check
from imagenet_s.config.settings import read_config_file
from imagenet_s.copies.expected import expected_of
from imagenet_s.copies.file_tables import LABEL
from imagenet_s.images import read as images
from imagenet_s.images.reader import Reader
from imagenet_s.io.atomic import write_json
from imagenet_s.io.zip_reader import zipped_masks
from imagenet_s.masks.codec import decode
from imagenet_s.runtime import image_file
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.incomplete_image import is_cut
from imagenet_s.source.content import candidates_in
from imagenet_s.source.listing import Row
from imagenet_s.source.readers.base import IndexedReader, ScanNotes
from imagenet_s.source.readers.choose import indexed_reader, is_streamed
from imagenet_s.source.readers.compressed_tar import CompressedTar
from imagenet_s.source.readers.parquet import Parquet
from imagenet_s.source.readers.tar import Tar
from imagenet_s.source.readers.tfrecord import TFRecord
from imagenet_s.source.readers.webdataset import WebDataset
from imagenet_s.source.readers.zip import Zip
from imagenet_s.source.tar_index import Index
from imagenet_s.verify.command import verify_copies
from imagenet_s.verify.file_checks import check_files


def read_zip(folder: Path) -> None:
    path = folder / "masks.zip"
    found = zipped_masks(path)
    write_json(folder / "receipt.json", {"kind": "archive", "path": str(path)})
    for mask, data in masks.masks_in(folder / "receipt.json", found):
        masks.record_of(mask, data, 50)


def read_tar(folder: Path) -> None:
    read_indexed(Tar(folder / "train.tar", ScanNotes(), Index()))


def read_zip_of_images(folder: Path) -> None:
    read_indexed(Zip(folder / "train.zip", ScanNotes(), Index()))


def read_shard(folder: Path) -> None:
    read_indexed(WebDataset(folder / m.SHARD, ScanNotes(), Index()))


def read_indexed(archive: IndexedReader) -> None:
    found = [image for _, some in archive.train_images(archive.classes()) for image in some]
    with Reader() as reader:
        for image in [*found, *archive.val_images()]:
            images.record_of(image.image, "", reader.read(Row(image.image, "", *image[1:])))


def read_stream(name: str, folder: Path) -> None:
    for image, data in CompressedTar(folder / name).stream(lambda _: True):
        images.record_of(image, "", data)


def read_recognised(folder: Path) -> None:
    for candidate in candidates_in(folder):
        if is_streamed(candidate.path):
            read_stream(candidate.path.name, folder)
        else:
            read_indexed(indexed_reader(candidate.path, ScanNotes(), Index()))


def read_parquet(folder: Path) -> None:
    parquet = Parquet(folder / "train.parquet")
    list(parquet.names())
    for image, data in parquet.stream(lambda _: True):
        images.record_of(image, "", data)


def read_tfrecord(folder: Path) -> None:
    for image, data in TFRecord(folder / "train.tfrecord-00000-of-00001").stream(lambda _: True):
        images.record_of(image, "", data)


def read_png(folder: Path) -> None:
    decode((folder / "mask.png").read_bytes(), 50)
    # As a label of which nothing is known.
    label = folder / "validation-segmentation-id16" / "n01443537" / "x.png"
    label.parent.mkdir(parents=True)
    (folder / "mask.png").rename(label)
    columns = [[str(label.relative_to(folder))], [LABEL], [None], [None], [None]]
    check_files(folder, 50, "sha256", m.expected_table(columns), 1)


def read_image(folder: Path) -> None:
    data = (folder / "image").read_bytes()
    image_file.examine(data)
    is_cut(data)
    with suppress(image_file.BadImage):
        image_file.decode(data, "RGB", draft=96)


def read_copy(folder: Path) -> None:
    for against in (None, folder):
        with redirect_stdout(StringIO()):
            verify_copies(folder, "sha256", against, False, folder / "report.json", 1)
    paths = expected_of(folder / "ImageNetS50", 50).files["path"].to_pylist()
    assert not [path for path in paths if not path or path[0] == "/" or ".." in path.split("/")]


def read_config(folder: Path) -> None:
    read_config_file(folder / "config.yaml")


def read_submission(folder: Path) -> None:
    with redirect_stdout(StringIO()):
        check(50, "unsupervised", folder / "submission.zip", None, 1)


def read_array(folder: Path) -> None:
    for path in folder.iterdir():
        try:
            read_features(path)
        except BadFeatures as error:
            raise UserError(f"{path} {error}") from error


class Target(NamedTuple):
    """What is fuzzed: a maker of cases, the reader, and the bytes of memory that a case may take."""

    make: Callable[[random.Random], m.Files]
    read: Callable[[Path], None]
    memory: int = 1 << 30


TARGETS = {
    "zip": Target(m.zip_case, read_zip),
    "zip-images": Target(m.zip_of_images_case, read_zip_of_images),
    "tar": Target(m.tar_case, read_tar),
    "shard": Target(m.shard_case, read_shard),
    "gzip": Target(partial(m.stream_case, "train.tar.gz"), partial(read_stream, "train.tar.gz")),
    "zstd": Target(partial(m.stream_case, "train.tar.zst"), partial(read_stream, "train.tar.zst")),
    "recognised": Target(m.odd_name_case, read_recognised),
    # Arrow makes room for what a page claims to have, before it looks; that is 2 GiB at most.
    "parquet": Target(m.parquet_case, read_parquet, memory=5 << 29),
    "tfrecord": Target(m.tfrecord_case, read_tfrecord),
    "png": Target(m.png_case, read_png),
    "image": Target(m.image_case, read_image),
    "copy": Target(m.copy_case, read_copy),
    "submission": Target(m.submission_case, read_submission),
    "features": Target(m.features_case, read_array),
    "config": Target(m.config_case, read_config),
}
