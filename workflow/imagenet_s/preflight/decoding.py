"""Decode every image of a copy of ImageNet-1k: which images cannot be decoded, or are probably truncated."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

from imagenet_s.images.reader import Reader
from imagenet_s.io.split_file import size_of
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.image_file import BadImage, TooLarge, decode, examine
from imagenet_s.runtime.progress import progress
from imagenet_s.source.readers.base import ImageLocation, ScanNotes, StreamedImage
from imagenet_s.source.readers.choose import indexed_reader, is_streamed, streaming_reader
from imagenet_s.source.scan import row_of
from imagenet_s.source.tar_index import Index

BATCH = 32  # images per task

T = TypeVar("T")


class Decoded(NamedTuple):
    """How many images were examined, and a line for each that is faulty."""

    images: int
    faults: list[str]


class Batch(NamedTuple):
    """What was found in some images, and how many bytes they took of a file read from front to back."""

    images: int
    faults: list[str]
    read: int = 0


Task = Callable[[], Batch]


def images_in(place: Path, kind: str, index: Index) -> Iterator[ImageLocation]:
    """Yield all `train` or `val` images in a folder or tar."""
    reader = indexed_reader(place, ScanNotes(), index)
    if kind == "val":
        yield from reader.val_images()
    else:
        for _, images in reader.train_images(reader.classes()):
            yield from images


def faults_of_images(places: Sequence[tuple[str, Path]], index: Index, workers: int) -> Decoded:
    """Decode all images of the places, given as (`train` or `val`, path).

    Uses threads, which run in parallel while Pillow decodes.
    """
    count = 0
    faults: list[str] = []
    sizes = [_size_of(place) for _, place in places if is_streamed(place)]
    in_bytes = len(sizes) == len(places)  # else the total is not known
    bar_for = progress("Decoding", sum(sizes), "B") if in_bytes else progress("Decoding", None, "images")
    with bar_for as bar:
        for batch in _run(_tasks(places, index), workers):
            bar.update(batch.read if in_bytes else batch.images)
            count += batch.images
            faults += batch.faults
    return Decoded(count, faults)


def _size_of(place: Path) -> int:
    try:
        return size_of(place)
    except UserError:  # pieces are missing, which is found when they are read
        return 0


def _run(tasks: Iterable[Task], workers: int) -> Iterator[Batch]:
    """Run tasks in parallel and yield their results in order. Few are prepared ahead: they hold images."""
    with ThreadPoolExecutor(workers) as threads:
        started: deque[Future[Batch]] = deque()
        for task in tasks:
            started.append(threads.submit(task))
            if len(started) > 2 * workers:
                yield started.popleft().result()
        while started:
            yield started.popleft().result()


def _tasks(places: Sequence[tuple[str, Path]], index: Index) -> Iterator[Task]:
    for kind, place in places:
        tasks = _stream_tasks(place) if is_streamed(place) else _file_tasks(images_in(place, kind, index))
        try:
            yield from tasks
        except UserError as error:  # the other places can still be examined
            yield partial(Batch, 0, [str(error)])


def _file_tasks(images: Iterable[ImageLocation]) -> Iterator[Task]:
    for batch in _batches(images):
        yield partial(_read_and_decode, batch)


def _stream_tasks(place: Path) -> Iterator[Task]:
    reader, before = streaming_reader(place), 0
    for batch in _batches(reader.stream(lambda image: True)):
        yield partial(_decode_all, place, batch, reader.position - before)
        before = reader.position


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    items = iter(items)
    while batch := list(islice(items, BATCH)):
        yield batch


def _read_and_decode(batch: Sequence[ImageLocation]) -> Batch:
    faults = []
    with Reader() as reader:
        for image in batch:
            row = row_of(image, "")  # its class makes no difference here
            try:
                data = reader.read(row)
            except OSError as error:
                faults.append(f"{row.where} cannot be read ({error.strerror})")
            except UserError as error:
                faults.append(str(error))
            else:
                faults += _faults(row.where, data)
    return Batch(len(batch), faults)


def _decode_all(place: Path, batch: Sequence[StreamedImage], read: int) -> Batch:
    faults = [fault for image, data in batch for fault in _faults(f"{place}: {image}", data)]
    return Batch(len(batch), faults, read)


def _faults(where: str, data: bytes | memoryview) -> list[str]:
    """Return a line for an image that is faulty, or nothing."""
    suspect = examine(data).suspect
    reasons = [suspect] if suspect else []
    try:
        decode(data)
    except TooLarge as error:
        reasons.append(str(error))
    except BadImage as error:
        reasons.append(f"cannot be decoded ({error})")
    return [f"{where} {', '.join(reasons)}"] if reasons else []
