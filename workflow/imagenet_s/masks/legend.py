"""The legend of a mask: the names of its classes beside their colours."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from imagenet_s.masks.overlay import OUTCOMES, hatching, largest_ids
from imagenet_s.masks.palette import overlay_colors
from imagenet_s.runtime.lettering import lettering, wrapped
from imagenet_s.spec.classes import IGNORE, class_ids, class_names

TEXT = 12  # pixels: 9 pt on a screen of 96 dots per inch
LINE = 17
MARGIN = 4
INDENT = LINE + MARGIN // 2  # where texts begin, to the right of the colours
SWATCH = LINE - 2 * MARGIN


class Entry(NamedTuple):
    """An entry of a legend. The colour is None for hatching."""

    color: tuple[int, int, int] | None
    text: str


def legend_of(subset: int, *masks: NDArray[np.uint16]) -> list[Entry]:
    """Return an entry for each class in masks of ids, the largest first, and for ignored pixels."""
    wnids = {number: wnid for wnid, number in class_ids(subset).items()}
    texts = {number: f"{class_names()[wnid]} ({number})" for number, wnid in wnids.items()}
    texts[IGNORE] = f"ignore ({IGNORE})"
    found = [number for number in largest_ids(np.concatenate([*map(np.ravel, masks)])) if number in texts]
    table = overlay_colors(subset)
    return [
        Entry(None if number == IGNORE else tuple(table[number].tolist()), texts[number]) for number in found
    ]


OUTCOME_LEGEND = tuple(Entry(outcome.color, outcome.name) for outcome in OUTCOMES)


def legend_width(entries: Iterable[Entry]) -> int:
    """Return how many pixels the longest entry of a legend takes."""
    return max((INDENT + MARGIN // 2 + round(lettering(TEXT).getlength(e.text)) for e in entries), default=0)


def draw_legend(entries: Sequence[Entry], width: int) -> Image.Image:
    """Return a legend, one entry below the other; names that are too long for the width are wrapped."""
    texts = [wrapped(entry.text, width - INDENT, TEXT) for entry in entries]
    shown = Image.new("RGB", (width, LINE * sum(map(len, texts))), "white")
    draw = ImageDraw.Draw(shown)
    top = 0
    for entry, lines in zip(entries, texts, strict=True):
        corners = (MARGIN, top + MARGIN, MARGIN + SWATCH, top + MARGIN + SWATCH)
        if entry.color is None:
            shown.paste(Image.fromarray(hatching(SWATCH, SWATCH)).convert("RGB"), corners[:2])
        draw.rectangle(corners, entry.color, "black")
        for line in lines:
            draw.text((INDENT, top + LINE // 2), line, "black", lettering(TEXT), anchor="lm")
            top += LINE
    return shown
