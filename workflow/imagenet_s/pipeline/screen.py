"""What a user sees of a run: a line for each stage, the progress in one line, and at the end our own words.

Snakemake logs events. `Screen` takes the place of the handler that prints them, and gives on what it does not
show in words of its own. It draws from one thread, so that nothing else on the terminal is garbled. Its last
word comes when Snakemake closes its log, after everything that Snakemake prints itself.
"""

import logging
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

from imagenet_s.pipeline.last_word import Failure, Outcome, translate
from imagenet_s.pipeline.stages import TARGETS, Stages
from imagenet_s.pipeline.status_line import Reading, StatusLine
from imagenet_s.runtime.job_report import FOLDER, read_report, read_reports
from imagenet_s.runtime.progress import CLEAR
from imagenet_s.runtime.terminal import can_redraw

REDRAW = 0.5  # seconds between two drawings of the progress on a terminal
REPEAT = 30.0  # seconds between two lines of progress elsewhere

SNAKEMAKE_LOG, PRINTING = "snakemake.logging", "DefaultStreamHandler"  # the names of Snakemake's
# The profiles' `quiet` by which a run prints our lines instead of Snakemake's.
OURS = frozenset({"host", "reason", "rules"})

# Snakemake's own words that ours replace. Lines that are not known here are shown.
REPLACED_EVENTS = re.compile(
    "workflow_started|resources_info|run_info|shellcmd|(job|group)_(info|started|finished|error)|progress"
)
REPLACED = re.compile(
    "Assuming unrestricted|Building DAG|Using shell|Conda environments: ignored|Singularity containers: ign"
    "|Config file .* is extended|Select jobs|Execute |Shutting down|Exiting because a job|Complete log"
    "|Elapsed time|Nothing to be done|Group jobs: inactive|Trying to restart job|Terminating processes on"
    "|Removing output files of|Will exit after finishing|At least one job did not"
    "|SLURM run ID|No SLURM account given|Cleaning up SLURM|Job [0-9a-f-]+ has been submitted"
)
STOPPING = "Stopping: the jobs that still run are ended."
STOPPED = re.compile("Terminating processes on user request|Will exit after finishing")


class Screen(logging.Handler):
    """What one run shows.

    Args:
        printing: Snakemake's own handler; None if another process or another workflow has the screen.
        quiet: Whether our lines replace those of Snakemake.
        dry: Whether nothing is run.
        commands: Whether the user wants to see the commands of the jobs.
    """

    def __init__(self, printing: logging.Handler | None, quiet: bool, dry: bool, commands: bool):
        super().__init__()
        self.printing, self.quiet, self.dry = printing, quiet, dry
        self.wanted = ["job_info"] * dry + ["shellcmd"] * commands  # events that are shown all the same
        self.outcome, self.stages, self.line = Outcome(), Stages(), StatusLine()
        self.rules: dict[int, tuple[str, str]] = {}  # Snakemake's number of a job → its rule and name
        self.running: dict[str, str] = {}  # job → rule
        self.reports = Path()
        self.data_sets: Callable[[], Mapping[str, Path]] = dict
        self.summary: Callable[[], None] = lambda: None
        self.told: set[int] = set()  # the jobs whose failure was printed at once
        self.drawing = threading.RLock()
        self.drawn = False  # whether the status line is on the terminal
        self.ended = threading.Event()
        self.closed = False

    def note(self, mistake: Exception) -> None:
        """Remember a mistake of the user that ends the run."""
        self.outcome.mistake = str(mistake)

    def begin(self, reports: Path, readings: Sequence[Reading], header: str) -> None:
        """Show the progress of the jobs from now on.

        Args:
            reports: The folder for the reports of the jobs.
            readings: The jobs of this run that read the source.
            header: The first line.
        """
        with suppress(OSError):
            reports.mkdir(parents=True, exist_ok=True)
        os.environ[FOLDER] = str(reports.absolute())
        self.reports, self.line = reports, StatusLine(readings)
        if header and self.quiet:
            self.print(header)
        threading.Thread(target=self._draw, daemon=True).start()

    def end(self) -> None:
        """Stop drawing."""
        self.ended.set()
        self._clear()

    def print(self, *lines: str) -> None:
        """Print lines to standard error, in place of the status line."""
        with self.drawing:
            self._clear()
            with suppress(OSError, ValueError):  # closed, or a terminal that is gone
                print(*lines, sep="\n", file=sys.stderr, flush=True)

    def emit(self, record: logging.LogRecord) -> None:
        """Take an event of Snakemake."""
        event, text = str(getattr(record, "event", "") or ""), str(record.msg or "")
        if not self.dry or event == "error":
            with self.drawing:
                try:
                    self._note(event, text, record.__dict__)
                except Exception:  # of a version of Snakemake with other facts: its own lines are shown then
                    self.quiet = False
                    self.handleError(record)
        if self.printing and not self._replaced(event, text, record):
            with self.drawing:
                self._clear()
                if self.quiet and event in self.wanted:
                    self.printing.emit(record)  # not `handle`: with our `quiet`, its filter hides them
                else:
                    self.printing.handle(record)

    def close(self) -> None:
        """Print the last word: Snakemake closes its log after everything else."""
        super().close()
        if self.closed or not self.printing:
            return
        self.closed = True
        self.end()
        if isinstance(sys.exception(), KeyboardInterrupt):  # before the first job
            self.outcome.stopped = True
            sys.excepthook = lambda *_: None  # the last word says what a traceback would
        lines = self.outcome.last_word(self.data_sets())
        if lines:
            self.print(*([""] if self.outcome.started else []), *lines)
        else:
            self.summary()

    def _replaced(self, event: str, text: str, record: logging.LogRecord) -> bool:
        """Return whether our words replace this event."""
        if not self.quiet or record.levelno == logging.DEBUG:
            return False
        if event == "error":
            exception = str(getattr(record, "exception", ""))
            said = self.outcome.mistake and self.outcome.mistake in text
            ended = self.outcome.started and "CalledProcessError" in text  # a job failed
            return bool(said or ended or translate(text, exception) or REPLACED.search(text))
        return (
            not self.dry
            and event not in self.wanted
            and bool(REPLACED_EVENTS.fullmatch(event) or REPLACED.match(text))
        )

    def _note(self, event: str, text: str, facts: Mapping[str, Any]) -> None:
        """Remember what an event says of the run."""
        now = time.monotonic()
        if event == "run_info":
            self.stages.plan({rule: n for rule, n in facts["stats"].items() if rule != "total"})
        elif event == "job_info" and facts["rule_name"] not in TARGETS:
            job = Path(facts["log"][0]).stem if facts["log"] else facts["rule_name"]
            self.outcome.started = True
            self.rules[facts["jobid"]] = facts["rule_name"], job
            self.running[job] = facts["rule_name"]
            self.stages.begin(facts["rule_name"], now)
        elif event == "job_finished" and facts["job_id"] in self.rules:
            rule, job = self.rules[facts["job_id"]]
            self.running.pop(job, None)
            self.outcome.failures.pop(facts["job_id"], None)
            line = self.stages.end(rule, now)
            if line and self.quiet:
                self.print(line)
        elif event == "job_error":
            failure = Failure(facts["rule_name"], facts["log"], None)
            self.running.pop(failure.job, None)
            self.stages.stop(failure.rule, now)
            failure = replace(failure, report=read_report(self.reports, failure.job))
            self.outcome.failures[facts["jobid"]] = failure
            if self.running and self.quiet:  # it may take long until the last word
                self.told.add(facts["jobid"])
                self.print(f"Failed: {failure.job}. {failure.why.splitlines()[0]}")
        elif event == "error":
            # What follows a known error only says that jobs failed.
            if not (self.outcome.error and translate(*self.outcome.error)):
                self.outcome.error = text, str(facts.get("exception", ""))
        elif match := re.match(r"Trying to restart job (\d+)", text):
            self._restart(int(match[1]))
        elif STOPPED.match(text):
            self.outcome.stopped = True
            self._ignore_ctrl_c()
        elif text.startswith("Nothing to be done"):
            self.outcome.idle = True

    def _restart(self, number: int) -> None:
        """Say that a job is tried again."""
        failure = self.outcome.failures.pop(number, None)
        if failure and self.quiet:
            why = "" if number in self.told else f" {failure.why.splitlines()[0]}"
            self.print(f"Trying again: {failure.job}.{why}")

    def _ignore_ctrl_c(self) -> None:
        """Answer further Ctrl-C with a line: Snakemake would break off in the middle, with a traceback."""
        if threading.current_thread() is threading.main_thread():  # only it may set handlers
            signal.signal(signal.SIGINT, lambda *_: None if self.closed else self.print(STOPPING))

    def _draw(self) -> None:
        """Draw the status line until the run ends."""
        redraw = can_redraw(sys.stderr)
        while not self.ended.wait(REDRAW if redraw else REPEAT):
            reports = read_reports(self.reports)
            with self.drawing:
                text = self.line.text(reports, self.running, time.monotonic())
                if not text or self.ended.is_set():
                    continue
                if redraw:
                    with suppress(OSError, ValueError):
                        width = get_terminal_size().columns - 1
                        print(f"{CLEAR}{text[:width]}", end="", file=sys.stderr, flush=True)
                        self.drawn = True
                else:
                    self.print(text)

    def _clear(self) -> None:
        with self.drawing:
            if self.drawn:
                self.drawn = False
                with suppress(OSError, ValueError):
                    print(CLEAR, end="", file=sys.stderr, flush=True)


def take_screen(main: bool, quiet: Sequence[str], dry: bool, commands: bool) -> Screen:
    """Return the screen of this run.

    Args:
        main: Whether this is the process that the user started, with this project's own Snakefile.
        quiet: The values of Snakemake's option.
        dry: Whether nothing is run.
        commands: Whether the user wants to see the commands of the jobs.
    """
    logger = logging.getLogger(SNAKEMAKE_LOG)
    printing = next((handler for handler in logger.handlers if handler.name == PRINTING), None)
    if not main or not printing:  # a job, a part of another workflow, or a user's own plugin for the log
        return Screen(None, False, dry, commands)
    screen = Screen(printing, set(quiet) >= OURS, dry, commands)
    logger.removeHandler(printing)
    logger.addHandler(screen)
    return screen
