"""Which reader fits a place, by its name or by its first bytes."""

from pathlib import Path

from imagenet_s.io.split_file import FIRST_PIECE
from imagenet_s.runtime.file_kind import Kind, kind_of_file
from imagenet_s.source.readers.base import IndexedReader, ScanNotes, StreamingReader
from imagenet_s.source.readers.compressed_tar import CompressedTar
from imagenet_s.source.readers.folder import Folder
from imagenet_s.source.readers.parquet import Parquet
from imagenet_s.source.readers.tar import Tar
from imagenet_s.source.readers.tfrecord import TFRECORD_NAME, TFRecord
from imagenet_s.source.readers.webdataset import SHARD, WebDataset
from imagenet_s.source.readers.zip import Zip
from imagenet_s.source.tar_index import Index

COMPRESSED = (Kind.GZIP, Kind.ZSTANDARD)
COMPRESSED_ENDINGS = (".gz", ".tgz", ".zst")


def is_streamed(place: Path) -> bool:
    """Return whether a place can only be read from front to back, by a `StreamingReader`."""
    return _streaming_class(place) is not None


def indexed_reader(place: Path, notes: ScanNotes, index: Index) -> IndexedReader:
    """Return the reader of a folder, a tar, a shard or a zip.

    Args:
        place: A path for which `is_streamed` is false.
        notes: What the reader finds beside the images is added here.
        index: The known members of archives, to which the reader adds.
    """
    if SHARD.fullmatch(place.name):
        return WebDataset(place, notes, index)
    if place.is_dir():
        return Folder(place, notes, index)
    return Zip(place, notes, index) if is_zip(place) else Tar(place, notes, index)


def is_zip(place: Path) -> bool:
    """Return whether a place is a zip by its name. What else it may be is found before it is read."""
    return place.suffix.lower() == ".zip"


def streaming_reader(place: Path) -> StreamingReader:
    """Return the reader of a file for which `is_streamed` is true."""
    # If the file has been replaced since, the reader of compressed tars says so.
    return (_streaming_class(place) or CompressedTar)(place)


def _streaming_class(place: Path) -> type[CompressedTar] | type[Parquet] | type[TFRecord] | None:
    """Return the class that reads a place from front to back; None for folders, tars and zips.

    The first bytes of an archive decide, because names can be wrong; its ending counts if they do not tell.
    Parquet and TFRecord files and shards are not opened: there can be a thousand.
    """
    if is_zip(place) or SHARD.fullmatch(place.name) or place.is_dir():
        return None
    piece = FIRST_PIECE.fullmatch(place.name)
    ending = Path(piece[1] if piece else place.name).suffix.lower()
    if ending == ".parquet":
        return Parquet
    if TFRECORD_NAME.fullmatch(place.name):
        return TFRecord
    kind = _kind(place)
    if kind in COMPRESSED or (kind is not Kind.TAR and ending in COMPRESSED_ENDINGS):
        return CompressedTar
    return None


def _kind(path: Path) -> Kind:
    """Return what a file is; UNKNOWN if it cannot be read, which its reader explains."""
    try:
        return kind_of_file(path) if path.is_file() else Kind.UNKNOWN
    except OSError:
        return Kind.UNKNOWN
