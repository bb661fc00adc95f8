"""Which subsets a plan takes for built: only those for which a build has nothing to do."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from imagenet_s.config.settings import read_config
from imagenet_s.dataset.dataset_file import own_digest
from imagenet_s.dataset.prune import prune
from imagenet_s.dataset.summary import write_summary
from imagenet_s.io.atomic import read_json, write_json
from imagenet_s.pipeline.plan import Plan, make_plan
from imagenet_s.pipeline.plan_report import report_lines
from imagenet_s.workspace.paths import Workspace


@pytest.fixture
def workspace(output50, tmp_path) -> Workspace:
    """Return a finished build of 50 by copies, which a test may change."""
    workspace = Workspace(tmp_path / "results")
    shutil.copytree(output50, workspace.output, symlinks=True)
    prune([50], "copy", False, workspace.output, workspace.tidy_receipt)
    write_summary([workspace.dataset(50)], workspace.summary)
    return workspace


@pytest.fixture
def planned(imagenet50, annotations50, workspace, offline) -> Callable[..., Plan]:
    """Return a function that makes a plan of what was built, but for some values."""
    built = {
        "imagenet": str(imagenet50),
        "output": str(workspace.output),
        "link": "copy",
        "train_images": "any",
        "annotations": {
            "from": str(Path(annotations50["path"]).parent),
            "md5": {50: annotations50["md5"]},
        },
    }
    return lambda **values: make_plan(read_config(built | values))


def test_after_a_build_nothing_is_to_do(planned, workspace):
    plan = planned()
    assert plan.state == "nothing_to_do"
    (built,) = plan.built
    assert list(report_lines(plan)) == [
        "Nothing to do: everything that the configuration asks for is built.",
        f"built    {workspace.tree(50)} (digest {built.digest[:12]}, {built.date[:10]})",
        f"To check the files: `imagenet-s verify {workspace.output}`",
    ]
    assert plan.source is None, "it was not looked at"


@pytest.mark.parametrize(
    "values",
    [
        {"link": "symlink"},
        {"labels": []},
        {"labels": ["id16", "color"]},
        {"train_images": "complete"},
        {"annotations": {"from": "official"}},
        {"imagenet": "demo"},
    ],
    ids=str,
)
def test_another_request_is_to_be_built(values, planned):
    plan = planned(**values)
    assert plan.built == ()
    assert plan.state in ("ready", "not_ready")


def test_a_path_for_each_set_is_compared_as_both(planned, workspace, imagenet50):
    table = {"train": f"{imagenet50}/train", "val": f"{imagenet50}/val"}
    assert planned(imagenet=table).built == ()
    path = workspace.dataset(50)
    dataset = read_json(path)
    dataset["build"]["source"]["path"] = f"{table['train']} (train), {table['val']} (val)"
    write_json(path, dataset | {"sha256": own_digest(dataset["content"], dataset["build"])})
    assert [built.subset for built in planned(imagenet=table).built] == [50]


def test_another_md5_is_to_be_built(planned, annotations50):
    origin = {"from": str(Path(annotations50["path"]).parent), "md5": {50: "0" * 32}}
    assert planned(annotations=origin).built == ()


def test_a_further_subset_leaves_the_first_as_it_is(planned):
    plan = planned(subsets=[50, 300])
    assert [built.subset for built in plan.built] == [50]
    assert plan.state == "not_ready", "the source lacks images of 300"


@pytest.mark.parametrize(
    "name",
    [
        "ImageNetS50/dataset.json",
        "ImageNetS50/manifests/train.csv",
        "ImageNetS50/manifests/validation-segmentation-id16.sha256",
        "work/source/50.json",
        "work/samples/50.parquet",
        "work/annotations/50.json",
    ],
)
def test_a_file_that_a_build_would_make_or_use_again_is_missed(name, planned, workspace):
    path = workspace.output / name
    if path.name != "dataset.json":
        os.utime(path, (path.stat().st_mtime + 1e6,) * 2)
        assert planned().built == (), "it is newer than dataset.json"
    path.unlink()
    assert planned().built == ()


@pytest.mark.parametrize("name", ["summary.txt", "work/source/tidy.json"])
def test_without_its_end_a_build_is_not_done(name, planned, workspace):
    (workspace.output / name).unlink()
    plan = planned()
    assert [built.subset for built in plan.built] == [50]
    assert plan.state != "nothing_to_do"


def test_another_version_may_have_something_to_do(planned, monkeypatch):
    monkeypatch.setattr("imagenet_s.pipeline.built.__version__", "99")
    assert planned().built == ()


def test_a_source_that_cannot_be_read_is_reported(planned, workspace, tmp_path):
    plan = planned(imagenet=str(tmp_path / "nowhere"))
    assert plan.built == ()
    assert plan.problems[0].text.startswith(f"`imagenet`: there is no folder {tmp_path}/nowhere.")
