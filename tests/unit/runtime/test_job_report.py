"""What jobs report to the process that runs the build, and what they print themselves."""

import io
import json
import logging
import shutil
import sys
import time

import pytest

from imagenet_s.cli.main import main
from imagenet_s.runtime import job_report, progress
from imagenet_s.runtime.full_list import LISTED, FullList
from imagenet_s.runtime.job_report import JobReport, Reporter, read_report, read_reports


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of the reports, as the jobs of a run find it."""
    path = tmp_path / "reports"
    path.mkdir()
    monkeypatch.setenv(job_report.FOLDER, str(path))
    monkeypatch.setattr(progress, "_reporters", [Reporter("")])
    return path


def test_a_job_reports_its_progress_once_a_second_and_its_end(folder):
    reporter = Reporter("images-train-50-0")
    assert read_report(folder, "images-train-50-0") == JobReport()
    begin = reporter.written
    assert [reporter.is_due(begin + later) for later in (0, 0.5, 1, 7)] == [False, False, True, True]
    reporter.progress(JobReport("Reading", 3, 10, "images", 3000))
    reporter.progress(JobReport("Checking", 0, None, "files", 0))
    assert read_reports(folder) == {"images-train-50-0": JobReport("Checking", 0, None, "files", 3000)}
    reporter.end(1)
    assert read_report(folder, "images-train-50-0") == JobReport("Checking", 0, None, "files", 3000, "", 1)
    assert sorted(path.name for path in folder.iterdir()) == ["images-train-50-0.json"]


def test_a_report_that_cannot_be_written_or_read_is_left_out(folder, monkeypatch):
    monkeypatch.setenv(job_report.FOLDER, str(folder / "lost"))
    reporter = Reporter("a")
    assert not reporter.add_error("told")
    reporter.end(0)
    (folder / "b.json").write_text('{"done": ')
    (folder / "c.json").write_text('{"none": 1}')
    (folder / "d.json").write_text(json.dumps({"done": 2}))
    assert read_reports(folder) == {"d": JobReport(done=2)}
    assert read_reports(folder / "lost") == {}


def test_where_a_full_list_is_is_no_error_of_a_job(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "_reporters", [Reporter("verify")])
    full_list = FullList(tmp_path / "verify.log")
    for name in ("a", "b"):
        full_list.handle(logging.makeLogRecord({"msg": name, LISTED: True}))
    full_list.name_file()
    assert read_report(folder, "verify") == JobReport()


def test_without_a_run_nothing_is_reported(tmp_path, monkeypatch):
    monkeypatch.delenv(job_report.FOLDER, raising=False)
    reporter = Reporter("a")
    assert (reporter.active, reporter.is_due(time.monotonic() + 9)) == (False, False)
    assert not reporter.add_error("told")


def test_the_error_of_a_job_is_shown_by_the_run_and_not_by_the_job(folder, tmp_path, capsys):
    command = ["--log", str(tmp_path / "summary.log"), "summary", "--datasets", str(tmp_path / "none")]
    assert main([*command, "--summary", str(tmp_path / "summary.txt")]) == 1
    assert capsys.readouterr().err == ""
    report = read_report(folder, "summary")
    assert report == JobReport(error=f"No such file or directory: {tmp_path}/none\n", code=1)
    assert report.error in (tmp_path / "summary.log").read_text()


def test_an_error_that_cannot_be_reported_is_printed(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(job_report.FOLDER, str(folder / "lost"))
    command = ["--log", str(tmp_path / "summary.log"), "summary", "--datasets", str(tmp_path / "none")]
    assert main([*command, "--summary", str(tmp_path / "summary.txt")]) == 1
    assert capsys.readouterr().err == f"No such file or directory: {tmp_path}/none\n"


def test_a_job_draws_no_bar_and_reports_what_it_read(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress.start_log(tmp_path / "images-train-50-0.log")
    with progress.progress("Reading train-50-0", 2, "images") as bar:
        bar.update(read=100)
        bar.update(read=200)
    assert sys.stderr.buffer.getvalue() == b""
    report = read_report(folder, "images-train-50-0")
    assert report == JobReport("Reading train-50-0", 2, 2, "images", 300)


def test_a_bar_of_bytes_reaches_a_position_and_never_goes_back(folder, tmp_path):
    progress.start_log(tmp_path / "stream.log")
    with progress.progress("Reading train-pass-50-0", 1000, "B") as bar:
        for position in (0, 400, 300, 900):
            bar.reach(position)
    assert read_report(folder, "stream") == JobReport("Reading train-pass-50-0", 900, 1000, "B", 900)


class Terminal(io.TextIOWrapper):
    """A stream in memory that says it is a terminal."""

    def __init__(self):
        super().__init__(io.BytesIO(), encoding="utf-8", line_buffering=True)

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("dumb", [False, True])
def test_what_a_job_prints_replaces_the_status_line(dumb, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("TERM", "dumb" if dumb else "xterm")
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(sys, "stderr", Terminal())
    out, err = sys.stdout.buffer, sys.stderr.buffer
    progress.start_log(tmp_path / "verify.log")
    print("a line", "another", sep="\n")
    print("two parts", end=" ")
    print("of one")
    progress.log.warning("warned")
    clear = "" if dumb else "\r\x1b[K"
    lines = ["a line", "another", "two parts of one"]
    assert out.getvalue().decode().replace(clear * 2, clear) == clear + "".join(
        f"{line}\n{clear}" for line in lines
    )
    assert err.getvalue().decode() == f"{clear}warned\n{clear}"


def test_a_lost_folder_costs_a_job_nothing(folder, tmp_path):
    progress.start_log(tmp_path / "images.log")
    shutil.rmtree(folder)
    with progress.progress("Reading", 1, "images") as bar:
        bar.update()
    assert bar.count == 1
    assert not folder.exists()
