"""Decoding every image of a copy: images that cannot be read, or are too large, are reported."""

import errno
import os

from imagenet_s.io.tar_headers import MAX_IMAGE_BYTES
from imagenet_s.preflight.decoding import faults_of_images
from imagenet_s.source.tar_index import Index


def test_unreadable_and_too_large_images_are_reported(tmp_path, monkeypatch):
    folder = tmp_path / "val"
    folder.mkdir()
    for k, name in enumerate(("ILSVRC2012_val_00000001.JPEG", "ILSVRC2012_val_00000002.JPEG")):
        (folder / name).write_bytes(bytes(k))
    os.truncate(folder / "ILSVRC2012_val_00000002.JPEG", MAX_IMAGE_BYTES + 1)
    right = os.open

    def refusing(path, *arguments, **options):
        if str(path).endswith("00000001.JPEG"):
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)
        return right(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refusing)
    assert faults_of_images([("val", folder)], Index(), 1) == (
        2,
        [
            f"{folder}/ILSVRC2012_val_00000001.JPEG cannot be read (Input/output error)",
            f"{folder}/ILSVRC2012_val_00000002.JPEG has {MAX_IMAGE_BYTES + 1:,} bytes, more than any image "
            "has. Get it again.",
        ],
    )
