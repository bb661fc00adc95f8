"""What scoring and matching cost: images a second, with and without boundaries, and the share of decoding.

    python benchmarks/evaluate.py FOLDER [--subset 919] [--workers 1] [--rounds 3]

Makes true masks of 500 × 375 pixels and predictions that differ from them in FOLDER, once (919: 12,419 of
each). Each way is a process of its own, start and imports included. The baseline takes a few of the images
only, class by class as the official toolbox does, on the CPU.
"""

import argparse
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import make_masks
import numpy as np
from measure import Taken, in_turn, machine, run
from scipy.ndimage import binary_erosion

from imagenet_s.benchmark.scoring import metrics
from imagenet_s.benchmark.scoring.boundary import width_of
from imagenet_s.benchmark.scoring.comparison import Comparison, pairs_of
from imagenet_s.benchmark.scoring.evaluate import evaluate
from imagenet_s.benchmark.scoring.matching import in_common, match, match_predictions, occurring
from imagenet_s.benchmark.scoring.predictions import Pair, names_of, read_pair
from imagenet_s.masks.codec import ids_of, pixels_of, rgb_png
from imagenet_s.runtime.parallel import map_chunks
from imagenet_s.spec.classes import IGNORE, class_ids
from imagenet_s.spec.subsets import subset_of

FEW = 100  # images of the baseline

WAYS = {
    "decode": "both PNGs read and decoded, no more",
    "plain": "scored without boundaries: Acc, mIoU, S to L, FMeasure",
    "edges": "scored with boundaries",
    "whole": "the same by `evaluate`, with table, plot and pictures",
    "match": "`match`",
    "baseline": f"class by class, of {FEW} images",
}


def prepare(subset: int, folder: Path) -> None:
    """Makes `truth` and `predictions` in the folder: moved by some pixels, every third class another."""
    if (folder / "predictions").exists():
        return
    archive = folder / f"{subset_of(subset).name}.zip"
    if not archive.exists():
        make_masks.make(subset, archive)
    with zipfile.ZipFile(archive) as file:
        for name in names_of(subset, "validation"):
            data = file.read(f"{subset_of(subset).name}/validation-segmentation/{name}")
            ids = ids_of(pixels_of(data)[0])
            wrong = np.where((ids % 3 == 0) & (ids > 0), ids % subset + 1, ids)
            predicted = np.roll(np.where(ids == IGNORE, 0, wrong), (3, 5), (0, 1)).astype(np.uint16)
            for kind, png in (("truth", data), ("making", rgb_png(predicted))):
                path = folder / kind / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(png)
    (folder / "making").rename(folder / "predictions")


def decode(classes: int, pairs: Sequence[Pair]) -> list:
    """Reads a chunk of pairs, and nothing else."""
    return [read_pair(pair, classes)[0].size for pair in pairs]


def score(classes: int, boundaries: bool, pairs: Sequence[Pair]) -> list:
    """Scores a chunk of pairs as `evaluate` does; the figures of boundaries are none without them."""
    if not boundaries:
        metrics.boundary = partial(np.zeros_like, dtype=bool)
    tallies = [metrics.tally(metrics.confusion(*read_pair(pair, classes), classes)) for pair in pairs]
    return [metrics.total(tallies)]


def class_by_class(pairs: Sequence[Pair], classes: int) -> None:
    """IoU and boundary IoU of each class by itself, as one would without thinking of time."""
    for pair in pairs:
        truth, prediction = read_pair(pair, classes)
        kept, d = truth != IGNORE, width_of(*truth.shape)
        for number in np.union1d(truth, prediction):
            masks = truth == number, prediction == number
            edges = [mask & ~binary_erosion(mask, np.ones((3, 3)), d, border_value=0) for mask in masks]
            for a, b in (masks, edges):
                (a & b & kept).sum(), (a & kept).sum(), (b & kept).sum()


def job(way: str, subset: int, folder: Path, workers: int) -> None:
    """One way, in this process."""
    truth, predictions, classes = folder / "truth", folder / "predictions", len(class_ids(subset))
    compared = Comparison(subset, truth, predictions, partial=False)
    pairs, _ = pairs_of(compared)
    if way == "whole":
        evaluate(compared, None, folder / way / "metrics.json", workers)
    elif way == "match":
        match_predictions(compared, folder / way / "match.json", workers)
    elif way == "baseline":
        class_by_class(pairs[:FEW], classes)
    else:
        chunk = partial(decode, classes) if way == "decode" else partial(score, classes, way == "edges")
        results = map_chunks(chunk, pairs, workers, way, "images")
        if way != "decode":
            metrics.compute_metrics(metrics.total(results))


def matching(subset: int, folder: Path) -> float:
    """Seconds for co-occurrence, assignment and the search for other optima, once the masks are read."""
    classes = len(class_ids(subset))
    pairs, _ = pairs_of(Comparison(subset, folder / "truth", folder / "predictions", partial=False))
    sets = [occurring(*read_pair(pair, classes), classes) for pair in pairs]
    began = time.perf_counter()
    match(in_common(sets, classes), len(sets))
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--subset", type=int, default=919)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    subset, folder = options.subset, options.folder
    folder.mkdir(parents=True, exist_ok=True)
    prepare(subset, folder)

    def timed(way: str) -> Taken:
        return run([sys.executable, __file__, "--job", way, str(subset), folder, str(options.workers)])

    ways: dict[str, Callable[[], Taken]] = {way: partial(timed, way) for way in WAYS}
    taken = in_turn(ways, options.rounds)
    images = len(names_of(subset, "validation"))
    print(f"{images:,} images of 500 × 375 pixels, {options.workers} processes\n{machine()}\n")
    print("| | s | images/s | × as fast as class by class | peak memory |\n|---|---|---|---|---|")
    slow = taken["baseline"].seconds / FEW
    for way, (seconds, memory) in taken.items():
        one = seconds / (FEW if way == "baseline" else images)
        print(f"| {WAYS[way]} | {seconds:.1f} | {1 / one:,.0f} | {slow / one:.1f} | {memory / 1e6:,.0f} MB |")
    for way in ("plain", "edges"):
        print(f"decoding is {taken['decode'].seconds / taken[way].seconds:.0%} of the time: {WAYS[way]}")
    print(f"matching alone, {subset} classes, {images:,} images: {matching(subset, folder):.2f} s")


if __name__ == "__main__":
    if sys.argv[1] == "--job":
        job(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5]))
    else:
        main()
