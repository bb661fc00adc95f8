"""The command `stats`: what it prints, and the tables that it writes."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from helpers.builds import ROOT
from helpers.damages import states
from helpers.schemas import require_valid
from imagenet_s.cli.main import main
from imagenet_s.copies.copy import Copy
from imagenet_s.dataset.dataset_file import own_digest
from imagenet_s.io.atomic import read_json, write_json
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.statistics import KINDS, PUBLISHED_CLASSES, statistics_files
from imagenet_s.spec.subsets import subset_of
from imagenet_s.statistics.command import write_statistics
from imagenet_s.statistics.report import report_lines

SUMMARY = """\
                              train  train-semi  validation     test
images                          650         500         752    1,682
probably incomplete images        0           0           0        0
leaking images (see below)        0           0           0        4
median size of images       72 × 74     74 × 74     72 × 72  72 × 73
masks                             –         500         752        –
pixels of classes                 –      26.7 %      26.7 %        –
pixels of other                   –      66.0 %      66.1 %        –
ignored pixels                    –       7.3 %       7.3 %        –
masks with 1 class                –         409         637        –
masks with 2 classes              –          91         115        –
regions of size S                 –          30          32        –
regions of size MS                –         312         445        –
regions of size ML                –         237         354        –
regions of size L                 –          12          36        –
Classes in the fewest masks: tiger shark (21), African elephant (25), beach
  wagon (25)
Fewest pixels per mask: goldfinch (869), hamster (873), ashcan (912)
Together in the most masks: sulphur butterfly and motor scooter (3), ashcan and
  street sign (3), goldfish and container ship (2)
Leak: test shares images with 300/validation (1), 919/validation (4)
"""


def run(*arguments: object) -> int:
    return main(["stats", *map(str, arguments), "--workers", "1"])


def test_the_summary_fits_a_terminal_and_nothing_is_written(tree50, capsys):
    before = states(tree50.parent)
    assert run(tree50.parent) == 0
    assert capsys.readouterr().out == f"{tree50}: ImageNetS50\n{SUMMARY}"
    assert states(tree50.parent) == before
    assert max(map(len, SUMMARY.splitlines())) <= 80


def test_the_page_shows_the_summary_and_names_all_columns(statistics50):
    page = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
    assert f"/ImageNetS50: ImageNetS50\n{SUMMARY}```" in page
    rows = {kind: re.search(rf"^\| `{kind}.csv` \|.*$", page, re.MULTILINE) for kind in KINDS}
    for kind, row in rows.items():
        assert row
        columns = set(statistics50[kind].columns) - {"split"}
        assert set(re.findall(r"`(\w+)`", row[0])) == columns
    for subset, published in PUBLISHED_CLASSES.items():
        numbers = r" \| ".join(map(str, published))
        assert re.search(rf"^\| ImageNetS{subset}\b.*\| {numbers} \|$", page, re.MULTILINE)


def test_the_tables_are_written_for_each_subset(tree50, statistics50, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(tree50, "--out", out) == 0
    assert capsys.readouterr().out == f"{tree50}: ImageNetS50\n{SUMMARY}Wrote 8 tables to {out / '50'}\n"
    assert sorted(path.name for path in (out / "50").iterdir()) == sorted(statistics_files())
    for kind in KINDS:
        text = (out / "50" / f"{kind}.csv").read_bytes()
        read = pd.read_csv(out / "50" / f"{kind}.csv")
        assert list(read.columns) == list(statistics50[kind].columns)
        assert read.astype(object).where(read.notna(), None).to_numpy().tolist() == (
            statistics50[kind].astype(object).where(statistics50[kind].notna(), None).to_numpy().tolist()
        )
        assert b"\r" not in text
    assert (out / "50" / "splits.csv").read_text() == (
        "split,images,suspect_images,images_also_in,images_of_merged_classes,masks,class_pixels,other_pixels,"
        "ignored_pixels,unknown_pixels\n"
        "train,650,0,0,0,,,,,\n"
        "train-semi,500,0,0,0,500,707272,1745516,192933,0\n"
        "validation,752,0,0,0,752,1040745,2579447,284833,0\n"
        "test,1682,0,4,0,,,,,\n"
    )


def test_the_json_has_all_tables(tree50, statistics50, capsys):
    assert run(tree50, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    require_valid(document, "stats")
    found = document["subsets"]["ImageNetS50"]
    assert (found["path"], found["digest"]) == (
        str(tree50),
        read_json(tree50 / "dataset.json")["content"]["digest"],
    )
    assert {kind: len(found[kind]) for kind in KINDS} == {kind: len(statistics50[kind]) for kind in KINDS}
    assert found["splits"][0]["masks"] is None
    assert found["size_buckets"][4] == {
        **{"split": "validation", "size_bucket": "S", "regions": 32, "masks": 32},
        **{"classes_and_other": 25, "published_classes_and_other": None},
    }


def test_nothing_is_written_into_a_copy(tree50, capsys):
    for option in ("--out", "--json"):
        assert run(tree50, option, tree50 / "statistics") == 2
        assert capsys.readouterr().err.startswith(f"{option}: {tree50 / 'statistics'} would be written ")
    assert not (tree50 / "statistics").exists()


def test_a_damaged_mask_is_named(tree, capsys):
    mask = min((tree / "validation-segmentation").glob("*/*.png"))
    mask.write_bytes(mask.read_bytes()[:-30])
    assert run(tree) == 1
    assert f"- masks that are not those of the manifests (1): {mask.relative_to(tree)}\n" in (
        capsys.readouterr().err
    )


def restate(tree: Path, **content: object) -> None:
    """Change the content of a `dataset.json`."""
    dataset = read_json(tree / "dataset.json")
    dataset["content"] |= content
    dataset["sha256"] = own_digest(dataset["content"], dataset["build"])
    write_json(tree / "dataset.json", dataset)


@pytest.mark.parametrize(
    ("published", "verdict"),
    [((25, 51, 51, 19), "as published"), ((30, 49, 48, 42), "differs from the published 30/49/48/42")],
)
def test_official_masks_are_compared_with_the_published_counts(tree, monkeypatch, capsys, published, verdict):
    md5 = subset_of(50).archive_md5
    restate(tree, annotations={"archive": subset_of(50).archive_name, "md5": md5})
    monkeypatch.setattr("imagenet_s.statistics.tables.PUBLISHED_CLASSES", {50: published})
    assert run(tree) == 0
    text = f"Classes, and other, in the size buckets of validation: 25/51/51/19, {verdict}"
    assert " ".join(capsys.readouterr().out.split()).endswith(text)


def test_suspect_images_are_counted_in_each_split_that_has_them(tree, capsys):
    semi = min((tree / "train-semi").glob("*/*.JPEG")).relative_to(tree / "train-semi")
    test = min((tree / "test").glob("*/*.JPEG")).relative_to(tree)
    images = [{"image": str(path), "reason": "ends in zeros"} for path in (test, Path("train") / semi)]
    for count, expected in ((2, ["1", "1", "0", "1"]), (3, ["–"] * 4)):  # the third is not named
        restate(tree, suspect_images={"count": count, "images": images})
        assert run(tree) == 0
        line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("probably"))
        assert line.split()[3:] == expected


def test_all_copies_in_a_folder_are_counted_also_without_manifests_and_masks(tmp_path, capsys):
    for subset in (50, 300):
        for wnid in class_ids(subset):
            (tmp_path / "in" / f"ImageNetS{subset}" / "validation" / wnid).mkdir(parents=True)
    found = tmp_path / "found.json"
    assert run(tmp_path / "in", "--json", found, "--out", tmp_path / "out") == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        f"{tmp_path / 'in' / 'ImageNetS50'}: ImageNetS50",
        *("validation", "images 752", "probably incomplete images –", "masks 0"),
        f"Wrote 8 tables to {tmp_path / 'out' / '50'}",
        "",
        f"{tmp_path / 'in' / 'ImageNetS300'}: ImageNetS300",
        *(
            "validation",
            "images 4,097",
            "probably incomplete images –",
            "leaking images (see below) 1",
            "masks 0",
        ),
        "Leak: validation shares images with 50/test (1)",
        f"Wrote 8 tables to {tmp_path / 'out' / '300'}",
    ]
    subsets = json.loads(found.read_text())["subsets"]
    assert {name: (one["digest"], one["splits"][0]["masks"]) for name, one in subsets.items()} == {
        "ImageNetS50": (None, 0),
        "ImageNetS300": (None, 0),
    }


def test_a_copy_without_masks_has_a_short_summary(tmp_path, statistics50):
    tables = {kind: table[table["split"] == "test"] for kind, table in statistics50.items()}
    lines = "\n".join(report_lines(Copy(tmp_path, 50, own_manifests=False), tables)).splitlines()
    assert [line.split("  ")[0] for line in lines[1:]] == [
        *("", "images", "probably incomplete images", "leaking images (see below)"),
        *("median size of images", "masks"),
        "Leak: test shares images with 300/validation (1), 919/validation (4)",
    ]
    write_statistics(tables, tmp_path / "50")
    assert (tmp_path / "50" / "co_occurrence.csv").read_text() == (
        "split,class_id,wnid,name,other_class_id,other_wnid,other_name,masks\n"
    )
