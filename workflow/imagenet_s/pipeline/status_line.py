"""The one line that shows how far a build is: done of all bytes of the source, rate and time left."""

from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from imagenet_s.io.atomic import read_json
from imagenet_s.io.split_file import size_of
from imagenet_s.pipeline.stages import stage_of
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.job_report import JobReport
from imagenet_s.runtime.units import size_text, time_text

WINDOW = 30.0  # seconds over which the rate is the mean


@dataclass(frozen=True)
class Reading:
    """A job that reads the source: its name, its part, the scan of its tier, and archives read as a whole."""

    job: str
    part: str
    scan: Path
    files: Sequence[Path] = ()

    def size(self) -> int | None:
        """Return how many bytes it reads; None if the source is not listed yet."""
        with suppress(UserError, OSError, ValueError, LookupError):
            if self.files:
                return sum(map(size_of, self.files))
            return int(read_json(self.scan)["part_bytes"][self.part])
        return None


@dataclass
class StatusLine:
    """Makes the text of the line from the reports of the jobs."""

    readings: Sequence[Reading] = ()
    sizes: dict[str, int] = field(default_factory=dict)  # job → bytes
    counts: deque[tuple[float, float]] = field(default_factory=deque)  # (time, bytes done)

    def text(self, reports: Mapping[str, JobReport], running: Mapping[str, str], now: float) -> str:
        """Return the line.

        Args:
            reports: The reports by the names of the jobs.
            running: The rules of the jobs that run, by the names of the jobs.
            now: In seconds of the monotonic clock.
        """
        if any(reading.job in running for reading in self.readings):
            return self._reading(reports, now)
        known = {job: reports[job] for job in running if job in reports and reports[job].total}
        if known:
            job, report = max(known.items(), key=lambda item: item[1].total or 0)
            return f"{stage_of(running[job])}: {_share(report)}"
        return ", ".join(dict.fromkeys(map(stage_of, running.values())))

    def _reading(self, reports: Mapping[str, JobReport], now: float) -> str:
        for reading in self.readings:
            if reading.job not in self.sizes and (size := reading.size()) is not None:
                self.sizes[reading.job] = size
        done = sum(self._done(reading.job, reports) for reading in self.readings)
        self.counts.append((now, done))
        while len(self.counts) > 2 and now - self.counts[0][0] > WINDOW:
            self.counts.popleft()
        text = f"Reading images: {size_text(done)}"
        (since, before), total = self.counts[0], sum(self.sizes.values())
        rate = (done - before) / (now - since) if now > since else 0
        complete = len(self.sizes) == len(self.readings)
        if complete and total:
            done = min(done, total)  # sizes of files in folders are estimates
            text = f"Reading images: {size_text(done)} of {size_text(total)} ({done / total:.0%})"
        if rate > 0:  # the bytes of a job that is tried again do not count any more
            text += f", {size_text(rate)}/s"
            if complete and total:
                text += f", {time_text((total - done) / rate)} left"
        return text

    def _done(self, job: str, reports: Mapping[str, JobReport]) -> float:
        report = reports.get(job, JobReport())
        return self.sizes.get(job, report.read) if report.code == 0 else report.read


def _share(report: JobReport) -> str:
    """Return how far a job with a known total is."""
    total = report.total or 1
    if report.unit == "B":
        return f"{size_text(report.done)} of {size_text(total)} ({report.done / total:.0%})"
    return f"{report.done:,.0f} of {total:,.0f} {report.unit} ({report.done / total:.0%})"
