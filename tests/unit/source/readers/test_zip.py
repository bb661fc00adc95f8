"""Images in zips are found by name, each once, and checked when they are read."""

import struct
import zipfile
from pathlib import Path

import pytest

from helpers.raw_imagenet import IN_KAGGLE, KAGGLE_ZIP, zip_of
from helpers.scans import FISH, FISH_1, FISH_2, SHARK, UNLISTED, VAL
from imagenet_s.images.reader import Reader
from imagenet_s.io.tar_headers import MAX_IMAGE_BYTES
from imagenet_s.io.zip_reader import LOCAL
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.listing import Row, all_files, listing_of, read_listing, write_listing
from imagenet_s.source.readers import zip as zip_module
from imagenet_s.source.readers.base import ScanNotes
from imagenet_s.source.readers.zip import Zip
from imagenet_s.source.scan import list_tier
from imagenet_s.source.tar_index import Index

SHARK_1 = f"{SHARK}_1"
IMAGES = {
    f"{IN_KAGGLE}/train/{FISH}/{FISH_1}.JPEG": b"one" * 99,
    f"{IN_KAGGLE}/train/{FISH}/{FISH_2}.JPEG": b"two" * 99,
    f"{IN_KAGGLE}/train/{SHARK}/{SHARK_1}.JPEG": b"three" * 99,
    f"{IN_KAGGLE}/val/{VAL}.JPEG": b"four" * 99,
}
# Where the fields of an entry of the central directory are (APPNOTE 4.3.12), and those of a local header.
FLAGS, METHOD, CRC, PACKED, SIZE, MODE, OFFSET = 8, 10, 16, 20, 24, 40, 42
LOCAL_METHOD, LOCAL_EXTRA = 8, 28


@pytest.fixture
def path(root) -> Path:
    return zip_of(root / KAGGLE_ZIP, IMAGES.items())


def found(path: Path) -> dict[str, list[str]]:
    """Return the images of each class, and under "val" the val images."""
    reader = Zip(path, ScanNotes(), Index())
    images = dict(reader.train_images(reader.classes())) | {"val": reader.val_images()}
    return {name: [image.image for image in some] for name, some in images.items()}


def read(path: Path) -> dict[str, bytes]:
    """Return image → its bytes, of all images in a zip."""
    reader = Zip(path, ScanNotes(), Index())
    images = [image for _, some in reader.train_images(reader.classes()) for image in some]
    with Reader() as bytes_of:
        return {
            image.image: bytes(bytes_of.read(Row(image.image, "", *image[1:])))
            for image in [*images, *reader.val_images()]
        }


def patch(path: Path, field: int, layout: str, value: int, entry: int = 0, signature=b"PK\1\2") -> None:
    """Overwrite one field of an entry of the central directory, or after another signature."""
    data, at = bytearray(path.read_bytes()), -1
    for _ in range(entry + 1):
        at = data.index(signature, at + 1)
    struct.pack_into(layout, data, at + field, value)
    path.write_bytes(data)


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as error:
        found(path)
    return str(error.value)


def test_images_are_found_by_their_names_in_any_folder(path):
    assert found(path) == {FISH: [FISH_1, FISH_2], SHARK: [SHARK_1], "val": [VAL]}
    assert read(path) == {Path(name).stem: data for name, data in IMAGES.items()}


def test_members_are_stored_and_deflated_in_these_tests(path):
    with zipfile.ZipFile(path) as archive:
        assert {info.compress_type for info in archive.infolist()} == {0, 8}


@pytest.mark.parametrize(
    "name",
    [
        "ILSVRC/Annotations/CLS-LOC/train/n01443537/n01443537_10.xml",
        f"{IN_KAGGLE}/test/ILSVRC2012_test_00000001.JPEG",
        f"{IN_KAGGLE}/train/",
        f"{IN_KAGGLE}/train/{FISH}/notes.txt",
        f"__MACOSX/{FISH}/._{FISH}_1.JPEG",
        "LOC_synset_mapping.txt",
        f"{FISH}.tar",
    ],
)
def test_other_members_are_skipped(root, name):
    path = zip_of(root / "train.zip", [(name, b""), (f"{FISH}/{FISH_1}.JPEG", b"1")])
    assert found(path) == {FISH: [FISH_1], "val": []}


@pytest.mark.parametrize(
    "name",
    [f"{FISH_1}.JPEG", f"{FISH_1}.jpg", f"train\\{FISH}\\{FISH_1}.JPEG", f"x/{FISH_1}_{FISH}.jpeg"],
)
def test_names_have_the_variants_of_other_layouts(root, name):
    path = zip_of(root / "train.zip", [(name, b"1")])
    assert read(path) == {FISH_1: b"1"}


def test_an_empty_zip_has_no_images(root):
    path = zip_of(root / "train.zip", [])
    assert found(path) == {"val": []}


def test_the_directory_is_read_once_for_all_tiers(path, root, monkeypatch):
    calls = []
    own = zip_module._read
    monkeypatch.setattr(zip_module, "_read", lambda path: calls.append(path) or own(path))
    index = Index()
    rows = [row for tier in (50, 300, 919) for row in list_tier(root, tier, index)[0]]
    assert {row.image for row in rows} == {FISH_1, FISH_2, SHARK_1, VAL}
    assert calls == [path]


def test_many_images_take_arrays_not_objects(root, monkeypatch):
    monkeypatch.setattr(zip_module, "BATCH", 3)
    names = [f"{wnid}/{wnid}_{k}.JPEG" for k in range(10) for wnid in (SHARK, FISH)]
    path = zip_of(root / "train.zip", [(name, name.encode()) for name in names])
    assert found(path) == {wnid: [f"{wnid}_{k}" for k in range(10)] for wnid in (FISH, SHARK)} | {"val": []}
    assert read(path) == {Path(name).stem: name.encode() for name in names}


# Listings


def test_a_listing_carries_what_reading_a_member_takes(path, root, tmp_path):
    rows, scan = list_tier(root, 50, Index())
    write_listing(listing_of(rows, scan.fingerprints), tmp_path / "50.parquet")
    with Reader() as reader:
        read = {
            row["image"]: bytes(reader.read(Row(**row)))
            for row in read_listing(tmp_path / "50.parquet").to_pylist()
        }
    assert read == {Path(name).stem: data for name, data in IMAGES.items()}
    assert list(scan.fingerprints) == [str(path)]


def test_listings_with_and_without_zips_go_together():
    plain = listing_of([Row("a", FISH, "/a.JPEG"), Row("b", FISH, "/x.tar", 512, 9)], {})
    zipped = listing_of([Row("c", FISH, "/x.zip", 30, 9, 7, 8, 1 << 31)], {})
    assert plain.schema.names == ["image", "imagenet_wnid", "path", "offset", "size"]
    rows = [Row(*row.values()) for row in all_files([plain, zipped]).to_pylist()]
    assert [row.compression for row in rows] == [None, None, (7, 8, 1 << 31)]


# Hostile and damaged zips


def test_an_image_that_is_there_twice_is_used_once_or_refused(root):
    path = zip_of(root / "train.zip", [(f"{k}/{FISH_1}.JPEG", b"same") for k in range(2)])
    assert found(path) == {FISH: [FISH_1], "val": []}
    zip_of(path, [(f"{k}/{FISH_1}.JPEG", b"%d" % k) for k in range(2)])
    assert refusal(path).startswith(
        f"{path} holds {FISH_1}.JPEG twice, with different bytes: at byte 0 (1 bytes) and at byte "
    )


@pytest.mark.parametrize(
    ("field", "layout", "value", "why"),
    [
        (FLAGS, "<H", 1, "is encrypted"),
        (METHOD, "<H", 12, "is compressed with bzip2 (method 12); use deflate or store"),
        (METHOD, "<H", 99, "is compressed with an unknown method (method 99); use deflate or store"),
        (SIZE, "<I", MAX_IMAGE_BYTES + 1, "would unpack to 268,435,457 bytes"),
        (MODE, "<H", 0o120777, "is a link or a device, not a file"),
    ],
)
def test_an_image_that_cannot_be_read_is_named(path, field, layout, value, why):
    patch(path, field, layout, value)
    name = next(iter(IMAGES))
    assert refusal(path) == (
        f"{path}: its member {name!r} {why}. Get another zip, or unpack this one and set `imagenet` to the "
        "folder."
    )


def test_such_members_that_are_no_images_do_no_harm(root):
    path = zip_of(root / "train.zip", [("a.txt", b"1"), (f"{FISH_1}.JPEG", b"2")])
    patch(path, METHOD, "<H", 12)
    patch(path, FLAGS, "<H", 1)
    assert read(path) == {FISH_1: b"2"}


@pytest.mark.parametrize("value", [0x7FFFFFFF, 0xFFFFFFFE])
@pytest.mark.parametrize("field", [OFFSET, PACKED])
def test_members_beyond_the_directory_are_refused(path, field, value):
    patch(path, field, "<I", value)
    assert refusal(path) == (
        f"{path} cannot be read as a zip: its member {next(iter(IMAGES))!r} lies outside of it. Let the "
        "download finish, or get it again."
    )


def test_overlapping_members_are_refused(path):
    patch(path, OFFSET, "<I", 0, entry=2)
    assert f"{path} cannot be read as a zip: its members at byte 0 and at byte 0 overlap. " in refusal(path)
    patch(path, OFFSET, "<I", 40, entry=2)
    assert ": its members at byte 0 and at byte 40 overlap. " in refusal(path)


def test_an_unfinished_download_is_refused_wherever_it_ends(path):
    data = path.read_bytes()
    for size in {*range(0, len(data), 37), *range(len(data) - 30, len(data))}:
        path.write_bytes(data[:size])
        text = refusal(path)
        assert text.startswith(f"{path} cannot be read as a zip: it ")
        assert text.endswith(". Let the download finish, or get it again.")
        assert ("unfinished download" in text) == (size >= 4)


STORED, DEFLATED = FISH_1, FISH_2  # the first two members
HEADER = b"PK\3\4"


@pytest.mark.parametrize(
    ("image", "change", "why"),
    [
        (STORED, lambda path: patch(path, CRC, "<I", 1), "its CRC-32 is wrong"),
        (STORED, lambda path: patch(path, SIZE, "<I", 9), "it does not unpack to 9 bytes"),
        (STORED, lambda path: patch(path, PACKED, "<I", 9), "it does not unpack to 297 bytes"),
        (DEFLATED, lambda path: patch(path, SIZE, "<I", 9, 1), "it does not unpack to 9 bytes"),
        (
            DEFLATED,
            lambda path: patch(path, SIZE, "<I", MAX_IMAGE_BYTES, 1),
            "it does not unpack to 268,435,456 bytes",
        ),
        (DEFLATED, lambda path: patch(path, PACKED, "<I", 5, 1), "its compressed bytes end early"),
        (
            STORED,
            lambda path: patch(path, LOCAL_METHOD, "<H", 8, 0, HEADER),
            f"its own header says {next(iter(IMAGES))!r}, compression method 8",
        ),
        (STORED, lambda path: patch(path, 0, "<I", 0, 0, HEADER), "its header is missing"),
        (STORED, lambda path: patch(path, OFFSET, "<I", 1), "its header is missing"),
        (
            STORED,
            lambda path: patch(path, LOCAL_EXTRA, "<H", 65_535, 0, HEADER),
            "it does not unpack to 297 bytes",
        ),
        (
            STORED,
            lambda path: path.write_bytes(path.read_bytes().replace(FISH_1.encode(), SHARK_1.encode(), 1)),
            f"its own header says '{IN_KAGGLE}/train/{FISH}/{SHARK_1}.JPEG', compression method 0",
        ),
    ],
    ids=range(11),
)
def test_a_member_that_differs_from_the_directory_is_refused_when_it_is_read(path, image, change, why):
    change(path)
    with pytest.raises(UserError) as error:
        read(path)
    assert str(error.value) == f"{path} is damaged at {image}: {why}. Get it again."


def test_a_local_header_may_be_long(root):
    path = root / "train.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo(f"{'deep/' * 50}{FISH_1}.JPEG")
        info.extra = struct.pack("<HH", 0x9999, 3000) + bytes(3000)
        archive.writestr(info, b"1" * 999)
    assert path.read_bytes().startswith(b"PK\3\4")
    assert LOCAL.unpack_from(path.read_bytes())[4] == 3004
    assert read(path) == {FISH_1: b"1" * 999}


def test_images_that_no_subset_uses_are_not_listed(root):
    zip_of(root / KAGGLE_ZIP, [*IMAGES.items(), (f"{UNLISTED}.JPEG", b"")])
    rows, _ = list_tier(root, 50, Index())
    assert UNLISTED not in {row.image for row in rows}
