"""The three steps that restore images: the plan writes nothing, lost copies come back, entries are made."""

import errno
import os
from pathlib import Path

import pytest

from fuzz.damage_storm import write_config
from helpers.damages import own_copy, samples_in, states
from helpers.trees import linked_copy
from imagenet_s.config.settings import read_config_file
from imagenet_s.copies.file_tables import IMAGE
from imagenet_s.repair.damage import Copy, TreeEntry, damaged_of, digest_of
from imagenet_s.repair.restore_images import (
    ImagePlan,
    ScannedSource,
    fetch_images,
    place_images,
    plan_images,
    scanned,
)
from imagenet_s.verify.compare import verify


@pytest.fixture
def source(imagenet50, tmp_path) -> Path:
    """A source that may lose images."""
    return linked_copy(imagenet50, tmp_path / "imagenet")


@pytest.fixture
def copy(output50, source, tmp_path) -> Copy:
    """A build by copies that may be damaged."""
    output = own_copy(output50, tmp_path / "results")
    return Copy(read_config_file(write_config(output, source, "copy")), 50, output / "ImageNetS50")


def first(copy: Copy, split: str) -> str:
    return next(path for path in samples_in(copy.root) if path.startswith(f"{split}/"))


def lose(copy: Copy, path: str) -> Path:
    """Remove an image from the tree and from the pool; return where it was there."""
    inode = (copy.root / path).stat().st_ino
    pooled = next(file for file in copy.workspace.pool.rglob("*.JPEG") if file.stat().st_ino == inode)
    pooled.unlink()
    (copy.root / path).unlink()
    return pooled


def planned(copy: Copy) -> tuple[ImagePlan, ScannedSource]:
    result, found = verify(copy.root, 50, "sha256", 1), scanned(copy)
    return plan_images(copy, result, damaged_of(result, IMAGE), found), found


def test_a_plan_names_entries_and_what_they_must_hold_and_writes_nothing(copy, tmp_path):
    gone, unlinked = first(copy, "validation"), first(copy, "test")
    digests = {path: digest_of(copy.root / path) for path in (gone, unlinked)}
    pooled = lose(copy, gone)
    (copy.root / unlinked).unlink()
    before = states(tmp_path)
    plan, _ = planned(copy)
    assert plan.digests == digests
    assert plan.entries.keys() == {gone, unlinked}
    assert plan.entries[gone] == TreeEntry(gone, str(pooled), "hardlink", str(pooled))
    assert plan.lost == {}
    assert states(tmp_path) == before


def test_only_copies_that_are_gone_are_fetched_and_then_all_entries_placed(copy, tmp_path):
    gone, unlinked = first(copy, "validation"), first(copy, "test")
    pooled = lose(copy, gone)
    (copy.root / unlinked).unlink()
    kept = states(copy.workspace.pool)
    plan, found = planned(copy)
    assert fetch_images(copy, plan, found, tmp_path) == {}
    assert digest_of(pooled) == plan.digests[gone]
    assert states(copy.workspace.pool).keys() - kept.keys() == {str(pooled)}
    assert kept.items() <= states(copy.workspace.pool).items()
    assert not (copy.root / gone).exists()
    assert place_images(copy.root, plan.entries.values(), tmp_path) == []
    assert verify(copy.root, 50, "sha256", 1).whole


def test_an_image_that_the_source_lacks_is_lost_in_the_plan(copy, source):
    path = first(copy, "test")
    lose(copy, path)
    stem = Path(path).stem
    (source / "val" / f"{stem}.JPEG").unlink()
    plan, _ = planned(copy)
    assert (plan.entries, plan.lost) == ({}, {path: "the source does not have it"})


def test_other_bytes_of_the_source_are_not_taken(copy, source, tmp_path):
    path = first(copy, "test")
    pooled = lose(copy, path)
    origin = source / "val" / f"{Path(path).stem}.JPEG"
    data = origin.read_bytes()
    origin.unlink()
    origin.write_bytes(data + b"more")
    plan, found = planned(copy)
    assert fetch_images(copy, plan, found, tmp_path) == {path: "the source has other bytes"}
    assert not pooled.exists()


def test_an_entry_that_cannot_be_made_is_named_and_the_others_are_made(copy, tmp_path):
    blocked, other = first(copy, "test"), first(copy, "validation")
    for path in (blocked, other):
        (copy.root / path).unlink()
    plan, _ = planned(copy)
    (copy.root / blocked).mkdir()
    (copy.root / blocked / "mine").write_text("mine")
    assert place_images(copy.root, plan.entries.values(), tmp_path) == [
        f"{blocked}: {os.strerror(errno.ENOTEMPTY)}"
    ]
    assert (copy.root / other).is_file()
