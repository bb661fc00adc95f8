"""The gallery by the target `gallery`, as a user runs it."""

import pytest

from helpers.builds import snakemake
from helpers.pages import pages
from imagenet_s.spec.gallery import JOBS


@pytest.mark.long
def test_the_target_makes_the_pages_once_and_again_if_more_images_are_asked_for(tmp_path):
    run = snakemake(tmp_path, "all", "gallery", gallery=1)
    assert run.code == 0, run.text
    assert (run.rules.count("gallery_pictures"), run.rules.count("gallery_pages")) == (JOBS[50], 1)
    folder = tmp_path / "results" / "gallery" / "50"
    found = pages(folder)
    assert len(found) == 1 + 50 + 50
    assert [path for page in found for path in page.targets() if not path.is_file()] == []
    assert "Nothing to be done" in snakemake(tmp_path, "gallery", gallery=1).text
    run = snakemake(tmp_path, "gallery", gallery=2, gallery_splits=["test"])
    assert run.rules == ["gallery", "gallery_pages", *["gallery_pictures"] * JOBS[50]]
    assert len(list((folder / "images").rglob("test-*.html"))) == 2 * 50
