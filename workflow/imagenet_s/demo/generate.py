"""The embedded demo: a small synthetic ImageNet with the official names, and matching annotations."""

import hashlib
import zipfile
from collections.abc import Sequence
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple

from imagenet_s.annotations.fetch import archive_receipt
from imagenet_s.annotations.unpack import mask_paths
from imagenet_s.demo.scenes import jpeg_of, mask_of, scene_of
from imagenet_s.io.atomic import atomic_write, scratch_folder, write_atomically
from imagenet_s.io.receipts import write_receipt
from imagenet_s.runtime.parallel import map_chunks
from imagenet_s.source.scan import SYNTHETIC
from imagenet_s.spec.classes import merges, tier_classes
from imagenet_s.spec.splits import listed, tier_val_images
from imagenet_s.spec.subsets import MASKED, subset_of

FURTHER_IMAGES = 3  # train images per class in addition to the listed ones

NOTICE = (
    "SYNTHETIC DATA. These pictures are generated. They have the names of ImageNet images, so that the\n"
    "imagenet-s pipeline can be tried without ImageNet; they show nothing of ImageNet.\n"
)


class Picture(NamedTuple):
    """An image or a mask to draw."""

    path: str
    wnid: str  # its ImageNet-S class

    @property
    def image(self) -> str:
        """The name of the image, without ending."""
        return Path(self.path).stem


def make_images(tier: int, root: Path, receipt: Path, workers: int, scratch: Path) -> None:
    """Write the train and val images of one tier below `root`: `train/<wnid>/…` and a flat `val/`.

    Args:
        tier: 50, 300 or 919.
        root: The folder of the synthetic ImageNet.
        receipt: The JSON file to write, with the number of images.
        workers: The number of processes.
        scratch: A folder for temporary files, on the same file system as `root`.
    """
    images = tier_images(tier)
    for folder in sorted({picture.path.rpartition("/")[0] for picture in images}):
        (root / folder).mkdir(parents=True, exist_ok=True)
    with atomic_write(root / SYNTHETIC) as notice:
        notice.write_text(NOTICE)
    with scratch_folder(scratch):
        map_chunks(
            partial(_image_chunk, root, scratch), images, workers, f"Demo images, tier {tier}", "images"
        )
    write_receipt(receipt, {"synthetic": True, "images": len(images)}, root)


def tier_images(tier: int) -> list[Picture]:
    """Return the train and val images of one tier."""
    images = [
        Picture(f"train/{wnid}/{image}.JPEG", merges().get(wnid, wnid))
        for wnid in tier_classes(tier)
        for image in train_names(wnid, FURTHER_IMAGES)
    ]
    return images + [Picture(f"val/{row.image}.JPEG", row.wnid) for row in tier_val_images(tier)]


def make_annotations(subset: int, folder: Path, receipt: Path, workers: int) -> None:
    """Write a subset's archive of masks into `folder`, and the receipt that `fetch` would write."""
    facts = subset_of(subset)
    wnid_of = {row.image: row.wnid for split in MASKED for row in listed(subset, split)}
    masks = [Picture(path, wnid_of[Path(path).stem]) for path in mask_paths(subset)]
    what = f"Demo masks, {facts.name}"
    encoded = map_chunks(partial(_mask_chunk, subset), masks, workers, what, "masks")
    archive = folder / f"{facts.name}-demo.zip"
    with atomic_write(archive) as partial_path, zipfile.ZipFile(partial_path, "w") as file:
        for mask, data in zip(masks, encoded, strict=True):
            # ZipInfo sets a fixed date, 1980, so that the archive is the same every time.
            member = zipfile.ZipInfo(f"{facts.name}/{mask.path}")
            member.external_attr = 0o644 << 16
            file.writestr(member, data)
    with archive.open("rb") as file:
        md5 = hashlib.file_digest(file, "md5").hexdigest()
    write_receipt(receipt, archive_receipt(facts, archive, md5), folder)


def train_names(wnid: str, further: int) -> list[str]:
    """Return the names of the listed train images of an ImageNet class, sorted, and `further` more."""
    names = sorted(row.image for row in listed(919, "train-semi") if row.imagenet_wnid == wnid)
    others = (f"{wnid}_{k}" for k in count(1))
    return names + list(islice((name for name in others if name not in names), further))


def _image_chunk(root: Path, scratch: Path, images: Sequence[Picture]) -> list[None]:
    """Write some images; return a result for each, as `map_chunks` requires."""
    for picture in images:
        write_atomically(jpeg_of(scene_of(picture.image, picture.wnid)), root / picture.path, scratch)
    return [None] * len(images)


def _mask_chunk(subset: int, masks: Sequence[Picture]) -> list[bytes]:
    """Return the PNGs of some masks."""
    return [mask_of(scene_of(mask.image, mask.wnid), subset) for mask in masks]
