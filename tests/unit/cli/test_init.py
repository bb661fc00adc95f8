"""`imagenet-s init`: what it writes, and that it never overwrites a file."""

import subprocess
import sys
from pathlib import Path

import pytest

from helpers.builds import ROOT
from imagenet_s.cli import init
from imagenet_s.cli.init import SNAKEFILE
from imagenet_s.cli.main import main

PROFILES = [f"profiles/{name}/config.yaml" for name in ("default", "slurm", "verbose")]
COPIED = ("config.yaml", *PROFILES)
WRITTEN = ("Snakefile", *COPIED)


def content(folder: Path) -> dict[str, bytes | None]:
    """Return the bytes of everything in a folder by relative path; None for what is not a file."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def files(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in content(folder).items() if data is not None}


def expected() -> dict[str, bytes]:
    return {"Snakefile": SNAKEFILE.encode()} | {name: (ROOT / name).read_bytes() for name in COPIED}


@pytest.mark.parametrize("folder", ["new", "new/below", "empty"])
def test_the_files_are_written_and_the_next_steps_printed(folder, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert main(["init", str(tmp_path / folder)]) == 0
    assert files(tmp_path / folder) == expected()
    printed = capsys.readouterr().out.splitlines()
    snakemake = Path(sys.executable).with_name("snakemake")
    assert printed == [
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
def test_existing_files_are_named_and_nothing_is_written(there, tmp_path, capsys):
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


def test_broken_links_and_files_in_the_place_of_folders_are_named(tmp_path, capsys):
    (tmp_path / "Snakefile").symlink_to("gone")
    (tmp_path / "config.yaml").mkdir()
    (tmp_path / "profiles").write_text("mine")
    assert main(["init", str(tmp_path)]) == 1
    named = f"{tmp_path}/Snakefile, {tmp_path}/config.yaml, {tmp_path}/profiles.\n"
    assert f"because these exist already: {named}" in capsys.readouterr().err
    assert main(["init", str(tmp_path / "profiles")]) == 1
    assert f"because these exist already: {tmp_path}/profiles.\n" in capsys.readouterr().err
    assert sorted(content(tmp_path)) == ["Snakefile", "config.yaml", "profiles"]


def test_a_checkout_has_the_files_already(capsys):
    assert main(["init", str(ROOT)]) == 1
    assert ", ".join(str(ROOT / name) for name in WRITTEN) in capsys.readouterr().err


def test_nothing_is_written_into_a_data_set(tmp_path, capsys):
    (tmp_path / "dataset.json").write_text("{}")
    assert main(["init", str(tmp_path / "inside")]) == 2
    assert f"init: {tmp_path}/inside would be written into the data set {tmp_path}" in capsys.readouterr().err
    assert sorted(content(tmp_path)) == ["dataset.json"]


def test_files_are_removed_again_if_one_cannot_be_written(tmp_path, monkeypatch, capsys):
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
def test_without_config_yaml_the_message_names_init(command, tmp_path, monkeypatch, capsys):
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
    assert (planned["images"], planned["build"], planned["total"]) == ("3", "1", "17")
