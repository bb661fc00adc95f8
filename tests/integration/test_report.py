"""Snakemake's report of a build: what it shows, in which order, and with which captions."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from helpers.builds import digest, snakemake
from imagenet_s.spec.statistics import KINDS
from imagenet_s.spec.subsets import SPLITS, subset_of

TARGETS = ("--", "all", "statistics", "evaluate", "match")


def embedded(html: str, name: str) -> Any:
    """A value that the page of a report carries as JSON."""
    text = re.search(rf'^ *var {name} = ([{{"].*)$', html, re.MULTILINE)
    assert text
    return json.JSONDecoder().raw_decode(text[1])[0]


def texts(html: str) -> str:
    """The text of a page without its tags and with plain spaces."""
    return re.sub(r"<[^>]+>", " ", html).replace("\u00a0", " ")


@pytest.mark.long
def test_a_report_shows_the_data_set_and_the_benchmark_with_captions(tmp_path):
    run = snakemake(tmp_path, *TARGETS)
    assert run.code == 0, run.text
    for name in ("report.html", "report.zip"):
        run = snakemake(tmp_path, "--report", name, *TARGETS)
        assert run.code == 0, run.text
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    results = embedded(html, "results")
    shown = {
        category: sorted(results[path]["labels"]["what"] for paths in groups.values() for path in paths)
        for category, groups in embedded(html, "categories").items()
    }
    tables = ["1 summary", "2 digests", "3 suspect images", *(f"5 {kind} of ImageNetS50" for kind in KINDS)]
    assert shown == {
        "Data set": sorted([*tables, *(f"4 images of ImageNetS50 {split}" for split in SPLITS)]),
        "Benchmark": [
            *("1 figures", "2 all classes, as a chart", "3 all classes, as a table", "4 worst images"),
            *("5 best images", "6 match of ids to classes"),
        ],
    }
    assert all(len(texts(result["caption"]).split()) > 15 for result in results.values())
    start = texts(embedded(html, "workflow_desc"))
    tree = tmp_path / "results" / "ImageNetS50"
    for text in ("SYNTHETIC", digest(tree), "imagenet-s 0.", "sha256sum -c", "validation", "How to check"):
        assert text in start
    with zipfile.ZipFile(tmp_path / "report.zip") as archive:
        names = {Path(name).name for name in archive.namelist()}
    assert names == {"report.html", *(Path(path).name for path in results)}


@pytest.mark.long
def test_a_report_of_a_plain_build_has_results(imagenet50, annotations50, tmp_path):
    official = tmp_path / "annotations"
    official.mkdir()
    (official / subset_of(50).archive_name).symlink_to(annotations50["path"])
    table = {"from": str(official), "md5": {"50": annotations50["md5"]}}
    settings = {"imagenet": str(imagenet50), "train_images": "any", "annotations": table}
    run = snakemake(tmp_path, **settings)
    assert run.code == 0, run.text
    assert "contact_sheets" not in run.rules
    run = snakemake(tmp_path, "--report", "report.html", **settings)
    assert run.code == 0, run.text
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert {Path(path).name for path in embedded(html, "results")} == {
        *("summary.html", "digests.html", "suspects.html"),
    }
