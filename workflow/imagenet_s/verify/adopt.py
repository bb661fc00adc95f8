"""Writing manifests for a copy that another program made, so that later checks can verify it."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from imagenet_s.annotations import unpack as masks
from imagenet_s.copies.scan import contents
from imagenet_s.dataset.companions import Records, write_companions
from imagenet_s.dataset.manifests import write_manifests
from imagenet_s.dataset.metadata import Origin, write_dataset
from imagenet_s.dataset.samples import write_samples
from imagenet_s.images.read import ImageRecord, record_of, write_records
from imagenet_s.images.reader import Readers
from imagenet_s.io.atomic import atomic_write, write_json
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.parallel import map_chunks
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.read_ahead import COMPUTING, map_ahead
from imagenet_s.source.listing import Row
from imagenet_s.source.scan import SourceScan, scan_json
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.companions import COMPANIONS
from imagenet_s.spec.splits import listed
from imagenet_s.spec.subsets import SPLITS, subset_of
from imagenet_s.verify.compare import VerificationResult

ADOPTED = "as found"  # the `link` in dataset.json
BATCH = 50_000  # images whose records are in memory


class ImageFile(NamedTuple):
    """An image of the copy: its path there, and its ImageNet class."""

    path: str
    imagenet_wnid: str


def adopt(result: VerificationResult, workers: int) -> None:
    """Write manifests and `dataset.json` of the files that a copy has now.

    The number of train images may differ from the official one: `train_images: any` makes such copies.

    Args:
        result: What a check of the whole copy, at level sha256, has found.
        workers: The number of processes.

    Raises:
        UserError: The copy has manifests already, or is damaged: manifests would hide the damage.
    """
    root, subset = result.root, result.subset
    if result.expected.own_manifests:
        raise UserError(f"{root} has manifests already and does not need new ones.")
    if result.damage:
        raise UserError(f"{root} is damaged (see above): it is not adopted. Replace the damaged files first.")
    for remark in result.remarks:
        log.warning("Adopted although train is not the official set: %s", remark)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        receipt, findings, samples = (scratch / x for x in ("receipt.json", "findings.json", "samples"))
        no_archive = {"kind": "folder", "path": str(root), "archive": None, "md5": None, "official": False}
        write_json(receipt, no_archive)
        write_json(findings, scan_json(SourceScan(layout="a copy that was adopted", root=str(root))))
        parts = list(_image_records(root, subset, scratch, workers))
        masked = _mask_records(root, subset, scratch, workers)
        with atomic_write(samples) as partial_path:
            write_samples(subset, False, parts, masked, receipt, partial_path)
        write_manifests(samples, root / "manifests")
        kept = _own_files(root)
        write_companions(Records(subset, samples, masked), root, kept)
        write_dataset(subset, (), samples, root, Origin([findings], receipt, ADOPTED), kept)


def _own_files(root: Path) -> list[str]:
    """Return the files in the place of those that a build writes beside the tree; warn of them."""
    found = [name for name in COMPANIONS if "/" not in name and os.path.lexists(root / name)]
    if found:
        log.warning("Kept as they are, because the copy had them already: %s", first_few(found))
    return found


def _image_records(root: Path, subset: int, scratch: Path, workers: int) -> Iterator[Path]:
    """Write the records of all images, some at a time, and yield the Parquet files."""
    imagenet_wnid = {row.image: row.imagenet_wnid for split in SPLITS[1:] for row in listed(subset, split)}
    paths = [path for path in sorted(contents(root).files) if path.partition("/")[0] in SPLITS]
    for k, start in enumerate(range(0, len(paths), BATCH)):
        images = [
            ImageFile(path, imagenet_wnid.get(Path(path).stem, Path(path).stem.partition("_")[0]))
            for path in paths[start : start + BATCH]
        ]
        task, what = partial(_records, root), f"Reading {subset_of(subset).name}"
        rows = map_chunks(task, images, workers, what, "images")
        with atomic_write(scratch / f"{k}.parquet") as partial_path:
            write_records(rows, [], partial_path, ())
        yield scratch / f"{k}.parquet"


def _records(root: Path, images: Sequence[ImageFile]) -> list[ImageRecord]:
    """Read some images and return their records."""

    def read(image: ImageFile) -> ImageRecord:
        with readers.read(Row("", "", f"{root}/{image.path}")) as data, COMPUTING:
            return record_of(Path(image.path).stem, image.imagenet_wnid, data)

    with Readers() as readers, closing(map_ahead(read, images)) as records:
        return list(records)


def _mask_records(root: Path, subset: int, scratch: Path, workers: int) -> Path:
    """Write the records of all masks, and return the Parquet file."""
    task = partial(_mask_rows, root, len(class_ids(subset)))
    rows = map_chunks(task, masks.mask_paths(subset), workers, f"Masks of {subset_of(subset).name}", "masks")
    with atomic_write(scratch / "masks.parquet") as partial_path:
        masks.write_records(rows, partial_path)
    return scratch / "masks.parquet"


def _mask_rows(root: Path, classes: int, paths: Sequence[str]) -> list[Any]:
    """Read some masks of a subset with `classes` classes, and return their records."""
    return [masks.record_of(path, (root / path).read_bytes(), classes) for path in paths]
