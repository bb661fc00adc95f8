"""Write the figures of an evaluation as a page, for people and for Snakemake's report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imagenet_s.io.html_page import facts, paragraph, table, write_page

MEANINGS = {
    "mIoU": "mean IoU over all classes, background included",
    "mBIoU": "mean boundary IoU",
    "Acc": "image accuracy",
    "FMeasure": "F-measure of the foreground",
}
SIZES = ("S", "MS", "ML", "L")


def write_figures(caption: str, document: Mapping[str, Any], path: Path) -> None:
    """Write the figures of an evaluation, and what they are of.

    Args:
        caption: What was scored.
        document: What `evaluate` writes as JSON.
        path: The page to write.
    """
    plain = [(meaning, name, _percent(document[name])) for name, meaning in MEANINGS.items()]
    sizes = [(size, _percent(document[size]), _percent(document[f"B{size}"])) for size in SIZES]
    partial = "; classes without pixels in them count as 0" if document["partial"] else ""
    predictions, truth = document["predictions"], document["truth"]
    sources = [
        ("images", f"{document['images']:,} of {document['images_of_the_split']:,}{partial}"),
        ("predictions", f"{predictions['path']} ({predictions['date']}, sha256 {predictions['sha256']})"),
        ("true masks", f"{truth['path']} (sha256 {truth['sha256']})"),
        ("data set", f"digest {truth['data_set_digest'] or 'unknown'}"),
        ("ids", "matched to classes" if document["matched"] else "are classes"),
        ("scored by", document["scored_by"]),
    ]
    parts = (
        table(("figure", "name", "%"), plain, left=2),
        paragraph("By the size of objects, from small (S) to large (L):"),
        table(("size", "mean IoU, %", "mean boundary IoU, %"), sizes),
        facts(sources),
    )
    write_page(path, caption, *parts)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
