"""The report of `inspect`, as text and as JSON."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from tabulate import tabulate

from imagenet_s.io.json_output import STDOUT, write_json_output
from imagenet_s.preflight.archive_check import describe_places
from imagenet_s.preflight.disk_space import IMAGES
from imagenet_s.preflight.inspect import Checks, ImageSet, Inspection, Prospect, inspect
from imagenet_s.preflight.official_archives import Archive
from imagenet_s.runtime.errors import MOST_NAMES, first_few
from imagenet_s.runtime.full_list import list_in_full
from imagenet_s.runtime.problems import problem_json
from imagenet_s.runtime.units import size_text
from imagenet_s.spec.subsets import SUBSETS, subset_name
from imagenet_s.workspace.output_guard import check_json_path

SCHEMA = "urn:imagenet-s:inspect:1"
CLASSES = 1000  # in ImageNet-1k

# What the verdict says of subsets, by `can_be_built` and `train_images` of their prospects.
PHRASES = {
    ("yes", "complete"): "can be built{}",
    ("yes", "any"): "can be built{} with `train_images: any`",
    ("unknown", "complete"): "can probably be built{}",
    ("unknown", "any"): "can probably be built{} with `train_images: any`",
    ("no", None): "cannot be built{}",
}


def print_report(
    path: Path, val: Path | None, subset: Sequence[int] | None, checks: Checks, json: Path | None
) -> int:
    """Print the report of `inspect`.

    Args:
        path: The folder of the copy.
        val: Where val is, if `path` is that of train alone.
        subset: The subsets to report on in detail; None for a short report on all.
        checks: What to check beside the names and sizes of the files.
        json: Where to write the report as JSON; see `write_json_output`.

    Returns:
        The exit code: 0 if each given subset can be built, or one of all, and nothing is faulty.
    """
    check_json_path(json, path)
    asked = sorted(set(subset or SUBSETS))
    found = inspect(Path(os.path.abspath(path)), asked, checks, Path(os.path.abspath(val)) if val else None)
    if json != STDOUT:
        print(*report_lines(found, detailed=bool(subset)), sep="\n")
    if json:
        write_json_output(report_document(found), json)
    for problem in found.problems:
        list_in_full(problem.names, len(problem.names) > MOST_NAMES)
    for problem in (problem for prospect in found.prospects for problem in prospect.problems):
        # A short report names none of them, and ends with the lines for config.yaml.
        list_in_full(problem.names, bool(subset) and len(problem.names) > MOST_NAMES)
    possible = [prospect.train_images is not None for prospect in found.prospects]
    enough = bool(possible) and (all(possible) if subset else any(possible))
    return 0 if enough and not found.changed_archives and not found.faults else 1


def report_lines(found: Inspection, detailed: bool) -> Iterator[str]:
    """Yield the lines of the report. `detailed` ones say what each subset lacks."""
    yield verdict(found)
    yield from _text(found).splitlines()[1:]
    if found.sets or found.archives:
        yield ""
    if found.sets:
        yield f"source   {found.root} ({found.layout})"
        yield from (f"{kind:<8} {_count_text(kind, images)}" for kind, images in found.sets.items())
    if found.unused:
        yield f"unused   {first_few(found.unused)}"
    if found.dangling:
        yield f"links    {len(found.dangling):,} lead to nothing: {first_few(found.dangling)}"
    if found.differing:
        yield f"twice    {len(found.differing):,} with different sizes: {first_few(found.differing, 2)}"
    for archive in found.archives:
        yield from _archive_lines(archive)
    if found.decoded:
        yield f"images   {found.decoded.images:,} decoded, {len(found.decoded.faults):,} faulty"
        yield from found.decoded.faults
    if any(split.found is not None for prospect in found.prospects for split in prospect.splits):
        yield from ("", _table(found.prospects))
    if any(prospect.problems for prospect in found.prospects):
        yield ""
        if detailed:
            yield from (problem.text for prospect in found.prospects for problem in prospect.problems)
        yield f"{'' if detailed else '`--subset N` says what a subset lacks; '}`--json` names every image."
    if values := found.to_configure():
        yield from (
            "",
            "Lines for config.yaml, with any output you like; then run `imagenet-s plan`:",
            "",
        )
        yield from config_lines(values)


def report_document(found: Inspection) -> dict[str, Any]:
    """Return the report as JSON: see workflow/schemas/inspect.schema.json."""
    return {
        "schema": SCHEMA,
        "verdict": verdict(found),
        "path": found.path,
        "val": found.val,
        "problems": list(map(problem_json, found.problems)),
        "root": found.root,
        "layout": found.layout,
        "sets": {kind: images._asdict() for kind, images in (found.sets or {}).items()},
        "unused": list(found.unused),
        "dangling": list(found.dangling),
        "differing": list(found.differing),
        "subsets": {subset_name(prospect.subset): _prospect_json(prospect) for prospect in found.prospects},
        "archives": [archive._asdict() for archive in found.archives],
        "decoded": found.decoded._asdict() if found.decoded else None,
        "config": found.to_configure() or None,
    }


def verdict(found: Inspection) -> str:
    """Return in one line what can be built, or why not."""
    if found.problems:
        return f"Nothing can be built: {_text(found).partition(chr(10))[0]}"
    clauses: list[str] = []
    for key, phrase in PHRASES.items():
        some = [x for x in found.prospects if (x.can_be_built, x.train_images) == key]
        if some:
            names = _and([subset_name(prospect.subset) for prospect in some])
            clauses.append(f"{names} {phrase.format('' if clauses else f' from {found.origin}')}")
    sentences = [f"{'; '.join(clauses)}."]
    if any(prospect.can_be_built == "unknown" for prospect in found.prospects):
        sentences.append("What its files hold is only known once they are read.")
    if found.changed_archives:
        sentences.append(f"Not the official bytes: {_and(found.changed_archives)}. Get them again.")
    if found.faults:
        sentences.append(f"{len(found.faults):,} images or archives are faulty: get them again.")
    return " ".join(sentences)


def config_lines(values: Mapping[str, object]) -> list[str]:
    """Return settings as YAML, each in a line."""
    return [f"{key}: {_yaml(value)}" for key, value in values.items()]


def _yaml(value: object) -> str:
    """Return a value as YAML in one line: what cannot be printed is escaped, in double quotes."""
    style = '"' if isinstance(value, str) and not value.isprintable() else None
    text: str = yaml.safe_dump(
        [value], default_style=style, default_flow_style=True, allow_unicode=True, width=float("inf")
    )
    return text.strip().removeprefix("[").removesuffix("]")


def places_text(names: Sequence[str]) -> str:
    """Return the places of train or val images for a reader: sets of numbered files as one."""
    if len(names) == 1:
        return names[0]
    return f"{len(names):,} files: {', '.join(describe_places(map(Path, names)))}"


def _text(found: Inspection) -> str:
    return "\n".join(problem.text for problem in found.problems)


def _prospect_json(prospect: Prospect) -> dict[str, Any]:
    return {
        "can_be_built": prospect.can_be_built,
        "train_images": prospect.train_images,
        "splits": {
            split.split: {"found": split.found, "expected": split.expected} for split in prospect.splits
        },
        "problems": list(map(problem_json, prospect.problems)),
    }


def _count_text(kind: str, images: ImageSet) -> str:
    """Return how many images of any class there are and where, in words."""
    where = f"in {places_text(images.places)}"
    if images.images is None:
        return f"{size_text(images.bytes or 0)}, not counted yet, {where}"
    text = f"{images.images:,} of {IMAGES[kind]:,} images"
    if images.classes is not None:
        text += f", {images.classes:,} of {CLASSES:,} classes"
    return f"{text}, {where}"


def _table(prospects: Sequence[Prospect]) -> str:
    """Return a table of how many images of each split there are, of how many."""
    head = ["", *(split.split for split in prospects[0].splits)]
    rows = [
        [subset_name(prospect.subset)]
        + [
            f"{'?' if split.found is None else f'{split.found:,}'} / {split.expected:,}"
            for split in prospect.splits
        ]
        for prospect in prospects
    ]
    alignment = ["left", *["right"] * (len(head) - 1)]
    return tabulate([head, *rows], tablefmt="plain", colalign=alignment, disable_numparse=True)


def _archive_lines(archive: Archive) -> Iterator[str]:
    """Yield lines that compare an archive with the official one."""
    same = archive.bytes == archive.official_bytes
    verdict = "as the official one" if same else f"the official one has {archive.official_bytes:,}"
    yield f"size     {archive.name}: {archive.bytes:,} bytes, {verdict}"
    if archive.md5:
        same = archive.md5 == archive.official_md5
        verdict = "as the official one" if same else f"the official one is {archive.official_md5}"
        yield f"md5      {archive.name}: {archive.md5}, {verdict}"


def _and(names: Sequence[str]) -> str:
    """Return names as in a sentence: `a, b and c`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
