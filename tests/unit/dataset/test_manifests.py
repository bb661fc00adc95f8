"""The papers of a build: manifests, dataset.json, what is tidied away at the end, and the summary."""

import copy
import csv
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from helpers.builds import build
from helpers.trees import linked_copy
from imagenet_s.dataset.manifests import write_manifests
from imagenet_s.dataset.metadata import Origin, own_digest, write_dataset
from imagenet_s.dataset.prune import tidy
from imagenet_s.dataset.samples import SAMPLES
from imagenet_s.dataset.summary import write_summary
from imagenet_s.dataset.tree import ScannedFiles, build_tree
from imagenet_s.images.pool import pool_path
from imagenet_s.images.read import record_of, write_records
from imagenet_s.io.atomic import read_json, write_json
from imagenet_s.source.listing import listing_of, write_listing
from imagenet_s.source.scan import SourceScan, scan_json
from imagenet_s.spec.shards import tiers
from imagenet_s.spec.splits import listed
from imagenet_s.spec.subsets import MASKED, SPLITS, sample_manifests
from imagenet_s.workspace.paths import Workspace

HEADER = (
    "image,wnid,class_id,imagenet_wnid,bytes,sha256,width,height,"
    "mask,mask_bytes,mask_sha256,mask_pixels_sha256,mask_ids,also_in"
)
SPLIT_SIZES = {"train": 650, "train-semi": 500, "validation": 752, "test": 1682}
MOVED = "n01443537/ILSVRC2012_val_00026064"  # of ImageNet class n01440764, in validation of 50
LABELLED = "ILSVRC2012_val_00004677"  # of n01443537, in validation of 50

needs_sha256sum = pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum here")

FISH = "n01443537"


@pytest.fixture(scope="module")
def built(imagenet50, annotations50, tmp_path_factory) -> Path:
    """An output with all of subset 50, as hard links, with `id16` labels. Never change it."""
    output = tmp_path_factory.mktemp("built")
    build(imagenet50, annotations50, output, "hardlink", labels=("id16",))
    return output


@pytest.fixture(scope="module")
def tree(built) -> Path:
    return built / "ImageNetS50"


def rows_of(manifest: Path) -> list[dict]:
    with manifest.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def pixels_sha256(mask: Path) -> str:
    """The digest of a mask's ids as the contract words it."""
    with Image.open(mask) as image:
        rgb = np.asarray(image).astype(int)
    return hashlib.sha256((rgb[..., 0] + 256 * rgb[..., 1]).astype("<u2").tobytes()).hexdigest()


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# Sample manifests


@pytest.mark.parametrize("split", SPLITS)
def test_a_manifest_is_plain_csv_sorted_by_image(tree, split):
    data = (tree / "manifests" / f"{split}.csv").read_bytes()
    lines = data.decode("utf-8").split("\n")
    assert lines.pop() == ""  # LF ends the last line, too
    assert lines[0] == HEADER
    assert len(lines) == 1 + SPLIT_SIZES[split]
    assert b"\r" not in data
    assert b'"' not in data
    assert {line.count(",") for line in lines} == {13}
    names = [line.partition(",")[0] for line in lines[1:]]
    assert names == sorted(names)


@pytest.mark.parametrize("split", SPLITS)
def test_a_manifest_names_exactly_the_splits_images_and_what_they_are(tree, split):
    rows = rows_of(tree / "manifests" / f"{split}.csv")
    assert {row["image"] for row in rows} == {
        str(path.relative_to(tree)) for path in (tree / split).rglob("*.JPEG")
    }
    for row in rows:
        with Image.open(tree / row["image"]) as image:
            assert (row["width"], row["height"]) == tuple(map(str, image.size))
        assert int(row["bytes"]) == (tree / row["image"]).stat().st_size
        assert row["sha256"] == sha256_of(tree / row["image"])
        assert row["wnid"] == row["image"].split("/")[1]


def test_a_row_by_hand(tree):
    image, mask = f"validation/{MOVED}.JPEG", f"validation-segmentation/{MOVED}.png"
    with Image.open(tree / image) as opened:
        width, height = opened.size
    with Image.open(tree / mask) as opened:
        red, green, _ = np.moveaxis(np.asarray(opened).astype(int), -1, 0)
    ids = sorted(set((red + 256 * green).flatten().tolist()))
    assert {0, 1, 1000} <= set(ids)
    cells = [
        *(image, "n01443537", "1", "n01440764"),
        *(str((tree / image).stat().st_size), sha256_of(tree / image), str(width), str(height)),
        *(mask, str((tree / mask).stat().st_size), sha256_of(tree / mask), pixels_sha256(tree / mask)),
        *(" ".join(map(str, ids)), ""),
    ]
    lines = (tree / "manifests" / "validation.csv").read_text().splitlines()
    assert [line for line in lines if line.startswith(image)] == [",".join(cells)]


def test_every_masks_pixels_have_the_digest_that_is_stated(tree):
    for split in MASKED:
        rows = rows_of(tree / "manifests" / f"{split}.csv")
        stated = {row["mask"]: row["mask_pixels_sha256"] for row in rows}
        assert stated == {mask: pixels_sha256(tree / mask) for mask in stated}
        assert len(stated) == SPLIT_SIZES[split]


def test_cells_that_do_not_apply_are_empty(tree):
    for split in ("train", "test"):
        for row in rows_of(tree / "manifests" / f"{split}.csv"):
            assert [row[name] for name in row if name.startswith("mask")] == [""] * 5
    leaks = [row["also_in"] for row in rows_of(tree / "manifests" / "test.csv")]
    assert sorted(leaks) == [""] * 1678 + ["300/validation 919/validation"] + ["919/validation"] * 3


def test_an_image_of_unknown_size_and_a_mask_that_is_missing_have_empty_cells(tmp_path):
    row = dict.fromkeys(SAMPLES.names) | {
        "split": "validation",
        "image": "validation/n01443537/a.JPEG",
        "wnid": "n01443537",
        "class_id": 1,
        "imagenet_wnid": "n01440764",
        "bytes": 3,
        "sha256": b"\xab" * 32,
        "mask_problems": "is missing",
    }
    pq.write_table(pa.Table.from_pylist([row], SAMPLES), tmp_path / "samples.parquet")
    write_manifests(tmp_path / "samples.parquet", tmp_path / "manifests")
    text = (tmp_path / "manifests" / "validation.csv").read_text()
    assert text == f"{HEADER}\nvalidation/n01443537/a.JPEG,n01443537,1,n01440764,3,{'ab' * 32},,,,,,,,\n"
    assert (tmp_path / "manifests" / "validation-segmentation.sha256").read_text() == ""
    assert (tmp_path / "manifests" / "test.csv").read_text() == f"{HEADER}\n"


def test_manifests_written_twice_are_the_same_to_the_byte(built, tree, tmp_path):
    write_manifests(built / "work" / "samples" / "50.parquet", tmp_path / "again")
    assert sorted(os.listdir(tmp_path / "again")) == sorted(sample_manifests())
    for name in sample_manifests():
        assert (tmp_path / "again" / name).read_bytes() == (tree / "manifests" / name).read_bytes()


# Lists for sha256sum


@needs_sha256sum
def test_sha256sum_finds_every_file_as_it_is_listed(tree):
    lists = sorted(path.relative_to(tree) for path in (tree / "manifests").glob("*.sha256"))
    names = [*SPLITS, *(f"{split}-segmentation{ending}" for split in MASKED for ending in ("", "-id16"))]
    assert sorted(path.stem for path in lists) == sorted(names)
    done = subprocess.run(
        ["sha256sum", "-c", "--quiet", *lists], cwd=tree, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_sha256sum
@pytest.mark.parametrize("path", [f"validation/{MOVED}.JPEG", f"validation-segmentation/{MOVED}.png"])
def test_sha256sum_names_a_file_of_which_one_bit_is_wrong(tree, tmp_path, path):
    copied = linked_copy(tree, tmp_path / "tree")
    data = bytearray((copied / path).read_bytes())
    data[len(data) // 2] ^= 1
    (copied / path).unlink()
    (copied / path).write_bytes(data)
    listing = f"manifests/{path.split('/')[0]}.sha256"
    done = subprocess.run(
        ["sha256sum", "-c", "--quiet", listing], cwd=copied, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout.splitlines() == [f"{path}: FAILED"]


def test_the_lists_are_of_every_image_and_mask(tree):
    for folder in (*SPLITS, *(f"{split}-segmentation" for split in MASKED)):
        lines = (tree / "manifests" / f"{folder}.sha256").read_text().splitlines()
        files = sorted((tree / folder).glob("*/*"), key=str)
        assert lines == [f"{sha256_of(path)}  {path.relative_to(tree)}" for path in files]


# dataset.json


@pytest.fixture
def papers(built, tmp_path):
    """Writes dataset.json into a copy of the tree's manifests, with other labels or another link mode."""
    copied = tmp_path / "ImageNetS50"
    linked_copy(built / "ImageNetS50" / "manifests", copied / "manifests")

    def papers(labels=("id16",), link="hardlink", samples=None) -> tuple[Path, dict]:
        work = built / "work"
        samples = samples or work / "samples" / "50.parquet"
        receipt, findings = work / "annotations" / "50.json", work / "source" / "50.json"
        write_dataset(50, labels, samples, copied, Origin([findings], receipt, link))
        return copied, read_json(copied / "dataset.json")

    return papers


@needs_sha256sum
def test_the_digest_of_the_data_set_is_made_with_sha256sum_alone(tree):
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
    assert content["manifests"] == {path.name: sha256_of(path) for path in (tree / "manifests").iterdir()}
    assert len(content["manifests"]) == len(sample_manifests()) + 2


def test_the_build_is_told_apart_from_the_content(papers, imagenet50):
    copied, first = papers(link="hardlink")
    _, second = papers(link="symlink")
    assert first["content"] == second["content"]
    assert (first["build"]["link"], second["build"]["link"]) == ("hardlink", "symlink")
    source = {"layout": "plain folders", "path": str(imagenet50), "synthetic": True}
    assert first["build"]["source"] == source
    assert str(imagenet50) not in str(first["content"])
    assert sorted(os.listdir(copied)) == ["dataset.json", "manifests"]


def test_odd_masks_and_unreadable_headers_are_counted(built, papers, tmp_path):
    rows = pq.read_table(built / "work" / "samples" / "50.parquet").to_pylist()
    for row in [row for row in rows if row["split"] == "validation"][:3]:
        row["mask_problems"] = "has blue pixels"
    for row in [row for row in rows if row["split"] == "test"][:2]:
        row["width"] = row["height"] = None
    pq.write_table(pa.Table.from_pylist(rows, SAMPLES), tmp_path / "samples.parquet")
    content = papers(samples=tmp_path / "samples.parquet")[1]["content"]
    assert content["odd_masks"] == 3
    unreadable = {split: facts["unreadable_headers"] for split, facts in content["splits"].items()}
    assert unreadable == {"train": 0, "train-semi": 0, "validation": 0, "test": 2}


def test_labels_do_not_touch_the_digest_and_those_not_asked_for_go(papers, tmp_path):
    copied, with_labels = papers(labels=("id16",))
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
    _, without = papers(labels=())
    assert without["content"]["digest"] == with_labels["content"]["digest"]
    assert set(without["content"]["manifests"]) == set(sample_manifests())
    own.unlink()  # raises, had it gone
    own.parent.rmdir()  # raises, had a label stayed
    own.parent.parent.rmdir()
    assert sorted(os.listdir(copied)) == ["dataset.json", "manifests", *kept]
    assert sorted(os.listdir(copied / "manifests")) == sorted(sample_manifests())
    assert os.listdir(tmp_path / "theirs") == ["a.png"]


@pytest.mark.parametrize("name", sample_manifests())
def test_the_digest_changes_with_every_manifest(papers, name):
    copied, before = papers()
    path = copied / "manifests" / name
    data = path.read_bytes()
    path.unlink()  # it is a hard link
    path.write_bytes(data[:-2] + b"x\n")
    _, after = papers()
    assert after["content"]["digest"] != before["content"]["digest"]
    changed = {n for n, d in after["content"]["manifests"].items() if d != before["content"]["manifests"][n]}
    assert changed == {name}


def changed_somewhere(value):
    """Copies of a JSON value, each with another leaf changed, or another key lost."""
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


def test_a_change_of_any_field_of_dataset_json_can_be_told(tree):
    dataset = read_json(tree / "dataset.json")
    assert list(dataset) == ["content", "build", "sha256"]
    parts = {"content": dataset["content"], "build": dataset["build"]}
    assert own_digest(**copy.deepcopy(parts)) == dataset["sha256"]
    digests = [own_digest(**other) for other in changed_somewhere(parts) if len(other) == 2]
    assert len(digests) > 60
    assert len({dataset["sha256"], *digests}) == 1 + len(digests)


# Tidying


@pytest.fixture
def output(tmp_path) -> Path:
    return tmp_path / "results"


def add_tree(output: Path, subset: int, source: Path) -> Path:
    """A tree without an image, built by the real stage from a source, with a file to lose."""
    found = SourceScan(root=str(source), train=[f"{source}/train"])
    listed_at = output / "work" / "source"
    listing, findings = listed_at / f"{subset}.parquet", listed_at / f"{subset}.json"
    samples = listed_at / "samples"
    write_json(findings, scan_json(found))
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
    """Where the pool has an empty file as an image."""
    path = output / "work" / "pool" / pool_path(image, wnid, EMPTY)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def add_samples(output: Path, subset: int, *pooled: Path) -> None:
    """Samples of a subset: of images that lie in the pool."""
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


def tidied(output: Path, subsets=(50,), link="symlink", demo=False) -> set[str]:
    """Tidies; the folders that are gone, below `output`. What has no findings was listed from folders."""
    for tier in tiers(subsets):
        findings = output / "work" / "source" / f"{tier}.json"
        if not findings.exists():
            write_json(findings, scan_json(SourceScan(root="/data/imagenet")))
    tidy(subsets, link, demo, output, output / "work" / "tidy.json")
    removed = read_json(output / "work" / "tidy.json")["removed"]
    assert not any(os.path.lexists(folder) for folder in removed)
    return {os.path.relpath(folder, output) for folder in removed}


@pytest.mark.parametrize(
    ("link", "gone"),
    [("auto", {"work/pool"}), ("symlink", {"work/pool"}), ("hardlink", {"work/pool"}), ("copy", set())],
)
def test_the_pool_of_folders_is_kept_for_copies_only(output, link, gone):
    (output / "work" / "pool" / "train").mkdir(parents=True)
    assert tidied(output, link=link) == gone
    assert (output / "work" / "pool" / "train").exists() == (link == "copy")


@pytest.mark.parametrize("archives", [50, 300])
def test_the_pool_is_kept_where_any_tier_has_images_from_archives(output, archives):
    (output / "work" / "pool" / "train").mkdir(parents=True)
    seen = SourceScan(root="/data/imagenet", pooled=["val"])
    write_json(output / "work" / "source" / f"{archives}.json", scan_json(seen))
    assert tidied(output, subsets=(300,), link="auto") == set()
    assert (output / "work" / "pool" / "train").is_dir()


@pytest.mark.parametrize("pooled", [[], ["train"]])
def test_records_of_archives_are_forgotten_with_their_copies_and_those_of_files_are_kept(output, pooled):
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
    tidied(output, link="auto")
    left = {path.stem for path in (output / "work" / "images").iterdir()}
    assert left == {f"file {FISH}_1", f"file {FISH}_2"} | ({f"tar {FISH}_1"} if pooled else set())
    assert (kept.exists(), gone.exists()) == (bool(pooled), False)


def test_a_tree_of_copies_outlives_the_pool(output):
    pooled, placed = output / "work" / "pool" / "a.JPEG", output / "ImageNetS300" / "a.JPEG"
    for path in (pooled, placed):
        path.parent.mkdir(parents=True)
    pooled.write_text("bytes")
    placed.hardlink_to(pooled)
    assert tidied(output) == {"work/pool"}
    assert placed.read_text() == "bytes"


def test_the_demo_is_kept_while_it_is_the_source(output):
    demo = output / "work" / "demo" / "imagenet"
    demo.mkdir(parents=True)
    tree = add_tree(output, 300, demo)
    assert tidied(output, demo=True) == set()
    assert demo.is_dir()
    assert tree.is_dir()


def test_all_of_the_demo_goes_and_what_is_real_stays(output, tmp_path):
    demo = output / "work" / "demo" / "imagenet"
    demo.mkdir(parents=True)
    add_tree(output, 300, demo)
    real = add_tree(output, 919, tmp_path / "imagenet")
    new = add_tree(output, 50, tmp_path / "imagenet")
    assert tidied(output) == {"work/demo", "work/masks/300"}
    assert os.listdir(output / "ImageNetS300") == ["a.png"], "what no build made stays"
    assert (real / "a.png").exists()
    assert (new / "a.png").exists()
    assert [Workspace(output).plan(subset).exists() for subset in (50, 300, 919)] == [True, False, True]
    assert tidied(output) == set()  # the second time there is nothing left to find


def test_the_demo_is_known_below_an_output_with_a_relative_path(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    # As the workflow says it: the output as in config.yaml, the source as an absolute path.
    add_tree(Path("../results"), 300, tmp_path / "results" / "work" / "demo" / "imagenet")
    assert tidied(Path("../results")) == {"work/masks/300"}


def test_no_copy_of_the_demo_stays_in_the_pool(output, tmp_path):
    add_tree(output, 300, output / "work" / "demo" / "imagenet")
    add_tree(output, 50, tmp_path / "imagenet")
    pool = output / "work" / "pool"
    # n01440764 is of tier 300, which only the demo had; n01443537 is of 50, and real by now.
    demo_train = pooled_file(output, "n01440764_1", "n01440764")
    val_300 = next(
        row for row in listed(300, "test") if row.image not in {r.image for r in listed(50, "test")}
    )
    demo_val = pooled_file(output, val_300.image, val_300.imagenet_wnid)
    real = pooled_file(output, f"{FISH}_1", FISH)
    add_samples(output, 50, real)
    add_samples(output, 300, demo_train, demo_val)
    tidied(output, link="copy")
    assert [path for path in pool.rglob("*") if not path.is_dir()] == [real]


def test_the_pool_loses_what_no_subset_has_and_nothing_behind_a_link(output, tmp_path):
    pool, theirs = output / "work" / "pool", tmp_path / "theirs"
    kept = [pooled_file(output, f"{FISH}_1", FISH), pooled_file(output, LABELLED, FISH)]
    of_another_subset = pooled_file(output, "n01440764_1", "n01440764")
    pooled_file(output, f"{FISH}_2", FISH)
    kept[0].with_name(f"{FISH}_1-0123456789abcdef.JPEG").touch()  # of other bytes than the samples have
    kept[0].with_name(f"{FISH}_1.JPEG").touch()
    pooled_file(output, "ILSVRC2012_val_00000001", "n01440764")
    theirs.mkdir()
    (theirs / f"{FISH}_2.JPEG").touch()
    (pool / "train" / "n01491361").symlink_to(theirs)
    (pool / "train-50-0.json").touch()
    add_samples(output, 50, *kept)
    add_samples(output, 300, of_another_subset)
    tidied(output, link="copy")
    left = {path for path in pool.rglob("*") if not path.is_dir()}
    assert left == {*kept, of_another_subset, pool / "train-50-0.json"}
    assert not (pool / "val" / "n01440764").exists()
    assert [path.name for path in theirs.iterdir()] == [f"{FISH}_2.JPEG"]


# The summary


def dataset_json(folder: Path, subset: int, synthetic=False, odd_masks=0, **train) -> Path:
    splits = {
        "train": {"expected": 64431, "found": 64431, "masks": None, "bytes": 7_012_345_678} | train,
        "validation": {"expected": 752, "found": 752, "masks": 752, "bytes": 1_999},
    }
    for facts in splits.values():
        facts.setdefault("unreadable_headers", 0)
    content = {"dataset": f"ImageNetS{subset}", "digest": "ab" * 32, "splits": splits, "odd_masks": odd_masks}
    content["manifests"] = {"train.csv": "c0" * 32, "validation.csv": "d1" * 32}
    source = {"path": "/data/imagenet", "layout": "Kaggle", "synthetic": synthetic}
    path = folder / f"ImageNetS{subset}" / "dataset.json"
    write_json(path, {"content": content, "build": {"source": source, "link": "copy"}})
    return path


def test_the_summary_to_the_letter(tmp_path):
    write_summary([dataset_json(tmp_path, 50)], tmp_path / "summary.txt")
    folder = tmp_path / "ImageNetS50"
    assert (tmp_path / "summary.txt").read_text(encoding="utf-8") == (
        "subset       split       expected   found  masks          bytes        digest\n"
        "ImageNetS50  train         64,431  64,431      –  7,012,345,678  c0c0c0c0c0c0\n"
        "ImageNetS50  validation       752     752    752          1,999  d1d1d1d1d1d1\n"
        "\n"
        f"{folder}\n"
        f"  digest  {'ab' * 32}\n"
        "  from    /data/imagenet (Kaggle; link: copy)\n"
        f"  check   cd {folder} && sha256sum -c --quiet manifests/*.sha256\n"
    )


def test_the_summary_says_what_is_not_as_it_should_be(tmp_path):
    paths = [
        dataset_json(tmp_path, 50, odd_masks=1234, found=64430, unreadable_headers=2),
        dataset_json(tmp_path, 300, synthetic=True),
    ]
    write_summary(paths, tmp_path / "summary.txt")
    lines = (tmp_path / "summary.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if "note" in line] == [
        "  note    2 images whose size Pillow cannot read (carried byte for byte)",
        "  note    train is not the official one: `train_images: any` takes what the source has",
        "  note    1,234 odd masks in the annotations (see the log of `masks`)",
    ]
    assert sum(line.startswith("  digest") for line in lines) == 2
    assert lines[-2].startswith("This is SYNTHETIC data with the official names")
