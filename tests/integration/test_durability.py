"""In each kind of job, the data are on disk before the receipts are renamed."""

import errno
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from helpers.builds import ROOT
from helpers.damages import deleted, own_copy, replaced
from helpers.disk_calls import Recorder, failing, needs_proc, part_of
from helpers.raw_imagenet import hugging_face_tars
from helpers.trees import linked_copy
from imagenet_s.annotations.fetch import fetch
from imagenet_s.annotations.unpack import unpack_masks
from imagenet_s.benchmark.baseline.distance_matching import FeatureFolders, Vote, distance_match
from imagenet_s.benchmark.baseline.grid_features import write_grid_features
from imagenet_s.cli.main import main
from imagenet_s.config.build_request import BuildRequest
from imagenet_s.dataset.companions import Records, write_companions
from imagenet_s.dataset.encoded_masks import UnpackedMasks, encode_labels
from imagenet_s.dataset.manifests import write_manifests
from imagenet_s.dataset.metadata import Origin, write_dataset
from imagenet_s.dataset.prune import prune
from imagenet_s.dataset.report_tables import write_summaries
from imagenet_s.dataset.samples import join_samples
from imagenet_s.dataset.tree import ScannedFiles, build_tree
from imagenet_s.demo.generate import make_annotations, make_images
from imagenet_s.images.read import read_part
from imagenet_s.images.stream import read_pass
from imagenet_s.masks.codec import rgb_png
from imagenet_s.preflight.check import check_and_list
from imagenet_s.runtime.lock import _held
from imagenet_s.source.layouts import find_places, pass_files
from imagenet_s.spec.companions import COMPANIONS, FROM_DATASET, FROM_RECORDS
from imagenet_s.spec.method_txt import LINES
from imagenet_s.spec.subsets import MASKED, label_folder, sample_manifests, subset_of
from imagenet_s.verify import adopt as adopt_module
from imagenet_s.verify.compare import verify


@pytest.fixture
def output(output50, tmp_path) -> Path:
    return own_copy(output50, tmp_path / "results")


Job = Callable[[Path, Path, dict], list[Path]]  # (output, source, annotations) → the receipts


def work_of(output: Path) -> tuple[Path, Path]:
    return output / "work", output / "work" / "tmp" / "test"


def demo_images(output: Path, source: Path, annotations: dict) -> list[Path]:
    work, scratch = work_of(output)
    make_images(50, work / "demo" / "imagenet", work / "demo" / "images-50.json", 1, scratch)
    return [work / "demo" / "images-50.json"]


def demo_annotations(output: Path, source: Path, annotations: dict) -> list[Path]:
    path = output / "work" / "annotations" / "50.json"
    make_annotations(50, output / "work" / "demo" / "annotations", path, 1)
    return [path]


def listing(output: Path, source: Path, annotations: dict) -> list[Path]:
    folder = output / "work" / "source"
    check_and_list(50, BuildRequest(source, output, [50], False, "copy", ["id16"]), folder)
    return [folder / "50.parquet", folder / "50.json"]


def images_copied(output: Path, source: Path, annotations: dict) -> list[Path]:
    work, scratch = work_of(output)
    paths = [work / "images" / "train-50-0.parquet", work / "pool" / "train-50-0.json"]
    shutil.rmtree(work / "pool" / "train")
    read_part("train-50-0", work / "source" / "50.parquet", paths[0], work / "pool", paths[1], scratch)
    return paths


def images_linked(output: Path, source: Path, annotations: dict) -> list[Path]:
    work, scratch = work_of(output)
    path = work / "images" / "val-50-0.parquet"
    shutil.rmtree(work / "pool")
    read_part("val-50-0", work / "source" / "50.parquet", path, work / "pool", None, scratch)
    return [path]


def stream(output: Path, source: Path, annotations: dict) -> list[Path]:
    work, scratch = work_of(output)
    places = find_places(hugging_face_tars(source, output / "tars"))
    path = work / "images" / "val-pass-50-0.parquet"
    shutil.rmtree(work / "pool")
    read_pass("val-pass-50-0", pass_files(places, "val-pass-50-0"), path, work / "pool", scratch)
    return [path]


def fetched(output: Path, source: Path, annotations: dict) -> list[Path]:
    folder = output / "zips"
    folder.mkdir()
    shutil.copy(annotations["path"], folder / subset_of(50).archive_name)
    path = output / "work" / "annotations" / "50.json"
    fetch(50, str(folder), annotations["md5"], path.parent, path)
    return [path]


def masks(output: Path, source: Path, annotations: dict) -> list[Path]:
    work, scratch = work_of(output)
    path = work / "masks" / "50.parquet"
    shutil.rmtree(path.with_suffix(""))
    unpack_masks(50, work / "annotations" / "50.json", output, path, 1, scratch)
    return [path]


def samples(output: Path, source: Path, annotations: dict) -> list[Path]:
    work, path = output / "work", output / "work" / "samples" / "50.parquet"
    parts = sorted((work / "images").glob("*.parquet"))
    join_samples(50, False, parts, work / "masks" / "50.parquet", work / "annotations" / "50.json", path)
    return [path]


def tree(output: Path, source: Path, annotations: dict) -> list[Path]:
    work = output / "work"
    listed, seen = [work / "source" / "50.parquet"], [work / "source" / "50.json"]
    path = work / "trees" / "50.json"
    shutil.rmtree(output / "ImageNetS50")
    build_tree(50, work / "samples" / "50.parquet", ScannedFiles(listed, seen), "copy", output, path)
    return [path]


def labels(output: Path, source: Path, annotations: dict) -> list[Path]:
    work, scratch = work_of(output)
    root, records = output / "ImageNetS50", work / "masks" / "50.parquet"
    digests = {split: root / "manifests" / f"{label_folder(split, 'color')}.sha256" for split in MASKED}
    unpacked = UnpackedMasks(50, records, records.with_suffix(""))
    encode_labels(unpacked, "color", root, digests, 1, scratch)
    return list(digests.values())


def manifests(output: Path, source: Path, annotations: dict) -> list[Path]:
    folder = output / "ImageNetS50" / "manifests"
    write_manifests(output / "work" / "samples" / "50.parquet", folder)
    return [folder / name for name in sample_manifests()]


def companions(output: Path, source: Path, annotations: dict) -> list[Path]:
    work, root = output / "work", output / "ImageNetS50"
    records = Records(50, work / "samples" / "50.parquet", work / "masks" / "50.parquet")
    write_companions(records, root)
    return [root / name for name in FROM_RECORDS]


def dataset(output: Path, source: Path, annotations: dict) -> list[Path]:
    work, root = output / "work", output / "ImageNetS50"
    records, archive = work / "samples" / "50.parquet", work / "annotations" / "50.json"
    origin = Origin([work / "source" / "50.json"], archive, "copy")
    write_dataset(50, ["id16"], records, root, origin)
    return [root / name for name in (*FROM_DATASET, "dataset.json")]


def tidied(output: Path, source: Path, annotations: dict) -> list[Path]:
    path = output / "work" / "source" / "tidy.json"
    prune([50], "copy", False, output, path)
    return [path]


def summary(output: Path, source: Path, annotations: dict) -> list[Path]:
    datasets = [output / "ImageNetS50" / "dataset.json"]
    write_summaries(datasets, output / "summary.txt", output / "work" / "report")
    return [output / "summary.txt"]


def features(output: Path, source: Path, annotations: dict) -> list[Path]:
    out = output / "features" / "train-semi"
    write_grid_features(output / "ImageNetS50" / "train-semi", out, 1)
    return [out.with_name("train-semi.json")]


def predicted(output: Path, source: Path, annotations: dict) -> list[Path]:
    root, found, out = output / "ImageNetS50", output / "features" / "train-semi", output / "predicted"
    folders = FeatureFolders(found, root, found, root / "train-semi")
    distance_match(50, folders, Vote(10, 0.07), out, 1)
    return [output / "predicted.json"]


def matched(output: Path, source: Path, annotations: dict) -> list[Path]:
    root = str(output / "ImageNetS50" / "validation-segmentation")
    paths = [output / "out" / "match-info.json", output / "out" / "match.json"]
    arguments = ["--truth", root, "--predictions", root, "--out", str(paths[1]), "--workers", "1"]
    assert main(["match", "--subset", "50", *arguments]) == 0
    return paths


def scored(output: Path, source: Path, annotations: dict) -> list[Path]:
    root = str(output / "ImageNetS50" / "validation-segmentation")
    path = output / "out" / "metrics.json"
    arguments = ["--truth", root, "--predictions", root, "--out", str(path), "--workers", "1"]
    assert main(["evaluate", "--subset", "50", *arguments]) == 0
    return [path]


def submitted(output: Path, source: Path, annotations: dict) -> list[Path]:
    images, inside = output / "ImageNetS50" / "test", output / "mine"
    for path in images.glob("*/*.JPEG"):
        with Image.open(path) as image:
            empty = rgb_png(np.zeros((image.height, image.width), np.uint16))
        (inside / path.parent.name).mkdir(parents=True, exist_ok=True)
        (inside / path.parent.name / f"{path.stem}.png").write_bytes(empty)
    (output / "method.yaml").write_text(yaml.safe_dump(dict.fromkeys(LINES, "none")))
    path = output / "out" / "submission.zip"
    arguments = ["--predictions", inside, "--images", images, "--method", output / "method.yaml"]
    arguments += ["--protocol", "free", "--out", path, "--workers", "1"]
    assert main(["submit", "--subset", "50", *map(str, arguments)]) == 0
    return [path]


JOBS: tuple[Job, ...] = (
    demo_images,
    demo_annotations,
    listing,
    images_copied,
    images_linked,
    stream,
    fetched,
    masks,
    samples,
    tree,
    labels,
    manifests,
    companions,
    dataset,
    tidied,
    summary,
    features,
    matched,
    scored,
    submitted,
)


def require_order(recorder: Recorder, paths: list[Path]) -> None:
    """Check that one sync follows the data, and that then only receipts are written, synced and renamed."""
    assert [call for call, _ in recorder.calls].count("sync") == 1
    assert recorder.after_the_sync() == [
        *(("fsync", part_of(path)) for path in paths),
        *(("rename", str(path)) for path in paths),
        *(("fsync", str(folder)) for folder in dict.fromkeys(path.parent for path in paths)),
    ]
    assert recorder.files().items() <= recorder.synced[0].items()  # all data were there, unchanged since
    assert all(path.is_file() for path in paths)


@needs_proc
@pytest.mark.parametrize("job", JOBS)
def test_each_job_writes_its_data_then_syncs_once_then_renames_its_receipts(
    job, imagenet50, annotations50, output, tmp_path, monkeypatch
):
    source = linked_copy(imagenet50, tmp_path / "imagenet") if job is stream else imagenet50
    monkeypatch.setattr("imagenet_s.benchmark.scoring.evaluate.write_pictures", lambda *_: None)
    recorder = Recorder(output, monkeypatch)
    require_order(recorder, job(output, source, annotations50))


@needs_proc
@pytest.mark.long
def test_distance_matching_does_so_too(imagenet50, annotations50, output, tmp_path, monkeypatch):
    features(output, imagenet50, annotations50)
    recorder = Recorder(output, monkeypatch)
    require_order(recorder, predicted(output, imagenet50, annotations50))


@needs_proc
def test_a_disk_error_in_a_job_leaves_the_names_unchanged(imagenet50, annotations50, output, monkeypatch):
    folder = output / "ImageNetS50" / "manifests"
    before = {path.name: path.stat().st_ino for path in folder.iterdir()}
    failing(monkeypatch, "syncfs", errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        manifests(output, imagenet50, annotations50)
    assert {path.name: path.stat().st_ino for path in folder.iterdir()} == before


@needs_proc
def test_a_tree_keeps_its_plan_on_disk_before_its_first_entry(imagenet50, annotations50, output, monkeypatch):
    recorder = Recorder(output, monkeypatch)
    tree(output, imagenet50, annotations50)
    plan = output / "work" / "trees" / "50.parquet"
    written = [("fsync", part_of(plan)), ("rename", str(plan)), ("fsync", str(plan.parent))]
    assert recorder.calls[:3] == written
    assert recorder.calls[3:6] == written
    assert [call for call, _ in recorder.calls[6:]] == ["sync", "fsync", "rename", "fsync"]


@needs_proc
def test_an_adopted_copy_is_on_disk_before_its_dataset_json(output, monkeypatch):
    root = output / "ImageNetS50"
    shutil.rmtree(root / "manifests")
    for name in ("dataset.json", *COMPANIONS):
        (root / name).unlink(missing_ok=True)
    verdict = replace(verify(root, 50, "complete", 1), damage={}, remarks=())
    recorder = Recorder(root, monkeypatch)
    adopt_module.adopt(verdict, 1)
    names = [*(f"manifests/{name}" for name in sample_manifests()), *COMPANIONS, "dataset.json"]
    assert recorder.files().items() <= recorder.synced[-1].items()
    calls = [call for call in recorder.calls if Path(call[1]).is_relative_to(root)]
    assert [call for call, _ in calls].count("sync") == 3  # the last is of what vouches for the others
    assert [path for call, path in calls if call == "rename"] == [str(root / name) for name in names]


@needs_proc
def test_repaired_files_are_on_disk_before_the_repair_reports_success(
    imagenet50, annotations50, output, tmp_path, monkeypatch, capsys
):
    zips = tmp_path / "zips"
    zips.mkdir()
    shutil.copy(annotations50["path"], zips / subset_of(50).archive_name)
    config = {"imagenet": str(imagenet50), "output": str(output), "link": "copy", "train_images": "any"}
    config["annotations"] = {"from": str(zips), "md5": {50: annotations50["md5"]}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    root = output / "ImageNetS50"
    image = next(str(path.relative_to(root)) for path in sorted(root.glob("test/*/*.JPEG")))
    deleted(root, image, random.Random(0))
    replaced(next(iter(sorted(root.glob("validation-segmentation/*/*.png")))), b"")
    recorder = Recorder(output, monkeypatch)
    try:
        assert main(["repair", "--configfile", str(tmp_path / "config.yaml"), "--workers", "1"]) == 0
    finally:
        while _held:
            os.close(_held.pop())
    assert [call for call, _ in recorder.calls].count("sync") == 1
    assert recorder.calls[-1] == ("sync", str(root))
    assert recorder.files().items() <= recorder.synced[0].items()


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
def test_the_order_of_the_calls_as_strace_sees_it(output, tmp_path):
    work, scratch = work_of(output)
    records, root = work / "masks" / "50.parquet", output / "ImageNetS50"
    digests = [root / "manifests" / f"{label_folder(split, 'color')}.sha256" for split in MASKED]
    arguments = ["--records", records, "--masks", records.with_suffix(""), "--tree", root]
    arguments += ["--digests", *digests, "--scratch", scratch, "--workers", "1"]
    trace = ["strace", "-f", "-y", "-e", "trace=/^(syncfs|fsync|rename.*)$", "-o", tmp_path / "trace"]
    command = [*trace, sys.executable, ROOT / "workflow" / "launch.py", "--work", work]
    done = subprocess.run(
        [*command, "labels", "--subset", "50", "--encoding", "color", *arguments],
        capture_output=True,
        text=True,
    )
    if "ptrace" in done.stderr.lower():
        pytest.skip(f"strace may not trace here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "trace").read_text()
    calls = re.findall(r"^\d+ +(\w+)\((.*)\) += (\S+)", text, re.M)
    assert {code for *_, code in calls} == {"0"}
    names = [name for name, *_ in calls]
    assert names.count("syncfs") == 1
    at = names.index("syncfs")
    assert [name.rstrip("at2") for name in names[:at]] == ["rename"] * 1252  # the labels
    assert [name.rstrip("at2") for name in names[at + 1 :]] == ["fsync", "fsync", "rename", "rename", "fsync"]
    assert all(f".{path.name}.part" in call[1] for path, call in zip(digests, calls[at + 1 :], strict=False))
    assert f"<{root / 'manifests'}>" in calls[-1][1]
