"""Zips that are made and changed on purpose."""

import hashlib
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

from imagenet_s.io.zip_directory import END, END_64, LOCATOR


def zip_bytes(members: Iterable[tuple[str, bytes]], before: bytes = b"", comment: bytes = b"") -> bytes:
    """A zip whose members are stored and deflated, and with sizes of 32 and 64 bits, in turn."""
    buffer = io.BytesIO()
    buffer.write(before)
    with zipfile.ZipFile(buffer, "w") as archive:
        for k, (name, data) in enumerate(members):
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o100644 << 16
            info.compress_type = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)[k % 2]
            with archive.open(info, "w", force_zip64=k % 3 == 0) as member:
                member.write(data)
        archive.comment = comment
    return buffer.getvalue()


def in_64_bits(data: bytes, **changes: int) -> bytes:
    """The same zip with an end record of 64 bits, in which some numbers are changed."""
    end = len(data) - END.size
    _, _, _, _, count, size, offset, _ = END.unpack_from(data, end)
    n = {"disk": 0, "count": count, "size": size, "offset": offset} | changes
    disks, counts = [n["disk"]] * 2, [n["count"]] * 2
    record = END_64.pack(b"PK\6\6", 44, 45, 45, *disks, *counts, n["size"], n["offset"])
    full = END.pack(b"PK\5\6", *[0xFFFF] * 4, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return data[:end] + record + LOCATOR.pack(b"PK\6\7", 0, end, 1) + full


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
