"""Distance matching: predict classes from features and the masks of train-semi, without training.

Each region of a train-semi mask becomes a vector. Each position of another image gets the class of its
nearest vectors (`nearest_neighbours.py`).
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
from imagenet_s.benchmark.scoring.which_subset import require_names_of
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
    "Nothing was predicted. Expected: features `<wnid>/<stem>.npy` (or .npz with one array) of each image, "
    "finite numbers of shape (C, h, w) with the same C everywhere."
)


@dataclass(frozen=True)
class FeatureFolders:
    """The folders that distance matching reads.

    Attributes:
        features_train: The features of the subset's train-semi images.
        masks: The train-semi masks, or a tree that contains them.
        features: The features of `images`.
        images: The images to predict.
    """

    features_train: Path
    masks: Path
    features: Path
    images: Path


@dataclass(frozen=True)
class Vote:
    """How regions choose a class: the `k` nearest vote with the weights exp(similarity / temperature)."""

    k: int
    temperature: float


def distance_match(subset: int, folders: FeatureFolders, vote: Vote, out: Path, workers: int) -> None:
    """Write predictions of all images in `folders.images` to `out`, and `<out>.json`: how they were made.

    Raises:
        UserError: Files are missing or cannot be used; it names all of them.
    """
    features_train, features, images = folders.features_train, folders.features, folders.images
    masks = inner(folders.masks, mask_folder("train-semi"))
    check_output_path(out, features_train, masks, features, images)
    # Each process has a core of its own, so matrix products must not use threads.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    log.info("%s", describe("distance-matching"))
    name, receipt = subset_of(subset).name, out.with_name(f"{out.name}.json")
    what = f"{images} cannot be predicted from {features} and {features_train}:"
    train, train_problems = _find_train(subset, features_train, masks)
    wanted, problems = _find_wanted(features, images)
    require_no_file(train_problems + problems, what, ADVICE)
    with (
        scratch_folder(out.with_name(f".{out.name}.regions")) as scratch,
        atomic_write_folder(out, receipt) as partial_out,
    ):
        embed = partial(_embed, len(class_ids(subset)))
        chunks: list[_Chunk] = map_chunks(
            embed, train, workers, f"Embedding train-semi of {name}", "images", at_once=16
        )
        channels, problems = _save_regions(chunks, scratch)
        require_no_file(problems, what, ADVICE)
        for folder in {item.name.rpartition("/")[0] for item in wanted}:
            (partial_out / folder).mkdir()
        predict = partial(_predict, scratch, channels, vote, partial_out)
        problems = map_chunks(predict, wanted, workers, f"Predicting {name}", "images", at_once=16)
        require_no_file(problems, what, ADVICE)
        regions, digest = len(np.load(scratch / LABELS)), digest_of_files(partial_out)
    facts = {"subset": subset, "images": len(wanted), "channels": channels, "regions": regions}
    how = asdict(vote) | {"enlarged": ENLARGED, "made_by": f"imagenet-s {__version__}"}
    write_receipt(receipt, facts | how | {"sha256": digest}, out)
    print(
        f"Wrote {len(wanted):,} predictions to {out}, from {regions:,} regions of {len(train):,} "
        "train-semi images"
    )


class Item(NamedTuple):
    """The features of an image, and its mask or the image itself; `name` is `<wnid>/<stem>.png`."""

    name: str
    features: Path
    other: Path


def _find_train(subset: int, features: Path, masks: Path) -> tuple[list[Item], list[FileProblem]]:
    """Return the train-semi images that have features and a mask, and which files are missing."""
    wanted, found, true = names_of(subset, "train-semi"), find_features(features), files_in(masks)
    require_names_of(subset, "train-semi", found, features)
    require_names_of(subset, "train-semi", true, masks)
    missing = [
        *(FileProblem("missing train-semi features", _npy(name)) for name in wanted if name not in found),
        *(FileProblem("missing train-semi masks", name) for name in wanted if name not in true),
    ]
    items = [Item(name, found[name], true[name]) for name in wanted if name in found and name in true]
    return items, missing


def _find_wanted(features: Path, images: Path) -> tuple[list[Item], list[FileProblem]]:
    """Return the images of a folder that have features, and what is missing or unexpected."""
    found = find_features(features)
    paths = images_in(images)
    problems = [
        *(FileProblem("missing image features", _npy(name)) for name in paths if name not in found),
        *(FileProblem("features without an image", str(found[name])) for name in found if name not in paths),
    ]
    return [Item(name, found[name], path) for name, path in paths.items() if name in found], problems


def _npy(name: str) -> str:
    """Return the name of an image's features, from the name of its mask."""
    return f"{name.removesuffix('.png')}.npy"


class _Chunk(NamedTuple):
    """The regions of some images, and what is wrong with the others."""

    regions: list[Regions]
    problems: list[FileProblem]


def _embed(classes: int, items: Sequence[Item]) -> list[_Chunk]:
    """Embed the regions of a chunk of train-semi images and return one result."""
    regions: list[Regions] = []
    problems: list[FileProblem] = []
    for item in items:
        try:
            mask = decode(file_bytes(item.other), classes)
            if mask.problems or mask.ids is None:
                problems.append(FileProblem("invalid train-semi masks", f"{item.name} {mask.problems[0]}"))
                continue
            regions.append(embedded(enlarged(read_features(item.features)), mask.ids))
        except BadFeatures as error:
            problems.append(FileProblem("unusable features", f"{item.features} {error}"))
        except OSError as error:
            problems.append(FileProblem("unreadable train-semi masks", f"{item.name}: {error.strerror}"))
    return [_Chunk(regions, problems)]


def _save_regions(chunks: Sequence[_Chunk], scratch: Path) -> tuple[int, list[FileProblem]]:
    """Save all regions for the processes to read. Return the number of channels, and what is wrong."""
    regions = [image for chunk in chunks for image in chunk.regions]
    problems = [problem for chunk in chunks for problem in chunk.problems]
    counts = sorted({image.vectors.shape[1] for image in regions})
    if len(counts) > 1:
        problems.append(FileProblem("train-semi features with different channel counts", first_few(counts)))
    if regions and not any(len(image.labels) for image in regions):
        problems.append(FileProblem("train-semi masks without a region", "all of their pixels are ignored"))
    if not problems:
        np.save(scratch / BANK, np.concatenate([image.vectors for image in regions]))
        np.save(scratch / LABELS, np.concatenate([image.labels for image in regions]))
    return counts[0] if counts else 0, problems


def _predict(scratch: Path, channels: int, vote: Vote, out: Path, items: Sequence[Item]) -> list[FileProblem]:
    """Write the predictions of a chunk of images; return what is wrong with them."""
    # The vectors are mapped, not read, so that the processes share the memory.
    bank = Regions(np.load(scratch / BANK, mmap_mode="r"), np.load(scratch / LABELS))
    return [problem for item in items for problem in _predict_one(bank, channels, vote, item, out)]


def _predict_one(bank: Regions, channels: int, vote: Vote, item: Item, out: Path) -> Iterator[FileProblem]:
    """Write the prediction of one image, or yield what is wrong with it."""
    try:
        features = read_features(item.features)
    except BadFeatures as error:
        yield FileProblem("unusable features", f"{item.features} {error}")
        return
    shape = image_shape(item.other)
    if len(features) != channels:
        text = f"{item.features} has {len(features)} channels, not {channels}"
        yield FileProblem("unusable features", text)
    elif shape is None:
        yield FileProblem("unreadable images", str(item.other))
    else:
        ids = nearest(voted(enlarged(features), bank, vote.k, vote.temperature), shape)
        (out / item.name).write_bytes(rgb_png(ids))
