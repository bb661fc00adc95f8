"""Which predictions are compared with which true masks, and which files are missing or unexpected."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from imagenet_s.benchmark.scoring.pairs import Pair
from imagenet_s.benchmark.scoring.predictions import (
    EXTRA,
    MISSING,
    files_in,
    inner,
    is_in_class_folder,
    name_problems,
    names_of,
)
from imagenet_s.benchmark.scoring.which_subset import require_names_of
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.problems import FileProblem
from imagenet_s.runtime.progress import log
from imagenet_s.spec.subsets import mask_folder, subset_of

SPLIT = "validation"  # the only split whose masks are public

MISSING_TRUTH = "missing true masks"


@dataclass(frozen=True)
class Comparison:
    """The predictions to compare with the true masks of a subset.

    Attributes:
        subset: Its validation images are compared.
        truth: The folder of true masks, or a tree that contains it.
        predictions: The folder of predictions, or a folder that contains it.
        partial: Compare all masks that both folders have instead, even if they are not listed.
    """

    subset: int
    truth: Path
    predictions: Path
    partial: bool

    @property
    def folders(self) -> tuple[Path, Path]:
        """The folders of the true masks and of the predictions themselves."""
        return inner(self.truth, mask_folder(SPLIT)), inner(self.predictions, SPLIT)


def pairs_of(compared: Comparison) -> tuple[list[Pair], list[FileProblem]]:
    """Return the pairs to compare, by name, and which files are missing or unexpected.

    With `partial`, no file is missing or unexpected.

    Raises:
        UserError: There is nothing to compare.
    """
    subset, partial = compared.subset, compared.partial
    truth, predictions = compared.folders
    if truth.exists() and predictions.exists() and truth.samefile(predictions):
        log.warning("--truth and --predictions are the same folder: the result says nothing.")
    true, predicted = files_in(truth), files_in(predictions)
    wanted = names_of(subset, SPLIT)
    if not partial:
        require_names_of(subset, SPLIT, true, truth)
        require_names_of(subset, SPLIT, predicted, predictions)
    masks = (name for name in true if is_in_class_folder(name) and name.endswith(".png"))
    names = [name for name in masks if name in predicted] if partial else wanted
    both = [Pair(name, true[name], predicted[name]) for name in names if name in true and name in predicted]
    if not both:
        raise UserError(
            f"No image has both a true mask and a prediction.\n"
            f"Expected: `<wnid>/<stem>.png` of {SPLIT} images, such as {wanted[0]}.\n"
            f"{truth} contains: {first_few(true) or 'nothing'}\n"
            f"{predictions} contains: {first_few(predicted) or 'nothing'}"
        )
    if partial:
        log.info(
            "%s images have both a true mask and a prediction. %s contains %s files, %s contains %s; "
            "%s validation has %s images.",
            *(f"{len(both):,}", truth, f"{len(true):,}", predictions, f"{len(predicted):,}"),
            *(subset_of(subset).name, f"{len(wanted):,}"),
        )
        return both, []
    missing = [FileProblem(MISSING_TRUTH, name) for name in wanted if name not in true]
    return both, name_problems(predicted, wanted) + missing


def would_pass_as_partial(problems: Iterable[FileProblem]) -> bool:
    """Return whether all problems are files that are missing or unexpected, which `--partial` allows."""
    return all(problem.kind in (MISSING, MISSING_TRUTH, EXTRA) for problem in problems)
