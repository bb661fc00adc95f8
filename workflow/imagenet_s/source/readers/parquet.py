"""Images in Hugging Face's parquet files: a column `image` of `bytes` and `path`."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from imagenet_s.io.split_file import require_file
from imagenet_s.io.tar_headers import MAX_IMAGE_BYTES
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.progress import log
from imagenet_s.source.readers.base import IMAGE, StreamedImage, base_name, image_name

ROWS = 4  # of images at a time; one has 110 kB, and may have MAX_IMAGE_BYTES
OPTIONS = {
    "buffer_size": 1 << 20,  # bytes; without it a row group's column is in memory as a whole
    "pre_buffer": False,
    "page_checksum_verification": True,  # of files that have checksums
}


class Parquet:
    """A parquet file of images. Names and bytes stand in columns of their own, so names cost little."""

    def __init__(self, path: Path):
        self.path = path

    def names(self) -> Iterator[str]:
        """The names of its images, without ending.

        Raises UserError for a file of another kind, and for one in which no image has a name of ImageNet-1k.
        """
        rows, unnamed, others, found = 0, 0, "", False
        for batch in self._batches("image.path", 10_000):
            names = batch.column("image").field("path").fill_null("").to_pylist()
            rows, unnamed = rows + len(names), unnamed + names.count("")
            for name in map(base_name, names):
                if IMAGE.fullmatch(name):
                    found = True
                    yield image_name(name)
                else:
                    others = others or name
        if rows and not found:
            raise UserError(self._without_names(rows, unnamed, others))
        if unnamed:
            log.warning("%s: %s of %s images have no name (`path` is null)", self.path, unnamed, rows)

    def stream(self, wanted: Callable[[str], bool]) -> Iterator[StreamedImage]:
        """(name without ending, bytes) of the images for whose name `wanted` holds, in the file's order.

        Some rows are in memory at a time. Raises UserError for a file of another kind.
        """
        for batch in self._batches("image", ROWS):
            for image in batch.column("image"):
                name = base_name(image["path"].as_py() or "")
                if IMAGE.fullmatch(name) and wanted(image_name(name)):
                    if len(image["bytes"].as_buffer() or b"") > MAX_IMAGE_BYTES:
                        raise self._too_large(name, len(image["bytes"].as_buffer()))
                    yield StreamedImage(image_name(name), image["bytes"].as_py() or b"")

    def _without_names(self, rows: int, unnamed: int, others: str) -> str:
        what = f"names such as {others!r}" if others else "no name (`path` is null)"
        return (
            f"{self.path}: its {rows:,} images have {what}, so which images of ImageNet-1k they are is not "
            "known. Expected: paths such as n01440764_10026_n01440764.JPEG, as in the original files of "
            "ILSVRC/imagenet-1k. Get these."
        )

    def _batches(self, column: str, rows: int) -> Iterator[pa.RecordBatch]:
        require_file(self.path)
        try:
            with pq.ParquetFile(self.path, **OPTIONS) as file:
                kind = file.schema_arrow.field("image").type
                if not _is_images(kind):
                    raise pa.ArrowInvalid(f"its column is {kind}")
                self._require_possible(file.metadata)
                for batch in file.iter_batches(rows, columns=[column]):
                    batch.column("image").field("path").validate(full=True)  # Arrow trusts it to be UTF-8
                    yield batch
        except (OSError, KeyError, UnicodeDecodeError, pa.ArrowException) as error:
            if isinstance(error, OSError) and error.errno:  # the operating system's word, not a decoder's
                raise OSError(error.errno, os.strerror(error.errno), str(self.path)) from error
            raise UserError(
                f"{self.path} cannot be read as parquet with a column `image` of `bytes` and `path`: "
                f"{error}. Get it again."
            ) from error

    def _require_possible(self, metadata: pq.FileMetaData) -> None:
        """Raises UserError for rows that are larger than any images: to read them would fill the memory."""
        for k in range(metadata.num_row_groups):
            group = metadata.row_group(k)
            # Of the whole group: to ask for a column whose facts are damaged ends the process.
            if group.total_byte_size > max(group.num_rows, 1) * MAX_IMAGE_BYTES:
                what = f"row group {k} with {group.num_rows:,} images"
                raise self._too_large(what, group.total_byte_size)

    def _too_large(self, what: str, size: int) -> UserError:
        return UserError(f"{self.path}: {what} has {size:,} bytes, more than any image has. Get it again.")


def _is_images(kind: pa.DataType) -> bool:
    """Whether a column is of `bytes` and `path`, and perhaps more."""
    if not pa.types.is_struct(kind):
        return False
    types = {field.name: field.type for field in kind}
    return types.get("path") in (pa.string(), pa.large_string()) and (
        types.get("bytes") in (pa.binary(), pa.large_binary())
    )
