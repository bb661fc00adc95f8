"""What files and folders hold whose names do not tell, by a short look at each."""

import gzip
import os
import tarfile
from pathlib import Path

import pytest

from helpers.raw_imagenet import TRAIN, gzipped, tar_of, zip_of, zstandard
from helpers.raw_imagenet import VAL as VAL_TAR
from helpers.scans import FISH, FISH_1, SHARK, VAL, touch
from imagenet_s.io.split_file import SplitFile
from imagenet_s.source import content
from imagenet_s.source.content import MAX_BYTES, MAX_CANDIDATES, candidates_in, kinds_in_folder
from imagenet_s.source.readers.compressed_tar import CompressedTar

TRAIN_MEMBERS = [("README", b"1"), (f"x/{FISH}/{FISH_1}.JPEG", b"2")]
NESTED = [(f"{FISH}.tar", tar_of([(f"{FISH_1}.JPEG", b"1")]))]
VAL_MEMBERS = [(f"{VAL}_{FISH}.JPEG", b"1")]
OTHER = [("README", b"1"), ("a/b.jpg", b"2"), ("c", b"3")]


def found_in(root: Path) -> dict[str, tuple[str, str]]:
    """Name → the sets that it holds, and what it is."""
    return {
        path.name: (" ".join(sorted(kinds)), description) for path, kinds, description in candidates_in(root)
    }


@pytest.mark.parametrize(
    ("names", "kinds", "description"),
    [
        ([f"{FISH}/{FISH_1}.JPEG", f"{SHARK}/{SHARK}_1.JPEG"], "train", "a folder of train images"),
        ([f"{FISH}.tar", "x.txt"], "train", "a folder of train images"),
        ([f"{FISH_1}_{FISH}.jpg"], "train", "a folder of train images"),
        ([TRAIN], "train", "a folder of train images"),
        ([f"{TRAIN}.aa", f"{TRAIN}.ab"], "train", "a folder of train images"),
        ([f"{VAL}.JPEG"], "val", "a folder of val images"),
        ([f"{VAL}_{FISH}.jpeg"], "val", "a folder of val images"),
        ([f"{FISH}/{VAL}.JPEG"], "val", "a folder of val images"),
        ([VAL_TAR.upper()], "val", "a folder of val images"),
        ([f"{FISH_1}.JPEG", f"{VAL}.JPEG"], "train val", "a folder of train and val images"),
        (
            [f"{FISH}/.DS_Store", f"{SHARK}/{SHARK}_1.xml"],
            "",
            f"a folder with '{FISH}', '{SHARK}', … (3 in all)",
        ),
        ([f"val/{VAL}.JPEG", f"train/{FISH}/{FISH_1}.JPEG"], "", "a folder with 'train', 'val'"),
        (["ILSVRC2012_test_00000001.JPEG"], "", "a folder with 'ILSVRC2012_test_00000001.JPEG'"),
        ([".DS_Store"], "", "an empty folder"),
    ],
)
def test_names_in_a_folder_tell_what_it_holds(root, names, kinds, description):
    touch(root, *(f"folder/{name}" for name in names))
    assert found_in(root) == {"folder": (kinds, description)}
    assert kinds_in_folder(root / "folder") == set(kinds.split())


@pytest.mark.parametrize(
    "name", ["x.tar", "X (1).TAR", "x.tar.1", "x.tgz", "x.tar.gz.aa", "x.tar.zst.00", "x.gz"]
)
@pytest.mark.parametrize(
    ("members", "kinds", "said"),
    [
        (TRAIN_MEMBERS, "train", " of train images"),
        (NESTED, "train", " of train images"),
        (VAL_MEMBERS, "val", " of val images"),
        (TRAIN_MEMBERS + VAL_MEMBERS, "train val", " of train and val images"),
        (OTHER, "", " with 'README', 'a/b.jpg', … (3 in all)"),
    ],
)
@pytest.mark.parametrize("compress", [bytes, gzipped, zstandard])
def test_the_first_members_of_an_archive_tell_what_it_holds(root, name, members, kinds, said, compress):
    (root / name).write_bytes(compress(tar_of(members)))
    what = "a tar" if compress is bytes else "a compressed tar"
    assert found_in(root) == {name: (kinds, what + said)}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_names_of_any_length_are_read(root, form):
    name = f"{'d' * 90}/{'e' * 40}/{FISH_1}.JPEG"
    (root / "x.tar").write_bytes(tar_of([(name, b"1")], form))
    assert found_in(root) == {"x.tar": ("train", "a tar of train images")}


@pytest.mark.parametrize(
    ("data", "description"),
    [
        (b"", "empty"),
        (b"<!doctype html><p>log in", "an HTML page"),
        (bytes(5000), "zeros"),
        (b"?" * 5000, "of an unknown kind"),
        (gzipped(b"text"), "compressed with gzip, but no tar"),
        (gzipped(tar_of(VAL_MEMBERS))[:15], "compressed with gzip, but no tar"),
        (b"\x1f\x8b" + b"?" * 100, "compressed with gzip, but no tar"),
        (b"\x28\xb5\x2f\xfd" + b"?" * 100, "compressed with zstandard, but no tar"),
        (b"PK\3\4" + b"?" * 100, "a zip: name it in `imagenet` if it holds the images"),
        (tar_of([]), "zeros"),
    ],
)
def test_a_file_that_is_no_such_archive_is_described(root, data, description):
    (root / "x.tar").write_bytes(data)
    assert found_in(root) == {"x.tar": ("", description)}


def test_what_precedes_damage_is_enough(root):
    data = tar_of([*VAL_MEMBERS, *OTHER])
    (root / "cut.tar").write_bytes(data[:700])
    (root / "damaged.tar").write_bytes(data[:1024] + b"?" * 2048)
    assert {kinds for kinds, _ in found_in(root).values()} == {"val"}


def test_a_missing_piece_is_described(root):
    for ending in ("aa", "ac"):
        (root / f"x.tgz.{ending}").write_bytes(gzipped(tar_of(VAL_MEMBERS)))
    assert found_in(root) == {
        "x.tgz.aa": ("", f"{root} lacks pieces of x.tgz: x.tgz.ab. Put them into the same folder.")
    }


def test_a_file_or_folder_that_cannot_be_read_is_described(root, monkeypatch):
    (root / "x.tar").write_bytes(tar_of(VAL_MEMBERS))
    touch(root, "folder/x")

    scandir = os.scandir

    def refuse(path: object) -> object:
        if Path(str(path)) == root:  # `Path.iterdir` also calls it, in later versions of Python
            return scandir(root)
        raise PermissionError(13, "Permission denied", str(path))

    said = ("", "cannot be read: Permission denied")
    with monkeypatch.context() as patched:
        patched.setattr(content, "kind_of_file", refuse)
        patched.setattr(os, "scandir", refuse)
        assert found_in(root) == {"folder": said, "x.tar": said}


def test_other_names_are_not_looked_at(root, monkeypatch):
    touch(
        root, f"{FISH}/x", f"{SHARK}.tar", f"{FISH_1}.JPEG", "imagenet1k-train-0000.tar", ".cache/x", "$x/y"
    )
    touch(
        root,
        "x.tar.part",
        "x.tar.crdownload",
        "x.tar.002",
        "notes.txt",
        "x.parquet",
        "__MACOSX/x",
        "lost+found/x",
    )
    (root / "gone.tar").symlink_to("/gone")
    os.mkfifo(root / "pipe.tar")
    assert candidates_in(root) == []
    assert candidates_in(root / "notes.txt") == candidates_in(root / "none") == []


def test_known_places_are_not_looked_at(root):
    touch(root, f"val_images/{VAL}.JPEG", "x.tar")
    assert [path.name for path, *_ in candidates_in(root, [root / "val_images"])] == ["x.tar"]


def test_zips_and_links_are_described(root):
    zip_of(root / "x.zip", [(f"{VAL}.JPEG", b"1")])
    touch(root.parent, f"elsewhere/{VAL}.JPEG")
    (root / "link").symlink_to(root.parent / "elsewhere")
    assert found_in(root) == {
        "link": ("val", "a folder of val images"),
        "x.zip": ("", "a zip: name it in `imagenet` if it holds the images"),
    }


def test_a_bounded_part_of_each_is_read(root, monkeypatch):
    large = [("x.bin", bytes(3 * MAX_BYTES)), *VAL_MEMBERS]
    (root / "a.tar").write_bytes(tar_of(large))
    (root / "b.tgz").write_bytes(gzip.compress(tar_of([("x.bin", bytes(50 * MAX_BYTES))])))
    (root / "c").mkdir()
    touch(root, *(f"c/{k}/{VAL}.JPEG" for k in range(20)))
    read = []
    fill = SplitFile.fill

    def counted(self: SplitFile, buffer: memoryview, offset: int) -> int:
        read.append((self.paths[0].name, fill(self, buffer, offset)))
        return read[-1][1]

    monkeypatch.setattr(SplitFile, "fill", counted)
    listed = []
    scandir = os.scandir
    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", lambda path: listed.append(path) or scandir(path))
        assert found_in(root) == {
            "a.tar": ("", "a tar with 'x.bin'"),
            "b.tgz": ("", "a compressed tar with 'x.bin'"),
            "c": ("", "a folder with '0', '1', … (20 in all)"),
        }
    assert sum(count for name, count in read if name == "a.tar") == MAX_BYTES
    assert sum(count for name, count in read if name == "b.tgz") <= 1 << 17
    assert [Path(path).name for path in listed if Path(path) != root] == ["c"]
    assert len(CompressedTar(root / "b.tgz").first_bytes(MAX_BYTES)) == MAX_BYTES


def test_a_bounded_number_of_candidates_and_names_is_looked_at(root, monkeypatch):
    for k in range(MAX_CANDIDATES + 5):
        (root / f"{k:03}").mkdir()
    assert [path.name for path, *_ in candidates_in(root)][-1] == f"{MAX_CANDIDATES - 1:03}"
    monkeypatch.setattr(content, "MAX_NAMES", 3)
    touch(root, *(f"000/{k}.txt" for k in range(9)))
    assert (
        candidates_in(root)[0].description
        == "a folder with "
        + ", ".join(map(repr, sorted(entry.name for entry in list(os.scandir(root / "000"))[:3])[:2]))
        + ", … (3 in all)"
    )


@pytest.mark.parametrize(
    ("name", "original"),
    [
        ("x.tar", "x.tar"),
        ("x (1).tar", "x.tar"),
        ("x(12).tar", "x.tar"),
        ("X_(2).tgz", "x.tgz"),
        ("x.tar.1", "x.tar"),
        ("x.tar.gz.aa", "x.tar.gz"),
        ("x1.tar", "x1.tar"),
    ],
)
def test_copies_and_pieces_have_the_name_of_the_original(root, name, original):
    touch(root, name)
    [candidate] = candidates_in(root)
    assert candidate.original_name == original
    assert candidate.is_copy == (name.lower() != original)
