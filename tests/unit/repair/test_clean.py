"""Removing a build: everything that it made and nothing else; and one run at a time."""

import os
import subprocess
import sys
from pathlib import Path
from stat import S_ISREG

import pytest

from helpers.builds import ROOT, build
from helpers.damages import states
from helpers.outputs import terminal_stream
from helpers.trees import linked_copy
from imagenet_s.cli.main import main
from imagenet_s.repair.clean import _parts, clean
from imagenet_s.runtime import lock
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.units import size_text
from imagenet_s.spec.companions import COMPANIONS
from imagenet_s.spec.statistics import statistics_files
from imagenet_s.workspace.leftovers import hold_output
from imagenet_s.workspace.paths import Workspace


@pytest.fixture(autouse=True)
def free_locks():
    """Release locks at the end of a test: a run holds its lock until its process ends."""
    yield
    while lock._held:
        os.close(lock._held.pop())


@pytest.fixture
def source(imagenet50, tmp_path) -> Path:
    return linked_copy(imagenet50, tmp_path / "imagenet")


def sizes(folder: Path) -> dict[int, int]:
    """Return the inode of each file in a folder → its size."""
    states = [path.lstat() for path in folder.rglob("*")]
    return {state.st_ino: state.st_size for state in states if S_ISREG(state.st_mode)}


@pytest.mark.parametrize("link", ["symlink", "hardlink", "copy"])
def test_a_build_is_removed_and_the_source_stays(source, annotations50, tmp_path, link):
    output = tmp_path / "results"
    before = states(source)
    build(source, annotations50, output, link, labels=("id16",))
    made, theirs = sizes(output), sizes(source)
    kept = sum(size for inode, size in made.items() if inode in theirs)
    assert bool(kept) == (link == "hardlink")
    assert sum(part.bytes for part in _parts(Workspace(output))) == sum(made.values()) - kept
    clean(output, yes=True, dry_run=False)
    assert states(source) == before
    assert not output.exists()


def test_scores_and_statistics_are_removed_and_files_beside_them_stay(
    source, annotations50, tmp_path, capsys
):
    output = tmp_path / "results"
    build(source, annotations50, output, "symlink")
    made = ["baseline/test/n01443537/x.png", "baseline/test.json", "match.json", "match-info.json"]
    made += ["metrics.json", "metrics-classes.csv", "submission.zip", ".submission.zip.part"]
    made += [f"metrics-{name}.png" for name in ("classes", "worst", "best")]
    made += ["metrics-classes.pdf", "metrics-figures.html"]
    paths = [output / "benchmark" / "50" / name for name in made]
    paths += [output / "work" / "features" / "50" / "test" / "x.npy"]
    tables = [*statistics_files(), ".splits.csv.part"]
    paths += [output / "statistics" / "50" / name for name in tables]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("made")
    mine = [output / name / "919" / "mine.txt" for name in ("benchmark", "statistics")]
    for path in mine:
        path.parent.mkdir()
        path.write_text("mine")
    clean(output, yes=True, dry_run=True)
    folder = output / "statistics" / "50"
    assert f"would remove {len(tables)} entries of {folder}\n" in capsys.readouterr().out
    clean(output, yes=True, dry_run=False)
    assert sorted(path for path in output.rglob("*") if not path.is_dir()) == mine
    for path in mine:
        path.unlink()
        path.parent.rmdir()
    assert sorted(path.name for path in output.rglob("*")) == ["benchmark", "statistics"]


def test_contact_sheets_are_removed_and_files_beside_them_stay(source, annotations50, tmp_path):
    output, elsewhere = tmp_path / "results", tmp_path / "elsewhere"
    names = ("ImageNetS50-train.png", ".ImageNetS919-test.png.part")
    build(source, annotations50, output, "symlink")
    paths = [*(output / "contact" / name for name in (*names, "mine.png")), elsewhere / names[0]]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    clean(output, yes=True, dry_run=False)
    assert [path.name for path in output.rglob("*") if path.is_file()] == ["mine.png"]
    (output / "contact" / "mine.png").unlink()
    (output / "contact").rmdir()
    build(source, annotations50, output, "symlink")
    (output / "contact").symlink_to(elsewhere)
    clean(output, yes=True, dry_run=False)
    assert (elsewhere / names[0]).read_text() == "x"


@pytest.mark.parametrize("link", ["benchmark", "benchmark/50", "statistics", "statistics/50"])
def test_results_behind_a_link_stay(link, source, annotations50, tmp_path):
    output, elsewhere = tmp_path / "results", tmp_path / "elsewhere"
    build(source, annotations50, output, "symlink")
    (elsewhere / "50").mkdir(parents=True)
    names = ("match.json", "splits.csv")
    kept = [folder / name for folder in (elsewhere, elsewhere / "50") for name in names]
    for path in kept:
        path.write_text("theirs")
    (output / link).parent.mkdir(exist_ok=True)
    (output / link).symlink_to(elsewhere)
    clean(output, yes=True, dry_run=False)
    assert all(path.read_text() == "theirs" for path in kept)


def test_files_of_the_user_stay(source, annotations50, tmp_path, capsys):
    output = tmp_path / "results"
    tree = build(source, annotations50, output, "symlink")
    mine = [tree / "notes.txt", tree / "validation" / "mine.txt", output / "mine" / "file"]
    mine += [output / "work" / "mine.txt"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    clean(output, yes=True, dry_run=False)
    left = [Path(folder) / name for folder, _, names in os.walk(output) for name in names]
    assert sorted(left) == sorted(mine)


def test_links_to_folders_are_removed_and_their_targets_stay(source, annotations50, tmp_path):
    output, elsewhere = tmp_path / "results", tmp_path / "elsewhere"
    tree = build(source, annotations50, output, "copy")
    elsewhere.mkdir()
    (tree / "validation").rename(elsewhere / "validation")
    (tree / "validation").symlink_to(elsewhere / "validation")
    (output / "work" / "pool").rename(elsewhere / "pool")
    (output / "work" / "pool").symlink_to(elsewhere / "pool")
    before = states(elsewhere)
    clean(output, yes=True, dry_run=False)
    assert states(elsewhere) == before
    assert not (output / "work").exists()


@pytest.mark.parametrize("linked", ["", "work", "ImageNetS50"])
def test_folders_that_the_user_put_elsewhere_are_emptied_and_their_links_stay(
    linked, source, annotations50, tmp_path, capsys
):
    output, elsewhere = tmp_path / "results", tmp_path / "elsewhere"
    build(source, annotations50, output, "symlink")
    (output / linked).rename(elsewhere)
    (output / linked).symlink_to(elsewhere)
    assert main(["clean", str(output), "--yes"]) == 0
    assert (output / linked).is_symlink()
    assert list(elsewhere.iterdir()) == []
    last = f"{output} still holds what builds did not make: {linked}"
    assert (capsys.readouterr().out.splitlines()[-1] == last) == bool(linked)


def test_a_damaged_list_of_labels_names_nothing_outside_and_stops_nothing(
    source, annotations50, tmp_path, capsys
):
    output, mine = tmp_path / "results", tmp_path / "results" / "mine"
    tree = build(source, annotations50, output, "symlink", labels=("id16",))
    mine.touch()
    label = next((tree / "validation-segmentation-id16").rglob("*.png"))
    file = tree / "manifests" / "validation-segmentation-id16.sha256"
    name = b"validation-segmentation-id16"
    begin = b"\xff\xfe\n0  ../mine\n0  " + name + b"/../../mine\n0  " + name + b"/\0\n"
    file.write_bytes(begin + file.read_bytes())
    assert main(["clean", str(output), "--yes"]) == 0
    assert not label.exists()
    assert os.listdir(output) == ["mine"]


def test_it_says_what_it_would_remove_what_it_removed_and_what_is_left(
    source, annotations50, tmp_path, capsys
):
    output = tmp_path / "results"
    tree = build(source, annotations50, output, "symlink", labels=("id16",))
    (output / "summary.txt").write_text("built")
    size, before = size_text(sum(sizes(output).values())), states(output)
    (output / "mine").touch()
    # Links to 50 class folders, images, masks twice, manifests, dataset.json, files beside the tree.
    entries = 50 + 500 + 752 + 1682 + 2 * 1252 + 12 + 1 + len(COMPANIONS)
    files = [path for path in (output / "work").rglob("*") if path.is_symlink() or path.is_file()]
    counts = [f"{entries:,} entries of {tree}", f"{len(files):,} entries of {output / 'work'}"]
    parts = [*counts, output / "summary.txt"]
    assert main(["clean", str(output), "--dry-run"]) == 0
    assert {path: state for path, state in states(output).items() if path in before} == before
    assert capsys.readouterr().out.splitlines() == [
        *(f"would remove {part}" for part in parts),
        f"would free {size}",
        f"Next: `imagenet-s clean {output}` removes this.",
    ]
    assert main(["clean", str(output)]) == 0  # there is no terminal to ask at
    assert capsys.readouterr().out.splitlines() == [
        *(f"removed {part}" for part in parts),
        f"freed {size}",
        f"{output} still holds what builds did not make: mine",
    ]
    assert main(["clean", str(output)]) == 1
    why = "no build wrote to it: it has no work/trees"
    assert capsys.readouterr().err == f"There is nothing to remove in {output}: {why}.\n"


@pytest.mark.parametrize(("answer", "code"), [("n\n", 1), ("", 1), ("y\n", 0)])
def test_on_a_terminal_it_asks_first(answer, code, tmp_path, monkeypatch):
    (tmp_path / "work" / "pool").mkdir(parents=True)
    (tmp_path / "work" / "run.lock").touch()  # of a build that stopped before it made a tree
    image = tmp_path / "work" / "pool" / "a.JPEG"
    image.write_bytes(bytes(3000))
    stdout = terminal_stream(monkeypatch, "stdout")
    terminal_stream(monkeypatch, "stdin").write(answer)
    sys.stdin.seek(0)
    assert main(["clean", str(tmp_path)]) == code
    will = f"will remove 1 entries of {tmp_path / 'work'}\nwill free 3.0 kB\n"
    assert stdout.getvalue().startswith(f"{will}Remove this? [y/N]")
    assert stdout.getvalue().endswith("freed 3.0 kB\n" if code == 0 else "Nothing was removed.\n")
    assert image.exists() == bool(code)


def test_yes_needs_no_question(tmp_path, monkeypatch):
    (tmp_path / "work" / "trees").mkdir(parents=True)
    stdout = terminal_stream(monkeypatch, "stdout")
    terminal_stream(monkeypatch, "stdin")
    assert main(["clean", str(tmp_path), "--yes"]) == 0
    assert stdout.getvalue() == "freed 0 bytes\n"
    assert not (tmp_path / "work").exists()


def test_a_folder_that_is_not_an_output_is_refused(tmp_path):
    (tmp_path / "ImageNetS50").mkdir()
    (tmp_path / "work").mkdir()
    with pytest.raises(UserError, match="no build wrote to it: it has no work/trees"):
        clean(tmp_path, yes=True, dry_run=False)
    assert sorted(os.listdir(tmp_path)) == ["ImageNetS50", "work"]
    assert main(["clean", str(tmp_path / "nowhere")]) == 1


def test_a_second_run_stops_and_names_the_first(tmp_path):
    (tmp_path / "work" / "trees").mkdir(parents=True)
    hold_output(tmp_path)
    command = [sys.executable, ROOT / "workflow" / "launch.py", "clean", tmp_path]
    environment = {name: value for name, value in os.environ.items() if name != lock.STARTED_BY}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"Another run works on {tmp_path}: process {os.getpid()} on" in done.stderr
    assert (tmp_path / "work" / "trees").is_dir()
    while lock._held:
        os.close(lock._held.pop())
    assert subprocess.run(command, env=environment, capture_output=True).returncode == 0


def test_the_lock_of_a_dead_run_does_not_block(tmp_path):
    lock_run = (
        "from pathlib import Path; from imagenet_s.workspace.leftovers import hold_output; "
        f"hold_output(Path({str(tmp_path)!r}))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    subprocess.run([sys.executable, "-c", lock_run], env=environment, check=True)
    assert (tmp_path / "work" / "run.lock").read_text()
    hold_output(tmp_path)
