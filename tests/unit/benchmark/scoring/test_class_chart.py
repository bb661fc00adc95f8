"""The chart of classes that an evaluation draws."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imagenet_s.benchmark.scoring.class_chart import DPI, ENDS, SIZE, draw_classes
from imagenet_s.benchmark.scoring.results import ClassRow

MEANS = {"mIoU": 61.5, "mBIoU": 23.25}


def rows_of(subset: int) -> list[ClassRow]:
    return [ClassRow(i, "n", f"class {i}", 100 * i / subset, 50, 9) for i in range(subset + 1)][::-1]


def drawn(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("subset", [50, 300, 919])
def test_charts_of_all_subsets_have_the_same_size_and_scale(subset, tmp_path, monkeypatch):
    limits = {}
    monkeypatch.setattr("matplotlib.axes.Axes.set", lambda self, **options: limits.update(options))
    draw_classes("run", rows_of(subset), MEANS, tmp_path / "c.png")
    assert drawn(tmp_path / "c.png").shape == (round(SIZE[1] * DPI), round(SIZE[0] * DPI), 3)
    assert limits == {"xlim": (0.4, subset + 1.6), "ylim": (0, 100)}
    assert (tmp_path / "c.pdf").read_bytes().startswith(b"%PDF-")


def test_all_of_a_few_classes_are_named_in_their_order(tmp_path, monkeypatch):
    named = []
    monkeypatch.setattr(
        "matplotlib.axes.Axes.set_xticks", lambda self, places, names, **_: named.extend(names)
    )
    draw_classes("run", rows_of(50), MEANS, tmp_path / "c.png")
    assert named == [f"class {i} ({i})" for i in range(51)]


@pytest.mark.parametrize("subset", [300, 919])
def test_the_lowest_and_the_highest_of_many_classes_are_named(subset, tmp_path, monkeypatch):
    lists = []
    monkeypatch.setattr(
        "matplotlib.axes.Axes.text", lambda self, x, y, text, **_: lists.append(text.splitlines())
    )
    draw_classes("run", rows_of(subset), MEANS, tmp_path / "c.png")
    assert [lines[0] for lines in lists] == ["highest IoU", "lowest IoU"]
    ids = [[int(line.rpartition("(")[2].rstrip(")")) for line in lines[1:]] for lines in lists]
    assert ids == [[*range(subset, subset - ENDS, -1)], [*range(ENDS)]]


def test_both_means_are_drawn_and_named(tmp_path, monkeypatch):
    lines = {}
    monkeypatch.setattr(
        "matplotlib.axes.Axes.axhline", lambda self, value, label, **_: lines.update({label: value})
    )
    draw_classes("run", rows_of(50), MEANS, tmp_path / "c.png")
    assert lines == {"mIoU 61.50": 61.5, "mBIoU 23.25": 23.25}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("caption", ["$a_b^ {", "日本語", "a\\nb " * 60])
def test_a_caption_may_have_any_characters(caption, tmp_path):
    draw_classes(caption, rows_of(2), MEANS, tmp_path / "a.png")
    assert drawn(tmp_path / "a.png").shape[1] == SIZE[0] * DPI
