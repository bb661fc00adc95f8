"""What is printed when nobody reads it, or it cannot be written, or the terminal cannot show it."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.builds import ROOT
from imagenet_s.cli.main import main
from imagenet_s.runtime.progress import escape_output, print_summary

FULL = Path("/dev/full")  # Linux's disk without room


def plan(tmp_path: Path, stdout: int, stderr: int = subprocess.PIPE, **environment) -> tuple[int, str | None]:
    """Runs a command that prints a line; its exit code and what it says."""
    (tmp_path / "config.yaml").write_text("imagenet: demo\n")
    done = subprocess.run(
        [sys.executable, ROOT / "workflow" / "launch.py", "plan"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONUNBUFFERED": "", **environment},
        stdout=stdout,
        stderr=stderr,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.fixture
def unread():
    """The writing end of a pipe whose reader has gone, as `head` does when it has its lines."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


def test_a_command_that_is_done_does_not_mind_that_nobody_reads_it(unread, tmp_path):
    assert plan(tmp_path, unread) == (0, "")
    assert plan(tmp_path, unread, unread) == (0, None)


def test_a_command_stops_where_nobody_reads_what_it_prints_meanwhile(unread, tmp_path):
    assert plan(tmp_path, unread, PYTHONUNBUFFERED="1") == (141, "")


def test_output_that_cannot_be_written_is_told(tmp_path):
    if not FULL.exists():
        pytest.skip(f"there is no {FULL}")
    with FULL.open("wb") as full:
        code, said = plan(tmp_path, full.fileno())
    assert code == 1
    assert said.startswith("Not all of the output could be printed: No space left on device.\nThe disk, or")
    assert "Traceback" not in said


def test_closed_output_is_none(tmp_path):
    script = 'exec "$0" "$1" plan >&-'
    (tmp_path / "config.yaml").write_text("imagenet: demo\n")
    command = ["sh", "-c", script, sys.executable, ROOT / "workflow" / "launch.py"]
    done = subprocess.run(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def limited(encoding: str) -> io.TextIOWrapper:
    """Standard output as Python opens it under `PYTHONIOENCODING`."""
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


def help_of(*command: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    sys.stdout.flush()
    return sys.stdout.buffer.getvalue().decode(sys.stdout.encoding)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_the_help_of_every_command_can_be_printed_in_any_encoding(encoding, monkeypatch):
    monkeypatch.setattr(sys, "stdout", limited(encoding))
    commands = re.findall(r"^ {2,4}([a-z][a-z-]*)", help_of(), re.MULTILINE)
    assert len(commands) == 25
    told = []
    for command in commands:
        monkeypatch.setattr(sys, "stdout", limited(encoding))
        told.append(help_of(command))
    assert all("usage: imagenet-s" in text for text in told)
    assert "·".encode(encoding, "backslashreplace").decode(encoding) in "".join(told)


@pytest.mark.parametrize(
    ("encoding", "printed"), [("ascii", r"\xe9 \u2013"), ("latin-1", r"é \u2013"), ("utf-8", "é –")]
)
def test_a_summary_is_printed_with_escapes_where_it_must_be(encoding, printed, tmp_path, monkeypatch):
    (tmp_path / "summary.txt").write_text("é –", encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", limited(encoding))
    escape_output()
    print_summary(tmp_path / "summary.txt")
    assert sys.stdout.buffer.getvalue() == f"{printed}\n".encode(encoding)


@pytest.mark.parametrize("stdout", [None, io.StringIO()])
def test_a_summary_needs_no_terminal(stdout, tmp_path, monkeypatch):
    (tmp_path / "summary.txt").write_text("é –", encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", stdout)
    escape_output()
    print_summary(tmp_path / "summary.txt")
    assert stdout is None or stdout.getvalue() == "é –\n"


@pytest.mark.parametrize("buffer", ["", "1"])
def test_a_summary_that_cannot_be_printed_is_no_failure_of_the_build(buffer, unread, tmp_path):
    (tmp_path / "summary.txt").write_text("é –", encoding="utf-8")
    script = "from pathlib import Path; from imagenet_s.runtime.progress import print_summary; "
    command = [sys.executable, "-c", f"{script} print_summary(Path('summary.txt'))"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow"), "PYTHONUNBUFFERED": buffer}
    options = {"cwd": tmp_path, "env": environment, "stderr": subprocess.PIPE, "text": True, "check": True}
    assert subprocess.run(command, stdout=unread, **options).stderr == ""
    if FULL.exists():
        with FULL.open("wb") as full:
            said = subprocess.run(command, stdout=full, **options).stderr
        assert said == "Cannot print the summary (No space left on device). It is in summary.txt\n"
