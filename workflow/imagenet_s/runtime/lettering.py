"""Text in pictures."""

from functools import cache
from pathlib import Path

import matplotlib
from PIL import ImageFont


@cache
def lettering(pixels: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return the font of pictures: the one that Matplotlib brings, which has more letters than Pillow's."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", name), pixels)


def wrapped(text: str, width: int, pixels: int, bold: bool = False) -> list[str]:
    """Return the lines of a text that fit into a width in pixels. Words that are too long are broken."""
    font = lettering(pixels, bold)
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
            continue
        lines += [""] if lines[-1] else []
        for letter in word:
            if lines[-1] and font.getlength(lines[-1] + letter) > width:
                lines.append("")
            lines[-1] += letter
    return lines
