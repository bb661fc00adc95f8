"""WebDataset shards: the images of samples, by the name in their key or in their JSON."""

import io
import json
import logging
import tarfile
from pathlib import Path

import pytest

from helpers.raw_imagenet import tar_of, webdataset
from helpers.scans import FISH, FISH_1, FISH_2, MOVED, SHARK, UNLISTED, VAL
from imagenet_s.io.split_file import SplitFile
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.readers.base import ScanNotes
from imagenet_s.source.readers.webdataset import MAX_JSON_BYTES, SHARD, WebDataset
from imagenet_s.source.scan import list_tier
from imagenet_s.source.tar_index import Index

TRAIN, VALIDATION = "imagenet1k-train-0000.tar", "imagenet1k-validation-00.tar"


def described(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def sample(key: str, data: bytes, **fields: object) -> list[tuple[str, bytes]]:
    return [(f"{key}.cls", b"0"), (f"{key}.jpg", data), (f"{key}.json", described(**fields))]


@pytest.fixture
def found(root):
    """Return a function that lists the images of one shard: image → its bytes there."""

    def found(members: list[tuple[str, bytes]], name: str = TRAIN, index: Index | None = None):
        path = root / name
        path.write_bytes(tar_of(members))
        reader = WebDataset(path, ScanNotes(), index or Index())
        if "train" in name:
            images = [image for _, some in reader.train_images(reader.classes()) for image in some]
        else:
            images = reader.val_images()
        with SplitFile(path) as pieces:
            return {image.image: pieces.read(image.size, image.offset) for image in images}

    return found


@pytest.fixture
def refusal(found, root):
    def refusal(members: list[tuple[str, bytes]], name: str = TRAIN) -> str:
        with pytest.raises(UserError) as error:
            found(members, name)
        assert str(error.value).startswith(str(root / name))
        return str(error.value)

    return refusal


# Names


@pytest.mark.parametrize(
    "key",
    [FISH_1, f"{FISH_1}_{FISH}", f"./{FISH_1}", f"train/{FISH}/{FISH_1}", FISH_1.upper()],
)
@pytest.mark.parametrize("ending", ["jpg", "jpeg", "JPEG", "JPG"])
def test_a_key_that_is_a_name_needs_no_json(found, key, ending):
    assert found([(f"{key}.cls", b"0"), (f"{key}.{ending}", b"1")]) == {FISH_1: b"1"}
    # Neither is one read that is there.
    assert found([(f"{key}.{ending}", b"1"), (f"{key}.json", b"not JSON")]) == {FISH_1: b"1"}


@pytest.mark.parametrize("field", ["filename", "file_name", "FileName", "path", "image-path", "id"])
@pytest.mark.parametrize(
    "text",
    [FISH_1, f"{FISH_1}.JPEG", f"{FISH_1}_{FISH}.JPEG", f"train/{FISH}/{FISH_1}.jpg", rf"a\{FISH_1}.JPEG"],
)
def test_else_the_name_is_in_the_json(found, field, text):
    other = {"label": 1, "caption": f"{FISH_2}.JPEG", "width": None}
    assert found(sample("0001", b"1", **other, **{field: text})) == {FISH_1: b"1"}


def test_the_first_field_with_an_official_name_counts(found):
    fields = {"id": FISH_2, "name": "goldfish", "path": f"{FISH_1}.JPEG", "filename": 7}
    assert found(sample("0001", b"1", **fields)) == {FISH_1: b"1"}


def test_members_of_a_sample_may_be_in_any_order(found):
    members = sample("0001", b"1", filename=FISH_1)
    assert found(members[::-1]) == {FISH_1: b"1"}


def test_val_images_are_found_in_the_same_ways(found):
    members = [*sample("0", b"1", filename=f"{VAL}_{FISH}.JPEG"), (f"{MOVED}.jpg", b"2")]
    assert found(members, VALIDATION) == {VAL: b"1", MOVED: b"2"}


def test_a_key_that_comes_again_later_is_another_sample(found):
    first, other, again = ([(f"{key}.jpg", data)] for key, data in (("0", b"0"), ("1", b"1"), ("0", b"2")))
    names = [[(f"{key}.json", described(filename=name))] for key, name in (("0", FISH_1), ("1", FISH_2))]
    third = [("0.json", described(filename=f"{FISH}_3"))]
    members = [*first, *names[0], *other, *names[1], *again, *third]
    assert found(members) == {FISH_1: b"0", FISH_2: b"1", f"{FISH}_3": b"2"}


def test_an_image_apart_from_its_json_has_no_name(found, caplog):
    members = [("0.jpg", b"0"), (f"{FISH_1}.jpg", b"1"), ("0.json", described(filename=FISH_2))]
    assert found(members) == {FISH_1: b"1"}
    [record] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert record.getMessage().endswith(
        f"{TRAIN}: skipped images without an official name, in their own name or in JSON: '0.jpg'"
    )


def test_files_that_macos_adds_do_not_divide_a_sample(found):
    one, image, text = sample("0", b"1", filename=FISH_1)
    assert found([("._0.jpg", b"a Mac"), image, ("._0.json", b"a Mac"), text, one]) == {FISH_1: b"1"}


@pytest.mark.parametrize("members", [[], [("README", b"1")], [("0.cls", b"1"), ("0.json", b"{")]])
def test_a_shard_without_images_is_empty(found, members):
    assert found(members) == {}
    assert found(members, VALIDATION) == {}


@pytest.mark.parametrize("name", [TRAIN, VALIDATION])
def test_a_shard_without_any_official_name_is_refused_with_what_is_expected(refusal, name):
    text = refusal([*sample("0001", b"1", filename="a.jpg"), ("0002.jpg", b"2")], name)
    assert ": its 2 images have names such as '0001.jpg', and no official name in a JSON file" in text
    assert "a field `filename` such as n01440764_10026.JPEG" in text


# Damage and attacks


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        bytes(40),
        b"\xff\xfe{",
        b"[" * 20_000,
        b'{"filename": ' + b"9" * 5000 + b"}",
        b'{"a": "\xff"}',
    ],
    ids=range(7),
)
def test_json_that_is_needed_and_damaged_is_refused_by_name(refusal, data):
    text = refusal([("0001.jpg", b"1"), ("0001.json", data)])
    assert ": its member '0001.json' is damaged: it is not JSON (" in text


@pytest.mark.parametrize(
    "data", [b"7", b"null", b"[]", b'"n01443537_1"', b"{}", b'{"filename": {"path": "x"}}']
)
def test_json_of_another_form_has_no_name(refusal, data):
    assert "official name" in refusal([("0001.jpg", b"1"), ("0001.json", data)])


def test_json_that_is_too_large_is_refused_unread(refusal, monkeypatch):
    sizes = []
    read = SplitFile.read
    monkeypatch.setattr(SplitFile, "read", lambda self, n, at: sizes.append(n) or read(self, n, at))
    text = refusal([("0001.jpg", b"1"), ("0001.json", bytes(MAX_JSON_BYTES + 1))])
    assert ": its member '0001.json' has 65,537 bytes; at most 65,536 are expected" in text
    assert max(sizes) <= tarfile.RECORDSIZE  # the end of the archive


def test_an_image_twice_must_have_the_same_bytes(found, refusal):
    members = [*sample("0", b"1", filename=FISH_1), *sample("1", b"1", filename=FISH_1)]
    assert found(members) == {FISH_1: b"1"}
    for key in ("0", "2"):
        text = refusal([*members, *sample(key, b"other", filename=FISH_1)])
        assert f" holds {FISH_1}.JPEG twice, with different bytes: at byte 1,536 (1 bytes) and as " in text


def test_a_shard_cut_anywhere_is_refused_or_lacks_only_its_end(root):
    data = tar_of([*sample("0", b"1" * 600, filename=FISH_1), *sample("1", b"2" * 600, filename=FISH_2)])
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = archive.getmembers()
    end = members[-1].offset_data + 512  # here, two empty blocks end the tar; the rest is padding
    cuts = {
        at for m in members for at in (m.offset, m.offset + 1, m.offset_data, m.offset_data + m.size // 2)
    }
    for at in sorted({*cuts, end - 511, end, end + 511} - {0}):
        (root / TRAIN).write_bytes(data[:at])
        with pytest.raises(UserError, match=" ends early: ") as error:
            WebDataset(root / TRAIN, ScanNotes(), Index()).classes()
        last = [m.name for m in members if m.offset_data + -(-m.size // 512) * 512 <= at]
        assert f"the last good member is {repr(last[-1]) if last else 'its beginning'}." in str(error.value)
    (root / TRAIN).write_bytes(data[: end + 512])
    assert WebDataset(root / TRAIN, ScanNotes(), Index()).classes() == [FISH]


# Whole sets


def test_the_shards_of_a_set_complete_each_other(root):
    for k, (name, data) in enumerate(((FISH_1, b"1"), (FISH_2, b"2"), (f"{SHARK}_1", b"3"))):
        (root / f"imagenet1k-train-{k:04}.tar").write_bytes(tar_of(sample("0", data, filename=name)))
    (root / "imagenet1k-validation-00.tar").write_bytes(tar_of(sample("0", b"4", filename=UNLISTED)))
    (root / "imagenet1k-validation-01.tar").write_bytes(tar_of(sample("0", b"5", filename=VAL)))
    rows, scan = list_tier(root, 50, Index())
    assert [row.image for row in rows] == [VAL, FISH_1, FISH_2, f"{SHARK}_1"]
    assert (scan.layout, scan.one_pass) == ("WebDataset", [])
    assert scan.sources == {place: place.count("01.tar") or place.count("train") for place in scan.sources}
    assert len(scan.sources) == len(scan.fingerprints) == 5
    assert scan.unrecognized == scan.duplicates == scan.unused == []


def test_an_image_in_two_shards_is_used_once_and_reported(root):
    for k in range(2):
        (root / f"imagenet1k-train-{k:04}.tar").write_bytes(tar_of(sample(str(k), b"1", filename=FISH_1)))
    rows, scan = list_tier(root, 50, Index())
    assert [(row.image, Path(row.path).name) for row in rows] == [(FISH_1, TRAIN)]
    assert scan.duplicates == [f"{root}/imagenet1k-train-0001.tar: {FISH_1}"]


def test_names_are_kept_in_the_index_so_that_no_json_is_read_again(found, root, tmp_path, monkeypatch):
    index = Index(tmp_path / "index.parquet")
    members = [*sample("0", b"1", filename=FISH_1), *sample("1", b"2", filename=FISH_2)]
    assert found(members, index=index) == {FISH_1: b"1", FISH_2: b"2"}
    index.save()
    (table,) = index.tables.values()
    assert table["name"].to_pylist() == [f"{FISH_1}.JPEG".encode(), f"{FISH_2}.JPEG".encode()]
    monkeypatch.setattr(SplitFile, "read", lambda *_: pytest.fail("read"))
    reader = WebDataset(root / TRAIN, ScanNotes(), Index(tmp_path / "index.parquet"))
    assert [image.image for _, some in reader.train_images([FISH]) for image in some] == [FISH_1, FISH_2]


def test_of_a_listing_only_headers_and_json_are_read(imagenet50, tmp_path, monkeypatch):
    root = webdataset(imagenet50, tmp_path / "source")
    read = []
    fill = SplitFile.fill
    monkeypatch.setattr(SplitFile, "fill", lambda self, *a: read.append(fill(self, *a)) or read[-1])
    rows, _ = list_tier(root, 50, Index())
    samples, shards = 650 + 752 + 1682, 6
    assert len(rows) == samples
    most = samples * (3 * 512 + 100) + shards * (tarfile.RECORDSIZE + 512)
    assert samples * 3 * 512 < sum(read) <= most


@pytest.mark.parametrize(
    ("name", "is_shard"),
    [
        ("imagenet1k-train-0000.tar", True),
        ("imagenet1k-validation-63.tar", True),
        ("IMAGENET-VAL-000000.TAR", True),
        ("imagenet1k-train-0000.tar.part", False),
        ("imagenet1k-train-0000 (1).tar", False),
        ("imagenet1k-train-1234567.tar", False),
        ("imagenet1k-train-٣.tar", False),
        ("imagenet12k-train-0000.tar", False),
    ],
)
def test_names_of_shards(name, is_shard):
    assert bool(SHARD.fullmatch(name)) == is_shard
