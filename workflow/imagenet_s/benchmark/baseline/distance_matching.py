"""Distance matching: classes for features by the masks of train-semi, without training anything.

Each region of a train-semi mask becomes a vector; each position of another image takes the class of its
nearest vectors (`neighbours.py`).
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from imagenet_s.benchmark.baseline.features import BadFeatures, find_features, read_features
from imagenet_s.benchmark.baseline.nearest_neighbours import (
    ENLARGED,
    Regions,
    embedded,
    enlarged,
    nearest,
    voted,
)
from imagenet_s.benchmark.scoring.predictions import (
    file_bytes,
    files_in,
    image_shape,
    images_in,
    inner,
    names_of,
)
from imagenet_s.io.atomic import atomic_write_folder, digest_of_files, scratch_folder
from imagenet_s.io.receipts import write_receipt
from imagenet_s.masks.codec import decode, rgb_png
from imagenet_s.runtime.errors import first_few
from imagenet_s.runtime.parallel import map_chunks
from imagenet_s.runtime.problems import FileProblem, require_no_file
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.version import __version__
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.protocols import describe
from imagenet_s.spec.subsets import mask_folder, subset_of
from imagenet_s.workspace.output_guard import check_output_path

BANK, LABELS = "bank.npy", "labels.npy"

ADVICE = (
    "Nothing was predicted. Wanted: features `<wnid>/<stem>.npy` (or .npz with one array) of each image, "
    "finite numbers of shape (C, h, w) with the same C everywhere."
)


@dataclass(frozen=True)
class FeatureFolders:
    """What is read: features and masks of the subset's train-semi; features and images to be predicted."""

    features_train: Path
    masks: Path
    features: Path
    images: Path


@dataclass(frozen=True)
class Vote:
    """How the nearest regions choose a class: the `k` nearest, weighted by exp(similarity / temperature)."""

    k: int
    temperature: float


def distance_match(subset: int, folders: FeatureFolders, vote: Vote, out: Path, workers: int) -> None:
    """Write predictions of all images in `folders.images` to `out`, and `<out>.json`: how they were made.

    Raises UserError with all that is missing or cannot be read.
    """
    features_train, features, images = folders.features_train, folders.features, folders.images
    masks = inner(folders.masks, mask_folder("train-semi"))
    check_output_path(out, features_train, masks, features, images)
    # Of several processes each has a core of its own, and takes no others for its matrices.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    log.info("%s", describe("distance-matching"))
    name, receipt = subset_of(subset).name, out.with_name(f"{out.name}.json")
    what = f"{images} cannot be predicted by {features} and {features_train}:"
    train, findings = _train(subset, features_train, masks)
    wanted, lacking = _wanted(features, images)
    require_no_file(findings + lacking, what, ADVICE)
    with (
        scratch_folder(out.with_name(f".{out.name}.regions")) as kept,
        atomic_write_folder(out, receipt) as making,
    ):
        embed = partial(_embed, len(class_ids(subset)))
        found = map_chunks(embed, train, workers, f"Embedding train-semi of {name}", "images", at_once=16)
        channels, findings = _gathered(found, kept)
        require_no_file(findings, what, ADVICE)
        for folder in {item.name.rpartition("/")[0] for item in wanted}:
            (making / folder).mkdir()
        predict = partial(_predict, kept, channels, vote, making)
        findings = map_chunks(predict, wanted, workers, f"Predicting {name}", "images", at_once=16)
        require_no_file(findings, what, ADVICE)
        regions, digest = len(np.load(kept / LABELS)), digest_of_files(making)
    facts = {"subset": subset, "images": len(wanted), "channels": channels, "regions": regions}
    how = asdict(vote) | {"enlarged": ENLARGED, "made_by": f"imagenet-s {__version__}"}
    write_receipt(receipt, facts | how | {"sha256": digest}, out)
    print(
        f"{len(wanted):,} predictions in {out}, by {regions:,} regions of {len(train):,} images of train-semi"
    )


class Item(NamedTuple):
    """An image's `<wnid>/<stem>.png`, its features, and its mask or the image itself."""

    name: str
    features: Path
    other: Path


def _train(subset: int, features: Path, masks: Path) -> tuple[list[Item], list[FileProblem]]:
    """What train-semi has, and what it lacks."""
    wanted, found, there = names_of(subset, "train-semi"), find_features(features), files_in(masks)
    findings = [
        FileProblem("missing features of train-semi", _npy(name)) for name in wanted if name not in found
    ]
    findings += [FileProblem("missing masks of train-semi", name) for name in wanted if name not in there]
    return [
        Item(name, found[name], there[name]) for name in wanted if name in found and name in there
    ], findings


def _wanted(features: Path, images: Path) -> tuple[list[Item], list[FileProblem]]:
    """What is to be predicted: all images of a folder."""
    found = find_features(features)
    paths = images_in(images)
    findings = [FileProblem("missing features of images", _npy(name)) for name in paths if name not in found]
    findings += [FileProblem("features without an image", str(found[n])) for n in found if n not in paths]
    return [Item(name, found[name], path) for name, path in paths.items() if name in found], findings


def _npy(name: str) -> str:
    """The name of the features of the image whose mask has that name."""
    return f"{name.removesuffix('.png')}.npy"


def _embed(classes: int, items: Sequence[Item]) -> list[Regions | FileProblem]:
    results = []
    for item in items:
        try:
            mask = decode(file_bytes(item.other), classes)
            if mask.problems:
                results.append(FileProblem("odd masks of train-semi", f"{item.name} {mask.problems[0]}"))
                continue
            results.append(embedded(enlarged(read_features(item.features)), mask.ids))
        except BadFeatures as error:
            results.append(FileProblem("unusable features", f"{item.features} {error}"))
        except OSError as error:
            results.append(FileProblem("unreadable masks of train-semi", f"{item.name}: {error.strerror}"))
    return results


def _gathered(found: Sequence[Regions | FileProblem], kept: Path) -> tuple[int, list[FileProblem]]:
    """Keeps all regions where the processes find them; the number of channels, and what is wrong."""
    regions = [one for one in found if isinstance(one, Regions)]
    findings = [one for one in found if isinstance(one, FileProblem)]
    counts = sorted({one.vectors.shape[1] for one in regions})
    if len(counts) > 1:
        findings.append(
            FileProblem("different numbers of channels in features of train-semi", first_few(counts))
        )
    if regions and not any(len(one.labels) for one in regions):
        findings.append(
            FileProblem("masks of train-semi without any region", "all of their pixels are ignored")
        )
    if not findings:
        np.save(kept / BANK, np.concatenate([one.vectors for one in regions]))
        np.save(kept / LABELS, np.concatenate([one.labels for one in regions]))
    return counts[0] if counts else 0, findings


def _predict(kept: Path, channels: int, vote: Vote, out: Path, items: Sequence[Item]) -> list[FileProblem]:
    # Mapped, not read: the processes share the memory.
    bank = Regions(np.load(kept / BANK, mmap_mode="r"), np.load(kept / LABELS))
    return [finding for item in items for finding in _predict_one(bank, channels, vote, item, out)]


def _predict_one(bank: Regions, channels: int, vote: Vote, item: Item, out: Path) -> Iterator[FileProblem]:
    try:
        features = read_features(item.features)
    except BadFeatures as error:
        yield FileProblem("unusable features", f"{item.features} {error}")
        return
    shape = image_shape(item.other)
    if len(features) != channels:
        yield FileProblem(
            "unusable features", f"{item.features} has {len(features)} channels, not {channels}"
        )
    elif shape is None:
        yield FileProblem("unreadable images", str(item.other))
    else:
        ids = nearest(voted(enlarged(features), bank, vote.k, vote.temperature), shape)
        (out / item.name).write_bytes(rgb_png(ids))
