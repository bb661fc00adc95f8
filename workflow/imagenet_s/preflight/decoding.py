"""Decoding every image of a copy of ImageNet-1k: which cannot be decoded, which are probably not whole."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from imagenet_s.images.read import Reader
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.image_file import BadImage, TooLarge, decode, examine
from imagenet_s.runtime.progress import progress
from imagenet_s.source.layouts import indexed_reader, is_streamed, streaming_reader
from imagenet_s.source.readers.base import ImageLocation, ScanNotes
from imagenet_s.source.scan import row_of
from imagenet_s.source.tar_index import Index

AT_ONCE = 32  # images of a task

T = TypeVar("T")
Task = Callable[[], tuple[int, list[str]]]  # returns how many images it looked at, and what is wrong


def images_in(place: Path, kind: str, index: Index) -> Iterator[ImageLocation]:
    """Yield all images of `train` or `val` in a place that can be looked into."""
    reader = indexed_reader(place, ScanNotes(), index)
    if kind == "val":
        yield from reader.val_images()
    else:
        for _, found in reader.train_images(reader.classes()):
            yield from found


def faults_of_images(places: Sequence[tuple[str, Path]], index: Index, workers: int) -> tuple[int, list[str]]:
    """Decode all images of places (kind, path); return how many, and a line for each that is not right.

    By threads: while Pillow decodes, others can run.
    """
    count, faults = 0, []
    with progress("Decoding", None, "images") as bar:
        for some, found in _spread(_tasks(places, index), workers):
            bar.update(some)
            count += some
            faults += found
    return count, faults


def _spread(tasks: Iterable[Task], workers: int) -> Iterator[tuple[int, list[str]]]:
    """Run tasks at the same time and yield their results in order. Few are made ahead: they hold images."""
    with ThreadPoolExecutor(workers) as threads:
        begun = deque()
        for task in tasks:
            begun.append(threads.submit(task))
            if len(begun) > 2 * workers:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()


def _tasks(places: Sequence[tuple[str, Path]], index: Index) -> Iterator[Task]:
    for kind, place in places:
        made = _stream_tasks(place) if is_streamed(place) else _row_tasks(images_in(place, kind, index))
        try:
            yield from made
        except UserError as error:  # the other places may be right
            yield partial(_told, str(error))


def _row_tasks(found: Iterable[ImageLocation]) -> Iterator[Task]:
    for some in _batches(found):
        yield partial(_read_and_decode, some)


def _stream_tasks(place: Path) -> Iterator[Task]:
    for some in _batches(streaming_reader(place).stream(lambda image: True)):
        yield partial(_decode_all, [(f"{place}: {image}", data) for image, data in some])


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    items = iter(items)
    while some := list(islice(items, AT_ONCE)):
        yield some


def _told(fault: str) -> tuple[int, list[str]]:
    return 0, [fault]


def _read_and_decode(some: Sequence[ImageLocation]) -> tuple[int, list[str]]:
    faults = []
    with Reader() as reader:
        for image in some:
            row = row_of(image, "")
            try:
                data = reader.read(row)
            except OSError as error:
                faults.append(f"{row.where} cannot be read ({error.strerror})")
            except UserError as error:
                faults.append(str(error))
            else:
                faults += _faults(row.where, data)
    return len(some), faults


def _decode_all(some: Sequence[tuple[str, bytes]]) -> tuple[int, list[str]]:
    return len(some), [fault for where, data in some for fault in _faults(where, data)]


def _faults(where: str, data: bytes | memoryview) -> list[str]:
    """Return a line on an image that is not right, or nothing."""
    suspect = examine(data).suspect
    reasons = [suspect] if suspect else []
    try:
        decode(data)
    except TooLarge as error:
        reasons.append(str(error))
    except BadImage as error:
        reasons.append(f"cannot be decoded ({error})")
    return [f"{where} {', '.join(reasons)}"] if reasons else []
