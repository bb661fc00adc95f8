"""Whether the annotations of a subset can be had, as far as a short look tells."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import requests

from imagenet_s.annotations.fetch import archive_address, locate
from imagenet_s.runtime.errors import UserError
from imagenet_s.spec.subsets import subset_of

TIMEOUT = 5.0  # seconds


class Availability(NamedTuple):
    """Where the annotations of a subset come from.

    Attributes:
        subset: 50, 300 or 919.
        state: `generated`: the demo brings them. `present`: an archive or a folder is there. `online`: an
            archive can be downloaded. `unreachable`: it is not known, because the server does not answer with
            a file. `missing`: the configured folder has none.
        where: The path or the address; nothing if they are generated or missing.
        bytes: The size of the archive; None if it is not known.
        reason: What the server does if they are unreachable; why they are missing.
    """

    subset: int
    state: Literal["generated", "present", "online", "unreachable", "missing"]
    where: str = ""
    bytes: int | None = None
    reason: str = ""


def availability(subsets: Sequence[int], origin: str, downloads: Path) -> Iterator[Availability]:
    """Yield where the annotations of each subset come from. Nothing is downloaded, and no md5 is computed.

    Args:
        subsets: Numbers of subsets.
        origin: `official`, a URL prefix, a folder of archives, or a folder in which they are unpacked.
        downloads: The folder for downloads.
    """
    unanswered = ""
    for subset in subsets:
        facts = subset_of(subset)
        address = archive_address(facts, origin)
        if address is None:
            try:
                yield _present(subset, locate(facts, origin))
            except UserError as error:
                yield Availability(subset, "missing", reason=str(error))
        elif (downloads / facts.archive_name).is_file():
            yield _present(subset, downloads / facts.archive_name)
        elif unanswered:  # the same server: to wait for it once is enough
            yield Availability(subset, "unreachable", address, reason=unanswered)
        else:
            try:
                yield _ask(subset, address)
            except requests.RequestException as error:
                unanswered = f"does not answer ({type(error).__name__})"
                yield Availability(subset, "unreachable", address, reason=unanswered)


def _present(subset: int, path: Path) -> Availability:
    return Availability(subset, "present", str(path), path.stat().st_size if path.is_file() else None)


def _ask(subset: int, address: str) -> Availability:
    """Ask the server for the head of an archive.

    Raises:
        requests.RequestException: The server does not answer.
    """
    headers = {"Accept-Encoding": "identity"}  # so that the length is that of the file
    with requests.head(address, headers=headers, allow_redirects=True, timeout=TIMEOUT) as response:
        if not response.ok:
            return Availability(
                subset,
                "unreachable",
                address,
                reason=f"answers HTTP {response.status_code} {response.reason}",
            )
        if "text/html" in response.headers.get("Content-Type", "").lower():
            return Availability(subset, "unreachable", address, reason="answers with an HTML page")
        return Availability(subset, "online", address, _length(response.headers))


def _length(headers: Mapping[str, str]) -> int | None:
    length = headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None
