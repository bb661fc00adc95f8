"""The gallery: the splits that it can show, and the jobs that share its classes."""

from collections.abc import Sequence
from typing import Literal

from imagenet_s.spec.classes import class_ids

GallerySplit = Literal["train", "train-semi", "validation", "test"]

SHOWN: tuple[GallerySplit, ...] = ("validation", "train-semi")  # by default; these have masks
PER_CLASS = 12  # images of a class that are shown by default

JOBS = {50: 2, 300: 6, 919: 12}


def job_classes(subset: int, job: int) -> Sequence[str]:
    """Return the wnids of the classes whose pictures a job makes."""
    wnids, jobs = list(class_ids(subset)), JOBS[subset]
    return wnids[job * len(wnids) // jobs : (job + 1) * len(wnids) // jobs]
