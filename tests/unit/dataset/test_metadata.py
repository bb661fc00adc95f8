"""`dataset.json`: what it says of a subset's folder, and the digests that reveal a change."""

import copy
import os
import shutil
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.trees import linked_copy
from imagenet_s.dataset.dataset_file import own_digest
from imagenet_s.dataset.metadata import Origin, write_dataset
from imagenet_s.dataset.samples import SAMPLES
from imagenet_s.io.atomic import read_json, sha256_of
from imagenet_s.runtime.errors import UserError
from imagenet_s.spec.companions import COMPANIONS, FROM_DATASET, TYPED_MANIFESTS
from imagenet_s.spec.subsets import MASKED, SPLITS, sample_manifests

SPLIT_SIZES = {"train": 650, "train-semi": 500, "validation": 752, "test": 1682}
LABELLED = "ILSVRC2012_val_00004677"  # of n01443537, in validation of 50

needs_sha256sum = pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum here")


@pytest.fixture
def rewritten(output50, tmp_path):
    """Return a function that writes dataset.json beside a copy of the manifests, with the given options."""
    copied = tmp_path / "ImageNetS50"
    linked_copy(output50 / "ImageNetS50" / "manifests", copied / "manifests")
    (copied / "test").mkdir()

    def rewritten(labels=("id16",), link="hardlink", samples=None) -> tuple[Path, dict]:
        work = output50 / "work"
        samples = samples or work / "samples" / "50.parquet"
        receipt, findings = work / "annotations" / "50.json", work / "source" / "50.json"
        write_dataset(50, labels, samples, copied, Origin([findings], receipt, link))
        return copied, read_json(copied / "dataset.json")

    return rewritten


def test_a_folder_without_images_is_no_data_set(rewritten, tmp_path):
    folder = tmp_path / "ImageNetS50"
    (folder / "test").rmdir()
    with pytest.raises(UserError) as error:
        rewritten()
    assert str(error.value) == (
        f"{folder} has no images: the folder was removed after it was built. Run snakemake again with "
        "`--forcerun tree`."
    )
    assert not (folder / "dataset.json").exists()


@needs_sha256sum
def test_the_digest_of_the_data_set_can_be_computed_with_sha256sum(tree):
    listing = subprocess.run(
        ["sha256sum", *(f"manifests/{name}" for name in sorted(sample_manifests()))],
        cwd=tree,
        stdout=subprocess.PIPE,
        check=True,
    )
    digest = subprocess.run(["sha256sum"], input=listing.stdout, stdout=subprocess.PIPE, check=True)
    assert read_json(tree / "dataset.json")["content"]["digest"] == digest.stdout.decode().split()[0]


def test_the_content_is_counted(tree, annotations50):
    content = read_json(tree / "dataset.json")["content"]
    expected = {"train": 64_431, "train-semi": 500, "validation": 752, "test": 1682}
    for split, facts in content["splits"].items():
        folders = [tree / split, *([tree / f"{split}-segmentation"] if split in MASKED else [])]
        assert facts == {
            "expected": expected[split],
            "found": SPLIT_SIZES[split],
            "masks": SPLIT_SIZES[split] if split in MASKED else None,
            "bytes": sum(path.stat().st_size for folder in folders for path in folder.glob("*/*")),
            "unreadable_headers": 0,
        }
    assert list(content["splits"]) == list(SPLITS)
    assert (content["dataset"], content["subset"], content["classes"]) == ("ImageNetS50", 50, 50)
    assert content["odd_masks"] == 0
    assert content["annotations"] == {"archive": "ImageNetS50-demo.zip", "md5": annotations50["md5"]}
    manifests = [path for path in (tree / "manifests").iterdir() if path.suffix != ".parquet"]
    assert content["manifests"] == {path.name: sha256_of(path) for path in manifests}
    assert len(content["manifests"]) == len(sample_manifests()) + 2


def test_the_build_is_kept_apart_from_the_content(rewritten, imagenet50):
    copied, first = rewritten(link="hardlink")
    _, second = rewritten(link="symlink")
    assert first["content"] == second["content"]
    assert (first["build"]["link"], second["build"]["link"]) == ("hardlink", "symlink")
    source = {"layout": "plain folders", "path": str(imagenet50), "synthetic": True, "alterations": []}
    assert first["build"]["source"] == source
    assert str(imagenet50) not in str(first["content"])
    assert sorted(os.listdir(copied)) == sorted([*FROM_DATASET, "dataset.json", "manifests", "test"])


def test_the_files_beside_the_tree_are_named_with_their_digests(tree):
    build = read_json(tree / "dataset.json")["build"]
    assert build["files"] == {name: sha256_of(tree / name) for name in COMPANIONS}


def test_masks_with_problems_and_unreadable_headers_are_counted(output50, rewritten, tmp_path):
    rows = pq.read_table(output50 / "work" / "samples" / "50.parquet").to_pylist()
    for row in [row for row in rows if row["split"] == "validation"][:3]:
        row["mask_problems"] = "has blue pixels"
    for row in [row for row in rows if row["split"] == "test"][:2]:
        row["width"] = row["height"] = None
    pq.write_table(pa.Table.from_pylist(rows, SAMPLES), tmp_path / "samples.parquet")
    content = rewritten(samples=tmp_path / "samples.parquet")[1]["content"]
    assert content["odd_masks"] == 3
    unreadable = {split: facts["unreadable_headers"] for split, facts in content["splits"].items()}
    assert unreadable == {"train": 0, "train-semi": 0, "validation": 0, "test": 2}


def test_labels_do_not_change_the_digest_and_unwanted_ones_are_removed(rewritten, tmp_path):
    copied, with_labels = rewritten(labels=("id16",))
    label = Path("n01443537") / f"{LABELLED}.png"
    kept = ["train-semi-segmentation-color", "validation-segmentation"]
    for folder in ("validation-segmentation-id16", *kept):
        (copied / folder / "n01443537").mkdir(parents=True)
        (copied / folder / label).touch()
    own = copied / "validation-segmentation-id16" / "n01443537" / "of-the-users.png"
    own.touch()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "a.png").touch()
    (copied / "validation-segmentation-binary").symlink_to(tmp_path / "theirs")
    _, without = rewritten(labels=())
    assert without["content"]["digest"] == with_labels["content"]["digest"]
    assert set(without["content"]["manifests"]) == set(sample_manifests())
    own.unlink()  # raises if it was removed
    own.parent.rmdir()  # raises if a label was left
    own.parent.parent.rmdir()
    assert sorted(os.listdir(copied)) == sorted([*FROM_DATASET, "dataset.json", "manifests", "test", *kept])
    typed = [Path(name).name for name in TYPED_MANIFESTS.values()]
    assert sorted(os.listdir(copied / "manifests")) == sorted([*sample_manifests(), *typed])
    assert os.listdir(tmp_path / "theirs") == ["a.png"]


@pytest.mark.parametrize("name", sample_manifests())
def test_the_digest_changes_with_every_manifest(rewritten, name):
    copied, before = rewritten()
    path = copied / "manifests" / name
    data = path.read_bytes()
    path.unlink()  # it is a hard link
    path.write_bytes(data[:-2] + b"x\n")
    _, after = rewritten()
    assert after["content"]["digest"] != before["content"]["digest"]
    changed = {n for n, d in after["content"]["manifests"].items() if d != before["content"]["manifests"][n]}
    assert changed == {name}


def changed_somewhere(value):
    """Yield copies of a JSON value, each with one leaf changed or one key removed."""
    if isinstance(value, dict):
        for key in value:
            yield {k: v for k, v in value.items() if k != key}
            for other in changed_somewhere(value[key]):
                yield value | {key: other}
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
    elif isinstance(value, str):
        yield f"{value} "
    else:
        yield 0


def test_a_change_of_any_field_of_dataset_json_changes_its_digest(tree):
    dataset = read_json(tree / "dataset.json")
    assert list(dataset) == ["content", "build", "sha256"]
    parts = {"content": dataset["content"], "build": dataset["build"]}
    assert own_digest(**copy.deepcopy(parts)) == dataset["sha256"]
    digests = [own_digest(**other) for other in changed_somewhere(parts) if len(other) == 2]
    assert len(digests) > 60
    assert len({dataset["sha256"], *digests}) == 1 + len(digests)
