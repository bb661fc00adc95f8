"""The summary of a build: a table that a person reads, and how to check what it says."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tabulate import tabulate

from imagenet_s.io.atomic import read_json
from imagenet_s.io.receipts import receipt

FIRST = 3  # suspect images are named here


def write_summary(datasets: Sequence[Path], summary: Path) -> None:
    """Writes the summary of some `dataset.json` files."""
    text = "\n".join(_lines([(path.parent, read_json(path)) for path in datasets]))
    with receipt(summary) as partial:
        partial.write_text(f"{text}\n", encoding="utf-8")


def _lines(datasets: Sequence[tuple[Path, dict]]) -> Iterable[str]:
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
        yield "This is SYNTHETIC data with the official names, to try things on: it is not ImageNet."
        yield "For the real thing set `imagenet` in config.yaml to your copy of ImageNet-1k."


def _remarks(content: dict) -> Iterable[str]:
    # train-semi is part of train.
    unreadable = sum(
        facts["unreadable_headers"] for split, facts in content["splits"].items() if split != "train-semi"
    )
    if unreadable:
        yield f"  note    {unreadable:,} images whose size Pillow cannot read (carried byte for byte)"
    suspects = content.get("suspect_images", {"count": 0})  # earlier versions did not look
    if suspects["count"]:
        names = [f"{one['image']} {one['reason']}" for one in suspects["images"][:FIRST]]
        names += ["…"] if suspects["count"] > FIRST else []
        what = f"images that are probably not whole ({suspects['count']:,}; dataset.json names them)"
        yield f"  note    {what}: {', '.join(names)}"
    short = content["splits"]["train"]
    if short["found"] != short["expected"]:
        yield "  note    train is not the official one: `train_images: any` takes what the source has"
    if content["odd_masks"]:
        yield f"  note    {content['odd_masks']:,} odd masks in the annotations (see the log of `masks`)"
