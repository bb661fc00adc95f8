"""The summary of a build: a table for people, and the commands that check it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from tabulate import tabulate

from imagenet_s.dataset.dataset_json import Content, Dataset
from imagenet_s.io.atomic import read_json
from imagenet_s.io.receipts import receipt

MAX_SUSPECTS = 3  # suspect images that are named here


class Built(NamedTuple):
    """A subset's folder and its `dataset.json`."""

    folder: Path
    dataset: Dataset


def write_summary(datasets: Sequence[Path], summary: Path) -> None:
    """Write the summary of some `dataset.json` files."""
    built = [Built(path.parent, cast("Dataset", read_json(path))) for path in datasets]
    text = "\n".join(_lines(built))
    with receipt(summary) as partial:
        partial.write_text(f"{text}\n", encoding="utf-8")


def _lines(datasets: Sequence[Built]) -> Iterator[str]:
    head = ("subset", "split", "expected", "found", "masks", "bytes", "digest")
    rows = [
        (
            dataset["content"]["dataset"],
            split,
            f"{facts['expected']:,}",
            f"{facts['found']:,}",
            "–" if facts["masks"] is None else f"{facts['masks']:,}",
            f"{facts['bytes']:,}",
            dataset["content"]["manifests"][f"{split}.csv"][:12],
        )
        for _, dataset in datasets
        for split, facts in dataset["content"]["splits"].items()
    ]
    alignment = ["left", "left", *["right"] * (len(head) - 2)]
    yield tabulate([head, *rows], tablefmt="plain", colalign=alignment, disable_numparse=True)
    for folder, dataset in datasets:
        content, build = dataset["content"], dataset["build"]
        yield ""
        yield f"{folder}"
        yield f"  digest  {content['digest']}"
        yield f"  from    {build['source']['path']} ({build['source']['layout']}; link: {build['link']})"
        yield f"  check   cd {folder} && sha256sum -c --quiet manifests/*.sha256"
        yield from _remarks(content)
    if any(dataset["build"]["source"]["synthetic"] for _, dataset in datasets):
        yield ""
        yield "This is SYNTHETIC data with the official names, for trying things out: it is not ImageNet."
        yield "For real data set `imagenet` in config.yaml to your copy of ImageNet-1k."


def _remarks(content: Content) -> Iterator[str]:
    # train-semi is part of train.
    unreadable = sum(
        facts["unreadable_headers"] for split, facts in content["splits"].items() if split != "train-semi"
    )
    if unreadable:
        yield f"  note    {unreadable:,} images whose size Pillow cannot read (kept as they are)"
    suspects = content.get("suspect_images")
    if suspects and suspects["count"]:
        names = [f"{suspect['image']} {suspect['reason']}" for suspect in suspects["images"][:MAX_SUSPECTS]]
        names += ["…"] if suspects["count"] > MAX_SUSPECTS else []
        what = f"probably incomplete images ({suspects['count']:,}; dataset.json names them)"
        yield f"  note    {what}: {', '.join(names)}"
    train = content["splits"]["train"]
    if train["found"] != train["expected"]:
        yield "  note    train is not the official set: `train_images: any` uses what the source has"
    if content["odd_masks"]:
        yield f"  note    {content['odd_masks']:,} annotated masks have problems (see the log of `masks`)"
