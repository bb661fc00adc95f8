"""What must be right before anything is written: is the source complete, can the output take it?

Everything that is wrong is told at once.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_s.config.build_request import BuildRequest
from imagenet_s.io.atomic import dump_json
from imagenet_s.io.links import link_problems, no_link_from_archives
from imagenet_s.io.receipts import receipts
from imagenet_s.preflight.archive_check import archive_problems
from imagenet_s.preflight.completeness import Inventory, lacking
from imagenet_s.preflight.disk_space import Space, SpaceEstimate, needs, size_text, space_at
from imagenet_s.preflight.wrong_folder import empty_place_problems, layout_problem
from imagenet_s.runtime.errors import first_few
from imagenet_s.runtime.problems import Problem, require_none
from imagenet_s.runtime.progress import log
from imagenet_s.source.layouts import find_places
from imagenet_s.source.listing import (
    all_files,
    listing_of,
    read_listing,
    require_same_archives,
    write_listing,
)
from imagenet_s.source.scan import SourceScan, dangling_links, list_tier, names_ahead, read_scan, scan_json
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.shards import tiers
from imagenet_s.workspace.ownership import foreign_folder
from imagenet_s.workspace.paths import Workspace

IMAGES = pa.schema([("image", pa.string()), ("imagenet_wnid", pa.string())])


def check_and_list(tier: int, request: BuildRequest, folder: Path) -> None:
    """Lists one tier of the source into `folder`, once all that the build needs was found to be there.

    Writes `folder/<tier>.parquet`, a listing, and `folder/<tier>.json`, the findings. Lower tiers are
    read from there; higher ones are looked at as well, so that a build that cannot end never begins.
    Raises UserError with everything that is wrong.
    """
    imagenet = Path(os.path.abspath(request.imagenet))  # as the tree's links must be
    asked = tiers({tier, *request.subsets})
    lower = [folder / f"{t}.parquet" for t in asked if t < tier]
    listings = [read_listing(path) for path in lower]
    for listing in listings:
        require_same_archives(listing)
    findings = [read_scan(path.with_suffix(".json")) for path in lower]
    further = scan_source(imagenet, [t for t in asked if t >= tier], Index(folder / "index.parquet"))
    listings, findings = listings + further[0], findings + further[1]
    _tell_oddities(findings, request.link)
    require_none(find_problems(listings, findings, request))
    with receipts([folder / f"{tier}.parquet", folder / f"{tier}.json"]) as (listed, found):
        write_listing(listings[len(lower)], listed)
        dump_json(scan_json(findings[len(lower)]), found)


def scan_source(
    imagenet: Path, wanted: Sequence[int], index: Index
) -> tuple[list[pa.Table], list[SourceScan]]:
    """The listing of each of the `wanted` tiers, and what was found with it; saves the index.

    Raises UserError for archives that are missing or none, before any is read, and as `list_tier` does.
    """
    require_none(archive_problems(find_places(imagenet)))
    listings, findings = [], []
    for tier in wanted:
        rows, seen = list_tier(imagenet, tier, index)
        index.save()
        listings.append(listing_of(rows, seen.fingerprints))
        findings.append(seen)
    return listings, findings


def find_problems(
    listings: Sequence[pa.Table], findings: Sequence[SourceScan], request: BuildRequest
) -> list[Problem]:
    """Everything that keeps a build from being made: of the source, or else of the output."""
    files = all_files(listings)
    found = source_problems(files, findings, request.subsets, request.complete)
    return found or list(output_problems(files, findings, request))


def _tell_oddities(findings: Sequence[SourceScan], link: str) -> None:
    unrecognized = [name for seen in findings for name in seen.unrecognized]
    if unrecognized:
        log.warning("Left aside, as no image of its class: %s", first_few(unrecognized))
    duplicates = [name for seen in findings for name in seen.duplicates]
    if duplicates:
        log.warning("Found twice in the source, the second left aside: %s", first_few(duplicates))
    if dangling := dangling_links(findings):
        log.warning("Links in the source that lead to nothing: %s", first_few(dangling))
    if findings[0].unused:
        log.warning("Found as well, and left aside: %s", first_few(findings[0].unused))
    first = findings[0]
    for kind, places in (("train", first.train), ("val", first.val)):
        if len(places) > 1 and kind not in first.one_pass:
            counts = [f"{sum(seen.sources.get(p, 0) for seen in findings):,} from {p}" for p in places]
            log.warning("Several places hold %s images; the first comes first: %s", kind, ", ".join(counts))
    pooled = sorted({kind for seen in findings for kind in seen.pooled})
    if link == "auto" and pooled:
        log.warning(
            "link: auto: images from archives (%s) are copied once into the output's pool, and linked from "
            "there",
            ", ".join(pooled),
        )


def source_problems(
    files: pa.Table, findings: Sequence[SourceScan], subsets: Sequence[int], complete: bool
) -> list[Problem]:
    """Everything the source lacks for `subsets`, but for what only reading it in one pass can tell."""
    seen = findings[0]
    if not seen.train or not seen.val:
        return [layout_problem(seen)]
    if barren := empty_place_problems(findings):
        return barren
    where = f"{', '.join(seen.train + seen.val)}; layout: {seen.layout}"
    if seen.unused:
        where += f"; left aside: {', '.join(seen.unused)}"
    images, unknown = known_images(files, seen)
    empty = [name for seen in findings for name in seen.empty]
    inventory = Inventory(images, where, unknown, empty, dangling_links(findings))
    return lacking(inventory, subsets, complete)


def known_images(files: pa.Table, seen: SourceScan) -> tuple[pa.Table, list[str]]:
    """`image` and `imagenet_wnid` of all that is known to be there; the sets of which nothing is known."""
    names, unknown = names_ahead(seen)
    # A val image's name does not tell its class, which nobody asks for here.
    ahead = pa.table([names, [name.partition("_")[0] for name in names]], IMAGES)
    return pa.concat_tables([files.select(IMAGES.names), ahead]), unknown


def output_problems(
    files: pa.Table, findings: Sequence[SourceScan], request: BuildRequest
) -> Iterable[Problem]:
    """What keeps the output from being written: its place, its folders, the links and the space it needs."""
    first, output, link = findings[0], request.output, request.link
    for folder in (first.root, *first.train, *first.val):
        if output.resolve().is_relative_to(Path(folder).resolve()):
            yield Problem(
                f"`output` ({output.resolve()}) lies inside the source ({folder}), which is never written "
                "to. Set `output` in config.yaml to a folder elsewhere."
            )
            return
    for subset in request.subsets:
        yield from map(Problem, foreign_folder(output, subset))
    yield from _space_problems(needs(files, findings, request), space_at(output))
    in_archives = files["offset"].is_valid()
    archives = pc.unique(files.filter(in_archives)["path"]).to_pylist()
    archives += [str(place) for kind in first.one_pass for place in first.places(kind)]
    if link not in ("auto", "copy") and archives:
        yield Problem(no_link_from_archives(link, archives))
        return
    own = files.filter(pc.invert(in_archives))["path"]
    samples = [own[k].as_py() for k in (0, -1)] if len(own) else []
    yield from map(Problem, link_problems(samples, link, output, Workspace(output).tmp))


def _space_problems(wanted: Sequence[SpaceEstimate], space: Space) -> Iterable[Problem]:
    files, size = sum(need.files for need in wanted), sum(need.bytes for need in wanted)
    largest = sorted(wanted, key=lambda need: (need.bytes, need.files), reverse=True)
    parts = first_few((f"{need.what}: {size_text(need.bytes)}, {need.files:,} files" for need in largest), 2)
    advice = f"({parts}). Make room there, or set `output` in config.yaml to another disk."
    if size > space.bytes:
        yield Problem(
            f"`output`: {space.folder} has {size_text(space.bytes)} free, and the build needs about "
            f"{size_text(size)} {advice}"
        )
    if space.files is not None and files > space.files:
        yield Problem(
            f"`output`: the file system of {space.folder} takes {space.files:,} further files (inodes), and "
            f"the build makes about {files:,} {advice}"
        )
