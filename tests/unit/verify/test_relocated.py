"""Links whose source has moved."""

import random

import pytest

from helpers.builds import build
from helpers.checks import changed, first, found, run
from helpers.damages import (
    as_json,
    dangling,
)
from helpers.trees import linked_copy
from imagenet_s.copies.scan import contents
from imagenet_s.verify.relocated import new_root


@pytest.mark.parametrize(("link", "of_train"), [("symlink", 50), ("symlink-files", 650)])
def test_a_moved_source_is_reported_with_its_new_place(
    imagenet50, annotations50, tmp_path, capsys, link, of_train
):
    source = linked_copy(imagenet50, tmp_path / "data" / "imagenet")
    built = build(source, annotations50, tmp_path / "built", link)
    root = built.parent.rename(tmp_path / "results") / built.name
    assert found(root) == {}, "a moved output is whole"
    new = tmp_path / "disk" / "imagenet"
    new.parent.mkdir()
    source.rename(new)
    reported = found(root, "complete")
    assert {folder: list(kinds) for folder, kinds in reported.items()} == {
        folder: ["moved"] for folder in ("train", "train-semi", "validation", "test")
    }
    assert len(reported["train"]["moved"]) == 650
    assert run(root) == 1
    out = capsys.readouterr().out
    links = of_train + 500 + 752 + 1682
    assert f"{links:,} links lead to nothing below {source}: the source has been moved" in out
    assert f"it seems to be in {new}" in out


def test_one_dangling_link_counts_as_moved(shared):
    path = first(shared, "test")
    with changed(shared, path):
        reported = dangling(shared, path, random.Random(0))
        assert found(shared) == as_json(reported)


def test_a_link_to_nothing_may_be_relative_or_lead_to_the_top_folder(tmp_path):
    (tmp_path / "classes.csv").symlink_to("/no-such-file")
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "README.md").symlink_to("../gone/README.md")
    dangling = contents(tmp_path).dangling
    assert dangling == {
        "classes.csv": "/no-such-file",
        "test/README.md": str(tmp_path / "gone" / "README.md"),
    }
    assert new_root(dangling, tmp_path) is None
