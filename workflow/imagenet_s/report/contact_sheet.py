"""Contact sheets: a picture for each split with some of its images and masks."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from PIL import Image, ImageDraw

from imagenet_s.copies.copy import Copy, open_copy
from imagenet_s.copies.samples import samples
from imagenet_s.io.receipts import receipt
from imagenet_s.masks.codec import BadMask, ids_of_png
from imagenet_s.masks.legend import LINE, TEXT
from imagenet_s.masks.overlay import class_layer, nearest
from imagenet_s.runtime.image_file import BadImage, decode
from imagenet_s.runtime.lettering import lettering, wrapped
from imagenet_s.spec.classes import class_names
from imagenet_s.spec.subsets import SPLITS
from imagenet_s.workspace.paths import Workspace

COLUMNS, ROWS = 6, 8
SEED = 0
CELL = 160  # pixels: the longest side of an image on the sheet
GAP = 8
HEAD = 2 * LINE + GAP
STEP = (CELL + GAP, CELL + 2 * LINE + GAP)  # from one cell to the next, below which are two lines of text
SIZE = (GAP + COLUMNS * STEP[0], HEAD + ROWS * STEP[1] + GAP)


def write_contact_sheets(subset: int, tree: Path, output: Path) -> None:
    """Write the contact sheet of each split of a subset as a PNG.

    Args:
        subset: The subset.
        tree: Its folder.
        output: The output folder of the build, in which they have their own folder.
    """
    copy = open_copy(tree, subset)
    for split in SPLITS:
        table = samples(copy, split)
        with receipt(Workspace(output).contact_sheet(subset, split)) as partial_path:
            _sheet(copy, split, table).save(partial_path, "PNG")


def chosen(count: int) -> list[int]:
    """Return which of `count` samples are on a sheet, ascending: at random, but always the same."""
    return sorted(random.Random(SEED).sample(range(count), min(count, COLUMNS * ROWS)))


def _sheet(copy: Copy, split: str, table: pa.Table) -> Image.Image:
    """Return the sheet of a split: a head, and the chosen images with the names of their classes."""
    rows = table.take(chosen(len(table))).to_pylist()
    sheet = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(sheet)
    head = f"{copy.name} {split}: {len(rows)} of {len(table):,} images, chosen at random (seed {SEED})"
    draw.text((GAP, GAP), head, "black", lettering(TEXT + 4, bold=True))
    for number, row in enumerate(rows):
        left, top = GAP + number % COLUMNS * STEP[0], HEAD + number // COLUMNS * STEP[1]
        image = _image(copy, row)
        sheet.paste(image, (left + (CELL - image.width) // 2, top + (CELL - image.height) // 2))
        name = wrapped(class_names()[row["wnid"]], CELL, TEXT)[0]
        for line, text in enumerate((name, Path(row["image"]).stem.removeprefix("ILSVRC2012_"))):
            draw.text((left + CELL // 2, top + CELL + LINE * line), text, "black", lettering(TEXT), "ma")
    return sheet


def _image(copy: Copy, row: Mapping[str, Any]) -> Image.Image:
    """Return an image as it is on the sheet, under its mask; a grey area if it cannot be read."""
    try:
        image = decode((copy.root / row["image"]).read_bytes(), "RGB", draft=2 * CELL).image
    except (OSError, BadImage):
        return Image.new("RGB", (CELL, CELL), "#cccccc")
    scale = CELL / max(image.size)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    shown = image.resize(size, Image.Resampling.LANCZOS)
    layer = _layer(copy, row, size) if row["mask"] else None
    if layer is not None:
        shown.paste(layer, mask=layer)
    return shown


def _layer(copy: Copy, row: Mapping[str, Any], size: tuple[int, int]) -> Image.Image | None:
    """Return the layer of a mask at a size, (width, height); None if the mask cannot be read."""
    try:
        ids = ids_of_png((copy.root / row["mask"]).read_bytes())
    except (OSError, BadMask):
        return None
    return Image.fromarray(class_layer(nearest(ids, (size[1], size[0])), copy.subset))
