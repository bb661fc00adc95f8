"""A cluster that is not there is reported before the first job."""

import os
from pathlib import Path

import pytest

from imagenet_s.pipeline.executor import require_executor
from imagenet_s.runtime.errors import UserError


@pytest.fixture
def program(tmp_path, monkeypatch):
    """A function that makes a program; the PATH holds no other."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def program(name: str, script: str) -> None:
        Path(tmp_path, name).write_text(f"#!/bin/sh\n{script}\n")
        os.chmod(tmp_path / name, 0o755)

    return program


def test_without_sbatch_nothing_is_sent_to_slurm(program):
    with pytest.raises(UserError) as caught:
        require_executor("slurm")
    assert str(caught.value) == (
        "Cannot send jobs to Slurm: there is no sbatch in the PATH. Run on a login node of "
        "the cluster. To build on this machine alone, leave out `--profile profiles/slurm`."
    )


def test_a_cluster_that_does_not_answer_is_reported_in_its_last_words(program):
    program("sbatch", "exit 9")
    require_executor("slurm")
    program("sinfo", "echo first >&2; echo no configuration >&2; exit 1")
    with pytest.raises(UserError) as caught:
        require_executor("slurm")
    assert str(caught.value).startswith(
        "Cannot send jobs to Slurm: it does not answer on this machine (no configuration). Run on a login"
    )


def test_a_cluster_that_answers_is_used(program):
    program("sbatch", "exit 9")
    program("sinfo", '[ "$*" = --noheader ]')
    require_executor("slurm")


@pytest.mark.parametrize("name", ["local", "dryrun", "touch"])
def test_other_executors_need_no_cluster(name, program):
    require_executor(name)
