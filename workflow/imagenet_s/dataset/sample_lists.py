"""`<split>.txt`: one line per sample, for loaders that read lists of files."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_s.dataset.manifests import write_lines
from imagenet_s.dataset.samples import sample_batches

NO_MASK = "-"


def save_sample_lists(samples: Path, paths: Mapping[str, Path]) -> None:
    """Write `<image> <mask or -> <class_id>` for each sample, sorted by image; paths as in the manifests.

    Args:
        samples: The Parquet file of `SAMPLES`.
        paths: Split → the text file to write.
    """
    join: Any = pc.binary_join_element_wise  # the stubs lack columns mixed with texts
    with ExitStack() as stack:
        files = {split: stack.enter_context(path.open("wb")) for split, path in paths.items()}
        for split, rows in sample_batches(samples, ["image", "mask", "class_id"]):
            if split in files:
                masks = pc.fill_null(rows["mask"], pa.scalar(NO_MASK))
                ids = rows["class_id"].cast(pa.string())
                write_lines(join(rows["image"], masks, ids, " "), files[split])
