"""Draw the IoU and the boundary IoU of each class as a chart."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from imagenet_s.benchmark.scoring.metrics import Metrics
from imagenet_s.benchmark.scoring.results import ClassRow
from imagenet_s.io.atomic import atomic_write

MAX_NAMED = 60  # classes; of more, only the lowest and the highest are named
ENDS = 12  # classes named at each end then
SIZE = (12, 5.6)  # inches, the same for all subsets
DPI = 100  # 9 points are then the text of a screen at 100 %
POINTS = 9
FIGURE_SPACE = "\u2007"  # as wide as a digit
REGION, BOUNDARY, INK = "#a9c6de", "#c04e00", "#222222"
NAMED = "#4a7fb0"  # the bars of the classes that are named, if not all are
MEAN = "#1f4e79"

# No date and no version, so that the same metrics give the same bytes.
FORMATS: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
}


def draw_classes(caption: str, rows: Sequence[ClassRow], metrics: Metrics, path: Path) -> None:
    """Draw all classes in one chart, the lowest IoU first, as a PNG and as a PDF beside it.

    Args:
        caption: What was scored.
        rows: The table of classes.
        metrics: The metrics of the same predictions, of which the means are drawn.
        path: The PNG to write.
    """
    ranked = sorted(rows, key=lambda row: (row.IoU, row.id))
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.subplots()
    _draw_bars(axes, ranked)
    for name, value, color in (("mIoU", metrics["mIoU"], MEAN), ("mBIoU", metrics["mBIoU"], BOUNDARY)):
        axes.axhline(value, color=color, linewidth=1.2, linestyle="--", label=f"{name} {value:.2f}")
    # A `$` in a name is not the beginning of a formula.
    figure.suptitle(f"{caption}: IoU of each class", fontsize=POINTS + 3, wrap=True, parse_math=False)
    axes.set_ylabel("%", fontsize=POINTS)
    axes.set(xlim=(0.4, len(ranked) + 0.6), ylim=(0, 100))
    axes.tick_params(labelsize=POINTS)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    handles = [Patch(color=REGION, label="IoU"), *axes.get_legend_handles_labels()[0]]
    axes.legend(
        handles=handles, ncols=4, fontsize=POINTS, frameon=False, loc="lower left", bbox_to_anchor=(0, 1)
    )
    _save(figure, path)


def _draw_bars(axes: Axes, ranked: Sequence[ClassRow]) -> None:
    """Draw a bar and a point for each class, and name the classes: all, or those at both ends."""
    places = np.arange(1, len(ranked) + 1)
    few = len(ranked) <= MAX_NAMED
    ends = {*places[:ENDS], *places[-ENDS:]} if not few else set()
    axes.bar(
        places,
        [row.IoU for row in ranked],
        width=0.8 if few else 1,
        color=[NAMED if place in ends else REGION for place in places],
    )
    edges = [row.boundary_IoU for row in ranked]
    size = 4 if few else 2
    axes.plot(places, edges, "o", color=BOUNDARY, markersize=size, markeredgewidth=0, label="boundary IoU")
    if few:
        names = [f"{row.name} ({row.id})" for row in ranked]
        axes.set_xticks(places, names, rotation=90, fontsize=POINTS, parse_math=False)
        return
    axes.set_xlabel("classes, the lowest IoU first", fontsize=POINTS)
    for title, top, named in (
        ("highest IoU", 1.0, ranked[: -ENDS - 1 : -1]),
        ("lowest IoU", 0.48, ranked[:ENDS]),
    ):
        lines = [title]
        for row in named:
            lines.append(f"{row.IoU:5.1f}".replace(" ", FIGURE_SPACE) + f"  {row.name} ({row.id})")
        axes.text(
            *(1.02, top, "\n".join(lines)),
            transform=axes.transAxes,
            fontsize=POINTS,
            linespacing=1.35,
            va="top",
            color=INK,
            parse_math=False,
        )


def _save(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG, and as a PDF with text that can be searched."""
    with warnings.catch_warnings(), matplotlib.rc_context({"pdf.fonttype": 42}):
        # A name may have characters that the font lacks; a box stands for each.
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        for name, metadata in FORMATS.items():
            with atomic_write(path.with_suffix(f".{name}")) as partial:
                figure.savefig(partial, format=name, dpi=DPI, metadata=metadata)
