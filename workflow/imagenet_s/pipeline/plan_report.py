"""The report of `plan`, as text and as JSON."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from imagenet_s.annotations.availability import Availability
from imagenet_s.config.settings import read_config_file
from imagenet_s.io.json_output import STDOUT, write_json_output
from imagenet_s.pipeline.plan import Plan, PlannedSource, Reading, make_plan
from imagenet_s.preflight.inspect_report import places_text
from imagenet_s.runtime.problems import problem_json, require_none
from imagenet_s.runtime.units import size_text
from imagenet_s.spec.subsets import subset_name

SCHEMA = "urn:imagenet-s:plan:1"
DISK, FAST_DISK = 150e6, 1e9  # bytes/s: of a hard disk or a common network disk, of a good SSD


def print_plan(configfile: Path, json: Path | None) -> None:
    """Print the report of `plan`.

    Args:
        configfile: The configuration of the build.
        json: Where to write the report as JSON; see `write_json_output`.

    Raises:
        UserError: After the report: something prevents the build. The text has all problems.
    """
    plan = make_plan(read_config_file(configfile))
    if json != STDOUT:
        for line in report_lines(plan):
            print(line)
    if json:
        write_json_output(report_document(plan), json)
    require_none(plan.problems)


def report_lines(plan: Plan) -> Iterator[str]:
    """Yield the lines of the report. The problems that prevent a build are not among them."""
    output = Path(plan.config.output).absolute()
    if plan.is_done:
        yield "Nothing to do: everything that the configuration asks for is built."
    for built in plan.built:
        yield f"built    {built.folder} (digest {built.digest[:12]}, {built.date[:10]})"
    if plan.is_done:
        yield f"To check the files: `imagenet-s verify {shlex.quote(str(output))}`"
        return
    if plan.source:
        yield from _source_lines(plan.source)
    elif plan.config.imagenet is None:
        yield "source   the embedded demo: synthetic images, made by the build"
    if plan.reading:
        yield _reading_line(plan.reading)
    yield from _annotations_lines(plan.annotations)
    if plan.free:
        names = ", ".join(map(subset_name, plan.config.subsets))
        yield f"adds     to {output}, for {names} with link: {plan.config.link}"
        for part in plan.adds:
            yield f"         {size_text(part.bytes):>10}  {part.files:>9,} files  {part.what}"
        count = "" if plan.free.files is None else f"  {plan.free.files:>9,} files"
        yield f"free     {size_text(plan.free.bytes):>10}{count}  in {plan.free.folder.absolute()}"
    if plan.problems:
        return
    if any(one.state == "unreachable" for one in plan.annotations):
        yield "Everything else that the build needs is there. Nothing was written."
        yield "Without internet: set `annotations.from` to a folder that holds the archives of masks."
    else:
        yield "Everything that the build needs is there. Nothing was written."
    yield "Next: `snakemake --cores all`"
    if plan.config.exports:
        formats = ", ".join(plan.config.exports)
        yield f"And then, for the exports ({formats}): `snakemake --cores all export`"


def report_document(plan: Plan) -> dict[str, Any]:
    """Return the report as JSON: see workflow/schemas/plan.schema.json."""
    config, source, reading, free = plan.config, plan.source, plan.reading, plan.free
    return {
        "schema": SCHEMA,
        "state": plan.state,
        "problems": list(map(problem_json, plan.problems)),
        "demo": config.imagenet is None,
        "output": str(Path(config.output).absolute()),
        "subsets": list(map(subset_name, config.subsets)),
        "link": config.link,
        "built": {
            subset_name(built.subset): {
                "path": str(built.folder),
                "digest": built.digest,
                "date": built.date,
            }
            for built in plan.built
        },
        "source": source._asdict() if source else None,
        "reads": reading._asdict() if reading else None,
        "annotations": {
            subset_name(one.subset): {
                "state": one.state,
                "where": one.where or None,
                "bytes": one.bytes,
                "reason": one.reason or None,
            }
            for one in plan.annotations
        },
        "adds": [{"what": part.what, "files": part.files, "bytes": part.bytes} for part in plan.adds],
        "free": {"folder": str(free.folder.absolute()), "files": free.files, "bytes": free.bytes}
        if free
        else None,
    }


def _source_lines(source: PlannedSource) -> Iterator[str]:
    yield f"source   {source.path} ({source.layout})"
    for kind, places in source.places.items():
        how = ", read from front to back" if kind in source.one_pass else ""
        yield f"         {kind:<5} in {places_text(places)}{how}"


def _reading_line(reading: Reading) -> str:
    if not reading.jobs:
        return "reads    nothing: earlier builds have read all images"
    times = "less than 1 s"
    if reading.bytes > DISK:
        times = " or ".join(
            f"{_time_text(reading.bytes / speed)} at {size_text(speed)}/s" for speed in (DISK, FAST_DISK)
        )
    jobs = "1 job" if reading.jobs == 1 else f"{reading.jobs} jobs"
    return f"reads    {size_text(reading.bytes)} of images, once, in {jobs}: {times} (computed)"


def _time_text(seconds: float) -> str:
    if seconds < 1:
        return "less than 1 s"
    return f"{seconds / 60:,.0f} min" if seconds >= 100 else f"{seconds:,.0f} s"


def _annotations_lines(annotations: Sequence[Availability]) -> Iterator[str]:
    """Yield where the masks come from: a line for all subsets of which the same is to be said."""
    subsets: dict[str, list[str]] = {}
    for one in annotations:
        subsets.setdefault(_annotations_text(one), []).append(subset_name(one.subset))
    for text, names in subsets.items():
        yield f"masks    {', '.join(names)}: {text}"


def _annotations_text(one: Availability) -> str:
    host = urlsplit(one.where).netloc
    size = "" if one.bytes is None else f" ({size_text(one.bytes)})"
    return {
        "generated": "made by the build, too",
        "present": f"{one.where}{size}",
        "online": f"can be downloaded from {host}{size}",
        "unreachable": f"to be downloaded from {host}, which {one.reason}",
        "missing": "not found",
    }[one.state]
