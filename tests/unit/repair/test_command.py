"""Repairing a build: damaged files are as they were, all others are the same files as before."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from fuzz.damage_storm import storm, write_config
from helpers import raw_imagenet
from helpers.builds import build, check_sums, digest
from helpers.damages import (
    deleted,
    emptied,
    encoded_again,
    extra,
    flipped,
    garbage,
    in_another_class,
    own_copy,
    samples_in,
    states,
    truncated,
)
from helpers.trees import linked_copy
from imagenet_s.cli.main import main
from imagenet_s.dataset.dataset_file import own_digest
from imagenet_s.io.atomic import read_json, write_json
from imagenet_s.runtime import lock
from imagenet_s.spec.companions import COMPANIONS
from imagenet_s.verify.adopt import ADOPTED
from imagenet_s.verify.compare import verify

DICE = random.Random


class Built:
    """A build of its own in `folder`, of the source `imagenet`."""

    def __init__(self, imagenet: Path, output: Path, link: str):
        self.imagenet, self.output, self.tree = imagenet, output, output / "ImageNetS50"
        self.config = write_config(output, imagenet, link)

    def configure(self, **values) -> None:
        config = yaml.safe_load(self.config.read_text())
        self.config.write_text(yaml.safe_dump(config | values))

    def repair(self, *options: str) -> int:
        while lock._held:  # a run holds its lock until its process ends
            os.close(lock._held.pop())
        return main(["repair", "--configfile", str(self.config), "--workers", "1", *options])

    def first(self, folder: str, k: int = 0) -> str:
        return [path for path in samples_in(self.tree) if path.startswith(f"{folder}/")][k]


@pytest.fixture(scope="session")
def original(imagenet50, annotations50, output50, tmp_path_factory) -> Callable[[str, str], Path]:
    """A function that returns the output of a build, by layout and link. Shared: never change it."""
    made = {("folders", "copy"): output50}

    def by(layout: str, link: str) -> Path:
        if (layout, link) not in made:
            folder = tmp_path_factory.mktemp("original")
            source = imagenet50
            if layout != "folders":
                source = getattr(raw_imagenet, layout)(imagenet50, folder / "imagenet")
            build(source, annotations50, folder / "results", link, labels=("id16",))
            made[layout, link] = folder / "results"
        return made[layout, link]

    return by


@pytest.fixture
def built(original, tmp_path) -> Callable[..., Built]:
    def by(link: str, layout: str = "folders") -> Built:
        origin = original(layout, link)
        source = Path(read_json(origin / "work" / "source" / "50.json")["root"])
        return Built(source, own_copy(origin, tmp_path / "results"), link)

    return by


@pytest.fixture
def alone(imagenet50, annotations50, tmp_path) -> Callable[[str], Built]:
    """A function that returns a build from a source that may be changed."""

    def by(link: str) -> Built:
        source = linked_copy(imagenet50, tmp_path / "imagenet")
        build(source, annotations50, tmp_path / "results", link, labels=("id16",))
        return Built(source, tmp_path / "results", link)

    return by


WAYS = [
    ("symlink", "folders"),
    pytest.param("symlink-files", "folders", marks=pytest.mark.long),
    pytest.param("hardlink", "folders", marks=pytest.mark.long),
    ("copy", "folders"),
    pytest.param("auto", "official", marks=pytest.mark.long),
    ("auto", "hugging_face_tars"),
    pytest.param("auto", "kaggle_zip", marks=pytest.mark.long),
]


@pytest.mark.parametrize(("link", "layout"), WAYS)
def test_damages_of_all_kinds_are_repaired_and_nothing_else_changes(built, tmp_path, link, layout):
    made = built(link, layout)
    outcome = storm(made.config, 40, 7, 1, tmp_path)
    assert outcome.reported >= 40
    assert (outcome.unfound, outcome.invented, outcome.unrepaired, outcome.touched) == ([], [], [], [])
    while lock._held:
        os.close(lock._held.pop())


@pytest.mark.parametrize("layout", ["folders", "official"])
def test_damage_inside_the_pool_and_the_unpacked_masks_is_repaired(built, layout):
    """Change files in place, so that the tree and the file it links to are both damaged."""
    made = built("copy" if layout == "folders" else "auto", layout)
    before = digest(made.tree)
    for path in (made.first("train"), made.first("test"), made.first("validation-segmentation")):
        with (made.tree / path).open("r+b") as file:
            file.write(b"damage")
    assert made.repair() == 0
    assert digest(made.tree) == before
    check_sums(made.tree)
    for path in (made.first("test"), made.first("validation-segmentation")):
        assert (made.tree / path).stat().st_nlink > 1  # a hard link to the pool's file again


def test_a_whole_build_does_not_change(built):
    made = built("symlink")
    before = states(made.tree)
    assert made.repair() == 0
    assert states(made.tree) == before


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(built, capsys):
    made = built("copy")
    image, mask, label = (
        made.first(f) for f in ("test", "train-semi-segmentation", "validation-segmentation-id16")
    )
    moved = made.first("validation", 5)
    for path in (image, mask, label):
        emptied(made.tree, path, DICE(0))
    in_another_class(made.tree, moved, DICE(0))
    ((_, added),) = extra(made.tree, made.first("test", 9), DICE(0))
    deleted(made.tree, "manifests/test.csv", DICE(0))
    before = states(made.output)
    assert made.repair("--dry-run", "--delete-extra") == 1
    assert states(made.output) == before
    out = capsys.readouterr().out
    assert f"would restore 1 images from {made.imagenet}: {image}\n" in out
    assert f"would restore 1 masks from the annotations: {mask}\n" in out
    assert f"would restore 1 labels from the masks: {label}\n" in out
    assert "would move 1 files to their class folder\n" in out
    assert "would rewrite: manifests/test.csv\n" in out
    assert f"would delete 1 extra files: {added}\n" in out
    command = f"imagenet-s repair --configfile {made.config}"
    assert out.endswith(
        f"\nNext: `{command}` restores the files; with --delete-extra it also deletes the extra ones.\n"
    )


def test_a_repair_says_what_it_restored_and_what_is_left(built, capsys):
    made = built("copy")
    image, mask = made.first("test"), made.first("train-semi-segmentation")
    for path in (image, mask):
        emptied(made.tree, path, DICE(0))
    ((_, added),) = extra(made.tree, made.first("test", 9), DICE(0))
    assert made.repair() == 1
    command = f"imagenet-s repair --configfile {made.config}"
    assert capsys.readouterr().out.endswith(
        f"\n\nRestored (2):\n  {image}\n  {mask}\nLeft: 1 extra\n\n"
        f"Next: `{command} --delete-extra` deletes the extra files.\n"
    )
    assert made.repair("--delete-extra") == 0
    assert capsys.readouterr().out.endswith(f"\n\nDeleted: {added}\n\n")
    assert made.repair() == 0
    assert capsys.readouterr().out.endswith("\n\nThere is nothing to repair.\n\n")


def test_files_found_damaged_once_their_manifests_are_restored_count_as_restored(built, capsys):
    made = built("copy")
    image = made.first("test")
    names = [f"manifests/test.{ending}" for ending in ("csv", "sha256")]
    for name in names:
        deleted(made.tree, name, DICE(0))
    flipped(made.tree, image, DICE(0))
    assert made.repair() == 0
    restored = "".join(f"  {path}\n" for path in [*names, image])
    assert f"\nRestored (3):\n{restored}" in capsys.readouterr().out


def test_extra_files_are_reported_and_kept_by_default(built, capsys):
    made = built("copy")
    ((_, added),) = extra(made.tree, made.first("test"), DICE(0))
    (made.tree / "mine").mkdir()
    (made.tree / "mine" / "notes").write_text("mine")
    assert made.repair() == 1
    assert f"extra (2):\n  mine/notes\n  {added}\n" in capsys.readouterr().out
    assert (made.tree / added).exists()
    assert made.repair("--delete-extra") == 0
    assert not (made.tree / added).exists()
    assert not (made.tree / "mine").exists()


def test_what_is_in_the_place_of_files_and_folders_is_deleted_and_the_files_restored(built, capsys):
    made = built("copy")
    names = ("dataset.json", "classes.csv", "manifests/train.csv", "manifests/validation.parquet")
    image = made.first("test")
    right = {name: (made.tree / name).read_bytes() for name in (*names[1:], image)}
    for name in names:
        (made.tree / name).unlink()
        (made.tree / name).mkdir()
        (made.tree / name / "mine").touch()
    assert made.repair() == 1
    said = capsys.readouterr()
    for name in names:
        assert f"{name}: its place is taken: Directory not empty" in said.err
    shutil.rmtree((made.tree / image).parent)
    (made.tree / image).parent.touch()
    assert made.repair("--delete-extra") == 0
    assert {name: (made.tree / name).read_bytes() for name in (*names[1:], image)} == right


def test_extra_files_behind_a_linked_class_folder_are_never_deleted(alone, capsys):
    made = alone("symlink")
    mine = made.imagenet / "train" / "n01443537" / "mine.txt"
    mine.write_text("mine")
    before = states(made.imagenet)
    assert made.repair("--delete-extra") == 1
    assert states(made.imagenet) == before
    said = capsys.readouterr()
    assert "train/n01443537/mine.txt: it is in the source" in said.err
    assert said.out.endswith(
        "\nRestored: nothing\nLeft: 1 extra\n\n"
        "Next: remove the extra files that are left where they are: behind links, in the source.\n"
    )


@pytest.mark.parametrize("layout", ["symlink", "copy"])
def test_all_manifests_and_dataset_json_are_restored(built, layout):
    made = built(layout)
    manifests = [f"manifests/{name}" for name in os.listdir(made.tree / "manifests")]
    names = ["dataset.json", *manifests, *(name for name in COMPANIONS if name not in manifests)]
    right = {name: (made.tree / name).read_bytes() for name in names}
    content = read_json(made.tree / "dataset.json")["content"]
    before = states(made.tree)
    for name in names:
        deleted(made.tree, name, DICE(0))
    # Without any of them it would be a copy of another program.
    (made.tree / "dataset.json").write_text("{}")
    assert made.repair("--delete-extra") == 0
    assert read_json(made.tree / "dataset.json")["content"] == content
    for name in names[1:]:
        assert (made.tree / name).read_bytes() == right[name]
    paths = {str(made.tree / name) for name in names}
    assert {path: state for path, state in states(made.tree).items() if path not in paths} == {
        path: state for path, state in before.items() if path not in paths
    }


@pytest.mark.parametrize("layout", ["symlink", "copy"])
def test_files_beside_the_tree_are_restored_and_nothing_else_is_touched(built, layout, capsys):
    made = built(layout)
    right = {name: (made.tree / name).read_bytes() for name in COMPANIONS}
    before = states(made.tree)
    for damage, name in (
        (deleted, "README.md"),
        (flipped, "classes.csv"),
        (emptied, "croissant.json"),
        (flipped, "manifests/train.parquet"),
    ):
        damage(made.tree, name, DICE(0))
    assert made.repair() == 0
    assert "Restored (4):\n  README.md\n  classes.csv\n  croissant.json\n" in capsys.readouterr().out
    assert {name: (made.tree / name).read_bytes() for name in COMPANIONS} == right
    changed = {path for path, state in states(made.tree).items() if state != before[path]}
    assert {str(Path(path).relative_to(made.tree)) for path in changed} == {
        "README.md",
        "classes.csv",
        "croissant.json",
        "manifests/train.parquet",
    }


def test_labels_that_are_no_longer_configured_are_kept(built):
    made = built("copy")
    made.configure(labels=[])
    flipped(made.tree, "dataset.json", DICE(0))
    assert made.repair("--delete-extra") == 0
    assert (made.tree / made.first("validation-segmentation-id16")).exists()
    assert verify(made.tree, 50, "sha256", 1).whole


def test_images_lost_or_changed_in_the_source_are_reported_and_the_rest_is_repaired(alone, caplog, capsys):
    made = alone("symlink")
    gone, changed, restored = (made.first("validation", k) for k in (0, 9, 20))
    (made.imagenet / "val" / Path(gone).name).unlink()
    source = made.imagenet / "val" / Path(changed).name
    data = source.read_bytes()
    source.unlink()
    source.write_bytes(data[:-1] + b"x")
    train = made.imagenet / "train" / "n01443537" / "n01443537_1.JPEG"
    train.unlink()
    emptied(made.tree, restored, DICE(0))
    before = states(made.imagenet)
    assert made.repair() == 1
    assert states(made.imagenet) == before
    result = verify(made.tree, 50, "sha256", 1)
    assert result.damage == {
        "missing": ["train/n01443537/n01443537_1.JPEG"],
        "changed": [changed],
        "moved": [gone],
    }
    assert capsys.readouterr().out.endswith(
        f"\nRestored: {restored}\nLeft: 3 damaged\n\nNext: see above why files could not be restored. "
        f"Correct that and run `imagenet-s repair --configfile {made.config}` again, or build into another "
        "`output`.\n"
    )
    assert f"{gone}: the source does not have it" in caplog.text
    assert f"{changed}: the source has other bytes" in caplog.text
    assert "train/n01443537/n01443537_1.JPEG: " in caplog.text


def test_links_are_redirected_to_a_source_that_moved(alone, tmp_path):
    made = alone("symlink")
    right = digest(made.tree)
    made.imagenet.rename(tmp_path / "moved")
    made.configure(imagenet=str(tmp_path / "moved"))
    assert made.repair() == 0
    assert digest(made.tree) == right
    check_sums(made.tree)
    assert os.readlink(made.tree / "train" / "n01443537") == str(tmp_path / "moved" / "train" / "n01443537")


def test_links_of_files_are_restored_one_by_one_and_redirected_to_a_source_that_moved(alone, tmp_path):
    made = alone("symlink-files")
    right, before = digest(made.tree), states(made.tree)
    lost, other, further = (made.first("train", k) for k in (0, 1, 20))
    deleted(made.tree, lost, DICE(0))
    emptied(made.tree, other, DICE(0))
    shutil.rmtree((made.tree / further).parent)
    assert made.repair() == 0
    after = states(made.tree)
    assert {path: state[-1] for path, state in after.items()} == {
        path: state[-1] for path, state in before.items()
    }
    kept = f"/{Path(further).parent}/"
    new = {path for path in before if after[path] != before[path]}
    assert {path for path in new if kept not in path} == {f"{made.tree}/{path}" for path in (lost, other)}

    made.imagenet.rename(tmp_path / "moved")
    made.configure(imagenet=str(tmp_path / "moved"))
    assert made.repair() == 0
    assert digest(made.tree) == right
    check_sums(made.tree)
    assert os.readlink(made.tree / lost) == f"{tmp_path}/moved/{lost}"


def test_links_are_redirected_to_a_path_for_each_set(alone, tmp_path):
    made = alone("symlink")
    right = digest(made.tree)
    paths = {"train": tmp_path / "n", "val": tmp_path / "v"}
    for kind, path in paths.items():
        (made.imagenet / kind).rename(path)
    made.configure(imagenet={kind: str(path) for kind, path in paths.items()})
    assert made.repair() == 0
    assert digest(made.tree) == right
    check_sums(made.tree)
    assert os.readlink(made.tree / "train" / "n01443537") == f"{tmp_path}/n/n01443537"
    assert os.readlink(made.tree / made.first("test")).startswith(f"{tmp_path}/v/")


def test_a_file_that_was_moved_and_damaged_is_restored(built):
    made = built("copy")
    path = made.first("validation")
    flipped(made.tree, path, DICE(0))
    in_another_class(made.tree, path, DICE(0))
    assert made.repair("--delete-extra") == 0
    check_sums(made.tree)


def test_files_in_the_wrong_class_of_the_source_are_not_moved(alone):
    made = alone("symlink")
    train = made.imagenet / "train"
    (train / "n01443537" / "n01443537_1.JPEG").rename(train / "n01491361" / "n01443537_1.JPEG")
    before = states(made.imagenet)
    made.repair("--delete-extra")
    assert states(made.imagenet) == before
    assert (made.tree / "train" / "n01443537").is_symlink()


@pytest.mark.parametrize("folder", ["validation", "validation-segmentation", "validation-segmentation-id16"])
def test_a_link_to_a_folder_is_replaced_and_its_files_are_restored(built, tmp_path, folder):
    made = built("copy")
    (made.tree / folder).rename(tmp_path / "elsewhere")
    (made.tree / folder).symlink_to(tmp_path / "elsewhere")
    garbage(made.tree, next(str(p.relative_to(made.tree)) for p in (made.tree / folder).glob("*/*")), DICE(0))
    before = states(tmp_path / "elsewhere")
    assert made.repair() == 0
    assert states(tmp_path / "elsewhere") == before
    assert not (made.tree / folder).is_symlink()
    check_sums(made.tree)


def test_damaged_annotations_are_reported(built, tmp_path, caplog):
    made = built("copy")
    mask, image = made.first("validation-segmentation"), made.first("test")
    receipt = made.output / "work" / "annotations" / "50.json"
    shutil.copytree(made.output / "work" / "masks" / "50", tmp_path / "masks")
    (tmp_path / "masks" / mask).write_bytes(b"no mask")
    write_json(receipt, read_json(receipt) | {"kind": "folder", "path": str(tmp_path / "masks")})
    with (made.tree / mask).open("r+b") as file:
        file.write(b"damage")
    emptied(made.tree, image, DICE(0))
    assert made.repair() == 1
    assert f"{mask}: the annotations have other bytes" in caplog.text
    assert verify(made.tree, 50, "sha256", 1).damage == {"changed": [mask]}


def test_an_adopted_copy_is_repaired_with_copies(built):
    made = built("copy")
    dataset = read_json(made.tree / "dataset.json")
    dataset["build"]["link"] = ADOPTED
    dataset["sha256"] = own_digest(dataset["content"], dataset["build"])
    write_json(made.tree / "dataset.json", dataset)
    shutil.rmtree(made.output / "work")
    made.configure(link="symlink")
    for folder, damage in (("train", truncated), ("test", deleted), ("train-semi", flipped)):
        damage(made.tree, made.first(folder), DICE(0))
    assert made.repair() == 0
    assert not any((made.tree / path).is_symlink() for path in samples_in(made.tree))
    check_sums(made.tree)


def test_a_copy_without_manifests_is_refused(built, capsys):
    made = built("copy")
    shutil.rmtree(made.tree / "manifests")
    (made.tree / "dataset.json").unlink()
    assert made.repair() == 1
    assert "has no manifests, so the right bytes of its files are unknown" in capsys.readouterr().err


def test_the_exit_code_is_2_if_there_is_nothing_to_repair(tmp_path, capsys):
    made = Built(tmp_path / "imagenet", tmp_path / "results", "copy")
    assert made.repair() == 2
    assert "There is nothing to repair at" in capsys.readouterr().err


def test_the_demo_is_repaired_without_its_annotations(built, imagenet50):
    made = built("copy")
    shutil.rmtree(made.output / "work" / "annotations")
    shutil.rmtree(made.output / "work" / "masks")
    (made.output / "work" / "demo").mkdir()
    (made.output / "work" / "demo" / "imagenet").symlink_to(imagenet50)
    made.configure(imagenet="demo")
    encoded_again(made.tree, made.first("validation-segmentation"), DICE(0))
    deleted(made.tree, made.first("test"), DICE(0))
    assert made.repair() == 0
    check_sums(made.tree)
