"""Decoding every image of a copy: images that cannot be read, or are too large, are reported."""

import errno
import os

import pytest

from helpers.raw_imagenet import hugging_face_parquet, train_folder_and_val_tar
from imagenet_s.io.tar_headers import MAX_IMAGE_BYTES
from imagenet_s.preflight.decoding import faults_of_images
from imagenet_s.runtime.progress import LoggedBar
from imagenet_s.source.layouts import find_places
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


@pytest.mark.parametrize("layout", [hugging_face_parquet, train_folder_and_val_tar])
def test_the_progress_is_in_bytes_if_all_is_read_from_front_to_back(
    layout, imagenet50, tmp_path, monkeypatch
):
    bars = []
    monkeypatch.setattr(LoggedBar, "log_state", lambda bar: bars.append(bar))
    root = layout(imagenet50, tmp_path / "imagenet")
    val = find_places(root).val
    assert faults_of_images([("val", place) for place in val], Index(), 2) == (2434, [])
    (bar,) = (bar for bar in bars if bar.what == "Decoding")
    if layout is hugging_face_parquet:
        size = sum(place.stat().st_size for place in val)
        assert (bar.unit_name, bar.of) == ("B", size)
        assert size * 0.9 < bar.count <= size
    else:
        assert (bar.unit_name, bar.of, bar.count) == ("images", None, 2434)
