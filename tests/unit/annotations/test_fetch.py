"""Annotations are found in every accepted place, verified by their md5, and their absence is explained."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from helpers.http_server import AnnotationServer
from imagenet_s.annotations import fetch as annotations
from imagenet_s.annotations.fetch import fetch
from imagenet_s.io.atomic import read_json
from imagenet_s.runtime.errors import UserError
from imagenet_s.spec.subsets import MASKED, subset_of

NAME = "ImageNetS50-a0fe9d82231f9bc4787ee76e304dfa51.zip"
STEM = NAME.removesuffix(".zip")
OFFICIAL_MD5 = "a0fe9d82231f9bc4787ee76e304dfa51"


@pytest.fixture
def archive(tmp_path) -> Path:
    """Return a small zip with the official name, in a folder of its own."""
    (tmp_path / "zips").mkdir()
    path = tmp_path / "zips" / NAME
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("ImageNetS50/validation-segmentation/n01443537/x.png", b"not a mask" * 100)
    return path


def md5_of(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def fetched(origin: object, tmp_path: Path, md5: str = OFFICIAL_MD5) -> dict:
    """Fetch the annotations of 50 from `origin`, and return their receipt."""
    fetch(50, str(origin), md5, tmp_path / "work", tmp_path / "receipts" / "50.json")
    return read_json(tmp_path / "receipts" / "50.json")


def refused(origin: object, tmp_path: Path, md5: str = OFFICIAL_MD5) -> str:
    """Return the error's text, after checking that neither a receipt nor an archive was written."""
    with pytest.raises(UserError) as caught:
        fetched(origin, tmp_path, md5)
    assert not (tmp_path / "receipts" / "50.json").exists()
    assert not (tmp_path / "work" / NAME).exists()
    return str(caught.value)


def unpacked(folder: Path) -> Path:
    """Make the two mask folders in `folder`, and return it."""
    for split in MASKED:
        (folder / f"{split}-segmentation" / "n01443537").mkdir(parents=True)
    return folder


def test_an_archive_in_a_folder_is_used_in_place(archive, tmp_path):
    assert fetched(archive.parent, tmp_path, md5_of(archive)) == {
        "kind": "archive",
        "path": str(archive),
        "archive": NAME,
        "md5": md5_of(archive),
        "official": False,
    }
    assert not (tmp_path / "work").exists()


def test_an_archive_with_the_official_md5_is_official(archive, tmp_path, monkeypatch):
    # The md5 makes it official. No test file can have it, so the check is skipped.
    monkeypatch.setattr(annotations, "_check_md5", lambda path, md5: None)
    assert fetched(archive.parent, tmp_path)["official"] is True


def test_an_archive_with_another_md5_is_refused(archive, tmp_path):
    text = refused(archive.parent, tmp_path)
    assert str(archive) in text
    assert f"md5 {md5_of(archive)}, expected {OFFICIAL_MD5}" in text
    assert f"{archive.stat().st_size:,} bytes" in text
    assert "`annotations.md5`" in text


@pytest.mark.parametrize("place", ["", "ImageNetS50", STEM, f"{STEM}/ImageNetS50"])
def test_unpacked_folders_are_found_in_each_accepted_place(tmp_path, place):
    folder = unpacked(tmp_path / "mine" / place)
    assert fetched(tmp_path / "mine", tmp_path) == {
        "kind": "folder",
        "path": str(folder),
        "archive": None,
        "md5": None,
        "official": False,
    }


def test_the_folder_of_the_subset_is_preferred_to_folders_beside_it(tmp_path):
    unpacked(tmp_path / "mine")
    own = unpacked(tmp_path / "mine" / "ImageNetS50")
    assert fetched(tmp_path / "mine", tmp_path)["path"] == str(own)


def test_an_archive_is_preferred_to_unpacked_folders_beside_it(archive, tmp_path):
    unpacked(archive.parent / "ImageNetS50")
    assert fetched(archive.parent, tmp_path, md5_of(archive))["kind"] == "archive"


def test_one_of_the_two_folders_is_not_enough(tmp_path):
    folder = unpacked(tmp_path / "mine" / "ImageNetS50")
    (folder / "train-semi-segmentation" / "n01443537").rmdir()
    (folder / "train-semi-segmentation").rmdir()
    assert "found no annotations" in refused(tmp_path / "mine", tmp_path)


def test_home_and_relative_folders_give_absolute_paths(archive, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for origin in ("~/zips", "zips", "./zips/../zips"):
        assert fetched(origin, tmp_path, md5_of(archive))["path"] == str(archive)


def test_nothing_found_says_what_was_looked_for_what_is_there_and_what_to_do(tmp_path):
    for name in ("ImageNetS300", "notes.txt"):
        (tmp_path / "mine" / name).mkdir(parents=True)
    text = refused(tmp_path / "mine", tmp_path)
    assert f"found no annotations of ImageNetS50 in {tmp_path / 'mine'}" in text
    assert f"{NAME}, " in text
    assert "ImageNetS50/train-semi-segmentation and validation-segmentation" in text
    assert "It holds: ImageNetS300, notes.txt\n" in text
    assert subset_of(50).archive_url in text
    assert "`annotations.from: official`" in text


def test_an_empty_folder_is_said_to_hold_nothing(tmp_path):
    (tmp_path / "mine").mkdir()
    assert "It holds: nothing\n" in refused(tmp_path / "mine", tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    assert f"`annotations.from`: there is no folder {tmp_path}/nowhere" in refused(
        tmp_path / "nowhere", tmp_path
    )


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_url_prefix_is_followed_by_the_official_name(archive, tmp_path, slash):
    with AnnotationServer({f"/a/b/{NAME}": archive.read_bytes()}) as server:
        receipt = fetched(f"{server.url}/a/b{slash}", tmp_path, md5_of(archive))
        assert [request.path for request in server.requests] == [f"/a/b/{NAME}"]
    assert receipt == {
        "kind": "archive",
        "path": str(tmp_path / "work" / NAME),
        "archive": NAME,
        "md5": md5_of(archive),
        "official": False,
    }
    assert (tmp_path / "work" / NAME).read_bytes() == archive.read_bytes()


def test_an_archive_that_was_downloaded_before_is_not_requested_again(archive, tmp_path):
    with AnnotationServer({f"/{NAME}": archive.read_bytes()}) as server:
        fetched(server.url, tmp_path, md5_of(archive))
        fetched(server.url, tmp_path, md5_of(archive))
        assert len(server.requests) == 1


def test_a_download_with_another_md5_is_refused(archive, tmp_path):
    with AnnotationServer({f"/{NAME}": archive.read_bytes()}) as server:
        text = refused(server.url, tmp_path)
    assert OFFICIAL_MD5 in text
    assert md5_of(archive) in text


def test_a_url_prefix_without_the_zip_is_refused_with_the_address(tmp_path):
    with AnnotationServer({}) as server:
        text = refused(f"{server.url}/here", tmp_path)
    assert f"{server.url}/here/{NAME}" in text
    assert "404" in text


@pytest.mark.parametrize("subset", [50, 300, 919])
def test_official_is_the_address_of_the_release(subset, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(annotations, "download", lambda *arguments: asked.append(arguments))
    facts = subset_of(subset)
    fetch(subset, "official", facts.archive_md5, tmp_path, tmp_path / "receipt.json")
    assert asked == [(facts.archive_url, tmp_path / facts.archive_name, facts.archive_md5)]
    assert read_json(tmp_path / "receipt.json")["official"] is True
