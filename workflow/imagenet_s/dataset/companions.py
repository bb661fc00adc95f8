"""The files beside the tree that follow from the records of a build: class table, typed manifests, lists."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from imagenet_s.dataset.class_table import class_table, write_class_table
from imagenet_s.dataset.hub_files import save_metadata
from imagenet_s.dataset.sample_lists import save_sample_lists
from imagenet_s.dataset.typed_manifests import save_typed_manifests
from imagenet_s.io.receipts import receipts
from imagenet_s.spec.companions import CLASSES, FROM_RECORDS, METADATA, SAMPLE_LISTS, TYPED_MANIFESTS


@dataclass(frozen=True)
class Records:
    """What a build recorded of a subset."""

    subset: int
    samples: Path  # the Parquet file of `dataset.samples.SAMPLES`
    mask_records: Path  # the Parquet file of `annotations.unpack.RECORDS`


def write_companions(records: Records, tree: Path, keep: Collection[str] = ()) -> None:
    """Write the files of `FROM_RECORDS` into the folder of a subset, but those in `keep` stay as they are."""
    names = [name for name in FROM_RECORDS if name not in keep]
    with receipts([tree / name for name in names]) as partials:
        save_companions(records, dict(zip(names, partials, strict=True)))


def save_companions(records: Records, paths: Mapping[str, Path]) -> None:
    """Write some files of `FROM_RECORDS`; `paths` is each name → the file to write."""

    def wanted(files: Mapping[str, str]) -> dict[str, Path]:
        """Return split → the file to write, of those that are to be written."""
        return {split: paths[name] for split, name in files.items() if name in paths}

    if CLASSES in paths:
        table = class_table(records.subset, records.samples, records.mask_records)
        write_class_table(table, paths[CLASSES])
    save_typed_manifests(records.samples, wanted(TYPED_MANIFESTS))
    save_metadata(records.samples, wanted(METADATA))
    save_sample_lists(records.samples, wanted(SAMPLE_LISTS))
