"""`imagenet-s --help` lists the commands for people first, and `python -m imagenet_s` is the same program."""

import re
import subprocess
import sys

import numpy as np
import pytest

from imagenet_s.cli.main import main
from imagenet_s.cli.versions import LIBRARIES, versions_text
from imagenet_s.runtime.version import __version__

PEOPLE = (
    *("init", "inspect", "plan", "verify", "repair", "clean", "stats", "export", "gallery"),
    *("match", "evaluate", "compare", "grid-features", "distance-match", "submit", "completion"),
)
JOBS = (
    *("demo-images", "demo-annotations", "source", "images", "stream", "fetch", "masks"),
    *("samples", "tree", "labels", "manifests", "companions", "dataset", "tidy", "summary"),
    "contact-sheets",
    *("export-files", "export-manifest", "export-info"),
    *("gallery-pictures", "gallery-pages"),
)


def listed(text: str, indent: int) -> tuple[str, ...]:
    """Return the commands that a part of the help lists."""
    return tuple(re.findall(rf"^ {{{indent}}}([a-z][a-z-]*)", text, re.MULTILINE))


def test_help_lists_the_commands_for_people_first_and_those_of_jobs_apart(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    people, jobs = capsys.readouterr().out.split("\ncommands that the jobs of a build run, in this order:\n")
    assert listed(people.partition("\ncommands:\n")[2], 4) == PEOPLE
    assert listed(jobs, 2) == JOBS


@pytest.mark.parametrize("command", JOBS)
def test_the_commands_of_jobs_explain_themselves_as_well(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: imagenet-s {command} ")


def test_the_package_runs_as_a_module(tmp_path):
    command = [sys.executable, "-m", "imagenet_s", "--version"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{versions_text()}\n", "")


def test_the_version_is_followed_by_those_of_python_and_of_libraries(monkeypatch):
    lines = versions_text().splitlines()
    assert lines[0] == f"imagenet-s {__version__}"
    assert [line.split()[0] for line in lines[1:]] == ["Python", "platform", *LIBRARIES]
    assert f"numpy {np.__version__}" in lines
    monkeypatch.setattr("imagenet_s.cli.versions.LIBRARIES", ("no-such-library",))
    assert versions_text().splitlines()[-1] == "no-such-library (not installed)"
