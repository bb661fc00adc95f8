"""Giving manifests to a copy that was made by other means, so that it can be verified from then on."""

import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from imagenet_s.annotations import unpack as masks
from imagenet_s.dataset.manifests import write_manifests
from imagenet_s.dataset.metadata import Origin, write_dataset
from imagenet_s.dataset.samples import write_samples
from imagenet_s.images.read import Reader, record_of, write_records
from imagenet_s.io.atomic import atomic_write, write_json
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.parallel import map_chunks
from imagenet_s.runtime.progress import log
from imagenet_s.source.listing import Row
from imagenet_s.source.scan import SourceScan, scan_json
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.splits import listed
from imagenet_s.spec.subsets import SPLITS, subset_of
from imagenet_s.verify.compare import VerificationResult
from imagenet_s.verify.scan import contents

ADOPTED = "as found"  # what dataset.json says of how images got there
AT_ONCE = 50_000  # images whose records are in memory


def adopt(verdict: VerificationResult, workers: int) -> None:
    """Write manifests and `dataset.json` of what is in a copy now.

    Train may have another number of images than officially: `train_images: any` makes such copies. Raises
    UserError for a copy with any damage: nobody should vouch for it.
    """
    root, subset = verdict.root, verdict.subset
    if verdict.expected.own_manifests:
        raise UserError(f"{root} has manifests already; it needs no others.")
    if verdict.damage:
        raise UserError(f"{root} is not as it should be (see above): it is not adopted. Mend it first.")
    for remark in verdict.remarks:
        log.warning("Adopted although train is not the official one: %s", remark)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        receipt, findings, samples = (scratch / x for x in ("receipt.json", "findings.json", "samples"))
        none = {"kind": "folder", "path": str(root), "archive": None, "md5": None, "official": False}
        write_json(receipt, none)
        write_json(findings, scan_json(SourceScan(layout="a copy that was adopted", root=str(root))))
        parts = list(_image_records(root, subset, scratch, workers))
        masked = _mask_records(root, subset, scratch, workers)
        with atomic_write(samples) as partial_path:
            write_samples(subset, False, parts, masked, receipt, partial_path)
        write_manifests(samples, root / "manifests")
        write_dataset(subset, (), samples, root, Origin([findings], receipt, ADOPTED))


def _image_records(root: Path, subset: int, scratch: Path, workers: int) -> Iterator[Path]:
    """Records of all images, some at a time."""
    imagenet_wnid = {row.image: row.imagenet_wnid for split in SPLITS[1:] for row in listed(subset, split)}
    paths = [path for path in sorted(contents(root).files) if path.partition("/")[0] in SPLITS]
    for k, start in enumerate(range(0, len(paths), AT_ONCE)):
        some = [
            (path, imagenet_wnid.get(Path(path).stem, Path(path).stem.partition("_")[0]))
            for path in paths[start : start + AT_ONCE]
        ]
        rows = map_chunks(
            partial(_records, root), some, workers, f"Reading {subset_of(subset).name}", "images"
        )
        with atomic_write(scratch / f"{k}.parquet") as partial_path:
            write_records(rows, [], partial_path, ())
        yield scratch / f"{k}.parquet"


def _records(root: Path, some: Sequence[tuple[str, str]]) -> list[tuple]:
    with Reader() as reader:
        rows = ((Path(path).stem, wnid, Row("", "", f"{root}/{path}")) for path, wnid in some)
        return [record_of(image, wnid, reader.read(row)) for image, wnid, row in rows]


def _mask_records(root: Path, subset: int, scratch: Path, workers: int) -> Path:
    task = partial(_mask_rows, root, len(class_ids(subset)))
    rows = map_chunks(task, masks.mask_paths(subset), workers, f"Masks of {subset_of(subset).name}", "masks")
    with atomic_write(scratch / "masks.parquet") as partial_path:
        masks.write_records(rows, partial_path)
    return scratch / "masks.parquet"


def _mask_rows(root: Path, classes: int, paths: Sequence[str]) -> list[tuple]:
    return [masks.record_of(path, (root / path).read_bytes(), classes) for path in paths]
