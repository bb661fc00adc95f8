"""The report of `plan`: what a build would find, do and need."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from imagenet_s.config.build_request import BuildRequest
from imagenet_s.config.settings import Config, read_config_file
from imagenet_s.preflight.check import find_problems, scan_source
from imagenet_s.preflight.disk_space import bytes_to_read, estimate_space, space_at
from imagenet_s.runtime.problems import require_none
from imagenet_s.runtime.units import size_text
from imagenet_s.source.layouts import find_places, one_pass_sets
from imagenet_s.source.listing import all_files
from imagenet_s.source.scan import SourceScan
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.shards import subset_parts, tiers
from imagenet_s.spec.subsets import subset_of
from imagenet_s.workspace.paths import Workspace

DISK, FAST_DISK = 150e6, 1e9  # bytes/s: of a hard disk or a common network disk, of a good SSD


def print_plan(configfile: Path) -> None:
    """Print the report of `plan`."""
    for line in plan(read_config_file(configfile)):
        print(line)


def plan(config: Config) -> Iterator[str]:
    """Yield the lines of a report.

    Leaves nothing written, except that it updates the index of tars if an earlier build has made one.

    Raises:
        UserError: After the last line: something prevents the build. The text has all problems.
    """
    if config.imagenet is None:
        yield (
            "source   the embedded demo, a few MB that the build generates. Set `imagenet` to build from "
            "ImageNet-1k."
        )
        return
    output, subsets = Path(config.output), config.subsets
    request = BuildRequest(
        Path(config.imagenet), output, subsets, config.complete, config.link, config.labels
    )
    workspace = Workspace(output)
    index = workspace.index
    listings, scans = scan_source(request.imagenet, tiers(subsets), Index(index if index.exists() else None))
    files, scan = all_files(listings), scans[0]
    if scan.train and scan.val:
        yield from _source_lines(scan)
        yield from _work_lines(scan, subsets, bytes_to_read(files, scan))
        names = ", ".join(subset_of(subset).name for subset in subsets)
        yield f"adds     to {output.absolute()}, for {names} with link: {config.link}"
        for part in estimate_space(files, scans, request):
            yield f"         {size_text(part.bytes):>10}  {part.files:>9,} files  {part.what}"
        free = space_at(output)
        count = "" if free.files is None else f"  {free.files:>9,} files"
        yield f"free     {size_text(free.bytes):>10}{count}  in {free.folder}"
    made = [path for path in (workspace.tmp, workspace.work, output) if not path.exists()]
    try:
        require_none(find_problems(listings, scans, request))
    finally:
        for folder in made:  # links were tried there
            if folder.is_dir():
                folder.rmdir()
    yield "Everything that the build needs is there. Nothing was written."


def _source_lines(scan: SourceScan) -> Iterator[str]:
    yield f"source   {scan.root} ({scan.layout})"
    for kind in ("train", "val"):
        places = [scan.short_name(place) for place in scan.places(kind)]
        shown = ", ".join(places[:3]) + (f", … ({len(places)} in all)" if len(places) > 3 else "")
        yield f"         {kind:<5} {shown}" + (", read in one pass" if kind in scan.one_pass else "")


def _work_lines(scan: SourceScan, subsets: Sequence[int], size: int) -> Iterator[str]:
    passes = one_pass_sets(find_places(Path(scan.root)))
    parts = {part for subset in subsets for part in subset_parts(subset, passes, max(subsets))}
    times = " or ".join(f"{_time_text(size / speed)} at {size_text(speed)}/s" for speed in (DISK, FAST_DISK))
    yield f"reads    {size_text(size)} of images, once, in {len(parts)} jobs: {times} (computed)"


def _time_text(seconds: float) -> str:
    return f"{seconds / 60:,.0f} min" if seconds >= 100 else f"{seconds:,.0f} s"
