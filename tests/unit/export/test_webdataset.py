"""The tars of WebDataset: members, bytes, labels, order, and the file that timm reads."""

import json

import pytest

from helpers.exports import samples_in
from imagenet_s.copies.copy import open_copy
from imagenet_s.copies.samples import samples
from imagenet_s.export.plan import shuffled
from imagenet_s.io.atomic import read_json
from imagenet_s.spec.subsets import SPLITS

COUNTS = {"train": 650, "train-semi": 500, "validation": 752, "test": 1682}


@pytest.mark.parametrize("split", SPLITS)
def test_members_are_the_files_of_the_data_set_with_labels_and_facts(tree50, exported, split):
    found = samples_in(exported("webdataset") / f"ImageNetS50-{split}-000000.tar")
    rows = samples(open_copy(tree50), split).to_pylist()
    assert len(rows) == COUNTS[split]
    if split == "train":
        rows = [rows[k] for k in shuffled([row["image"] for row in rows])]
    keys = [row["image"].removeprefix(f"{split}/").removesuffix(".JPEG") for row in rows]
    assert list(found) == keys
    for row, members in zip(rows, found.values(), strict=True):
        assert members["jpg"] == (tree50 / row["image"]).read_bytes()
        if row["mask"]:
            assert members["seg.png"] == (tree50 / row["mask"]).read_bytes()
        assert list(members) == ["jpg", *(["seg.png"] if row["mask"] else []), "cls", "json"]
        assert members["cls"] == str(row["class_id"] - 1).encode()


def test_the_json_of_a_sample_to_the_byte(exported):
    found = samples_in(exported("webdataset") / "ImageNetS50-validation-000000.tar")
    key = "n01443537/ILSVRC2012_val_00004677"
    facts = json.loads(found[key]["json"])
    assert found[key]["json"] == json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()
    assert len(facts.pop("sha256")) == 64
    assert facts.pop("width") > 0 < facts.pop("height")
    assert facts == {
        "class_id": 1,
        "image": f"validation/{key}.JPEG",
        "imagenet_wnid": "n01443537",
        "mask": f"validation-segmentation/{key}.png",
        "name": "goldfish",
        "wnid": "n01443537",
    }


def test_the_info_for_timm_names_files_and_numbers(exported):
    info = read_json(exported("webdataset") / "_info.json")
    assert {
        name: (split["name"], split["num_samples"], split["filenames"], split["shard_lengths"])
        for name, split in info["splits"].items()
    } == {
        f"ImageNetS50-{split}": (
            f"ImageNetS50-{split}",
            count,
            [f"ImageNetS50-{split}-000000.tar"],
            [count],
        )
        for split, count in COUNTS.items()
    }
    orders = {name: split["order"] for name, split in info["splits"].items()}
    assert orders.pop("ImageNetS50-train") == "shuffled: sorted by the sha256 of 'imagenet-s <image>'"
    assert set(orders.values()) == {"sorted by image"}
