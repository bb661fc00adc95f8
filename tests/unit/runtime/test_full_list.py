"""Full lists of names: in the log, or in a temporary file if messages go to a terminal."""

import tempfile
from pathlib import Path

import pytest

from helpers.outputs import FULL, terminal_stream
from imagenet_s.runtime import full_list, progress
from imagenet_s.runtime.full_list import FullList, list_in_full
from imagenet_s.runtime.job_report import FOLDER, JobReport, Reporter, read_report
from imagenet_s.runtime.progress import log, start_log

NAMES = ["a", "caf\udce9", "b\nc"]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(log, "propagate", False)  # pytest-xdist cannot send what is not UTF-8
    return tmp_path


def listed(log_file: Path | None = None, is_shortened: bool = True) -> None:
    """List names as a command does."""
    start_log(log_file)
    handler = FullList(log_file)
    log.addHandler(handler)
    list_in_full(NAMES, is_shortened)
    log.debug("something else")
    handler.name_file()


def test_on_a_terminal_a_temporary_file_has_the_list(folder, monkeypatch):
    stderr = terminal_stream(monkeypatch, "stderr")
    listed()
    (file,) = folder.iterdir()
    assert file.read_text() == "a\ncaf\\udce9\nb\nc\n"
    assert stderr.getvalue() == f"The full list (3 lines) is in {file}\n"


def test_with_a_log_no_other_file_is_written(folder, monkeypatch):
    stderr = terminal_stream(monkeypatch, "stderr")
    listed(folder / "log")
    assert list(folder.iterdir()) == [folder / "log"]
    assert stderr.getvalue() == f"The full list (3 lines) is in {folder / 'log'}\n"


def test_a_job_of_a_build_leaves_it_to_the_build_to_name_its_log(folder, monkeypatch):
    monkeypatch.setenv(FOLDER, str(folder))
    monkeypatch.setattr(progress, "_reporters", [Reporter("")])
    listed(folder / "verify.log")
    assert read_report(folder, "verify") == JobReport()


def test_elsewhere_nothing_is_written(folder, capsys):
    listed()
    assert capsys.readouterr().err == ""
    assert list(folder.iterdir()) == []


def test_a_list_that_messages_show_completely_is_only_logged(folder, monkeypatch):
    stderr = terminal_stream(monkeypatch, "stderr")
    listed(folder / "log", is_shortened=False)
    assert [line.partition(" ")[2] for line in (folder / "log").read_text().splitlines()][:2] == [
        "a",
        "caf\\udce9",
    ]
    listed(is_shortened=False)
    assert list(folder.iterdir()) == [folder / "log"]
    assert stderr.getvalue() == ""


def test_a_list_that_cannot_be_written_is_no_failure(folder, monkeypatch):
    stderr = terminal_stream(monkeypatch, "stderr")
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "nowhere"))
    listed()
    assert stderr.getvalue() == "The full list cannot be written: No such file or directory\n"
    if FULL.exists():
        monkeypatch.setattr(full_list, "_temporary_file", lambda: FULL.open("w", errors="backslashreplace"))
        listed()
        assert stderr.getvalue().count("\n") == 2
        assert stderr.getvalue().endswith("The full list cannot be written: No space left on device\n")
