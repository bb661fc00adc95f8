"""Which predictions are compared with which true masks, and what is missing or too much for that."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from imagenet_s.benchmark.scoring.predictions import (
    EXTRA,
    MISSING,
    MISSING_TRUTH,
    SPLIT,
    Pair,
    files_in,
    inner,
    is_of_a_class,
    name_problems,
    names_of,
)
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.problems import FileProblem
from imagenet_s.runtime.progress import log
from imagenet_s.spec.subsets import mask_folder, subset_of


@dataclass(frozen=True)
class Comparison:
    """The folder of a subset's true validation masks, and that of the predictions to compare with them.

    All images of validation are compared; with `partial`, all that have a mask in both folders, whether they
    are listed or not.
    """

    subset: int
    truth: Path
    predictions: Path
    partial: bool

    @property
    def folders(self) -> tuple[Path, Path]:
        """Where the true masks and the predictions are, also if the folder above was named."""
        return inner(self.truth, mask_folder(SPLIT)), inner(self.predictions, SPLIT)


def pairs_of(compared: Comparison) -> tuple[list[Pair], list[FileProblem]]:
    """Return what is to be compared, by name, and what is missing or too much.

    With `partial` nothing is missing. Raises UserError where there is nothing to compare.
    """
    subset, partial = compared.subset, compared.partial
    truth, predictions = compared.folders
    if truth.exists() and predictions.exists() and truth.samefile(predictions):
        log.warning("--truth and --predictions are the same folder: what comes out says nothing.")
    true, predicted = files_in(truth), files_in(predictions)
    wanted = names_of(subset, SPLIT)
    masks = (name for name in true if is_of_a_class(name) and name.endswith(".png"))
    names = [name for name in masks if name in predicted] if partial else wanted
    both = [Pair(name, true[name], predicted[name]) for name in names if name in true and name in predicted]
    if not both:
        raise UserError(
            f"No image has both a truth and a prediction.\n"
            f"Expected `<wnid>/<stem>.png` of {SPLIT} images, such as {wanted[0]}.\n"
            f"{truth} holds: {first_few(true) or 'nothing'}\n"
            f"{predictions} holds: {first_few(predicted) or 'nothing'}"
        )
    if partial:
        log.info(
            "%s images have both, of %s in %s and %s in %s; %s validation has %s",
            *(f"{len(both):,}", f"{len(true):,}", truth, f"{len(predicted):,}", predictions),
            *(subset_of(subset).name, f"{len(wanted):,}"),
        )
        return both, []
    findings = [FileProblem(MISSING_TRUTH, name) for name in wanted if name not in true]
    return both, name_problems(predicted, wanted) + findings


def partial_would_do(findings: Iterable[FileProblem]) -> bool:
    """Whether all that is wrong are names that are missing or too much."""
    return all(one.kind in (MISSING, MISSING_TRUTH, EXTRA) for one in findings)
