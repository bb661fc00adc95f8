"""Images in TFDS's TFRecord files: messages `tf.train.Example` with the features `image` and `file_name`.

The messages are read by protobuf (3 MB installed), because TensorFlow is far larger and is needed for nothing
else. The package `tfrecord` ignores the checksums and allocates whatever a length claims.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    MessageOptions,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from imagenet_s.io.tfrecord import Record, records
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.readers.base import IMAGE, StreamedImage, base_name, image_name

TFRECORD_NAME = re.compile(r".*\.tfrecord-\d{5}-of-\d{5}", re.IGNORECASE | re.ASCII)
# Twice the largest image of ImageNet. Not MAX_IMAGE_BYTES: protobuf needs up to 20 times the size of a
# hostile message (measured), so this bounds the memory at 0.7 GB.
MAX_RECORD_BYTES = 1 << 25
EXPECTED = "Expected: the data set imagenet2012 as TFDS writes it. Get its files again."


class TFRecord:
    """A TFRecord file of images."""

    def __init__(self, path: Path):
        self.path = path
        self.position = 0

    def stream(self, wanted: Callable[[str], bool]) -> Iterator[StreamedImage]:
        """Yield the images for whose name (without ending) `wanted` is true, in the file's order.

        One image is in memory at a time. Records with other names than those of ImageNet-1k are skipped.

        Raises:
            UserError: The file is damaged, truncated or of another kind, or no record has a name of
                ImageNet-1k.
        """
        other_name, found = "", False
        for record in records(self.path, MAX_RECORD_BYTES):
            self.position = record.end
            features = self._features(record)
            name = base_name(self._value(features, "file_name", record).decode(errors="replace"))
            match = IMAGE.fullmatch(name)
            if not match:
                other_name = other_name or name[:100]
                continue
            found = True
            if wanted(image_name(match)):
                yield StreamedImage(image_name(match), self._value(features, "image", record))
        if other_name and not found:
            raise UserError(
                f"{self.path}: its images have names such as {other_name!r}, so which images of ImageNet-1k "
                f"they are is not known. {EXPECTED}"
            )

    def names(self) -> None:
        """Return None: the names are between the images."""

    def _features(self, record: Record) -> Mapping[str, Any]:
        """Return the features of a record: name → message `Feature`."""
        try:
            example = example_class().FromString(record.data)
        except DecodeError as error:
            raise UserError(
                f"{self.path}: {record.where} is not a message tf.train.Example ({error}). {EXPECTED}"
            ) from error
        features: Mapping[str, Any] = example.features.feature
        return features

    def _value(self, features: Mapping[str, Any], name: str, record: Record) -> bytes:
        """Return the bytes of a feature.

        Raises:
            UserError: The record does not have the feature, or it is not one string of bytes.
        """
        values = features[name].bytes_list.value if name in features else []
        if len(values) != 1:
            raise UserError(
                f"{self.path}: {record.where} has no feature {name!r} with one value of bytes. {EXPECTED}"
            )
        value: bytes = values[0]
        return value


@cache
def example_class() -> Any:
    """Return the class of messages `tf.train.Example`, with the fields that are read.

    Names and numbers are those of `example.proto` and `feature.proto` in tensorflow/core/example. Lists of
    integers and floats are left out: what is not parsed cannot fill the memory.
    """
    messages = [
        DescriptorProto(name="BytesList", field=[_field("value", 1, repeated=True)]),
        DescriptorProto(name="Feature", field=[_field("bytes_list", 1, ".BytesList")]),
        DescriptorProto(
            name="Features",
            field=[_field("feature", 1, ".Features.FeatureEntry", repeated=True)],
            nested_type=[
                DescriptorProto(
                    name="FeatureEntry",
                    field=[_field("key", 1, "string"), _field("value", 2, ".Feature")],
                    options=MessageOptions(map_entry=True),
                )
            ],
        ),
        DescriptorProto(name="Example", field=[_field("features", 1, ".Features")]),
    ]
    file = FileDescriptorProto(name="example.proto", syntax="proto3", message_type=messages)
    pool = DescriptorPool()  # not the default one, which has TensorFlow's own messages where it is loaded
    pool.AddSerializedFile(file.SerializeToString())
    return GetMessageClass(pool.FindMessageTypeByName("Example"))


def _field(name: str, number: int, kind: str = "bytes", repeated: bool = False) -> FieldDescriptorProto:
    """Return a field of type `bytes`, `string`, or of a message that is given as `.Name`."""
    field = FieldDescriptorProto(name=name, number=number)
    field.label = FieldDescriptorProto.LABEL_REPEATED if repeated else FieldDescriptorProto.LABEL_OPTIONAL
    if kind.startswith("."):
        field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, kind
    else:
        is_text = kind == "string"
        field.type = FieldDescriptorProto.TYPE_STRING if is_text else FieldDescriptorProto.TYPE_BYTES
    return field
