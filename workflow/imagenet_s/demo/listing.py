"""The demo's images as the scan will find them, known before they are generated."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from imagenet_s.demo.generate import tier_images
from imagenet_s.source.listing import Row, listing_of
from imagenet_s.source.scan import SourceScan
from imagenet_s.spec.classes import tier_classes

IMAGE_BYTES, MASK_BYTES = 1700, 580  # of an image, and of a mask in its archive: means, measured


def demo_listing(tiers: Sequence[int], root: Path) -> tuple[list[pa.Table], list[SourceScan]]:
    """Return the listing and the scan of each tier of the demo below `root`. Sizes are estimates."""
    listings, scans = [], []
    for tier in tiers:
        rows = [
            Row(picture.image, picture.wnid, str(root / picture.path), size=IMAGE_BYTES)
            for picture in tier_images(tier)
        ]
        scan = SourceScan(
            layout="the embedded demo",
            root=str(root),
            train=[str(root / "train")],
            val=[str(root / "val")],
            synthetic=True,
        )
        scan.whole_folders = {wnid: str(root / "train" / wnid) for wnid in tier_classes(tier)}
        listings.append(listing_of(rows, {}))
        scans.append(scan)
    return listings, scans
