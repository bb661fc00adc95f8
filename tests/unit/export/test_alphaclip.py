"""Alpha-CLIP's JSON: an entry for each validation image, with the region of its class."""

import json

from helpers.run_lengths import region_of
from imagenet_s.cli.main import main
from imagenet_s.copies.copy import open_copy
from imagenet_s.copies.samples import samples
from imagenet_s.export.alphaclip import alphaclip_json
from imagenet_s.export.class_regions import ImageRegions
from imagenet_s.masks.run_lengths import Region
from imagenet_s.spec.classes import class_ids

REGIONS = (Region(1, 1, (2, 0, 1, 1), "411"), Region(7, 2, (0, 0, 1, 2), "022"))


def found(name: str, regions: tuple[Region, ...]) -> ImageRegions:
    row = {"image": f"validation/n01443537/{name}.JPEG", "wnid": "n01443537", "class_id": 1}
    return ImageRegions(row, (2, 3), regions)


def test_the_region_is_that_of_the_folder_and_may_be_empty():
    start = '{"image_pth":"ImageNetS50/validation/n01443537/'
    assert alphaclip_json(50, [found("a", REGIONS), found("b", REGIONS[1:])]) == (
        "[\n"
        f'{start}a.JPEG","category_word":"n01443537","mask":{{"size":[2,3],"counts":"411"}}}},\n'
        f'{start}b.JPEG","category_word":"n01443537","mask":{{"size":[2,3],"counts":"6"}}}}\n'
        "]\n"
    )


def test_a_copy_without_validation_is_refused(tree50, tmp_path, capsys):
    root = tmp_path / "ImageNetS50"
    root.mkdir()
    (root / "test").symlink_to(tree50 / "test")
    assert main(["export", "alphaclip", str(root)]) == 2
    assert capsys.readouterr().err == f"{root} has only test; alphaclip can hold validation.\n"
    assert not (tmp_path / "exports").exists()


def test_classes_follow_each_other_in_the_order_of_their_ids(exported, tree50):
    entries = json.loads((exported("alphaclip") / "imagenet_50.json").read_bytes())
    rows = samples(open_copy(tree50), "validation").to_pylist()
    assert [entry["image_pth"] for entry in entries] == [f"ImageNetS50/{row['image']}" for row in rows]
    words: list[str] = []  # as the client counts classes
    for entry, row in zip(entries, rows, strict=True):
        if entry["category_word"] not in words:
            words.append(entry["category_word"])
        assert words[-1] == entry["category_word"] == row["wnid"]
        assert len(words) == row["class_id"]
        size = entry["mask"]["size"]
        assert size == [row["height"], row["width"]]
        assert region_of(entry["mask"]["counts"], size).any() == (row["class_id"] in row["mask_ids"])
    assert words == list(class_ids(50))
