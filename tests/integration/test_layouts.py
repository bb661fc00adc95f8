"""The promise: the same images give the same manifests, whatever the layout and the link mode."""

import hashlib
import os
from functools import cache
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from helpers import raw_imagenet
from helpers.builds import build, check_sums, digest
from helpers.trees import linked_copy
from imagenet_s.annotations.unpack import RECORDS as mask_records
from imagenet_s.dataset.manifests import write_manifests
from imagenet_s.dataset.samples import join_samples, read_samples
from imagenet_s.dataset.tree import ScannedFiles, build_tree
from imagenet_s.images.pool import pool_path
from imagenet_s.images.read import read_part, record_of, write_records
from imagenet_s.images.stream import read_pass
from imagenet_s.io.atomic import read_json, write_json
from imagenet_s.source.layouts import find_places, one_pass_sets, pass_files
from imagenet_s.source.listing import listing_of, read_listing, write_listing
from imagenet_s.source.scan import SYNTHETIC, list_tier, scan_json
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.classes import merges, train_classes
from imagenet_s.spec.shards import subset_parts, tier_of
from imagenet_s.spec.splits import listed, tier_val_images
from imagenet_s.spec.subsets import SPLITS, SUBSETS, sample_manifests


def flat(source: Path, target: Path) -> Path:
    return linked_copy(source, target)


def val_in_class_folders(source: Path, target: Path) -> Path:
    linked_copy(source, target)
    for row in tier_val_images(50):
        folder = target / "val" / row.imagenet_wnid
        folder.mkdir(exist_ok=True)
        (target / "val" / f"{row.image}.JPEG").rename(folder / f"{row.image}.JPEG")
    return target


def kaggle(source: Path, target: Path) -> Path:
    linked_copy(source, target / "ILSVRC" / "Data" / "CLS-LOC")
    return target


def renamed(source: Path, target: Path) -> Path:
    linked_copy(source, target)
    (target / "train").rename(target / "ILSVRC2012_img_train")
    (target / "val").rename(target / "ILSVRC2012_img_val")
    return target


def other_endings(source: Path, target: Path) -> Path:
    linked_copy(source, target)
    for k, path in enumerate(sorted(target.rglob("*.JPEG"))):
        path.rename(path.with_suffix((".jpeg", ".jpg", ".JPG", ".JPEG")[k % 4]))
    return target


def linked_folders(source: Path, target: Path) -> Path:
    target.mkdir()
    (target / "train").mkdir()
    for folder in (source / "train").iterdir():
        (target / "train" / folder.name).symlink_to(folder)
    (target / "validation").symlink_to(source / "val")
    return target


@pytest.fixture
def plain(output50) -> Path:
    return output50 / "ImageNetS50"


def two_places(source: Path, target: Path) -> Path:
    """Half of the classes, and half of val, under one name, the others under another."""
    linked_copy(source, target)
    for plain, renamed in (("train", "ILSVRC2012_img_train"), ("val", "ILSVRC2012_img_val")):
        (target / renamed).mkdir()
        for path in sorted((target / plain).iterdir())[::2]:
            path.rename(target / renamed / path.name)
    return target


ARCHIVES = (
    raw_imagenet.official,
    raw_imagenet.official_in_pieces,
    raw_imagenet.official_in_lettered_pieces,
    raw_imagenet.class_tars,
    raw_imagenet.half_class_tars,
    raw_imagenet.train_folder_and_val_tar,
    raw_imagenet.train_tar_and_val_folder,
    raw_imagenet.few_classes_beside_the_tar,
    raw_imagenet.webdataset,
    raw_imagenet.webdataset_in_folders,
    raw_imagenet.hub_of_shards,
    raw_imagenet.kaggle_zip,
    raw_imagenet.kaggle_zip_itself,
    raw_imagenet.zips,
    raw_imagenet.odd_tars,
)

# Of these, something can only be read from front to back.
STREAMS = (
    raw_imagenet.hugging_face_tars,
    raw_imagenet.hugging_face_tars_below_data,
    raw_imagenet.hugging_face_parquet,
    raw_imagenet.hugging_face_parquet_at_the_top,
    raw_imagenet.hub_of_parquet,
    raw_imagenet.official_gzip,
    raw_imagenet.official_zstandard,
    raw_imagenet.train_folder_and_val_parquet,
    raw_imagenet.train_parquet_and_val_folder,
    raw_imagenet.tfds,
    raw_imagenet.tfds_at_the_top,
    raw_imagenet.train_tfds_and_val_folder,
    raw_imagenet.train_tar_and_val_gzip,
    raw_imagenet.train_hugging_face_tars_and_val_zstandard,
    raw_imagenet.odd_gzips,
    raw_imagenet.two_paths_in_pieces_and_parquet,
)

# Recognised as others above, in other combinations.
MORE = (
    raw_imagenet.odd_folders,
    raw_imagenet.odd_tar_of_folders_and_a_folder,
    raw_imagenet.official_zstandard_in_pieces,
    raw_imagenet.two_odd_files,
    raw_imagenet.two_paths_hub_and_folder,
    raw_imagenet.two_paths_of_zip_and_class_folders,
    raw_imagenet.two_paths_of_tfds,
)


@pytest.mark.parametrize(
    ("layout", "link"),
    [
        (flat, "auto"),
        (flat, "hardlink"),
        (flat, "copy"),
        (val_in_class_folders, "symlink"),
        (val_in_class_folders, "copy"),
        (kaggle, "symlink"),
        (kaggle, "hardlink"),
        (renamed, "symlink"),
        (other_endings, "symlink"),
        (other_endings, "hardlink"),
        (linked_folders, "hardlink"),
        (linked_folders, "symlink"),
        (two_places, "auto"),
        (raw_imagenet.hugging_face_unpacked, "auto"),
        *((layout, "auto") for layout in (*ARCHIVES, *STREAMS)),
        *(pytest.param(layout, "auto", marks=pytest.mark.long) for layout in MORE),
        (raw_imagenet.official, "copy"),
        *(
            pytest.param(layout, "copy", marks=pytest.mark.long)
            for layout in (
                raw_imagenet.few_classes_beside_the_tar,
                raw_imagenet.hugging_face_tars,
                raw_imagenet.train_parquet_and_val_folder,
            )
        ),
    ],
)
def test_layout_and_link_mode_change_no_byte(layout, link, plain, imagenet50, annotations50, tmp_path):
    tree = build(layout(imagenet50, tmp_path / "source"), annotations50, tmp_path / "output", link)
    for name in sample_manifests():
        assert (tree / "manifests" / name).read_bytes() == (plain / "manifests" / name).read_bytes(), name
    assert digest(tree) == digest(plain)
    check_sums(tree)
    kinds = sorted(check_links(tree, link, imagenet50))
    mixed = f"copy ({', '.join(kinds)}), symlink"
    said = {0: "symlink", 1: mixed, 2: "copy"}[len(kinds)] if link == "auto" else link
    assert read_json(tree / "dataset.json")["build"]["link"] == said


@cache
def digests_of(source: Path) -> dict[str, bytes]:
    """Return name → sha256 of the images of a source that does not change."""
    return {path.stem: hashlib.sha256(path.read_bytes()).digest() for path in source.rglob("*.JPEG")}


@cache
def wnids_of_val() -> dict[str, str]:
    return {row.image: row.imagenet_wnid for row in tier_val_images(50)}


def check_links(tree: Path, link: str, source: Path) -> set[str]:
    """Images from archives, and copies, are the pool's own files; others are links to the user's files.

    The pool has the bytes of the plain `source`, and no other files. Returns which sets it holds.
    """
    work = tree.parent / "work"
    umask = os.umask(0)
    os.umask(umask)
    rows = {row["image"]: row for row in read_listing(work / "source" / "50.parquet").to_pylist()}
    digests, wnids = digests_of(source), wnids_of_val()
    placed = [path for split in SPLITS for path in tree.glob(f"{split}/*/*")]
    assert {path.stem for path in placed} == set(digests)
    pooled = set()
    for path in placed:
        row = rows.get(path.stem)  # none, if it was read from front to back
        if link == "copy" or row is None or row["offset"] is not None:
            wnid = wnids.get(path.stem) or path.stem.partition("_")[0]
            copy = work / "pool" / pool_path(path.stem, wnid, digests[path.stem])
            pooled.add(copy)
            stat = path.lstat()
            assert (stat.st_ino, stat.st_mode) == (copy.stat().st_ino, 0o100666 & ~umask), path
        else:
            assert path.samefile(row["path"])
            assert (path.is_symlink() or path.parent.is_symlink()) == (link in ("auto", "symlink")), path
    assert set((work / "pool").glob("*/*/*")) == pooled
    return {path.parents[1].name for path in pooled}


def test_names_in_the_tree_are_the_official_ones(imagenet50, annotations50, tmp_path):
    source = other_endings(imagenet50, tmp_path / "source")
    tree = build(source, annotations50, tmp_path / "output", "symlink")
    names = [n for split in ("train", "test") for _, _, ns in os.walk(tree / split) for n in ns]
    assert len(names) == 650 + 1682
    assert {Path(name).suffix for name in names} == {".JPEG"}


# The classes that 919 merges. All that it lists, in true images, would take a minute: here are its train
# images alone, of a few bytes each, and of val and masks nothing but what their records would say.


def made_up_train(target: Path) -> Path:
    """The listed train images of 919, and one more of each class, those that it merges included."""
    images = [(row.imagenet_wnid, row.image) for row in listed(919, "train-semi")]
    images += [(wnid, f"{wnid}_1") for wnid in train_classes(919)]
    for wnid in train_classes(919):
        (target / "train" / wnid).mkdir(parents=True)
    for wnid, name in images:
        (target / "train" / wnid / f"{name}.JPEG").write_bytes(tiny(name))
    (target / "val").mkdir()
    (target / SYNTHETIC).touch()
    return target


def tiny(name: str) -> bytes:
    return b"P5 1 1 255 " + name.encode()


@pytest.fixture
def made_up_records(tmp_path) -> tuple[Path, Path, Path]:
    """The records of all val images of 919, of no masks, and the annotations' receipt."""
    records, masks, receipt = (tmp_path / name for name in ("val.parquet", "masks.parquet", "receipt.json"))
    rows = [
        record_of(row.image, row.imagenet_wnid, tiny(row.image))
        for tier in SUBSETS
        for row in tier_val_images(tier)
    ]
    write_records(rows, [], records, [])
    pq.write_table(mask_records.empty_table(), masks)
    write_json(receipt, {"official": True})  # what it lacks is only told
    return records, masks, receipt


def train_tree_919(imagenet: Path, made_up_records: tuple[Path, Path, Path], output: Path) -> Path:
    """The manifests of 919, and the train images of its tree, stage by stage; returns the tree."""
    val, masks, receipt = made_up_records
    work, places = output / "work", find_places(imagenet)
    listings = {tier: work / f"{tier}.parquet" for tier in SUBSETS}
    work.mkdir(parents=True)
    for tier, path in listings.items():
        rows, seen = list_tier(imagenet, tier, Index(work / "index.parquet"))
        write_listing(listing_of(rows, seen.fingerprints), path)
        write_json(path.with_suffix(".json"), scan_json(seen))
    records = [val]
    for part in subset_parts(919, one_pass_sets(places), 919):
        path = work / f"{part}.parquet"
        if "pass" in part:
            read_pass(part, pass_files(places, part), path, work / "pool", work / "tmp")
        elif part.startswith("train"):
            read_part(part, listings[tier_of(part)], path, work / "pool", None, work / "tmp")
        else:
            continue
        records.append(path)
    samples, tree = work / "samples.parquet", output / "ImageNetS919"
    join_samples(919, False, records, masks, receipt, samples)
    write_manifests(samples, tree / "manifests")
    table = read_samples(samples)
    pq.write_table(table.filter(pc.starts_with(table["split"], "train")), samples)
    findings = [path.with_suffix(".json") for path in listings.values()]
    scanned = ScannedFiles(list(listings.values()), findings)
    build_tree(919, samples, scanned, "auto", output, work / "tree.json")
    return tree


@pytest.mark.long
def test_merged_classes_of_919_are_the_same_from_folders_a_tar_and_a_compressed_tar(
    made_up_records, tmp_path
):
    source = made_up_train(tmp_path / "source-0")
    layouts = (raw_imagenet.train_tar_and_val_folder, raw_imagenet.train_gzip_and_val_folder)
    roots = [source, *(layout(source, tmp_path / f"source-{k}") for k, layout in enumerate(layouts, 1))]
    trees = [train_tree_919(root, made_up_records, tmp_path / str(k)) for k, root in enumerate(roots)]
    for tree in trees[1:]:
        for name in sample_manifests():
            assert (tree / "manifests" / name).read_bytes() == (trees[0] / "manifests" / name).read_bytes()
    for merged, wnid in merges().items():
        images = sorted(path.name for path in (source / "train" / merged).iterdir())
        assert images
        for tree in trees:
            there = {path.name: path for path in (tree / "train" / wnid).iterdir() if merged in path.name}
            assert sorted(there) == images
            for name, path in there.items():
                data = tiny(name.removesuffix(".JPEG"))
                assert path.read_bytes() == data
                copy = pool_path(name.removesuffix(".JPEG"), merged, hashlib.sha256(data).digest())
                pooled = tree.parent / "work" / "pool" / copy
                assert path.samefile(source / "train" / merged / name if tree is trees[0] else pooled)
    assert [(tree / "train-full").exists() for tree in trees] == [True, False, False]
