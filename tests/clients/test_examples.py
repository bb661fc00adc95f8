"""The examples of `docs/use.md` that need further programs."""

import os

import pytest

from helpers.builds import ROOT
from helpers.examples import blocks, run_examples, section
from imagenet_s.cli.main import main

PAGE = (ROOT / "docs" / "use.md").read_text(encoding="utf-8")
WEBDATASET = "export webdataset results/ImageNetS50"  # as the page says it


@pytest.fixture(autouse=True)
def folder(output50, tmp_path, monkeypatch):
    """A working directory that holds the demo in `results`."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "ImageNetS50").symlink_to(output50 / "ImageNetS50")
    monkeypatch.chdir(tmp_path)


def run_section(heading: str) -> int:
    return run_examples(blocks(section(PAGE, heading), "python"))


def test_pytorch():
    pytest.importorskip("torchvision")
    assert run_section("PyTorch") == 9


def test_hugging_face():
    pytest.importorskip("datasets")
    assert run_section("Hugging Face") == 7


def test_webdataset():
    pytest.importorskip("webdataset")
    assert f"imagenet-s {WEBDATASET}" in PAGE
    assert main(WEBDATASET.split()) == 0
    assert os.listdir("results/exports") == ["webdataset"]
    assert run_section("WebDataset") == 8
