"""TFDS's TFRecord files: their images are read by name, other messages refused."""

from pathlib import Path

import pytest

from helpers.scans import FISH, SHARK, VAL
from helpers.tfrecord import example, field, framed, tfrecord
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.readers import tfrecord as module
from imagenet_s.source.readers.tfrecord import TFRecord

EXPECTED = "Expected: the data set imagenet2012 as TFDS writes it. Get its files again."


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "imagenet2012-train.tfrecord-00000-of-00001"


def write(path: Path, *images: tuple[str, bytes]) -> None:
    """Write images given as (file name, bytes)."""
    path.write_bytes(
        tfrecord({"file_name": name.encode(), "image": data, "label": 7} for name, data in images)
    )


def images_of(path: Path) -> list[tuple[str, bytes]]:
    return list(TFRecord(path).stream(lambda image: True))


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as error:
        images_of(path)
    return str(error.value)


def test_images_are_given_in_the_files_order(path):
    images = [(f"{FISH}_{k}", bytes([k]) * k * 99) for k in range(100)]
    write(path, *((f"{image}.JPEG", data) for image, data in images))
    assert images_of(path) == images


def test_only_wanted_images_are_given(path):
    write(path, *((f"{FISH}_{k}.JPEG", b"%d" % k) for k in range(99)))
    assert list(TFRecord(path).stream({f"{FISH}_3"}.__contains__)) == [(f"{FISH}_3", b"3")]


def test_names_are_not_known_before_the_file_is_read(path):
    assert TFRecord(path).names() is None


def test_names_are_given_in_the_official_spelling(path):
    names = [f"train/{FISH}/{FISH}_1.jpeg", f"{SHARK.upper()}_2.JPG", f"{VAL.lower()}.JPEG"]
    write(path, *((name, name.encode()) for name in names))
    official = [f"{FISH}_1", f"{SHARK}_2", VAL]
    assert images_of(path) == [(image, name.encode()) for image, name in zip(official, names, strict=True)]


def test_the_order_of_features_and_further_features_make_no_difference(path):
    features = {"label": -1, "extra": b"x", "image": b"1", "file_name": f"{FISH}_1.JPEG".encode()}
    path.write_bytes(tfrecord([features, dict(reversed(features.items()))]))
    assert images_of(path) == [(f"{FISH}_1", b"1")] * 2


def test_an_image_without_bytes_is_given_as_empty(path):
    write(path, (f"{FISH}_1.JPEG", b""))
    assert images_of(path) == [(f"{FISH}_1", b"")]


def test_records_with_other_names_are_skipped_beside_images(path):
    write(path, ("", b"1"), (f"{FISH}_1.png", b"2"), (f"{FISH}_1.JPEG", b"3"), ("x\0", b"4"))
    assert images_of(path) == [(f"{FISH}_1", b"3")]


def test_a_file_in_which_no_image_has_a_name_of_imagenet_is_refused(path):
    write(path, ("x/0.jpg", b"1"), ("x/1.jpg", b"2"))
    assert refusal(path) == (
        f"{path}: its images have names such as '0.jpg', so which images of ImageNet-1k they are is not "
        f"known. {EXPECTED}"
    )


def test_a_name_that_is_not_utf_8_is_no_name_of_an_image(path):
    path.write_bytes(tfrecord([{"file_name": b"\xff" * 999, "image": b"1"}]))
    assert f"names such as {'�' * 100!r}, so" in refusal(path)


def test_a_file_without_records_has_no_images(path):
    path.write_bytes(b"")
    assert images_of(path) == []


@pytest.mark.parametrize(
    ("features", "missing"),
    [
        ({}, "file_name"),
        ({"image": b"1"}, "file_name"),
        ({"file_name": 7, "image": b"1"}, "file_name"),
        ({"file_name": f"{FISH}_2.JPEG".encode()}, "image"),
        ({"file_name": f"{FISH}_2.JPEG".encode(), "image": 7}, "image"),
    ],
)
def test_a_record_without_a_feature_is_refused(path, features, missing):
    path.write_bytes(tfrecord([{"file_name": f"{FISH}_1.JPEG".encode(), "image": b"1"}, features]))
    start = len(tfrecord([{"file_name": f"{FISH}_1.JPEG".encode(), "image": b"1"}]))
    assert refusal(path) == (
        f"{path}: record 2 (at byte {start}) has no feature {missing!r} with one value of bytes. {EXPECTED}"
    )


def test_a_feature_with_two_values_is_refused(path):
    two = field(1, field(1, b"1") + field(1, b"2"))
    name = field(1, field(1, f"{FISH}_1.JPEG".encode()))
    entries = [field(1, b"image") + field(2, two), field(1, b"file_name") + field(2, name)]
    path.write_bytes(framed(field(1, b"".join(field(1, entry) for entry in entries))))
    assert "record 1 (at byte 0) has no feature 'image' with one value of bytes" in refusal(path)


WHOLE = example({"file_name": f"{FISH}_1.JPEG".encode(), "image": b"1" * 300, "label": 7})


@pytest.mark.parametrize(
    "data",
    [
        b"\xff" * 20,
        b"\x0a" + b"\xff" * 12,  # a length of more than 64 bits
        field(1, field(1, field(1, b"\xff\xfe") + field(2, b""))),  # a name that is not UTF-8
        b"\x0b" * 5000,  # groups in groups
        WHOLE[:-1],
    ],
)
def test_what_is_not_a_message_is_refused(path, data):
    path.write_bytes(framed(data))
    text = refusal(path)
    assert text.startswith(f"{path}: record 1 (at byte 0) is not a message tf.train.Example (")
    assert text.endswith(f"). {EXPECTED}")


def test_every_cut_of_a_message_is_refused(path):
    for size in range(len(WHOLE)):
        path.write_bytes(framed(WHOLE[:size]))
        assert str(path) in refusal(path)


def test_a_damaged_file_gives_the_images_before_the_damage(path):
    write(path, *((f"{FISH}_{k}.JPEG", b"%d" % k * 9) for k in range(5)))
    data = bytearray(path.read_bytes())
    data[data.index(b"333")] ^= 1
    path.write_bytes(data)
    given = []
    with pytest.raises(UserError, match=r"damaged: the checksum of record 4 \(at byte "):
        given.extend(TFRecord(path).stream(lambda image: True))
    assert given == [(f"{FISH}_{k}", b"%d" % k * 9) for k in range(3)]


def test_a_record_larger_than_any_image_is_refused(path, monkeypatch):
    monkeypatch.setattr(module, "MAX_RECORD_BYTES", 1000)
    write(path, (f"{FISH}_1.JPEG", b"1"), (f"{FISH}_2.JPEG", bytes(1000)))
    assert "has 1,0" in refusal(path)
    assert "more than any image has. Get it again." in refusal(path)


def test_messages_of_tensorflow_in_the_same_process_do_no_harm(path):
    from google.protobuf import descriptor_pool
    from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto

    file = FileDescriptorProto(name="example.proto", message_type=[DescriptorProto(name="Example")])
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
    module.example_class.cache_clear()
    write(path, (f"{FISH}_1.JPEG", b"1"))
    assert images_of(path) == [(f"{FISH}_1", b"1")]
