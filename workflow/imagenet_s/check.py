"""What must be right before anything is written: is the source complete, can the output take it?

Everything that is wrong is told at once.
"""

import errno
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_s.classes import class_names, train_classes
from imagenet_s.errors import UserError, first_few
from imagenet_s.files import read_json, scratch_folder, write_json
from imagenet_s.links import place
from imagenet_s.listing import read_listing
from imagenet_s.progress import log
from imagenet_s.source import LAYOUTS, Findings
from imagenet_s.splits import Listed, listed
from imagenet_s.subsets import SPLITS, Subset, subset_of
from imagenet_s.tree import is_ours, present_entries

CLASS_SIZES = range(732, 1301)  # train images a class of ImageNet-1k has


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong: what a person reads, and every name of it for the log."""

    text: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """What the source was found to hold: the listed files, the size of each class, the findings."""

    files: pa.Table
    class_sizes: Counter
    findings: list[Findings]


def check(
    subsets: Sequence[int],
    complete: bool,
    link: str,
    listings: Sequence[Path],
    findings: Sequence[Path],
    output: Path,
    receipt: Path,
) -> None:
    """Checks source and output for `subsets`, and writes what was counted to `receipt`.

    `complete` asks for the official train totals. Raises UserError with everything that is wrong; the
    listings are removed then, so that the next run looks at the source again.
    """
    source = read_source(listings, findings)
    troubles = list(source_troubles(source, subsets, complete))
    if not troubles:
        troubles = list(output_troubles(source, subsets, link, output))
    if troubles:
        for path in (*listings, *findings):
            path.unlink(missing_ok=True)
        raise UserError(
            "\n".join(trouble.text for trouble in troubles),
            details=[name for trouble in troubles for name in trouble.names],
        )
    counts = {}
    for subset in map(subset_of, subsets):
        train = sum(source.class_sizes[wnid] for wnid in train_classes(subset.number))
        counts[subset.number] = {"train": train} | {
            split: len(listed(subset.number, split)) for split in SPLITS[1:]
        }
        log.info("%s: %s train images (official %s)", subset.name, train, subset.train_images)
    write_json(receipt, {"layout": source.findings[0].layout, "images": counts})


def read_source(listings: Iterable[Path], findings: Iterable[Path]) -> Source:
    """Puts the listings of several tiers together."""
    files = pa.concat_tables(map(read_listing, listings))
    train = files.filter(pc.starts_with(files["image"], "n"))
    counts = pc.value_counts(train["imagenet_wnid"]).to_pylist()
    sizes = Counter({count["values"]: count["counts"] for count in counts})
    return Source(files, sizes, [Findings(**read_json(path)) for path in findings])


def source_troubles(source: Source, subsets: Sequence[int], complete: bool) -> Iterable[Trouble]:
    """Everything the source lacks for `subsets`."""
    first = source.findings[0]
    if not first.train or not first.val:
        yield _layout_trouble(first)
        return
    strangers = [name for seen in source.findings for name in seen.strangers]
    if strangers:
        log.warning("Left aside in the train folders, as no image of its class: %s", first_few(strangers))
    doubles = [name for seen in source.findings for name in seen.doubles]
    if doubles:
        log.warning("Found twice in the source, the second left aside: %s", first_few(doubles))
    lacking = []
    for subset in map(subset_of, subsets):
        lacking += _missing_listed(source, subset)
        if complete:
            lacking += _short_train(source, subset)
    if lacking:
        yield Trouble(
            f"The source lacks images (looked in {first.train} and {first.val}; layout: {first.layout}).\n"
            "Nothing was written."
        )
        yield from lacking
        yield Trouble(
            "What to do: complete the copy of ImageNet-1k and run the same command again, or point "
            "`imagenet` in config.yaml to another copy."
            + (
                " To build from an incomplete train set on purpose, set `train_images: any`; the "
                "listed images (train-semi, validation, test) are needed all the same."
                if complete
                else ""
            )
        )


def _layout_trouble(seen: Findings) -> Trouble:
    root = Path(seen.root)
    if not root.exists():
        return Trouble(f"`imagenet`: there is no folder {root}. Correct `imagenet` in config.yaml.")
    lacks = " and ".join(name for name in ("train", "val") if not getattr(seen, name))
    understood = "\n".join(f"  {train}/ and {val}/ ({name})" for name, train, val in LAYOUTS)
    return Trouble(
        f"`imagenet`: found no {lacks} folder of ImageNet-1k below {root}.\n"
        f"It holds: {first_few(seen.entries, 12) or 'nothing'}\n"
        f"Understood, in any case of letters:\n{understood}\n"
        "with train/<wnid>/<wnid>_<number>.JPEG, and val images flat or in class folders.\n"
        "Set `imagenet` in config.yaml to the folder that holds both."
    )


def _missing_listed(source: Source, subset: Subset) -> Iterable[Trouble]:
    """The listed images that the source does not have, split by split."""
    for split in SPLITS[1:]:
        rows = listed(subset.number, split)
        names = pa.array([row.image for row in rows])
        found = pc.is_in(names, value_set=source.files["image"]).to_pylist()
        missing = [row for row, there in zip(rows, found, strict=True) if not there]
        if missing:
            wanted = Counter(row.wnid for row in rows)
            lost = Counter(row.wnid for row in missing)
            classes = [f"{wnid} ({class_names()[wnid]}) {lost[wnid]} of {wanted[wnid]}" for wnid in lost]
            yield Trouble(
                f"- {subset.name}/{split}: {len(missing):,} of {len(rows):,} listed images missing; "
                f"by class: {first_few(classes)}; the first: {first_few(map(_source_name, missing))}",
                tuple(f"missing {subset.name}/{split} {_source_name(row)}" for row in missing),
            )


def _short_train(source: Source, subset: Subset) -> Iterable[Trouble]:
    """Where the train images of the subset's classes are not the official number."""
    wnids = train_classes(subset.number)
    found = sum(source.class_sizes[wnid] for wnid in wnids)
    if found == subset.train_images:
        return
    absent = [wnid for wnid in wnids if not source.class_sizes[wnid]]
    odd = [
        f"{wnid} ({source.class_sizes[wnid]:,})"
        for wnid in wnids
        if source.class_sizes[wnid] and source.class_sizes[wnid] not in CLASS_SIZES
    ]
    text = f"- {subset.name}/train: {found:,} images, officially {subset.train_images:,}"
    if absent:
        text += f"; {len(absent)} of {len(wnids)} classes absent or empty: {first_few(absent)}"
    if odd:
        text += (
            f"; {len(odd)} classes outside the {CLASS_SIZES[0]}–{CLASS_SIZES[-1]:,} images "
            f"that ImageNet classes have: {first_few(odd)}"
        )
    names = [f"absent {subset.name}/train {wnid}" for wnid in absent]
    yield Trouble(text, (*names, *(f"odd size {subset.name}/train {name}" for name in odd)))


def _source_name(row: Listed) -> str:
    folder = "val" if row.image.startswith("ILSVRC") else f"train/{row.imagenet_wnid}"
    return f"{folder}/{row.image}.JPEG"


def output_troubles(source: Source, subsets: Sequence[int], link: str, output: Path) -> Iterable[Trouble]:
    """What keeps the output from being written: its place, its folders, the links it needs."""
    root = Path(source.findings[0].root).resolve()
    if output.resolve().is_relative_to(root):
        yield Trouble(
            f"`output` ({output.resolve()}) lies inside the source ({root}), which is never written to. "
            "Set `output` in config.yaml to a folder elsewhere."
        )
        return
    for subset in map(subset_of, subsets):
        folder = output / subset.name
        foreign = [] if is_ours(output, subset.number) else present_entries(folder)
        if foreign:
            yield Trouble(
                f"{folder} was not made by this pipeline; it holds: {first_few(foreign)}. "
                "It is left as it is. Move it away, or set another `output` in config.yaml."
            )
    yield from _link_troubles(source, link, output)


def _link_troubles(source: Source, link: str, output: Path) -> Iterable[Trouble]:
    """Tries each kind of link the build will make, on a train image and a val image."""
    samples = source.files["path"].take([0, len(source.files) - 1]).to_pylist()
    try:
        with scratch_folder(output / "work" / "tmp" / "check") as scratch:
            own = scratch / "own"
            own.write_bytes(b"")
            trials = [("hardlink", str(own))]  # masks, and copied images, are linked into the trees
            if link != "copy":
                trials += [(link, path) for path in samples]
            for k, (kind, target) in enumerate(trials):
                try:
                    place(target, scratch / f"trial-{k}", kind, scratch)
                except OSError as error:
                    yield _link_trouble(kind, target, output, error)
                    return
    except OSError as error:
        yield Trouble(f"`output`: cannot write to {output}: {error.strerror}.")


def _link_trouble(kind: str, target: str, output: Path, error: OSError) -> Trouble:
    reasons = {
        errno.EXDEV: "they are on different file systems",
        errno.EPERM: "the system forbids links to files of another owner (protected_hardlinks), "
        "or the file system has no such links",
        errno.EOPNOTSUPP: "the file system does not support it",
        errno.ENOTTY: "the file system does not support it",
        errno.EINVAL: "the file system does not support it",
    }
    reason = reasons.get(error.errno, error.strerror)
    if kind == "hardlink" and Path(target).parent.name == "check":
        advice = "The output needs a file system with hard links; set another `output`."
    else:
        advice = "Set `link: symlink` (no space needed) or `link: copy` in config.yaml."
    return Trouble(f"`link: {kind}`: no {kind} from {output} to {target}: {reason}. {advice}")
