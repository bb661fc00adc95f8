"""What killed runs leave is removed, and nothing else."""

import os
from pathlib import Path

import pytest

from imagenet_s.runtime import lock
from imagenet_s.runtime.errors import UserError
from imagenet_s.workspace.leftovers import end_run, hold_output, sweep
from imagenet_s.workspace.paths import Workspace


@pytest.fixture(autouse=True)
def free_locks():
    """A run holds its lock until its process ends: here, until the test does."""
    yield
    while lock._held:
        os.close(lock._held.pop())


def made(output: Path, *names: str) -> list[Path]:
    for name in names:
        (output / name).parent.mkdir(parents=True, exist_ok=True)
        (output / name).write_text("x")
    return [output / name for name in names]


def test_temporary_and_partial_files_go_and_all_others_stay(tmp_path):
    left = made(
        tmp_path,
        ".summary.txt.part",
        "ImageNetS50/.dataset.json.part",
        "ImageNetS919/manifests/.train.csv.part",
        "work/tmp/images/1-2/a.JPEG",
        "work/source/.50.json.part",
        "work/images/.train-50-0.parquet.part",
        "work/demo/annotations/.ImageNetS50.zip.part",
        "benchmark/50/.metrics.json.part",
    )
    kept = made(
        tmp_path,
        "summary.txt",
        "mine.part",
        ".mine.part",
        "ImageNetS50/.mine.part",
        "ImageNetS50/manifests/train.csv",
        "ImageNetS50/train/n01443537/.a.part",
        "work/annotations/.ImageNetS50.zip.part",  # a download, which the next run resumes
        "work/source/50.json",
        "benchmark/50/metrics.json",
    )
    sweep(Workspace(tmp_path))
    assert [path for path in left if path.exists()] == []
    assert [path for path in kept if not path.exists()] == []
    assert not (tmp_path / "work" / "tmp").exists()


def test_an_output_in_use_is_refused_by_the_name_of_its_holder(tmp_path, monkeypatch):
    hold_output(tmp_path)
    holder = (tmp_path / "work" / "run.lock").read_text().strip()
    assert holder.startswith(f"process {os.getpid()} on ")
    monkeypatch.delenv(lock.STARTED_BY)
    advice = "Wait until it has ended, or set another `output` in config.yaml."
    with pytest.raises(UserError) as error:
        hold_output(tmp_path)
    assert str(error.value) == f"Another run works on {tmp_path}: {holder}.\n{advice}"
    (tmp_path / "work" / "run.lock").write_text("")
    with pytest.raises(UserError) as error:
        hold_output(tmp_path)
    assert str(error.value) == f"Another run works on {tmp_path}: it has just begun.\n{advice}"


def test_a_run_sweeps_when_it_begins_and_when_it_ends(tmp_path):
    (left,) = made(tmp_path, "work/tmp/a")
    end_run(tmp_path)
    assert left.exists(), "a run that does not hold the lock removes nothing"
    hold_output(tmp_path)
    assert not left.exists()
    made(tmp_path, "work/tmp/a")
    hold_output(tmp_path)  # by `repair`, as a job of this run
    assert left.exists()
    end_run(tmp_path)
    assert not left.exists()
