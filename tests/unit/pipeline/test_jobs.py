"""How the rules run jobs."""

import inspect
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from imagenet_s.config.settings import read_config
from imagenet_s.pipeline import jobs
from imagenet_s.runtime.errors import UserError
from imagenet_s.spec.method_txt import BASELINE
from imagenet_s.workspace.paths import Workspace

LAUNCH = Path("/it's here/workflow/launch.py")
SUBSET = {"subset": "50", "encoding": "id16"}


def takes(function: Callable) -> list[str]:
    """The names by which Snakemake gives a function its arguments."""
    return list(inspect.signature(function).parameters)


def test_jobs_run_with_the_python_that_runs_snakemake_and_need_nothing_activated():
    assert shlex.split(jobs.launcher(LAUNCH, conda=False)) == [sys.executable, str(LAUNCH)]


def test_in_a_conda_environment_jobs_run_with_its_python():
    assert shlex.split(jobs.launcher(LAUNCH, conda=True)) == ["python", str(LAUNCH)]


@pytest.mark.parametrize(
    ("output", "work"),
    [
        ("results/work/source/50.json", "results/work"),
        ("data/out/ImageNetS50/manifests/train.csv", "data/out/work"),
        ("/an output/of mine/work/images/train-50-0.parquet", "/an output/of mine/work"),
        ("../work/results/summary.txt", "../work/results/work"),
        ("benchmark/50/baseline/test.json", "work"),
    ],
)
def test_a_job_registers_in_the_output_that_its_files_are_in(output, work):
    command = jobs.job_command(LAUNCH, conda=False)(SUBSET, [output, "elsewhere"], {})
    assert shlex.split(command) == [sys.executable, str(LAUNCH), "--work", work]


def test_another_python_is_no_reason_to_repeat_a_job():
    assert "output" in takes(jobs.job_command(LAUNCH, conda=False))  # Snakemake compares no such params
    assert "output" in takes(jobs.moved(Workspace(Path("results")), Path("results/work")))


def test_the_profile_sets_how_many_threads_read_ahead_which_is_no_reason_to_repeat_a_job():
    job, check = jobs.job_command(LAUNCH, conda=False), jobs.check_command(LAUNCH, conda=False)
    start = [sys.executable, str(LAUNCH)]
    assert shlex.split(job(SUBSET, ["a/work/x"], {"readers": 4})) == [
        *start,
        "--work",
        "a/work",
        "--readers",
        "4",
    ]
    assert shlex.split(check(SUBSET, {"readers": 4})) == [*start, "--readers", "4"]
    assert shlex.split(check(SUBSET, {})) == start
    assert "resources" in takes(check)  # Snakemake compares no such params


@pytest.mark.parametrize(
    ("output", "prefix"),
    [
        ("results", ""),
        ("results", "module/"),
        ("results", "/else/where {braces}/"),
        (".", ""),
        (".", "module/"),
        ("../work", ""),
        ("/data/ImageNetS50", ""),
    ],
)
def test_a_path_moves_with_the_output_of_its_rule(output, prefix):
    workspace = Workspace(Path(output))
    made = [f"{prefix}{workspace.label_digests(50, 'test', 'id16')}"]
    scratch = jobs.moved(workspace, workspace.scratch("labels-{subset}-{encoding}"))
    assert scratch(SUBSET, made) == Path(f"{prefix}{output}/work/tmp/labels-50-id16")
    assert jobs.moved(workspace, workspace.output)(SUBSET, made) == Path(f"{prefix}{output}")


def test_limits_grow_with_each_attempt():
    assert takes(jobs.growing(500)) == ["wildcards", "attempt"]
    assert [jobs.growing(500)(SUBSET, attempt) for attempt in (1, 2, 3)] == [500, 1000, 1500]


def test_a_large_job_has_all_cores_of_this_machine_and_eight_of_a_node():
    assert jobs.all_cores(2, remote=False) == 2
    assert jobs.all_cores(None, remote=False) == 8
    assert jobs.all_cores(2, remote=True) == 8


def test_options_are_quoted_and_left_out_if_they_have_no_value():
    assert jobs.option("--copied", []) == ""
    assert jobs.option("--copied", "work/pool/it's.json") == "--copied 'work/pool/it'\"'\"'s.json'"
    assert jobs.option("--subsets", ["50", "300"]) == "--subsets 50 300"


def test_the_job_of_a_tier_checks_the_source_for_all_that_is_asked_for():
    mine = read_config({"imagenet": "/data", "subsets": [300, 50], "labels": ["id16", "color"]})
    options = "--subsets 50 300 --link auto --labels id16 color"
    assert jobs.request_options(mine, 50) == jobs.request_options(mine, 300) == options
    table = {"train": "/data/a b.tar", "val": "/more/it's"}
    two_paths = read_config({"imagenet": table, "subsets": [50], "labels": []})
    said = "--subsets 50 --link auto --labels --val '/more/it'\"'\"'s'"
    assert jobs.request_options(two_paths, 50) == said
    any_train = read_config({"imagenet": "/data", "train_images": "any", "labels": [], "link": "copy"})
    assert jobs.request_options(any_train, 50) == "--subsets 50 --any-train-images --link copy --labels"


def test_the_job_of_a_tier_of_the_demo_checks_this_tier_alone():
    demo = read_config({"subsets": [50, 300]})
    assert jobs.request_options(demo, 300) == "--subsets 300 --any-train-images --link auto --labels id16"


def test_a_submission_needs_a_description():
    settings = {"predictions": "/mine", "protocol": "unsupervised"}
    with pytest.raises(UserError) as error:
        jobs.method_json(read_config({"benchmark": settings}).benchmark)
    assert str(error.value) == (
        "`benchmark.method`: a submission needs a description. Set its fields in config.yaml: "
        "name, training_data, training_scheme, networks, link, description"
    )
    method = {**BASELINE, "description": "it's «ours»"}
    text = jobs.method_json(read_config({"benchmark": {**settings, "method": method}}).benchmark)
    assert '"description": "it\'s «ours»"' in text
