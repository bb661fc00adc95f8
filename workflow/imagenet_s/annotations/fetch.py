"""Getting a subset's annotations: the archive, checked by its md5, or a folder where it is unpacked."""

import hashlib
import os
from pathlib import Path

from imagenet_s.io.download import download
from imagenet_s.io.receipts import write_receipt
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.spec.subsets import MASKED, Subset, mask_folder, subset_of


def fetch(subset: int, origin: str, md5: str, folder: Path, receipt: Path) -> None:
    """Makes the annotations of `subset` available and writes to `receipt` where they are.

    `origin` is `official`, a URL prefix, a folder of archives, or a folder in which they are unpacked.
    Downloads go to `folder`. Raises UserError where nothing fits or the md5 is another.
    """
    facts, md5 = subset_of(subset), md5.lower()
    if origin == "official" or origin.startswith(("http://", "https://")):
        prefix = facts.archive_url.rpartition("/")[0] if origin == "official" else origin
        path = folder / facts.archive_name
        download(f"{prefix.rstrip('/')}/{facts.archive_name}", path, md5)
        found = archive_receipt(facts, path, md5)
    else:
        found = _find(facts, Path(os.path.abspath(Path(origin).expanduser())), md5)
    write_receipt(receipt, found, folder)


def archive_receipt(subset: Subset, path: Path, md5: str) -> dict:
    """The receipt of an archive whose md5 was found to be `md5`."""
    return {
        "kind": "archive",
        "path": os.path.abspath(path),
        "archive": path.name,
        "md5": md5,
        "official": md5 == subset.archive_md5,
    }


def _find(subset: Subset, origin: Path, md5: str) -> dict:
    """Looks in a folder of the user's for the archive, then for what it unpacks to."""
    archive = origin / subset.archive_name
    if archive.is_file():
        _check_md5(archive, md5)
        return archive_receipt(subset, archive, md5)
    stem = subset.archive_name.removesuffix(".zip")
    places = (subset.name, stem, f"{stem}/{subset.name}", ".")
    for folder in (origin / place for place in places):
        if all((folder / mask_folder(split)).is_dir() for split in MASKED):
            path = os.path.normpath(folder)
            return {"kind": "folder", "path": path, "archive": None, "md5": None, "official": False}
    if origin.is_file():
        raise UserError(f"`annotations.from`: {origin} is a file. Give the folder that holds it.")
    if not origin.is_dir():
        raise UserError(f"`annotations.from`: there is no folder {origin}. Correct it in config.yaml.")
    raise UserError(
        f"`annotations.from`: found no annotations of {subset.name} in {origin}.\n"
        f"Looked for {subset.archive_name}, and for the folders "
        f"{subset.name}/{' and '.join(map(mask_folder, MASKED))}.\n"
        f"It holds: {first_few(sorted(path.name for path in origin.iterdir()), 12) or 'nothing'}\n"
        f"Get the archive from {subset.archive_url}, or set `annotations.from: official`."
    )


def _check_md5(archive: Path, md5: str) -> None:
    with archive.open("rb") as file:
        actual = hashlib.file_digest(file, "md5").hexdigest()
    if actual != md5:
        raise UserError(
            f"{archive} is not the expected archive: md5 {actual}, expected {md5} "
            f"({archive.stat().st_size:,} bytes).\n"
            "It may be truncated, or another edition. Download it again; if it is meant to be another "
            "one, give its md5 under `annotations.md5` in config.yaml."
        )
