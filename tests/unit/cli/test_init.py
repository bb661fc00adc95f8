"""`imagenet-s init`: what it writes, and that it never writes over anything."""

import subprocess
import sys
from pathlib import Path

import pytest

from helpers.builds import ROOT
from imagenet_s.cli import init
from imagenet_s.cli.init import SNAKEFILE
from imagenet_s.cli.main import main

COPIED = ("config.yaml", "profiles/default/config.yaml", "profiles/slurm/config.yaml")
WRITTEN = ("Snakefile", *COPIED)


def content(folder: Path) -> dict[str, bytes | None]:
    """Relative path → bytes of everything in a folder; None for what is no file."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def files(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in content(folder).items() if data is not None}


def expected() -> dict[str, bytes]:
    return {"Snakefile": SNAKEFILE.encode()} | {name: (ROOT / name).read_bytes() for name in COPIED}


@pytest.mark.parametrize("folder", ["new", "new/below", "empty"])
def test_a_folder_gets_its_files_and_the_user_the_next_steps(folder, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert main(["init", str(tmp_path / folder)]) == 0
    assert files(tmp_path / folder) == expected()
    told = capsys.readouterr().out.splitlines()
    snakemake = Path(sys.executable).with_name("snakemake")
    assert told == [
        f"Wrote {', '.join(WRITTEN)} in {tmp_path / folder}.",
        "Next:",
        "1. Edit three lines of config.yaml there: imagenet, output, subsets.",
        f"2. cd {tmp_path / folder} && {snakemake} --cores all",
    ]


def test_the_current_folder_is_the_default_and_its_other_files_stay(tmp_path, monkeypatch):
    (tmp_path / "profiles" / "mine").mkdir(parents=True)
    mine = {"notes.txt": b"mine", "profiles/mine/config.yaml": b"cores: 1\n"}
    for name, data in mine.items():
        (tmp_path / name).write_bytes(data)
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    assert files(tmp_path) == expected() | mine


@pytest.mark.parametrize("there", [WRITTEN[:1], WRITTEN[1:2], WRITTEN[2:], WRITTEN], ids="-".join)
def test_everything_in_the_way_is_named_and_nothing_is_written(there, tmp_path, capsys):
    for name in there:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("mine")
    before = content(tmp_path)
    assert main(["init", str(tmp_path)]) == 1
    assert content(tmp_path) == before
    named = ", ".join(str(tmp_path / name) for name in there)
    assert capsys.readouterr().err == (
        f"init: nothing was written, because these exist already: {named}.\n"
        "`init` never overwrites a file. Name a folder without them: imagenet-s init FOLDER\n"
    )


def test_links_that_lead_nowhere_and_files_instead_of_folders_are_in_the_way(tmp_path, capsys):
    (tmp_path / "Snakefile").symlink_to("gone")
    (tmp_path / "config.yaml").mkdir()
    (tmp_path / "profiles").write_text("mine")
    assert main(["init", str(tmp_path)]) == 1
    named = f"{tmp_path}/Snakefile, {tmp_path}/config.yaml, {tmp_path}/profiles.\n"
    assert f"because these exist already: {named}" in capsys.readouterr().err
    assert main(["init", str(tmp_path / "profiles")]) == 1
    assert f"because these exist already: {tmp_path}/profiles.\n" in capsys.readouterr().err
    assert sorted(content(tmp_path)) == ["Snakefile", "config.yaml", "profiles"]


def test_a_checkout_is_a_folder_to_build_in_already(capsys):
    assert main(["init", str(ROOT)]) == 1
    assert ", ".join(str(ROOT / name) for name in WRITTEN) in capsys.readouterr().err


def test_nothing_is_written_into_a_data_set(tmp_path, capsys):
    (tmp_path / "dataset.json").write_text("{}")
    assert main(["init", str(tmp_path / "inside")]) == 2
    assert f"init: {tmp_path}/inside would be written into the data set {tmp_path}" in capsys.readouterr().err
    assert sorted(content(tmp_path)) == ["dataset.json"]


def test_what_was_written_goes_where_the_rest_cannot_be_written(tmp_path, monkeypatch, capsys):
    class Full(type(tmp_path)):
        def open(self, *arguments, **options):
            if self.parent.name == "slurm":
                raise OSError(28, "No space left on device")
            return super().open(*arguments, **options)

    with pytest.raises(OSError, match="No space left") as caught:
        init.init_folder(Full(tmp_path))
    assert caught.value.filename == f"{tmp_path}/profiles/slurm/config.yaml"
    assert files(tmp_path) == {}
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("command", ["plan", "repair"])
def test_who_has_no_config_yaml_is_told_how_to_get_one(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([command]) == 1
    assert capsys.readouterr().err == (
        f"There is no {tmp_path}/config.yaml. Run in the folder of config.yaml, or give --configfile. "
        "`imagenet-s init` makes a folder with one.\n"
    )


def test_snakemake_builds_in_such_a_folder(tmp_path):
    assert main(["init", str(tmp_path)]) == 0
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--dry-run", "--quiet", "rules"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    planned = dict(line.split() for line in run.stdout.splitlines() if len(line.split()) == 2)
    assert (planned["images"], planned["build"], planned["total"]) == ("3", "1", "15")
