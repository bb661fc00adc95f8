"""COCO's JSON: its records, counts and bytes."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from helpers.checks import without_manifests
from helpers.damages import own_copy, replaced
from helpers.run_lengths import region_of
from helpers.trees import linked_copy
from imagenet_s.cli.main import main
from imagenet_s.copies.copy import open_copy
from imagenet_s.copies.samples import samples
from imagenet_s.export.class_regions import ImageRegions
from imagenet_s.export.coco import DESCRIPTION, coco_json
from imagenet_s.io.atomic import read_json
from imagenet_s.masks.run_lengths import Region
from imagenet_s.spec.classes import IGNORE, class_ids
from imagenet_s.spec.subsets import MASKED

FISH = {"image": "validation/n01443537/a.JPEG", "width": 3, "height": 2}
BARE = {"image": "validation/n01443537/b.JPEG", "width": None, "height": None}
FOUND = [
    ImageRegions(FISH, (2, 3), (Region(1, 1, (2, 0, 1, 1), "411"), Region(7, 2, (0, 0, 1, 2), "022")), 1),
    ImageRegions(BARE, (4, 5), (), 20, 3),
]


def test_each_record_is_a_line():
    lines = coco_json({"description": "two images"}, 50, FOUND).splitlines()
    assert lines[:5] == [
        "{",
        '"info": {"description":"two images","ignored_pixels":21,"images_with_ignored_pixels":2,'
        '"unknown_pixels":3,"images_without_annotations":1},',
        '"categories": [',
        '{"id":1,"name":"goldfish","supercategory":"ImageNetS50","wnid":"n01443537"},',
        '{"id":2,"name":"tiger shark","supercategory":"ImageNetS50","wnid":"n01491361"},',
    ]
    assert lines[53:] == [
        "],",
        '"images": [',
        '{"id":1,"file_name":"validation/n01443537/a.JPEG","height":2,"width":3},',
        '{"id":2,"file_name":"validation/n01443537/b.JPEG","height":4,"width":5}',
        "],",
        '"annotations": [',
        '{"id":1,"image_id":1,"category_id":1,"segmentation":{"size":[2,3],"counts":"411"},"area":1,'
        '"bbox":[2,0,1,1],"iscrowd":0},',
        '{"id":2,"image_id":1,"category_id":7,"segmentation":{"size":[2,3],"counts":"022"},"area":2,'
        '"bbox":[0,0,1,2],"iscrowd":0}',
        "]",
        "}",
    ]


@pytest.mark.parametrize("split", MASKED)
def test_all_images_and_all_pixels_of_classes_are_there(exported, tree50, split):
    written = read_json(exported("coco") / f"ImageNetS50-{split}.json")
    rows = samples(open_copy(tree50), split).to_pylist()
    assert written["images"] == [
        {"id": number, "file_name": row["image"], "height": row["height"], "width": row["width"]}
        for number, row in enumerate(rows, start=1)
    ]
    assert {row["wnid"]: row["id"] for row in written["categories"]} == class_ids(50)
    assert [row["id"] for row in written["annotations"]] == list(range(1, len(written["annotations"]) + 1))
    regions = iter(written["annotations"])
    ignored = []
    for number, row in enumerate(rows, start=1):
        with Image.open(tree50 / row["mask"]) as image:
            red, green, _ = np.moveaxis(np.asarray(image, np.uint16), -1, 0)
        ids = red + 256 * green
        rebuilt = np.where(ids == IGNORE, IGNORE, 0)
        for class_id in sorted(set(row["mask_ids"]) - {0, IGNORE}):
            region = next(regions)
            assert (region["image_id"], region["category_id"]) == (number, class_id)
            assert region["segmentation"]["size"] == list(ids.shape)
            rebuilt[region_of(region["segmentation"]["counts"], ids.shape)] = class_id
        assert (rebuilt == ids).all()
        ignored.append(int((ids == IGNORE).sum()))
    assert next(regions, None) is None
    assert written["info"] == {
        "description": f"ImageNetS50, {split}. {DESCRIPTION}",
        "url": "https://github.com/LUSSeg/ImageNet-S",
        "version": "imagenet-s 0.1.0",
        "dataset_digest": read_json(tree50 / "dataset.json")["content"]["digest"],
        "ignored_pixels": sum(ignored),
        "images_with_ignored_pixels": np.count_nonzero(ignored),
        "unknown_pixels": 0,
        "images_without_annotations": 0,
    }


def test_a_copy_without_manifests_and_without_images_has_the_same_records(exported, tree50, tmp_path):
    root = without_manifests(own_copy(tree50, tmp_path / "mine"))
    shutil.rmtree(root / "validation")
    (root / "validation").mkdir()
    assert main(["export", "coco", str(root), "--splits", "validation", "--out", str(tmp_path / "out")]) == 0
    name = "ImageNetS50-validation.json"
    of_lists, of_manifest = (
        json.loads((x / name).read_bytes()) for x in (tmp_path / "out", exported("coco"))
    )
    assert of_lists["info"].pop("dataset_digest") is None
    assert of_manifest["info"].pop("dataset_digest")
    assert of_lists == of_manifest


def test_a_mask_that_is_not_the_one_of_the_manifest_is_not_exported(tree50, tmp_path, capsys):
    root = linked_copy(tree50, tmp_path / "ImageNetS50")
    first, second = samples(open_copy(root), "validation")["mask"].to_pylist()[:2]
    replaced(root / first, (root / second).read_bytes())
    assert main(["export", "coco", str(root), "--splits", "validation", "--out", str(tmp_path / "out")]) == 1
    assert f"{root / first} is not the file that its manifest states" in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("*"))
