"""The manifests of a subset: a table of samples for each split, a sha256 list for each folder."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from imagenet_s.files import written
from imagenet_s.samples import SAMPLES, hex_of, read_samples
from imagenet_s.subsets import MASKED, SPLITS, mask_folder

COLUMNS = [name for name in SAMPLES.names if name not in ("split", "mask_problems")]
DIGESTS = ("sha256", "mask_sha256", "mask_pixels_sha256")


def write_manifests(samples: Path, folder: Path) -> None:
    """Writes into `folder` the files of `sample_manifests`, from a subset's samples.

    CSV: one row a sample, sorted by `image`, UTF-8, LF, empty cells for what does not apply, no
    quotes. sha256: what `sha256sum -c` reads when called from the subset's folder.
    """
    table = read_samples(samples)
    for split in SPLITS:
        rows = table.filter(pc.equal(table["split"], split)).select(COLUMNS)
        for name in DIGESTS:
            rows = rows.set_column(rows.schema.get_field_index(name), name, hex_of(rows[name]))
        _write_rows(rows, folder / f"{split}.csv", header=",".join(COLUMNS))
        _write_digests(rows, "sha256", "image", folder / f"{split}.sha256")
        if split in MASKED:
            path = folder / f"{mask_folder(split)}.sha256"
            _write_digests(rows.filter(rows["mask"].is_valid()), "mask_sha256", "mask", path)


def _write_digests(rows: pa.Table, digest: str, name: str, path: Path) -> None:
    lines = pc.binary_join_element_wise(rows[digest], rows[name], "  ")
    _write_rows(pa.table({"line": lines}), path)


def _write_rows(rows: pa.Table, path: Path, header: str = "") -> None:
    options = pa.csv.WriteOptions(include_header=False, quoting_style="none")
    with written(path) as partial, partial.open("wb") as file:
        if header:
            file.write(f"{header}\n".encode())
        pa.csv.write_csv(rows, file, options)
