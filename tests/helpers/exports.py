"""What tests of exports read of them."""

import hashlib
import tarfile
from collections import defaultdict
from pathlib import Path


def digests(folder: Path) -> dict[str, str]:
    """Path → sha256 of all files in a folder, also hidden ones."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def samples_in(tar: Path) -> dict[str, dict[str, bytes]]:
    """Key → ending → bytes, in the order of a tar of WebDataset. Members of a key follow each other."""
    found: dict[str, dict[str, bytes]] = defaultdict(dict)
    with tarfile.open(tar) as archive:
        for member in archive:
            key, _, ending = member.name.partition(".")
            assert key not in found or list(found)[-1] == key
            found[key][ending] = archive.extractfile(member).read()
    return dict(found)
