"""Is a source complete? What it lacks of what the official lists ask for, all of it at once."""

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

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
    """The images that a source has, and what else is known of it.

    `images`: a table with the columns `image` and `imagenet_wnid`; `where`: the places that were searched;
    `unknown`: the sets (`train`, `val`) whose images only reading them will tell; `empty`: the listed images
    without bytes; `dangling`: links that lead to nothing.
    """

    images: pa.Table
    where: str
    unknown: Container[str] = ()
    empty: Sequence[str] = ()
    dangling: Sequence[str] = ()


def lacking(inventory: Inventory, subsets: Sequence[int], complete: bool) -> list[Problem]:
    """Return what a source lacks of what `subsets` need; `complete` asks for the official train totals."""
    empty, dangling = inventory.empty, inventory.dangling
    found = [gap for subset in subsets for gap in gaps(inventory.images, subset, complete, inventory.unknown)]
    if empty:
        found.append(Problem(f"- {len(empty):,} listed images are empty: {first_few(empty)}", tuple(empty)))
    if not found:
        return []
    advice = (
        "What to do: complete the copy of ImageNet-1k and run the same command again, or point `imagenet` in "
        "config.yaml to another copy."
    )
    if dangling:
        text = f"- {len(dangling):,} links lead to nothing: {first_few(dangling)}"
        found.insert(0, Problem(text, tuple(dangling)))  # it may explain the rest
        advice = (
            "What to do: bring back or mount what the links lead to, then run the same command again. If "
            "images are missing all the same, complete the copy of ImageNet-1k."
        )
    if complete:
        advice += (
            " To build from an incomplete train set on purpose, set `train_images: any`; the listed images "
            "(train-semi, validation, test) are needed all the same."
        )
    beginning = (
        f"The source lacks images (looked in {inventory.where}).\nNothing was written into the data set."
    )
    return [Problem(beginning), *found, Problem(advice)]


def gaps(images: pa.Table, subset: int, complete: bool, unknown: Container[str] = ()) -> list[Problem]:
    """The same for one subset, without advice."""
    found = list(_missing_listed(images, subset_of(subset), unknown))
    if complete and "train" not in unknown:
        found += _short_train(_class_sizes(images), subset_of(subset))
    return found


def _class_sizes(images: pa.Table) -> dict[str, int]:
    """ImageNet wnid → number of train images."""
    train = images.filter(pc.starts_with(images["image"], "n"))
    counts = pc.value_counts(train["imagenet_wnid"]).to_pylist()
    return {count["values"]: count["counts"] for count in counts}


def _missing_listed(images: pa.Table, subset: Subset, unknown: Container[str]) -> Iterable[Problem]:
    """The listed images that the source does not have, split by split."""
    for split in SPLITS[1:]:
        if SET_OF[split] in unknown:
            continue
        rows = listed(subset.number, split)
        names = pa.array([row.image for row in rows])
        found = pc.is_in(names, value_set=images["image"]).to_pylist()
        missing = [row for row, there in zip(rows, found, strict=True) if not there]
        if missing:
            wanted = Counter(row.wnid for row in rows)
            lost = Counter(row.wnid for row in missing)
            classes = [f"{wnid} ({class_names()[wnid]}) {lost[wnid]} of {wanted[wnid]}" for wnid in lost]
            yield Problem(
                f"- {subset.name}/{split}: {len(missing):,} of {len(rows):,} listed images missing; "
                f"by class: {first_few(classes)}; the first: {first_few(map(_source_name, missing))}",
                tuple(f"missing {subset.name}/{split} {_source_name(row)}" for row in missing),
            )


def _short_train(class_sizes: dict[str, int], subset: Subset) -> Iterable[Problem]:
    """Where the train images of the subset's classes are not the official number."""
    wnids = train_classes(subset.number)
    sizes = {wnid: class_sizes.get(wnid, 0) for wnid in wnids}
    found = sum(sizes.values())
    if found == subset.train_images:
        return
    absent = [wnid for wnid, size in sizes.items() if not size]
    odd = [f"{wnid} ({size:,})" for wnid, size in sizes.items() if size and size not in CLASS_SIZES]
    text = f"- {subset.name}/train: {found:,} images, officially {subset.train_images:,}"
    if absent:
        text += f"; {len(absent)} of {len(wnids)} classes absent or empty: {first_few(absent)}"
    if odd:
        text += (
            f"; {len(odd)} classes outside the {CLASS_SIZES[0]}–{CLASS_SIZES[-1]:,} images "
            f"that ImageNet classes have: {first_few(odd)}"
        )
    names = [f"absent {subset.name}/train {wnid}" for wnid in absent]
    yield Problem(text, (*names, *(f"odd size {subset.name}/train {name}" for name in odd)))


def _source_name(row: Listed) -> str:
    folder = "val" if row.image.startswith("ILSVRC") else f"train/{row.imagenet_wnid}"
    return f"{folder}/{row.image}.JPEG"
