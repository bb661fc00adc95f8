"""Options as arguments of a function, and options that several commands share: numbers, files to write."""

import argparse
from pathlib import Path

import pytest

from imagenet_s.cli.arguments import command, function
from imagenet_s.cli.main import main
from imagenet_s.config import build_request
from imagenet_s.config.build_request import BuildRequest

REQUEST = {
    "imagenet": Path("i"),
    "output": Path("o"),
    "subsets": [50],
    "complete": True,
    "link": "auto",
    "labels": [],
    "val": None,
}


@pytest.fixture
def called(monkeypatch) -> list[dict]:
    """What the function `imagenet_s.config.build_request.called` got, which returns 3."""
    calls: list[dict] = []

    def function_of_options(**arguments: object) -> int:
        calls.append(arguments)
        return 3

    monkeypatch.setattr(build_request, "called", function_of_options, raising=False)
    return calls


def test_options_that_are_fields_are_gathered_and_the_others_passed_as_they_are(called):
    options = {"tier": 300, **REQUEST}
    run = function("config.build_request.called", {"request": "config.build_request.BuildRequest"})
    assert run(options) == 3
    assert called == [{"tier": 300, "request": BuildRequest(**REQUEST)}]
    assert options == {"tier": 300, **REQUEST}


def test_without_groups_each_option_is_an_argument(called):
    commands = argparse.ArgumentParser().add_subparsers()
    added = command(commands, "call", "config.build_request.called", "call it")
    assert added.get_default("run")({"tier": 300}) == 3
    assert called == [{"tier": 300}]


@pytest.mark.parametrize("out", [".", "/", "", "..", "a folder"])
def test_a_folder_is_refused_where_a_file_is_to_be_written(out, tmp_path, capsys):
    (tmp_path / "a folder").mkdir()
    out = str(tmp_path / out) if out == "a folder" else out
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", "--subset", "50", "--truth", "x", "--predictions", "x", "--out", out])
    assert caught.value.code == 2
    assert "is a folder; give the name of a file" in capsys.readouterr().err


@pytest.mark.parametrize("count", ["0", "-1", "two"])
def test_the_number_of_processes_must_be_1_or_more(count, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", "--workers", count])
    assert caught.value.code == 2
    assert f"{count!r} is not an integer of 1 or more" in capsys.readouterr().err
