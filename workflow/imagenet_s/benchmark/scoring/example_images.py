"""Draw scored images: each with its true and its predicted mask, and the difference of both."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from imagenet_s.benchmark.scoring.match_json import relabelled
from imagenet_s.benchmark.scoring.pairs import read_pair
from imagenet_s.benchmark.scoring.predictions import file_bytes
from imagenet_s.benchmark.scoring.results import Scored
from imagenet_s.io.atomic import atomic_write
from imagenet_s.masks.legend import LINE, OUTCOME_LEGEND, TEXT, Entry, draw_legend, legend_of
from imagenet_s.masks.overlay import class_layer, difference_layer, nearest, over_grey
from imagenet_s.runtime.image_file import BadImage
from imagenet_s.runtime.image_file import decode as decode_image
from imagenet_s.runtime.lettering import lettering, wrapped
from imagenet_s.runtime.progress import log
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.subsets import mask_folder

SHOWN = 8  # images in a picture
OF_ONE_CLASS = 2  # of these, so that one bad class does not fill the picture
CELL = (272, 224)  # pixels: the most that one of the four pictures of an image takes
GAP = 10
WIDTH = 4 * CELL[0] + 5 * GAP
RULE = "#bbbbbb"


class Cell(NamedTuple):
    """One of the four pictures of an image, with what is written above and below it."""

    title: str
    picture: NDArray[np.uint8]
    legend: Sequence[Entry]


def examples(scored: Iterable[Scored]) -> list[Scored]:
    """Return the first images of a ranking, `SHOWN` of them and at most `OF_ONE_CLASS` of each class."""
    chosen: list[Scored] = []
    taken: Counter[str] = Counter()
    for image in scored:
        wnid = image.pair.name.partition("/")[0]
        if taken[wnid] < OF_ONE_CLASS:
            taken[wnid] += 1
            chosen.append(image)
        if len(chosen) == SHOWN:
            break
    return chosen


def draw_images(
    subset: int, scored: Sequence[Scored], table: NDArray[np.uint16] | None, caption: str, path: Path
) -> None:
    """Draw images with their true and predicted masks as a PNG, one row per image.

    An image is expected where the official tree has it, next to the folder of masks. The masks are drawn over
    grey if it is not there.

    Args:
        subset: The subset that the predictions are for.
        scored: The images to draw.
        table: A `matching_table`, (65536,), or None if the predicted ids are classes.
        caption: What the images are.
        path: The PNG to write.
    """
    rows = [_row(subset, image, table) for image in scored]
    title = wrapped(caption, WIDTH - 2 * GAP, TEXT + 4, bold=True)
    top = GAP + (LINE + 4) * len(title)
    page = Image.new("RGB", (WIDTH, top + sum(row.height for row in rows) + GAP), "white")
    draw = ImageDraw.Draw(page)
    for number, line in enumerate(title):
        draw.text((GAP, GAP + (LINE + 4) * number), line, "black", lettering(TEXT + 4, bold=True))
    for row in rows:
        page.paste(row, (0, top))
        top += row.height
    with atomic_write(path) as partial:
        page.save(partial, "PNG")


def _row(subset: int, image: Scored, table: NDArray[np.uint16] | None) -> Image.Image:
    """Return what is drawn of one image: its path and IoU, above the four pictures with their legends."""
    truth, prediction, _ = read_pair(image.pair, len(class_ids(subset)))
    if table is not None:
        prediction = relabelled(prediction, table)
    path, shown = _image_path(image), _shown_size(truth.shape)
    picture = _picture(path, truth.shape, shown)
    small, guess = nearest(truth, shown), nearest(prediction, shown)
    title = f"image, {truth.shape[1]} × {truth.shape[0]} pixels"
    background = [Entry((128, 128, 128), "only background")]
    masks = (
        Cell(name, over_grey(picture, class_layer(ids, subset)), legend_of(subset, full) or background)
        for name, ids, full in (("truth", small, truth), ("prediction", guess, prediction))
    )
    difference = over_grey(picture, difference_layer(small, guess, subset))
    cells = [Cell(title, picture, []), *masks, Cell("difference", difference, OUTCOME_LEGEND)]
    head = f"{path.relative_to(path.parents[2])}    mean IoU {100 * image.iou:.1f} %"
    return _composed(head, cells)


def _composed(head: str, cells: Sequence[Cell]) -> Image.Image:
    """Return a row: a line of text, and cells beside one another."""
    legends = [draw_legend(cell.legend, CELL[0]) for cell in cells]
    below = GAP + 2 * LINE + cells[0].picture.shape[0] + 2
    row = Image.new("RGB", (WIDTH, below + max(legend.height for legend in legends) + GAP), "white")
    draw = ImageDraw.Draw(row)
    draw.line((GAP, 2, WIDTH - GAP, 2), RULE)
    draw.text((GAP, GAP), head, "black", lettering(TEXT, bold=True))
    for number, (cell, legend) in enumerate(zip(cells, legends, strict=True)):
        left = GAP + number * (CELL[0] + GAP)
        draw.text((left, GAP + LINE), cell.title, "black", lettering(TEXT))
        row.paste(Image.fromarray(cell.picture), (left, GAP + 2 * LINE))
        row.paste(legend, (left, below))
    return row


def _image_path(image: Scored) -> Path:
    """Return where the official tree has an image: next to the folder of masks."""
    folder = image.pair.truth.parents[1]
    split = folder.name.removesuffix(mask_folder(""))
    return (folder.parent / split / image.pair.name).with_suffix(".JPEG")


def _shown_size(shape: tuple[int, int]) -> tuple[int, int]:
    """Return the height and width at which an image of a shape fits into a cell."""
    scale = min(CELL[1] / shape[0], CELL[0] / shape[1])
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def _picture(path: Path, shape: tuple[int, int], shown: tuple[int, int]) -> NDArray[np.uint8]:
    """Return an image at the size at which it is shown, (height, width, 3).

    It is grey if there is no image of the shape of the mask. A missing image does not stop the scoring.
    """
    grey = np.full((*shown, 3), 128, np.uint8)
    try:
        image = decode_image(file_bytes(path), "RGB").image
    except FileNotFoundError:
        return grey
    except (OSError, BadImage) as error:
        log.warning("Cannot read %s (%s); its masks are drawn over grey.", path, error)
        return grey
    if (image.height, image.width) != shape:
        return grey
    return np.asarray(image.resize(shown[::-1], Image.Resampling.LANCZOS))
