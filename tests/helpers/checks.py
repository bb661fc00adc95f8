"""What tests of `verify` do with a copy of ImageNetS50."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.damages import as_json, removed, replaced, samples_in
from imagenet_s.cli.main import main
from imagenet_s.spec.companions import COMPANIONS
from imagenet_s.verify.compare import verify


def run(*arguments: object) -> int:
    """Run the command `verify` and return its exit code."""
    return main(["verify", *map(str, arguments), "--workers", "1"])


def found(root: Path, level: str = "sha256", **options) -> dict:
    """Check a copy of 50 and return the damage: folder → kind → paths."""
    result = verify(root, 50, level, 1, **options)
    reported = [(kind, path) for kind, paths in result.damage.items() for path in paths]
    assert result.whole == (not reported and not result.remarks)
    return as_json(reported)


def first(root: Path, folder: str) -> str:
    """Return the first file of a folder, as a path in the subset's folder."""
    return next(path for path in samples_in(root) if path.startswith(f"{folder}/"))


@contextmanager
def changed(root: Path, *paths: str) -> Iterator[None]:
    """Restore these files at the end of the block, and remove files that were added."""
    before = {path: ((root / path).read_bytes(), (root / path).stat()) for path in paths}
    names = set(samples_in(root))
    try:
        yield
    finally:
        for path, (data, stat) in before.items():
            removed(root / path)
            (root / path).write_bytes(data)
            os.utime(root / path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        for path in set(samples_in(root)) - names:
            removed(root / path)


def without_manifests(tree: Path) -> Path:
    """Remove everything that a copy of another program does not have; return the folder."""
    shutil.rmtree(tree / "manifests")
    (tree / "dataset.json").unlink()
    for name in COMPANIONS:
        (tree / name).unlink(missing_ok=True)
    for name in ("train-semi-segmentation-id16", "validation-segmentation-id16"):
        shutil.rmtree(tree / name)
    return tree


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def zeros(data: bytes) -> bytes:
    return half(data) + bytes(len(data) - len(data) // 2)


def spoiled(root: Path) -> tuple[list[str], list[str], dict[str, str]]:
    """Spoil images of a copy: return the empty ones, those that are no images, and incomplete ones → why."""
    images = {f: [p for p in samples_in(root) if p.startswith(f"{f}/")] for f in ("train", "test")}
    semi = {path for path in images["train"] if (root / path.replace("train/", "train-semi/")).exists()}
    alone = sorted(set(images["train"]) - semi)
    empty = [alone[0], min(semi), images["test"][0]]
    no_images = {
        alone[1]: b"<!DOCTYPE html><title>404</title>",
        images["test"][1]: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        images["test"][2]: bytes(3000),
        images["test"][3]: b"Too many requests",
    }
    jpeg = (root / images["test"][9]).read_bytes()
    of_no_size = jpeg.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x07")
    suspects = {
        alone[2]: (half(jpeg), "has no end marker"),
        images["test"][4]: (zeros(jpeg), "ends in zeros"),
        images["test"][5]: (of_no_size, "has an unreadable header"),
        images["test"][6]: (jpeg[:100], "has no pixel data"),
    }
    for path in empty:
        replaced(root / path, b"")
    for path, data in no_images.items():
        replaced(root / path, data)
    for path, (data, _) in suspects.items():
        replaced(root / path, data)
    return sorted(empty), sorted(no_images), {path: why for path, (_, why) in sorted(suspects.items())}
