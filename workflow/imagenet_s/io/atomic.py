"""Writing files so that nothing half-made ever stands under its final name."""

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from imagenet_s.runtime.system_files import goes_with_its_folder


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`; renames it to `path` when the block ends well.

    Nothing is synced: for what must outlive a power cut see `receipts`.
    """
    with partial_file(path) as partial:
        yield partial
        os.replace(partial, path)


@contextmanager
def partial_file(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`, and removes what stands there in the end.

    The temporary name is fixed, so that a killed run leaves at most one and the next run reuses it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    partial.unlink(missing_ok=True)
    try:
        yield partial
    except OSError as error:
        error.filename = error.filename or str(path)  # a failed write does not say of what
        raise
    finally:
        with suppress(OSError):  # on a disk that takes no change, not even that; the cause is told
            partial.unlink(missing_ok=True)


@contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """An empty folder for temporary files, gone at the end; what a killed run left there is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def atomic_write_folder(folder: Path, receipt: Path) -> Iterator[Path]:
    """Yields an empty folder beside `folder`; when the block ends well, its folders' files move to `folder`.

    What is there under other names stays. `receipt`, a file that vouches for what is there, goes before
    anything changes.
    """
    with scratch_folder(folder.with_name(f".{folder.name}.scratch")) as scratch:
        try:
            yield scratch
            receipt.unlink(missing_ok=True)
            for made in sorted(scratch.iterdir()):
                there = ensure_real_dir(folder, made.name)
                for name in os.listdir(made):
                    os.replace(f"{made}/{name}", f"{there}/{name}")
        except OSError as error:
            error.filename = error.filename or str(folder)  # a failed write does not say of what
            raise


def write_atomically(data: bytes, path: Path, scratch: Path) -> None:
    """Writes `data` to a name in `scratch` (same file system) and renames it to `path`.

    The file is readable and writable by its owner. One temporary name per worker is enough.
    """
    partial = f"{scratch}/{os.getpid()}-{threading.get_ident()}"  # a Path costs as much as the writing
    try:
        with open(partial, "wb") as file:
            file.write(data)
        os.replace(partial, path)
    except OSError as error:
        error.filename = error.filename or str(path)  # a failed write does not say of what
        raise


def ensure_real_dir(root: Path, relative: str | Path) -> Path:
    """Makes `root/relative` out of true folders: a link found on the way is removed, never followed.

    Raises FileExistsError where a file stands in the way. `root` itself may be reached by links.
    """
    folder = root
    root.mkdir(parents=True, exist_ok=True)
    for name in Path(relative).parts:
        folder = folder / name
        if folder.is_symlink():
            folder.unlink()
        folder.mkdir(exist_ok=True)
    return folder


def remove_folder(folder: Path) -> None:
    """Removes an empty folder, or one that holds only files that systems leave, with them.

    Raises OSError for any other.
    """
    left = list(folder.iterdir())
    if all(goes_with_its_folder(path.name) for path in left):
        for path in left:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    folder.rmdir()


def remove_if_empty(folder: Path) -> bool:
    """Removes a folder as `remove_folder` does; says whether it was empty."""
    if not all(goes_with_its_folder(path.name) for path in folder.iterdir()):
        return False
    remove_folder(folder)
    return True


def sha256_of(path: Path) -> str:
    """The hex sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of_files(folder: Path) -> str:
    """The hex sha256 of the names and bytes of all files in a folder's folders, sorted by name."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*/*")):
        digest.update(f"{sha256_of(path)}  {path.relative_to(folder)}\n".encode())
    return digest.hexdigest()


def write_json(path: Path, value: object) -> None:
    """Writes `value` to `path` as `dump_json` does, whole or not at all."""
    with atomic_write(path) as partial:
        dump_json(value, partial)


def dump_json(value: object, file: Path) -> None:
    """Writes `value` as indented UTF-8 JSON with a final newline.

    Bytes of file names that are not UTF-8 become escapes such as `\\udce9`, read back as they were.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def read_json(path: Path) -> dict:
    """Reads one JSON object."""
    return json.loads(path.read_text(encoding="utf-8"))
