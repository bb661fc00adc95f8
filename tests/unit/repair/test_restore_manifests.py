"""Manifests, dataset.json and files beside the tree that cannot be restored: reported with the reason."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from helpers.trees import linked_copy
from imagenet_s.config.settings import Config, read_config
from imagenet_s.dataset.dataset_file import own_digest, read_dataset
from imagenet_s.io.atomic import read_json, write_json
from imagenet_s.repair.restore_manifests import make_companions, make_dataset, make_manifests
from imagenet_s.spec.companions import COMPANIONS, FROM_RECORDS
from imagenet_s.spec.subsets import DATASET
from imagenet_s.workspace.paths import Workspace

LISTS = ("validation.csv", "validation-segmentation-id16.sha256")


@pytest.fixture
def output(output50, tmp_path) -> Path:
    return linked_copy(output50, tmp_path / "results")


@pytest.fixture
def root(output) -> Path:
    return Workspace(output).tree(50)


@pytest.fixture
def config(output) -> Config:
    return read_config({"output": str(output), "link": "copy"})


def restored(output: Path, root: Path, tmp_path: Path) -> list[str]:
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return make_manifests(root, 50, output, [f"manifests/{name}" for name in LISTS], scratch)


def test_lost_manifests_are_made_again_to_the_byte(output, root, tmp_path):
    before = {name: (root / "manifests" / name).read_bytes() for name in LISTS}
    for name in LISTS:
        (root / "manifests" / name).unlink()
    assert restored(output, root, tmp_path) == []
    assert {name: (root / "manifests" / name).read_bytes() for name in LISTS} == before


def test_a_manifest_whose_records_are_gone_is_reported_and_that_of_labels_is_restored(output, root, tmp_path):
    samples = Workspace(output).samples(50)
    samples.unlink()
    for name in LISTS:
        (root / "manifests" / name).unlink()
    assert restored(output, root, tmp_path) == [
        f"manifests/validation.csv: the record of the build, {samples}, is gone"
    ]
    assert not (root / "manifests" / "validation.csv").exists()
    assert (root / "manifests" / LISTS[1]).exists()


def test_an_empty_folder_in_the_place_of_a_file_is_replaced_and_another_one_is_reported(
    output, root, config, tmp_path
):
    names = [*(f"manifests/{name}" for name in LISTS), *COMPANIONS, DATASET]
    right = {name: (root / name).read_bytes() for name in names[:-1]}
    for name in names:
        (root / name).unlink()
        (root / name).mkdir()

    def lost() -> list[str]:
        rest = make_companions(root, 50, output, COMPANIONS, tmp_path)
        return [*restored(output, root, tmp_path), *make_dataset(root, 50, output, config), *rest]

    (root / "manifests" / LISTS[1] / "mine").touch()
    (root / "classes.csv" / "mine").touch()
    (root / DATASET / "mine").touch()
    assert sorted(lost()) == [
        f"{name}: its place is taken: Directory not empty" for name in ("classes.csv", DATASET, names[1])
    ]
    for name in ("classes.csv", DATASET, names[1]):
        (root / name / "mine").unlink()
    assert lost() == []
    assert {name: (root / name).read_bytes() for name in names[:-1]} == right
    assert read_dataset(root) is not None


def test_a_manifest_of_another_digest_than_stated_is_not_written(output, root, tmp_path):
    dataset = read_json(root / "dataset.json")
    dataset["content"]["manifests"] |= dict.fromkeys(LISTS, "0" * 64)
    dataset["sha256"] = own_digest(dataset["content"], dataset["build"])
    (root / "dataset.json").unlink()
    write_json(root / "dataset.json", dataset)
    before = {name: (root / "manifests" / name).read_bytes() for name in LISTS}
    assert restored(output, root, tmp_path) == [
        f"manifests/{name}: the records of the build result in another digest" for name in LISTS
    ]
    assert {name: (root / "manifests" / name).read_bytes() for name in LISTS} == before


def test_dataset_json_without_the_records_of_its_build_is_reported_with_all_of_them(output, root, config):
    workspace = Workspace(output)
    gone = [workspace.findings(50), workspace.samples(50)]
    for path in (*gone, root / "dataset.json"):
        path.unlink()
    assert make_dataset(root, 50, output, config) == [
        f"dataset.json: records of the build are gone: {gone[0]}, {gone[1]}"
    ]
    assert not (root / "dataset.json").exists()


def companions(output: Path, root: Path, tmp_path: Path, names: tuple[str, ...] = COMPANIONS) -> list[str]:
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return make_companions(root, 50, output, names, scratch)


def test_lost_files_beside_the_tree_are_made_again_to_the_byte_and_no_others(output, root, tmp_path):
    right = {name: (root / name).read_bytes() for name in COMPANIONS}
    (root / "README.md").unlink()
    for name in COMPANIONS:
        (root / name).unlink(missing_ok=True)
        assert companions(output, root, tmp_path, (name,)) == []
        assert (root / name).read_bytes() == right[name]
    before = {name: (root / name).stat().st_ino for name in COMPANIONS}
    assert companions(output, root, tmp_path) == []
    assert {name: (root / name).stat().st_ino for name in COMPANIONS} == before


def test_files_beside_the_tree_of_another_version_are_reported_and_not_written(output, root, tmp_path):
    dataset = read_json(root / "dataset.json")
    dataset["build"]["files"] = dict.fromkeys(COMPANIONS, "0" * 64)
    dataset["sha256"] = own_digest(dataset["content"], dataset["build"])
    (root / "dataset.json").unlink()
    write_json(root / "dataset.json", dataset)
    before = {name: (root / name).stat().st_ino for name in COMPANIONS}
    why = (
        "it was written by another version of pyarrow or of this package; `snakemake --cores all --forcerun "
        "companions` writes it again"
    )
    assert sorted(companions(output, root, tmp_path)) == sorted(f"{name}: {why}" for name in COMPANIONS)
    assert {name: (root / name).stat().st_ino for name in COMPANIONS} == before


def test_files_whose_records_are_gone_or_of_an_earlier_version_are_reported(output, root, tmp_path):
    records = Workspace(output).mask_records(50)
    table = pq.read_table(records)
    for name in COMPANIONS:
        (root / name).unlink()
    records.unlink()
    gone = [f"{name}: the record of the build, {records}, is gone" for name in FROM_RECORDS]
    assert companions(output, root, tmp_path) == gone
    pq.write_table(table.drop_columns(["id_pixels"]), records)
    why = (
        f"the record of the build, {records}, is of an earlier version; `snakemake --cores all --forcerun "
        "companions` writes it again"
    )
    assert companions(output, root, tmp_path) == [f"{name}: {why}" for name in FROM_RECORDS]
    assert not any((root / name).exists() for name in FROM_RECORDS)
