"""The data card: what its head offers to Hugging Face's reader, and what it tells people."""

import re

import pytest
import yaml

from imagenet_s.dataset.data_card import data_card, real_folders
from imagenet_s.io.atomic import read_json
from imagenet_s.spec.subsets import MASKED, SPLITS, mask_folder

ALL = {*SPLITS, *map(mask_folder, MASKED)}


@pytest.fixture
def stated(tree) -> dict:
    """The `dataset.json` of a build of the demo."""
    return read_json(tree / "dataset.json")


def card(stated: dict, folders: set[str] = ALL) -> str:
    return data_card(stated["content"], stated["build"], folders)


def configs(text: str) -> dict[str, dict]:
    """Each configuration in the head of a card, by name."""
    return {config["config_name"]: config for config in yaml.safe_load(text.split("---")[1])["configs"]}


def test_the_head_offers_each_split_and_the_masks_apart(tree, stated):
    text = (tree / "README.md").read_text()
    assert text == card(stated)
    found = configs(text)
    assert found["default"] == {
        "config_name": "default",
        "default": True,
        "drop_metadata": True,
        "data_files": [
            {"split": "train", "path": "train/**"},
            {"split": "train_semi", "path": "train-semi/**"},
            {"split": "validation", "path": "validation/**"},
            {"split": "test", "path": "test/**"},
        ],
    }
    assert found["masks_validation"]["data_files"] == [
        {"split": "validation", "path": ["metadata.csv", "validation/**", "validation-segmentation/**"]}
    ]
    assert found["masks_train_semi"]["data_files"] == [
        {"split": "train_semi", "path": ["metadata.jsonl", "train-semi/**", "train-semi-segmentation/**"]}
    ]


def test_a_split_behind_links_to_folders_is_left_out_and_the_card_says_how_to_get_it(built, stated):
    text = (built("symlink") / "README.md").read_text()
    splits = [files["split"] for files in configs(text)["default"]["data_files"]]
    assert splits == ["train_semi", "validation", "test"]
    assert set(configs(text)) == {"default", "masks_validation", "masks_train_semi"}
    assert "This finds no `train`: the reader does not follow links to folders (see below)." in text
    assert "`imagenet-s export parquet ImageNetS50` writes all splits" in text
    assert "The class folders of `train` are links to the folders of the source." in text
    assert "links to folders" not in card(stated)
    assert "finds no" not in card(stated)
    masks_behind_links = configs(card(stated, ALL - {"validation-segmentation"}))
    assert set(masks_behind_links) == {"default", "masks_train_semi"}
    nothing = configs(card(stated, set()))
    assert list(nothing) == ["default"]
    assert nothing["default"]["data_files"] == []  # which the reader refuses; without it, it takes masks


def test_folders_with_links_to_folders_are_found(built, tmp_path):
    assert real_folders(built("copy")) == ALL
    assert real_folders(built("symlink")) == ALL - {"train"}
    (tmp_path / "train").symlink_to(built("copy") / "train")
    assert real_folders(tmp_path) == set()


def test_people_read_what_it_is_first(stated):
    text = card(stated)
    body = text.split("---\n", 2)[2].lstrip("\n")
    assert body.startswith("# ImageNetS50\n\n> **Synthetic data: this is not ImageNet.**")
    assert "| train      |      650 |       – |" in body
    assert f"Digest: `{stated['content']['digest']}`" in body
    assert [line for line in body.splitlines() if len(line) > 80] == []
    assert re.findall(r"(?<![{\w])[{]\w+[}]", body.partition("```bibtex")[0]) == []  # nothing left to fill in


def test_altered_images_are_named(stated):
    source = stated["build"]["source"]
    source["synthetic"] = False
    assert "Synthetic" not in card(stated)
    source["alterations"] = [{"kind": "resized", "images": 40, "of": 50}]
    note = "> **Not the original images of ImageNet.** 40 of 50 images have another size than their masks."
    assert note in card(stated)
