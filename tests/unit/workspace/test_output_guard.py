"""Where commands may write, and where not: inputs, data sets, what their links lead to, devices, logs."""

import argparse
import os
from pathlib import Path

import pytest

from imagenet_s.cli.arguments import new_file, new_folder
from imagenet_s.cli.main import main
from imagenet_s.runtime.errors import WrongUsage
from imagenet_s.workspace.output_guard import check_output_path


@pytest.fixture
def tree(tmp_path) -> Path:
    """A subset's tree made with symlinks, of a raw source beside it."""
    train, val = tmp_path / "raw" / "train" / "n01443537", tmp_path / "raw" / "val"
    for folder in (train, val):
        folder.mkdir(parents=True)
        (folder / "a.JPEG").write_bytes(b"theirs")
    tree = tmp_path / "ImageNetS50"
    (tree / "train").mkdir(parents=True)
    (tree / "train" / "n01443537").symlink_to(train)
    (tree / "validation" / "n01443537").mkdir(parents=True)
    (tree / "validation" / "n01443537" / "a.JPEG").symlink_to(val / "a.JPEG")
    (tree / "dataset.json").write_text("{}")
    return tree


@pytest.mark.parametrize(
    ("images", "out", "says"),
    [
        ("train", "raw/train", "it holds {raw}/train/n01443537, to which {tree}/train/n01443537 leads"),
        ("train", "raw/train/n01443537", "{raw}/train/n01443537, to which {tree}/train/n01443537 leads"),
        ("train", "raw/train/n01443537/new", "{raw}/train/n01443537, to which {tree}/train/n01443537 leads"),
        ("validation", "raw/val", "{raw}/val, to which {tree}/validation/n01443537/a.JPEG leads"),
        ("validation", "raw/val/new", "{raw}/val, to which {tree}/validation/n01443537/a.JPEG leads"),
        ("validation", "raw", "it holds {raw}/val, to which {tree}/validation/n01443537/a.JPEG leads"),
    ],
)
def test_the_source_behind_a_tree_of_links_is_not_written_to(images, out, says, tree, tmp_path, capsys):
    before = sorted(tmp_path.rglob("*"))
    out = tmp_path / out
    assert main(["grid-features", "--images", str(tree / images), "--out", str(out)]) == 2
    says = says.format(raw=tmp_path / "raw", tree=tree)
    assert capsys.readouterr().err == f"--out: {out} would be written over, or into, what is read: {says}.\n"
    assert sorted(tmp_path.rglob("*")) == before


def test_a_link_in_a_data_set_is_the_data_set_s(tree, tmp_path):
    for out in (tree / "train" / "n01443537" / "m.json", tree / "link"):
        with pytest.raises(WrongUsage) as caught:
            check_output_path(out)
        assert str(caught.value) == (
            f"--out: {out} would be written into the data set {tree}. Name another place."
        )
        (tree / "link").unlink(missing_ok=True)
        (tree / "link").symlink_to(tmp_path / "elsewhere")
    check_output_path(tree / ".." / "m.json")


def test_beside_what_links_lead_to_there_is_room(tree, tmp_path):
    check_output_path(tmp_path / "raw" / "features", tree / "train")
    check_output_path(tmp_path / "features", tree / "validation")


def test_what_cannot_be_listed_is_not_the_place_to_say_so(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    check_output_path(tmp_path / "out", tmp_path / "file", tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["method.yaml/s.zip", "method.yaml/new/s.zip"])
def test_a_file_in_the_place_of_a_folder_is_told_first(name, tmp_path, capsys):
    (tmp_path / "method.yaml").write_bytes(b"")
    arguments = ["--predictions", "nowhere", "--images", "nowhere", "--method", tmp_path / "method.yaml"]
    command = ["submit", "--subset", "50", "--protocol", "free", "--out", tmp_path / "other" / name]
    assert main([*map(str, command + arguments)]) == 1  # of what is read
    assert (tmp_path / "other" / name).parent.is_dir()
    assert list(tmp_path.rglob("*.part")) == []
    capsys.readouterr()
    command[-1] = out = tmp_path / name
    (tmp_path / "method.yaml").rename(tmp_path / "m.yaml")
    (tmp_path / "method.yaml").write_bytes(b"")
    arguments[-1] = tmp_path / "m.yaml"
    assert main([*map(str, command + arguments)]) == 2
    assert (
        capsys.readouterr().err
        == f"--out: cannot write into {out.parent}: Not a directory. Name another place.\n"
    )


def test_a_name_that_is_too_long_is_told_first(tmp_path):
    with pytest.raises(WrongUsage, match=r"^--out: cannot write into .*: File name too long\. Name another"):
        check_output_path(tmp_path / ("x" * 251))


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
        says = f"argument {option}: {str(path)!r} is not a regular file; give the name of a file\n"
        assert says in capsys.readouterr().err
    assert pipe.is_fifo()
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("path", ["/dev/null", "/dev/stdout", "/dev/new"])
def test_nothing_is_written_among_the_devices(path):
    with pytest.raises(argparse.ArgumentTypeError, match=f"'{path}' is not a regular file; give the name of"):
        new_file(path)


def test_what_is_no_folder_is_refused_as_one(pipe, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path in (pipe, tmp_path / "file"):
        with pytest.raises(argparse.ArgumentTypeError, match="is not the name of a folder"):
            new_folder(str(path))
    assert new_file(str(tmp_path / "file")) == tmp_path / "file"
    # The system refuses to look for it. That is told by who writes there.
    assert new_file("x" * 300) == new_folder("x" * 300) == Path("x" * 300)


# The log


def inspected(log: Path, path: Path) -> int:
    return main(["--log", str(log), "inspect", str(path)])


def test_a_log_takes_no_file_s_place_but_a_log_s(tmp_path, capsys):
    theirs, log, empty = (tmp_path / name for name in ("x.png", "x.log", "empty"))
    theirs.write_bytes(b"\x89PNG")
    empty.write_bytes(b"")
    assert inspected(theirs, tmp_path) == 2
    says = f"--log: {theirs} exists and is not a log of this program. Name another file.\n"
    assert capsys.readouterr().err == says
    assert theirs.read_bytes() == b"\x89PNG"
    for path in (log, log, empty, Path("/dev/null")):
        assert inspected(path, tmp_path) == 1  # nothing is found there
    assert "Listing train, tier 50" in log.read_text()
    assert log.read_text().count("Listing train, tier 50") == 1


def test_a_log_is_not_what_is_read_or_written_as_well(tmp_path, capsys):
    out = tmp_path / "m.json"
    (tmp_path / "link").symlink_to(out)
    command = ["match", "--subset", "50", "--truth", "x", "--predictions", "x", "--out", str(out)]
    for log in (out, tmp_path / "link"):
        assert main(["--log", str(log), *command]) == 2
        says = f"--log: {log} is also the value of another option. Name another file.\n"
        assert capsys.readouterr().err == says
    assert not out.exists()


def test_a_log_does_not_go_into_a_data_set(tree, tmp_path, capsys):
    for log in (tree / "new" / "log", tree / "train" / "n01443537" / "log"):
        assert inspected(log, tmp_path) == 2
        says = f"--log: {log} would be written into the data set {tree}. Name another place.\n"
        assert capsys.readouterr().err == says
        assert not log.exists()


def test_nothing_is_written_over_what_is_read_or_into_a_data_set(tmp_path):
    for name in ("truth/a.png", "match.json", "ImageNetS50/dataset.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    (tmp_path / "link").symlink_to("truth")
    inputs = (tmp_path / "truth", tmp_path / "match.json", None)
    for out in ("truth", "truth/new/m.json", "link/m.json", "match.json", "x/../truth/m.json"):
        with pytest.raises(WrongUsage, match="would be written over, or into, what is read"):
            check_output_path(tmp_path / out, *inputs)
    for out in ("ImageNetS50/m.json", "ImageNetS50/validation-segmentation"):
        with pytest.raises(WrongUsage, match=r"into the data set .*/ImageNetS50. Name another place"):
            check_output_path(tmp_path / out, *inputs)
    for out in ("m.json", "truth2/m.json", "new/m.json"):
        check_output_path(tmp_path / out, *inputs)
