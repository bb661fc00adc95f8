"""One output over time: other archives, failed passes, lost copies. A tree is what its manifests say."""

import hashlib
import tarfile
from pathlib import Path

import pytest

from helpers.builds import build, check_sums, digest, image_files
from helpers.raw_imagenet import VAL, gzipped, hugging_face_tars, official, tar_of, train_folder_and_val_tar
from imagenet_s.dataset.tree import ScannedFiles, build_tree
from imagenet_s.images.pool import pool_path
from imagenet_s.runtime.errors import UserError
from imagenet_s.spec.companions import FROM_DATASET

FISH = "n01443537"


def link_again(output: Path, link: str) -> None:
    """The tree of 50 once more, from what earlier stages left: what a run with another `link` does."""
    work = output / "work"
    listing, findings, samples = (
        work / name for name in ("source/50.parquet", "source/50.json", "samples/50.parquet")
    )
    scanned = ScannedFiles([listing], [findings])
    build_tree(50, samples, scanned, link, output, work / "tree.json")


def replace(archive: Path, changed: dict[str, bytes]) -> None:
    """Another archive in the place of a compressed one; the members of some images have other bytes."""
    with tarfile.open(archive) as tar:
        members = [(info.name, tar.extractfile(info).read()) for info in tar]
    names = {name.rpartition("_")[0] for name, _ in members}  # without the class
    assert names >= set(changed)
    archive.write_bytes(
        gzipped(tar_of((name, changed.get(name.rpartition("_")[0], data)) for name, data in members))
    )


def images_of(archive: Path) -> list[str]:
    """The images in an archive, by name, in its order."""
    with tarfile.open(archive) as tar:
        return [name.rpartition("_")[0] for name in tar.getnames()]


def bytes_of(tree: Path) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in image_files(tree).items()}


@pytest.fixture
def source(imagenet50, tmp_path) -> Path:
    return hugging_face_tars(imagenet50, tmp_path / "source")


@pytest.fixture
def output(tmp_path) -> Path:
    return tmp_path / "output"


@pytest.mark.parametrize("link", ["auto", "copy"])
def test_another_archive_gives_a_tree_of_its_bytes(source, annotations50, output, link):
    tree = build(source, annotations50, output, "auto")
    first, before = digest(tree), bytes_of(tree)
    archive = source / "train_images_0.tar.gz"
    image = images_of(archive)[0]
    replace(archive, {image: b"other bytes"})
    tree = build(source, annotations50, output, link)
    check_sums(tree)
    assert digest(tree) != first
    changed = {name for name, data in bytes_of(tree).items() if before[name] != data}
    entries = {name for name in changed if name.endswith(f"{image}.JPEG")}
    assert entries
    assert all((tree / name).read_bytes() == b"other bytes" for name in entries)
    described = {"manifests", *FROM_DATASET, "dataset.json"}
    assert {name.partition("/")[0] for name in changed - entries} == described


@pytest.mark.parametrize(("link", "how"), [("auto", "an empty image"), ("copy", "the end is missing")])
def test_a_failed_pass_over_another_archive_never_shows_in_a_tree(source, annotations50, output, link, how):
    tree = build(source, annotations50, output, "auto")
    before = bytes_of(tree)
    archive, kept = source / "train_images_0.tar.gz", (source / "train_images_0.tar.gz").read_bytes()
    first, last = images_of(archive)[0], images_of(archive)[-1]
    # A pass puts the first image, of other bytes, into the pool before it fails.
    replace(archive, {first: b"other bytes"} | ({last: b""} if how == "an empty image" else {}))
    if how == "the end is missing":
        archive.write_bytes(archive.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"are empty|is damaged or ends early"):
        build(source, annotations50, output, link)
    if how == "an empty image":
        copy = pool_path(first, first.partition("_")[0], hashlib.sha256(b"other bytes").digest())
        assert (output / "work" / "pool" / copy).read_bytes() == b"other bytes"
    assert bytes_of(tree) == before, "what was built is left"
    check_sums(tree)
    link_again(output, link)
    check_sums(tree)
    assert {name: (tree / name).read_bytes() for name in before if name != "dataset.json"} == {
        name: data for name, data in before.items() if name != "dataset.json"
    }
    archive.write_bytes(kept)
    assert bytes_of(build(source, annotations50, output, link)).keys() == before.keys()
    check_sums(tree)


def test_an_official_archive_that_was_replaced_gives_a_tree_of_its_bytes(imagenet50, annotations50, tmp_path):
    source = official(imagenet50, tmp_path / "source")
    tree = build(source, annotations50, tmp_path / "output", "auto")
    before = bytes_of(tree)
    with tarfile.open(source / VAL) as tar:
        members = [(info.name, tar.extractfile(info).read()[::-1]) for info in tar]
    (source / VAL).write_bytes(tar_of(members))  # as large as before
    link_again(tree.parent, "copy")
    check_sums(tree)
    tree = build(source, annotations50, tmp_path / "output", "copy")
    check_sums(tree)
    changed = {name for name, data in bytes_of(tree).items() if before[name] != data}
    assert len([name for name in changed if name.endswith(".JPEG")]) == 752 + 1682


@pytest.mark.parametrize("layout", [official, hugging_face_tars])
def test_lost_copies_are_told_before_the_tree_is_touched_and_come_back(
    imagenet50, annotations50, tmp_path, layout
):
    source = layout(imagenet50, tmp_path / "source")
    output = tmp_path / "output"
    tree = build(source, annotations50, output, "auto")
    before = bytes_of(tree)
    pool = output / "work" / "pool"
    count = len(list(pool.glob("*/*/*")))
    lost = sorted((pool / "train" / FISH).iterdir())[:2]
    for path in lost:
        path.unlink()
    for link in ("auto", "copy"):
        with pytest.raises(UserError) as error:
            link_again(output, link)
        assert str(error.value).startswith(
            f"2 images that were copied from the source are gone, of {count:,}: "
        )
        assert str(lost[0]) in str(error.value)
        assert "Run snakemake again with `--forcerun images stream`." in str(error.value)
        assert bytes_of(tree) == before
    build(source, annotations50, output, "copy")
    assert all(path.exists() for path in lost)
    check_sums(tree)


@pytest.mark.parametrize("layout", [hugging_face_tars, train_folder_and_val_tar])
def test_links_asked_for_in_a_later_run_cannot_be_had_from_archives(
    imagenet50, annotations50, tmp_path, layout
):
    source = layout(imagenet50, tmp_path / "source")
    tree = build(source, annotations50, tmp_path / "output", "auto")
    before = bytes_of(tree)
    for link in ("symlink", "symlink-files", "hardlink", "reflink"):
        with pytest.raises(UserError, match=f"`link: {link}` does not work for images inside archives: "):
            link_again(tree.parent, link)
    assert bytes_of(tree) == before
    check_sums(tree)
