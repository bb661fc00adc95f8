"""Score a folder of predictions: metrics as JSON, a table and a plot of classes, and pictures of images."""

from collections.abc import Mapping, Sequence
from functools import partial as bound
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imagenet_s.benchmark.scoring.comparison import SPLIT, Comparison, pairs_of, would_pass_as_partial
from imagenet_s.benchmark.scoring.confusion import confusion
from imagenet_s.benchmark.scoring.figures_page import write_figures
from imagenet_s.benchmark.scoring.match_json import read_matching, relabelled
from imagenet_s.benchmark.scoring.metrics import PLAIN, TRUE, Metrics, Tally, compute_metrics, tally, total
from imagenet_s.benchmark.scoring.pairs import (
    BadPair,
    Pair,
    PairFiles,
    class_of,
    read_pair,
    require_own_classes,
)
from imagenet_s.benchmark.scoring.predictions import names_of
from imagenet_s.benchmark.scoring.provenance import Provenance, describe_run, provenance
from imagenet_s.benchmark.scoring.results import ClassRow, Scored, class_rows, image_iou, write_table
from imagenet_s.io.atomic import sha256_of
from imagenet_s.io.json_output import STDOUT, write_json_output
from imagenet_s.io.receipts import write_receipt
from imagenet_s.runtime.parallel import map_chunks
from imagenet_s.runtime.problems import FileProblem, require_no_file
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.version import __version__
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.subsets import mask_folder, subset_of
from imagenet_s.workspace.output_guard import check_json_path, check_output_path

SCHEMA = "urn:imagenet-s:evaluate:1"

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
    files: list[PairFiles]
    problems: list[FileProblem]


class Results(NamedTuple):
    """What is written of an evaluation.

    Attributes:
        subset: The subset that the predictions are for.
        caption: The subset, the name of the run and its date.
        rows: The table of classes.
        metrics: The metrics of all images.
        scored: The images, in ascending order of IoU.
        table: A `matching_table`, (65536,), or None if the predicted ids are classes.
    """

    subset: int
    caption: str
    rows: Sequence[ClassRow]
    metrics: Metrics
    scored: Sequence[Scored]
    table: NDArray[np.uint16] | None


def evaluate(
    compared: Comparison, match: Path | None, out: Path | None, json: Path | None, workers: int
) -> None:
    """Score predictions and print the metrics.

    Args:
        compared: The predictions and the true masks.
        match: The `match.json`, if the predicted ids are generated.
        out: The JSON file to write. A table, a plot and pictures are written next to it, as `<stem>-…`.
        json: Where else to write the same JSON; see `write_json_output`.
        workers: The number of processes.

    Raises:
        UserError: Something is wrong with the two folders; it names everything.
    """
    if out:
        check_output_path(out, *compared.folders, match)
    check_json_path(json, *compared.folders, match)
    subset = compared.subset
    classes = len(class_ids(subset))
    matching = read_matching(match, classes) if match else None
    table = matching.table if matching else None
    pairs, problems = pairs_of(compared)
    what = f"Scoring {subset_of(subset).name}"
    chunks: list[_Chunk] = map_chunks(bound(_score, classes, table), pairs, workers, what, "images")
    problems += [problem for chunk in chunks for problem in chunk.problems]
    _require_none(problems, compared)
    scored = [image for chunk in chunks for image in chunk.scored]
    has_own = {
        image.pair.name: class_of(subset, image.pair) in image.true for image in scored if any(image.true)
    }
    require_own_classes(subset, compared.truth, has_own)
    sums = total(chunk.tally for chunk in chunks if chunk.tally)
    scored.sort(key=lambda image: (image.iou, image.pair.name))
    metrics = compute_metrics(sums)
    _warn_of_unknown(sums.unknown, classes, match)
    sources = provenance(compared, pairs, [one for chunk in chunks for one in chunk.files], matching)
    _warn_of_other_masks(compared, sources)
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
    document = {**metrics, "schema": SCHEMA, **info, **sources}
    caption = f"{subset_of(subset).name} {SPLIT}: {describe_run(sources)}"
    results = Results(subset, caption, class_rows(subset, sums), metrics, scored, table)
    if out:
        # An earlier result must not stand next to a new table if this run is interrupted.
        out.unlink(missing_ok=True)
        write_table(results.rows, _beside(out, "classes.csv"))
        write_figures(results.caption, document, _beside(out, "figures.html"))
        write_pictures(results, out)
        write_receipt(out, document)
    if json:
        write_json_output(document, json)
    if json != STDOUT:
        print(summary(results, info, out))


def _require_none(problems: Sequence[FileProblem], compared: Comparison) -> None:
    """Raise UserError with everything that is wrong with the files, and what was expected."""
    hint = " `imagenet-s evaluate --partial` scores the images that both folders have."
    wanted = " images that have a true mask." if compared.partial else " exactly the validation images."
    advice = ADVICE + wanted + hint * would_pass_as_partial(problems)
    require_no_file(problems, f"{compared.predictions} cannot be scored against {compared.truth}:", advice)


def _warn_of_unknown(pixels: int, classes: int, match: Path | None) -> None:
    """Warn of pixels whose id is above the number of classes, if there are any."""
    if pixels:
        log.warning(
            "%s pixels have an id above %s. They count as misses, as in the official toolbox%s.",
            f"{pixels:,}",
            classes,
            " (which rejects them if there is a match.json)" if match else "",
        )


def _warn_of_other_masks(compared: Comparison, sources: Provenance) -> None:
    """Warn if the true masks are not those of the manifests beside them."""
    root = Path(sources["truth"]["path"]).parent
    if compared.partial or sources["truth"]["data_set_digest"] is None:
        return
    if sha256_of(root / "manifests" / f"{mask_folder(SPLIT)}.sha256") != sources["truth"]["sha256"]:
        log.warning(
            "The true masks are not those of the manifests in %s. Run `imagenet-s verify %s`.", root, root
        )


def _score(classes: int, table: NDArray[np.uint16] | None, pairs: Sequence[Pair]) -> list[_Chunk]:
    """Score a chunk of pairs and return one result.

    Args:
        classes: The number of classes.
        table: A `matching_table`, (65536,), or None if the predicted ids are classes.
        pairs: What to score.
    """
    tallies: list[Tally] = []
    scored: list[Scored] = []
    files: list[PairFiles] = []
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
        files.append(ids.files)
    return [_Chunk(total(tallies) if tallies else None, scored, files, problems)]


def write_pictures(results: Results, out: Path) -> None:
    """Draw the IoU of each class, and the images with the lowest and the highest IoU, next to `out`."""
    # Matplotlib is slow to import, and the worker processes do not need it.
    from imagenet_s.benchmark.scoring.class_chart import draw_classes
    from imagenet_s.benchmark.scoring.example_images import draw_images, examples

    subset, caption, rows, metrics, scored, table = results
    draw_classes(caption, rows, metrics, _beside(out, "classes.png"))
    for which, images in (("worst", scored), ("best", scored[::-1])):
        title = f"{caption}, {which} images"
        draw_images(subset, examples(images), table, title, _beside(out, f"{which}.png"))


def _beside(out: Path, name: str) -> Path:
    return out.with_name(f"{out.stem}-{name}")


def summary(results: Results, info: Mapping[str, object], out: Path | None) -> str:
    """Return the metrics as text with two decimals, as the official toolbox prints them."""
    images = f"{info['images']:,} of {info['images_of_the_split']:,} images"
    lines = [f"{results.caption}, {images}, in percent:"]
    for names in LINES:
        cells: list[str] = []
        for name in names:
            value = results.metrics[name]
            cells.append(f"{name} {'–' if value is None else format(value, '.2f'):>6}")
        lines.append("  " + "   ".join(cells))
    if info["partial"]:
        lines.append(
            "mIoU and mBIoU are means over all classes. Classes without pixels in these images count as 0."
        )
    if out:
        others = "-figures.html, -classes.csv, -classes.png, -classes.pdf, -worst.png, -best.png"
        lines.append(f"Wrote {out}, and next to it {out.stem}{others}")
    return "\n".join(lines)
