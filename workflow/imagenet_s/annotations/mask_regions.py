"""Which class ids the recorded masks have, and how many pixels of each."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from imagenet_s.io.columns import texts


class MaskRegions(NamedTuple):
    """The ids in some masks: one entry for each id of each mask, in the order of the masks and ids.

    Attributes:
        mask: (n,) int64, the number of the mask in the records.
        id: (n,) int64, from 0 (other) to 1000 (ignore), or any other of an official mask.
        pixels: (n,) int64, the number of its pixels.
    """

    mask: NDArray[np.int64]
    id: NDArray[np.int64]
    pixels: NDArray[np.int64]


def regions_of(records: pa.Table) -> MaskRegions:
    """Return the regions in some masks; a mask that cannot be read has none.

    Args:
        records: A table with the columns `ids` and `id_pixels` of `annotations.unpack.RECORDS`.
    """
    counts = pc.fill_null(pc.list_value_length(records["id_pixels"]), pa.scalar(0)).to_numpy()
    ids = np.array(" ".join(filter(None, texts(records["ids"]))).split(), np.int64)
    pixels = pc.list_flatten(records["id_pixels"]).to_numpy()
    return MaskRegions(np.repeat(np.arange(len(records)), counts), ids, pixels)
