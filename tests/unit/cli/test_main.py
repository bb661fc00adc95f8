"""Output that nobody reads, that cannot be written, or that the encoding of the terminal cannot show."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from helpers.builds import ROOT
from helpers.outputs import FULL, stdout_in, terminal_stream, unread_pipe
from imagenet_s.cli.main import main
from imagenet_s.pipeline import plan_report
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.progress import log, progress, start_log


def plan(tmp_path: Path, stdout: int, stderr: int = subprocess.PIPE, **environment) -> tuple[int, str | None]:
    """Run a command that prints a line; return its exit code and its standard error."""
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
    with unread_pipe() as pipe:
        yield pipe


def test_a_command_succeeds_if_nobody_reads_its_last_output(unread, tmp_path):
    assert plan(tmp_path, unread) == (0, "")
    assert plan(tmp_path, unread, unread) == (0, None)


def test_a_command_stops_if_nobody_reads_its_output_while_it_runs(unread, tmp_path):
    assert plan(tmp_path, unread, PYTHONUNBUFFERED="1") == (141, "")


def test_output_that_cannot_be_written_is_reported(tmp_path):
    if not FULL.exists():
        pytest.skip(f"there is no {FULL}")
    with FULL.open("wb") as full:
        code, said = plan(tmp_path, full.fileno())
    assert code == 1
    assert said.startswith(
        "The output could not be printed completely: No space left on device.\nThe disk or"
    )
    assert "Traceback" not in said


def test_closed_output_is_not_an_error(tmp_path):
    script = 'exec "$0" "$1" plan >&-'
    (tmp_path / "config.yaml").write_text("imagenet: demo\n")
    command = ["sh", "-c", script, sys.executable, ROOT / "workflow" / "launch.py"]
    done = subprocess.run(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def help_of(*command: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    sys.stdout.flush()
    return sys.stdout.buffer.getvalue().decode(sys.stdout.encoding)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_the_help_of_every_command_can_be_printed_in_any_encoding(encoding, monkeypatch):
    monkeypatch.setattr(sys, "stdout", stdout_in(encoding))
    commands = re.findall(r"^ {2,4}([a-z][a-z-]*)", help_of(), re.MULTILINE)
    assert len(commands) == 37
    texts = []
    for command in commands:
        monkeypatch.setattr(sys, "stdout", stdout_in(encoding))
        texts.append(help_of(command))
    assert all("usage: imagenet-s" in text for text in texts)
    assert "·".encode(encoding, "backslashreplace").decode(encoding) in "".join(texts)


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ([], ["note", "warning", "error"]),
        (["-q"], ["error"]),
        (["-v"], ["detail", "note", "warning", "error"]),
        (["--quiet", "--verbose"], ["detail", "note", "warning", "error"]),
        (["--log", "log.txt"], ["warning", "error"]),
        (["--log", "log.txt", "-q"], ["error"]),
        (["--log", "log.txt", "-v"], ["detail", "note", "warning", "error"]),
    ],
)
@pytest.mark.parametrize("place", ["before the command", "after it"])
def test_quiet_shows_results_and_errors_and_verbose_everything(
    options, shown, place, tmp_path, monkeypatch, capsys
):
    def report(path: Path) -> None:
        print("result")
        log.debug("detail")
        log.info("note")
        log.warning("warning")
        log.error("error")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("imagenet_s.preflight.inspect_report.print_report", lambda path, **_: report(path))
    arguments = [*options, "inspect", "x"] if place == "before the command" else ["inspect", *options, "x"]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert (printed.out, printed.err.splitlines()) == ("result\n", shown)
    if "--log" in options:
        lines = Path("log.txt").read_text().splitlines()
        assert [line.split()[1] for line in lines] == ["detail", "note", "warning", "error"]


@pytest.mark.parametrize(("verbosity", "disabled"), [(-1, True), (0, False), (1, False)])
def test_quiet_shows_no_progress(verbosity, disabled, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    start_log(None, verbosity)
    with progress("Reading", 3) as bar:
        assert bool(bar.disable) is disabled


def failing(count: int, log: Path | None, monkeypatch, text: str = "Some are wrong.") -> None:
    """Run a command that fails with a message and `count` details."""

    def fail(configfile: Path, json: Path | None) -> None:
        raise UserError(text, details=[f"name {k}" for k in range(count)])

    monkeypatch.setattr(plan_report, "print_plan", fail)
    assert main([*(["--log", str(log)] if log else []), "plan"]) == 1


def test_a_terminal_shows_five_details_and_a_file_has_all(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    stderr = terminal_stream(monkeypatch, "stderr")
    failing(5, None, monkeypatch)
    assert stderr.getvalue() == "Some are wrong.\n" + "".join(f"  name {k}\n" for k in range(5))
    assert list(tmp_path.iterdir()) == []
    stderr.truncate(0)
    failing(6, None, monkeypatch)
    (file,) = tmp_path.iterdir()
    assert stderr.getvalue().strip("\0") == (
        "Some are wrong.\n"
        + "".join(f"  name {k}\n" for k in range(5))
        + f"  … and 1 more\nThe full list (6 lines) is in {file}\n"
    )
    assert file.read_text() == "".join(f"name {k}\n" for k in range(6))


@pytest.mark.parametrize(("count", "text"), [(2, "Wrong: 0, 1."), (60, "Wrong: 0, … (60 in all).")])
def test_a_terminal_shows_no_details_that_the_message_names(count, text, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    stderr = terminal_stream(monkeypatch, "stderr")
    failing(count, None, monkeypatch, text)
    where = "".join(f"The full list (60 lines) is in {file}\n" for file in tmp_path.iterdir())
    assert (stderr.getvalue(), bool(where)) == (f"{text}\n{where}", count > 5)


def test_the_only_detail_is_no_list(tmp_path, monkeypatch):
    stderr = terminal_stream(monkeypatch, "stderr")
    failing(1, tmp_path / "log", monkeypatch)
    assert stderr.getvalue() == "Some are wrong.\n"
    assert (tmp_path / "log").read_text().count("name 0\n") == 1


def test_with_a_log_the_terminal_shows_its_name_last(tmp_path, monkeypatch):
    stderr = terminal_stream(monkeypatch, "stderr")
    failing(60, tmp_path / "log", monkeypatch)
    assert stderr.getvalue() == f"Some are wrong.\nThe full list (60 lines) is in {tmp_path / 'log'}\n"
    stderr.truncate(0)
    failing(1, tmp_path / "log", monkeypatch)  # the message has the only one
    assert stderr.getvalue().strip("\0") == "Some are wrong.\n"
    assert "name 0\n" in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "--configfile", "failing"],
        ["--log", "failing", "verify", "x"],
        ["compare", "failing"],
    ],
)
def test_a_file_that_cannot_be_read_is_named(arguments, tmp_path, monkeypatch, capsys):
    (tmp_path / "failing").symlink_to("/proc/self/mem")
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("Input/output error: failing.\nThe disk or the network has failed")
    assert "Traceback" not in printed
