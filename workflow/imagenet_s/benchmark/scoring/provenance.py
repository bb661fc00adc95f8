"""What figures were computed from: which predictions, which true masks, and which `match.json`."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

from imagenet_s.benchmark.scoring.comparison import SPLIT, Comparison
from imagenet_s.benchmark.scoring.match_json import MatchFile
from imagenet_s.benchmark.scoring.pairs import Pair, PairFiles
from imagenet_s.dataset.dataset_file import digest_of_copy
from imagenet_s.io.atomic import digest_of_list
from imagenet_s.spec.subsets import mask_folder


class Predictions(TypedDict):
    """The predictions: the name of the run, their folder, the day of the newest one (UTC), their digest.

    `sha256` is that of what `sha256sum */*.png` prints in the folder, for those that were read.
    """

    name: str
    path: str
    date: str
    sha256: str


class Truth(TypedDict):
    """The true masks: their folder, their digest, and the digest of the data set that they belong to.

    `sha256` is that of `manifests/validation-segmentation.sha256`, if all masks of the split were read.
    `data_set_digest` is None where there are no manifests.
    """

    path: str
    sha256: str
    data_set_digest: str | None


class Match(TypedDict):
    """The `match.json` that maps predicted ids to classes."""

    path: str
    sha256: str


class Provenance(TypedDict):
    """What figures were computed from. `match` is None if the predicted ids are classes."""

    predictions: Predictions
    truth: Truth
    match: Match | None


def provenance(
    compared: Comparison, pairs: Sequence[Pair], files: Sequence[PairFiles], match: MatchFile | None
) -> Provenance:
    """Return what figures of some pairs were computed from.

    Args:
        compared: The folders.
        pairs: The pairs, by name.
        files: What was read of each.
        match: The `match.json`, if there is one.
    """
    truth, predictions = (Path(os.path.abspath(folder)) for folder in compared.folders)
    names = [pair.name for pair in pairs]
    newest = max(file.modified for file in files)
    true = zip(
        (file.truth for file in files), (f"{mask_folder(SPLIT)}/{name}" for name in names), strict=True
    )
    predicted = zip((file.prediction for file in files), names, strict=True)
    return {
        "predictions": {
            "name": predictions.parent.name if predictions.name == SPLIT else predictions.name,
            "path": str(predictions),
            "date": datetime.fromtimestamp(newest, UTC).date().isoformat(),
            "sha256": digest_of_list(predicted),
        },
        "truth": {
            "path": str(truth),
            "sha256": digest_of_list(true),
            "data_set_digest": digest_of_copy(truth.parent),
        },
        "match": {"path": match.path, "sha256": match.sha256} if match else None,
    }


def describe_run(sources: Provenance) -> str:
    """Return the name of a run and its date."""
    name = sources["predictions"]["name"]
    shown = name if name.isprintable() else repr(name)  # a folder's name may have line breaks
    return f"{shown}, predictions of {sources['predictions']['date']}"
