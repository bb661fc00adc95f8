"""Atomic writes: a file has its final name only when it is complete."""

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from imagenet_s.runtime.errors import naming
from imagenet_s.runtime.system_files import goes_with_its_folder


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and rename it to `path` if the block succeeds.

    Nothing is synced: see `receipts` for files that must survive a power cut.
    """
    with partial_file(path) as partial:
        yield partial
        os.replace(partial, path)


@contextmanager
def partial_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and delete the file there at the end.

    The temporary name is fixed: a killed run leaves at most one file, and the next run reuses its name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    partial.unlink(missing_ok=True)
    try:
        with naming(path):
            yield partial
    finally:
        with suppress(OSError):  # fails if the disk is read-only; the first error has the cause
            partial.unlink(missing_ok=True)


@contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder for temporary files, and delete it at the end.

    Files that a killed run left in it are deleted first.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def atomic_write_folder(folder: Path, receipt: Path) -> Iterator[Path]:
    """Yield an empty folder beside `folder`, and move the files of its folders there if the block succeeds.

    Files with other names in `folder` are kept. `receipt`, which proves that `folder` is complete, is deleted
    before anything there changes.
    """
    with scratch_folder(folder.with_name(f".{folder.name}.scratch")) as scratch, naming(folder):
        yield scratch
        receipt.unlink(missing_ok=True)
        for source in sorted(scratch.iterdir()):
            target = ensure_real_dir(folder, source.name)
            for name in os.listdir(source):
                os.replace(f"{source}/{name}", f"{target}/{name}")


def write_atomically(data: bytes | memoryview, path: Path, scratch: Path) -> None:
    """Write `data` to a temporary file in `scratch` (same file system), and rename it to `path`.

    The owner can read and write the file. Each thread uses one temporary name.
    """
    partial = f"{scratch}/{os.getpid()}-{threading.get_ident()}"  # making a Path takes as long as the write
    try:
        with open(partial, "wb") as file:
            file.write(data)
        os.replace(partial, path)
    except OSError as error:
        error.filename = error.filename or str(path)  # a failed write does not name the file
        raise


def ensure_real_dir(root: Path, relative: str | Path) -> Path:
    """Make the folder `root/relative` out of real folders: a link on the path is deleted, never followed.

    `root` itself may be a link.

    Raises:
        FileExistsError: A file has the name of one of the folders.
    """
    folder = root
    root.mkdir(parents=True, exist_ok=True)
    for name in Path(relative).parts:
        folder = folder / name
        if folder.is_symlink():
            folder.unlink()
        folder.mkdir(exist_ok=True)
    return folder


class RealDirs:
    """Folders below `root`, each made once by `ensure_real_dir`, also if several threads ask for it."""

    def __init__(self, root: Path):
        self.root = root
        self.made: dict[str, Path] = {}
        self.making = threading.Lock()

    def ensure(self, relative: str) -> Path:
        """Return the folder `root/relative`, which is made if this is the first call for it."""
        if relative not in self.made:
            with self.making:
                if relative not in self.made:
                    self.made[relative] = ensure_real_dir(self.root, relative)
        return self.made[relative]


def remove_folder(folder: Path) -> None:
    """Delete a folder that is empty or contains only system files.

    Raises:
        OSError: The folder contains other files.
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
    """Delete a folder as `remove_folder` does, and return whether it was empty. A link to a folder stays."""
    if folder.is_symlink() or not all(goes_with_its_folder(path.name) for path in folder.iterdir()):
        return False
    remove_folder(folder)
    return True


def sha256_of(path: Path) -> str:
    """Return the hex sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of_files(folder: Path) -> str:
    """Return the hex sha256 of the names and bytes of all files in a folder's folders, sorted by name."""
    paths = sorted(folder.glob("*/*"))
    return digest_of_list((sha256_of(path), str(path.relative_to(folder))) for path in paths)


def digest_of_list(files: Iterable[tuple[str, str]]) -> str:
    """Return the hex sha256 of what `sha256sum` prints for files, given the digest and the name of each."""
    digest = hashlib.sha256()
    for sha256, name in files:
        digest.update(f"{sha256}  {name}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def write_json(path: Path, value: object) -> None:
    """Write `value` to `path` as `dump_json` does, atomically."""
    with atomic_write(path) as partial:
        dump_json(value, partial)


def dump_json(value: object, file: Path) -> None:
    r"""Write `value` as indented UTF-8 JSON with a final newline.

    Bytes of file names that are not UTF-8 become escapes such as `\udce9`, which `read_json` reverses.
    """
    file.write_bytes(json_bytes(value))


def json_bytes(value: object) -> bytes:
    """Return the bytes that `dump_json` writes."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return f"{text}\n".encode(errors="backslashreplace")


def json_line(value: object) -> str:
    """Return JSON without spaces and line breaks, in ASCII."""
    return json.dumps(value, separators=(",", ":"))


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file that `dump_json` wrote."""
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value
