"""Pruning at the end of a build: what no data set uses is removed, everything else stays."""

import hashlib
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imagenet_s.dataset.prune import prune
from imagenet_s.dataset.samples import SAMPLES
from imagenet_s.dataset.tree import ScannedFiles, build_tree
from imagenet_s.images.pool import pool_path
from imagenet_s.images.read import record_of, write_records
from imagenet_s.io.atomic import read_json, write_json
from imagenet_s.source.listing import listing_of, write_listing
from imagenet_s.source.scan import SourceScan, scan_json
from imagenet_s.spec.shards import tiers
from imagenet_s.spec.splits import listed
from imagenet_s.workspace.paths import Workspace

FISH = "n01443537"
LABELLED = "ILSVRC2012_val_00004677"  # of n01443537, in validation of 50


@pytest.fixture
def output(tmp_path) -> Path:
    return tmp_path / "results"


def add_tree(output: Path, subset: int, source: Path) -> Path:
    """Build a tree without images by the real stage, and add a file that no build made."""
    scan = SourceScan(root=str(source), train=[f"{source}/train"])
    listed_at = output / "work" / "source"
    listing, findings = listed_at / f"{subset}.parquet", listed_at / f"{subset}.json"
    samples = listed_at / "samples"
    write_json(findings, scan_json(scan))
    write_listing(listing_of([], {}), listing)
    pq.write_table(pa.Table.from_pylist([], SAMPLES), samples)
    scanned = ScannedFiles([listing], [findings])
    build_tree(subset, samples, scanned, "hardlink", output, listed_at / "receipt")
    tree = output / f"ImageNetS{subset}"
    for folder in (tree, output / "work" / "masks" / str(subset)):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "a.png").touch()
    return tree


EMPTY = hashlib.sha256(b"").digest()


def pooled_file(output: Path, image: str, wnid: str) -> Path:
    """Put an empty file into the pool as an image, and return its path."""
    path = output / "work" / "pool" / pool_path(image, wnid, EMPTY)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def add_samples(output: Path, subset: int, *pooled: Path) -> None:
    """Write samples of a subset, of images in the pool."""
    rows = [
        {
            "image": f"train/x/{path.name.partition('-')[0]}.JPEG",
            "imagenet_wnid": path.parent.name,
            "sha256": EMPTY,
        }
        for path in pooled
    ]
    path = Workspace(output).samples(subset)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, SAMPLES), path)


def pruned(output: Path, subsets=(50,), link="symlink", demo=False) -> set[str]:
    """Prune, and return the folders that were removed. Tiers without a scan get one of plain folders."""
    for tier in tiers(subsets):
        findings = output / "work" / "source" / f"{tier}.json"
        if not findings.exists():
            write_json(findings, scan_json(SourceScan(root="/data/imagenet")))
    prune(subsets, link, demo, output, output / "work" / "tidy.json")
    removed = read_json(output / "work" / "tidy.json")["removed"]
    assert not any(os.path.lexists(folder) for folder in removed)
    return {os.path.relpath(folder, output) for folder in removed}


@pytest.mark.parametrize(
    ("link", "gone"),
    [("auto", {"work/pool"}), ("symlink", {"work/pool"}), ("hardlink", {"work/pool"}), ("copy", set())],
)
def test_the_pool_of_folders_is_kept_for_copies_only(output, link, gone):
    (output / "work" / "pool" / "train").mkdir(parents=True)
    assert pruned(output, link=link) == gone
    assert (output / "work" / "pool" / "train").exists() == (link == "copy")


@pytest.mark.parametrize("archives", [50, 300])
def test_the_pool_is_kept_where_any_tier_has_images_from_archives(output, archives):
    (output / "work" / "pool" / "train").mkdir(parents=True)
    scan = SourceScan(root="/data/imagenet", pooled=["val"])
    write_json(output / "work" / "source" / f"{archives}.json", scan_json(scan))
    assert pruned(output, subsets=(300,), link="auto") == set()
    assert (output / "work" / "pool" / "train").is_dir()


@pytest.mark.parametrize("pooled", [[], ["train"]])
def test_records_of_archives_are_removed_with_their_copies_and_those_of_files_are_kept(output, pooled):
    kept, gone = pooled_file(output, f"{FISH}_1", FISH), pooled_file(output, f"{FISH}_2", FISH)
    add_samples(output, 50, kept)
    (output / "work" / "images").mkdir(parents=True)
    for path in (kept, gone):
        row = record_of(path.name.partition("-")[0], FISH, b"")
        for kind, archives in (("file", []), ("tar", ["/data/imagenet/train.tar"])):
            write_records([row], [], output / "work" / "images" / f"{kind} {row[0]}.parquet", archives)
    write_json(
        output / "work" / "source" / "50.json", scan_json(SourceScan(root="/data/imagenet", pooled=pooled))
    )
    pruned(output, link="auto")
    left = {path.stem for path in (output / "work" / "images").iterdir()}
    assert left == {f"file {FISH}_1", f"file {FISH}_2"} | ({f"tar {FISH}_1"} if pooled else set())
    assert (kept.exists(), gone.exists()) == (bool(pooled), False)


def test_a_tree_of_copies_survives_the_removal_of_the_pool(output):
    pooled, placed = output / "work" / "pool" / "a.JPEG", output / "ImageNetS300" / "a.JPEG"
    for path in (pooled, placed):
        path.parent.mkdir(parents=True)
    pooled.write_text("bytes")
    placed.hardlink_to(pooled)
    assert pruned(output) == {"work/pool"}
    assert placed.read_text() == "bytes"


def test_the_demo_is_kept_while_it_is_the_source(output):
    demo = output / "work" / "demo" / "imagenet"
    demo.mkdir(parents=True)
    tree = add_tree(output, 300, demo)
    assert pruned(output, demo=True) == set()
    assert demo.is_dir()
    assert tree.is_dir()


def test_all_of_the_demo_is_removed_and_real_data_stays(output, tmp_path):
    demo = output / "work" / "demo" / "imagenet"
    demo.mkdir(parents=True)
    add_tree(output, 300, demo)
    real = add_tree(output, 919, tmp_path / "imagenet")
    new = add_tree(output, 50, tmp_path / "imagenet")
    assert pruned(output) == {"work/demo", "work/masks/300"}
    assert os.listdir(output / "ImageNetS300") == ["a.png"], "files that no build made stay"
    assert (real / "a.png").exists()
    assert (new / "a.png").exists()
    assert [Workspace(output).plan(subset).exists() for subset in (50, 300, 919)] == [True, False, True]
    assert pruned(output) == set()  # the second run finds nothing to remove


def test_the_demo_is_recognized_below_an_output_with_a_relative_path(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    # The workflow passes the output as in config.yaml, and the source as an absolute path.
    add_tree(Path("../results"), 300, tmp_path / "results" / "work" / "demo" / "imagenet")
    assert pruned(Path("../results")) == {"work/masks/300"}


def test_no_copy_of_the_demo_stays_in_the_pool(output, tmp_path):
    add_tree(output, 300, output / "work" / "demo" / "imagenet")
    add_tree(output, 50, tmp_path / "imagenet")
    pool = output / "work" / "pool"
    # n01440764 is of tier 300, which only the demo had; n01443537 is of 50, which is real now.
    demo_train = pooled_file(output, "n01440764_1", "n01440764")
    val_300 = next(
        row for row in listed(300, "test") if row.image not in {r.image for r in listed(50, "test")}
    )
    demo_val = pooled_file(output, val_300.image, val_300.imagenet_wnid)
    real = pooled_file(output, f"{FISH}_1", FISH)
    add_samples(output, 50, real)
    add_samples(output, 300, demo_train, demo_val)
    pruned(output, link="copy")
    assert [path for path in pool.rglob("*") if not path.is_dir()] == [real]


def test_images_of_no_subset_are_removed_from_the_pool_and_nothing_behind_a_link(output, tmp_path):
    pool, theirs = output / "work" / "pool", tmp_path / "theirs"
    kept = [pooled_file(output, f"{FISH}_1", FISH), pooled_file(output, LABELLED, FISH)]
    of_another_subset = pooled_file(output, "n01440764_1", "n01440764")
    pooled_file(output, f"{FISH}_2", FISH)
    kept[0].with_name(f"{FISH}_1-0123456789abcdef.JPEG").touch()  # its digest is not that of the samples
    kept[0].with_name(f"{FISH}_1.JPEG").touch()
    pooled_file(output, "ILSVRC2012_val_00000001", "n01440764")
    theirs.mkdir()
    (theirs / f"{FISH}_2.JPEG").touch()
    (pool / "train" / "n01491361").symlink_to(theirs)
    (pool / "train-50-0.json").touch()
    add_samples(output, 50, *kept)
    add_samples(output, 300, of_another_subset)
    pruned(output, link="copy")
    left = {path for path in pool.rglob("*") if not path.is_dir()}
    assert left == {*kept, of_another_subset, pool / "train-50-0.json"}
    assert not (pool / "val" / "n01440764").exists()
    assert [path.name for path in theirs.iterdir()] == [f"{FISH}_2.JPEG"]
