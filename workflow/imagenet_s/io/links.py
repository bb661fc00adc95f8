"""The links by which an image gets into a tree: symlink, hard link, reflink."""

import ctypes
import errno
import os
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, get_args

from imagenet_s.runtime.errors import first_few

LinkMode = Literal["auto", "symlink", "symlink-files", "hardlink", "reflink", "copy"]
LINKS: tuple[str, ...] = get_args(LinkMode)
LINKS_OF_FOLDERS = ("auto", "symlink")  # the modes in which a class can be one link to the source's folder

FICLONE = 0x40049409  # Linux's request to share a file's blocks, from linux/fs.h


def link_kind(link: str) -> str:
    """Return the kind of link by which a mode puts an image, or for `copy` its copy, into a tree."""
    return {"auto": "symlink", "symlink-files": "symlink", "copy": "hardlink"}.get(link, link)


def place(target: str, path: Path, kind: str, scratch: Path) -> bool:
    """Make `path` a symlink, hardlink or reflink of the file `target`.

    A correct link is left alone. Anything else under the name is replaced in one step, through a temporary
    name in `scratch` (same file system).

    Returns:
        Whether a link was made.

    Raises:
        IsADirectoryError: `path` is a real folder.
        OSError: The system does not allow the link.
    """
    try:
        # A reflink takes two steps, and after the first the file is empty: use the temporary name.
        if kind == "reflink":
            raise FileExistsError
        _make(target, path, kind)
    except FileExistsError:
        if is_placed(target, path, kind):
            return False
        partial = scratch / f"link-{os.getpid()}-{threading.get_ident()}"
        partial.unlink(missing_ok=True)
        _make(target, partial, kind)
        partial.replace(path)
    return True


def is_placed(target: str, path: Path, kind: str) -> bool:
    """Return whether `path` is already that link. Always False for a reflink, which cannot be recognized."""
    if kind == "symlink":
        return path.is_symlink() and os.readlink(path) == target
    if kind == "hardlink":
        return not path.is_symlink() and path.is_file() and path.samefile(target)
    return False


def _make(target: str, path: Path, kind: str) -> None:
    if kind == "symlink":
        os.symlink(target, path)
    elif kind == "hardlink":
        # A hard link to a symlink would be another symlink: link to its target instead.
        os.link(os.path.realpath(target) if os.path.islink(target) else target, path)
    else:
        _clone(target, path)


def _clone(target: str, path: Path) -> None:
    """Make a new file at `path` that shares the blocks of `target`."""
    if sys.platform == "darwin":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.clonefile(os.fsencode(target), os.fsencode(path), 0):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(path))
        path.chmod(0o644)
        return
    import fcntl

    with open(target, "rb") as source, open(path, "xb") as copy:
        try:
            fcntl.ioctl(copy, FICLONE, source.fileno())
        except OSError:
            path.unlink()
            raise


def dangling_link(path: str | Path) -> str | None:
    """Return `path → target` for a dangling link, None for any other path."""
    if os.path.islink(path) and not os.path.exists(path):
        return f"{path} → {os.readlink(path)}"
    return None


def no_link_from_archives(link: str, archives: Sequence[str]) -> str:
    """Return the message for a user who asks for links to images inside archives."""
    return (
        f"`link: {link}` does not work for images inside archives: {first_few(archives)}. Set `link: auto` "
        "(or `copy`) in config.yaml."
    )


def link_problems(samples: Sequence[str], link: str, output: Path, tmp: Path) -> Iterable[str]:
    """Try each kind of link that a build into `output` makes, on some images of the source.

    The trial links are made in `tmp`, a folder below the output.

    Yields:
        A message for the user if a link does not work.
    """
    try:
        tmp.mkdir(parents=True, exist_ok=True)
        # A folder of its own, because other jobs may try links at the same time.
        with TemporaryDirectory(prefix="links-", dir=tmp) as name:
            scratch = Path(name)
            own = scratch / "own"
            own.write_bytes(b"")
            # Masks and copied images are hard links to files below the output.
            trials = [("hardlink", str(own), "The output needs hard links: set another `output`.")]
            if link != "copy":
                advice = "Set `link: symlink` (takes no space) or `link: copy` in config.yaml."
                trials += [(link_kind(link), path, advice) for path in samples]
            for k, (kind, target, advice) in enumerate(trials):
                try:
                    place(target, scratch / f"trial-{k}", kind, scratch)
                except OSError as error:
                    yield f"`link: {link}`: no {kind} from {output} to {target}: {_reason(error)}. {advice}"
                    return
    except OSError as error:
        yield f"`output`: cannot write to {output}: {error.strerror}."


def _reason(error: OSError) -> str:
    return _REASONS.get(error.errno or 0, error.strerror or type(error).__name__)


_REASONS = {
    errno.EXDEV: "they are on different file systems",
    errno.EPERM: "the system forbids links to files of another owner (protected_hardlinks), or the file "
    "system has no such links",
    errno.ENOTSUP: "the file system does not support it",
    errno.EOPNOTSUPP: "the file system does not support it",
    errno.ENOTTY: "the file system does not support it",
    errno.EINVAL: "the file system does not support it",
}
