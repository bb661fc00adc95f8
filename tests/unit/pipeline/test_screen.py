"""What a run shows of Snakemake's events, and what it says itself."""

import io
import logging
import os
import signal
import sys
import time

import pytest

from imagenet_s.pipeline import screen
from imagenet_s.pipeline.last_word import AGAIN, NOTHING_RUN, THEN_AGAIN
from imagenet_s.pipeline.screen import Screen, take_screen
from imagenet_s.pipeline.status_line import Reading
from imagenet_s.runtime import job_report
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.job_report import Reporter

OURS = ["host", "reason", "rules"]
LOG = "results/work/logs/images-train-50-0.log"
STAGE = f"[1/1] {'Reading images':<56}     0.0 s"


@pytest.fixture
def logger(monkeypatch):
    """Snakemake's logger, with a handler like its own that prints to standard error."""
    logger = logging.getLogger(screen.SNAKEMAKE_LOG)
    before = logger.handlers[:]
    printing = logging.StreamHandler()
    printing.name = screen.PRINTING
    logger.handlers[:] = [printing]
    logger.setLevel(logging.INFO)
    monkeypatch.delenv(job_report.FOLDER, raising=False)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    yield logger
    logger.handlers[:] = before


@pytest.fixture
def started(logger, capsys):
    """A function that takes the screen for a quiet run, unless options say otherwise."""
    printing = logger.handlers[0]

    def start(main: bool = True, quiet: list = OURS, dry: bool = False, commands: bool = False) -> Screen:
        taken = take_screen(main, quiet, dry, commands)
        # As pytest has it, which captures each test's own.
        printing.setStream(sys.stderr)
        return taken

    return start


@pytest.fixture
def own_sigint():
    """The handler of Ctrl-C as it was, at the end of the test."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


def event(logger, name: str, text: str = "", level: int = logging.INFO, **facts) -> None:
    logger.log(level, text, extra={"event": name, **facts})


def run_job(logger, number: int = 1, rule: str = "images", log: str = LOG) -> None:
    event(logger, "job_info", "Rule", jobid=number, rule_name=rule, log=[log])


def fail_job(logger, number: int = 1, rule: str = "images", log: str = LOG) -> None:
    event(logger, "job_error", "Error in rule", logging.ERROR, jobid=number, rule_name=rule, log=[log])


def close(logger) -> None:
    """As Snakemake ends."""
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
        handler.close()


def test_a_build_shows_its_stages_and_the_summary_last(logger, started, tmp_path, capsys):
    taken = started()
    taken.summary = lambda: print("the summary")
    logger.info("Building DAG of jobs...")
    event(logger, "run_info", "Job stats: …", stats={"images": 1, "all": 1, "total": 2})
    taken.begin(tmp_path / "reports", [], "Building ImageNetS50")
    logger.info("Select jobs to execute...")
    run_job(logger)
    run_job(logger, 0, "all")
    event(logger, "job_finished", "Finished jobid: 1 (Rule: images)", job_id=1)
    event(logger, "job_finished", "Finished jobid: 0 (Rule: all)", job_id=0)
    event(logger, "progress", "", done=2, total=2)
    logger.info("Creating conda environment envs/imagenet-s.yaml...")
    logger.info("Complete log(s): .snakemake/log")
    close(logger)
    close(logger)
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        "Building ImageNetS50",
        STAGE,
        "Creating conda environment envs/imagenet-s.yaml...",
    ]
    assert printed.out == "the summary\n"


def test_a_job_that_fails_is_told_last_and_a_retry_in_one_line(logger, started, tmp_path, capsys):
    taken = started()
    event(logger, "run_info", "Job stats: …", stats={"images": 1})
    taken.begin(tmp_path, [], "")
    for again in (True, False):
        run_job(logger)
        reporter = Reporter("images-train-50-0")
        reporter.add_error("The disk is full.\nFree some space.")
        reporter.end(1)
        event(
            logger, "error", "RuleException:\nCalledProcessError …", logging.ERROR, exception="RuleException"
        )
        fail_job(logger)
        if again:
            logger.info("Trying to restart job 1.")
    logger.error("Exiting because a job execution failed. Look above for error messages")
    text = "WorkflowError:\nAt least one job did not complete successfully."
    event(logger, "error", text, logging.ERROR, exception="WorkflowError")
    close(logger)
    assert capsys.readouterr().err.splitlines() == [
        "Trying again: images-train-50-0. The disk is full.",
        "",
        "FAILED: Reading images (images-train-50-0)",
        "The disk is full.",
        "Free some space.",
        f"Log: {LOG}",
        THEN_AGAIN,
    ]


def test_a_retry_that_ends_well_is_no_failure(logger, started, tmp_path, capsys):
    taken = started()
    event(logger, "run_info", "Job stats: …", stats={"images": 1})
    taken.begin(tmp_path, [], "")
    run_job(logger)
    fail_job(logger)
    logger.info("Trying to restart job 1.")
    run_job(logger)
    event(logger, "job_finished", "Finished jobid: 1", job_id=1)
    close(logger)
    assert capsys.readouterr().err.splitlines() == [
        "Trying again: images-train-50-0. It ended without a message; its log may tell why.",
        STAGE,
    ]


def test_a_failure_is_told_at_once_while_other_jobs_run(logger, started, tmp_path, capsys):
    started().begin(tmp_path, [], "")
    other = "results/work/logs/images-val-50-0.log"
    run_job(logger, 1)
    run_job(logger, 2, log=other)
    fail_job(logger, 2, log=other)
    logger.info("Trying to restart job 2.")
    event(logger, "error", "RuleException:\nNameError in line 3", logging.ERROR, exception="RuleException")
    assert capsys.readouterr().err.splitlines() == [
        "Failed: images-val-50-0. It ended without a message; its log may tell why.",
        "Trying again: images-val-50-0.",
        "RuleException:",
        "NameError in line 3",
    ]
    close(logger)


@pytest.mark.parametrize("dry", [False, True])
def test_a_mistake_is_told_once(dry, logger, started, capsys):
    taken = started(dry=dry)
    taken.note(UserError("`subsets`: wrong"))
    text = 'WorkflowError in file "common.smk", line 34:\n`subsets`: wrong\n  File "common.smk"'
    event(logger, "error", text, logging.ERROR, exception="WorkflowError")
    close(logger)
    assert capsys.readouterr().err.splitlines() == ["`subsets`: wrong", NOTHING_RUN]


def test_an_error_that_is_not_known_is_shown_before_the_last_word(logger, started, capsys):
    started()
    event(logger, "error", "SyntaxError:\nline 3", logging.ERROR, exception="SyntaxError")
    logger.warning("a warning")
    close(logger)
    assert capsys.readouterr().err.splitlines() == [
        "SyntaxError:",
        "line 3",
        "a warning",
        f"Snakemake ended with the message above. {NOTHING_RUN}",
    ]


def test_files_that_did_not_appear_are_told_also_if_another_error_follows(logger, started, capsys):
    screen = started()
    text = "MissingOutputException in rule source in file x, line 7:\na.parquet (missing locally, …)"
    event(logger, "error", text, logging.ERROR, exception="MissingOutputException")
    event(logger, "error", "At least one job failed", logging.ERROR, exception="WorkflowError")
    screen.close()
    assert capsys.readouterr().err.splitlines()[-4:-1] == [
        "FAILED: Checking the source and listing its images",
        "Its files did not appear: the disk may be slow or full.",
        "  a.parquet",
    ]


def test_nothing_to_be_done(logger, started, tmp_path, capsys):
    taken = started()
    taken.data_sets = lambda: {"ImageNetS50": tmp_path}
    logger.info("Nothing to be done (all requested files are present and up to date).")
    close(logger)
    assert capsys.readouterr().err.splitlines() == [
        "Nothing to be done: all that was asked for is there.",
        f"  ImageNetS50  {tmp_path}",
    ]


def test_a_dry_run_shows_what_snakemake_says_and_the_jobs(logger, started, capsys):
    started(dry=True, commands=True)
    logger.handlers[0].printing.addFilter(lambda record: getattr(record, "event", None) != "job_info")
    logger.info("Building DAG of jobs...")
    event(logger, "run_info", "Job stats: …", stats={"images": 1})
    run_job(logger)
    event(logger, "shellcmd", "Shell command: …")
    logger.info("This was a dry-run (flag -n).")
    close(logger)
    assert capsys.readouterr().err.splitlines() == [
        "Building DAG of jobs...",
        "Job stats: …",
        "Rule",
        "Shell command: …",
        "This was a dry-run (flag -n).",
    ]


@pytest.mark.parametrize("quiet", [["host", "reason"], ["rules", "progress"], []])
def test_with_another_profile_snakemake_says_all_and_ours_is_still_the_last_word(
    quiet, logger, started, tmp_path, capsys
):
    taken = started(quiet=quiet)
    taken.begin(tmp_path, [], "Building ImageNetS50")
    event(logger, "run_info", "Job stats: …", stats={"images": 1})
    run_job(logger)
    fail_job(logger)
    close(logger)
    assert capsys.readouterr().err.splitlines() == [
        *("Job stats: …", "Rule", "Error in rule", ""),
        "FAILED: Reading images (images-train-50-0)",
        "It ended without a message; its log may tell why.",
        f"Log: {LOG}",
        THEN_AGAIN,
    ]


def test_ctrl_c_is_told_in_one_line(logger, started, capsys, own_sigint):
    started()
    run_job(logger)
    logger.info("Terminating processes on user request, this might take some time.")
    fail_job(logger)
    close(logger)
    assert capsys.readouterr().err.splitlines() == ["", f"Stopped. {AGAIN}"]


def test_a_further_ctrl_c_is_answered_and_breaks_nothing_off(logger, started, capsys, own_sigint):
    started()
    run_job(logger)
    logger.info("Terminating processes on user request, this might take some time.")
    signal.raise_signal(signal.SIGINT)
    close(logger)
    assert capsys.readouterr().err.splitlines() == [screen.STOPPING, "", f"Stopped. {AGAIN}"]


def test_ctrl_c_before_the_first_job_shows_no_traceback(logger, started, monkeypatch, capsys):
    monkeypatch.setattr("sys.excepthook", print)
    started()
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        close(logger)
    assert capsys.readouterr().err.splitlines() == [f"Stopped. {AGAIN}"]
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert capsys.readouterr().out == ""


def test_jobs_and_other_workflows_leave_the_screen_as_it_is(logger, started, capsys):
    before = logger.handlers[:]
    taken = started(main=False)
    taken.note(UserError("wrong"))
    assert logger.handlers == before
    taken.close()  # as `logging` does with all handlers at the end
    assert capsys.readouterr().err == ""
    logger.handlers[0].name = "a plugin of the user"
    assert take_screen(True, OURS, False, False) not in logger.handlers


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_line_is_drawn_in_place_and_gives_way_to_other_lines(logger, started, tmp_path, monkeypatch):
    monkeypatch.setattr(screen, "REDRAW", 0.001)
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setenv("TERM", "xterm")
    taken = started()
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    event(logger, "run_info", "Job stats: …", stats={"images": 1})
    run_job(logger)
    taken.begin(tmp_path, [Reading("images-train-50-0", "train-50-0", tmp_path / "50.json")], "first")
    drawn = "\r\x1b[KReading images: 0 bytes"
    while not terminal.getvalue().endswith(drawn):
        time.sleep(0.001)
    event(logger, "job_finished", "Finished jobid: 1", job_id=1)
    close(logger)
    text = terminal.getvalue()
    assert text.startswith("first\n" + drawn)
    assert text.replace(drawn, "").startswith("first\n\r\x1b[K[1/1] Reading images ")
    assert "\x1b" not in text.rpartition("[1/1]")[2]


def test_events_with_other_facts_do_not_end_the_run_and_snakemakes_lines_are_shown(logger, started, capsys):
    started()
    event(logger, "job_error", "Error in rule images", logging.ERROR)
    event(logger, "error", "At least one job did not complete", logging.ERROR, exception="WorkflowError")
    close(logger)
    lines = capsys.readouterr().err.splitlines()
    assert "KeyError: 'rule_name'" in lines
    assert "At least one job did not complete" in lines
    assert lines[-1] == f"Snakemake ended with the message above. {NOTHING_RUN}"
