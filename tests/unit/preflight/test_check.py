"""What stops a build before it writes: an incomplete source, an output that cannot take it."""

import logging
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from helpers import raw_imagenet
from helpers.trees import linked_copy
from imagenet_s.config.build_request import BuildRequest
from imagenet_s.io.links import place
from imagenet_s.preflight.check import check_and_list
from imagenet_s.preflight.completeness import Inventory, lacking
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.listing import LISTING, Row, listing_of, read_listing
from imagenet_s.source.scan import list_tier, read_scan
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.classes import class_ids, class_names
from imagenet_s.spec.splits import listed

FISH = "n01443537"  # goldfish
SEMI = listed(50, "train-semi")[0]
VALIDATION = listed(50, "validation")[0]
TEST = listed(50, "test")[0]


@pytest.fixture
def source(imagenet50, tmp_path) -> Path:
    """A complete source that a test may spoil."""
    return linked_copy(imagenet50, tmp_path / "imagenet")


@pytest.fixture
def output(tmp_path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def listings(tmp_path) -> Path:
    """The folder that a check which passes writes to."""
    return tmp_path / "listings"


@pytest.fixture
def run(source, output, listings):
    """Checks the source, and lists its tier 50; how many train images there are."""

    def run(tier=50, subsets=(50,), complete=False, link="symlink", output=output, root=source) -> int:
        check_and_list(tier, BuildRequest(root, output, subsets, complete, link, ()), listings)
        images = read_listing(listings / f"{tier}.parquet")["image"].to_pylist()
        return sum(not image.startswith("ILSVRC") for image in images)

    return run


@pytest.fixture
def refused(run):
    """Runs a check that must fail; its UserError."""

    def refused(**options) -> UserError:
        with pytest.raises(UserError) as error:
            run(**options)
        return error.value

    return refused


def files_below(folder: Path) -> list[str]:
    return [os.path.join(where, name) for where, _, names in os.walk(folder) for name in names]


def train_file(row) -> str:
    return f"train/{row.imagenet_wnid}/{row.image}.JPEG"


# The source


@pytest.mark.parametrize("link", ["auto", "symlink", "hardlink", "copy"])
def test_a_complete_source_passes_and_is_listed(run, source, output, listings, link):
    assert run(link=link) == 650  # the demo has 10 listed and 3 further train images a class
    rows, seen = list_tier(source, 50, Index())
    table = read_listing(listings / "50.parquet")
    assert table.schema.equals(LISTING)
    assert [tuple(row.values()) for row in table.to_pylist()] == rows
    assert read_scan(listings / "50.json") == seen
    assert len(rows) == 650 + 752 + 1682
    # Links were tried, and nothing of that is left.
    assert files_below(output) == []
    assert os.listdir(output / "work" / "tmp") == []


@pytest.mark.parametrize(
    ("split", "total", "row", "path"),
    [
        ("train-semi", 500, SEMI, train_file(SEMI)),
        ("validation", 752, VALIDATION, f"val/{VALIDATION.image}.JPEG"),
        ("test", "1,682", TEST, f"val/{TEST.image}.JPEG"),
    ],
)
def test_one_missing_image_is_named_with_its_split_and_class(refused, source, split, total, row, path):
    (source / path).unlink()
    in_class = sum(other.wnid == row.wnid for other in listed(50, split))
    error = refused()
    assert str(error).splitlines() == [
        f"The source lacks images (looked in {source}/train, {source}/val; layout: plain folders).",
        "Nothing was written into the data set.",
        f"- ImageNetS50/{split}: 1 of {total} listed images missing; by class: "
        f"{row.wnid} ({class_names()[row.wnid]}) 1 of {in_class}; the first: {path}",
        "What to do: complete the copy of ImageNet-1k and run the same command again, or point "
        "`imagenet` in config.yaml to another copy.",
    ]
    assert error.details == (f"missing ImageNetS50/{split} {path}",)


def test_everything_that_is_missing_is_told_at_once(refused, source):
    shutil.rmtree(source / "train" / FISH)
    (source / f"val/{TEST.image}.JPEG").unlink()
    for row in listed(50, "validation")[:7]:
        (source / f"val/{row.image}.JPEG").unlink()
    error = refused(complete=True)
    assert f"- ImageNetS50/train-semi: 10 of 500 listed images missing; by class: {FISH}" in str(error)
    assert "- ImageNetS50/validation: 7 of 752 listed images missing" in str(error)
    assert "- ImageNetS50/test: 1 of 1,682 listed images missing" in str(error)
    assert "- ImageNetS50/train: 637 images, officially 64,431" in str(error)
    # The message shows the first few; the details, for the log, show all.
    shown = [row.image in str(error) for row in listed(50, "validation")[:7]]
    assert shown == [True] * 5 + [False] * 2
    assert "(7 in all)" in str(error)
    missing = [line for line in error.details if line.startswith("missing")]
    assert missing == [
        *(f"missing ImageNetS50/train-semi {train_file(row)}" for row in listed(50, "train-semi")[:10]),
        *(f"missing ImageNetS50/validation val/{r.image}.JPEG" for r in listed(50, "validation")[:7]),
        f"missing ImageNetS50/test val/{TEST.image}.JPEG",
    ]


def test_several_subsets_are_told_in_one_message(refused, source):
    # The source has the classes of 50 only, and loses one image of these.
    (source / train_file(SEMI)).unlink()
    error = refused(subsets=(50, 300))
    assert "- ImageNetS50/train-semi: 1 of 500 listed images missing" in str(error)
    assert "- ImageNetS300/train-semi: 2,501 of 3,000 listed images missing" in str(error)
    of_300 = [line for line in error.details if "ImageNetS300/validation" in line]
    present = {path.stem for path in (source / "val").iterdir()}
    assert len(of_300) == sum(row.image not in present for row in listed(300, "validation")) > 0


def test_a_short_train_set_is_told_where_it_must_be_complete(refused, source):
    error = refused(complete=True)
    line = next(line for line in str(error).splitlines() if line.startswith("- "))
    assert line.startswith(
        "- ImageNetS50/train: 650 images, officially 64,431; "
        "50 classes outside the 732–1,300 images that ImageNet classes have: n01443537 (13), "
    )
    assert "absent" not in line
    assert "train_images: any" in str(error)
    assert len(error.details) == 50
    assert error.details[0] == "odd size ImageNetS50/train n01443537 (13)"


def test_absent_and_empty_train_classes_are_told(refused, source):
    shutil.rmtree(source / "train" / FISH)
    for path in (source / "train" / "n01491361").iterdir():
        path.unlink()
    error = refused(complete=True)
    assert "; 2 of 50 classes absent or empty: n01443537, n01491361; 48 classes outside" in str(error)
    absent = [line for line in error.details if line.startswith("absent")]
    assert absent == [f"absent ImageNetS50/train {wnid}" for wnid in ("n01443537", "n01491361")]


@pytest.mark.parametrize(
    ("sizes", "text"),
    [
        ([732, 1300, *[1300] * 47, 1299], None),  # 64,431 in all: the official number
        ([731, 1301, *[1300] * 48], "2 classes outside the 732–1,300 images"),
        ([732, 1300, *[1000] * 48], "50,032 images, officially 64,431"),
    ],
)
def test_a_train_set_is_complete_with_the_official_number_of_images(source, sizes, text):
    rows, _ = list_tier(source, 50, Index())
    for wnid, size in zip(class_ids(50), sizes, strict=True):
        there = sum(row.image.startswith(wnid) for row in rows)
        rows += [Row(f"{wnid}_made_up_{k}", wnid, "") for k in range(size - there)]
    found = lacking(Inventory(listing_of(rows, {}), "somewhere"), [50], True)
    if text is None:
        assert sum(sizes) == 64_431
        assert found == []
    else:
        assert text in found[1].text
        assert ("outside" in found[1].text) == ("outside" in text)


def test_a_short_train_set_is_allowed_on_purpose(run, source):
    for path in (source / "train" / FISH).glob("*_[0-9].JPEG"):
        path.unlink()  # the demo's further images
    assert run(complete=False) == 647


def test_the_check_of_a_higher_tier_takes_the_lower_ones_as_they_were_listed(run, refused, source):
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


def test_files_left_aside_are_a_warning_and_no_error(run, source, caplog):
    (source / "train" / FISH / ".DS_Store").touch()
    (source / "val" / FISH).mkdir()
    (source / "val" / FISH / f"{TEST.image}.JPEG").touch()
    with caplog.at_level(logging.WARNING, "imagenet_s"):
        run()
    strangers, doubles = (record.getMessage() for record in caplog.records)
    assert strangers.endswith(f"no image of its class: {source}/train/{FISH}/.DS_Store")
    assert doubles.endswith(f"the second left aside: {source}/val/{FISH}/{TEST.image}.JPEG")


def test_what_is_copied_and_what_is_left_aside_are_told(run, source, output, tmp_path, caplog):
    root = raw_imagenet.train_folder_and_val_tar(source, tmp_path / "archives")
    (root / "train_images_0.tar.gz").touch()
    with caplog.at_level(logging.WARNING, "imagenet_s"):
        run(root=root, link="auto")
    aside, copied = (record.getMessage() for record in caplog.records)
    assert aside == f"Found as well, and left aside: {root}/train_images_0.tar.gz"
    assert copied.startswith("link: auto: images from archives (val) are copied once into the output's pool")


def test_the_check_of_a_higher_tier_refuses_archives_that_are_not_those_of_the_lower_ones(
    run, refused, source, tmp_path
):
    root = raw_imagenet.official(source, tmp_path / "archives")
    run(root=root, link="auto")
    os.utime(root / raw_imagenet.VAL, (1, 1))
    text = str(refused(tier=300, subsets=(50, 300), root=root, link="auto"))
    assert text.startswith(f"{root}/{raw_imagenet.VAL} has changed since its members were listed")
    assert "`--forcerun source`" in text


def test_a_layout_that_is_not_known_is_told_with_what_is_there_and_what_is_understood(refused, source):
    (source / "train").rename(source / "photos of 2012")
    (source / "val").rename(source / "more photos")
    text = str(refused())
    assert f"found no train and val images of ImageNet-1k below {source}." in text
    assert "It holds: SYNTHETIC.txt, more photos, photos of 2012\n" in text
    assert "\n  ILSVRC/Data/CLS-LOC/train and ILSVRC/Data/CLS-LOC/val (Kaggle)\n" in text
    assert "\n  ILSVRC2012_img_train and ILSVRC2012_img_val (renamed folders)\n" in text


def test_the_lack_of_one_of_the_two_folders_is_told(refused, source):
    (source / "val").rename(source / "photos")
    assert f"found no val images of ImageNet-1k below {source}." in str(refused())


def test_an_empty_folder_is_told(refused, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "It holds: nothing\n" in str(refused(root=tmp_path / "empty"))


def test_a_folder_that_is_not_there_is_told(refused, tmp_path):
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


def test_a_tree_of_somebody_else_is_refused_and_left_as_it_is(refused, output):
    theirs = output / "ImageNetS50" / "train" / FISH / "theirs.JPEG"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    text = str(refused())
    assert f"{output}/ImageNetS50 was not made by this pipeline; it holds: train. It is left" in text
    assert files_below(output) == [str(theirs)]
    assert theirs.read_text() == "theirs"


def test_a_link_of_somebody_else_to_a_train_folder_is_refused_and_left_as_it_is(refused, output, source):
    (output / "ImageNetS50").mkdir(parents=True)
    (output / "ImageNetS50" / "train").symlink_to(source / "train")
    assert "it holds: train." in str(refused())
    assert os.readlink(output / "ImageNetS50" / "train") == str(source / "train")


@pytest.mark.parametrize("mark", ["ImageNetS50/dataset.json", "work/masks/50/a mask"])
def test_a_tree_of_our_own_is_taken_finished_or_not(run, output, mark):
    (output / "ImageNetS50" / "train").mkdir(parents=True)
    (output / mark).parent.mkdir(parents=True, exist_ok=True)
    (output / mark).touch()
    assert run() == 650


def test_files_that_no_build_writes_are_no_obstacle(run, output):
    (output / "ImageNetS50").mkdir(parents=True)
    (output / "ImageNetS50" / "notes.txt").write_text("theirs")
    (output / "ImageNetS300" / "train").mkdir(parents=True)  # not asked for
    assert run() == 650


def test_an_output_that_cannot_be_written_is_told(refused, output):
    output.write_text("a file, where a folder is needed")  # also root cannot write below it
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


def test_reflinks_are_refused_where_the_file_system_has_none(refused, tmp_path, output):
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
