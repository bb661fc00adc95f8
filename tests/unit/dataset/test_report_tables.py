"""The tables of data sets in Snakemake's report."""

import re

import pytest

from imagenet_s.dataset.report_tables import write_report_tables, write_summaries
from imagenet_s.dataset.summary import Built, read_built
from imagenet_s.io.atomic import read_json


def texts(html: str) -> list[str]:
    """The texts between the tags of a page's body."""
    body = html.partition("<body>")[2]
    return [text.replace("\u00a0", " ") for text in re.findall(r">([^<>]+)<", body) if text.strip()]


@pytest.fixture
def dataset(output50) -> dict:
    return read_json(output50 / "ImageNetS50" / "dataset.json")


def test_the_summary_says_what_was_built_from_what_by_which_versions_and_how_to_check(
    dataset, output50, tmp_path
):
    tree = output50 / "ImageNetS50"
    write_summaries([tree / "dataset.json"], tmp_path / "summary.txt", tmp_path / "tables")
    assert sorted(path.stem for path in (tmp_path / "tables").iterdir()) == ["digests", "summary", "suspects"]
    found = texts((tmp_path / "tables" / "summary.html").read_text(encoding="utf-8"))
    assert found[:2] == [
        "What was built",
        "This is SYNTHETIC data with the official names: it is not ImageNet.",
    ]
    facts = dict(zip(found[found.index("folder") :: 2], found[found.index("folder") + 1 :: 2], strict=True))
    build = dataset["build"]
    assert facts["folder"] == str(tree)
    assert facts["digest"] == dataset["content"]["digest"]
    assert facts["images from"] == f"{build['source']['path']} (plain folders)"
    assert facts["built by"].startswith(f"{build['pipeline']}, ")
    assert facts["built on"] == build["date"]
    assert facts["check"] == f"cd {tree} &amp;&amp; sha256sum -c --quiet manifests/*.sha256"
    digests = texts((tmp_path / "tables" / "digests.html").read_text(encoding="utf-8"))
    assert digests[:4] == ["Digests", "ImageNetS50", "digest", dataset["content"]["digest"]]
    stated = dict(zip(digests[4::2], digests[5::2], strict=True))
    assert stated == dataset["content"]["manifests"]


def test_suspect_images_are_listed_and_their_names_stay_text(dataset, output50, tmp_path):
    write_report_tables(read_built([output50 / "ImageNetS50" / "dataset.json"]), tmp_path)
    assert "ImageNetS50: no image is suspect." in texts((tmp_path / "suspects.html").read_text())
    suspect = {"image": "val/<b>.JPEG", "reason": "ends in the middle"}
    dataset["content"]["suspect_images"] = {"count": 1234, "images": [suspect]}
    write_report_tables([Built(output50 / "ImageNetS50", dataset)], tmp_path)
    found = texts((tmp_path / "suspects.html").read_text(encoding="utf-8"))
    assert found[1:] == ["ImageNetS50: 1,234 suspect images", "val/&lt;b&gt;.JPEG", "ends in the middle"]
