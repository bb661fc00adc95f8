"""Advice on an `imagenet` folder without images: where they probably are."""

from pathlib import Path

import pytest

from helpers import raw_imagenet
from helpers.trees import linked_copy
from imagenet_s.preflight.check import scan_source, source_problems
from imagenet_s.preflight.wrong_folder import likely_folder
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.listing import all_files
from imagenet_s.source.tar_index import Index

VAL = "ILSVRC2012_val_00004677"
FISH = "n01443537"
BOTH = "name the place of each set: `imagenet: {train: PATH, val: PATH}`"


@pytest.fixture
def source(imagenet50, tmp_path) -> Path:
    return linked_copy(imagenet50, tmp_path / "data" / "imagenet")


def problems_of(root: Path, val: Path | None = None) -> str:
    """Return the problems of a source from which nothing can be built."""
    listings, scans = scan_source(root, [50], Index(), val)
    return "\n".join(problem.text for problem in source_problems(all_files(listings), scans, [50], False))


def right(folder: Path) -> str:
    return f"{folder} holds both: set `imagenet` in config.yaml to it."


def test_one_level_up_is_named(source):
    (source / "elsewhere").mkdir()
    assert problems_of(source / "elsewhere") == (
        f"`imagenet`: found no train and val images of ImageNet-1k below {source}/elsewhere.\n"
        f"It holds: nothing\n{right(source)}"
    )
    for kind in ("train", "val"):
        assert problems_of(source / kind) == (
            f"`imagenet`: {source / kind} looks like the {kind} folder itself.\n{right(source)}"
        )


def test_one_level_down_is_named(source):
    assert problems_of(source.parent) == (
        f"`imagenet`: found no train and val images of ImageNet-1k below {source.parent}.\n"
        f"It holds: imagenet\n{right(source)}"
    )


@pytest.mark.parametrize("kind", ["train", "val"])
def test_the_train_or_val_folder_itself_is_recognised(source, kind):
    other = {"train": "val", "val": "train"}[kind]
    (source / other).rename(source.parents[1] / "other")
    assert problems_of(source / kind) == (
        f"`imagenet`: {source / kind} looks like the {kind} folder itself. Set `imagenet` in config.yaml to "
        f"the folder that holds it and the {other} folder: {source}"
    )


def test_the_cache_of_hugging_face_is_read_and_found_nearby(imagenet50, tmp_path, caplog):
    caplog.set_level("INFO")
    hub = raw_imagenet.hub_of_parquet(imagenet50, tmp_path / "home")
    cache = hub / "datasets--ILSVRC--imagenet-1k"
    revision = cache / "snapshots" / "c0ffee"
    why = "which `refs/main` names"
    said = f"Reading revision c0ffee, {why}, from the Hugging Face hub's cache: {revision}"
    for folder in (hub, cache, revision.parent, revision):
        caplog.clear()
        assert problems_of(folder) == ""
        assert (said in caplog.messages) == (folder != revision)
    assert problems_of(hub.parent).endswith(f"\n{right(hub)}")
    assert problems_of(cache / "refs").endswith(f"\n{right(cache)}")
    (cache / "refs" / "main").unlink()
    problems_of(hub)
    assert said.replace(why, "the only one with train and val files") in caplog.messages


def test_a_cache_of_hugging_face_without_images_is_named(tmp_path):
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "README.md").touch()
    cache = raw_imagenet.cached(tmp_path / "plain", tmp_path / "hub", "ILSVRC--imagenet-1k")
    for folder in (cache, cache.parent):
        assert problems_of(folder).splitlines()[-1] == (
            f"{cache} is a cache of the Hugging Face hub, but no revision in it (c0ffee) has files of "
            "ImageNet-1k. Download them with `hf download ILSVRC/imagenet-1k --repo-type dataset`."
        )


def test_a_folder_of_train_shards_alone_is_reported(imagenet50, tmp_path):
    source = raw_imagenet.webdataset_in_folders(imagenet50, tmp_path / "source")
    assert problems_of(source / "train").splitlines()[-1] == right(source)


def test_a_folder_of_the_right_name_without_images_is_reported_with_what_it_holds(source):
    for path in (source / "val").iterdir():
        path.unlink()
    (source / "val" / "deep" / "er" / "still").mkdir(parents=True)
    (source / "val" / "deep" / "er" / "still" / f"{VAL}.JPEG").touch()
    (source / "val" / "notes.txt").touch()
    text = problems_of(source)
    assert text == (
        f"`imagenet`: found no val images (ILSVRC2012_val_<number>.JPEG) in {source}/val.\n"
        "It holds: deep, notes.txt\n"
        "Set `imagenet` in config.yaml to the folder that holds val."
    )


def test_other_data_sets_with_train_and_val_are_not_taken_for_imagenet(source):
    for name in ("a-first-one", "coco"):
        (source.parent / name / "train" / "aachen").mkdir(parents=True)
        (source.parent / name / "val" / "aachen").mkdir(parents=True)
    annotations = source.parent / "annotations"
    (annotations / "train" / FISH).mkdir(parents=True)
    (annotations / "val").mkdir()
    (annotations / "val" / f"{VAL}.xml").touch()
    assert problems_of(source.parent).endswith(f"\n{right(source)}")
    source.rename(source.parents[1] / "imagenet")
    assert likely_folder(source.parent) is None


def test_class_folders_beside_the_val_folder_are_recognised(source):
    for path in (source / "train").iterdir():
        path.rename(source / path.name)
    (source / "train").rmdir()
    assert problems_of(source) == (
        f"`imagenet`: train images are in {source} itself, beside its other folders. Move them into a folder "
        f"{source}/train, make links to them there, or {BOTH}."
    )


def test_an_unreadable_cache_does_no_harm(source):
    (source.parent / "refs" / "main").mkdir(parents=True)
    (source.parent / "refs").chmod(0)
    assert likely_folder(source.parent) == source


def test_a_copy_inside_the_train_folder_is_found(source, tmp_path):
    (tmp_path / "outer" / "val").mkdir(parents=True)
    (tmp_path / "outer" / "val" / "x").touch()
    (tmp_path / "outer" / "train").mkdir()
    source.rename(tmp_path / "outer" / "train" / "imagenet")
    lines = problems_of(tmp_path / "outer").splitlines()
    assert lines[0] == f"`imagenet`: found no train images (<wnid>_<number>.JPEG) in {tmp_path}/outer/train."
    assert lines[-1] == right(tmp_path / "outer" / "train" / "imagenet")


def test_a_train_folder_of_other_classes_only_is_incomplete_not_wrong(source):
    for path in (source / "train").iterdir():
        for image in path.iterdir():
            image.unlink()
        path.rmdir()
    (source / "train" / "n01440764").mkdir()
    (source / "train" / "n01440764" / "n01440764_1.JPEG").touch()
    assert "What to do: complete the copy of ImageNet-1k" in problems_of(source)


def test_an_archive_without_images_of_its_set_is_reported(source):
    (source / "val").rename(source / "photos")
    (source / "ILSVRC2012_img_val.tar").write_bytes(raw_imagenet.tar_of([("README", b"1")]))
    text = problems_of(source)
    assert text.startswith(
        f"`imagenet`: found no val images (ILSVRC2012_val_<number>.JPEG) in {source}/ILSVRC"
    )
    assert "\nIt is a file of 10,240 bytes.\n" in text


def test_a_built_data_set_is_not_taken_for_imagenet(output50):
    tree = output50 / "ImageNetS50"
    for folder in (tree, tree / "train"):
        assert problems_of(folder) == (
            f"`imagenet`: {tree} is an ImageNet-S data set, not raw ImageNet-1k. Set `imagenet` in "
            f"config.yaml to the ImageNet-1k that it was made from. `imagenet-s verify {tree}` checks a data "
            "set."
        )
    assert problems_of(output50).splitlines()[-1] == (
        "A build made ImageNetS50 there. Set `imagenet` in config.yaml to the ImageNet-1k that it was made "
        "from."
    )


def test_a_zip_or_another_file_for_a_source_is_reported(source):
    path = raw_imagenet.zip_of(source.parent / "x.zip", [("README", b"1")])
    text = problems_of(path)
    assert text.startswith(
        f"`imagenet`: found no train images (<wnid>_<number>.JPEG) in {path}.\nIt is a file"
    )
    assert f"`imagenet`: found no val images (ILSVRC2012_val_<number>.JPEG) in {path}.\n" in text
    path = path.rename(source.parent / "x.tar")
    assert problems_of(path) == (
        f"`imagenet`: {path} is a file, and not a .zip. Set `imagenet` in config.yaml to the folder that "
        f"holds it ({path.parent}), or {BOTH}."
    )


def test_class_folders_that_are_links_to_nothing_are_reported(source):
    for path in sorted((source / "train").iterdir()):
        path.rename(source.parent / path.name)
        path.symlink_to(f"/gone/{path.name}")
    text = problems_of(source)
    assert f"- 50 links lead to nothing: {source}/train/n01443537 → /gone/n01443537, " in text
    assert "What to do: restore or mount the targets of the links, then run the same command again." in text
    assert "What to do: complete" not in text


def test_val_images_that_are_links_to_nothing_are_reported(source):
    for path in (source / "val").iterdir():
        path.unlink()
        path.symlink_to(f"/gone/{path.name}")
    lines = problems_of(source).splitlines()
    assert lines[0].startswith("`imagenet`: found no val images")
    assert lines[-1].startswith(f"Links in it lead to nothing: {source}/val/ILSVRC2012_val_")
    assert lines[-1].endswith(" (2,434 in all). Restore or mount their targets.")


def test_a_train_folder_that_is_a_link_to_nothing_is_reported(source):
    (source / "train").rename(source.parents[1] / "train")
    (source / "train").symlink_to("/gone/train")
    assert problems_of(source) == (
        f"`imagenet`: found no train images of ImageNet-1k below {source}.\n"
        "It holds: SYNTHETIC.txt, train, val\n"
        f"Links lead to nothing: {source}/train → /gone/train. Restore or mount their targets."
    )


def test_a_missing_first_piece_is_named(source):
    (source / "train").rename(source.parents[1] / "train")
    for ending in ("002", "003"):
        (source / f"ILSVRC2012_img_train.tar.{ending}").touch()
    assert problems_of(source).splitlines()[-1] == (
        "The first piece of ILSVRC2012_img_train.tar is missing: ILSVRC2012_img_train.tar.002 is a later "
        f"one. Get it, into {source}."
    )


def test_a_folder_that_cannot_be_listed_is_not_suggested(source, monkeypatch):
    closed = source.parent / "a closed one"
    closed.mkdir()
    listed = Path.iterdir

    def iterdir(path: Path):
        if path == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert likely_folder(source.parent) == source


def test_what_was_looked_into_is_named_with_what_it_holds(source):
    (source / "train").rename(source.parents[1] / "train")
    (source / "val").rename(source / "valid")
    (source / "train.tar").write_bytes(raw_imagenet.tar_of([(f"{VAL}.JPEG", b"1")]))
    (source / "backup.tgz").write_bytes(raw_imagenet.gzipped(raw_imagenet.tar_of([("x", b"1")])))
    (source / "ILSVRC2012_img_train (1).tar").write_bytes(b"<html>")
    (source / "x.zip").write_bytes(b"PK\3\4")
    (source / "n.tgz.ab").touch()
    lines = problems_of(source).splitlines()
    assert lines[0] == f"`imagenet`: found no train images of ImageNet-1k below {source}."
    assert lines[2:] == [
        "Looked into: ILSVRC2012_img_train (1).tar (an HTML page), backup.tgz (a compressed tar with 'x'), "
        "x.zip (a zip: name it in `imagenet` if it holds the images).",
        f"The first piece of n.tgz is missing: n.tgz.ab is a later one. Get it, into {source}.",
    ]


def test_paths_that_do_not_exist_are_named_with_their_keys(source):
    gone = source.parent / "gone.tar"
    assert problems_of(gone, source) == f"`imagenet.train`: there is no {gone}. Correct it in config.yaml."
    assert problems_of(gone, gone).splitlines() == [
        f"`imagenet.{kind}`: there is no {gone}. Correct it in config.yaml." for kind in ("train", "val")
    ]


def test_paths_that_hold_the_other_set_are_named_with_their_keys_and_what_they_hold(source):
    (source / "train" / "x.tar").write_bytes(raw_imagenet.tar_of([("README", b"1")]))
    lines = problems_of(source / "val", source / "train").splitlines()
    assert lines[0] == f"`imagenet.train`: found no train images (<wnid>_<number>.JPEG) in {source}/val."
    assert lines[1].startswith("It holds: ILSVRC2012_val_")
    assert (
        lines[2] == f"`imagenet.val`: found no val images (ILSVRC2012_val_<number>.JPEG) in {source}/train."
    )
    assert lines[4:] == [
        "Looked into: x.tar (a tar with 'README').",
        "Correct `imagenet.train` and `imagenet.val` in config.yaml.",
    ]


def test_a_named_file_that_is_no_archive_is_reported(source):
    path = source / "train.bin"
    path.write_bytes(b"<html>")
    with pytest.raises(UserError) as error:
        problems_of(path, source / "val")
    assert str(error.value) == (
        f"`imagenet`: {path} is an HTML page, not a tar. The server sent a web page, such as a login page, "
        "instead of the file. Download it again."
    )
