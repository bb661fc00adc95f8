"""What Hugging Face's folder reader needs beside the tree to load the right splits, labels and masks.

Without help, it counts each folder whose name begins with a split's name as that split, so that masks become
images. Source of the format: the documentation of `datasets`, checked with version 5.2.
"""

import csv
import json
from collections.abc import Container, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa

from imagenet_s.dataset.samples import sample_batches
from imagenet_s.spec.companions import METADATA
from imagenet_s.spec.subsets import MASKED, SPLITS, mask_folder

FIELDS = ("image_file_name", "mask_file_name", "label", "wnid")


def hub_configs(folders: Container[str]) -> list[dict[str, Any]]:
    """Return the configurations for the YAML head of a card.

    The default one has images with labels, counted from 0. Each masked split has a further one with the mask.

    Args:
        folders: The folders of splits and masks whose images the reader finds: it does not follow links to
            folders. Splits in other folders are left out, because they would be empty.
    """
    offered = [split for split in SPLITS if split in folders]
    images = [{"split": hub_split(split), "path": f"{split}/**"} for split in offered]
    # Without this configuration, even if it is empty, the reader guesses the splits.
    configs: list[dict[str, Any]] = [
        {"config_name": "default", "default": True, "drop_metadata": True, "data_files": images}
    ]
    for split in (split for split in offered if split in MASKED and mask_folder(split) in folders):
        paths = [METADATA[split], f"{split}/**", f"{mask_folder(split)}/**"]
        files = [{"split": hub_split(split), "path": paths}]
        configs.append({"config_name": f"masks_{hub_split(split)}", "drop_labels": True, "data_files": files})
    return configs


def hub_split(split: str) -> str:
    """Return the name of a split there: it allows no hyphens."""
    return split.replace("-", "_")


def save_metadata(samples: Path, paths: Mapping[str, Path]) -> None:
    """Write the files of `METADATA`: one row for each sample with a mask.

    Args:
        samples: The Parquet file of `SAMPLES`.
        paths: Masked split → the file to write.
    """
    with ExitStack() as stack:
        files = {
            split: stack.enter_context(path.open("w", encoding="utf-8", newline=""))
            for split, path in paths.items()
        }
        for split in (split for split in paths if METADATA[split].endswith(".csv")):
            csv.writer(files[split], lineterminator="\n").writerow(FIELDS)
        for split, rows in sample_batches(samples, ["image", "mask", "class_id", "wnid"]):
            if split in paths:
                _append(rows.filter(rows["mask"].is_valid()), files[split], METADATA[split])


def _append(rows: pa.Table, file: TextIO, name: str) -> None:
    """Append the `FIELDS` of samples to a file, in the format that its name ends in."""
    values = list(_values(rows))
    if name.endswith(".csv"):
        csv.writer(file, lineterminator="\n").writerows(values)
    else:
        file.writelines(json.dumps(dict(zip(FIELDS, row, strict=True))) + "\n" for row in values)


def _values(rows: pa.Table) -> Iterator[tuple[str, str, int, str]]:
    for row in rows.to_pylist():
        yield row["image"], row["mask"], row["class_id"] - 1, row["wnid"]
