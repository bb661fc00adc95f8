"""The check that stops a build before it writes: of an incomplete source, or an unsuitable output."""

import logging
import os
import tempfile
from pathlib import Path

import pytest

from helpers import raw_imagenet
from helpers.trees import linked_copy
from imagenet_s.io.links import place
from imagenet_s.source.listing import LISTING, Row, read_listing
from imagenet_s.source.scan import list_tier, read_scan
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.splits import listed

FISH = "n01443537"  # goldfish
SEMI = listed(50, "train-semi")[0]
TEST = listed(50, "test")[0]


def files_below(folder: Path) -> list[str]:
    return [os.path.join(where, name) for where, _, names in os.walk(folder) for name in names]


def train_file(row) -> str:
    return f"train/{row.imagenet_wnid}/{row.image}.JPEG"


# The source


@pytest.mark.parametrize("link", ["auto", "symlink", "hardlink", "copy"])
def test_a_complete_source_passes_and_is_listed(run, source, output, listings, link):
    assert run(link=link) == 650  # the demo has 10 listed and 3 further train images a class
    rows, scan = list_tier(source, 50, Index())
    table = read_listing(listings / "50.parquet")
    assert table.schema.equals(LISTING)
    assert [Row(*row.values()) for row in table.to_pylist()] == rows
    written = read_scan(listings / "50.json")
    sizes = [sum(os.path.getsize(row.path) for row in rows if row.image[0] == kind) for kind in "nI"]
    train, val = sizes[0] / 2, sizes[1]
    estimates = {"train-50-0": train, "train-50-1": train, "val-50-0": val}
    assert written.part_bytes == pytest.approx(estimates, rel=0.1)
    written.part_bytes.clear()
    assert written == scan
    assert len(rows) == 650 + 752 + 1682
    # Links were tried, and none is left.
    assert files_below(output) == []
    assert os.listdir(output / "work" / "tmp") == []


def test_the_check_of_a_higher_tier_reads_the_listings_of_lower_ones(run, refused, source):
    run()
    (source / train_file(SEMI)).unlink()
    error = refused(tier=300, subsets=(50, 300))
    assert "ImageNetS50" not in str(error)
    assert "- ImageNetS300/train-semi: 2,500 of 3,000 listed images missing" in str(error)


def test_nothing_is_written_when_the_source_is_incomplete(refused, source, output, listings):
    (source / train_file(SEMI)).unlink()
    refused()
    assert not output.exists()
    assert not listings.exists()


def test_unused_files_cause_a_warning_and_no_error(run, source, caplog):
    (source / "train" / FISH / ".DS_Store").touch()
    (source / "val" / FISH).mkdir()
    (source / "val" / FISH / f"{TEST.image}.JPEG").touch()
    with caplog.at_level(logging.WARNING, "imagenet_s"):
        run()
    unrecognized, duplicates, differing = (record.getMessage() for record in caplog.records)
    assert unrecognized.endswith(
        f"because they are not images of their class: {source}/train/{FISH}/.DS_Store"
    )
    assert duplicates.endswith(f"these files are not used: {source}/val/{FISH}/{TEST.image}.JPEG")
    used, other = (source / "val" / folder / f"{TEST.image}.JPEG" for folder in ("", FISH))
    assert differing == (
        "Images found twice with different sizes; the first of two files is used, and only one can be the "
        f"original: {used} ({used.stat().st_size:,} bytes) and {other} (0 bytes)"
    )


def test_copied_sets_and_unused_locations_are_reported(run, source, output, tmp_path, caplog):
    root = raw_imagenet.train_folder_and_val_tar(source, tmp_path / "archives")
    (root / "train_images_0.tar.gz").touch()
    with caplog.at_level(logging.WARNING, "imagenet_s"):
        run(root=root, link="auto")
    unused, copied = (record.getMessage() for record in caplog.records)
    assert unused == f"Also found, but not used: {root}/train_images_0.tar.gz"
    assert copied.startswith("link: auto: images from archives (val) are copied once into the output's pool")


def test_places_that_are_recognised_by_content_and_copies_are_reported(run, source, tmp_path, caplog):
    root = raw_imagenet.odd_gzips(source, tmp_path / "archives")
    with caplog.at_level(logging.WARNING, "imagenet_s"):
        assert run(root=root, link="auto") == 0
    assert [record.getMessage() for record in caplog.records][:3] == [
        f"Recognised by what it holds: train images in {root}/train.tgz.aa",
        f"Recognised by what it holds: val images in {root}/val.tar.gz",
        f"Also found, but not used: {root}/val (1).tar.gz",
    ]


def test_train_and_val_may_have_a_path_each(run, refused, source, listings, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    val = (source / "val").rename(tmp_path / "elsewhere" / "images")
    assert run(root=(source / "train", val)) == 650
    scan = read_scan(listings / "50.json")
    assert (scan.root, scan.val_root) == (f"{source}/train", str(val))
    assert (scan.train, scan.val, scan.synthetic) == ([f"{source}/train"], [str(val)], True)
    assert scan.origin == f"{source}/train (train), {val} (val)"
    for path in (source / "train", val):
        text = str(refused(root=(source / "train", val), output=path / "results"))
        assert text.startswith(f"`output` ({path}/results) lies inside the source ({path}), which is never")


def test_relative_paths_of_train_and_val_are_made_absolute(run, source, listings, monkeypatch):
    monkeypatch.chdir(source)
    assert run(root=(Path("train"), Path("val"))) == 650
    assert read_scan(listings / "50.json").val == [f"{source}/val"]


def test_the_shards_of_a_set_are_one_location(run, source, tmp_path, caplog):
    root = raw_imagenet.webdataset(source, tmp_path / "shards")
    for name in ("train", "val"):
        (root / f"ILSVRC2012_img_{name}").mkdir()
        (root / f"ILSVRC2012_img_{name}" / "notes.txt").touch()
    with caplog.at_level(logging.WARNING, "imagenet_s"):
        run(root=root, link="auto")
    train, val, _ = (record.getMessage() for record in caplog.records)
    assert train == (
        "Train images found in several locations; earlier ones take precedence: 0 from "
        f"{root}/ILSVRC2012_img_train, 650 from {root}/imagenet1k-train-…"
    )
    assert val.endswith(f"0 from {root}/ILSVRC2012_img_val, 2,434 from {root}/imagenet1k-validation-…")


def test_the_version_of_tfds_that_is_used_is_reported(run, source, tmp_path, caplog):
    root = raw_imagenet.tfds(source, tmp_path / "tfds")
    versions = root / "imagenet2012"
    linked_copy(versions / "5.1.0", versions / "5.0.0")
    with caplog.at_level(logging.WARNING, "imagenet_s"):
        run(root=root, link="auto")
    version, unused, _ = (record.getMessage() for record in caplog.records)
    assert version == (
        f"Several versions of a TFDS data set found; using {versions}/5.1.0, not {versions}/5.0.0"
    )
    assert unused.startswith(
        f"Also found, but not used: {versions}/5.0.0/imagenet2012-train.tfrecord-00000-of"
    )


def test_a_version_of_tfds_beside_a_folder_is_only_unused(run, source, tmp_path, caplog):
    root = raw_imagenet.tfds(source, tmp_path / "tfds")
    linked_copy(source / "train", root / "train")
    with caplog.at_level(logging.WARNING, "imagenet_s"):
        run(root=root, link="auto")
    unused, _ = (record.getMessage() for record in caplog.records)
    files = [root / "imagenet2012/5.1.0" / f"imagenet2012-train.tfrecord-0000{k}-of-00003" for k in range(3)]
    assert unused == f"Also found, but not used: {', '.join(map(str, files))}"


def test_the_check_of_a_higher_tier_refuses_archives_that_changed_since_the_lower_ones(
    run, refused, source, tmp_path
):
    root = raw_imagenet.official(source, tmp_path / "archives")
    run(root=root, link="auto")
    os.utime(root / raw_imagenet.VAL, (1, 1))
    text = str(refused(tier=300, subsets=(50, 300), root=root, link="auto"))
    assert text.startswith(f"{root}/{raw_imagenet.VAL} has changed since its members were listed")
    assert "`--forcerun source`" in text


def test_an_unknown_layout_is_reported_with_what_was_found_and_expected(refused, source):
    (source.parent / "deep" / "er").mkdir(parents=True)
    for name in ("train", "val"):
        (source / name).rename(source.parent / "deep" / "er" / name)
    (source / "valid").mkdir()
    (source / "photos of 2012").mkdir()
    (source / "photos of 2012" / "a.jpg").touch()
    (source / "train.tar").write_bytes(raw_imagenet.tar_of([("README", b"1"), ("a/b.jpg", b"2")]))
    text = str(refused())
    assert f"found no train and val images of ImageNet-1k below {source}." in text
    assert "It holds: SYNTHETIC.txt, photos of 2012, train.tar, valid\n" in text
    assert (
        "\nLooked into: photos of 2012 (a folder with 'a.jpg'), train.tar (a tar with 'README', 'a/b.jpg'), "
        "valid (an empty folder).\n"
    ) in text
    assert "\n  ILSVRC/Data/CLS-LOC/train and ILSVRC/Data/CLS-LOC/val (Kaggle)\n" in text
    assert "\n  ILSVRC2012_img_train and ILSVRC2012_img_val (renamed folders)\n" in text


def test_one_missing_folder_of_the_two_is_named(refused, source):
    (source / "val").rename(source.parent / "photos")
    assert f"found no val images of ImageNet-1k below {source}." in str(refused())


def test_an_empty_folder_is_reported(refused, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "It holds: nothing\n" in str(refused(root=tmp_path / "empty"))


def test_a_missing_folder_is_reported(refused, tmp_path):
    text = str(refused(root=tmp_path / "typo"))
    assert text == f"`imagenet`: there is no folder {tmp_path}/typo. Correct `imagenet` in config.yaml."


# The output


@pytest.mark.parametrize("below", [".", "results", "train/results"])
def test_an_output_inside_the_source_is_refused(refused, source, below):
    names = sorted(os.listdir(source))
    text = str(refused(output=source / below))
    assert f"({(source / below).resolve()}) lies inside the source ({source})" in text
    assert sorted(os.listdir(source)) == names


def test_an_output_that_leads_into_the_source_by_a_link_is_refused(refused, source, tmp_path):
    (tmp_path / "link").symlink_to(source)
    text = str(refused(output=tmp_path / "link" / "results"))
    assert f"({source}/results) lies inside the source ({source})" in text
    assert not (source / "results").exists()


def test_an_output_inside_a_linked_train_folder_of_the_source_is_refused(refused, source, tmp_path):
    (source / "train").rename(tmp_path / "disk")
    (source / "train").symlink_to(tmp_path / "disk")
    assert "lies inside the source" in str(refused(output=tmp_path / "disk" / "results"))
    assert not (tmp_path / "disk" / "results").exists()


def test_a_foreign_data_set_is_refused_and_unchanged(refused, output):
    theirs = output / "ImageNetS50" / "train" / FISH / "theirs.JPEG"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    text = str(refused())
    assert f"{output}/ImageNetS50 was not made by this pipeline; it holds: train. It is left" in text
    assert files_below(output) == [str(theirs)]
    assert theirs.read_text() == "theirs"


def test_a_foreign_link_to_a_train_folder_is_refused_and_unchanged(refused, output, source):
    (output / "ImageNetS50").mkdir(parents=True)
    (output / "ImageNetS50" / "train").symlink_to(source / "train")
    assert "it holds: train." in str(refused())
    assert os.readlink(output / "ImageNetS50" / "train") == str(source / "train")


@pytest.mark.parametrize("mark", ["ImageNetS50/dataset.json", "work/masks/50/a mask"])
def test_a_data_set_of_an_earlier_build_is_accepted_finished_or_not(run, output, mark):
    (output / "ImageNetS50" / "train").mkdir(parents=True)
    (output / mark).parent.mkdir(parents=True, exist_ok=True)
    (output / mark).touch()
    assert run() == 650


def test_files_that_no_build_writes_do_no_harm(run, output):
    (output / "ImageNetS50").mkdir(parents=True)
    (output / "ImageNetS50" / "notes.txt").write_text("theirs")
    (output / "ImageNetS300" / "train").mkdir(parents=True)  # not asked for
    assert run() == 650


def test_an_output_that_cannot_be_written_is_reported(refused, output):
    output.write_text("a file, where a folder is needed")  # not even root can write below it
    assert f"`output`: cannot write to {output}: " in str(refused())
    assert output.read_text() == "a file, where a folder is needed"


def test_hard_links_to_another_file_system_are_refused(refused, run, tmp_path):
    places = [place for place in map(Path, ("/dev/shm", "/tmp", "/var/tmp")) if place.is_dir()]
    elsewhere = [place for place in places if place.stat().st_dev != tmp_path.stat().st_dev]
    if not elsewhere:
        pytest.skip("no second file system at /dev/shm, /tmp or /var/tmp")
    with tempfile.TemporaryDirectory(dir=elsewhere[0]) as other:
        text = str(refused(link="hardlink", output=Path(other)))
        assert text.startswith(f"`link: hardlink`: no hardlink from {other} to {tmp_path}/imagenet/")
        assert "they are on different file systems. Set `link: symlink`" in text
        assert files_below(Path(other)) == []
        assert run(link="symlink", output=Path(other)) == 650


def test_reflinks_are_refused_if_the_file_system_has_none(refused, tmp_path, output):
    (tmp_path / "a").write_bytes(b"some bytes")
    try:
        place(str(tmp_path / "a"), tmp_path / "b", "reflink", tmp_path)
    except OSError:
        text = str(refused(link="reflink"))
        assert f"`link: reflink`: no reflink from {output} to {tmp_path}/imagenet/" in text
        assert "the file system does not support it. Set `link: symlink`" in text
        assert files_below(output) == []
    else:
        pytest.skip("the file system has reflinks")
