"""Which reader fits a place: its first bytes decide, not its name."""

import pytest

from helpers.raw_imagenet import TRAIN, gzipped, tar_of, zstandard
from helpers.raw_imagenet import VAL as VAL_TAR
from helpers.scans import FISH_1, VAL
from imagenet_s.source.layouts import find_places
from imagenet_s.source.readers.base import ScanNotes
from imagenet_s.source.readers.choose import indexed_reader, is_streamed, streaming_reader
from imagenet_s.source.readers.compressed_tar import CompressedTar
from imagenet_s.source.readers.tar import Tar
from imagenet_s.source.tar_index import Index


@pytest.mark.parametrize(
    ("names", "read"),
    [
        ({f"{TRAIN}": gzipped, f"{VAL_TAR}": zstandard}, CompressedTar),
        ({f"{TRAIN}.gz": zstandard, f"{VAL_TAR}.zst": gzipped}, CompressedTar),
        (
            {f"{TRAIN}.tgz".replace(".tar", ""): gzipped, f"{VAL_TAR}.tgz".replace(".tar", ""): zstandard},
            CompressedTar,
        ),
        ({f"{TRAIN}.gz": bytes, f"{VAL_TAR}.zst": bytes}, Tar),
        ({"train_images_0.tar.gz": bytes, "data/val_images.tar.gz": bytes}, Tar),
        ({"train_images_0.tar": bytes, "val_images.tar": bytes}, Tar),
        ({"train_images_0.tar": gzipped, "val_images.tar": gzipped}, CompressedTar),
        ({f"{TRAIN}.001": gzipped, f"{VAL_TAR}.aa": zstandard}, CompressedTar),
        ({f"{TRAIN}.gz.aa": zstandard, f"{VAL_TAR}.zst.00": gzipped}, CompressedTar),
        ({f"{TRAIN}.gz.aa": bytes, f"{VAL_TAR}.zst.1": bytes}, Tar),
    ],
)
def test_the_first_bytes_of_an_archive_choose_its_reader_not_its_name(root, names, read):
    (root / "data").mkdir()
    for name, compress in names.items():
        (root / name).write_bytes(compress(tar_of([(f"{FISH_1}.JPEG", b"1"), (f"{VAL}.JPEG", b"2")])))
    places = find_places(root)
    assert [str(path.relative_to(root)) for path in (*places.train, *places.val)] == list(names)
    assert places.one_pass == (("train", "val") if read is CompressedTar else ())
    for path in (*places.train, *places.val):
        assert is_streamed(path) == (read is CompressedTar)
        reader = streaming_reader(path) if is_streamed(path) else indexed_reader(path, ScanNotes(), Index())
        assert type(reader) is read
