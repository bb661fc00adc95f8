"""Draw the results of scoring: the IoU of each class, and images with their true and predicted masks."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from imagenet_s.benchmark.scoring.match_json import relabelled
from imagenet_s.benchmark.scoring.pairs import read_pair
from imagenet_s.benchmark.scoring.predictions import file_bytes
from imagenet_s.benchmark.scoring.results import ClassRow, Scored
from imagenet_s.io.atomic import atomic_write
from imagenet_s.masks.overlay import largest_ids, overlaid
from imagenet_s.runtime.image_file import BadImage
from imagenet_s.runtime.image_file import decode as decode_image
from imagenet_s.runtime.progress import log
from imagenet_s.spec.classes import class_ids, class_names
from imagenet_s.spec.subsets import mask_folder

MAX_NAMED = 60  # classes; of more, only the lowest and the highest get a bar
ENDS = 25  # classes at each end that get a bar then
DPI = 100


def draw_classes(caption: str, rows: Sequence[ClassRow], mean_iou: float, path: Path) -> None:
    """Draw the IoU and the boundary IoU of each class as a PNG, the lowest first; `mean_iou` in percent."""
    ranked = sorted(rows, key=lambda row: (row.IoU, row.id))
    named = ranked if len(ranked) <= MAX_NAMED else ranked[:ENDS] + ranked[-ENDS:]
    heights = (2.2, 0.17 * len(named) + 0.6)
    figure = Figure(figsize=(9, sum(heights) + 0.8), layout="constrained")
    top, bars = figure.subplots(2, 1, height_ratios=heights)
    top.fill_between(range(1, len(ranked) + 1), [row.IoU for row in ranked], step="mid", color="#4c78a8")
    top.axhline(mean_iou, color="#222222", linewidth=1, linestyle="--")
    name = f"mIoU {mean_iou:.2f}"
    top.text(0.01, mean_iou + 1.5, name, fontsize=8, transform=top.get_yaxis_transform())
    # A `$` in a name is not the beginning of a formula.
    top.set_title(f"{caption}\nIoU by class", parse_math=False)
    top.set(xlabel="classes by IoU", ylabel="IoU (%)")
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
    subset: int, scored: Sequence[Scored], table: NDArray[np.uint16] | None, caption: str, path: Path
) -> None:
    """Draw images next to their true and predicted masks as a PNG, one row per image.

    An image is expected where the official tree has it, next to the folder of masks. The masks are drawn over
    grey if it is not there.

    Args:
        subset: The subset that the predictions are for.
        scored: The images to draw.
        table: A `matching_table`, (65536,), or None if the predicted ids are classes.
        caption: What the images are.
        path: The PNG to write.
    """
    figure = Figure(figsize=(9, 2.4 * len(scored) + 0.5), layout="constrained")
    figure.suptitle(f"{caption}\nwhite: ignored, grey: background", fontsize=10, parse_math=False)
    grid = figure.subplots(len(scored), 3, squeeze=False)
    for axes, image in zip(grid, scored, strict=True):
        truth, prediction, _ = read_pair(image.pair, len(class_ids(subset)))
        if table is not None:
            prediction = relabelled(prediction, table)
        picture = _picture(image.pair.name, image.pair.truth, truth.shape)
        _show(axes[0], picture, f"{Path(image.pair.name).stem}\nmean IoU {100 * image.iou:.1f}")
        _show(axes[1], overlaid(picture, truth, subset), f"truth\n{_class_names(truth, subset)}")
        _show(
            axes[2], overlaid(picture, prediction, subset), f"prediction\n{_class_names(prediction, subset)}"
        )
    _save(figure, path)


def _picture(name: str, truth: Path, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the image of a mask, (height, width, 3), or grey if there is no image of that size."""
    folder = truth.parents[1]
    split = folder.name.removesuffix(mask_folder(""))
    path = (folder.parent / split / name).with_suffix(".JPEG")
    picture = None  # a missing image does not stop the scoring
    try:
        picture = np.asarray(decode_image(file_bytes(path), "RGB").image)
    except FileNotFoundError:
        pass
    except (OSError, BadImage) as error:
        log.warning("Cannot read %s (%s); its masks are drawn over grey.", path, error)
    grey = np.full((*shape, 3), 128, np.uint8)
    return grey if picture is None or picture.shape != grey.shape else picture


def _class_names(ids: NDArray[np.uint16], subset: int) -> str:
    """Return the names of the three largest classes in a mask, (height, width)."""
    wnids = list(class_ids(subset))
    names = [class_names()[wnids[i - 1]] for i in largest_ids(ids) if 0 < i <= len(wnids)]
    return (", ".join(names[:3]) + (", …" if len(names) > 3 else "")) or "only background"


def _show(axes: Axes, picture: NDArray[np.uint8], title: str) -> None:
    axes.imshow(picture)
    axes.set_title(title, fontsize=7)
    axes.set_axis_off()


def _save(figure: Figure, path: Path) -> None:
    with atomic_write(path) as partial, warnings.catch_warnings():
        # A name may have characters that the font lacks; a box stands for each.
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        # No date and no version, so that the same metrics give the same bytes.
        figure.savefig(partial, format="png", dpi=DPI, metadata={"Software": None})
