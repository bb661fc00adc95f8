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

ROWS = 4  # images in memory at a time; one has 110 kB on average, and at most MAX_IMAGE_BYTES
NAME_ROWS = 10_000  # names in memory at a time
BUFFER = 1 << 20  # bytes; without a buffer, the whole column of a row group is in memory


class Parquet:
    """A parquet file of images. Names are in a column of their own, so they can be read without the bytes."""

    def __init__(self, path: Path):
        self.path = path
        self.position = 0

    def names(self) -> Iterator[str]:
        """Yield the names of the images, without ending.

        Raises:
            UserError: The file is of another kind, or no image has a name of ImageNet-1k.
        """
        rows, unnamed, other_name, found = 0, 0, "", False
        for images in self._batches("image.path", NAME_ROWS):
            names = [path or "" for path in images.field("path").to_pylist()]
            rows, unnamed = rows + len(names), unnamed + names.count("")
            for name in map(base_name, names):
                if match := IMAGE.fullmatch(name):
                    found = True
                    yield image_name(match)
                else:
                    other_name = other_name or name
        if rows and not found:
            raise UserError(self._without_names(rows, other_name))
        if unnamed:
            log.warning("%s: %s of %s images have no name (`path` is null)", self.path, unnamed, rows)

    def stream(self, wanted: Callable[[str], bool]) -> Iterator[StreamedImage]:
        """Yield the images for whose name (without ending) `wanted` is true, in the file's order.

        `ROWS` images are in memory at a time.

        Raises:
            UserError: The file is of another kind, or an image is larger than any image of ImageNet.
        """
        for images in self._batches("image", ROWS):
            for image in images:
                name = base_name(image["path"].as_py() or "")
                match = IMAGE.fullmatch(name)
                if match and wanted(image_name(match)):
                    data = image["bytes"]
                    assert isinstance(data, pa.BinaryScalar)  # `_is_images` has checked it
                    size = len(data.as_buffer() or b"")
                    if size > MAX_IMAGE_BYTES:
                        raise self._too_large(name, size)
                    yield StreamedImage(image_name(match), data.as_py() or b"")

    def _without_names(self, rows: int, other_name: str) -> str:
        what = f"names such as {other_name!r}" if other_name else "no name (`path` is null)"
        return (
            f"{self.path}: its {rows:,} images have {what}, so which images of ImageNet-1k they are is not "
            "known. Expected: paths such as n01440764_10026_n01440764.JPEG, as in the original files of "
            "ILSVRC/imagenet-1k. Get these."
        )

    def _batches(self, column: str, rows: int) -> Iterator[pa.StructArray]:
        """Yield the images, or the part of them that `column` names, up to `rows` at a time."""
        require_file(self.path)
        try:
            with pq.ParquetFile(
                self.path, buffer_size=BUFFER, pre_buffer=False, page_checksum_verification=True
            ) as file:
                kind = file.schema_arrow.field("image").type
                if not _is_images(kind):
                    raise pa.ArrowInvalid(f"its column is {kind}")
                self._require_possible(file.metadata)
                size, total, read = self.path.stat().st_size, file.metadata.num_rows, 0
                for batch in file.iter_batches(rows, columns=[column]):
                    images = batch.column("image")
                    assert isinstance(images, pa.StructArray)  # `_is_images` has checked it
                    images.field("path").validate(full=True)  # Arrow assumes that it is UTF-8
                    read += len(batch)
                    self.position = size * read // max(total, 1)  # its rows are of about the same size
                    yield images
        except (OSError, KeyError, UnicodeDecodeError, pa.ArrowException) as error:
            if isinstance(error, OSError) and error.errno:  # from the operating system, not from a decoder
                raise OSError(error.errno, os.strerror(error.errno), str(self.path)) from error
            raise UserError(
                f"{self.path} cannot be read as parquet with a column `image` of `bytes` and `path`: "
                f"{error}. Get it again."
            ) from error

    def _require_possible(self, metadata: pq.FileMetaData) -> None:
        """Raise UserError for rows larger than any images can be: reading them would fill the memory."""
        for k in range(metadata.num_row_groups):
            group = metadata.row_group(k)
            # The size of the whole group: asking for a column with damaged metadata ends the process.
            if group.total_byte_size > max(group.num_rows, 1) * MAX_IMAGE_BYTES:
                what = f"row group {k} with {group.num_rows:,} images"
                raise self._too_large(what, group.total_byte_size)

    def _too_large(self, what: str, size: int) -> UserError:
        return UserError(f"{self.path}: {what} has {size:,} bytes, more than any image has. Get it again.")


def _is_images(kind: pa.DataType) -> bool:
    """Return whether a column has the fields `bytes` and `path`, and perhaps others."""
    if not pa.types.is_struct(kind):
        return False
    types = {field.name: field.type for field in kind}
    return types.get("path") in (pa.string(), pa.large_string()) and (
        types.get("bytes") in (pa.binary(), pa.large_binary())
    )
