"""The command `gallery`."""

import shutil

import pytest

from imagenet_s.cli.main import main


def test_it_says_what_it_made_and_where(made50):
    out = made50.folder
    assert made50.printed == f"ImageNetS50: 150 images of 50 classes; open {out / 'index.html'}\n"
    assert sorted(path.name for path in out.iterdir()) == [
        *("classes", "gallery.css", "gallery.js", "gallery.json", "images", "index.html", "pictures"),
    ]


def test_it_does_not_write_into_a_folder_with_other_files_or_into_the_data_set(tree50, tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    for out, message in {
        tmp_path: f"--out: {tmp_path} is not empty and not a gallery, which has a gallery.json. Name a new "
        "or an empty folder.",
        tree50
        / "gallery": f"--out: {tree50 / 'gallery'} would be written over, or into, what is read: {tree50}.",
    }.items():
        assert main(["gallery", str(tree50), "--out", str(out)]) == 2
        assert capsys.readouterr().err == f"{message}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_path_with_no_copy_or_a_copy_without_the_splits_is_an_error(tree50, tmp_path, capsys):
    assert main(["gallery", str(tmp_path / "x"), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == f"There is no folder {tmp_path / 'x'}.\n"
    for split in ("test", "train-semi"):
        shutil.copytree(tree50 / split, tmp_path / "copy" / split)
    arguments = ["gallery", str(tmp_path / "copy"), "--out", str(tmp_path / "out"), "--splits"]
    assert main([*arguments, "validation", "train"]) == 2
    message = f"--splits: {tmp_path / 'copy'} has no validation or train, only train-semi, test.\n"
    assert capsys.readouterr().err == message


@pytest.mark.parametrize("number", ["-1", "x", "1.5"])
def test_a_number_of_images_is_0_or_more(number, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["gallery", "x", "--out", "y", f"--per-class={number}"])
    assert stop.value.code == 2
    assert f"argument --per-class: '{number}' is not an integer of 0 or more" in capsys.readouterr().err
