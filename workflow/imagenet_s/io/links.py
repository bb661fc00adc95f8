"""The ways in which an image gets into a tree: symlink, hard link, reflink."""

import ctypes
import errno
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, get_args

from imagenet_s.runtime.errors import first_few

LinkMode = Literal["auto", "symlink", "hardlink", "reflink", "copy"]
LINKS: tuple[str, ...] = get_args(LinkMode)

FICLONE = 0x40049409  # Linux's request to share a file's blocks, from linux/fs.h


def place(target: str, path: Path, kind: str, scratch: Path) -> bool:
    """Makes `path` a symlink, hardlink or reflink of the file `target`; says whether it had to.

    A right link is left alone, anything else under the name is replaced in one step through a
    temporary name in `scratch` (same file system). Raises OSError where the system refuses, and
    IsADirectoryError where a true folder stands in the way.
    """
    try:
        # A reflink is made in two steps, and not under its name: after the first the file is empty.
        if kind == "reflink":
            raise FileExistsError
        _make(target, path, kind)
    except FileExistsError:
        if is_placed(target, path, kind):
            return False
        partial = scratch / f"link-{os.getpid()}"
        partial.unlink(missing_ok=True)
        _make(target, partial, kind)
        partial.replace(path)
    return True


def is_placed(target: str, path: Path, kind: str) -> bool:
    """Whether `path` is already that link. A reflink cannot be recognised: never."""
    if kind == "symlink":
        return path.is_symlink() and os.readlink(path) == target
    if kind == "hardlink":
        return not path.is_symlink() and path.is_file() and path.samefile(target)
    return False


def _make(target: str, path: Path, kind: str) -> None:
    if kind == "symlink":
        os.symlink(target, path)
    elif kind == "hardlink":
        # A hard link to a link would be a second link: take the file behind it.
        os.link(os.path.realpath(target) if os.path.islink(target) else target, path)
    else:
        _clone(target, path)


def _clone(target: str, path: Path) -> None:
    """A new file at `path` that shares the blocks of `target`."""
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
    """Return `path → target` for a link that leads to nothing, None for any other path."""
    if os.path.islink(path) and not os.path.exists(path):
        return f"{path} → {os.readlink(path)}"
    return None


def no_link_from_archives(link: str, archives: Sequence[str]) -> str:
    """What to tell a user who asks for links to what lies in archives."""
    return (
        f"`link: {link}` cannot be had from archives: {first_few(archives)}. Set `link: auto` (or `copy`) in "
        "config.yaml."
    )


def link_problems(samples: Sequence[str], link: str, output: Path, tmp: Path) -> Iterable[str]:
    """Tries each kind of link that a build into `output` makes, on some images of the source.

    Says what does not work, and why, in the user's words. The trials are made in `tmp`, in the output.
    """
    try:
        tmp.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="links-", dir=tmp) as name:  # other jobs try links, too
            scratch = Path(name)
            own = scratch / "own"
            own.write_bytes(b"")
            # Masks, and copied images, are hard links to files below the output.
            trials = [("hardlink", str(own), "The output needs hard links: set another `output`.")]
            if link != "copy":
                kind = "symlink" if link == "auto" else link
                advice = "Set `link: symlink` (takes no space) or `link: copy` in config.yaml."
                trials += [(kind, path, advice) for path in samples]
            for k, (kind, target, advice) in enumerate(trials):
                try:
                    place(target, scratch / f"trial-{k}", kind, scratch)
                except OSError as error:
                    reason = _REASONS.get(error.errno, error.strerror)
                    yield f"`link: {link}`: no {kind} from {output} to {target}: {reason}. {advice}"
                    return
    except OSError as error:
        yield f"`output`: cannot write to {output}: {error.strerror}."


_REASONS = {
    errno.EXDEV: "they are on different file systems",
    errno.EPERM: "the system forbids links to files of another owner (protected_hardlinks), or the file "
    "system has no such links",
    errno.ENOTSUP: "the file system does not support it",
    errno.EOPNOTSUPP: "the file system does not support it",
    errno.ENOTTY: "the file system does not support it",
    errno.EINVAL: "the file system does not support it",
}
