"""The commands of the benchmark: match, evaluate, distance-match and submit."""

import argparse
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from imagenet_s.benchmark.baseline.nearest_neighbours import NEIGHBOURS, TEMPERATURE
from imagenet_s.cli.arguments import (
    above_zero,
    command,
    count,
    function,
    new_file,
    new_folder,
    paths,
    subset,
    workers,
)
from imagenet_s.runtime.errors import WrongUsage
from imagenet_s.spec.method_txt import LINES
from imagenet_s.spec.protocols import PROTOCOLS

COMPARED = {"compared": "benchmark.scoring.comparison.Comparison"}
MASKS = "<wnid>/<stem>.png, 8-bit RGB, id = R + 256·G"


def add_benchmark(commands: argparse._SubParsersAction) -> None:
    """Adds all of them."""
    added = command(
        commands,
        "match",
        function("benchmark.scoring.matching.match_predictions", COMPARED),
        "match generated ids to classes, on the validation set: writes a match.json",
    )
    _rules(added, "unsupervised")
    subset(added)
    _compared(added)
    added.add_argument("--out", type=new_file, required=True, metavar="FILE", help="the match.json to write")
    workers(added)

    added = command(
        commands,
        "evaluate",
        function("benchmark.scoring.evaluate.evaluate", COMPARED),
        "score predictions of the validation set: figures, table, plot and pictures",
    )
    subset(added)
    _compared(added)
    added.add_argument("--match", type=Path, metavar="FILE", help="the match.json, where ids are generated")
    added.add_argument(
        "--out",
        type=new_file,
        required=True,
        metavar="FILE",
        help="the JSON to write; the rest: beside it",
    )
    workers(added)

    added = command(
        commands,
        "grid-features",
        "benchmark.baseline.grid_features.write_grid_features",
        "a worked example of features: colours and edges on a grid, the weakest of baselines",
    )
    paths(added, "images")
    added.add_argument("--out", type=new_folder, required=True, metavar="DIR", help="the folder to write to")
    workers(added)

    added = command(
        commands,
        "distance-match",
        function(
            "benchmark.baseline.distance_matching.distance_match",
            {
                "folders": "benchmark.baseline.distance_matching.FeatureFolders",
                "vote": "benchmark.baseline.distance_matching.Vote",
            },
        ),
        "predict from features by the masks of train-semi",
    )
    _rules(
        added,
        "distance-matching",
        before="Features: one <wnid>/<stem>.npy (or .npz with one array) for each image, of shape (C, h, w), "
        "from any model; h and w may differ from image to image.",
    )
    subset(added)
    for name, help in (
        ("features-train", "the features of train-semi"),
        ("masks", f"the masks of train-semi: {MASKS}"),
        ("features", "the features of the images"),
        ("images", "the images to predict: a folder validation or test"),
    ):
        added.add_argument(f"--{name}", type=Path, required=True, metavar="DIR", help=help)
    added.add_argument(
        "--out", type=new_folder, required=True, metavar="DIR", help="the folder to write predictions to"
    )
    added.add_argument("-k", type=count, default=NEIGHBOURS, help="neighbours (default: %(default)s)")
    added.add_argument(
        "-T",
        dest="temperature",
        type=above_zero,
        default=TEMPERATURE,
        help="temperature (default: %(default)s)",
    )
    workers(added)

    added = command(
        commands,
        "submit",
        _submit,
        "write the zip of a submission once it is right, or check one that is there",
    )
    _rules(added, *PROTOCOLS)
    subset(added)
    added.add_argument("--protocol", choices=PROTOCOLS, required=True, help="whose rules are below")
    added.add_argument("--predictions", type=Path, metavar="DIR", help=f"of the test images: {MASKS}")
    added.add_argument("--images", type=Path, metavar="DIR", help="the test images")
    added.add_argument("--match", type=Path, metavar="FILE", help="the match.json, where ids are generated")
    added.add_argument("--method", type=Path, metavar="FILE", help=f"YAML with the keys {', '.join(LINES)}")
    added.add_argument("--out", type=new_file, metavar="FILE", help="the zip to write")
    added.add_argument(
        "--check", type=Path, metavar="ZIP", help="check this zip instead; sizes with --images"
    )
    workers(added)


def _compared(added: argparse.ArgumentParser) -> None:
    """What match and evaluate compare."""
    added.add_argument(
        "--truth", type=Path, required=True, metavar="DIR", help="the true masks: validation-segmentation"
    )
    added.add_argument(
        "--predictions", type=Path, required=True, metavar="DIR", help=f"of the validation images: {MASKS}"
    )
    added.add_argument(
        "--partial", action="store_true", help="take the images that have both, whatever is missing"
    )


def _rules(added: argparse.ArgumentParser, *protocols: str, before: str = "") -> None:
    """Puts what the rules of protocols allow below a command's help."""
    texts = [f"{PROTOCOLS[name].title}: {PROTOCOLS[name].rule}" for name in protocols]
    texts = [before] * bool(before) + ["What the rules of the benchmark allow:"] + texts
    added.formatter_class = argparse.RawDescriptionHelpFormatter
    added.epilog = "\n".join(textwrap.fill(text, 79, subsequent_indent="  ") for text in texts)


def _submit(options: Mapping[str, Any]) -> int | None:
    """Write a zip, or with `check` look at one."""
    options = dict(options)
    check = options.pop("check")
    if not check:
        missing = [name for name in ("predictions", "images", "method", "out") if options[name] is None]
        if missing:
            raise WrongUsage(f"submit: give {_named(missing)} as well, or --check ZIP.")
        groups = {"submission": "benchmark.submission.write.Submission"}
        return function("benchmark.submission.write.submit", groups)(options)
    given = [name for name in ("predictions", "match", "method", "out") if options.pop(name) is not None]
    if given:
        raise WrongUsage(f"submit: --check takes no {_named(given)}: what the zip has is what is checked.")
    return function("benchmark.submission.check.check")({**options, "path": check})


def _named(options: Iterable[str]) -> str:
    return ", ".join(f"--{name}" for name in options)
