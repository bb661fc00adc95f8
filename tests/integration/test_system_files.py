"""System files in data sets and among predictions are reported in one line and never count as damage."""

import os
import shutil
from pathlib import Path

import pytest
import yaml

from helpers.builds import build
from helpers.damages import own_copy, removed, states
from helpers.trees import linked_copy, littered
from imagenet_s.benchmark.scoring.predictions import files_in, fingerprint
from imagenet_s.cli.main import main
from imagenet_s.dataset.dataset_file import read_dataset
from imagenet_s.dataset.metadata import Origin, write_dataset
from imagenet_s.dataset.prune import prune
from imagenet_s.images.pool import sweep_pool
from imagenet_s.io.atomic import read_json
from imagenet_s.repair.clean import clean
from imagenet_s.runtime import lock
from imagenet_s.spec.subsets import LEVELS, subset_of
from imagenet_s.verify.compare import verify

FISH = "n01443537"
LEFT = (
    ".DS_Store",
    "._dataset.json",
    "test/Thumbs.db",
    f"test/{FISH}/.nfs0000000001",
    f"train/{FISH}/desktop.ini",
    "train/n99999999/.DS_Store",
    "validation-segmentation/._x.png",
    "validation-segmentation-id16/.ds_store",
    "manifests/._train.csv",
)
FOLDERS = ("@eaDir", f"train-semi/{FISH}/@eaDir", "validation/.ipynb_checkpoints", "manifests/__MACOSX")
DANGLING = f"validation/{FISH}/._nowhere.JPEG"
LINE = "Left by the system, not part of the data set: "


@pytest.fixture
def output(output50, tmp_path) -> Path:
    yield own_copy(output50, tmp_path / "results")
    while lock._held:
        os.close(lock._held.pop())


@pytest.fixture
def root(output) -> Path:
    return output / "ImageNetS50"


def littered_copy(root: Path) -> list[str]:
    """Put all kinds of system files at all levels and return the paths that must be reported."""
    littered(root, *LEFT, *(f"{folder}/deeper/x.JPEG" for folder in FOLDERS))
    (root / DANGLING).symlink_to("nothing")
    return sorted([*LEFT, *FOLDERS, DANGLING])


@pytest.mark.parametrize("level", LEVELS)
def test_in_a_copy_they_are_reported_in_one_line_and_are_no_damage(root, level, tmp_path, capsys):
    left = littered_copy(root)
    arguments = ["--level", level, "--json", str(tmp_path / "found.json"), "--workers", "1"]
    assert main(["verify", str(root), *arguments]) == 0
    assert read_json(tmp_path / "found.json") == {"ImageNetS50": {}}
    out = capsys.readouterr().out
    assert f"\n{LINE}{', '.join(left[:5])}, … (14 in all)\ndigest: " in out
    assert out.count(LINE) == 1
    assert list(verify(root, 50, level, 1).system) == left


def test_a_few_are_all_named(root, capsys):
    littered(root, ".DS_Store", "test/.DS_Store", f"train/{FISH}/._x.JPEG")
    assert main(["verify", str(root), "--level", "complete"]) == 0
    assert f"{LINE}.DS_Store, test/.DS_Store, train/{FISH}/._x.JPEG\n" in capsys.readouterr().out


def test_a_copy_without_manifests_does_not_list_them_as_damage_either(root):
    shutil.rmtree(root / "manifests")
    (root / "dataset.json").unlink()
    for split in ("train-semi", "validation"):
        shutil.rmtree(root / f"{split}-segmentation-id16")
    littered(root, ".DS_Store", f"train/{FISH}/._n01443537_1.JPEG")
    verdict = verify(root, 50, "sha256", 1)
    assert verdict.damage == {}
    assert list(verdict.system) == [".DS_Store", f"train/{FISH}/._n01443537_1.JPEG"]


def test_behind_a_linked_class_folder_they_are_no_damage(imagenet50, annotations50, tmp_path):
    source = linked_copy(imagenet50, tmp_path / "imagenet")
    root = build(source, annotations50, tmp_path / "results", "symlink")
    littered(source / "train" / FISH, ".DS_Store", "@eaDir/x.JPEG")
    verdict = verify(root, 50, "complete", 1)
    assert verdict.whole
    assert list(verdict.system) == [f"train/{FISH}/.DS_Store", f"train/{FISH}/@eaDir"]


# Repair and clean


@pytest.fixture
def repair(output, imagenet50, annotations50, tmp_path):
    (tmp_path / "zips").mkdir()
    shutil.copy(annotations50["path"], tmp_path / "zips" / subset_of(50).archive_name)
    config = {"imagenet": str(imagenet50), "output": str(output), "link": "copy", "train_images": "any"}
    config["annotations"] = {"from": str(tmp_path / "zips"), "md5": {50: annotations50["md5"]}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))

    def run(*options: str) -> int:
        return main(["repair", "--configfile", str(tmp_path / "config.yaml"), "--workers", "1", *options])

    return run


def test_a_repair_keeps_them_even_if_it_deletes_extra_files(root, repair):
    littered_copy(root)
    littered(root, "mine/notes.txt", "mine/.DS_Store")
    before = states(root)
    assert repair("--delete-extra") == 0
    gone = {str(root / "mine" / name) for name in ("notes.txt", ".DS_Store")}
    assert {path: before[path] for path in before.keys() - gone} == states(root)
    assert not (root / "mine").exists()  # the folder was emptied


def test_a_folder_of_system_files_is_replaced_by_the_file_that_belongs_there(root, repair):
    files = [next(iter(sorted(root.glob(f"{f}/*/*")))) for f in ("test", "validation-segmentation")]
    files.append(next(iter(sorted(root.glob("validation-segmentation-id16/*/*")))))
    for file in files:
        removed(file)
        littered(file, ".DS_Store", "@eaDir/x")
    assert verify(root, 50, "complete", 1).damage == {
        "missing": sorted(str(f.relative_to(root)) for f in files)
    }
    assert repair() == 0
    assert all(file.is_file() for file in files)


def test_a_build_with_them_is_removed_as_a_whole(output, root):
    littered(output, ".DS_Store", "work/.DS_Store", "benchmark/50/._x", "benchmark/.DS_Store")
    littered(
        root, ".DS_Store", f"test/{FISH}/.DS_Store", "validation/@eaDir/x.JPEG/thumb.jpg", "manifests/._a.csv"
    )
    clean(output, yes=True, dry_run=False)
    assert not output.exists()


def test_files_that_may_be_a_users_work_are_kept(output, root):
    littered(root, f"test/{FISH}/.ipynb_checkpoints/mine-checkpoint.ipynb", f"test/{FISH}/.DS_Store")
    clean(output, yes=True, dry_run=False)
    left = [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]
    assert sorted(left) == [f"test/{FISH}/.DS_Store", f"test/{FISH}/.ipynb_checkpoints/mine-checkpoint.ipynb"]


# Builds


def test_a_class_folder_that_holds_one_gives_way_to_a_link(imagenet50, annotations50, output, root):
    littered(root, f"train/{FISH}/.DS_Store", "train/n01491361/@eaDir/x")
    build(imagenet50, annotations50, output, "symlink")
    assert os.readlink(root / "train" / FISH) == f"{imagenet50}/train/{FISH}"
    assert (root / "train" / "n01491361").is_symlink()
    assert list(verify(root, 50, "complete", 1).system) == []


def test_shadow_files_do_not_count_as_manifests(output, root):
    littered(root, "manifests/._train.csv", "manifests/._test.sha256")
    work = output / "work"
    findings, annotations = [work / "source" / "50.json"], work / "annotations" / "50.json"
    before = read_dataset(root)["content"]
    origin = Origin(findings, annotations, "copy")
    write_dataset(50, ["id16"], work / "samples" / "50.parquet", root, origin)
    assert read_dataset(root)["content"] == before


def test_labels_that_are_not_requested_are_removed_with_them(output, root):
    littered(root, "validation-segmentation-id16/.DS_Store", f"train-semi-segmentation-id16/{FISH}/@eaDir/x")
    work = output / "work"
    findings, annotations = [work / "source" / "50.json"], work / "annotations" / "50.json"
    origin = Origin(findings, annotations, "copy")
    write_dataset(50, [], work / "samples" / "50.parquet", root, origin)
    assert list(root.glob("*-id16")) == []


def test_the_pool_and_the_records_are_pruned_despite_them(output):
    work = output / "work"
    littered(work / "pool" / "train" / FISH, "@eaDir/x", ".DS_Store", "old-0123.JPEG")
    littered(work / "pool" / "val" / "n99999999", ".DS_Store", "old-0123.JPEG")
    littered(work / "images", "._train-50-0.parquet")
    records = sorted((work / "images").iterdir())
    prune([50], "copy", False, output, work / "source" / "tidy.json")
    assert sorted(os.listdir(work / "pool" / "train" / FISH))[:2] == [".DS_Store", "@eaDir"]
    assert not (work / "pool" / "train" / FISH / "old-0123.JPEG").exists()
    assert not (work / "pool" / "val" / "n99999999").exists()
    assert sorted((work / "images").iterdir()) == records
    assert all("old-0123" not in path for path in sweep_pool(work / "pool", ()))


# Predictions


def litter(folder: Path) -> str:
    """Put some into a folder of predictions and return the line that reports them."""
    littered(folder, ".DS_Store", f"{FISH}/Thumbs.db", f"{FISH}/._x.png", "@eaDir/x.png")
    return f"{folder}: {LINE}.DS_Store, @eaDir, {FISH}/._x.png, {FISH}/Thumbs.db"


def test_among_predictions_they_are_reported_and_skipped(truth50, predictions, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("imagenet_s.benchmark.scoring.evaluate.write_pictures", lambda *_: None)
    seen, files = fingerprint(predictions), files_in(predictions)
    line = litter(predictions)
    assert (fingerprint(predictions), files_in(predictions)) == (seen, files)
    truth = linked_copy(truth50, tmp_path / "truth")
    of_truth = litter(truth)
    options = ["--subset", "50", "--truth", str(truth), "--predictions", str(predictions)]
    for command in (["evaluate"], ["evaluate", "--partial"], ["match"]):
        capsys.readouterr()
        assert main([*command, *options, "--out", str(tmp_path / "m.json"), "--workers", "1"]) == 0
        lines = capsys.readouterr().err.splitlines()
        assert (lines.count(line), lines.count(of_truth)) == (1, 1)
    assert read_json(tmp_path / "m.json")["0"] == 0


@pytest.mark.long
def test_among_images_and_features_they_are_reported_and_skipped(root, tmp_path, capsys):
    images = root / "train-semi"
    line, out = litter(images), tmp_path / "features"
    assert main(["grid-features", "--images", str(images), "--out", str(out), "--workers", "1"]) == 0
    captured = capsys.readouterr()
    assert captured.err.splitlines().count(line) == 1
    assert captured.out.startswith("Wrote features of 500 images, ")
    littered(out, ".DS_Store", f"{FISH}/._{FISH}_10007.npy")
    littered(root / "train-semi-segmentation", ".DS_Store", f"{FISH}/._x.png")
    options = ["--features-train", out, "--features", out, "--masks", root, "--images", images]
    options += ["--out", tmp_path / "predicted", "--workers", "1"]
    assert main(["distance-match", "--subset", "50", *map(str, options)]) == 0
