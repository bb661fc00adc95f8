"""Exports by the target `export`, as a user runs it."""

import subprocess

import pytest

from helpers.builds import snakemake
from helpers.exports import digests
from imagenet_s.cli.main import main
from imagenet_s.spec.exports import FORMATS, jobs_of, splits_of

EXPORTING = ("export_files", "export_info", "export_manifest")


@pytest.mark.long
def test_the_target_makes_the_files_of_the_command_once_and_a_build_none(tmp_path):
    run = snakemake(tmp_path, exports=list(FORMATS))
    assert run.code == 0, run.text
    assert not set(run.rules) & set(EXPORTING)
    run = snakemake(tmp_path, "export", exports=list(FORMATS))
    assert run.code == 0, run.text
    jobs = [jobs_of(name, 50, split) for name in FORMATS for split in splits_of(name)]
    counts = {rule: run.rules.count(rule) for rule in EXPORTING}
    assert counts == {"export_files": sum(jobs), "export_info": 1, "export_manifest": len(jobs)}
    for name in FORMATS:
        arguments = ["export", name, str(tmp_path / "results"), "--out", str(tmp_path / name)]
        assert main(arguments) == 0
        folder = tmp_path / "results" / "exports" / name
        assert digests(folder) == digests(tmp_path / name)
        lists = sorted(path.name for path in folder.glob("*.sha256"))
        subprocess.run(["sha256sum", "-c", "--quiet", *lists], cwd=folder, check=True)
    assert "Nothing to be done" in snakemake(tmp_path, "export", exports=list(FORMATS)).text
    run = snakemake(tmp_path, "export", profile="default", exports=[])
    assert run.code == 1
    assert "`exports`: no format is named. Set it in config.yaml, for example to [webdataset]" in run.text
