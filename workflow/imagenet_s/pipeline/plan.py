"""What a build would find, do and need."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_s.annotations.availability import Availability, availability
from imagenet_s.config.build_request import BuildRequest
from imagenet_s.config.settings import Config
from imagenet_s.demo.listing import MASK_BYTES, demo_listing
from imagenet_s.io.split_file import size_of
from imagenet_s.pipeline.built import Built, built_subsets, is_finished
from imagenet_s.pipeline.inputs import parts_of, pool_receipts, source_places
from imagenet_s.preflight.check import find_problems, scan_source, space_problems
from imagenet_s.preflight.disk_space import (
    BLOCK,
    Space,
    SpaceEstimate,
    bytes_to_read,
    estimate_space,
    space_at,
)
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.problems import Problem
from imagenet_s.source.layouts import Places, one_pass_sets
from imagenet_s.source.listing import all_files
from imagenet_s.source.scan import SourceScan
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.shards import tier_of, tiers
from imagenet_s.workspace.ownership import foreign_folder
from imagenet_s.workspace.paths import Workspace


class PlannedSource(NamedTuple):
    """The source of a build.

    Attributes:
        path: The folder that is read, or the paths of train and val.
        layout: The name of its layout.
        places: `train` and `val` → the folders and files that hold the images, as reports name them.
        one_pass: The sets that can only be read from front to back.
    """

    path: str
    layout: str
    places: Mapping[str, tuple[str, ...]]
    one_pass: tuple[str, ...]


class Reading(NamedTuple):
    """How many bytes of the source are still to be read, about, and in how many jobs."""

    bytes: int
    jobs: int


@dataclass(frozen=True)
class Plan:
    """A plan of a build.

    Attributes:
        config: What is asked for.
        built: The subsets that are built already.
        is_done: Whether nothing is to do. Then the source was not looked at.
        source: The source; None for the demo, or if it is not known.
        reading: What is read of it; None if it is not known.
        adds: What the build adds to the output.
        free: The free space there.
        annotations: Where the masks come from.
        problems: What prevents the build.
    """

    config: Config
    built: tuple[Built, ...]
    is_done: bool = False
    source: PlannedSource | None = None
    reading: Reading | None = None
    adds: tuple[SpaceEstimate, ...] = ()
    free: Space | None = None
    annotations: tuple[Availability, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def state(self) -> Literal["nothing_to_do", "ready", "not_ready"]:
        """Whether the build has anything to do, and whether it can begin."""
        if self.is_done:
            return "nothing_to_do"
        return "not_ready" if self.problems else "ready"


def make_plan(config: Config) -> Plan:
    """Return what a build would find, do and need.

    Leaves nothing written, except that it updates the index of tars if an earlier build has made one.
    """
    workspace = Workspace(Path(config.output))
    built = tuple(built_subsets(config, workspace))
    if is_finished(config, workspace, built):
        return Plan(config, built, is_done=True)
    if config.imagenet is None:
        return _plan_demo(config, workspace, built)
    request = BuildRequest(
        Path(config.imagenet),
        workspace.output,
        config.subsets,
        config.complete,
        config.link,
        config.labels,
        Path(config.val) if config.val else None,
    )
    try:
        places = source_places(config, workspace)
        index = Index(workspace.index if workspace.index.exists() else None)
        listings, scans = scan_source(request.imagenet, tiers(config.subsets), index, request.val)
    except UserError as error:
        return Plan(config, built, problems=(Problem(str(error), error.details),))
    problems = _problems_of(listings, scans, request, workspace)
    if not scans[0].train or not scans[0].val:
        return Plan(config, built, problems=problems)
    files = all_files(listings)
    annotations = () if problems else _annotations(config, workspace)
    missing = tuple(Problem(one.reason) for one in annotations if one.state == "missing")
    return Plan(
        config,
        built,
        source=_source(scans[0]),
        reading=_reading(config, workspace, listings, places),
        adds=tuple(estimate_space(files, scans, request)),
        free=space_at(workspace.output),
        annotations=annotations,
        problems=problems + missing,
    )


def _plan_demo(config: Config, workspace: Workspace, built: tuple[Built, ...]) -> Plan:
    """Return the plan of a build of the embedded demo, whose images may not exist yet."""
    root = Path(os.path.abspath(workspace.demo_images))
    wanted = tiers(config.subsets)
    listings, scans = demo_listing(wanted, root)
    request = BuildRequest(
        root, workspace.output, config.subsets, config.complete, config.link, config.labels
    )
    unmade = [
        listing
        for tier, listing in zip(wanted, listings, strict=True)
        if not workspace.demo_receipt(tier).exists()
    ]
    adds = estimate_space(all_files(listings), scans, request, MASK_BYTES)
    if unmade:
        adds.insert(0, _generated_images(all_files(unmade)))
    free = space_at(workspace.output)
    annotations = _annotations(config, workspace)
    problems = [
        Problem(text) for subset in config.subsets for text in foreign_folder(workspace.output, subset)
    ]
    problems += space_problems(adds, free)
    problems += [Problem(one.reason) for one in annotations if one.state == "missing"]
    return Plan(
        config,
        built,
        reading=_reading(config, workspace, listings, source_places(config, workspace)),
        adds=tuple(adds),
        free=free,
        annotations=annotations,
        problems=tuple(problems),
    )


def _generated_images(listing: pa.Table) -> SpaceEstimate:
    """Return what the demo's images take: a block each, and a folder for each class."""
    files = len(listing) + len(pc.unique(listing["imagenet_wnid"]))
    return SpaceEstimate("synthetic images, generated", files, files * BLOCK)


def _source(scan: SourceScan) -> PlannedSource:
    places = {kind: tuple(map(scan.short_name, scan.places(kind))) for kind in ("train", "val")}
    return PlannedSource(scan.origin, scan.layout, places, tuple(scan.one_pass))


def _reading(config: Config, workspace: Workspace, listings: Sequence[pa.Table], places: Places) -> Reading:
    """Return what is still to be read: earlier builds may have read some parts of the source."""
    passes = one_pass_sets(places)
    parts = {
        part for subset in config.subsets for part in parts_of(subset, config.subsets, passes, workspace)
    }
    unread = [part for part in parts if not _is_read(part, config, workspace)]
    kinds = {part.partition("-")[0] for part in unread if "pass" in part}
    streams = [place for kind in kinds for place in places.of(kind)]
    unread_tiers = {tier_of(part) for part in unread if "pass" not in part}
    listed = zip(tiers(config.subsets), listings, strict=True)
    size = sum(bytes_to_read(listing) for tier, listing in listed if tier in unread_tiers)
    return Reading(size + sum(map(size_of, streams)), len(unread))


def _is_read(part: str, config: Config, workspace: Workspace) -> bool:
    files = [workspace.image_records(part), *pool_receipts(config, [part], workspace)]
    return all(file.exists() for file in files)


def _annotations(config: Config, workspace: Workspace) -> tuple[Availability, ...]:
    if config.demo_annotations:
        return tuple(Availability(subset, "generated") for subset in config.subsets)
    return tuple(availability(config.subsets, config.annotations, workspace.downloads))


def _problems_of(
    listings: Sequence[pa.Table], scans: Sequence[SourceScan], request: BuildRequest, workspace: Workspace
) -> tuple[Problem, ...]:
    """Return everything that prevents the build. Removes the folders in which links were tried."""
    made = [path for path in (workspace.tmp, workspace.work, request.output) if not path.exists()]
    try:
        return tuple(find_problems(listings, scans, request))
    finally:
        for folder in made:
            if folder.is_dir():
                folder.rmdir()
