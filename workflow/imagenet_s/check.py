"""What must be right before anything is written: is the source complete, can the output take it?

Everything that is wrong is told at once.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_s.classes import class_names, train_classes
from imagenet_s.errors import UserError, first_few
from imagenet_s.files import read_json, write_json
from imagenet_s.links import link_troubles
from imagenet_s.listing import listing_of, read_listing, write_listing
from imagenet_s.owner import foreign_folder
from imagenet_s.parts import tiers
from imagenet_s.progress import log
from imagenet_s.source import LAYOUTS, WNID, Findings, list_tier
from imagenet_s.splits import Listed, listed
from imagenet_s.subsets import SPLITS, Subset, subset_of

CLASS_SIZES = range(732, 1301)  # train images a class of ImageNet-1k has


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong: what a person reads, and every name of it for the log."""

    text: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """What the source was found to hold: its files, the size of each train class, the findings."""

    files: pa.Table
    class_sizes: dict[str, int]
    findings: list[Findings]


def check_and_list(
    tier: int, imagenet: Path, subsets: Sequence[int], complete: bool, link: str, output: Path, folder: Path
) -> None:
    """Lists one tier of the source into `folder`, once all that `subsets` need was found to be there.

    Writes `folder/<tier>.parquet`, a listing, and `folder/<tier>.json`, the findings. Lower tiers are
    read from there; higher ones are looked at as well, so that a build that cannot end never begins.
    `complete` asks for the official train totals. Raises UserError with everything that is wrong.
    """
    listings, findings = [], []
    for t in tiers({tier, *subsets}):
        path = folder / f"{t}.parquet"
        if t < tier:
            listings.append(read_listing(path))
            findings.append(Findings(**read_json(path.with_suffix(".json"))))
        else:
            rows, seen = list_tier(imagenet, t)
            listings.append(listing_of(rows))
            findings.append(seen)
    _tell_oddities(findings)
    source = source_of(listings, findings)
    troubles = list(source_troubles(source, subsets, complete))
    if not troubles:
        troubles = list(output_troubles(source, subsets, link, output))
    if troubles:
        raise UserError(
            "\n".join(trouble.text for trouble in troubles),
            details=[name for trouble in troubles for name in trouble.names],
        )
    own = tiers({tier, *subsets}).index(tier)
    write_listing(listings[own], folder / f"{tier}.parquet")
    write_json(folder / f"{tier}.json", asdict(findings[own]))


def source_of(listings: Sequence[pa.Table], findings: list[Findings]) -> Source:
    """Puts the listings of several tiers together."""
    files = pa.concat_tables(listings)
    train = files.filter(pc.starts_with(files["image"], "n"))
    counts = pc.value_counts(train["imagenet_wnid"]).to_pylist()
    return Source(files, {count["values"]: count["counts"] for count in counts}, findings)


def _tell_oddities(findings: Sequence[Findings]) -> None:
    strangers = [name for seen in findings for name in seen.strangers]
    if strangers:
        log.warning("Left aside in the train folders, as no image of its class: %s", first_few(strangers))
    doubles = [name for seen in findings for name in seen.doubles]
    if doubles:
        log.warning("Found twice in the source, the second left aside: %s", first_few(doubles))


def source_troubles(source: Source, subsets: Sequence[int], complete: bool) -> Iterable[Trouble]:
    """Everything the source lacks for `subsets`."""
    first = source.findings[0]
    if not first.train or not first.val:
        yield _layout_trouble(first)
        return
    lacking = []
    for subset in map(subset_of, subsets):
        lacking += _missing_listed(source, subset)
        if complete:
            lacking += _short_train(source, subset)
    empty = [name for seen in source.findings for name in seen.empty]
    if empty:
        lacking.append(Trouble(f"- {len(empty):,} listed images are empty: {first_few(empty)}", tuple(empty)))
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
    if not root.is_dir():
        return Trouble(f"`imagenet`: {root} is a file. Give the folder that holds it.")
    if seen.entries and all(WNID.fullmatch(name) for name in seen.entries):
        return Trouble(
            f"`imagenet`: {root} looks like the train folder itself. Set `imagenet` in config.yaml to the "
            f"folder that holds it and the val folder: {root.parent}"
        )
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
    sizes = {wnid: source.class_sizes.get(wnid, 0) for wnid in wnids}
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
    yield Trouble(text, (*names, *(f"odd size {subset.name}/train {name}" for name in odd)))


def _source_name(row: Listed) -> str:
    folder = "val" if row.image.startswith("ILSVRC") else f"train/{row.imagenet_wnid}"
    return f"{folder}/{row.image}.JPEG"


def output_troubles(source: Source, subsets: Sequence[int], link: str, output: Path) -> Iterable[Trouble]:
    """What keeps the output from being written: its place, its folders, the links it needs."""
    first = source.findings[0]
    for folder in (first.root, first.train, first.val):
        if output.resolve().is_relative_to(Path(folder).resolve()):
            yield Trouble(
                f"`output` ({output.resolve()}) lies inside the source ({folder}), which is never written "
                "to. Set `output` in config.yaml to a folder elsewhere."
            )
            return
    for subset in subsets:
        yield from map(Trouble, foreign_folder(output, subset))
    samples = source.files["path"].take([0, len(source.files) - 1]).to_pylist()
    yield from map(Trouble, link_troubles(samples, link, output))
