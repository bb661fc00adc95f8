"""The formats into which data sets are exported: their splits, jobs and names of files."""

from typing import Literal, get_args

from imagenet_s.spec.subsets import MASKED, SPLITS, subset_name

ExportFormat = Literal["webdataset", "parquet", "coco", "alphaclip"]

FORMATS: tuple[str, ...] = get_args(ExportFormat)

# The formats that consist of many files of a limited size, which several jobs share, and have all splits.
SHARDED = ("webdataset", "parquet")

# Jobs of train, about 50,000 images or 6 GB each. The other splits have one.
TRAIN_JOBS = {50: 2, 300: 8, 919: 24}

# The formats with a file beside their splits that describes all of them, and its name, which timm expects.
WITH_INFO = ("webdataset",)
INFO = "_info.json"


def splits_of(export_format: str) -> tuple[str, ...]:
    """Return the splits that a format can hold."""
    return {"coco": MASKED, "alphaclip": ("validation",)}.get(export_format, SPLITS)


def jobs_of(export_format: str, subset: int, split: str) -> int:
    """Return how many jobs share a split. The number depends on nothing else, so a cluster can plan."""
    return TRAIN_JOBS[subset] if export_format in SHARDED and split == "train" else 1


def export_name(subset: int | str, split: str) -> str:
    """Return the name of an exported split. Both may be wildcards."""
    return f"{subset_name(subset)}-{split}"


def manifest_name(subset: int | str, split: str) -> str:
    """Return the name of the file that describes an exported split."""
    return f"{export_name(subset, split)}.manifest.json"


def digests_name(subset: int | str, split: str) -> str:
    """Return the name of the list with which `sha256sum -c` checks an exported split."""
    return f"{export_name(subset, split)}.sha256"
