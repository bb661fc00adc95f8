"""Alpha-CLIP's annotations of ImageNet-S: for each validation image, the region of its class.

The client counts classes while it reads: the images of a class must follow each other. Paths are relative to
the folder that holds the folder of the subset. Source of the format: `eval/` in Alpha-CLIP's repository.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imagenet_s.export.class_regions import ImageRegions, read_regions
from imagenet_s.export.formats import Format, Making
from imagenet_s.export.plan import SORTED, ExportFile, one_file
from imagenet_s.export.source import Split
from imagenet_s.io.atomic import json_line
from imagenet_s.io.hashed_file import HashedFile
from imagenet_s.masks.run_lengths import no_region
from imagenet_s.runtime.progress import log
from imagenet_s.spec.subsets import subset_name


def plan(split: Split) -> list[ExportFile]:
    """Return the one file of a subset."""
    return one_file(_name(split.copy.subset, split.name), len(split.samples))


def write(split: Split, rows: NDArray[np.int64], file: HashedFile, making: Making) -> None:
    """Write the JSON list of a subset.

    An image whose mask has no pixel of its class has an empty region: the client reads it, and without it
    the number of images would differ from that of other evaluations.
    """
    found = read_regions(split, rows, making)
    empty = [one.row["image"] for one in found if not _own_region(one)]
    if empty:
        log.warning(
            "%s", f"{len(empty):,} images have an empty region: their masks have no pixel of their class."
        )
    file.write(alphaclip_json(split.copy.subset, found).encode("ascii"))


def alphaclip_json(subset: int, found: Sequence[ImageRegions]) -> str:
    """Return Alpha-CLIP's JSON, with a line for each image; `found` is sorted by image, hence by class."""
    return "[\n" + ",\n".join(json_line(_entry(subset, one)) for one in found) + "\n]\n"


def _entry(subset: int, one: ImageRegions) -> Mapping[str, Any]:
    height, width = one.size
    return {
        "image_pth": f"{subset_name(subset)}/{one.row['image']}",
        "category_word": one.row["wnid"],
        "mask": {"size": one.size, "counts": _own_region(one) or no_region(height * width)},
    }


def _own_region(one: ImageRegions) -> str | None:
    """Return the compressed run lengths of the class that an image is of, None if it has no pixel."""
    own = (region.counts for region in one.regions if region.id == one.row["class_id"])
    return next(own, None)


def _name(subset: int, split: str) -> str:
    return f"imagenet_{subset}.json"


FORMAT = Format("alphaclip", (), lambda split: SORTED, plan, write, _name, images=False)
