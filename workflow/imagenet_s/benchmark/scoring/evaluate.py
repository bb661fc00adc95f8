"""The benchmark's figures of a folder of predictions, written as JSON, table, plot and pictures."""

from collections.abc import Sequence
from functools import partial as bound
from pathlib import Path
from typing import NamedTuple

import numpy as np

from imagenet_s.benchmark.scoring.comparison import Comparison, pairs_of, partial_would_do
from imagenet_s.benchmark.scoring.match_json import read_matching, relabelled
from imagenet_s.benchmark.scoring.metrics import PLAIN, TRUE, Tally, compute_metrics, confusion, tally, total
from imagenet_s.benchmark.scoring.predictions import (
    SPLIT,
    Pair,
    class_of,
    names_of,
    read_pair,
    require_own_classes,
)
from imagenet_s.benchmark.scoring.results import ClassRow, Scored, class_rows, image_iou, write_table
from imagenet_s.io.receipts import write_receipt
from imagenet_s.runtime.parallel import map_chunks
from imagenet_s.runtime.problems import FileProblem, require_no_file
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.version import __version__
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.subsets import subset_of
from imagenet_s.workspace.output_guard import check_output_path

SHOWN = 8  # of the worst images, and of the best

ADVICE = (
    "Nothing was scored. Wanted: `<wnid>/<stem>.png`, 8-bit RGB, of its image's size, for exactly the "
    "validation images."
)


class _Chunk(NamedTuple):
    tally: Tally | None
    scored: list[Scored]
    findings: list[FileProblem]


def evaluate(compared: Comparison, match: Path | None, out: Path, workers: int) -> None:
    """Scores predictions; writes `out` (JSON) and beside it, as `<stem>-…`, table, plot and pictures.

    Raises UserError with everything that is wrong with the two folders.
    """
    check_output_path(out, *compared.folders, match)
    subset = compared.subset
    classes = len(class_ids(subset))
    table = read_matching(match, classes) if match else None
    pairs, findings = pairs_of(compared)
    what = f"Scoring {subset_of(subset).name}"
    chunks = map_chunks(bound(_score, classes, table), pairs, workers, what, "images")
    findings += [one for chunk in chunks for one in chunk.findings]
    partly = " `imagenet-s evaluate --partial` scores what is there." * partial_would_do(findings)
    what = f"{compared.predictions} cannot be scored by {compared.truth}:"
    require_no_file(findings, what, ADVICE + partly)
    scored = [one for chunk in chunks for one in chunk.scored]
    own = {one.pair.name: class_of(subset, one.pair) in one.true for one in scored if any(one.true)}
    require_own_classes(subset, compared.truth, own)
    sums = total(chunk.tally for chunk in chunks)
    scored.sort(key=lambda one: (one.iou, one.pair.name))
    found = compute_metrics(sums)
    if sums.unknown:
        log.warning(
            "%s pixels have an id above %s: they count as misses, as with the official toolbox%s",
            f"{sums.unknown:,}",
            classes,
            ", which refuses them where there is a match.json" if match else "",
        )
    rows = class_rows(subset, sums)
    out.unlink(missing_ok=True)  # lest earlier figures stand beside a new table where this is interrupted
    write_table(rows, _beside(out, "classes.csv"))
    write_pictures(subset, rows, found, scored, table, out)
    facts = {
        "subset": subset,
        "split": SPLIT,
        "images": sums.images,
        "images_of_the_split": len(names_of(subset, SPLIT)),
        "partial": compared.partial,
        "matched": table is not None,
        "pixels_above_the_classes": sums.unknown,
        "scored_by": f"imagenet-s {__version__}",
    }
    write_receipt(out, found | facts)
    print(summary(subset, found, facts, out))


def _score(classes: int, table: np.ndarray | None, pairs: Sequence[Pair]) -> list[_Chunk]:
    """The sum over a chunk of images, and what each of them came to."""
    tallies, scored, findings = [], [], []
    for pair in pairs:
        read = read_pair(pair, classes)
        if isinstance(read, list):
            findings += read
            continue
        truth, prediction = read
        one = tally(confusion(truth, prediction if table is None else relabelled(prediction, table), classes))
        tallies.append(one)
        true = np.flatnonzero(one.areas[PLAIN, 0, TRUE])
        scored.append(Scored(pair, image_iou(one), tuple(true.tolist())))
    return [_Chunk(total(tallies) if tallies else None, scored, findings)]


def write_pictures(
    subset: int,
    rows: Sequence[ClassRow],
    found: dict,
    scored: Sequence[Scored],
    table: np.ndarray | None,
    out: Path,
) -> None:
    """Draws the IoU of each class, and the images that were scored worst and best; `scored` ascends."""
    from imagenet_s.benchmark.scoring.plots import (  # slow to load: not in each worker
        draw_classes,
        draw_images,
    )

    draw_classes(subset, rows, found, _beside(out, "classes.png"))
    draw_images(subset, scored[:SHOWN], table, "worst", _beside(out, "worst.png"))
    draw_images(subset, scored[::-1][:SHOWN], table, "best", _beside(out, "best.png"))


def _beside(out: Path, name: str) -> Path:
    return out.with_name(f"{out.stem}-{name}")


def summary(subset: int, found: dict, facts: dict, out: Path) -> str:
    """The figures as text, two decimals, as the official toolbox prints them."""
    images = f"{facts['images']:,} of {facts['images_of_the_split']:,} images"
    lines = [f"{subset_of(subset).name} {SPLIT}, {images}, in percent:"]
    groups = (
        ("mIoU", "mBIoU", "Acc", "FMeasure"),
        ("S", "MS", "ML", "L"),
        ("BS", "BMS", "BML", "BL"),
    )
    for names in groups:
        cells = (f"{name} {'–' if found[name] is None else format(found[name], '.2f'):>6}" for name in names)
        lines.append("  " + "   ".join(cells))
    if facts["partial"]:
        lines.append("Classes that these images lack count as 0, as all classes are in the means.")
    lines.append(f"Written: {out}, and {out.stem}-classes.csv, -classes.png, -worst.png, -best.png beside it")
    return "\n".join(lines)
