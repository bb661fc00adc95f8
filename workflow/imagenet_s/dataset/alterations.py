"""Signs that a copy is not the original ImageNet, as far as this shows without the original bytes.

Each sign alone is enough. No sign proves nothing: face-blurred images, for example, show none.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imagenet_s.dataset.dataset_json import Alteration
from imagenet_s.dataset.samples import WRONG_SIZE
from imagenet_s.spec.odd_images import odd_images

BATCH = 65_536  # samples at a time

# The masks have the sizes of the original images. A few may differ without a sign of resizing.
RESIZED_SHARE = 0.05
# Of 50 images of ImageNet, 35 have the most common quantization table: many encoders wrote them.
ONE_TABLE_SHARE = 0.99
MIN_JPEGS = 1000  # fewer say nothing about the share


def find_alterations(subset: int, samples: Path) -> list[Alteration]:
    """Return the signs that the images of a subset are not the original ones.

    Args:
        subset: 50, 300 or 919.
        samples: The Parquet file of `SAMPLES`. Those of earlier versions lack columns, and show fewer signs.
    """
    file = pq.ParquetFile(samples)
    columns = ["split", "image", "mask", "mask_problems", "mode", "quantization"]
    odd = pa.array(odd_images(subset), pa.string())
    counts: Counter[str] = Counter()
    tables: Counter[int] = Counter()
    for batch in file.iter_batches(BATCH, columns=[x for x in columns if x in file.schema_arrow.names]):
        rows = pa.table(batch)
        masked = rows.filter(rows["mask"].is_valid())
        counts["masked"] += len(masked)
        counts["resized"] += len(masked.filter(pc.equal(masked["mask_problems"], pa.scalar(WRONG_SIZE))))
        if "quantization" not in rows.column_names:
            continue
        rows = rows.filter(pc.not_equal(rows["split"], pa.scalar("train-semi")))  # which is part of train
        readable = rows.filter(pc.and_(pc.is_in(rows["image"], value_set=odd), rows["mode"].is_valid()))
        counts["odd"] += len(readable)
        is_jpeg = readable["quantization"].is_valid()
        plain = pc.and_(is_jpeg, pc.is_in(readable["mode"], value_set=pa.array(["RGB", "L"])))
        counts["converted"] += len(readable.filter(plain))
        for pair in pc.value_counts(rows["quantization"].drop_null()):
            tables[pair["values"].as_py()] += pair["counts"].as_py()
    return list(_signs(counts, tables))


def _signs(counts: Counter[str], tables: Counter[int]) -> Iterator[Alteration]:
    if counts["converted"]:
        yield {"kind": "converted", "images": counts["converted"], "of": counts["odd"]}
    if counts["resized"] > RESIZED_SHARE * counts["masked"]:
        yield {"kind": "resized", "images": counts["resized"], "of": counts["masked"]}
    same = max(tables.values(), default=0)
    if tables.total() >= MIN_JPEGS and same >= ONE_TABLE_SHARE * tables.total():
        yield {"kind": "re-encoded", "images": same, "of": tables.total()}
