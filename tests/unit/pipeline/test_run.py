"""The beginning and the end of a run of Snakemake."""

import errno
import os

import pytest

from imagenet_s.pipeline import run
from imagenet_s.runtime.errors import UserError
from imagenet_s.workspace.paths import Workspace


def test_an_output_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError) as error:
        run.begin_run(Workspace(tmp_path / "file"))
    assert str(error.value) == (
        f"`output`: cannot write to {tmp_path / 'file'}: {os.strerror(errno.ENOTDIR)}."
    )


@pytest.mark.parametrize(("written", "printed"), [(99.5, ""), (100, "all is well\n"), (101, "all is well\n")])
def test_a_summary_is_printed_if_this_run_wrote_it(tmp_path, capsys, written, printed):
    summary = tmp_path / "summary.txt"
    summary.write_text("all is well\n")
    os.utime(summary, (written, written))
    run.print_new_summary(summary, started=100)
    assert capsys.readouterr().out.strip("\n") == printed.strip("\n")


def test_a_run_without_a_summary_prints_none(tmp_path, capsys):
    run.print_new_summary(tmp_path / "summary.txt", started=0)
    assert capsys.readouterr().out == ""
