"""The tables of the data sets in Snakemake's report: what was built, suspect images, and digests."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote

from imagenet_s.dataset.dataset_json import Dataset
from imagenet_s.dataset.summary import (
    HEAD,
    LEFT,
    SYNTHETIC,
    Built,
    read_built,
    remarks,
    split_rows,
    write_summary,
)
from imagenet_s.io.html_page import facts, heading, paragraph, table, write_page

UNKNOWN = "unknown"  # earlier versions wrote less into dataset.json


def write_summaries(datasets: Sequence[Path], summary: Path, tables: Path | None) -> None:
    """Write the summary of some `dataset.json` files and, into the folder `tables`, those of the report."""
    if tables:
        write_report_tables(read_built(datasets), tables)
    write_summary(datasets, summary)


def write_report_tables(datasets: Sequence[Built], folder: Path) -> None:
    """Write all tables of some data sets into a folder."""
    _write_summary(datasets, folder / "summary.html")
    _write_suspects(datasets, folder / "suspects.html")
    _write_digests(datasets, folder / "digests.html")


def _write_summary(datasets: Sequence[Built], path: Path) -> None:
    rows = [row for _, dataset in datasets for row in split_rows(dataset["content"])]
    synthetic = any(dataset["build"]["source"]["synthetic"] for _, dataset in datasets)
    parts = [paragraph(SYNTHETIC)] * synthetic + [table(HEAD, rows, LEFT)]
    for folder, dataset in datasets:
        parts += [heading(dataset["content"]["dataset"]), facts(_facts(folder, dataset))]
    write_page(path, "What was built", *parts)


def _facts(folder: Path, dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield what a data set was built from, by which versions, and how to check it."""
    content, build = dataset["content"], dataset["build"]
    archive = content.get("annotations") or {}
    yield "folder", str(folder)
    yield "digest", content["digest"]
    yield "images from", f"{build['source']['path']} ({build['source']['layout']})"
    yield "masks from", f"{build.get('annotations', UNKNOWN)} (MD5 {archive.get('md5', UNKNOWN)})"
    yield "images are", build["link"]
    yield (
        "built by",
        f"{build.get('pipeline', UNKNOWN)}, masks written by {build.get('png_encoder', UNKNOWN)}",
    )
    yield "built on", f"{build.get('date', UNKNOWN)}"
    yield "check", f"cd {quote(str(folder))} && sha256sum -c --quiet manifests/*.sha256"
    for remark in remarks(dataset):
        yield "note", remark


def _write_suspects(datasets: Sequence[Built], path: Path) -> None:
    parts: list[str] = []
    for _, dataset in datasets:
        name, suspects = dataset["content"]["dataset"], dataset["content"].get("suspect_images")
        if suspects and suspects["count"]:
            named = [(one["image"], one["reason"]) for one in suspects["images"]]
            parts += [heading(f"{name}: {suspects['count']:,} suspect images"), facts(named)]
        else:
            parts.append(paragraph(f"{name}: no image is suspect."))
    write_page(path, "Images that are probably incomplete", *parts)


def _write_digests(datasets: Sequence[Built], path: Path) -> None:
    parts: list[str] = []
    for _, dataset in datasets:
        content = dataset["content"]
        rows = sorted(content["manifests"].items())
        parts += [heading(content["dataset"]), facts([("digest", content["digest"]), *rows])]
    write_page(path, "Digests", *parts)
