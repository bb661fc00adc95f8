"""The check before a build writes anything: is the source complete, and is the output suitable?

All problems are reported at once.
"""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_s.config.build_request import BuildRequest
from imagenet_s.io.atomic import dump_json
from imagenet_s.io.links import link_problems, no_link_from_archives
from imagenet_s.io.receipts import receipts
from imagenet_s.preflight.archive_check import archive_problems, describe_places, place_or_set
from imagenet_s.preflight.completeness import Inventory, missing_images
from imagenet_s.preflight.disk_space import Space, SpaceEstimate, estimate_space, part_bytes, space_at
from imagenet_s.preflight.wrong_folder import source_folder_problems
from imagenet_s.runtime.errors import first_few
from imagenet_s.runtime.problems import Problem, require_none
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.units import size_text
from imagenet_s.source.hub_cache import describe_snapshot
from imagenet_s.source.layouts import find_places, is_version
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

IMAGES = pa.schema([pa.field("image", pa.string()), pa.field("imagenet_wnid", pa.string())])


def check_and_list(tier: int, request: BuildRequest, folder: Path) -> None:
    """Check that a build can be made, then list one tier of the source into `folder`.

    Writes `folder/<tier>.parquet`, a listing, and `folder/<tier>.json`, a scan. Lower tiers are read from
    there. Higher tiers that are asked for are scanned too, so that a build that cannot be finished never
    begins.

    Raises:
        UserError: The source is incomplete, or the output cannot take the build. The text has all problems.
    """
    # Links in the data set need absolute paths.
    imagenet = Path(os.path.abspath(request.imagenet))
    val = request.val and Path(os.path.abspath(request.val))
    asked = tiers({tier, *request.subsets})
    lower = [folder / f"{t}.parquet" for t in asked if t < tier]
    listings = [read_listing(path) for path in lower]
    for listing in listings:
        require_same_archives(listing)
    scans = [read_scan(path.with_suffix(".json")) for path in lower]
    new_listings, new_scans = scan_source(
        imagenet, [t for t in asked if t >= tier], Index(folder / "index.parquet"), val
    )
    listings, scans = listings + new_listings, scans + new_scans
    _log_warnings(scans, request.link)
    require_none(find_problems(listings, scans, request))
    with receipts([folder / f"{tier}.parquet", folder / f"{tier}.json"]) as (listing_path, scan_path):
        new_scans[0].part_bytes = part_bytes(new_listings[0], tier)
        write_listing(new_listings[0], listing_path)
        dump_json(scan_json(new_scans[0]), scan_path)


def scan_source(
    imagenet: Path, wanted: Sequence[int], index: Index, val: Path | None = None
) -> tuple[list[pa.Table], list[SourceScan]]:
    """Return the listing and the scan of each of the `wanted` tiers. Saves the index after each.

    Raises:
        UserError: Archives are missing, damaged or not archives (missing ones are found before any is read),
            or the source is a cache of the Hugging Face hub, and which revision to read is not known.
    """
    places = find_places(imagenet, val)
    for root in dict.fromkeys(places.roots):
        if root not in (imagenet, val) and root.is_dir():  # in the hub's cache
            log.info("Reading %s", describe_snapshot(root))
    require_none(archive_problems(places))
    listings, scans = [], []
    for tier in wanted:
        rows, scan = list_tier(imagenet, tier, index, val)
        index.save()
        listings.append(listing_of(rows, scan.fingerprints))
        scans.append(scan)
    return listings, scans


def find_problems(
    listings: Sequence[pa.Table], scans: Sequence[SourceScan], request: BuildRequest
) -> list[Problem]:
    """Return everything that prevents a build: in the source, or if it is complete, in the output."""
    files = all_files(listings)
    problems = source_problems(files, scans, request.subsets, request.complete)
    return problems or list(output_problems(files, scans, request))


def _log_warnings(scans: Sequence[SourceScan], link: str) -> None:
    unrecognized = [name for scan in scans for name in scan.unrecognized]
    if unrecognized:
        log.warning("Skipped, because they are not images of their class: %s", first_few(unrecognized))
    # The scans of two tiers may find the same file.
    duplicates = dict.fromkeys(name for scan in scans for name in scan.duplicates)
    if duplicates:
        log.warning("Images found twice in the source; these files are not used: %s", first_few(duplicates))
    if differing := dict.fromkeys(name for scan in scans for name in scan.differing):
        log.warning(
            "Images found twice with different sizes; the first of two files is used, and only one can be "
            "the original: %s",
            first_few(differing, 2),
        )
    if dangling := dangling_links(scans):
        log.warning("Links in the source lead to nothing: %s", first_few(dangling))
    _log_places(scans)
    pooled = sorted({kind for scan in scans for kind in scan.pooled})
    if link == "auto" and pooled:
        log.warning(
            "link: auto: images from archives (%s) are copied once into the output's pool, and linked from "
            "there",
            ", ".join(pooled),
        )


def _log_places(scans: Sequence[SourceScan]) -> None:
    """Log which of several places are used, and which were recognised only by what they hold."""
    first = scans[0]
    for kind in ("train", "val"):
        if recognised := [str(place) for place in first.places(kind) if str(place) in first.by_content]:
            log.warning("Recognised by what it holds: %s images in %s", kind, first_few(recognised))
    newest = _version_folders([*first.train, *first.val])
    older = _version_folders(first.unused) - newest
    if newest and older:
        names = [first_few(sorted(folders)) for folders in (newest, older)]
        log.warning("Several versions of a TFDS data set found; using %s, not %s", *names)
    if first.unused:
        log.warning("Also found, but not used: %s", first_few(first.unused))
    for kind in ("train", "val"):
        counts: Counter[str] = Counter()
        for place in first.places(kind):
            counts[place_or_set(place)] += sum(scan.sources.get(str(place), 0) for scan in scans)
        if len(counts) > 1 and kind not in first.one_pass:
            log.warning(
                "%s images found in several locations; earlier ones take precedence: %s",
                kind.capitalize(),
                ", ".join(f"{count:,} from {place}" for place, count in counts.items()),
            )


def _version_folders(paths: Iterable[str]) -> set[str]:
    """Return the folders of the files, as far as they are versions of TFDS's data set."""
    return {os.path.dirname(path) for path in paths if is_version(Path(path).parent)}


def source_problems(
    files: pa.Table, scans: Sequence[SourceScan], subsets: Sequence[int], complete: bool
) -> list[Problem]:
    """Return everything that the source lacks for `subsets`, as far as this is known without reading it all.

    Args:
        files: The listings of all tiers of the subsets.
        scans: The scans of these tiers.
        subsets: Numbers of subsets.
        complete: Whether the official number of train images is required.
    """
    scan = scans[0]
    if problems := source_folder_problems(scans):
        return problems
    places = describe_places(scan.places("train") + scan.places("val"))
    where = f"{', '.join(places)}; layout: {scan.layout}"
    if scan.unused:
        where += f"; not used: {', '.join(scan.unused)}"
    images, unknown = known_images(files, scan)
    empty = [name for scan in scans for name in scan.empty]
    inventory = Inventory(images, where, unknown, empty, dangling_links(scans))
    return missing_images(inventory, subsets, complete)


def known_images(files: pa.Table, scan: SourceScan) -> tuple[pa.Table, list[str]]:
    """Return the images that are known to be there, and the sets of which nothing is known before reading.

    The images are a table with the columns of `IMAGES`.
    """
    names, unknown = names_ahead(scan)
    # The name of a val image does not tell its class; only the classes of train images are counted.
    ahead = pa.table({"image": names, "imagenet_wnid": [name.partition("_")[0] for name in names]}, IMAGES)
    return pa.concat_tables([files.select(IMAGES.names), ahead]), unknown


def output_problems(files: pa.Table, scans: Sequence[SourceScan], request: BuildRequest) -> Iterable[Problem]:
    """Yield what prevents writing the output: its location, its folders, the space and the links it needs."""
    first, output, link = scans[0], request.output, request.link
    for folder in (*first.roots, *first.places("train"), *first.places("val")):
        if output.resolve().is_relative_to(folder.resolve()):
            yield Problem(
                f"`output` ({output.resolve()}) lies inside the source ({folder}), which is never written "
                "to. Set `output` in config.yaml to a folder elsewhere."
            )
            return
    for subset in request.subsets:
        yield from map(Problem, foreign_folder(output, subset))
    yield from space_problems(estimate_space(files, scans, request), space_at(output))
    in_archives = files["offset"].is_valid()
    archives = [str(path) for path in pc.unique(files.filter(in_archives)["path"]).to_pylist()]
    archives += [str(place) for kind in first.one_pass for place in first.places(kind)]
    if link not in ("auto", "copy") and archives:
        yield Problem(no_link_from_archives(link, archives))
        return
    own_files = files.filter(pc.invert(in_archives))["path"]
    samples = [str(own_files[k].as_py()) for k in (0, -1)] if len(own_files) else []
    yield from map(Problem, link_problems(samples, link, output, Workspace(output).tmp))


def space_problems(estimates: Sequence[SpaceEstimate], space: Space) -> Iterable[Problem]:
    """Yield a problem if there is too little space, in bytes or in files."""
    files, size = sum(part.files for part in estimates), sum(part.bytes for part in estimates)
    largest = sorted(estimates, key=lambda part: (part.bytes, part.files), reverse=True)
    parts = first_few((f"{part.what}: {size_text(part.bytes)}, {part.files:,} files" for part in largest), 2)
    advice = f"({parts}). Make room there, or set `output` in config.yaml to another disk."
    if size > space.bytes:
        yield Problem(
            f"`output`: {space.folder} has {size_text(space.bytes)} free, and the build needs about "
            f"{size_text(size)} {advice}"
        )
    if space.files is not None and files > space.files:
        yield Problem(
            f"`output`: the file system of {space.folder} has room for {space.files:,} more files (inodes), "
            f"and the build makes about {files:,} {advice}"
        )
