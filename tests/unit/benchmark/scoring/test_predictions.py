"""Folders of predictions: what is in them, whether they changed, whose ids they have; where one may write."""

import os
from pathlib import Path

import pytest

from imagenet_s.benchmark.scoring.predictions import (
    EXTRA,
    MISPLACED,
    MISSING,
    files_in,
    fingerprint,
    images_in,
    inner,
    name_problems,
    require_own_classes,
)
from imagenet_s.runtime.errors import UserError, WrongUsage
from imagenet_s.runtime.problems import FileProblem, require_no_file
from imagenet_s.workspace.output_guard import check_output_path


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"12345")
    return folder


def test_files_are_found_one_folder_deep_and_what_is_deeper_is_no_file_that_is_wanted(tmp_path):
    tree(tmp_path, "b/2.png", "a/1.png", "c.txt", "a/deep/3.png")
    (tmp_path / "empty").mkdir()
    found = files_in(tmp_path)
    assert list(found) == ["a/1.png", "a/deep", "b/2.png", "c.txt"]
    assert found["a/1.png"] == tmp_path / "a/1.png"


def test_images_are_named_like_their_masks(tmp_path):
    tree(tmp_path, "n1/a.b.JPEG", "n1/c.jpg", "notes.txt", "n1/.DS_Store", "n1/._c.jpg", "n1/c.npy")
    assert images_in(tmp_path) == {"n1/a.b.png": tmp_path / "n1/a.b.JPEG", "n1/c.png": tmp_path / "n1/c.jpg"}
    with pytest.raises(UserError, match=r"holds no images .* it holds: notes.txt"):
        images_in(tree(tmp_path / "other", "notes.txt"))


def test_names_are_missing_misplaced_or_too_much(tmp_path):
    wanted = ["n1/1.png", "n1/2.png", "n2/3.png", "n2/4.png"]
    found = ["n1/1.png", "n1/3.png", "n2/2.png", "n3/2.png", "4.png", "x/n2/4.png", "notes.txt"]
    assert name_problems(iter(found), wanted) == [
        FileProblem(MISSING, "n2/4.png"),
        FileProblem(MISPLACED, "n1/3.png should be n2/3.png"),
        FileProblem(MISPLACED, "n2/2.png should be n1/2.png"),
        *(FileProblem(EXTRA, name) for name in ("n3/2.png", "4.png", "x/n2/4.png", "notes.txt")),
    ]
    assert name_problems(wanted, wanted) == []


def test_an_inner_folder_is_taken_where_it_is_there(tmp_path):
    assert inner(tmp_path, "test") == tmp_path
    (tmp_path / "test").mkdir()
    assert inner(tmp_path, "test") == tmp_path / "test"


def test_a_stamp_changes_with_the_names_sizes_and_times_of_files(tmp_path):
    tree(tmp_path, "a/1.png", "a/2.png")
    seen = [fingerprint(tmp_path)]
    (tmp_path / "a/1.png").write_bytes(b"123456")
    seen.append(fingerprint(tmp_path))
    os.utime(tmp_path / "a/1.png", (1, 1))
    seen.append(fingerprint(tmp_path))
    (tmp_path / "a/1.png").rename(tmp_path / "a/3.png")
    seen.append(fingerprint(tmp_path))
    (tmp_path / "a/nowhere").symlink_to("nothing")
    seen.append(fingerprint(tmp_path))
    assert len(set(seen)) == 5
    assert fingerprint(tmp_path) == seen[-1]


@pytest.mark.parametrize(("right", "refused"), [(10, False), (5, False), (4, True), (0, True)])
def test_masks_are_of_another_subset_where_fewer_than_half_have_the_class_of_their_folder(
    right, refused, tmp_path
):
    own = {f"n01443537/{i}.png": i < right for i in range(10)} | {
        f"elsewhere/{i}.png": False for i in range(50)
    }
    if refused:
        with pytest.raises(UserError, match=f"of 10 true masks {right} have the class of their folder"):
            require_own_classes(50, tmp_path, own)
    else:
        require_own_classes(50, tmp_path, own)


def test_a_few_masks_do_not_tell_whose_ids_they_have(tmp_path):
    few = {f"n01443537/{i}.png": False for i in range(9)}
    require_own_classes(50, tmp_path, few)
    with pytest.raises(UserError, match="of 10 true masks 0 have the class of their folder"):
        require_own_classes(50, tmp_path, few | {"n01443537/9.png": False})


def test_of_masks_in_other_folders_nothing_is_known(tmp_path):
    require_own_classes(50, tmp_path, {"elsewhere/1.png": False})


def test_findings_are_told_by_kind_and_all_of_them_where_there_are_more_than_a_few():
    require_no_file([], "x:", "y")
    with pytest.raises(UserError) as caught:
        require_no_file(
            [FileProblem("odd", "a"), FileProblem("lost", "b"), FileProblem("odd", "c\nd")], "x:", "y"
        )
    assert str(caught.value) == "x:\n- odd (2): a; 'c\\nd'\n- lost (1): b\ny"
    assert caught.value.details == ()
    with pytest.raises(UserError) as caught:
        require_no_file(
            [*(FileProblem("odd", str(i)) for i in range(4)), FileProblem("lost", "b")], "x:", "y"
        )
    assert str(caught.value) == "x:\n- odd (4): 0; 1; 2; …\n- lost (1): b\ny"
    assert caught.value.details == ("odd: 0", "odd: 1", "odd: 2", "odd: 3", "lost: b")


def test_nothing_is_written_over_what_is_read_or_into_a_data_set(tmp_path):
    tree(tmp_path, "truth/a.png", "match.json", "ImageNetS50/dataset.json")
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
