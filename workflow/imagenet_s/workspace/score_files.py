"""The files that scoring and submitting predictions write."""

from pathlib import Path
from typing import NamedTuple


class ScoreFiles(NamedTuple):
    """All of them, for the predictions of one subset."""

    match: Path
    match_info: Path
    metrics: Path
    figures: Path
    classes_table: Path
    classes_plot: Path
    classes_pdf: Path
    worst_images: Path
    best_images: Path
    submission: Path
    outdated: Path

    @classmethod
    def in_folder(cls, folder: Path) -> "ScoreFiles":
        """Return the files in a folder."""
        return cls(
            match=folder / "match.json",
            match_info=folder / "match-info.json",
            metrics=folder / "metrics.json",
            figures=folder / "metrics-figures.html",
            classes_table=folder / "metrics-classes.csv",
            classes_plot=folder / "metrics-classes.png",
            classes_pdf=folder / "metrics-classes.pdf",
            worst_images=folder / "metrics-worst.png",
            best_images=folder / "metrics-best.png",
            submission=folder / "submission.zip",
            outdated=folder / "OUTDATED.txt",
        )
