"""Logging and printing: escapes where the encoding needs them, and outputs that fail."""

import io
import os
import subprocess
import sys

import pytest

from helpers.builds import ROOT
from helpers.outputs import FULL, stdout_in, unread_pipe
from imagenet_s.runtime.progress import escape_output, print_summary


@pytest.fixture
def unread():
    with unread_pipe() as pipe:
        yield pipe


@pytest.mark.parametrize(
    ("encoding", "printed"), [("ascii", r"\xe9 \u2013"), ("latin-1", r"é \u2013"), ("utf-8", "é –")]
)
def test_a_summary_is_printed_with_escapes_if_the_encoding_needs_them(
    encoding, printed, tmp_path, monkeypatch
):
    (tmp_path / "summary.txt").write_text("é –", encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", stdout_in(encoding))
    escape_output()
    print_summary(tmp_path / "summary.txt", "Built.")
    assert sys.stdout.buffer.getvalue() == f"{printed}\nBuilt.\n".encode(encoding)


@pytest.mark.parametrize("stdout", [None, io.StringIO()])
def test_a_summary_needs_no_terminal(stdout, tmp_path, monkeypatch):
    (tmp_path / "summary.txt").write_text("é –", encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", stdout)
    escape_output()
    print_summary(tmp_path / "summary.txt", "Built.")
    assert stdout is None or stdout.getvalue() == "é –\nBuilt.\n"


@pytest.mark.parametrize("buffer", ["", "1"])
def test_a_summary_that_cannot_be_printed_does_not_fail_the_build(buffer, unread, tmp_path):
    (tmp_path / "summary.txt").write_text("é –", encoding="utf-8")
    script = "from pathlib import Path; from imagenet_s.runtime.progress import print_summary; "
    command = [sys.executable, "-c", f"{script} print_summary(Path('summary.txt'), 'Built.')"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow"), "PYTHONUNBUFFERED": buffer}
    options = {"cwd": tmp_path, "env": environment, "stderr": subprocess.PIPE, "text": True, "check": True}
    assert subprocess.run(command, stdout=unread, **options).stderr == ""
    if FULL.exists():
        with FULL.open("wb") as full:
            said = subprocess.run(command, stdout=full, **options).stderr
        assert said == "Cannot print the summary (No space left on device). It is in summary.txt\n"


def test_a_name_that_is_not_utf_8_can_be_logged_and_printed(tmp_path):
    code = (
        "import os; from pathlib import Path; from imagenet_s.runtime.progress import log, start_log\n"
        "name = os.fsdecode(b'r\\xe9sum\\xe9.txt')\n"
        "start_log(Path('a.log')); log.warning('warned of %s', name); print(f'printed {name}')"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow"), "PYTHONIOENCODING": "utf-8:strict"}
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "printed r\\udce9sum\\udce9.txt\n"
    assert run.stderr == "warned of r\\udce9sum\\udce9.txt\n"
    assert (tmp_path / "a.log").read_text(encoding="utf-8").endswith(run.stderr)
