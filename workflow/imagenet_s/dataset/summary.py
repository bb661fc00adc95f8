"""The summary of a build: a table for people, what is known of its origin, and what to do next."""

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote
from typing import NamedTuple, cast

from tabulate import tabulate

from imagenet_s.dataset.dataset_json import Content, Dataset
from imagenet_s.dataset.provenance import describe_origin
from imagenet_s.io.atomic import read_json
from imagenet_s.io.receipts import receipt
from imagenet_s.runtime.units import size_text

MAX_SUSPECTS = 3  # suspect images that are named here
COLUMNS = 80  # of a terminal
SHOWN = 12  # characters of a digest in the table
HEAD = ("subset", "split", "expected", "found", "masks", "size", "digest")
LEFT = 2  # columns of the table that are aligned left
SYNTHETIC = "This is SYNTHETIC data with the official names: it is not ImageNet."
UNOFFICIAL = "*"  # marks the number of train images if it is not the official one


class Built(NamedTuple):
    """A subset's folder and its `dataset.json`."""

    folder: Path
    dataset: Dataset


def read_built(datasets: Sequence[Path]) -> list[Built]:
    """Return the data sets of some `dataset.json` files."""
    return [Built(path.parent, cast("Dataset", read_json(path))) for path in datasets]


def write_summary(datasets: Sequence[Path], summary: Path) -> None:
    """Write the summary of some `dataset.json` files."""
    built = read_built(datasets)
    text = "\n".join(_lines(built))
    with receipt(summary) as partial:
        partial.write_text(f"{text}\n", encoding="utf-8")


def _lines(datasets: Sequence[Built]) -> Iterator[str]:
    rows = [row for _, dataset in datasets for row in split_rows(dataset["content"])]
    alignment = ["left"] * LEFT + ["right"] * (len(HEAD) - LEFT)
    yield tabulate([HEAD, *rows], tablefmt="plain", colalign=alignment, disable_numparse=True)
    for folder, dataset in datasets:
        content, source = dataset["content"], dataset["build"]["source"]
        read = f"{source['path']} ({source['layout']}; link: {dataset['build']['link']})"
        yield ""
        yield f"{folder}"
        yield f"  digest  {content['digest']}"
        yield _field("from", read)
        yield f"  check   cd {quote(str(folder))} && sha256sum -c --quiet manifests/*.sha256"
        for note in remarks(dataset):
            yield _field("note", note)
    if any(dataset["build"]["source"]["synthetic"] for _, dataset in datasets):
        yield ""
        yield SYNTHETIC
        yield "For real data, set `imagenet` in config.yaml to your copy of ImageNet-1k."
    yield ""
    yield "Next"
    yield f"  verify  imagenet-s verify {quote(str(datasets[0].folder.parent))}"
    yield "  score   snakemake --cores all evaluate (docs/benchmark.md)"
    yield f"  use     {datasets[0].folder}/README.md (docs/use.md)"


def split_rows(content: Content) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the table for one subset: one for each split, and their sums."""
    name, splits = content["dataset"], content["splits"]
    for split, facts in splits.items():
        mark = "" if facts["found"] == facts["expected"] else UNOFFICIAL
        yield (
            name,
            split,
            f"{facts['expected']:,}",
            f"{facts['found']:,}{mark}",
            "–" if facts["masks"] is None else f"{facts['masks']:,}",
            size_text(facts["bytes"]),
            content["manifests"][f"{split}.csv"][:SHOWN],
        )
    yield (
        name,
        "total",
        f"{sum(facts['expected'] for facts in splits.values()):,}",
        f"{sum(facts['found'] for facts in splits.values()):,}",
        f"{sum(facts['masks'] or 0 for facts in splits.values()):,}",
        size_text(sum(facts["bytes"] for facts in splits.values())),
        content["digest"][:SHOWN],
    )


def _field(name: str, text: str) -> str:
    """Return a named text in lines of up to `COLUMNS` characters. Words, such as long paths, stay whole."""
    return textwrap.fill(
        text,
        COLUMNS,
        initial_indent=f"  {name:<8}",
        subsequent_indent=" " * 10,
        break_long_words=False,
        break_on_hyphens=False,
    )


def remarks(dataset: Dataset) -> list[str]:
    """Return what a user should know of a data set: deviations, and what is known of its origin."""
    return [*_deviations(dataset["content"]), *describe_origin(dataset)]


def _deviations(content: Content) -> Iterator[str]:
    # train-semi is part of train.
    unreadable = sum(
        facts["unreadable_headers"] for split, facts in content["splits"].items() if split != "train-semi"
    )
    if unreadable:
        yield f"{unreadable:,} images whose size Pillow cannot read (kept as they are)"
    suspects = content.get("suspect_images")
    if suspects and suspects["count"]:
        names = [f"{suspect['image']} {suspect['reason']}" for suspect in suspects["images"][:MAX_SUSPECTS]]
        names += ["…"] if suspects["count"] > MAX_SUSPECTS else []
        what = f"probably incomplete images ({suspects['count']:,}; dataset.json names them)"
        yield f"{what}: {', '.join(names)}"
    train = content["splits"]["train"]
    if train["found"] != train["expected"]:
        yield f"{UNOFFICIAL} train is not the official set: `train_images: any` uses what the source has"
    if content["odd_masks"]:
        yield f"{content['odd_masks']:,} annotated masks have problems (see the log of `masks`)"
