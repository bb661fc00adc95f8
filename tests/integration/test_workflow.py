"""Whole runs of Snakemake, as a user makes them."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from helpers.builds import (
    ROOT,
    SNAKEMAKE,
    build,
    check_sums,
    digest,
    image_files,
    not_activated,
    snakemake,
)
from helpers.http_server import AnnotationServer, Truncate
from helpers.raw_imagenet import gzipped, hugging_face_tars, tar_of, two_paths_in_pieces_and_parquet
from helpers.synthetic_zip import rewritten
from helpers.trees import linked_copy
from imagenet_s.cli.main import main
from imagenet_s.dataset.samples import SAMPLES
from imagenet_s.io.atomic import read_json
from imagenet_s.masks.codec import rgb_of, rgb_png
from imagenet_s.spec.method_txt import BASELINE
from imagenet_s.spec.subsets import subset_of
from imagenet_s.workspace.paths import Workspace

ARCHIVE = subset_of(50).archive_name


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    """The folder of a finished run of the demo, with its output in `results`."""
    folder = tmp_path_factory.mktemp("demo")
    run = snakemake(folder, profile="default")
    assert run.code == 0, run.text
    (folder / "printed").write_text(run.text)
    return folder


@pytest.fixture
def annotations(annotations50, tmp_path) -> dict:
    """The `annotations` table of a config that finds the synthetic archive under the official name."""
    folder = tmp_path / "annotations"
    folder.mkdir()
    shutil.copy(annotations50["path"], folder / ARCHIVE)
    return {"from": str(folder), "md5": {50: annotations50["md5"]}}


def screen(text: str) -> list[str]:
    """The lines of a run with the default profile after that about the profile, with … for durations."""
    first, *lines = text.splitlines()
    assert first.startswith("Using workflow specific profile "), text
    return [re.sub(r" +([\d.]+|\d+ min \d+) s$", " …", line) for line in lines]


def test_the_demo_prints_a_line_for_each_stage_and_its_summary(demo):
    lines, output = screen((demo / "printed").read_text()), demo / "results"
    summary = (output / "summary.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0] == f"Building ImageNetS50 from the embedded demo in {output}"
    assert lines[-len(summary) - 2 : -1] == [*summary, ""]
    assert lines[-1].startswith("Built in ")
    numbered = [line for line in lines if line.startswith("[")]  # a slow machine adds lines of progress
    assert [line[:6] for line in numbered] == [f"[{k}/9] " for k in range(1, 10)]
    stages = [line[6:] for line in numbered]
    # In the order in which Snakemake runs them.
    stages[4:6], stages[6:] = sorted(stages[4:6]), sorted(stages[6:])
    assert stages == [
        "Generating the demo: synthetic images and masks …",
        "Checking the source and listing its images …",
        "Reading images (3 jobs) …",
        "Unpacking and checking masks …",
        "Building the folders …",
        "Encoding masks …",
        "Cleaning up and writing the summary …",
        "Drawing contact sheets …",
        "Writing manifests and dataset.json …",
    ]


def test_the_demo_ends_with_a_summary_and_says_that_it_is_synthetic(demo):
    summary = (demo / "results" / "summary.txt").read_text()
    assert "ImageNetS50  train-semi       500    500    500" in summary
    assert f"digest  {digest(demo / 'results' / 'ImageNetS50')}" in summary
    assert "SYNTHETIC" in summary


@pytest.mark.parametrize("encoding", ["ascii", pytest.param("latin-1", marks=pytest.mark.long)])
def test_a_run_ends_with_its_summary_in_any_encoding(demo, encoding):
    before = ("env", f"PYTHONIOENCODING={encoding}")
    run = snakemake(demo, "--forcerun", "summary", "--", "summary", before=before)
    assert (run.code, run.rules) == (0, ["summary"]), run.text
    summary = (demo / "results" / "summary.txt").read_text(encoding="utf-8")
    assert summary.encode(encoding, "backslashreplace").decode(encoding) in run.text
    assert r"\u2013" in run.text


def test_the_demo_is_what_the_stages_make_without_snakemake(demo, imagenet50, annotations50, tmp_path):
    tree = build(imagenet50, annotations50, tmp_path, "symlink")
    assert digest(tree) == digest(demo / "results" / "ImageNetS50")
    check_sums(demo / "results" / "ImageNetS50")


def test_a_second_run_does_nothing_and_a_plan_says_so(demo, monkeypatch, capsys):
    run = snakemake(demo, profile="default")
    assert run.code == 0
    assert screen(run.text) == [
        "Nothing to be done: all that was asked for is there.",
        f"  ImageNetS50  {demo}/results/ImageNetS50",
    ]
    monkeypatch.chdir(demo)
    assert main(["plan"]) == 0
    assert capsys.readouterr().out.startswith("Nothing to do: ")


@pytest.mark.long
def test_each_change_runs_only_its_own_jobs_and_another_source_leaves_nothing_of_the_first(
    imagenet50, annotations50, annotations, tmp_path
):
    project = tmp_path / "project"
    for name in ("workflow", "envs"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", project)
    folder = tmp_path / "it's a run"
    results = folder / "results"
    run = snakemake(folder, project=project)
    assert run.code == 0, run.text

    run = snakemake(folder, project=project, labels=["id16", "color"])
    assert run.rules == ["dataset", "labels", "summary", "tidy"], run.text
    check_sums(results / "ImageNetS50")
    assert (results / "ImageNetS50/manifests/validation-segmentation-color.sha256").exists()

    module = project / "workflow" / "imagenet_s" / "dataset" / "summary.py"
    module.write_text(module.read_text().replace('"split", "expected"', '"split", "official"'))
    run = snakemake(folder, project=project, labels=["id16", "color"])
    assert run.rules == ["summary"], run.text
    assert "official  found" in (results / "summary.txt").read_text()

    run = snakemake(folder, project=project, labels=["id16", "color"], subsets=[50, 300])
    demo_jobs = ["demo_annotations", "demo_images", "source"]
    once_a_subset = [
        "companions",
        "contact_sheets",
        "dataset",
        *["labels"] * 2,
        "manifests",
        "masks",
        "samples",
        "tree",
    ]
    assert run.rules == sorted([*once_a_subset, *demo_jobs, *["images"] * 6, "summary", "tidy"]), run.text
    check_sums(results / "ImageNetS300")

    source = another_source(imagenet50, tmp_path / "source")
    run = snakemake(
        folder, project=project, imagenet=str(source), train_images="any", annotations=annotations
    )
    assert run.code == 0, run.text
    fresh = build(source, annotations50, tmp_path / "fresh", "symlink", labels=("id16",))
    assert sorted(path.name for path in results.iterdir()) == ["ImageNetS50", "summary.txt", "work"]
    tree = results / "ImageNetS50"
    images = [path for path in image_files(tree).values() if path.suffix == ".JPEG"]
    assert len(images) == 600 + 500 + 752 + 1682
    assert all(path.read_bytes().endswith(b"not the demo") for path in images)
    assert set(image_files(tree)) == set(image_files(fresh))
    assert digest(tree) == digest(fresh)
    left = {path.name for path in (results / "work").iterdir()}
    locks = {"run.lock", "jobs.lock"}
    kept = {"annotations", "images", "logs", "masks", "report", "samples", "source", "trees"}
    assert left == kept | locks


def another_source(imagenet: Path, target: Path) -> Path:
    """The same names with other bytes, and fewer train images than the demo has."""
    linked_copy(imagenet, target)
    (target / "SYNTHETIC.txt").unlink()
    for path in list(target.rglob("*.JPEG")):
        data = path.read_bytes() + b"not the demo"
        path.unlink()
        if not path.name.endswith("_1.JPEG"):
            path.write_bytes(data)
    return target


@pytest.mark.long
def test_fetch_gets_the_annotations_of_all_subsets_and_builds_nothing(imagenet50, annotations, tmp_path):
    settings = {"imagenet": str(imagenet50), "train_images": "any", "annotations": annotations}
    run = snakemake(tmp_path, "fetch", **settings)
    assert (run.code, run.rules) == (0, ["annotations", "fetch", "source"]), run.text
    assert "Nothing to be done" in snakemake(tmp_path, "fetch", **settings).text
    run = snakemake(tmp_path / "demo", "fetch")
    assert (run.code, run.rules) == (0, ["demo_annotations", "fetch"]), run.text
    assert not (tmp_path / "demo" / "results" / "ImageNetS50").exists()


@pytest.mark.long
def test_link_modes_in_turn_read_the_source_again_only_to_copy_it(imagenet50, annotations50, tmp_path):
    data = Path(annotations50["path"]).read_bytes()
    with AnnotationServer({f"/there/{ARCHIVE}": data}) as server:
        server.misbehave(f"/there/{ARCHIVE}", Truncate(10_000))
        table = {"from": f"{server.url}/there/", "md5": {"50": annotations50["md5"]}}
        settings = {"imagenet": str(imagenet50), "train_images": "any", "annotations": table}
        settings["output"] = str(tmp_path / "run" / "results of Ann's & mine")
        run = snakemake(tmp_path / "run", **settings)
    assert run.code == 0, run.text
    # The download broke off and was resumed; the later runs must do without the server.
    assert [request.range for request in server.requests] == [None, "bytes=10000-"]
    tree = Path(settings["output"]) / "ImageNetS50"
    first = digest(tree)
    after = ["companions", "dataset", "manifests", "summary", "tidy", "tree"]
    run = snakemake(tmp_path / "run", link="hardlink", **settings)
    assert run.rules == after, run.text
    image = next((tree / "train" / "n01443537").iterdir())
    assert image.samefile(imagenet50 / "train" / "n01443537" / image.name)
    run = snakemake(tmp_path / "run", link="copy", **settings)
    assert run.rules == sorted([*after, *["images"] * 3, "labels", "samples"]), run.text
    assert not image.samefile(imagenet50 / "train" / "n01443537" / image.name)
    run = snakemake(tmp_path / "run", **settings)
    assert run.rules == after, run.text
    assert (tree / "train" / "n01443537").is_symlink()
    assert not (tree.parent / "work" / "pool").exists()
    assert digest(tree) == first
    run = snakemake(tmp_path / "run", link="symlink-files", **settings)
    assert run.rules == after, run.text
    assert os.readlink(image) == f"{imagenet50}/train/n01443537/{image.name}"
    assert read_json(tree / "dataset.json")["build"]["link"] == "symlink-files"
    assert digest(tree) == first


def failed(folder: Path, **config) -> str:
    """The text of a run that must fail before it writes anything into a tree."""
    run = snakemake(folder, profile="default", **config)
    assert run.code == 1
    assert "Traceback" not in run.text
    assert not list((folder / "results").glob("ImageNetS*/*/*/*"))
    assert not list((folder / "results").glob("ImageNetS*/*.json"))
    return run.text


def test_a_missing_listed_image_stops_the_run_by_name(imagenet50, annotations, tmp_path):
    source = linked_copy(imagenet50, tmp_path / "source")
    (source / "val" / "ILSVRC2012_val_00004677.JPEG").unlink()
    text = failed(tmp_path, imagenet=str(source), train_images="any", annotations=annotations)
    assert "ImageNetS50/validation: 1 of 752 listed images missing" in text
    assert "n01443537 (goldfish) 1 of " in text
    assert "val/ILSVRC2012_val_00004677.JPEG" in text
    log = "results/work/logs/source-50.log"
    lines = screen(text)
    assert lines[0] == f"Building ImageNetS50 from {source} in {tmp_path}/results"
    assert lines[-2:] == [
        f"Log: {log}",
        "Once fixed, run the same command again: it continues where this run ended.",
    ]
    assert "FAILED: Checking the source and listing its images (source-50)" in lines
    assert text.count("1 of 752 listed images missing") == 1
    assert not (tmp_path / "results" / "work" / "masks").exists()
    shutil.copy(imagenet50 / "val" / "ILSVRC2012_val_00004677.JPEG", source / "val")
    run = snakemake(
        tmp_path, "--until", "source", imagenet=str(source), train_images="any", annotations=annotations
    )
    assert (run.code, run.rules) == (0, ["source"]), "the image is back, and the same command must see it"


@pytest.mark.long
def test_a_short_train_set_stops_a_run_that_wants_it_complete(imagenet50, annotations, tmp_path):
    text = failed(tmp_path, imagenet=str(imagenet50), annotations=annotations)
    assert "ImageNetS50/train: 650 images, officially 64,431" in text
    assert "50 classes outside the 732–1,300 images" in text
    assert "train_images: any" in text


@pytest.mark.long
def test_a_wrong_md5_stops_the_run(imagenet50, annotations, tmp_path):
    table = {"from": annotations["from"]}  # so that the official md5 is expected
    text = failed(tmp_path, imagenet=str(imagenet50), train_images="any", annotations=table)
    assert f"md5 {annotations['md5'][50]}, expected a0fe9d82231f9bc4787ee76e304dfa51" in text
    assert "annotations.md5" in text


@pytest.mark.long
def test_a_zip_that_leads_outside_stops_the_run(imagenet50, annotations, tmp_path):
    archive = Path(annotations["from"]) / ARCHIVE
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("../evil.png", b"evil")
    annotations["md5"] = {50: hashlib.md5(archive.read_bytes()).hexdigest()}
    text = failed(tmp_path, imagenet=str(imagenet50), train_images="any", annotations=annotations)
    assert "'../evil.png' leads outside the folder" in text
    assert not list(tmp_path.rglob("evil.png"))


@pytest.mark.long
def test_a_mask_of_another_size_stops_the_run(imagenet50, annotations, tmp_path):
    archive = Path(annotations["from"]) / ARCHIVE
    mask = "validation-segmentation/n01443537/ILSVRC2012_val_00004677.png"
    annotations["md5"] = {50: rewritten(archive, {f"ImageNetS50/{mask}": _rgb_png(7, 5)})}
    text = failed(tmp_path, imagenet=str(imagenet50), train_images="any", annotations=annotations)
    assert f"1 masks of ImageNetS50 are not as large as their image: {mask} is 7 × 5, its image " in text


def _rgb_png(width: int, height: int) -> bytes:
    import io

    import numpy as np
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(rgb_of(np.zeros((height, width), np.uint16))).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"labels": ["id8"], "subsets": [50, 919]}, "labels: `id8` holds the ids of 50 classes only"),
        pytest.param(
            {"imagnet": "/data"},
            "imagnet: no such key; did you mean `imagenet`? There are: imagenet, output",
            marks=pytest.mark.long,
        ),
        pytest.param(
            {"subsets": [51]}, "subsets[0]: 51 is not allowed; allowed: 50, 300, 919", marks=pytest.mark.long
        ),
    ],
)
def test_a_wrong_configuration_is_refused_before_anything_runs(config, message, tmp_path):
    *heading, told, last = screen(failed(tmp_path, **config))
    assert heading == ["The configuration (config.yaml, --config) is not valid:"]
    assert (told[: len(message) + 2], last) == (f"- {message}", "Nothing was run.")
    assert not (tmp_path / "results").exists()


@pytest.mark.long
def test_a_run_that_cannot_begin_ends_in_our_words(imagenet50, annotations, tmp_path):
    run = snakemake(tmp_path, "evalute", profile="default")
    told = "There is no target 'evalute'. Did you mean `evaluate`? Targets: verify, repair, fetch, "
    assert run.code == 1
    assert screen(run.text) == [
        f"{told}statistics, export, match, evaluate, submission. Without a target, the data sets are built.",
        "Nothing was run.",
    ]

    source = hugging_face_tars(imagenet50, tmp_path / "source")
    (source / "val_images.tar.gz").unlink()
    (source / "val_images.tar.gz").symlink_to(tmp_path / "nowhere")
    settings = {"imagenet": str(source), "train_images": "any", "annotations": annotations}
    run = snakemake(tmp_path, profile="default", **settings)
    assert run.code == 1
    assert screen(run.text) == [
        f"`imagenet`: links lead to nothing: {source}/val_images.tar.gz → {tmp_path}/nowhere. Restore or "
        "mount their targets.",
        "Nothing was run.",
    ]


@pytest.mark.long
def test_another_workflow_can_import_this_one(tmp_path):
    module = ROOT / "tests" / "module"
    shutil.copy(module / "config.yaml", tmp_path)
    command = [SNAKEMAKE, "--snakefile", module / "Snakefile", "--cores", "2"]
    done = subprocess.run(command, cwd=tmp_path, env=not_activated(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    tree = tmp_path / "data" / "out" / "ImageNetS50"
    check_sums(tree)
    assert (tree / "manifests" / "validation-segmentation-color.sha256").exists()
    assert not (tree / "manifests" / "validation-segmentation-id16.sha256").exists()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != ".snakemake") == [
        "config.yaml",
        "data",
    ]


def test_with_conda_each_job_is_run_by_the_python_of_its_environment(tmp_path):
    conda = tmp_path / "bin" / "conda"
    conda.parent.mkdir()
    facts = {"conda_version": "25.1.0", "conda_prefix": "/none", "platform": "linux-64"}
    answer = json.dumps(facts | {"get": {"channel_priority": "strict"}})
    conda.write_text(f"#!/bin/sh\n[ \"$1\" = --version ] && echo conda 25.1.0 || echo '{answer}'\n")
    conda.chmod(0o755)
    path = ("env", f"PATH={conda.parent}:/usr/bin:/bin")
    run = snakemake(tmp_path, "--sdm", "conda", "--dry-run", "--printshellcmds", before=path)
    assert run.code == 0, run.text
    launch = ROOT / "workflow" / "launch.py"
    assert run.text.count(f"Shell command: python {launch} --work results/work ") == 16, run.text
    assert sys.executable not in run.text


# A source that is read from front to back


def without(archive: Path, image: str) -> bytes:
    """A compressed tar without one of its images."""
    with tarfile.open(archive) as tar:
        members = [
            (info.name, tar.extractfile(info).read()) for info in tar if not info.name.startswith(image)
        ]
        assert len(members) == len(tar.getmembers()) - 1
    return gzipped(tar_of(members))


@pytest.mark.long
def test_each_archive_is_read_once_for_all_subsets_and_nothing_is_built_before_all_was_found(
    imagenet50, annotations50, annotations, tmp_path
):
    source = hugging_face_tars(imagenet50, tmp_path / "source")
    settings = {"imagenet": str(source), "train_images": "any", "annotations": annotations, "labels": []}
    run = snakemake(tmp_path, "--until", "stream", **settings, subsets=[50, 300])
    assert (run.code, run.rules) == (0, ["source"] * 2 + ["stream"] * 6), run.text

    # What was read for 300 serves 50, which needs less of it, once 300 has been built.
    samples = Workspace(tmp_path / "results").samples(300)
    samples.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([], SAMPLES), samples)
    run = snakemake(tmp_path, "--dry-run", "--quiet", "rules", **settings)
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", run.text, re.MULTILINE))
    assert (run.code, jobs.get("source"), jobs.get("stream"), jobs.get("tree")) == (0, None, None, "1"), (
        run.text
    )

    val = source / "val_images.tar.gz"
    whole = val.read_bytes()
    val.write_bytes(without(val, "ILSVRC2012_val_00004677"))
    text = failed(tmp_path, **settings)
    assert "ImageNetS50/validation: 1 of 752 listed images missing" in text
    assert "n01443537 (goldfish) 1 of " in text
    assert "val/ILSVRC2012_val_00004677.JPEG" in text
    assert "Reading archives from front to back: train" not in text
    assert not (tmp_path / "results" / "ImageNetS50").exists()

    val.write_bytes(whole)
    run = snakemake(tmp_path, **settings)
    assert run.code == 0, run.text
    assert "Reading archives from front to back: val-pass-300-0" in run.text
    assert run.rules.count("stream") == 1, run.text
    plain = build(imagenet50, annotations50, tmp_path / "plain", "symlink")
    tree = tmp_path / "results" / "ImageNetS50"
    assert digest(tree) == digest(plain)
    check_sums(tree)

    lost = next((tmp_path / "results" / "work" / "pool" / "train" / "n01443537").iterdir())
    lost.unlink()
    run = snakemake(tmp_path, "--forcerun", "images", "stream", **settings | {"link": "copy"})
    after = ["companions", "dataset", "manifests", "samples", *["stream"] * 6, "summary", "tidy", "tree"]
    assert run.rules == after, run.text
    assert lost.exists()
    assert digest(tree) == digest(plain)
    check_sums(tree)


@pytest.mark.long
def test_a_path_for_train_and_one_for_val_are_built_from_once(
    imagenet50, annotations, annotations50, tmp_path
):
    train, val = two_paths_in_pieces_and_parquet(imagenet50, tmp_path / "it's a disk")
    table = {"train": str(train), "val": str(val)}
    config = {"imagenet": table, "train_images": "any", "annotations": annotations}
    run = snakemake(tmp_path, **config)
    assert run.code == 0, run.text
    plain = build(imagenet50, annotations50, tmp_path / "plain", "copy")
    assert digest(tmp_path / "results" / "ImageNetS50") == digest(plain)
    source = read_json(tmp_path / "results" / "ImageNetS50" / "dataset.json")["build"]["source"]
    assert source == {
        "layout": "named paths + Hugging Face parquet",
        "path": f"{train} (train), {val} (val)",
        "synthetic": True,
        "alterations": [],
    }
    assert f"from {train} (train), {val} (val) (named paths" in " ".join(run.text.split())
    assert snakemake(tmp_path, **config).rules == []
    (tmp_path / "v").symlink_to(val)
    run = snakemake(tmp_path, **config | {"imagenet": {**table, "val": str(tmp_path / "v")}})
    assert "source" in run.rules
    assert digest(tmp_path / "results" / "ImageNetS50") == digest(plain)


@pytest.mark.long
def test_links_into_archives_are_refused(imagenet50, annotations, tmp_path):
    source = hugging_face_tars(imagenet50, tmp_path / "source")
    text = failed(tmp_path, imagenet=str(source), train_images="any", annotations=annotations, link="symlink")
    assert (
        f"`link: symlink` does not work for images inside archives: {source}/train_images_0.tar.gz, " in text
    )
    assert "Set `link: auto` (or `copy`) in config.yaml" in text
    assert not (tmp_path / "results" / "work" / "images").exists()


# Targets that look at what is there


@pytest.mark.long
def test_verify_and_repair_are_targets_that_always_run_and_build_nothing(demo, tmp_path):
    settings = {"output": str(tmp_path / "results")}
    shutil.copytree(demo / "results", tmp_path / "results", symlinks=True)
    image = tmp_path / "results" / "ImageNetS50" / "test" / "n01443537" / "ILSVRC2012_val_00005870.JPEG"
    assert image.is_symlink()
    for _ in range(2):
        run = snakemake(tmp_path, "verify", **settings)
        assert (run.code, run.rules) == (0, ["verify"]), run.text
        assert "whole: " in run.text

    image.unlink()
    run = snakemake(tmp_path, "verify", profile="default", **settings)
    assert run.code == 1
    assert "missing: test/n01443537/ILSVRC2012_val_00005870.JPEG" in run.text
    assert screen(run.text)[-2:] == [
        "Damage was found: the report above says what to do next.",
        f"Log: {tmp_path}/results/work/logs/verify.log",
    ]
    assert "FAILED" not in run.text
    assert not image.is_symlink()

    run = snakemake(tmp_path, "repair", **settings)
    assert (run.code, run.rules) == (0, ["repair"]), run.text
    assert image.exists()
    check_sums(tmp_path / "results" / "ImageNetS50")


@pytest.mark.long
def test_predictions_are_matched_scored_and_submitted_again_only_when_they_changed(demo, truth50, tmp_path):
    predictions = tmp_path / "predictions"
    linked_copy(truth50, predictions / "validation")
    for image in (demo / "results" / "ImageNetS50" / "test").rglob("*.JPEG"):
        with Image.open(image) as opened:
            ids = np.full(opened.size[::-1], 7, np.uint16)
        path = predictions / "test" / image.parent.name / f"{image.stem}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rgb_png(ids))
    output = tmp_path / "results"
    shutil.copytree(demo / "results", output, symlinks=True)
    table = {"predictions": str(predictions), "protocol": "unsupervised"}
    settings = {"output": str(output), "benchmark": table}
    made = output / "benchmark" / "50"

    run = snakemake(tmp_path / "run", "evaluate", **settings)
    assert (run.code, run.rules) == (0, ["evaluate", "match"]), run.text
    metrics = json.loads((made / "metrics.json").read_text())
    assert (metrics["images"], metrics["matched"]) == (752, True)
    assert metrics["mIoU"] > 99
    assert f"mIoU {metrics['mIoU']:6.2f}" in run.text

    run = snakemake(tmp_path / "run", "submission", **settings)
    assert run.code == 1
    assert "`benchmark.method`: a submission needs a description" in run.text

    table["method"] = {**BASELINE, "description": 'it\'s "quoted" \\ $HOME é 🔥'}
    run = snakemake(tmp_path / "run", "evaluate", "submission", **settings)
    assert (run.code, run.rules) == (0, ["submission"]), run.text
    assert "4 in that of ImageNetS919" in run.text
    with zipfile.ZipFile(made / "submission.zip") as archive:
        assert len(archive.namelist()) == 1682 + 2
        assert archive.read("match.json") == (made / "match.json").read_bytes()
        last = archive.read("method.txt").decode().rpartition("\n")[2]
        assert last == 'Method description: it\'s "quoted" \\ $HOME é 🔥'
    assert "Nothing to be done" in snakemake(tmp_path / "run", "evaluate", "submission", **settings).text

    labels = settings | {"labels": ["id16", "color"]}
    run = snakemake(tmp_path / "run", "all", "evaluate", "submission", "--dry-run", **labels)
    planned = set(re.findall(r"^(\w+) +\d+$", run.text, re.M))
    assert planned >= {"labels", "dataset"}, run.text
    assert not planned & {"match", "evaluate", "submission", "grid_features", "distance_match"}, run.text

    changed = next((predictions / "test").rglob("*.png"))
    os.utime(changed, (1, 1))  # as one that was written anew in its place
    run = snakemake(tmp_path / "run", "evaluate", "submission", "--dry-run", **settings)
    assert set(re.findall(r"^(match|evaluate|submission) ", run.text, re.M)) == {"submission"}, run.text

    name = sorted(path.relative_to(truth50) for path in truth50.rglob("*.png"))[0]
    (predictions / "validation" / name).unlink()
    run = snakemake(tmp_path / "run", "evaluate", **settings)
    assert run.code == 1
    assert f"missing predictions (1): {name}" in run.text
    assert not (made / "match.json").exists()

    assert main(["clean", str(output)]) == 0
    assert not output.exists()
