"""The pages of a gallery: a start page, a page for each class and one for each image."""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from imagenet_s.copies.classes import classes
from imagenet_s.copies.copy import Copy, open_copy
from imagenet_s.dataset.dataset_file import read_dataset
from imagenet_s.gallery.facts import class_facts, copy_facts, is_synthetic
from imagenet_s.gallery.pictures import PICTURES, SIDE, ClassPictures, Picture
from imagenet_s.io.atomic import read_json, write_json
from imagenet_s.io.receipts import receipt
from imagenet_s.masks.overlay import OPACITY
from imagenet_s.masks.palette import overlay_colors
from imagenet_s.runtime.errors import WrongUsage
from imagenet_s.runtime.progress import LoggedBar, progress
from imagenet_s.runtime.units import size_text
from imagenet_s.runtime.version import __version__
from imagenet_s.spec.classes import IGNORE, OTHER, class_ids, class_names

TEMPLATES = Path(__file__).with_name("templates")
CLASSES, IMAGES = "classes", "images"  # folders of pages
START, STYLE, SCRIPT = "index.html", "gallery.css", "gallery.js"
MARK = "gallery.json"  # says that a folder is a gallery, so that its files may be replaced


class Share(NamedTuple):
    """An id of a mask, with its name, colour and part of the pixels in percent."""

    id: int
    name: str
    color: str
    percent: float


class Near(NamedTuple):
    """A page before or after another one."""

    href: str
    title: str


def pages_job(tree: Path, subset: int, receipts: Sequence[Path], folder: Path) -> None:
    """Write the pages of a gallery from the receipts of all jobs that made its pictures."""
    made = (pictures for path in receipts for pictures in read_json(path)["classes"])
    write_pages(open_copy(tree, subset), made, folder)


def require_own_gallery(folder: Path, option: str) -> None:
    """Raise WrongUsage if a folder, the value of an option, holds other files than those of a gallery."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise WrongUsage(
            f"{option}: {folder} is not empty and not a gallery, which has a {MARK}. "
            "Name a new or an empty folder."
        )


def begin_gallery(copy: Copy, folder: Path) -> None:
    """Mark a folder as a gallery, which it is from the first picture on, and drop its start page."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / START).unlink(missing_ok=True)
    write_json(folder / MARK, {"dataset": copy.name, "pipeline": __version__})


def write_pages(copy: Copy, made: Iterable[ClassPictures], folder: Path) -> None:
    """Write all pages of a gallery, whose pictures are there. The start page comes last.

    Pages and pictures of earlier galleries in this folder are removed.
    """
    begin_gallery(copy, folder)
    pages = _Pages(copy, folder)
    for name in (CLASSES, IMAGES):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir()
    for name in (STYLE, SCRIPT):
        (folder / name).write_bytes((TEMPLATES / name).read_bytes())
    firsts = {}
    with progress(f"pages: {copy.name}", len(class_ids(copy.subset)), "classes") as bar:
        for pictures in made:
            firsts[pictures["wnid"]] = pages.write_class(pictures, bar)
    for path in (folder / PICTURES).glob("*"):
        if path.name not in firsts:
            shutil.rmtree(path)
    with receipt(folder / START, folder) as partial:
        partial.write_bytes(pages.start(firsts))


class _Pages:
    """The templates, and what all pages of a copy share."""

    def __init__(self, copy: Copy, folder: Path):
        self.copy, self.folder = copy, folder
        self.dataset = read_dataset(copy.root)
        self.table = {row["wnid"]: row for row in classes(copy).to_pylist()}
        self.wnids = {number: wnid for wnid, number in class_ids(copy.subset).items()}
        self.colors = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in overlay_colors(copy.subset).tolist()]
        self.near = dict(zip(self.table, _neighbours(list(self.table)), strict=True))
        self.templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.templates.filters["size"] = size_text
        self.templates.globals |= {
            "dataset_name": copy.name,
            "synthetic": is_synthetic(self.dataset),
            "version": __version__,
            "opacity": round(100 * OPACITY),
        }

    def start(self, firsts: dict[str, str | None]) -> bytes:
        """Return the start page.

        Args:
            firsts: wnid → the path of a picture of the class, None if it has none.
        """
        rows = [self.table[wnid] | {"picture": firsts.get(wnid)} for wnid in self.table]
        facts = copy_facts(self.copy, self.dataset)
        return self._page("index.html", "", rows=class_facts(rows), facts=facts, splits=self.copy.splits)

    def write_class(self, made: ClassPictures, bar: LoggedBar) -> str | None:
        """Write the page of a class and those of its images. Return the path of its first picture."""
        wnid = made["wnid"]
        row, shown = self.table[wnid], made["pictures"]
        views = [self._view(picture, wnid) for picture in shown]
        before, after = self.near[wnid]
        data = self._page(
            "class.html",
            "../",
            row=row,
            groups=_by_split(views),
            previous=before and Near(f"{before}.html", class_names()[before]),
            next=after and Near(f"{after}.html", class_names()[after]),
        )
        (self.folder / CLASSES / f"{wnid}.html").write_bytes(data)
        (self.folder / IMAGES / wnid).mkdir()
        for view, (one, other) in zip(views, _neighbours(views), strict=True):
            previous, next_ = (at and Near(f"{at['name']}.html", at["title"]) for at in (one, other))
            data = self._page("image.html", "../../", row=row, it=view, previous=previous, next=next_)
            (self.folder / IMAGES / wnid / f"{view['name']}.html").write_bytes(data)
        bar.update()
        return next((f"{PICTURES}/{wnid}/{view['name']}.webp" for view in views if not view["problem"]), None)

    def _page(self, template: str, up: str, **values: Any) -> bytes:
        """Return a page; `up` leads from its folder to that of the gallery."""
        text = self.templates.get_template(template).render(up=up, **values)
        return text.encode(errors="backslashreplace")  # names of files need not be UTF-8

    def _view(self, picture: Picture, wnid: str) -> dict[str, Any]:
        """Return what pages show of a picture of a class."""
        row, pages = picture["row"], self.folder / IMAGES / wnid
        total = sum(pixels for _, pixels in picture["ids"])
        shares = [self._share(number, 100 * pixels / total) for number, pixels in picture["ids"]]
        usual = (OTHER, IGNORE, class_ids(self.copy.subset)[wnid])
        stated = row["sha256"]
        return {
            **picture,
            "shown": picture["size"] and _enlarged(*picture["size"]),
            "mask_shown": picture["mask_size"] and _enlarged(*picture["mask_size"]),
            "title": row["image"].rpartition("/")[2],
            "file": link(self.copy.root / row["image"], pages),
            "file_of_class_page": link(self.copy.root / row["image"], self.folder / CLASSES),
            "mask_file": row["mask"] and link(self.copy.root / row["mask"], pages),
            "shares": shares,
            "others": [share.name for share in shares if share.id not in usual],
            "changed": bool(stated and picture["sha256"] and stated != picture["sha256"]),
        }

    def _share(self, number: int, percent: float) -> Share:
        names = {OTHER: "other", IGNORE: "ignore"}
        wnid = self.wnids.get(number)
        name = class_names()[wnid] if wnid else names.get(number, "unknown")
        return Share(number, name, self.colors[number] if wnid else "none", percent)


def link(file: Path, page_folder: Path) -> str:
    """Return a relative URL that leads from a folder of pages to a file."""
    return quote(os.fsencode(os.path.relpath(file, page_folder)))


def _enlarged(width: int, height: int) -> tuple[int, int]:
    """Return the size at which a page shows a picture: that of the demo's images is increased."""
    factor = max(1.0, SIDE / max(width, height))
    return round(width * factor), round(height * factor)


def _by_split(views: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for view in views:
        groups.setdefault(view["split"], []).append(view)
    return groups


def _neighbours(items: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield the item before and the item after each item, None where there is none."""
    yield from zip([None, *items][: len(items)], [*items, None][1:], strict=True)
