"""Damages to a copy of a subset, and exactly what a check must report for each.

A damage is a function that takes the subset's folder, the path of a file in it and random numbers. It never
writes through a link, and returns (kind, path) of everything that a check must report.
"""

import io
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

Reported = list[tuple[str, str]]
Damage = Callable[[Path, str, random.Random], Reported]

# A field of EXIF whose value lies beyond the end: Pillow warns of it, without the name of the file.
DAMAGED_EXIF = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x1a\x01\x05\0\x01\0\0\0\xff\xff\0\0"


def flipped(root: Path, path: str, dice: random.Random) -> Reported:
    """Change one byte."""
    data = bytearray((root / path).read_bytes())
    # Not in the last bytes of a PNG, which hold no pixels.
    data[dice.randrange(len(data) // 2)] ^= dice.randrange(1, 256)
    return _rewritten(root, path, bytes(data), "changed")


def truncated(root: Path, path: str, dice: random.Random) -> Reported:
    """Cut off the second half, or more."""
    data = (root / path).read_bytes()
    return _rewritten(root, path, data[: dice.randint(1, len(data) // 2)], "truncated")


def emptied(root: Path, path: str, dice: random.Random) -> Reported:
    return _rewritten(root, path, b"", "truncated")


def lengthened(root: Path, path: str, dice: random.Random) -> Reported:
    data = (root / path).read_bytes()
    return _rewritten(root, path, data + dice.randbytes(dice.randint(1, 2000)), "changed")


def appended(root: Path, path: str, dice: random.Random) -> Reported:
    """Append a line to a text."""
    return _rewritten(root, path, (root / path).read_bytes() + b"{}\n", "changed")


def garbage(root: Path, path: str, dice: random.Random) -> Reported:
    """Replace all bytes by random ones."""
    return _rewritten(root, path, dice.randbytes((root / path).stat().st_size), "changed")


def another(root: Path, path: str, dice: random.Random) -> Reported:
    """Replace a picture by another intact one."""
    buffer = io.BytesIO()
    Image.new("RGB", (40 + dice.randrange(40), 50)).save(buffer, _format(path))
    return _rewritten(root, path, buffer.getvalue(), "changed")


def encoded_again(root: Path, path: str, dice: random.Random) -> Reported:
    """Compress the same picture again; the pixels of a mask do not change."""
    buffer = io.BytesIO()
    options = {"quality": 40} if path.endswith(".JPEG") else {"compress_level": dice.choice([0, 1])}
    with Image.open(root / path) as image:
        image.save(buffer, _format(path), **options)
    return _rewritten(root, path, buffer.getvalue(), "changed")


def deleted(root: Path, path: str, dice: random.Random) -> Reported:
    (root / path).unlink()
    return [("missing", path)]


def empty_folder(root: Path, path: str, dice: random.Random) -> Reported:
    """Replace the file by an empty folder."""
    (root / path).unlink()
    (root / path).mkdir()
    return [("missing", path)]


def full_folder(root: Path, path: str, dice: random.Random) -> Reported:
    empty_folder(root, path, dice)
    (root / path / "within").write_text("a file of the user's")
    return [("missing", path), ("extra", f"{path}/within")]


def dangling(root: Path, path: str, dice: random.Random) -> Reported:
    (root / path).unlink()
    (root / path).symlink_to(root / "nowhere" / Path(path).name)
    return [("moved", path)]


def extra(root: Path, path: str, dice: random.Random) -> Reported:
    """Add a file of an unexpected name beside another one."""
    name = dice.choice([".hidden", "{}~", "{}.part", "copy of {}", "ü {}"]).format(Path(path).name)
    added = str(Path(path).with_name(name))
    if (root / added).exists():
        added = str(Path(path).with_name(f"{dice.random()}"))
    (root / added).write_text("added")
    return [("extra", added)]


def in_another_class(root: Path, path: str, dice: random.Random) -> Reported:
    """Move the file to the folder of another class."""
    split, wnid, name = path.split("/")
    folders = [
        entry for entry in sorted((root / split).iterdir()) if not entry.is_symlink() and entry.name != wnid
    ]
    os.rename(root / path, dice.choice(folders) / name)
    return [("moved", path)]


DAMAGES: tuple[Damage, ...] = (
    flipped,
    truncated,
    emptied,
    lengthened,
    garbage,
    another,
    encoded_again,
    deleted,
    empty_folder,
    full_folder,
    dangling,
    extra,
    in_another_class,
)
OF_MANIFESTS: tuple[Damage, ...] = (flipped, truncated, emptied, appended, deleted)


def replaced(path: Path, data: bytes) -> None:
    """Replace a file or link by a new file with `data`; what it was linked to does not change."""
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def _rewritten(root: Path, path: str, data: bytes, kind: str) -> Reported:
    mask = path.partition("/")[0].endswith("-segmentation")
    if mask and same_pixels((root / path).read_bytes(), data):
        kind = "pixels_equal"
    replaced(root / path, data)
    return [(kind, path)]


def same_pixels(png: bytes, other: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(png)) as one, Image.open(io.BytesIO(other)) as two:
            return np.array_equal(np.asarray(one), np.asarray(two))
    except Exception:  # Pillow raises many kinds of errors on invalid bytes
        return False


def _format(path: str) -> str:
    return "JPEG" if path.endswith(".JPEG") else "PNG"


def as_json(reported: Iterable[tuple[str, str]]) -> dict[str, dict[str, list[str]]]:
    """Return folder → kind → paths, as in the JSON report of one subset."""
    folders: dict[str, dict[str, list[str]]] = {}
    for kind, path in sorted(reported):
        folder = path.partition("/")[0] if "/" in path else "."
        folders.setdefault(folder, {}).setdefault(kind, []).append(path)
    return folders


def own_copy(folder: Path, target: Path) -> Path:
    """Copy a folder with its links, hard links and times."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", folder, target], check=True)
    return target


def samples_in(root: Path) -> list[str]:
    """Return all images, masks and labels of a copy, sorted, except those behind links to folders."""
    found = []
    for folder, _, names in os.walk(root):
        place = Path(folder).relative_to(root)
        if place.parts and place.parts[0] != "manifests":
            found += [str(place / name) for name in names]
    return sorted(found)


def states(*folders: Path) -> dict[str, tuple]:
    """Return path → inode, mode, size, mtime, link target of every entry that is not a real folder."""
    return {str(path): _state(path) for folder in folders for path in _entries(folder)}


def _entries(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        yield from (Path(parent) / name for name in [*links, *names])


def _state(path: Path) -> tuple:
    stat = path.lstat()
    target = os.readlink(path) if path.is_symlink() else ""
    return stat.st_ino, stat.st_mode, stat.st_size, stat.st_mtime_ns, target


def unfolded(root: Path, folder: str) -> None:
    """Replace a link to a folder by a folder of links to its files."""
    link = root / folder
    source = link.resolve()
    link.unlink()
    link.mkdir()
    for path in source.iterdir():
        (link / path.name).symlink_to(path)


def removed(path: Path) -> None:
    """Remove a file, a link, or a folder with everything in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
