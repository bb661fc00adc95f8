"""Score a folder of predictions: metrics as JSON, a table and a plot of classes, and pictures of images."""

from collections.abc import Mapping, Sequence
from functools import partial as bound
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imagenet_s.benchmark.scoring.comparison import SPLIT, Comparison, pairs_of, would_pass_as_partial
from imagenet_s.benchmark.scoring.confusion import confusion
from imagenet_s.benchmark.scoring.match_json import read_matching, relabelled
from imagenet_s.benchmark.scoring.metrics import PLAIN, TRUE, Metrics, Tally, compute_metrics, tally, total
from imagenet_s.benchmark.scoring.pairs import BadPair, Pair, class_of, read_pair, require_own_classes
from imagenet_s.benchmark.scoring.predictions import names_of
from imagenet_s.benchmark.scoring.results import ClassRow, Scored, class_rows, image_iou, write_table
from imagenet_s.io.receipts import write_receipt
from imagenet_s.runtime.parallel import map_chunks
from imagenet_s.runtime.problems import FileProblem, require_no_file
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.version import __version__
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.subsets import subset_of
from imagenet_s.workspace.output_guard import check_output_path

SHOWN = 8  # images in the picture of the worst, and in that of the best

ADVICE = "Nothing was scored. Expected: `<wnid>/<stem>.png`, 8-bit RGB, the size of its image, for"

Name = Literal["mIoU", "mBIoU", "Acc", "FMeasure", "S", "MS", "ML", "L", "BS", "BMS", "BML", "BL"]

# The metrics of each line that is printed.
LINES: tuple[tuple[Name, ...], ...] = (
    ("mIoU", "mBIoU", "Acc", "FMeasure"),
    ("S", "MS", "ML", "L"),
    ("BS", "BMS", "BML", "BL"),
)


class _Chunk(NamedTuple):
    """What one process finds in some pairs; `tally` is None if it can score none of them."""

    tally: Tally | None
    scored: list[Scored]
    problems: list[FileProblem]


def evaluate(compared: Comparison, match: Path | None, out: Path, workers: int) -> None:
    """Score predictions. Write `out` (JSON) and next to it, as `<stem>-…`, a table, a plot and pictures.

    Raises:
        UserError: Something is wrong with the two folders; it names everything.
    """
    check_output_path(out, *compared.folders, match)
    subset = compared.subset
    classes = len(class_ids(subset))
    table = read_matching(match, classes) if match else None
    pairs, problems = pairs_of(compared)
    what = f"Scoring {subset_of(subset).name}"
    chunks: list[_Chunk] = map_chunks(bound(_score, classes, table), pairs, workers, what, "images")
    problems += [problem for chunk in chunks for problem in chunk.problems]
    hint = " `imagenet-s evaluate --partial` scores the images that both folders have."
    wanted = " images that have a true mask." if compared.partial else " exactly the validation images."
    advice = ADVICE + wanted + hint * would_pass_as_partial(problems)
    what = f"{compared.predictions} cannot be scored against {compared.truth}:"
    require_no_file(problems, what, advice)
    scored = [image for chunk in chunks for image in chunk.scored]
    has_own = {
        image.pair.name: class_of(subset, image.pair) in image.true for image in scored if any(image.true)
    }
    require_own_classes(subset, compared.truth, has_own)
    sums = total(chunk.tally for chunk in chunks if chunk.tally)
    scored.sort(key=lambda image: (image.iou, image.pair.name))
    metrics = compute_metrics(sums)
    if sums.unknown:
        log.warning(
            "%s pixels have an id above %s. They count as misses, as in the official toolbox%s.",
            f"{sums.unknown:,}",
            classes,
            " (which rejects them if there is a match.json)" if match else "",
        )
    rows = class_rows(subset, sums)
    # An earlier result must not stand next to a new table if this run is interrupted.
    out.unlink(missing_ok=True)
    write_table(rows, _beside(out, "classes.csv"))
    write_pictures(subset, rows, metrics, scored, table, out)
    info = {
        "subset": subset,
        "split": SPLIT,
        "images": sums.images,
        "images_of_the_split": len(names_of(subset, SPLIT)),
        "partial": compared.partial,
        "matched": table is not None,
        "pixels_above_the_classes": sums.unknown,
        "scored_by": f"imagenet-s {__version__}",
    }
    write_receipt(out, {**metrics, **info})
    print(summary(subset, metrics, info, out))


def _score(classes: int, table: NDArray[np.uint16] | None, pairs: Sequence[Pair]) -> list[_Chunk]:
    """Score a chunk of pairs and return one result.

    Args:
        classes: The number of classes.
        table: A `matching_table`, (65536,), or None if the predicted ids are classes.
        pairs: What to score.
    """
    tallies: list[Tally] = []
    scored: list[Scored] = []
    problems: list[FileProblem] = []
    for pair in pairs:
        try:
            ids = read_pair(pair, classes)
        except BadPair as error:
            problems += error.problems
            continue
        prediction = ids.prediction if table is None else relabelled(ids.prediction, table)
        image = tally(confusion(ids.truth, prediction, classes))
        tallies.append(image)
        true = np.flatnonzero(image.areas[PLAIN, 0, TRUE])
        scored.append(Scored(pair, image_iou(image), tuple(true.tolist())))
    return [_Chunk(total(tallies) if tallies else None, scored, problems)]


def write_pictures(
    subset: int,
    rows: Sequence[ClassRow],
    metrics: Metrics,
    scored: Sequence[Scored],
    table: NDArray[np.uint16] | None,
    out: Path,
) -> None:
    """Draw the IoU of each class, and the images with the lowest and the highest IoU.

    Args:
        subset: The subset that the predictions are for.
        rows: The table of classes.
        metrics: The metrics of all images.
        scored: The images, in ascending order of IoU.
        table: A `matching_table`, (65536,), or None if the predicted ids are classes.
        out: The JSON file next to which the pictures are written.
    """
    # Matplotlib is slow to import, and the worker processes do not need it.
    from imagenet_s.benchmark.scoring.plots import draw_classes, draw_images

    draw_classes(subset, rows, metrics["mIoU"], _beside(out, "classes.png"))
    draw_images(subset, scored[:SHOWN], table, "worst", _beside(out, "worst.png"))
    draw_images(subset, scored[::-1][:SHOWN], table, "best", _beside(out, "best.png"))


def _beside(out: Path, name: str) -> Path:
    return out.with_name(f"{out.stem}-{name}")


def summary(subset: int, metrics: Metrics, info: Mapping[str, object], out: Path) -> str:
    """Return the metrics as text with two decimals, as the official toolbox prints them."""
    images = f"{info['images']:,} of {info['images_of_the_split']:,} images"
    lines = [f"{subset_of(subset).name} {SPLIT}, {images}, in percent:"]
    for names in LINES:
        cells: list[str] = []
        for name in names:
            value = metrics[name]
            cells.append(f"{name} {'–' if value is None else format(value, '.2f'):>6}")
        lines.append("  " + "   ".join(cells))
    if info["partial"]:
        lines.append(
            "mIoU and mBIoU are means over all classes. Classes without pixels in these images count as 0."
        )
    lines.append(f"Wrote {out}, and next to it {out.stem}-classes.csv, -classes.png, -worst.png, -best.png")
    return "\n".join(lines)
