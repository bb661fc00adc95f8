"""An incomplete source is refused, with everything that it lacks."""

import shutil

import pytest

from imagenet_s.preflight.completeness import Inventory, missing_images
from imagenet_s.source.listing import Row, listing_of
from imagenet_s.source.scan import list_tier
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.classes import class_ids, class_names
from imagenet_s.spec.splits import listed

FISH = "n01443537"  # goldfish
SEMI = listed(50, "train-semi")[0]
VALIDATION = listed(50, "validation")[0]
TEST = listed(50, "test")[0]


def train_file(row) -> str:
    return f"train/{row.imagenet_wnid}/{row.image}.JPEG"


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
        f"The source lacks images (searched: {source}/train, {source}/val; layout: plain folders).",
        "Nothing was written into the data set.",
        f"- ImageNetS50/{split}: 1 of {total} listed images missing; by class: "
        f"{row.wnid} ({class_names()[row.wnid]}) 1 of {in_class}; the first: {path}",
        "What to do: complete the copy of ImageNet-1k and run the same command again, or point "
        "`imagenet` in config.yaml to another copy.",
    ]
    assert error.details == (f"missing ImageNetS50/{split} {path}",)


def test_everything_missing_is_reported_at_once(refused, source):
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


def test_several_subsets_are_reported_in_one_message(refused, source):
    # The source has the classes of 50 only, and loses one image of these.
    (source / train_file(SEMI)).unlink()
    error = refused(subsets=(50, 300))
    assert "- ImageNetS50/train-semi: 1 of 500 listed images missing" in str(error)
    assert "- ImageNetS300/train-semi: 2,501 of 3,000 listed images missing" in str(error)
    of_300 = [line for line in error.details if "ImageNetS300/validation" in line]
    present = {path.stem for path in (source / "val").iterdir()}
    assert len(of_300) == sum(row.image not in present for row in listed(300, "validation")) > 0


def test_a_short_train_set_is_reported_if_it_must_be_complete(refused, source):
    error = refused(complete=True)
    line = next(line for line in str(error).splitlines() if line.startswith("- "))
    assert line.startswith(
        "- ImageNetS50/train: 650 images, officially 64,431; "
        "50 classes outside the 732–1,300 images that ImageNet classes have: n01443537 (13), "
    )
    assert "absent" not in line
    assert "train_images: any" in str(error)
    assert len(error.details) == 50
    assert error.details[0] == "unusual size ImageNetS50/train n01443537 (13)"


def test_absent_and_empty_train_classes_are_reported(refused, source):
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
    found = missing_images(Inventory(listing_of(rows, {}), "somewhere"), [50], True)
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
