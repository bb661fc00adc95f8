"""`imagenet-s plan`: what a build would find, do and need."""

import os
import subprocess
import sys

import pytest
import yaml

from helpers.raw_imagenet import hub_of_shards, kaggle_zip_itself, official, tfds
from imagenet_s.cli.main import main
from imagenet_s.config.settings import read_config
from imagenet_s.preflight.plan import plan
from imagenet_s.runtime.errors import UserError


def report(**values) -> list[str]:
    return list(plan(read_config(values)))


def test_a_plan_states_source_work_and_space_and_leaves_nothing(imagenet50, tmp_path):
    source = official(imagenet50, tmp_path / "source")
    output = tmp_path / "results"
    lines = report(imagenet=str(source), output=str(output), train_images="any")
    assert lines[:3] == [
        f"source   {source} (official archives)",
        "         train ILSVRC2012_img_train.tar",
        "         val   ILSVRC2012_img_val.tar",
    ]
    assert lines[3].startswith("reads    ")
    assert " of images, once, in 3 jobs: " in lines[3]
    assert lines[4] == f"adds     to {output}, for ImageNetS50 with link: auto"
    assert [line[38:] for line in lines[5:8]] == [
        "images, copied once for all subsets",
        "ImageNetS50: folders, links, manifests",
        "ImageNetS50: masks (estimated)",
    ]
    assert lines[8].startswith("free     ")
    assert lines[8].endswith(f" in {tmp_path}")
    assert lines[9:] == ["Everything that the build needs is there. Nothing was written."]
    assert os.listdir(tmp_path) == ["source"]


def test_a_plan_names_a_few_shards_and_the_revision_in_the_cache_of_hugging_face(imagenet50, tmp_path):
    snapshots = hub_of_shards(imagenet50, tmp_path / "source")
    values = {"imagenet": str(snapshots), "output": str(tmp_path / "results"), "train_images": "any"}
    lines = report(**values)
    names = ", ".join(f"imagenet1k-train-{k:04}.tar" for k in range(3))
    assert lines[:3] == [
        f"source   {snapshots}/c0ffee (WebDataset)",
        f"         train {names}, … (4 in all)",
        "         val   imagenet1k-validation-00.tar, imagenet1k-validation-01.tar",
    ]
    assert lines[-1] == "Everything that the build needs is there. Nothing was written."
    with pytest.raises(UserError) as error:
        report(**values, subsets=[300])
    searched = ", ".join(f"{snapshots}/c0ffee/imagenet1k-{kind}-…" for kind in ("train", "validation"))
    assert f"The source lacks images (searched: {searched}; layout: WebDataset)." in str(error.value)


def test_a_plan_of_tfds_reads_each_file_once(imagenet50, tmp_path):
    source = tfds(imagenet50, tmp_path / "source")
    lines = report(imagenet=str(source), output=str(tmp_path / "results"), train_images="any")
    train, val = (
        [f"imagenet2012/5.1.0/imagenet2012-{split}.tfrecord-{k:05}-of-{count:05}" for k in range(count)]
        for split, count in (("train", 3), ("validation", 2))
    )
    assert lines[:3] == [
        f"source   {source} (TFDS)",
        f"         train {', '.join(train)}, read in one pass",
        f"         val   {', '.join(val)}, read in one pass",
    ]
    assert " of images, once, in 5 jobs: " in lines[3]
    assert lines[-1] == "Everything that the build needs is there. Nothing was written."


def test_a_plan_may_be_of_a_zip_itself(imagenet50, tmp_path):
    source = kaggle_zip_itself(imagenet50, tmp_path / "source")
    lines = report(imagenet=str(source), output=str(tmp_path / "source" / "results"), train_images="any")
    assert lines[:3] == [
        f"source   {source} (Kaggle's zip)",
        "         train all of it.ZIP",
        "         val   all of it.ZIP",
    ]
    assert lines[-1] == "Everything that the build needs is there. Nothing was written."


def test_everything_that_prevents_the_build_is_reported_at_once(imagenet50, tmp_path):
    source = official(imagenet50, tmp_path / "source")
    values = {"imagenet": str(source), "output": str(tmp_path / "results"), "train_images": "any"}
    with pytest.raises(UserError, match="`link: symlink` does not work for images inside archives: "):
        report(**values, link="symlink")
    with pytest.raises(UserError, match=r"(?s)ImageNetS50/train: 650 images.*ImageNetS300/test: 7,407 of"):
        report(**values | {"subsets": [50, 300], "train_images": "complete"})
    assert os.listdir(tmp_path) == ["source"]


def test_a_plan_of_the_demo_says_what_it_is(tmp_path):
    (line,) = report(output=str(tmp_path))
    assert line.startswith("source   the embedded demo")


def test_the_command_reads_the_config_of_its_folder(imagenet50, tmp_path):
    settings = {"imagenet": str(imagenet50), "train_images": "any", "output": "results"}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-m", "imagenet_s.cli.main", "plan"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"source   {imagenet50} (plain folders)\n")
    assert os.listdir(tmp_path) == ["config.yaml"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "There is no "),
        ("a: [", " is no YAML file: "),
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
