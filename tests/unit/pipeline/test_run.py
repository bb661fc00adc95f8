"""The beginning and the end of a run of Snakemake."""

import errno
import os
from types import SimpleNamespace

import pytest

from imagenet_s.config.settings import read_config
from imagenet_s.dataset.disk_usage import bytes_on_disk
from imagenet_s.pipeline import run
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.units import size_text
from imagenet_s.workspace.paths import Workspace


def test_an_output_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError) as error:
        run.begin_run(Workspace(tmp_path / "file"))
    assert str(error.value) == (
        f"`output`: cannot write to {tmp_path / 'file'}: {os.strerror(errno.ENOTDIR)}."
    )


@pytest.mark.parametrize("exists", [False, True])
def test_a_folder_in_which_snakemake_cannot_write_is_named(exists, tmp_path, monkeypatch):
    records = tmp_path / ".snakemake"
    if exists:
        records.mkdir()
    run.require_own_folder(tmp_path)
    place = records if exists else tmp_path
    monkeypatch.setattr(os, "access", lambda path, mode: path != place)  # root may write everywhere
    with pytest.raises(UserError) as error:
        run.require_own_folder(tmp_path)
    assert str(error.value) == (
        f"Snakemake keeps its records in {records}, but cannot write to {place}. Run it in a folder of your "
        "own: `imagenet-s init FOLDER` makes one, with a config.yaml."
    )


@pytest.mark.parametrize(("written", "printed"), [(99.5, False), (100, True), (101, True)])
def test_a_summary_is_printed_if_this_run_wrote_it(tmp_path, capsys, monkeypatch, written, printed):
    workspace = Workspace(tmp_path)
    workspace.summary.write_text("all is well\n")
    os.utime(workspace.summary, (written, written))
    monkeypatch.setattr("time.time", lambda: 100 + 3725)
    run.print_new_summary(workspace, started=100)
    size = size_text(bytes_on_disk(workspace))
    text = f"all is well\n\nBuilt in 1 h 2 min; {tmp_path} takes {size} on the disk.\n"
    assert capsys.readouterr().out == (text if printed else "")


def test_the_end_says_where_the_exports_of_this_run_are(tmp_path, capsys):
    workspace = Workspace(tmp_path)
    for name, written in (("coco", 101), ("parquet", 99)):
        manifest = workspace.export_manifest(name, 50, "validation")
        manifest.parent.mkdir(parents=True)
        manifest.touch()
        os.utime(manifest, (written, written))
    run.print_new_summary(workspace, started=100)
    assert capsys.readouterr() == ("", f"Exported as coco: {tmp_path}/exports/coco\n")


def test_the_end_says_how_to_reach_the_commands(tmp_path, capsys, monkeypatch):
    workspace = Workspace(tmp_path)
    workspace.summary.write_text("all is well\n")
    script = tmp_path / ".venv" / "bin" / "activate"
    script.parent.mkdir(parents=True)
    script.touch()
    monkeypatch.setattr("sys.prefix", str(tmp_path / ".venv"))
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(run, "is_terminal", lambda _: True)
    (tmp_path / "elsewhere").mkdir()
    for folder, shown in ((tmp_path, ".venv/bin/activate"), (tmp_path / "elsewhere", str(script))):
        monkeypatch.chdir(folder)
        run.print_new_summary(workspace, started=0)
        last = capsys.readouterr().out.splitlines()[-1]
        assert last == f"For `imagenet-s` and `snakemake` without a path: source {shown}"
    (script.parent / "imagenet-s").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(script.parent))
    run.print_new_summary(workspace, started=0)
    assert capsys.readouterr().out.splitlines()[-1].startswith("Built in ")


def test_a_run_without_a_summary_prints_none(tmp_path, capsys):
    run.print_new_summary(Workspace(tmp_path), started=0)
    assert capsys.readouterr().out == ""


def test_a_folder_that_cannot_be_listed_does_not_fail_the_build(tmp_path, capsys, monkeypatch):
    def denied(_):
        raise PermissionError(errno.EACCES, "denied")

    Workspace(tmp_path).summary.write_text("all is well\n")
    monkeypatch.setattr("os.scandir", denied)
    monkeypatch.setattr("time.time", lambda: 61.4)
    run.print_new_summary(Workspace(tmp_path), started=0)
    assert capsys.readouterr().out == "all is well\n\nBuilt in 1 min 1 s.\n"


def test_the_first_line_names_both_places_of_the_source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = read_config({"imagenet": {"train": "/t", "val": "/v"}, "output": "out", "subsets": [50]})
    jobs = [SimpleNamespace(rule=SimpleNamespace(name="dataset"))]
    assert (
        run.build_header(jobs, config) == f"Building ImageNetS50 from /t (train), /v (val) in {tmp_path}/out"
    )
    assert run.build_header([], config) == ""
