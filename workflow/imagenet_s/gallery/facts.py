"""What the start page of a gallery says of a copy and of its classes."""

from collections.abc import Iterator, Sequence
from typing import Any

from imagenet_s.copies.copy import Copy
from imagenet_s.dataset.dataset_file import dataset_digest
from imagenet_s.dataset.dataset_json import Dataset
from imagenet_s.runtime.units import size_text
from imagenet_s.spec.subsets import MASKED

UNKNOWN = "unknown: the copy has no manifests"


def is_synthetic(dataset: Dataset | None) -> bool:
    """Return whether the images are those of the demo."""
    return bool(dataset and _source(dataset).get("synthetic"))


def copy_facts(copy: Copy, dataset: Dataset | None) -> list[tuple[str, str]]:
    """Return the facts about a copy: a name and a text of each."""
    if dataset is None:
        return [("Folder", str(copy.root)), ("Digest", UNKNOWN)]
    return [
        ("Folder", str(copy.root)),
        ("Digest", dataset_digest(dataset["content"]["manifests"])),
        *_origin(dataset),
    ]


def _origin(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield what a `dataset.json` says of the origin; other programs may have written less into it."""
    source, build = _source(dataset), dict(dataset["build"])
    if source.get("path"):
        yield "Images from", f"{source['path']} ({source.get('layout', 'unknown layout')})"
    for key, name in (("annotations", "Masks from"), ("date", "Built"), ("pipeline", "Built by")):
        if build.get(key):
            yield name, str(build[key])
    splits: Any = dataset["content"].get("splits", {})
    total = sum(facts.get("bytes", 0) for facts in splits.values())
    if total:
        yield "Size", size_text(total)


def _source(dataset: Dataset) -> dict[str, Any]:
    return dict(dataset["build"].get("source") or {})


def class_facts(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of `CLASSES`, each with `images`, `area` and the lengths of their bars in percent.

    `area` is the number of pixels of the class in all masks; None if it is unknown.
    """
    for row in rows:
        row["images"] = row["train"]
        areas = [row[f"{split.replace('-', '_')}_pixels"] for split in MASKED]
        row["area"] = None if None in areas else sum(areas)
    for name in ("images", "area"):
        most = max((row[name] or 0 for row in rows), default=0) or 1
        for row in rows:
            row[f"{name}_bar"] = round(100 * (row[name] or 0) / most, 1)
    return list(rows)
