"""The official lists, rebuilt byte for byte from the project's tables.

Only `class_names.csv` ends in a newline.
"""

from imagenet_s.spec.classes import class_ids, class_names
from imagenet_s.spec.splits import listed
from imagenet_s.spec.subsets import SUBSETS


def official_lists() -> dict[str, str]:
    """Return the text of each official list, by its name."""
    lists = {"class_names.csv": _class_names()}
    for s in SUBSETS:
        lists[f"categories/ImageNetS_categories_im{s}.txt"] = "\n".join(class_ids(s))
        for split in ("validation", "test"):
            lists[f"mapping/ImageNetS_im{s}_mapping_{split}.txt"] = "\n".join(
                f"{row.imagenet_wnid}/{row.image}.JPEG {row.wnid}/{row.image}.JPEG"
                for row in listed(s, split)
            )
        lists[f"names/ImageNetS_im{s}_validation.txt"] = _pairs(s, "validation")
        lists[f"names/ImageNetSemi_im{s}_train.txt"] = _pairs(s, "train-semi")
    return lists


def _pairs(subset: int, split: str) -> str:
    return "\n".join(
        f"{row.wnid}/{row.image}.JPEG {row.wnid}/{row.image}.png" for row in listed(subset, split)
    )


def _class_names() -> str:
    lines = ["subset,class_id,wnid,name"]
    for subset in SUBSETS:
        for wnid, number in class_ids(subset).items():
            lines.append(f"{subset},{number},{wnid},{class_names()[wnid]}")
    return "\r\n".join(lines) + "\r\n"
