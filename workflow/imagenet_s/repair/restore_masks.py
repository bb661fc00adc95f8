"""Restoring masks of a build from the annotations, and their other encodings from the masks."""

import os
from collections.abc import Set
from hashlib import sha256
from pathlib import Path

from imagenet_s.annotations.unpack import masks_in
from imagenet_s.copies.file_tables import LABEL, MASK
from imagenet_s.dataset.encoded_masks import encode_mask
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


def restore_masks(copy: Copy, result: VerificationResult, relocated: Set[str], scratch: Path) -> list[str]:
    """Restore masks from the annotations; return those that could not be restored, and why."""
    damaged = damaged_of(result, MASK, relocated)
    if not damaged:
        return []
    damaged |= behind_links(result, MASK, damaged)
    lost = _fetch_masks(copy, damaged, scratch)
    folder = copy.workspace.masks(copy.subset)
    for mask in damaged.keys() - lost.keys():
        file = os.path.abspath(folder / mask)
        why = place_entry(copy.root, TreeEntry(mask, file, "hardlink", file), scratch)
        if why:
            lost[mask] = why
    return [f"{mask}: {why}" for mask, why in sorted(lost.items())]


def _fetch_masks(copy: Copy, digests: dict[str, str], scratch: Path) -> dict[str, str]:
    """Unpack masks again if their unpacked file is damaged or missing; return those that fail → why."""
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


def restore_labels(copy: Copy, result: VerificationResult, relocated: Set[str], scratch: Path) -> list[str]:
    """Encode masks again; return the encoded masks that could not be restored, and why."""
    damaged = damaged_of(result, LABEL, relocated)
    lost = []
    damaged |= behind_links(result, LABEL, damaged)
    for label, digest in damaged.items():
        mask, encoding = mask_of(label)
        try:
            data = encode_mask((copy.root / mask).read_bytes(), copy.subset, mask, encoding)
            if sha256(data).hexdigest() != digest:
                lost.append(f"{label}: this version of zlib-ng compresses it to other bytes")
                continue
            write_atomically(data, free_place(copy.root, label), scratch)
        except (OSError, BadMask) as error:
            lost.append(f"{label}: {error}")
    return lost
