"""What is printed when nobody reads it, or it cannot be written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from building import ROOT

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
