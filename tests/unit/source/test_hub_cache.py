"""The cache of the Hugging Face hub: which revision is read, whichever of its folders is given."""

import os
from pathlib import Path

import pytest

from helpers.raw_imagenet import cached
from helpers.scans import touch
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.hub_cache import download_command, hub_caches, main_revision, snapshot_of
from imagenet_s.source.layouts import Places, find_places

NAMES = ("data/train-00000-of-00001.parquet", "data/validation-00000-of-00001.parquet")
ORIGINAL, SHARDS = "ILSVRC--imagenet-1k", "timm--imagenet-1k-wds"


@pytest.fixture
def hub(tmp_path):
    """Return a function that adds a revision to a cache, and returns the cache's folder."""

    def hub(revision: str, *names: str, name: str = ORIGINAL) -> Path:
        touch(tmp_path / "plain", *names)
        return cached(tmp_path / "plain", tmp_path / "hub", name, revision)

    return hub


def revision_of(places: Places) -> str:
    """Return the revision whose links are the places, all of them."""
    snapshot = places.root
    assert snapshot.parent.name == "snapshots"
    assert {snapshot_of(path) for path in (*places.train, *places.val)} == {snapshot}
    assert all(path.is_symlink() and path.is_file() for path in (*places.train, *places.val))
    return snapshot.name


@pytest.mark.parametrize(
    ("name", "names", "layout"),
    [
        (ORIGINAL, NAMES, "Hugging Face parquet"),
        ("imagenet-1k", ("data/train_images_0.tar.gz", "data/val_images.tar.gz"), "Hugging Face archives"),
        (SHARDS, ("imagenet1k-train-0000.tar", "imagenet1k-validation-00.tar"), "WebDataset"),
    ],
)
def test_the_cache_its_snapshots_a_revision_and_the_hub_lead_to_the_same_places(hub, name, names, layout):
    cache = hub("b", *names, name=name)
    for folder in (cache, cache / "snapshots", cache / "snapshots" / "b", cache.parent):
        places = find_places(folder)
        assert revision_of(places) == "b"
        assert places.name == layout
        assert places == find_places(cache / "snapshots" / "b")


@pytest.mark.parametrize("main", ["a", "b", "c"])
def test_of_several_revisions_the_one_of_main_is_read(hub, main):
    for revision in "abc":
        cache = hub(revision, *NAMES)
    (cache / "refs" / "main").write_text(f"{main}\n")
    assert revision_of(find_places(cache)) == main
    assert revision_of(find_places(cache / "snapshots" / "a")) == "a"


@pytest.mark.parametrize("names", [(), ("README.md",), NAMES[1:]])
def test_the_only_revision_with_train_and_val_is_read_whatever_main_names(hub, names):
    hub("a", *NAMES)
    cache = hub("main", *names)
    assert revision_of(find_places(cache)) == "a"


@pytest.mark.parametrize("main", [None, "gone", "", "../../x", "a/b", "a\0", "x" * 1000, b"\xff\xfe"])
def test_without_main_several_revisions_are_refused(hub, main):
    for revision in "ab":
        cache = hub(revision, *NAMES)
    if main is None:
        (cache / "refs" / "main").unlink()
    else:
        (cache / "refs" / "main").write_bytes(main if isinstance(main, bytes) else main.encode())
    with pytest.raises(UserError) as error:
        find_places(cache.parent)
    assert str(error.value) == (
        f"`imagenet`: {cache} has 2 revisions with images of ImageNet-1k, and `refs/main` names none of "
        f"them: a, b. Set `imagenet` in config.yaml to one of them, such as {cache}/snapshots/a"
    )
    assert revision_of(find_places(cache / "snapshots" / "b")) == "b"


def test_a_pipe_as_main_is_not_opened(hub):
    cache = hub("a", *NAMES)
    (cache / "refs" / "main").unlink()
    os.mkfifo(cache / "refs" / "main")
    assert main_revision(cache) is None
    assert revision_of(find_places(cache)) == "a"


def test_the_hub_of_the_original_comes_first_if_it_is_whole(hub):
    shards = ("imagenet1k-train-0000.tar", "imagenet1k-validation-00.tar")
    hub("a", *NAMES[:1])
    hub("b", *shards, name=SHARDS)
    cache = hub("c", *NAMES, name="other--imagenet-1k-resized")
    assert [found.folder.name for found in hub_caches(cache.parent)] == [
        f"datasets--{ORIGINAL}",
        f"datasets--{SHARDS}",
    ]
    assert revision_of(find_places(cache.parent)) == "b"
    hub("a", *NAMES[1:])
    assert revision_of(find_places(cache.parent)) == "a"


def test_folders_of_images_beside_a_cache_come_first(hub):
    cache = hub("a", *NAMES)
    touch(cache.parent, "train/n01443537/n01443537_1.JPEG", "val/ILSVRC2012_val_00004677.JPEG")
    places = find_places(cache.parent)
    assert (places.root, places.name) == (cache.parent, "plain folders")


def test_snapshots_of_a_backup_are_no_cache(tmp_path):
    touch(tmp_path / "snapshots" / "monday", "train/n01443537/n01443537_1.JPEG", "val/x.JPEG")
    for folder in (tmp_path, tmp_path / "snapshots"):
        assert hub_caches(folder) == []
        assert find_places(folder).train == ()


def test_a_cache_under_another_name_is_known_by_its_blobs(hub, tmp_path):
    cache = hub("a", *NAMES).rename(tmp_path / "imagenet")
    for folder in (cache, cache / "snapshots"):
        assert find_places(folder).root == cache / "snapshots" / "a"


def test_a_cache_without_images_has_no_places(hub):
    cache = hub("a", "README.md")
    places = find_places(cache)
    assert (places.root, places.train, places.val, places.name) == (cache, (), (), "not recognised")


def test_paths_outside_of_the_cache_are_in_no_snapshot(tmp_path):
    assert snapshot_of(tmp_path / "snapshots" / "a" / "x") is None
    snapshot = tmp_path / "datasets--a--b--c" / "snapshots" / "f00"
    assert snapshot_of(snapshot / "data" / "x") == snapshot
    assert download_command(snapshot / "data") == "hf download a/b/c --repo-type dataset --revision f00"
    assert download_command(snapshot.parents[1]) == "hf download a/b/c --repo-type dataset"
