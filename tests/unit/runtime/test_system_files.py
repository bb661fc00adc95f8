"""System files are recognized by their names."""

import pytest

from imagenet_s.runtime.system_files import is_system_file


@pytest.mark.parametrize(
    "path",
    [
        ".DS_Store",
        "n01443537/.DS_Store",
        "._n01443537_1.JPEG",
        "Thumbs.db",
        "thumbs.db",
        "desktop.ini",
        "train/@eaDir/x.JPEG",
        ".ipynb_checkpoints/x.png",
        ".nfs000000000a1b",
        "__MACOSX/x.png",
    ],
)
def test_system_files_are_recognized_by_name(path):
    assert is_system_file(path)


@pytest.mark.parametrize("path", ["n01443537/x.png", "notes.txt", ".hidden", "x._y", "nfs", ""])
def test_other_files_are_not_system_files(path):
    assert not is_system_file(path)
