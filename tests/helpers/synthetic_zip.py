"""Archives of masks that are changed on purpose."""

import hashlib
import zipfile
from pathlib import Path


def rewritten(archive: Path, members: dict[str, bytes | None]) -> str:
    """Replaces members of a zip in place (None removes one, a new name adds one); returns the new md5."""
    with zipfile.ZipFile(archive) as file:
        content = {info.filename: file.read(info) for info in file.infolist()}
    content |= members
    with zipfile.ZipFile(archive, "w") as file:
        for name, data in content.items():
            if data is not None:
                file.writestr(name, data)
    return hashlib.md5(archive.read_bytes()).hexdigest()
