"""The commands of the benchmark: match, evaluate, compare, grid-features, distance-match and submit."""

import argparse
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from imagenet_s.benchmark.baseline.nearest_neighbours import NEIGHBOURS, TEMPERATURE
from imagenet_s.cli.arguments import (
    Commands,
    above_zero,
    command,
    count,
    function,
    json_output,
    new_file,
    new_folder,
    optional_subset,
    paths,
    with_subset,
    workers,
)
from imagenet_s.runtime.errors import WrongUsage
from imagenet_s.spec.method_txt import LINES
from imagenet_s.spec.protocols import PROTOCOLS

COMPARED = {"compared": "benchmark.scoring.comparison.Comparison"}
COMPARED_FOLDERS = ("truth", "predictions")
MASKS = "<wnid>/<stem>.png, 8-bit RGB, id = R + 256·G"
MATCH = "the match.json of the predictions, if their ids are generated"


def add_benchmark(commands: Commands) -> None:
    """Add the commands of the benchmark."""
    added = command(
        commands,
        "match",
        with_subset(function("benchmark.scoring.matching.match_predictions", COMPARED), *COMPARED_FOLDERS),
        "match generated ids to classes on the validation set, and write match.json",
    )
    _rules(added, "unsupervised")
    optional_subset(added)
    _compared(added)
    added.add_argument("--out", type=new_file, required=True, metavar="FILE", help="the match.json to write")
    workers(added)

    added = command(
        commands,
        "evaluate",
        with_subset(function("benchmark.scoring.evaluate.evaluate", COMPARED), *COMPARED_FOLDERS),
        "score predictions of the validation set: metrics, table, plot and pictures",
    )
    optional_subset(added)
    _compared(added)
    added.add_argument("--match", type=Path, metavar="FILE", help=MATCH)
    added.add_argument(
        "--out",
        type=new_file,
        metavar="FILE",
        help="the JSON file to write; the table, the plot and the pictures are written next to it",
    )
    json_output(added)
    workers(added)

    added = command(
        commands,
        "compare",
        "benchmark.scoring.compare.compare",
        "compare the metrics of several runs, and say which cannot be compared",
    )
    added.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="the JSON files that `evaluate` wrote"
    )
    json_output(added)

    added = command(
        commands,
        "grid-features",
        "benchmark.baseline.grid_features.write_grid_features",
        "compute example features: colours and edges on a grid, a very weak baseline",
    )
    paths(added, images="the folder of images, <wnid>/<stem>.JPEG")
    added.add_argument("--out", type=new_folder, required=True, metavar="DIR", help="the folder to write to")
    workers(added)

    added = command(
        commands,
        "distance-match",
        with_subset(
            function(
                "benchmark.baseline.distance_matching.distance_match",
                {
                    "folders": "benchmark.baseline.distance_matching.FeatureFolders",
                    "vote": "benchmark.baseline.distance_matching.Vote",
                },
            ),
            *("masks", "images"),
        ),
        "predict masks from features, using the masks of train-semi",
    )
    _rules(
        added,
        "distance-matching",
        before="Features: one <wnid>/<stem>.npy (or .npz with one array) for each image, of shape (C, h, w), "
        "from any model; h and w may differ between images.",
    )
    optional_subset(added)
    for name, help in (
        ("features-train", "the folder of features of the train-semi images"),
        ("masks", f"the folder of train-semi masks: {MASKS}"),
        ("features", "the folder of features of the images to predict"),
        ("images", "the folder of images to predict: validation or test"),
    ):
        added.add_argument(f"--{name}", type=Path, required=True, metavar="DIR", help=help)
    added.add_argument(
        "--out", type=new_folder, required=True, metavar="DIR", help="the folder to write predictions to"
    )
    added.add_argument(
        "-k", type=count, default=NEIGHBOURS, help="number of nearest neighbours (default: %(default)s)"
    )
    added.add_argument(
        "-T",
        dest="temperature",
        type=above_zero,
        default=TEMPERATURE,
        help="temperature of the votes (default: %(default)s)",
    )
    workers(added)

    added = command(
        commands,
        "submit",
        _submit,
        "check predictions of the test set and write the zip to submit, or check an existing zip",
    )
    _rules(added, *PROTOCOLS)
    optional_subset(added)
    added.add_argument(
        "--protocol", choices=PROTOCOLS, required=True, help="the protocol whose rules apply (see below)"
    )
    added.add_argument(
        "--predictions",
        type=Path,
        metavar="DIR",
        help=f"the folder of predictions of the test images: {MASKS}",
    )
    added.add_argument("--images", type=Path, metavar="DIR", help="the folder of test images")
    added.add_argument("--match", type=Path, metavar="FILE", help=MATCH)
    added.add_argument(
        "--method", type=Path, metavar="FILE", help=f"a YAML file with the keys {', '.join(LINES)}"
    )
    added.add_argument("--out", type=new_file, metavar="FILE", help="the zip to write")
    added.add_argument(
        "--check",
        type=Path,
        metavar="ZIP",
        help="check this zip instead of writing one; image sizes are checked if --images is given",
    )
    workers(added)


def _compared(added: argparse.ArgumentParser) -> None:
    """Add the options for the masks that `match` and `evaluate` compare."""
    added.add_argument(
        "--truth",
        type=Path,
        required=True,
        metavar="DIR",
        help="the folder of true masks: validation-segmentation",
    )
    added.add_argument(
        "--predictions",
        type=Path,
        required=True,
        metavar="DIR",
        help=f"the folder of predictions of the validation images: {MASKS}",
    )
    added.add_argument(
        "--partial",
        action="store_true",
        help="use only the images that have both a true mask and a prediction",
    )


def _rules(added: argparse.ArgumentParser, *protocols: str, before: str = "") -> None:
    """Append what the rules of protocols allow to the help of a command."""
    texts = [f"{PROTOCOLS[name].title}: {PROTOCOLS[name].rule}" for name in protocols]
    texts = [before] * bool(before) + ["What the rules of the benchmark allow:"] + texts
    added.formatter_class = argparse.RawDescriptionHelpFormatter
    added.epilog = "\n".join(textwrap.fill(text, 79, subsequent_indent="  ") for text in texts)


def _submit(options: Mapping[str, Any]) -> int | None:
    """Write a zip to submit or, with `check`, check an existing one."""
    options = dict(options)
    check = options.pop("check")
    if not check:
        missing = [name for name in ("predictions", "images", "method", "out") if options[name] is None]
        if missing:
            raise WrongUsage(f"submit: {_options(missing)} must be given too, or --check ZIP.")
        groups = {"submission": "benchmark.submission.write.Submission"}
        run = function("benchmark.submission.write.submit", groups)
        return with_subset(run, "images", "predictions")(options)
    given = [name for name in ("predictions", "match", "method", "out") if options.pop(name) is not None]
    if given:
        raise WrongUsage(f"submit: --check does not allow {_options(given)}: it checks what is in the zip.")
    run = function("benchmark.submission.check.check")
    return with_subset(run, "images", "path")({**options, "path": check})


def _options(names: Iterable[str]) -> str:
    return ", ".join(f"--{name}" for name in names)
