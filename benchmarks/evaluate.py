"""Measure scoring and matching: images per second, with and without boundaries, and the share of decoding.

    python benchmarks/evaluate.py FOLDER [--subset 919] [--workers 1] [--rounds 3]

Makes true masks of 500 × 375 pixels and different predictions in FOLDER, once (919: 12,419 of each). Each
variant runs in a process of its own, start and imports included. The baseline processes a few of the images,
class by class like the official toolbox, on the CPU.
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

from imagenet_s.benchmark.scoring import confusion, metrics
from imagenet_s.benchmark.scoring.assignment import class_sets, count_common_images, match
from imagenet_s.benchmark.scoring.boundary import boundary_width
from imagenet_s.benchmark.scoring.comparison import Comparison, pairs_of
from imagenet_s.benchmark.scoring.evaluate import evaluate
from imagenet_s.benchmark.scoring.matching import match_predictions
from imagenet_s.benchmark.scoring.pairs import Pair, read_pair
from imagenet_s.benchmark.scoring.predictions import names_of
from imagenet_s.masks.codec import ids_of, pixels_of, rgb_png
from imagenet_s.runtime.parallel import map_chunks
from imagenet_s.spec.classes import IGNORE, class_ids
from imagenet_s.spec.subsets import subset_of

FEW = 100  # images of the baseline

WAYS = {
    "decode": "reading and decoding both PNGs",
    "plain": "scoring without boundaries: Acc, mIoU, S to L, FMeasure",
    "edges": "scoring with boundaries",
    "whole": "`evaluate`: scoring with boundaries, table, plot and pictures",
    "match": "`match`",
    "baseline": f"class by class, {FEW} images",
}


def prepare(subset: int, folder: Path) -> None:
    """Make `truth` and `predictions` in a folder: shifted by some pixels, every third class replaced."""
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
            for kind, png in (("truth", data), ("partial", rgb_png(predicted))):
                path = folder / kind / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(png)
    (folder / "partial").rename(folder / "predictions")


def decode(classes: int, pairs: Sequence[Pair]) -> list[int]:
    """Read a chunk of pairs; return the number of pixels of each."""
    return [read_pair(pair, classes).truth.size for pair in pairs]


def score(classes: int, boundaries: bool, pairs: Sequence[Pair]) -> list[metrics.Tally]:
    """Score a chunk of pairs like `evaluate`; without `boundaries` the boundary IoUs have no meaning."""
    if not boundaries:
        confusion.boundary = partial(np.zeros_like, dtype=bool)
    tallies = [metrics.tally(confusion.confusion(*read_pair(pair, classes), classes)) for pair in pairs]
    return [metrics.total(tallies)]


def class_by_class(pairs: Sequence[Pair], classes: int) -> None:
    """Compute IoU and boundary IoU of each class separately, the simple way."""
    for pair in pairs:
        truth, prediction = read_pair(pair, classes)
        kept, d = truth != IGNORE, boundary_width(*truth.shape)
        for number in np.union1d(truth, prediction):
            masks = truth == number, prediction == number
            edges = [mask & ~binary_erosion(mask, np.ones((3, 3)), d, border_value=0) for mask in masks]
            for a, b in (masks, edges):
                (a & b & kept).sum(), (a & kept).sum(), (b & kept).sum()


def job(way: str, subset: int, folder: Path, workers: int) -> None:
    """Run one variant in this process."""
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
    """Return the seconds for counts, assignment and the search for other optima, without reading masks."""
    classes = len(class_ids(subset))
    pairs, _ = pairs_of(Comparison(subset, folder / "truth", folder / "predictions", partial=False))
    sets = [class_sets(*read_pair(pair, classes), classes) for pair in pairs]
    began = time.perf_counter()
    match(count_common_images(sets, classes), len(sets))
    return time.perf_counter() - began


def main() -> None:
    """Run the benchmark and print a table."""
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
    print("| | s | images/s | times as fast as class by class | peak memory |\n|---|---|---|---|---|")
    slow = taken["baseline"].seconds / FEW
    for way, (seconds, memory) in taken.items():
        one = seconds / (FEW if way == "baseline" else images)
        print(f"| {WAYS[way]} | {seconds:.1f} | {1 / one:,.0f} | {slow / one:.1f} | {memory / 1e6:,.0f} MB |")
    for way in ("plain", "edges"):
        print(f"{WAYS[way]}: {taken['decode'].seconds / taken[way].seconds:.0%} of the time is decoding")
    print(f"matching alone, {subset} classes, {images:,} images: {matching(subset, folder):.2f} s")


if __name__ == "__main__":
    if sys.argv[1] == "--job":
        job(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5]))
    else:
        main()
