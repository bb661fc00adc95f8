"""The lock of a folder."""

import os
from pathlib import Path

import pytest

from imagenet_s.runtime import lock


@pytest.fixture(autouse=True)
def free_locks():
    """A run holds its lock until its process ends: here, until the test does."""
    yield
    while lock._held:
        os.close(lock._held.pop())


class Sweep:
    """Counts how often it is called."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1


def test_a_run_locks_its_folder_and_then_sweeps_once(tmp_path, monkeypatch):
    sweep = Sweep()
    lock.hold_run(tmp_path / "a" / "work", sweep)
    assert sweep.calls == 1
    monkeypatch.delenv(lock.STARTED_BY)
    with pytest.raises(lock.Locked, match=f"^process {os.getpid()} on "):
        lock.hold_run(tmp_path / "a" / "work", sweep)
    assert sweep.calls == 1
    lock.hold_run(tmp_path / "another", sweep)
    assert sweep.calls == 2


def test_the_end_of_a_run_sweeps_unless_a_job_still_works(tmp_path):
    sweep = Sweep()
    lock.end_run(tmp_path, sweep)
    assert sweep.calls == 0, "this process holds no lock"
    lock.hold_run(tmp_path, Sweep())
    with lock.job_in(tmp_path):
        assert lock.job_folder() == tmp_path
        lock.end_run(tmp_path, sweep)
        assert sweep.calls == 0
    lock.end_run(tmp_path, sweep)
    assert sweep.calls == 1
    assert lock.job_folder() is None


def test_a_lock_knows_nothing_but_its_folder(tmp_path):
    lock.hold_run(tmp_path / "any name", Sweep())
    assert sorted(path.name for path in (tmp_path / "any name").iterdir()) == [lock.JOBS, lock.RUN]
    assert [path.name for path in Path(tmp_path).iterdir()] == ["any name"]
