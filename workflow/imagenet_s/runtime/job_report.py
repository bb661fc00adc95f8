"""What a job of a build reports to the process that shows it: its progress, its errors and how it ended.

Each job has a file of its own in a folder below the output. So this works for local jobs and for those on
other machines, and two jobs never write to the terminal at once. A report that cannot be written or read is
left out: it never makes a job fail.
"""

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

FOLDER = "IMAGENET_S_REPORTS"  # environment variable: where the jobs of this run report; unset without a run
EVERY = 1.0  # seconds between two reports of progress
ENDING = ".json"


@dataclass
class JobReport:
    """The state of one job.

    Attributes:
        what: What it does, as its progress bar says.
        done: How far it is, in `unit`.
        total: What `done` is at the end; None if that is not known.
        unit: `B` for bytes, or what is counted.
        read: The bytes of the source that it has read.
        error: The messages of its errors.
        code: Its exit code; None while it runs, and if it was killed.
    """

    what: str = ""
    done: float = 0
    total: float | None = None
    unit: str = ""
    read: float = 0
    error: str = ""
    code: int | None = None


class Reporter:
    """Writes the report of the job that this process is, if it is one of a run."""

    def __init__(self, job: str):
        folder = os.environ.get(FOLDER)
        self.file = Path(folder, job + ENDING) if folder and job else None
        self.state = JobReport()
        self.written = 0.0  # when, in seconds of the monotonic clock
        self._write()

    @property
    def active(self) -> bool:
        """Whether another process shows what this one reports."""
        return self.file is not None

    def is_due(self, now: float) -> bool:
        """Return whether to report progress at `now`, in seconds of the monotonic clock."""
        return self.file is not None and now - self.written >= EVERY

    def progress(self, state: JobReport) -> None:
        """Report how far the job is, after what it did before."""
        self.state = replace(state, error=self.state.error, read=max(state.read, self.state.read))
        self._write()

    def add_error(self, text: str) -> bool:
        """Report an error; return whether it is written, so that the other process can show it."""
        self.state.error += f"{text}\n"
        return self._write()

    def end(self, code: int) -> None:
        """Report the exit code."""
        self.state.code = code
        self._write()

    def _write(self) -> bool:
        if not self.file:
            return False
        self.written = time.monotonic()
        # Closed after each report: on a network file system, other machines see only closed files.
        with suppress(OSError):
            part = self.file.with_name(f".{self.file.name}.part")
            part.write_text(json.dumps(asdict(self.state)), encoding="utf-8")
            part.replace(self.file)
            return True
        return False


def read_report(folder: Path, job: str) -> JobReport | None:
    """Return the report of a job; None if there is none."""
    with suppress(OSError, ValueError, TypeError):
        return JobReport(**json.loads((folder / (job + ENDING)).read_text(encoding="utf-8")))
    return None


def read_reports(folder: Path) -> dict[str, JobReport]:
    """Return the reports in a folder by the names of the jobs."""
    names: list[str] = []
    with suppress(OSError):
        names = sorted(name.removesuffix(ENDING) for name in os.listdir(folder) if name.endswith(ENDING))
    reports = {name: read_report(folder, name) for name in names}
    return {name: report for name, report in reports.items() if report}
