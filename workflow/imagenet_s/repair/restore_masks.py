"""Restoring masks of a build from the annotations, and their further encodings from the masks."""

import os
from collections.abc import Set
from hashlib import sha256
from pathlib import Path

from imagenet_s.annotations.unpack import masks_in
from imagenet_s.dataset.encoded_masks import encoded
from imagenet_s.io.atomic import ensure_real_dir, write_atomically
from imagenet_s.masks.codec import BadMask
from imagenet_s.repair.damage import (
    Copy,
    TreeEntry,
    behind_links,
    damaged_of,
    digest_of,
    free_place,
    place_entry,
)
from imagenet_s.repair.restore_manifests import annotations_of
from imagenet_s.spec.subsets import mask_of
from imagenet_s.verify.compare import VerificationResult
from imagenet_s.verify.file_tables import LABEL, MASK


def restore_masks(copy: Copy, verdict: VerificationResult, relocated: Set[str], scratch: Path) -> list[str]:
    """Restore masks from the annotations; return those that could not be restored, and why."""
    damaged = damaged_of(verdict, MASK, relocated)
    if not damaged:
        return []
    damaged |= behind_links(verdict, MASK, damaged)
    lost = _fetch_masks(copy, damaged, scratch)
    folder = copy.workspace.masks(copy.subset)
    for mask in damaged.keys() - lost.keys():
        file = os.path.abspath(folder / mask)
        why = place_entry(copy.root, TreeEntry(mask, file, "hardlink", file), scratch)
        if why:
            lost[mask] = why
    return [f"{mask}: {why}" for mask, why in sorted(lost.items())]


def _fetch_masks(copy: Copy, digests: dict[str, str], scratch: Path) -> dict[str, str]:
    """Unpack again those masks whose unpacked file has another sha256; return path → why for the rest."""
    folder = copy.workspace.masks(copy.subset)
    wrong = {mask for mask, digest in digests.items() if digest_of(folder / mask) != digest}
    if not wrong:
        return {}
    lost = dict.fromkeys(wrong, "is not in the annotations")
    for mask, data in masks_in(annotations_of(copy.config, copy.subset, copy.workspace), wrong):
        if sha256(data).hexdigest() != digests[mask]:
            lost[mask] = "the annotations have other bytes"
            continue
        write_atomically(data, ensure_real_dir(folder, Path(mask).parent) / Path(mask).name, scratch)
        del lost[mask]
    return lost


def restore_labels(copy: Copy, verdict: VerificationResult, relocated: Set[str], scratch: Path) -> list[str]:
    """Encode masks again; return the encoded masks that could not be restored, and why."""
    damaged, lost = damaged_of(verdict, LABEL, relocated), []
    damaged |= behind_links(verdict, LABEL, damaged)
    for label, digest in damaged.items():
        mask, encoding = mask_of(label)
        try:
            data = encoded((copy.root / mask).read_bytes(), copy.subset, mask, encoding)
            if sha256(data).hexdigest() != digest:
                lost.append(f"{label}: this version of zlib-ng packs it in other bytes")
                continue
            write_atomically(data, free_place(copy.root, label), scratch)
        except (OSError, BadMask) as error:
            lost.append(f"{label}: {error}")
    return lost
