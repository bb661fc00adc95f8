"""What a run came to, in the words that stand last on the screen: what failed, why, what to do, which log."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from imagenet_s.config.settings import config_fault
from imagenet_s.pipeline.stages import stage_of
from imagenet_s.preflight.archive_check import dangling_archives
from imagenet_s.runtime.job_report import JobReport
from imagenet_s.runtime.spelling import nearest

MAX_LINES = 30  # of a message; its log has the rest
AGAIN = "Run the same command again: it continues where this run ended."
THEN_AGAIN = "Once fixed, run the same command again: it continues where this run ended."
NOTHING_RUN = "Nothing was run."
NO_FILES = "Its files did not appear: the disk may be slow or full."
OFFERED = ("verify", "repair", "fetch", "statistics", "export", "match", "evaluate", "submission")

# Snakemake's words about a config.yaml that is missing, or that it cannot read.
BAD_CONFIG = re.compile("Config file (is not valid|must be given)|Workflow defines configfile")

# Rules that answer a question: exit code 1 is an answer. What to say after their own report.
ANSWERS = {
    "verify": "Damage was found: the report above says what to do next.",
    "repair": "Not everything could be restored: see the report above.",
}


@dataclass(frozen=True)
class Failure:
    """A job that failed: its rule, its logs, the package's own first, and what it reported."""

    rule: str
    logs: Sequence[str]
    report: JobReport | None

    @property
    def job(self) -> str:
        """The name of the job."""
        return Path(self.logs[0]).stem if self.logs else self.rule

    @property
    def is_answer(self) -> bool:
        """Whether the job did its work, and its exit code is the result."""
        report = self.report
        return self.rule in ANSWERS and report is not None and report.code == 1 and not report.error

    @property
    def why(self) -> str:
        """The message of the job, or how it ended."""
        report = self.report
        if report is None:
            return "It ended without a message; its log may tell why."
        if error := report.error.strip():
            return error
        if report.code is None:
            return "It was killed, most likely because memory or time ran out."
        if report.code == 0:
            return NO_FILES
        return "It ended with an error; its report is above."


@dataclass
class Outcome:
    """What is known of a run at its end.

    Attributes:
        started: Whether jobs were run.
        mistake: The message about a mistake of the user that ended the run.
        error: Snakemake's message that ended the run, and the name of its exception.
        idle: Whether there was nothing to be done.
        stopped: Whether the user stopped the run.
        failures: The jobs that failed for good, by Snakemake's number.
    """

    started: bool = False
    mistake: str = ""
    error: tuple[str, str] | None = None
    idle: bool = False
    stopped: bool = False
    failures: dict[int, Failure] = field(default_factory=dict)

    def last_word(self, data_sets: Mapping[str, Path]) -> list[str]:
        """Return the lines to print last; none if a run or another command of Snakemake ended well.

        Args:
            data_sets: The names and folders of the data sets that are complete.
        """
        if self.stopped:
            return [f"Stopped. {AGAIN}"]
        if self.mistake:
            return [*self.mistake.splitlines(), *([] if self.started else [NOTHING_RUN])]
        if failures := culprits(list(self.failures.values())):
            return list(_failed(failures))
        if self.error:
            return _snakemake_error(*self.error, self.started)
        if self.idle:
            return _idle(data_sets)
        return []


def culprits(failures: Sequence[Failure]) -> list[Failure]:
    """Return the jobs that failed. Where jobs run as one group, Snakemake names all of the group."""
    reported = [failure for failure in failures if failure.report and failure.report.code != 0]
    return reported or list(failures)


def translate(text: str, exception: str) -> str | None:
    """Return an error of Snakemake in the words of this project; None if it has to be shown as it is."""
    if exception == "MissingRuleException" and (match := re.search(r"No rule to produce (\S+)", text)):
        wanted = match[1]
        near = nearest(wanted, OFFERED)
        hint = f"Did you mean `{near}`? " if near else ""
        return (
            f"There is no target {wanted!r}. {hint}Targets: {', '.join(OFFERED)}. Without a target, the data "
            "sets are built."
        )
    if exception == "MissingInputException":
        _, _, files = text.partition("affected files:")
        names = [line.strip() for line in files.splitlines() if line.strip()]
        if names:
            return "\n".join(_missing_files(names))
    if exception == "MissingOutputException" and (rule := re.search(r"in rule (\w+)", text)):
        lost = re.findall(r"^(.+) \(missing locally", text, re.MULTILINE)
        return "\n".join([f"FAILED: {stage_of(rule[1])}", NO_FILES, *(f"  {file.strip()}" for file in lost)])
    if BAD_CONFIG.search(text):  # Snakemake does not say where in the file
        fault = config_fault(Path("config.yaml"))
        is_empty = "must be given" in text
        return fault or ("config.yaml is empty. Give at least `imagenet: demo`." if is_empty else None)
    return None


def _missing_files(names: Sequence[str]) -> list[str]:
    if problems := list(dangling_archives(map(Path, names))):
        return [problem.text for problem in problems]
    return [
        "Files that the build reads are missing:",
        *(f"  {name}" for name in names),
        "Restore them, or correct `imagenet` and `benchmark` in config.yaml.",
    ]


def _snakemake_error(text: str, exception: str, started: bool) -> list[str]:
    rest = AGAIN if started else NOTHING_RUN
    translated = translate(text, exception)
    if translated:
        return [*translated.splitlines(), rest]
    return [f"Snakemake ended with the message above. {rest}"]


def _failed(failures: Sequence[Failure]) -> Iterator[str]:
    first = failures[0]
    if len(failures) == 1 and first.is_answer:
        yield ANSWERS[first.rule]
        yield from _logs(first)
        return
    why = _shortened(first.why)
    if len(failures) == 1:
        yield f"FAILED: {stage_of(first.rule)} ({first.job})"
        yield from why
        if not (first.logs and why[-1].endswith(f" {first.logs[0]}")):
            yield from _logs(first)
    else:
        yield f"FAILED: {len(failures)} jobs"
        for failure in failures:
            yield f"- {failure.job}: {failure.why.splitlines()[0]} Log: {', '.join(failure.logs)}"
        if len(why) > 1:
            yield f"The message of {first.job}:"
            yield from why
    yield THEN_AGAIN


def _logs(failure: Failure) -> Iterator[str]:
    if failure.logs:
        yield f"Log: {', '.join(failure.logs)}"


def _idle(data_sets: Mapping[str, Path]) -> list[str]:
    lines = ["Nothing to be done: all that was asked for is there."]
    width = max(map(len, data_sets), default=0)
    return [*lines, *(f"  {name:<{width}}  {folder}" for name, folder in data_sets.items())]


def _shortened(text: str) -> list[str]:
    lines = text.splitlines()
    return lines if len(lines) <= MAX_LINES else [*lines[: MAX_LINES - 1], "… (the log has the rest)"]
