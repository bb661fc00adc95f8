"""The command `compare`: its table, what it says cannot be compared, and its exit codes."""

import json
from pathlib import Path

import pytest

from helpers.schemas import require_valid
from imagenet_s.benchmark.scoring.compare import METRICS
from imagenet_s.cli.main import main

A, B = "a" * 64, "b" * 64
FACTS = {
    **dict.fromkeys(METRICS, 50.0),
    "IoUs": [1.0] * 51,
    "subset": 50,
    "split": "validation",
    "images": 752,
    "partial": False,
    "matched": False,
    "predictions": {"name": "mine", "path": "/mine", "date": "2001-09-09", "sha256": A},
    "truth": {"path": "/truth", "sha256": A, "data_set_digest": B},
}


@pytest.fixture
def compared(tmp_path, monkeypatch, capsys):
    """A function that compares runs with these facts, and returns the exit code and what was printed."""
    monkeypatch.chdir(tmp_path)

    def compare(*changes: dict, options: tuple[str, ...] = ()) -> tuple[int, str]:
        files = [f"{letter}.json" for letter, _ in zip("abcd", changes, strict=False)]
        for file, change in zip(files, changes, strict=True):
            facts = {key: value for key, value in (FACTS | change).items() if value != "left out"}
            Path(file).write_text(json.dumps(facts))
        code = main(["compare", *files, *options])
        return code, capsys.readouterr().out

    return compare


def test_runs_of_the_same_images_and_masks_can_be_compared(compared):
    other = {"mIoU": 7.125, "L": None, "predictions": {"name": "baseline"}}
    assert compared({}, other) == (
        0,
        "file    run        mIoU  mBIoU    Acc  FMeasure      S     MS     ML      L\n"
        "a.json  mine      50.00  50.00  50.00     50.00  50.00  50.00  50.00  50.00\n"
        "b.json  baseline   7.12  50.00  50.00     50.00  50.00  50.00  50.00      –\n"
        "\n"
        "These runs can be compared: they are of the same images and true masks.\n",
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"subset": 300}, "are of different subsets. ImageNetS50: a.json, c.json; ImageNetS300: b.json."),
        ({"split": "test"}, "are of different splits. validation: a.json, c.json; test: b.json."),
        (
            {"partial": True, "images": 1234, "truth": {"sha256": B}},
            "are of different images. all images of the split: a.json, c.json; 1,234 images: b.json.",
        ),
        (
            {"truth": {"sha256": B, "data_set_digest": None}},
            "were scored with different true masks. masks aaaaaaaaaaaa of the data set bbbbbbbbbbbb: a.json, "
            "c.json; masks bbbbbbbbbbbb: b.json.",
        ),
        (
            {"truth": "left out", "predictions": "left out"},
            "were scored with different true masks. masks aaaaaaaaaaaa of the data set bbbbbbbbbbbb: a.json, "
            "c.json; not stated (score the predictions again): b.json.",
        ),
        (
            {"matched": True},
            "are of predicted ids with different meanings. classes: a.json, c.json; generated ids, matched "
            "to classes: b.json.",
        ),
    ],
)
def test_what_prevents_a_comparison_is_named(change, says, compared):
    code, printed = compared({}, change, {})
    assert code == 1
    assert printed.partition("\n\n")[2] == f"These runs cannot be compared:\n- The runs {says}\n"


def test_files_of_earlier_versions_do_not_state_their_true_masks(compared):
    earlier = {"truth": "left out", "predictions": "left out"}
    code, printed = compared(earlier, earlier)
    assert code == 0
    assert printed.splitlines()[1].split()[:3] == ["a.json", "–", "50.00"]
    assert printed.endswith("compared if their true masks, which no file states, are the same.\n")


def test_all_differences_are_named_at_once(compared):
    _, printed = compared({}, {"subset": 300, "matched": True, "truth": {"sha256": B}})
    assert [line.split(".")[0] for line in printed.splitlines()[-2:]] == [
        "- The runs are of different subsets",
        "- The runs are of predicted ids with different meanings",
    ]


def test_the_comparison_as_json(compared):
    code, printed = compared({}, {"subset": 300}, options=("--json",))
    document = json.loads(printed)
    require_valid(document, "compare")
    assert code == 1
    assert (document["comparable"], [one["key"] for one in document["differences"]]) == (False, ["subset"])
    assert document["runs"][1]["file"] == "b.json"
    assert document["runs"][1]["subset"] == 300
    code, printed = compared({}, {}, options=("--json", "-"))
    document = json.loads(printed)
    require_valid(document, "compare")
    assert (code, document["comparable"], document["differences"]) == (0, True, [])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "There is no file m.json."),
        (b"", "m.json is not JSON (Expecting value"),
        (b"\xff", "m.json is not JSON ('utf-8' codec"),
        (b"[" * 100_000, "m.json is not JSON (maximum recursion"),
        (b"[1]", "m.json has no metrics of a subset."),
        (b"{}", "m.json has no metrics of a subset."),
        (json.dumps(FACTS | {"mIoU": "high"}).encode(), "m.json has no metrics of a subset."),
    ],
)
def test_files_that_are_no_metrics_are_named(content, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("m.json").write_bytes(content)
    assert main(["compare", "m.json"]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(says)
    assert printed.endswith("Expected: the JSON file that `imagenet-s evaluate --out` writes.\n")


def test_a_folder_is_no_metrics(tmp_path, capsys):
    assert main(["compare", str(tmp_path)]) == 2
    assert f"There is no file {tmp_path}." in capsys.readouterr().err


def test_the_json_is_not_written_over_a_run(compared, capsys):
    compared({}, {})
    assert main(["compare", "a.json", "b.json", "--json", "a.json"]) == 2
    assert "--json: a.json would be written over, or into, what is read: a.json." in capsys.readouterr().err


@pytest.mark.parametrize("constant", ["NaN", "-Infinity"])
def test_what_is_no_json_is_not_passed_on(constant, compared, capsys):
    assert main(["compare", _written(constant), "--json"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"metrics.json is not JSON (it has {constant}). Expected: ")


def _written(constant: str) -> str:
    Path("metrics.json").write_text(json.dumps(FACTS | {"mIoU": float(constant)}))
    return "metrics.json"
