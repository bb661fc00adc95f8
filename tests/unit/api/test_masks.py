"""Masks in Python: what is written comes back, in the official encoding, and mistakes are refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import imagenet_s

IDS = np.array([[0, 1, 50], [255, 256, 919], [1000, 65535, 7]], np.uint16)


@pytest.mark.parametrize("kind", [np.uint16, np.int64, np.int32, list])
def test_what_is_written_comes_back(tmp_path, kind):
    ids = IDS.tolist() if kind is list else IDS.astype(kind)
    path = tmp_path / "mine" / "n01443537" / "x.png"
    imagenet_s.write_mask(path, ids)
    assert [*path.parent.iterdir()] == [path]
    found = imagenet_s.read_mask(str(path))
    assert found.dtype == np.uint16
    assert np.array_equal(found, IDS)
    with Image.open(path) as image:
        rgb = np.asarray(image)
        assert image.mode == "RGB"
    assert np.array_equal(rgb[..., 0], IDS % 256)
    assert np.array_equal(rgb[..., 1], IDS // 256)
    assert not rgb[..., 2].any()


def test_masks_in_id16_are_read_as_well(data):
    path = data.samples("validation")["mask_path"][9]
    other = path.replace("validation-segmentation", "validation-segmentation-id16")
    assert np.array_equal(imagenet_s.read_mask(path), imagenet_s.read_mask(other))


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        ([1, 2], r"Expected ids of shape \(height, width\); found \(2,\)\."),
        (np.zeros((2, 2, 3), int), r"Expected ids of shape \(height, width\); found \(2, 2, 3\)\."),
        (np.zeros((0, 5), int), r"Expected ids of shape \(height, width\); found \(0, 5\)\."),
        (np.zeros((2, 2)), r"Expected ids as integers; found float64\."),
        (np.zeros((2, 2), bool), r"Expected ids as integers; found bool\."),
        ([[0, -1]], r"Expected ids from 0 to 65535; found -1 to 0\."),
        ([[0, 65536]], r"Expected ids from 0 to 65535; found 0 to 65536\."),
    ],
)
def test_other_arrays_are_refused_and_nothing_is_written(tmp_path, ids, found):
    with pytest.raises(ValueError, match=f"^{found}$"):
        imagenet_s.write_mask(tmp_path / "x.png", ids)
    assert [*tmp_path.iterdir()] == []


def test_the_old_file_stays_if_writing_fails(tmp_path, monkeypatch):
    path = tmp_path / "x.png"
    imagenet_s.write_mask(path, IDS)
    before = path.read_bytes()

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left on device"):
        imagenet_s.write_mask(path, IDS + 1)
    assert path.read_bytes() == before


def test_masks_that_another_program_has_read_are_converted(data):
    path = data.samples("validation")["mask_path"][9]
    expected = imagenet_s.read_mask(path)
    for name in (path, path.replace("validation-segmentation", "validation-segmentation-id16")):
        with Image.open(name) as image:
            assert np.array_equal(imagenet_s.read_mask(image), expected)
    for mode in ("L", "RGBA"):
        with pytest.raises(imagenet_s.UserError, match=f"^The image is not 8-bit RGB but has mode {mode}\\."):
            imagenet_s.read_mask(Image.new(mode, (3, 2)))


def picture(path: Path, mode: str, **options) -> Path:
    Image.new(mode, (3, 2), 1 if mode in ("L", "P") else (1, 2, 3)).save(path, **options)
    return path


def test_other_files_are_no_masks(tmp_path):
    expected = "A mask is an 8-bit RGB PNG with id = R + 256·G and B = 0, or a 16-bit grey one."
    for path, problem in (
        (picture(tmp_path / "grey.png", "L"), "is not 8-bit RGB but has mode L"),
        (picture(tmp_path / "palette.png", "P"), "is not 8-bit RGB but has mode P"),
        (picture(tmp_path / "photo.png", "RGB"), "has blue pixels"),
        (picture(tmp_path / "photo.jpg", "RGB"), "is not a readable PNG (unknown file format)"),
    ):
        with pytest.raises(imagenet_s.UserError) as caught:
            imagenet_s.read_mask(path)
        assert str(caught.value) == f"{path} {problem}. {expected}"
    with pytest.raises(FileNotFoundError, match=r"gone\.png"):
        imagenet_s.read_mask(tmp_path / "gone.png")
