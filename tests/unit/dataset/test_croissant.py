"""`croissant.json`: the manifests with their digests, and a record set for each split."""

import csv
from fnmatch import fnmatch

from imagenet_s.dataset.croissant import croissant
from imagenet_s.io.atomic import read_json, sha256_of
from imagenet_s.spec.subsets import MASKED, SPLITS


def test_it_names_the_manifests_and_their_columns(tree):
    document = read_json(tree / "croissant.json")
    stated = read_json(tree / "dataset.json")
    assert document == croissant(stated["content"], stated["build"])
    files = {part["@id"]: part for part in document["distribution"] if part["@type"] == "cr:FileObject"}
    for split in SPLITS:
        part = files.pop(f"{split}.csv")
        assert part["sha256"] == sha256_of(tree / part["contentUrl"])
        (records,) = (records for records in document["recordSet"] if records["name"] == split)
        names = [field["name"] for field in records["field"]]
        assert names == ["image", *(["mask"] if split in MASKED else []), "class_id", "wnid"]
        with (tree / part["contentUrl"]).open(newline="") as file:
            header = next(csv.reader(file))
        for field in records["field"]:
            assert field["source"]["fileObject"]["@id"] == part["@id"]
            assert field["source"]["extract"]["column"] in header
    assert files == {}


def test_its_file_sets_hold_all_images_and_masks(tree):
    document = read_json(tree / "croissant.json")
    patterns = [part["includes"] for part in document["distribution"] if part["@type"] == "cr:FileSet"]
    images = [str(path.relative_to(tree)) for path in tree.glob("*/*/*") if "-id16" not in str(path)]
    assert len(images) == 650 + 2 * 500 + 2 * 752 + 1682
    assert [image for image in images if sum(fnmatch(image, x) for x in patterns) != 1] == []


def test_synthetic_data_says_so(tree):
    stated = read_json(tree / "dataset.json")
    text = croissant(stated["content"], stated["build"])["description"]
    assert text.startswith(
        "SYNTHETIC images with the official names, not ImageNet. ImageNet-S with 50 classes"
    )
    stated["build"]["source"]["synthetic"] = False
    text = croissant(stated["content"], stated["build"])["description"]
    assert text.startswith("ImageNet-S with 50 ")
    assert text.endswith(f"Digest {stated['content']['digest']}.")
