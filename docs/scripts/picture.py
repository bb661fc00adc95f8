"""Draw docs/images/pipeline.png, the picture of the README.

    python docs/scripts/picture.py

The images and masks in it are those of the embedded demo. They are synthetic and show nothing of ImageNet.
"""

import io
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from imagenet_s.demo.scenes import RIM, Scene, scene_of
from imagenet_s.masks.palette import colors
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.splits import listed

PICTURE = Path(__file__).parents[1] / "images" / "pipeline.png"
SIZE, DPI = (12.0, 4.3), 110  # inches
SHOWN = (4, 90, 221, 404, 620)  # of the images in validation of 50
BOX = {"boxstyle": "round,pad=0.55", "facecolor": "#eef3f8", "edgecolor": "#5b7c99"}
ARROW = {"arrowstyle": "-|>", "color": "#5b7c99", "linewidth": 1.6, "shrinkA": 2, "shrinkB": 2}


def draw(path: Path) -> None:
    """Write the picture to `path`."""
    figure = Figure(SIZE, dpi=DPI, facecolor="white")
    _flow(figure.add_axes((0, 0, 1, 1)))
    scenes = [scene_of(image, wnid) for image, wnid in _chosen()]
    for column, scene in enumerate(scenes):
        left = 0.545 + column * 0.089
        for bottom, pixels in ((0.515, scene.picture), (0.105, _overlay(scene))):
            axes = figure.add_axes((left, bottom, 0.083, 0.30))
            axes.imshow(_square(pixels), interpolation="nearest")
            axes.set_axis_off()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    image = Image.open(buffer).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    image.save(path, optimize=True)


def _flow(axes: Axes) -> None:
    """Draw what goes in, what happens, and what comes out, in figure coordinates."""
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_axis_off()
    text = {"ha": "center", "va": "center", "fontsize": 10.5, "linespacing": 1.55}
    raw = "$\\bf{Raw\\ ImageNet}$-$\\bf{1k}$\nfolders, official archives,\nKaggle, Hugging Face"
    masks = "$\\bf{Annotations}$\nzip archives of masks,\ndownloaded, md5 checked"
    steps = "\n".join(("check the source", "read each image once", "link the tree", "write manifests"))
    axes.text(0.115, 0.68, raw, bbox=BOX, **text)
    axes.text(0.115, 0.27, masks, bbox=BOX, **text)
    axes.text(0.375, 0.475, "$\\bf{imagenet}$-$\\bf{s}$\n" + steps, bbox=BOX, **text)
    for start, end in (((0.218, 0.66), (0.283, 0.55)), ((0.218, 0.29), (0.283, 0.40))):
        axes.annotate("", end, start, arrowprops=ARROW)
    axes.annotate("", (0.535, 0.475), (0.468, 0.475), arrowprops=ARROW)
    axes.text(0.545, 0.93, "$\\bf{ImageNetS50/}$", fontsize=11.5, va="center")
    axes.text(0.985, 0.93, "sha256 of every file · one digest", fontsize=9, va="center", ha="right")
    axes.text(0.545, 0.85, "validation/<wnid>/*.JPEG", fontsize=9, family="DejaVu Sans Mono")
    axes.text(0.545, 0.44, "validation-segmentation/<wnid>/*.png", fontsize=9, family="DejaVu Sans Mono")
    note = "images of the synthetic demo; masks in colour, over the image in grey"
    axes.text(0.985, 0.03, note, fontsize=8, color="#666", ha="right")


def _chosen() -> list[tuple[str, str]]:
    """Return the names of the images that are shown, and their classes."""
    images = listed(50, "validation")
    return [(images[number].image, images[number].wnid) for number in SHOWN]


def _overlay(scene: Scene) -> np.ndarray:
    """Return the picture in grey with each region in its class's colour, and the ignored rim in white."""
    grey = scene.picture.mean(axis=2, keepdims=True).repeat(3, axis=2) * 0.55 + 40
    for number, wnid in enumerate(scene.wnids, 1):
        grey[scene.regions == number] = colors(919)[class_ids(919)[wnid]]
    grey[scene.regions == RIM] = 255
    return grey.clip(0, 255).astype(np.uint8)


def _square(pixels: np.ndarray) -> np.ndarray:
    """Return the largest square in the middle of a picture."""
    side = min(pixels.shape[:2])
    top, left = ((length - side) // 2 for length in pixels.shape[:2])
    return pixels[top : top + side, left : left + side]


if __name__ == "__main__":
    draw(PICTURE)
