"""Statistics by the target `statistics`, as a user runs it."""

import shutil

import pytest

from helpers.builds import snakemake
from imagenet_s.cli.main import main
from imagenet_s.spec.statistics import statistics_files


@pytest.mark.long
def test_the_target_writes_the_tables_of_the_command_and_a_build_none(tmp_path):
    output = tmp_path / "results"
    run = snakemake(tmp_path)
    assert run.code == 0, run.text
    assert not (output / "statistics").exists()
    run = snakemake(tmp_path, "statistics")
    assert run.code == 0, run.text
    assert run.rules == ["count", "statistics"]
    assert "Nothing to be done" in snakemake(tmp_path, "statistics").text
    assert main(["verify", str(output), "--level", "complete", "--workers", "1"]) == 0
    made = {name: (output / "statistics" / "50" / name).read_bytes() for name in statistics_files()}
    shutil.rmtree(output / "work")  # without the records of the build, the masks are read
    assert main(["stats", str(output), "--out", str(tmp_path / "out"), "--workers", "2"]) == 0
    assert {name: (tmp_path / "out" / "50" / name).read_bytes() for name in statistics_files()} == made
