"""mlcroissant: `croissant.json` is valid, and its record sets have the samples."""

import subprocess
import sys
from pathlib import Path

import pytest

from clients.truth import MASKED, SPLITS, samples

mlcroissant = pytest.importorskip("mlcroissant")


@pytest.mark.parametrize("tree", ["tree50", "linked50"])
def test_the_description_is_valid_without_a_warning(request, tree):
    path = request.getfixturevalue(tree) / "croissant.json"
    issues = mlcroissant.Dataset(jsonld=path).metadata.ctx.issues
    assert (issues.errors, issues.warnings) == (set(), set())


def test_the_command_says_that_it_is_valid(tree50):
    command = Path(sys.executable).with_name("mlcroissant")
    done = subprocess.run(
        [command, "validate", "--jsonld", tree50 / "croissant.json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert [line.split("] ")[-1] for line in done.stderr.splitlines()] == ["Done."]


@pytest.mark.parametrize("split", SPLITS)
def test_the_records_of_a_split_are_its_samples(tree50, split):
    columns = ["image", *(["mask"] if split in MASKED else []), "class_id", "wnid"]
    found = [
        [value.decode() if isinstance(value, bytes) else value for value in record.values()]
        for record in mlcroissant.Dataset(jsonld=tree50 / "croissant.json").records(split)
    ]
    assert found == [[getattr(sample, name) for name in columns] for sample in samples(tree50, split)]
