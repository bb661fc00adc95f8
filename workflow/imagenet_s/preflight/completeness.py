"""Is a source complete? Everything that it lacks of what the official lists ask for, reported at once."""

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_s.runtime.errors import first_few
from imagenet_s.runtime.problems import Problem
from imagenet_s.spec.classes import CLASS_SIZES, class_names, train_classes
from imagenet_s.spec.splits import Listed, listed
from imagenet_s.spec.subsets import SPLITS, Subset, subset_of

SET_OF = {"train": "train", "train-semi": "train", "validation": "val", "test": "val"}


@dataclass(frozen=True)
class Inventory:
    """The images that a source has, and what else is known of it."""

    images: pa.Table  # columns `image` and `imagenet_wnid`
    where: str  # the places that were searched, for the message
    unknown: Container[str] = ()  # train, val: the sets whose images are not known before they are read
    empty: Sequence[str] = ()  # listed images without bytes
    dangling: Sequence[str] = ()  # links that lead to nothing, as `path → target`


def missing_images(inventory: Inventory, subsets: Sequence[int], complete: bool) -> list[Problem]:
    """Return what a source lacks of what `subsets` need; `complete` requires the official train totals."""
    empty, dangling = inventory.empty, inventory.dangling
    problems = [
        problem
        for subset in subsets
        for problem in subset_problems(inventory.images, subset, complete, inventory.unknown)
    ]
    problems += empty_images(empty)
    if not problems:
        return []
    advice = (
        "What to do: complete the copy of ImageNet-1k and run the same command again, or point `imagenet` in "
        "config.yaml to another copy."
    )
    if dangling:
        text = f"- {len(dangling):,} links lead to nothing: {first_few(dangling)}"
        problems.insert(0, Problem(text, tuple(dangling)))  # it may explain the rest
        advice = (
            "What to do: restore or mount the targets of the links, then run the same command again. If "
            "images are still missing, complete the copy of ImageNet-1k."
        )
    if complete:
        advice += (
            " To build from an incomplete train set on purpose, set `train_images: any`; the listed images "
            "(train-semi, validation, test) are needed in any case."
        )
    beginning = (
        f"The source lacks images (searched: {inventory.where}).\nNothing was written into the data set."
    )
    return [Problem(beginning), *problems, Problem(advice)]


def empty_images(names: Sequence[str]) -> list[Problem]:
    """Return the problem of listed images without bytes; nothing if there are none."""
    text = f"- {len(names):,} listed images are empty: {first_few(names)}"
    return [Problem(text, tuple(names))] if names else []


class SplitCount(NamedTuple):
    """How many images of a split a source has, and what is wrong if these are not the official ones."""

    split: str
    found: int | None  # None: not known before the source is read
    expected: int
    problem: Problem | None = None


def subset_problems(
    images: pa.Table, subset: int, complete: bool, unknown: Container[str] = ()
) -> list[Problem]:
    """Return what `images` lacks of what one subset needs; see `count_splits`.

    `complete` requires the official number of train images.
    """
    counts = count_splits(images, subset, unknown)
    return [count.problem for count in counts if count.problem and (complete or count.split != "train")]


def count_splits(images: pa.Table, subset: int, unknown: Container[str] = ()) -> list[SplitCount]:
    """Return how many images of each split of a subset there are, train last.

    Args:
        images: A table with the columns `image` and `imagenet_wnid`.
        subset: The number of the subset.
        unknown: The sets (`train`, `val`) whose images are not known.
    """
    facts = subset_of(subset)
    counts = [
        SplitCount(split, None, len(listed(subset, split)))
        if SET_OF[split] in unknown
        else _count_listed(images, facts, split)
        for split in SPLITS[1:]
    ]
    if "train" in unknown:
        return [*counts, SplitCount("train", None, facts.train_images)]
    return [*counts, _count_train(_class_sizes(images), facts)]


def _class_sizes(images: pa.Table) -> dict[str, int]:
    """Return ImageNet wnid → number of train images."""
    train = images.filter(pc.starts_with(images["image"], "n"))
    counts = pa.Table.from_struct_array(pc.value_counts(train["imagenet_wnid"])).to_pydict()
    return dict(zip(counts["values"], counts["counts"], strict=True))


def _count_listed(images: pa.Table, subset: Subset, split: str) -> SplitCount:
    """Count the listed images of a split. The problem names those that the source does not have."""
    rows = listed(subset.number, split)
    names = pa.array([row.image for row in rows])
    found = pc.is_in(names, value_set=images["image"]).to_pylist()
    missing = [row for row, is_found in zip(rows, found, strict=True) if not is_found]
    if not missing:
        return SplitCount(split, len(rows), len(rows))
    in_class = Counter(row.wnid for row in rows)
    missing_in = Counter(row.wnid for row in missing)
    classes = [
        f"{wnid} ({class_names()[wnid]}) {missing_in[wnid]} of {in_class[wnid]}" for wnid in missing_in
    ]
    problem = Problem(
        f"- {subset.name}/{split}: {len(missing):,} of {len(rows):,} listed images missing; "
        f"by class: {first_few(classes)}; the first: {first_few(map(_source_name, missing))}",
        tuple(f"missing {subset.name}/{split} {_source_name(row)}" for row in missing),
    )
    return SplitCount(split, len(rows) - len(missing), len(rows), problem)


def _count_train(class_sizes: dict[str, int], subset: Subset) -> SplitCount:
    """Count the train images of the subset's classes. They should be as many as the official ones."""
    wnids = train_classes(subset.number)
    sizes = {wnid: class_sizes.get(wnid, 0) for wnid in wnids}
    found = sum(sizes.values())
    if found == subset.train_images:
        return SplitCount("train", found, subset.train_images)
    absent = [wnid for wnid, size in sizes.items() if not size]
    unusual = [f"{wnid} ({size:,})" for wnid, size in sizes.items() if size and size not in CLASS_SIZES]
    text = f"- {subset.name}/train: {found:,} images, officially {subset.train_images:,}"
    if absent:
        text += f"; {len(absent)} of {len(wnids)} classes absent or empty: {first_few(absent)}"
    if unusual:
        text += (
            f"; {len(unusual)} classes outside the {CLASS_SIZES[0]}–{CLASS_SIZES[-1]:,} images "
            f"that ImageNet classes have: {first_few(unusual)}"
        )
    names = [f"absent {subset.name}/train {wnid}" for wnid in absent]
    names += [f"unusual size {subset.name}/train {name}" for name in unusual]
    return SplitCount("train", found, subset.train_images, Problem(text, tuple(names)))


def _source_name(row: Listed) -> str:
    folder = "val" if row.image.startswith("ILSVRC") else f"train/{row.imagenet_wnid}"
    return f"{folder}/{row.image}.JPEG"
