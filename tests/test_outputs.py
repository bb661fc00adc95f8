"""Where commands may write, and where not: devices and pipes."""

import argparse
import os
from pathlib import Path

import pytest

from imagenet_s.arguments import new_file, new_folder
from imagenet_s.cli import main


@pytest.fixture
def pipe(tmp_path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


@pytest.mark.parametrize("command", ["evaluate", "match", "submit", "verify"])
def test_a_pipe_is_not_replaced_by_a_file(command, pipe, tmp_path, capsys):
    (tmp_path / "link").symlink_to(pipe)
    option = "--json" if command == "verify" else "--out"
    for path in (pipe, tmp_path / "link"):
        with pytest.raises(SystemExit) as caught:
            main([command, option, str(path)])
        assert caught.value.code == 2
        says = f"argument {option}: {str(path)!r} is no ordinary file; give the name of a file\n"
        assert says in capsys.readouterr().err
    assert pipe.is_fifo()
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("path", ["/dev/null", "/dev/stdout", "/dev/new"])
def test_nothing_is_written_among_the_devices(path):
    with pytest.raises(argparse.ArgumentTypeError, match=f"'{path}' is no ordinary file; give the name of"):
        new_file(path)


def test_what_is_no_folder_is_refused_as_one(pipe, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path in (pipe, tmp_path / "file"):
        with pytest.raises(argparse.ArgumentTypeError, match="is not the name of a folder"):
            new_folder(str(path))
    assert new_file(str(tmp_path / "file")) == tmp_path / "file"
    # The system refuses to look for it. That is told by who writes there.
    assert new_file("x" * 300) == new_folder("x" * 300) == Path("x" * 300)
