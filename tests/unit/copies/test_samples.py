"""The samples of a split: the same from Parquet, CSV and, as far as they are known, without manifests."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.damages import own_copy, unfolded
from imagenet_s.copies.copy import open_copy
from imagenet_s.copies.samples import samples
from imagenet_s.dataset.typed_manifests import TYPED, save_typed_manifests
from imagenet_s.runtime.errors import UserError
from imagenet_s.spec.companions import TYPED_MANIFESTS
from imagenet_s.spec.subsets import DATASET, SPLITS
from imagenet_s.workspace.paths import Workspace

KNOWN = ("image", "wnid", "class_id", "imagenet_wnid", "mask", "also_in")  # without manifests


@pytest.fixture(scope="session")
def typed(output50, tmp_path_factory) -> dict[str, pa.Table]:
    """Split → the rows that the Parquet manifest of `output50` has."""
    folder = tmp_path_factory.mktemp("typed")
    paths = {split: folder / f"{split}.parquet" for split in SPLITS}
    save_typed_manifests(Workspace(output50).samples(50), paths)
    return {split: pq.read_table(path) for split, path in paths.items()}


@pytest.fixture
def with_parquet(tree, typed, state_files) -> Path:
    """A copy of a build with Parquet manifests, for one test."""
    for split, table in typed.items():
        pq.write_table(table, tree / TYPED_MANIFESTS[split])
    return state_files(tree, *TYPED_MANIFESTS.values())


def refused(root: Path, split: str) -> str:
    with pytest.raises(UserError) as caught:
        samples(open_copy(root), split)
    return str(caught.value)


def damaged(path: Path, how: str) -> str:
    return (
        f"The manifest {path} {how}, so the samples are unknown. `imagenet-s repair` restores it, in the "
        "folder of the config.yaml that the copy was built with. "
        f"`imagenet-s verify {path.parents[1]}` lists all damage."
    )


@pytest.mark.parametrize("split", SPLITS)
def test_a_csv_gives_the_rows_of_the_parquet_file(tree, state_files, typed, split):
    found = samples(open_copy(state_files(tree)), split)
    assert found.schema == TYPED
    assert found.equals(typed[split])
    assert len(found) == {"train": 650, "train-semi": 500, "validation": 752, "test": 1682}[split]
    assert found["image"].to_pylist() == sorted(found["image"].to_pylist())


def test_parquet_is_read_if_its_digest_is_right_and_else_the_csv(with_parquet, typed):
    tree = with_parquet
    csv, parquet = (tree / "manifests" / f"test.{ending}" for ending in ("csv", "parquet"))
    text = csv.read_bytes()
    csv.unlink()
    assert samples(open_copy(tree), "test").equals(typed["test"])
    pq.write_table(typed["test"].slice(1), parquet)  # another file than dataset.json names
    assert refused(tree, "test") == damaged(csv, "is missing")
    csv.write_bytes(text)
    assert samples(open_copy(tree), "test").equals(typed["test"])
    parquet.unlink()
    assert samples(open_copy(tree), "test").equals(typed["test"])


def test_a_damaged_csv_is_named(tree, state_files):
    state_files(tree)
    path = tree / "manifests" / "test.csv"
    text = path.read_bytes()
    for data, how in ((text[:500], "truncated"), (text.replace(b"n0", b"n1", 1), "changed")):
        path.write_bytes(data)
        assert refused(tree, "test") == damaged(path, f"is damaged ({how})")
    assert len(samples(open_copy(tree), "validation")) == 752


def test_without_dataset_json_the_csv_must_at_least_be_a_manifest(tree, typed):
    (tree / DATASET).unlink()
    assert samples(open_copy(tree), "validation").equals(typed["validation"])
    path = tree / "manifests" / "validation.csv"
    text = path.read_text()
    digest = text.splitlines()[1].split(",")[5]
    for wrong in (text.replace(digest, digest[1:]), text.replace(digest, "x" * 64), "image,wnid\na,b\n"):
        path.write_text(wrong)
        assert refused(tree, "validation") == damaged(path, "is damaged (changed)")


@pytest.mark.parametrize("split", SPLITS)
def test_without_manifests_names_classes_and_masks_are_known(foreign, typed, split):
    found = samples(open_copy(foreign), split)
    assert found.schema == TYPED
    assert found.select(KNOWN).equals(typed[split].select(KNOWN))
    assert all(found[name].null_count == len(found) for name in TYPED.names if name not in KNOWN)


def test_without_manifests_only_masks_that_are_there_and_plausible_train_images_count(foreign, tmp_path):
    root = own_copy(foreign, tmp_path / "mine")
    full = {split: samples(open_copy(root), split) for split in ("validation", "train")}
    mask = full["validation"]["mask"][0].as_py()
    (root / mask).unlink()
    wnid = full["train"]["wnid"][0].as_py()
    unfolded(root, f"train/{wnid}")
    for name in ("notes.txt", "n00000000_1.JPEG", f"{wnid}_1.png"):
        (root / "train" / wnid / name).touch()
    found = samples(open_copy(root), "validation")
    assert found["mask"].to_pylist() == [None, *full["validation"]["mask"].to_pylist()[1:]]
    assert samples(open_copy(root), "train").equals(full["train"])


def test_a_split_that_a_copy_does_not_have_is_named(foreign, tmp_path):
    root = own_copy(foreign, tmp_path / "mine")
    os.rename(root / "train", tmp_path / "train")
    assert refused(root, "train") == (f"{root} has no split 'train'. It has train-semi, validation, test.")
    os.rename(tmp_path / "train", root / "train")


def test_a_folder_that_cannot_be_listed_is_not_left_out(foreign, monkeypatch):
    scandir = os.scandir

    def refusing(path):
        if path.endswith("n01443537/"):
            raise PermissionError(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert refused(foreign, "train") == (
        f"Folders of {foreign} cannot be listed: train/n01443537. Check permissions."
    )
