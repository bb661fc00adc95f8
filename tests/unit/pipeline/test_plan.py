"""`imagenet-s plan`: what a build would find, do and need."""

import json
import os
import re

import pytest
import yaml

from helpers.http_server import AnnotationServer
from helpers.raw_imagenet import (
    hub_of_shards,
    kaggle_zip_itself,
    odd_tars,
    official,
    tfds,
    two_paths_in_pieces_and_parquet,
)
from helpers.schemas import require_valid, schema_of
from imagenet_s.cli.main import main
from imagenet_s.config.settings import read_config
from imagenet_s.demo.generate import tier_images
from imagenet_s.pipeline.plan import Plan, make_plan
from imagenet_s.pipeline.plan_report import report_document, report_lines
from imagenet_s.preflight.disk_space import BLOCK
from imagenet_s.runtime.units import size_text
from imagenet_s.spec.subsets import subset_of

READY = [
    "Everything that the build needs is there. Nothing was written.",
    "Next: `snakemake --cores all`",
]
ARCHIVE = f"/{subset_of(50).archive_name}"


@pytest.fixture(scope="module")
def server():
    """Return a server that has an archive of masks for 50."""
    with AnnotationServer({ARCHIVE: b"a zip"}) as server:
        yield server


@pytest.fixture
def planned(server):
    """Return a function that makes a plan, with annotations from the server; its document is valid."""

    def run(**values) -> Plan:
        plan = make_plan(read_config({"annotations": {"from": server.url}} | values))
        require_valid(json.loads(json.dumps(report_document(plan))), "plan")
        return plan

    return run


@pytest.fixture
def report(planned):
    """Return a function that returns the lines of a plan without problems."""

    def run(**values) -> list[str]:
        plan = planned(**values)
        assert plan.problems == ()
        return list(report_lines(plan))

    return run


def test_a_plan_states_source_work_and_space_and_leaves_nothing(imagenet50, tmp_path, report):
    source = official(imagenet50, tmp_path / "source")
    output = tmp_path / "results"
    lines = report(imagenet=str(source), output=str(output), train_images="any")
    assert lines[:3] == [
        f"source   {source} (official archives)",
        "         train in ILSVRC2012_img_train.tar",
        "         val   in ILSVRC2012_img_val.tar",
    ]
    assert lines[3].endswith(" of images, once, in 3 jobs: less than 1 s (computed)")
    assert lines[4].startswith("masks    ImageNetS50: can be downloaded from 127.0.0.1:")
    assert lines[4].endswith(" (5 bytes)")
    assert lines[5] == f"adds     to {output}, for ImageNetS50 with link: auto"
    assert [line[38:] for line in lines[6:9]] == [
        "images, copied once for all subsets",
        "ImageNetS50: folders, links, manifests",
        "ImageNetS50: masks (estimated)",
    ]
    assert lines[9].startswith("free     ")
    assert lines[9].endswith(f" in {tmp_path}")
    assert lines[10:] == READY
    assert os.listdir(tmp_path) == ["source"]


def test_a_plan_names_sets_of_shards_and_the_revision_in_the_cache_of_hugging_face(
    imagenet50, tmp_path, report, planned
):
    snapshots = hub_of_shards(imagenet50, tmp_path / "source")
    values = {"imagenet": str(snapshots), "output": str(tmp_path / "results"), "train_images": "any"}
    lines = report(**values)
    assert lines[:3] == [
        f"source   {snapshots}/c0ffee (WebDataset)",
        "         train in 4 files: imagenet1k-train-…",
        "         val   in 2 files: imagenet1k-validation-…",
    ]
    assert lines[-2:] == READY
    searched = ", ".join(f"{snapshots}/c0ffee/imagenet1k-{kind}-…" for kind in ("train", "validation"))
    problem = planned(**values, subsets=[300]).problems[0]
    assert f"The source lacks images (searched: {searched}; layout: WebDataset)." in problem.text


def test_a_plan_of_a_path_for_each_set_names_both(imagenet50, tmp_path, report):
    train, val = two_paths_in_pieces_and_parquet(imagenet50, tmp_path / "source")
    table = {"train": str(train), "val": str(val)}
    lines = report(imagenet=table, output=str(tmp_path / "results"), train_images="any")
    assert lines[:3] == [
        f"source   {train} (train), {val} (val) (named paths + Hugging Face parquet)",
        "         train in x.tgz.1, read from front to back",
        "         val   in data/validation-00000-of-00001.parquet, read from front to back",
    ]
    size = sum(path.stat().st_size for path in (*train.parent.glob("x.tgz.?"), *val.rglob("validation*")))
    assert lines[3].startswith(f"reads    {size_text(size)} of images, once, in 2 jobs: ")
    assert lines[-2:] == READY


def test_a_plan_names_what_was_recognised_by_content(imagenet50, tmp_path, report):
    source = odd_tars(imagenet50, tmp_path / "source")
    lines = report(imagenet=str(source), output=str(tmp_path / "results"), train_images="any")
    assert lines[:3] == [
        f"source   {source} (recognised by content)",
        "         train in ILSVRC2012_img_train (1).tar",
        "         val   in train.tar",
    ]


def test_a_plan_of_tfds_reads_each_file_once(imagenet50, tmp_path, report):
    source = tfds(imagenet50, tmp_path / "source")
    lines = report(imagenet=str(source), output=str(tmp_path / "results"), train_images="any")
    folder = "imagenet2012/5.1.0"
    assert lines[:3] == [
        f"source   {source} (TFDS)",
        f"         train in 3 files: {folder}/imagenet2012-train.tfrecord-…, read from front to back",
        f"         val   in 2 files: {folder}/imagenet2012-validation.tfrecord-…, read from front to back",
    ]
    assert " of images, once, in 5 jobs: " in lines[3]
    assert lines[-2:] == READY


def test_a_plan_may_be_of_a_zip_itself(imagenet50, tmp_path, report):
    source = kaggle_zip_itself(imagenet50, tmp_path / "source")
    lines = report(imagenet=str(source), output=str(tmp_path / "source" / "results"), train_images="any")
    assert lines[:3] == [
        f"source   {source} (Kaggle's zip)",
        "         train in all of it.ZIP",
        "         val   in all of it.ZIP",
    ]
    assert lines[-2:] == READY


def test_everything_that_prevents_the_build_is_reported_at_once(imagenet50, tmp_path, planned):
    source = official(imagenet50, tmp_path / "source")
    values = {"imagenet": str(source), "output": str(tmp_path / "results"), "train_images": "any"}
    for link in ("symlink", "symlink-files"):
        (problem,) = planned(**values, link=link).problems
        assert problem.text.startswith(f"`link: {link}` does not work for images inside archives: ")
    plan = planned(**values | {"subsets": [50, 300], "train_images": "complete"})
    text = "\n".join(problem.text for problem in plan.problems)
    assert re.search(r"(?s)ImageNetS50/train: 650 images.*ImageNetS300/test: 7,407 of", text)
    assert plan.state == "not_ready"
    assert not any(line.startswith(("Everything", "Next")) for line in report_lines(plan))
    assert os.listdir(tmp_path) == ["source"]


def test_masks_that_are_not_there_are_a_problem_and_a_silent_server_is_not(
    imagenet50, tmp_path, planned, offline
):
    values = {"imagenet": str(imagenet50), "output": str(tmp_path / "results"), "train_images": "any"}
    plan = planned(**values, annotations={"from": "official"})
    assert plan.state == "ready"
    lines = list(report_lines(plan))
    assert lines[4] == (
        "masks    ImageNetS50: to be downloaded from github.com, which does not answer (ConnectionError)"
    )
    assert lines[-3:] == [
        "Everything else that the build needs is there. Nothing was written.",
        "Without internet: set `annotations.from` to a folder that holds the archives of masks.",
        "Next: `snakemake --cores all`",
    ]
    plan = planned(**values, annotations={"from": str(tmp_path)})
    assert plan.state == "not_ready"
    assert plan.problems[0].text.startswith("`annotations.from`: found no annotations of ImageNetS50 in ")
    assert "masks    ImageNetS50: not found" in report_lines(plan)


def test_a_plan_of_the_demo_needs_no_imagenet(tmp_path, report, planned):
    lines = report(output=str(tmp_path / "results"), annotations={"from": "official"}, subsets=[50, 300])
    images = [len(tier_images(tier)) for tier in (50, 300)]
    assert lines[0] == "source   the embedded demo: synthetic images, made by the build"
    assert lines[1].startswith("reads    ")
    assert lines[2:4] == [
        "masks    ImageNetS50, ImageNetS300: made by the build, too",
        f"adds     to {tmp_path}/results, for ImageNetS50, ImageNetS300 with link: auto",
    ]
    assert lines[-2:] == READY
    document = report_document(planned(output=str(tmp_path / "results"), subsets=[50, 300]))
    assert (document["state"], document["demo"], document["source"]) == ("ready", True, None)
    assert document["adds"][0]["what"] == "synthetic images, generated"
    assert sum(images) < document["adds"][0]["files"] < sum(images) + 700
    assert os.listdir(tmp_path) == []


def test_a_plan_says_that_exports_come_after_the_build(tmp_path, report):
    lines = report(output=str(tmp_path / "results"), exports=["webdataset", "coco"])
    assert lines[-2:] == [
        READY[-1],
        "And then, for the exports (webdataset, coco): `snakemake --cores all export`",
    ]


def test_a_plan_of_the_demo_estimates_what_a_build_of_it_takes(imagenet50, annotations50, tmp_path, planned):
    adds = {part.what: part for part in planned(output=str(tmp_path / "new"), labels=[]).adds}
    images = list(imagenet50.rglob("*.JPEG"))
    folders = {path.parent for path in images if path.parent.parent.name == "train"}
    assert adds["synthetic images, generated"].files == len(images) + len(folders)
    archive = os.path.getsize(annotations50["path"])
    masks = adds["ImageNetS50: masks (estimated)"]
    assert 0.9 * archive < masks.bytes - (masks.files - 1) * BLOCK < 1.1 * archive


def test_what_earlier_builds_have_read_is_not_read_again(imagenet50, tmp_path, report):
    values = {"imagenet": str(imagenet50), "output": str(tmp_path / "results"), "train_images": "any"}
    records = tmp_path / "results" / "work" / "images"
    records.mkdir(parents=True)
    (records / "val-50-0.parquet").touch()
    assert " of images, once, in 2 jobs: " in report(**values)[3]
    for part in ("train-50-0", "train-50-1"):
        (records / f"{part}.parquet").touch()
    assert report(**values)[3] == "reads    nothing: earlier builds have read all images"
    assert " of images, once, in 3 jobs: " in report(**values, link="copy")[3]


def test_the_command_reads_the_config_of_its_folder(imagenet50, tmp_path, server, monkeypatch, capsys):
    settings = {"imagenet": str(imagenet50), "train_images": "any", "annotations": {"from": server.url}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
    monkeypatch.chdir(tmp_path)
    assert main(["plan"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(f"source   {imagenet50} (plain folders)\n")
    assert printed.err == ""
    assert main(["plan", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    require_valid(document, "plan")
    assert document["source"]["places"] == {"train": ["train"], "val": ["val"]}
    assert document["annotations"]["ImageNetS50"]["state"] == "online"
    assert main(["plan", "--json", "plan.json"]) == 0
    assert json.loads((tmp_path / "plan.json").read_text())["state"] == "ready"
    assert sorted(os.listdir(tmp_path)) == ["config.yaml", "plan.json"]


def test_problems_are_in_the_json_and_on_standard_error(tmp_path, capsys):
    (tmp_path / "config.yaml").write_text(f"imagenet: {tmp_path}/nowhere\noutput: {tmp_path}/results\n")
    assert main(["plan", "--configfile", str(tmp_path / "config.yaml"), "--json"]) == 1
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    require_valid(document, "plan")
    assert document["state"] == "not_ready"
    assert printed.err == f"{document['problems'][0]['text']}\n"


def test_the_schema_names_its_version():
    schema = schema_of("plan")
    assert schema["$id"] == schema["properties"]["schema"]["const"] == "urn:imagenet-s:plan:1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "There is no "),
        ("a: [", " is not valid YAML: "),
        ("imagnet: x", "imagnet: no such key"),
        ("imagenet: /nowhere", "`imagenet`: there is no folder /nowhere"),
    ],
)
def test_an_unusable_config_is_reported_without_a_traceback(text, message, tmp_path, capsys):
    file = tmp_path / "config.yaml"
    if text:
        file.write_text(f"{text}\noutput: {tmp_path}/results\n")
    assert main(["plan", "--configfile", str(file)]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
