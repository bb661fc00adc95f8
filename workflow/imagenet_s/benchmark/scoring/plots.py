"""Pictures of an evaluation: the IoU of each class, and images with their truth and their prediction."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from imagenet_s.benchmark.scoring.match_json import relabelled
from imagenet_s.benchmark.scoring.predictions import file_bytes, prediction_of
from imagenet_s.benchmark.scoring.results import ClassRow, Scored
from imagenet_s.io.atomic import atomic_write
from imagenet_s.masks.codec import decode
from imagenet_s.masks.palette import colors
from imagenet_s.runtime.image_file import BadImage
from imagenet_s.runtime.image_file import decode as decode_image
from imagenet_s.runtime.progress import log
from imagenet_s.spec.classes import IGNORE, OTHER, class_ids, class_names
from imagenet_s.spec.subsets import mask_folder, subset_of

NAMED = 60  # up to so many classes all are named; of more, those that are lowest and highest
ENDS = 25
OPACITY = 0.6  # of a class's colour over its image
DPI = 100


def draw_classes(subset: int, rows: Sequence[ClassRow], found: dict, path: Path) -> None:
    """Draws the IoU and the boundary IoU of each class as a PNG, the lowest first."""
    ranked = sorted(rows, key=lambda row: (row.IoU, row.id))
    named = ranked if len(ranked) <= NAMED else ranked[:ENDS] + ranked[-ENDS:]
    heights = (2.2, 0.17 * len(named) + 0.6)
    figure = Figure(figsize=(9, sum(heights) + 0.8), layout="constrained")
    top, bars = figure.subplots(2, 1, height_ratios=heights)
    top.fill_between(range(1, len(ranked) + 1), [row.IoU for row in ranked], step="mid", color="#4c78a8")
    top.axhline(found["mIoU"], color="#222222", linewidth=1, linestyle="--")
    name = f"mIoU {found['mIoU']:.2f}"
    top.text(0.01, found["mIoU"] + 1.5, name, fontsize=8, transform=top.get_yaxis_transform())
    top.set(
        title=f"{subset_of(subset).name} validation: IoU by class", xlabel="classes by IoU", ylabel="IoU (%)"
    )
    top.set(xlim=(0.5, len(ranked) + 0.5), ylim=(0, 100))
    places = np.arange(len(named))
    bars.barh(places, [row.IoU for row in named], color="#4c78a8", height=0.75, label="IoU")
    edges = [row.boundary_IoU for row in named]
    bars.plot(edges, places, "o", color="#f58518", markersize=3.5, label="boundary IoU")
    bars.set_yticks(places, [f"{row.name}  {row.id}" for row in named], fontsize=7)
    bars.set(xlabel="%", xlim=(0, 100), ylim=(-0.6, len(named) - 0.4))
    if len(named) < len(ranked):
        bars.axhline(ENDS - 0.5, color="#222222", linewidth=1)
        between = f"{len(ranked) - len(named)} classes between"
        bars.text(99, ENDS - 0.5, between, fontsize=7, ha="right", va="center", backgroundcolor="white")
    bars.legend(loc="lower right", fontsize=8)
    _save(figure, path)


def draw_images(
    subset: int, scored: Sequence[Scored], table: np.ndarray | None, which: str, path: Path
) -> None:
    """Draws images beside truth and prediction as a PNG, a row each; without images, masks alone.

    An image is looked for where an official tree has it, beside the folder of the masks.
    """
    figure = Figure(figsize=(9, 2.4 * len(scored) + 0.5), layout="constrained")
    figure.suptitle(
        f"{subset_of(subset).name} validation: the {which} of the images that were scored\n"
        "white is ignored, grey is background",
        fontsize=10,
    )
    grid = figure.subplots(len(scored), 3, squeeze=False)
    for axes, one in zip(grid, scored, strict=True):
        truth = decode(one.pair.truth.read_bytes(), len(class_ids(subset))).ids
        prediction = prediction_of(one.pair.prediction.read_bytes())
        if table is not None:
            prediction = relabelled(prediction, table)
        picture = _picture(one.pair.name, one.pair.truth, truth.shape)
        _show(axes[0], picture, f"{Path(one.pair.name).stem}\nmean IoU {100 * one.iou:.1f}")
        _show(axes[1], _overlaid(picture, truth, subset), f"truth\n{_named(truth, subset)}")
        _show(axes[2], _overlaid(picture, prediction, subset), f"prediction\n{_named(prediction, subset)}")
    _save(figure, path)


def _picture(name: str, truth: Path, shape: tuple[int, int]) -> np.ndarray:
    """The image of a mask, (height, width, 3) uint8; grey where there is none of that size."""
    folder = truth.parents[1]
    split = folder.name.removesuffix(mask_folder(""))
    path = (folder.parent / split / name).with_suffix(".JPEG")
    picture = None  # a picture more or less is no reason to fail
    try:
        picture = np.asarray(decode_image(file_bytes(path), "RGB").image)
    except FileNotFoundError:
        pass
    except (OSError, BadImage) as error:
        log.warning("%s is drawn in grey, since it cannot be read (%s)", path, error)
    grey = np.full((*shape, 3), 128, np.uint8)
    return grey if picture is None or picture.shape != grey.shape else picture


def _overlaid(picture: np.ndarray, ids: np.ndarray, subset: int) -> np.ndarray:
    """A picture in grey under its classes' colours: ignore is white, background and unknown ids have none."""
    known = np.where(ids > IGNORE, OTHER, ids)
    grey = np.broadcast_to(picture.mean(axis=2, keepdims=True), picture.shape)
    mixed = (1 - OPACITY) * grey + OPACITY * colors(subset)[known]
    return np.where((known == OTHER)[..., None], grey, mixed).astype(np.uint8)


def _named(ids: np.ndarray, subset: int) -> str:
    """The names of the classes in a mask, the three largest."""
    wnids = list(class_ids(subset))
    areas = np.bincount(ids.ravel(), minlength=len(wnids) + 1)[: len(wnids) + 1]
    names = [class_names()[wnids[i - 1]] for i in np.argsort(-areas, kind="stable") if i and areas[i]]
    return (", ".join(names[:3]) + (", …" if len(names) > 3 else "")) or "background alone"


def _show(axes: Axes, picture: np.ndarray, title: str) -> None:
    axes.imshow(picture)
    axes.set_title(title, fontsize=7)
    axes.set_axis_off()


def _save(figure: Figure, path: Path) -> None:
    with atomic_write(path) as partial:
        # No date and no version: the same figures give the same picture.
        figure.savefig(partial, format="png", dpi=DPI, metadata={"Software": None})
