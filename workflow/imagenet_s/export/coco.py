"""COCO's format: a JSON file with all class regions of a split.

Read by pycocotools, torchvision's CocoDetection, FiftyOne and many others. Source of the format: the
description of object detection on COCO's site, with compressed run lengths.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imagenet_s.dataset.dataset_file import digest_of_copy
from imagenet_s.export.class_regions import ImageRegions, read_regions
from imagenet_s.export.formats import Format, Making
from imagenet_s.export.plan import SORTED, ExportFile, one_file
from imagenet_s.export.source import Split
from imagenet_s.io.atomic import json_line
from imagenet_s.io.hashed_file import HashedFile
from imagenet_s.runtime.version import __version__
from imagenet_s.spec.classes import class_ids, unique_names
from imagenet_s.spec.exports import export_name
from imagenet_s.spec.subsets import subset_name

Record = Mapping[str, Any]

DESCRIPTION = (
    "An annotation is all pixels of one class in an image, not an instance. Category ids are class ids. "
    "Pixels to ignore (id 1000) are in no annotation. file_name is relative to the folder of the subset."
)


def plan(split: Split) -> list[ExportFile]:
    """Return the one file of a split."""
    return one_file(_name(split.copy.subset, split.name), len(split.samples))


def write(split: Split, rows: NDArray[np.int64], file: HashedFile, making: Making) -> None:
    """Write the JSON of a split."""
    found = read_regions(split, rows, making)
    about = {
        "description": f"{split.copy.name}, {split.name}. {DESCRIPTION}",
        "url": "https://github.com/LUSSeg/ImageNet-S",
        "version": f"imagenet-s {__version__}",
        "dataset_digest": digest_of_copy(split.copy.root),
    }
    file.write(coco_json(about, split.copy.subset, found).encode("ascii"))


def coco_json(about: Record, subset: int, found: Sequence[ImageRegions]) -> str:
    """Return COCO's JSON, with a line for each record.

    Args:
        about: What the file says of itself, besides counts.
        subset: 50, 300 or 919.
        found: The regions of each image, in the order of their ids.
    """
    parts: dict[str, Iterable[Record]] = {
        "categories": _categories(subset),
        "images": map(_image, range(1, len(found) + 1), found),
        "annotations": _annotations(found),
    }
    lists = (f'"{name}": [\n' + ",\n".join(map(json_line, parts[name])) + "\n]" for name in parts)
    info = json_line({**about, **counts(found)})
    return ",\n".join([f'{{\n"info": {info}', *lists]) + "\n}\n"


def counts(found: Sequence[ImageRegions]) -> dict[str, int]:
    """Return how many pixels are in no annotation though they are no background, and of how many images."""
    return {
        "ignored_pixels": sum(one.ignored for one in found),
        "images_with_ignored_pixels": sum(one.ignored > 0 for one in found),
        "unknown_pixels": sum(one.unknown for one in found),
        "images_without_annotations": sum(not one.regions for one in found),
    }


def _categories(subset: int) -> Iterator[Record]:
    names = unique_names(subset)  # clients tell categories apart by their names
    for wnid, number in class_ids(subset).items():
        # There are no groups of classes, but clients expect one.
        yield {"id": number, "name": names[wnid], "supercategory": subset_name(subset), "wnid": wnid}


def _image(number: int, one: ImageRegions) -> Record:
    height, width = one.size  # an official mask may be of another size than its image
    size = {"height": one.row["height"] or height, "width": one.row["width"] or width}
    return {"id": number, "file_name": one.row["image"], **size}


def _annotations(found: Sequence[ImageRegions]) -> Iterator[Record]:
    number = 0  # the first one is 1: pycocotools takes 0 for no match
    for image, one in enumerate(found, start=1):
        for region in one.regions:
            number += 1
            yield {
                "id": number,
                "image_id": image,
                "category_id": region.id,
                "segmentation": {"size": one.size, "counts": region.counts},
                "area": region.area,
                "bbox": region.box,
                "iscrowd": 0,
            }


def _name(subset: int, split: str) -> str:
    return f"{export_name(subset, split)}.json"


FORMAT = Format("coco", (), lambda split: SORTED, plan, write, _name, images=False)
