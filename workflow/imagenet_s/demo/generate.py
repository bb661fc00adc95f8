"""The embedded demo: a small synthetic ImageNet with the official names, and annotations that fit."""

import hashlib
import zipfile
from collections.abc import Sequence
from functools import partial
from itertools import count, islice
from pathlib import Path

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

FURTHER_IMAGES = 3  # train images a class beside the listed ones

NOTICE = (
    "SYNTHETIC DATA. These pictures are made up. They bear the names of ImageNet images, so that the\n"
    "imagenet-s pipeline can be tried without ImageNet; they show nothing of ImageNet.\n"
)


def make_images(tier: int, root: Path, receipt: Path, workers: int, scratch: Path) -> None:
    """Lays out below `root` the train and val images of one tier: `train/<wnid>/…` and a flat `val/`."""
    images = [
        (f"train/{wnid}/{image}.JPEG", merges().get(wnid, wnid))
        for wnid in tier_classes(tier)
        for image in train_names(wnid, FURTHER_IMAGES)
    ]
    images += [(f"val/{row.image}.JPEG", row.wnid) for row in tier_val_images(tier)]
    for folder in sorted({path.rpartition("/")[0] for path, _ in images}):
        (root / folder).mkdir(parents=True, exist_ok=True)
    with atomic_write(root / SYNTHETIC) as notice:
        notice.write_text(NOTICE)
    with scratch_folder(scratch):
        map_chunks(
            partial(_image_chunk, root, scratch), images, workers, f"Demo images, tier {tier}", "images"
        )
    write_receipt(receipt, {"synthetic": True, "images": len(images)}, root)


def make_annotations(subset: int, folder: Path, receipt: Path, workers: int) -> None:
    """Writes the subset's archive of masks into `folder`, and the receipt that `fetch` would write."""
    facts = subset_of(subset)
    wnid_of = {row.image: row.wnid for split in MASKED for row in listed(subset, split)}
    masks = [(path, wnid_of[Path(path).stem]) for path in mask_paths(subset)]
    what = f"Demo masks, {facts.name}"
    encoded = map_chunks(partial(_mask_chunk, subset), masks, workers, what, "masks")
    archive = folder / f"{facts.name}-demo.zip"
    with atomic_write(archive) as partial_path, zipfile.ZipFile(partial_path, "w") as file:
        for (path, _), data in zip(masks, encoded, strict=True):
            member = zipfile.ZipInfo(f"{facts.name}/{path}")  # dated 1980: the same zip every time
            member.external_attr = 0o644 << 16
            file.writestr(member, data)
    with archive.open("rb") as file:
        md5 = hashlib.file_digest(file, "md5").hexdigest()
    write_receipt(receipt, archive_receipt(facts, archive, md5), folder)


def train_names(wnid: str, further: int) -> list[str]:
    """The listed train images of an ImageNet class, sorted, and so many further names."""
    names = sorted(row.image for row in listed(919, "train-semi") if row.imagenet_wnid == wnid)
    others = (f"{wnid}_{k}" for k in count(1))
    return names + list(islice((name for name in others if name not in names), further))


def _image_chunk(root: Path, scratch: Path, images: Sequence[tuple[str, str]]) -> list[None]:
    for path, wnid in images:
        write_atomically(jpeg_of(scene_of(Path(path).stem, wnid)), root / path, scratch)
    return [None] * len(images)


def _mask_chunk(subset: int, masks: Sequence[tuple[str, str]]) -> list[bytes]:
    return [mask_of(scene_of(Path(path).stem, wnid), subset) for path, wnid in masks]
