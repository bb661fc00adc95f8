"""The official tree: exactly the right entries, whatever was there before; the source is untouched."""

import hashlib
import os
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.trees import linked_copy
from imagenet_s.annotations.unpack import unpack_masks
from imagenet_s.config.build_request import BuildRequest
from imagenet_s.dataset import tree
from imagenet_s.dataset.samples import SAMPLES, join_samples
from imagenet_s.dataset.tree import ScannedFiles, build_tree
from imagenet_s.dataset.tree_plan import remove_tree
from imagenet_s.images.pool import pool_path
from imagenet_s.images.read import read_part
from imagenet_s.io.atomic import read_json, write_json
from imagenet_s.io.links import place
from imagenet_s.preflight.check import check_and_list
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.listing import listing_of, write_listing
from imagenet_s.source.scan import list_tier, scan_json
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.shards import subset_parts
from imagenet_s.spec.splits import listed, tier_val_images
from imagenet_s.spec.subsets import MASKED

FISH = "n01443537"
FURTHER = f"{FISH}_1"  # a train image of the demo that no list names
VALIDATION = listed(50, "validation")[0]


def take(source: Path, output: Path, pool: bool = False) -> None:
    """List and read a source, and join it with the masks: the stages before the tree."""
    work, records = output / "work", []
    check_and_list(50, BuildRequest(source, output, [50], False, "copy", ()), work / "source")
    for part in subset_parts(50):
        records.append(work / "images" / f"{part}.parquet")
        copied = work / "pool" / f"{part}.json" if pool else None
        # The pool of `output` is that of `taken`: a part that copies nothing would empty it.
        into = work / "pool" if pool else work / "no pool"
        read_part(part, work / "source" / "50.parquet", records[-1], into, copied, work / "tmp" / part)
    masks, samples = work / "masks" / "50.parquet", work / "samples" / "50.parquet"
    join_samples(50, False, records, masks, work / "annotations.json", samples)


@pytest.fixture(scope="session")
def taken(imagenet50, annotations50, tmp_path_factory) -> Path:
    """An output with everything that the tree needs, also copies of images. Never change it."""
    output = tmp_path_factory.mktemp("taken")
    work = output / "work"
    write_json(work / "annotations.json", annotations50)
    records = work / "masks" / "50.parquet"
    unpack_masks(50, work / "annotations.json", output, records, 2, work / "tmp" / "masks")
    take(imagenet50, output, pool=True)
    return output


@pytest.fixture
def output(taken, tmp_path) -> Path:
    """A copy of `taken`, to build from the source `imagenet50`, or to `take` another one."""
    work = tmp_path / "results" / "work"
    for name in ("source", "images", "samples"):
        linked_copy(taken / "work" / name, work / name)
    for name in ("masks", "pool", "annotations.json"):  # builds only read these
        (work / name).symlink_to(taken / "work" / name)
    return work.parent


@pytest.fixture
def source(imagenet50, output, tmp_path) -> Path:
    """A copy of `imagenet50` as the source of `output`. `take` it again after a change."""
    source = linked_copy(imagenet50, tmp_path / "imagenet")
    take(source, output)
    return source


@pytest.fixture
def build(output):
    """Return a function that builds the tree of 50 in `output` and returns its folder."""

    def build(link: str) -> Path:
        work = output / "work"
        listing, findings = work / "source" / "50.parquet", work / "source" / "50.json"
        samples, receipt = work / "samples" / "50.parquet", work / "trees" / "50.json"
        build_tree(50, samples, ScannedFiles([listing], [findings]), link, output, receipt)
        return output / "ImageNetS50"

    return build


def entries(root: Path) -> set[str]:
    """Return the paths of all files and links below a folder; links to folders are not followed."""
    found = set()
    for folder, folders, names in os.walk(root):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        found |= {os.path.relpath(os.path.join(folder, name), root) for name in [*names, *links]}
    return found


def official_entries(source: Path, link: str) -> set[str]:
    """Return the entries of the tree of 50 by the lists; with `symlink`, train has one per class."""
    paths = set()
    for split in ("train-semi", "validation", "test"):
        paths |= {f"{split}/{row.wnid}/{row.image}.JPEG" for row in listed(50, split)}
    for split in MASKED:
        paths |= {f"{split}-segmentation/{row.wnid}/{row.image}.png" for row in listed(50, split)}
    for wnid in class_ids(50):
        names = os.listdir(source / "train" / wnid)
        paths |= {f"train/{wnid}"} if link == "symlink" else {f"train/{wnid}/{name}" for name in names}
    return paths


def source_file(source: Path, entry: str) -> Path:
    """Return the file in the source that an entry stands for."""
    name = Path(entry).name
    folder = source / "val" if name.startswith("ILSVRC") else source / "train" / name.partition("_")[0]
    return folder / name


def images_in(found: set[str]) -> list[str]:
    return sorted(entry for entry in found if entry.endswith(".JPEG"))


def snapshot(folder: Path) -> dict[str, tuple]:
    """Return everything about a folder's entries that a stage must not change; not the number of links."""
    state = {}
    for where, folders, names in os.walk(folder):
        for name in [".", *folders, *names]:
            path = os.path.join(where, name)
            stat = os.lstat(path)
            digest = "" if name not in names else hashlib.sha256(Path(path).read_bytes()).hexdigest()
            state[path] = (stat.st_ino, stat.st_mode, stat.st_size, stat.st_mtime_ns, digest)
    return state


def test_symlinks_are_one_per_train_folder_and_one_per_listed_image(build, imagenet50):
    root = build("symlink")
    found = entries(root)
    assert found == official_entries(imagenet50, "symlink")
    assert len(found) == 50 + 500 + 752 + 1682 + 500 + 752
    for wnid in class_ids(50):
        assert os.readlink(root / "train" / wnid) == f"{imagenet50}/train/{wnid}"
    for entry in images_in(found):
        assert os.readlink(root / entry) == str(source_file(imagenet50, entry))


def test_symlinks_of_files_are_one_per_image(build, imagenet50, output):
    root = build("symlink-files")
    found = entries(root)
    assert found == official_entries(imagenet50, "symlink-files")
    assert len(images_in(found)) == 650 + 500 + 752 + 1682
    for entry in images_in(found):
        assert os.readlink(root / entry) == str(source_file(imagenet50, entry))
    # A walk that follows no links finds every image in real folders.
    assert {path.parent.parent.name for path in root.rglob("*.JPEG")} >= {"train", "test"}
    receipt = read_json(output / "work" / "trees" / "50.json")
    assert receipt == {"link": "symlink-files", "entries": len(found)}


def test_hard_links_are_the_sources_own_files(build, imagenet50):
    root = build("hardlink")
    found = entries(root)
    assert found == official_entries(imagenet50, "hardlink")
    for entry in images_in(found):
        assert (root / entry).lstat().st_ino == source_file(imagenet50, entry).stat().st_ino


def test_copies_are_the_pools_files_with_the_sources_bytes(build, imagenet50, output):
    root = build("copy")
    found = entries(root)
    assert found == official_entries(imagenet50, "hardlink")
    wnid_of = {row.image: row.imagenet_wnid for row in tier_val_images(50)}
    for entry in images_in(found):
        original = source_file(imagenet50, entry)
        data, name = original.read_bytes(), original.stem
        wnid = wnid_of.get(name) or name.partition("_")[0]
        copy = output / "work" / "pool" / pool_path(name, wnid, hashlib.sha256(data).digest())
        assert (root / entry).lstat().st_ino == copy.stat().st_ino != original.stat().st_ino
        assert (root / entry).read_bytes() == data


def test_masks_are_the_unpacked_files(build, output):
    root = build("symlink")
    masks = sorted(entry for entry in entries(root) if entry.endswith(".png"))
    assert len(masks) == 1252
    for mask in masks:
        assert (root / mask).lstat().st_ino == (output / "work" / "masks" / "50" / mask).stat().st_ino


def test_the_receipt_counts_the_entries(build, output):
    build("symlink")
    receipt = read_json(output / "work" / "trees" / "50.json")
    assert receipt == {"link": "symlink", "entries": 50 + 500 + 752 + 1682 + 500 + 752}


def test_a_class_folder_with_a_stray_file_is_linked_file_by_file(build, source, output):
    (source / "train" / FISH / ".DS_Store").touch()
    take(source, output)
    root = build("symlink")
    assert not (root / "train" / FISH).is_symlink()
    names = sorted(os.listdir(root / "train" / FISH))
    assert len(names) == 13
    assert names == sorted(set(os.listdir(source / "train" / FISH)) - {".DS_Store"})
    assert os.readlink(root / "train" / "n01491361") == f"{source}/train/n01491361"


def test_images_get_the_official_ending(build, source, output):
    (source / "train" / FISH / f"{FURTHER}.JPEG").rename(source / "train" / FISH / f"{FURTHER}.jpg")
    take(source, output)
    root = build("symlink")
    assert os.readlink(root / "train" / FISH / f"{FURTHER}.JPEG") == f"{source}/train/{FISH}/{FURTHER}.jpg"


def test_switching_the_link_mode_leaves_the_right_tree_and_an_untouched_source(build, source):
    before = snapshot(source)
    test_image = listed(50, "test")[0]
    inode = (source / "val" / f"{test_image.image}.JPEG").stat().st_ino
    modes = ("symlink", "copy", "hardlink", "symlink", "hardlink", "copy", "symlink")
    for link in (*modes, "symlink-files", "symlink", "symlink-files", "copy", "symlink-files", "hardlink"):
        root = build(link)
        assert entries(root) == official_entries(source, link)
        entry = root / "test" / test_image.wnid / f"{test_image.image}.JPEG"
        assert entry.is_symlink() == link.startswith("symlink")
        assert (entry.lstat().st_ino == inode) == (link == "hardlink")
    assert snapshot(source) == before


@pytest.mark.parametrize("link", ["symlink", "symlink-files", "hardlink", "copy"])
def test_building_again_changes_no_entry(build, link):
    before = snapshot(build(link))
    assert snapshot(build(link)) == before


def test_a_file_of_the_user_in_the_tree_survives(build, source, output):
    (source / "train" / FISH / "stray").touch()  # so that the class is not one link
    take(source, output)
    places = (".", "train", f"train/{FISH}", f"validation/{VALIDATION.wnid}")
    root = build("hardlink")
    for place_ in places:
        (root / place_ / "mine.txt").write_text("mine")
    for link in ("symlink", "copy"):
        build(link)
        assert [(root / place_ / "mine.txt").read_text() for place_ in places] == ["mine"] * 4


def test_a_file_of_the_user_where_a_link_to_a_folder_belongs_is_reported_and_kept(build):
    mine = build("hardlink") / "train" / FISH / "mine.txt"
    mine.write_text("mine")
    with pytest.raises(UserError, match=r"holds files that this pipeline did not create: mine\.txt") as error:
        build("symlink")
    assert str(error.value).startswith(f"{mine.parent} is in the place of a symlink, and ")
    assert mine.read_text() == "mine"
    # Once it is moved away, the same command succeeds.
    mine.unlink()
    assert (build("symlink") / "train" / FISH).is_symlink()


def test_an_empty_folder_where_a_link_belongs_is_replaced(build, imagenet50, output):
    (output / "ImageNetS50" / "train" / FISH).mkdir(parents=True)
    assert os.readlink(build("symlink") / "train" / FISH) == f"{imagenet50}/train/{FISH}"


@pytest.mark.parametrize("link", ["symlink", "hardlink", "copy"])
def test_an_entry_that_is_no_longer_wanted_is_removed(build, source, output, link):
    (source / "train" / FISH / "stray").touch()  # so that symlinks are one per file, too
    take(source, output)
    root = build(link)
    before = entries(root)
    (source / "train" / FISH / f"{FURTHER}.JPEG").unlink()
    take(source, output)
    build(link)
    assert entries(root) == before - {f"train/{FISH}/{FURTHER}.JPEG"} < before


def test_a_link_of_the_user_to_the_sources_train_folder_is_replaced(build, source, output):
    before = snapshot(source)
    for link in ("hardlink", "symlink"):
        root = build(link)
        shutil.rmtree(root / "train")
        (root / "train").symlink_to(source / "train")
        build(link)
        assert not (root / "train").is_symlink()
        assert entries(root) == official_entries(source, link)
    assert snapshot(source) == before


def test_nothing_is_removed_through_a_link_in_the_place_of_a_folder(build, source, output):
    (source / "train" / FISH / "stray").touch()
    take(source, output)
    root = build("hardlink")
    # A user replaces folders by links to the source. Then an image is no longer wanted, and its path in the
    # tree leads to a file of the source.
    (source / "train" / FISH / f"{FURTHER}.JPEG").rename(source / "train" / FISH / f"{FURTHER}.JPEG.off")
    take(source, output)
    (source / "train" / FISH / f"{FURTHER}.JPEG.off").rename(source / "train" / FISH / f"{FURTHER}.JPEG")
    for folder, target in ((f"train/{FISH}", f"train/{FISH}"), (f"test/{FISH}", "val")):
        shutil.rmtree(root / folder)
        (root / folder).symlink_to(source / target)
    before = snapshot(source)
    build("hardlink")
    assert snapshot(source) == before
    wanted = official_entries(source, "hardlink")
    assert entries(root) == wanted - {f"train/{FISH}/{FURTHER}.JPEG", f"train/{FISH}/stray"}


def test_there_is_no_dataset_json_while_a_tree_changes(build, monkeypatch):
    root = build("symlink")
    (root / "dataset.json").write_text("{}")
    calls = set()
    for name in ("remove_entries", "place"):
        original = getattr(tree, name)

        def recording(*args, original=original):
            calls.add((original.__name__, (root / "dataset.json").exists()))
            return original(*args)

        monkeypatch.setattr(tree, name, recording)
    build("hardlink")
    assert calls == {("remove_entries", False), ("place", False)}


def test_a_kind_of_link_that_does_not_work_is_reported_before_anything_changes(build, output, tmp_path):
    (tmp_path / "a").write_bytes(b"some bytes")
    try:
        place(str(tmp_path / "a"), tmp_path / "b", "reflink", tmp_path)
    except OSError:
        root = build("hardlink")
        (root / "dataset.json").write_text("{}")
        before = snapshot(root)
        with pytest.raises(UserError, match="no reflink from"):
            build("reflink")
        assert snapshot(root) == before
    else:
        pytest.skip("the file system has reflinks")


@pytest.mark.parametrize("link", ["hardlink", "symlink-files"])
def test_the_next_build_knows_what_a_killed_one_made(build, imagenet50, output, monkeypatch, link):
    root = build("symlink")
    placed = []

    def place_few(*args):
        if len(placed) == 2900:  # train comes last, and begins with the 2683rd
            raise KeyboardInterrupt
        placed.append(args)
        return place(*args)

    with monkeypatch.context() as patch:
        patch.setattr(tree, "place", place_few)
        with pytest.raises(KeyboardInterrupt):
            build(link)
    assert len(os.listdir(root / "train" / FISH)) == 13
    assert not (root / "train" / FISH).is_symlink()
    build("symlink")
    assert entries(root) == official_entries(imagenet50, "symlink")
    assert not (output / "work" / "tmp" / "tree-50").exists()


# The tree of 919


@pytest.fixture
def build919(tmp_path):
    """Return a function that builds a tree of 919 from three classes, of which one is merged into another."""
    source, output = tmp_path / "imagenet", tmp_path / "results"
    images = ["n01440764_7", "n02808440_3", "n04493381_27386"]
    for image in images:
        path = source / "train" / image.partition("_")[0] / f"{image}.JPEG"
        path.parent.mkdir(parents=True)
        path.write_text(image)
    (source / "val").mkdir()
    wnids = ["n01440764", "n02808440", "n02808440"]
    rows = [
        dict.fromkeys(SAMPLES.names)
        | {"image": f"train/{wnid}/{image}.JPEG", "wnid": wnid, "imagenet_wnid": image.partition("_")[0]}
        for image, wnid in zip(images, wnids, strict=True)
    ]
    listings = [tmp_path / f"{tier}.parquet" for tier in (50, 300, 919)]
    findings = [tmp_path / f"{tier}.json" for tier in (50, 300, 919)]
    for tier, listing, found in zip((50, 300, 919), listings, findings, strict=True):
        listed_rows, scan = list_tier(source, tier, Index())
        write_listing(listing_of(listed_rows, scan.fingerprints), listing)
        write_json(found, scan_json(scan))

    def build(link: str, first: int = 0) -> Path:
        pq.write_table(pa.Table.from_pylist(rows[first:], SAMPLES), tmp_path / "samples.parquet")
        scanned, receipt = ScannedFiles(listings, findings), tmp_path / "receipt.json"
        build_tree(919, tmp_path / "samples.parquet", scanned, link, output, receipt)
        return output / "ImageNetS919"

    return build


def test_images_of_a_merged_class_lie_in_the_folder_of_the_class_that_takes_them(build919, tmp_path):
    root, train = build919("symlink"), tmp_path / "imagenet" / "train"
    targets = {entry: os.readlink(root / entry) for entry in entries(root)}
    assert targets == {
        "train-full": str(train),
        "train/n01440764": f"{train}/n01440764",
        "train/n02808440/n02808440_3.JPEG": f"{train}/n02808440/n02808440_3.JPEG",
        "train/n02808440/n04493381_27386.JPEG": f"{train}/n04493381/n04493381_27386.JPEG",
    }
    assert read_json(tmp_path / "receipt.json") == {"link": "symlink", "entries": 4}


def test_symlinks_of_files_give_each_image_of_919_a_link(build919, tmp_path):
    root, train = build919("symlink-files"), tmp_path / "imagenet" / "train"
    targets = {entry: os.readlink(root / entry) for entry in entries(root)}
    assert targets == {
        "train-full": str(train),
        "train/n01440764/n01440764_7.JPEG": f"{train}/n01440764/n01440764_7.JPEG",
        "train/n02808440/n02808440_3.JPEG": f"{train}/n02808440/n02808440_3.JPEG",
        "train/n02808440/n04493381_27386.JPEG": f"{train}/n04493381/n04493381_27386.JPEG",
    }


def test_train_full_is_a_symlink_even_if_images_are_hard_links(build919, tmp_path):
    root, train = build919("hardlink"), tmp_path / "imagenet" / "train"
    assert os.readlink(root / "train-full") == str(train)
    assert entries(root) == {
        "train-full",
        "train/n01440764/n01440764_7.JPEG",
        "train/n02808440/n02808440_3.JPEG",
        "train/n02808440/n04493381_27386.JPEG",
    }
    merged = root / "train" / "n02808440" / "n04493381_27386.JPEG"
    assert merged.lstat().st_ino == (train / "n04493381" / "n04493381_27386.JPEG").stat().st_ino


def test_a_folder_without_images_is_removed(build919):
    root = build919("hardlink")
    assert (root / "train" / "n01440764").is_dir()
    build919("hardlink", first=1)
    assert os.listdir(root / "train") == ["n02808440"]


def test_entries_of_an_earlier_build_are_removed_even_if_its_plan_is_lost(build, source, output):
    (source / "train" / FISH / "stray").touch()  # so that images are linked one by one
    take(source, output)
    root = build("symlink")
    before = entries(root)
    (output / "work" / "trees" / "50.parquet").unlink()
    (root / "train" / FISH / "notes.txt").write_text("of the user")
    (source / "train" / FISH / f"{FURTHER}.JPEG").unlink()
    take(source, output)
    build("symlink")
    assert entries(root) == before - {f"train/{FISH}/{FURTHER}.JPEG"} | {f"train/{FISH}/notes.txt"}


def test_a_tree_of_links_to_folders_and_to_files_is_removed_completely(build919):
    root = build919("symlink")
    assert any(path.is_symlink() for path in (root / "train").iterdir())
    assert any(path.is_dir() and not path.is_symlink() for path in (root / "train").iterdir())
    remove_tree(root.parent, 919)
    assert not root.exists()
