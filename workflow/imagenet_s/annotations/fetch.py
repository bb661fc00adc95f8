"""Fetch a subset's annotations: the archive, verified by its md5, or a folder where it is unpacked."""

import hashlib
import os
from pathlib import Path

from imagenet_s.annotations.receipt import AnnotationsReceipt
from imagenet_s.io.download import download
from imagenet_s.io.receipts import write_receipt
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.spec.subsets import MASKED, Subset, mask_folder, subset_of


def fetch(subset: int, origin: str, md5: str, folder: Path, receipt: Path) -> None:
    """Make the annotations of a subset available, and write a receipt that says where they are.

    Args:
        subset: 50, 300 or 919.
        origin: `official`, a URL prefix, a folder of archives, or a folder in which they are unpacked.
        md5: The expected md5 of the archive.
        folder: The folder for downloads.
        receipt: The JSON file to write, an `AnnotationsReceipt`.

    Raises:
        UserError: The annotations were not found, the download failed, or the archive has another md5.
    """
    facts, md5 = subset_of(subset), md5.lower()
    if address := archive_address(facts, origin):
        path = folder / facts.archive_name
        download(address, path, md5)
    else:
        path = locate(facts, origin)
    if path.is_dir():
        located: AnnotationsReceipt = {
            "kind": "folder",
            "path": str(path),
            "archive": None,
            "md5": None,
            "official": False,
        }
    else:
        if not address:
            _check_md5(path, md5)
        located = archive_receipt(facts, path, md5)
    write_receipt(receipt, located, folder)


def archive_address(subset: Subset, origin: str) -> str | None:
    """Return the address of a subset's archive; None if `origin` is a folder."""
    if origin == "official":
        return subset.archive_url
    is_web = origin.startswith(("http://", "https://"))
    return f"{origin.rstrip('/')}/{subset.archive_name}" if is_web else None


def archive_receipt(subset: Subset, path: Path, md5: str) -> AnnotationsReceipt:
    """Return the receipt of an archive with this md5."""
    return {
        "kind": "archive",
        "path": os.path.abspath(path),
        "archive": path.name,
        "md5": md5,
        "official": md5 == subset.archive_md5,
    }


def locate(subset: Subset, origin: str) -> Path:
    """Return the archive in a folder of the user's, or the folder to which it is unpacked.

    Raises:
        UserError: There is neither.
    """
    root = Path(os.path.abspath(Path(origin).expanduser()))
    archive = root / subset.archive_name
    if archive.is_file():
        return archive
    stem = subset.archive_name.removesuffix(".zip")
    candidates = (subset.name, stem, f"{stem}/{subset.name}", ".")
    for folder in (root / candidate for candidate in candidates):
        if all((folder / mask_folder(split)).is_dir() for split in MASKED):
            return Path(os.path.normpath(folder))
    if root.is_file():
        raise UserError(f"`annotations.from`: {root} is a file. Give the folder that contains it.")
    if not root.is_dir():
        raise UserError(f"`annotations.from`: there is no folder {root}. Correct the path in config.yaml.")
    raise UserError(
        f"`annotations.from`: found no annotations of {subset.name} in {root}.\n"
        f"Looked for {subset.archive_name}, and for the folders "
        f"{subset.name}/{' and '.join(map(mask_folder, MASKED))}.\n"
        f"It holds: {first_few(sorted(path.name for path in root.iterdir()), 12) or 'nothing'}\n"
        f"Get the archive from {subset.archive_url}, or set `annotations.from: official`."
    )


def _check_md5(archive: Path, md5: str) -> None:
    with archive.open("rb") as file:
        actual = hashlib.file_digest(file, "md5").hexdigest()
    if actual != md5:
        raise UserError(
            f"{archive} is not the expected archive: md5 {actual}, expected {md5} "
            f"({archive.stat().st_size:,} bytes).\n"
            "It may be truncated or another version. Download it again, or, to use another version, set "
            "its md5 under `annotations.md5` in config.yaml."
        )
