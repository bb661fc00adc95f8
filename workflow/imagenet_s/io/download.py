"""The download of one file over HTTP: it resumes, retries, and reports what the server sent instead."""

import errno
import hashlib
import html
import re
import socket
import time
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import requests
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema, ProxyError, TooManyRedirects
from urllib3.exceptions import HTTPError

from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.progress import log, progress

# If the connection stalls, at most one chunk that has arrived is lost.
CHUNK = 1 << 14

# A retry would fail in the same way.
FINAL_ERRORS = (InvalidSchema, InvalidURL, MissingSchema, TooManyRedirects)

# Errors of a machine that cannot reach the server, if they come before anything else: a server that is only
# busy accepts connections. Later, the same errors are those of a network with gaps.
UNREACHABLE = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH)

RUN_AGAIN = "Run the same command again"
GET_ONLINE = f"{RUN_AGAIN} on a machine that reaches the internet; the nodes of a cluster often do not."
OTHER_WAYS = (
    "If that does not help, check the proxy settings (HTTPS_PROXY, NO_PROXY), or download the file"
    " with a browser and set `annotations.from` in config.yaml to the folder that contains it."
)

_new_md5 = partial(hashlib.md5, usedforsecurity=False)


@dataclass(frozen=True)
class Patience:
    """How long a download goes on over a bad connection.

    Attributes:
        tries: The number of tries in a row that bring no new bytes. The total is limited to ten times as
            many, so that a connection that brings one byte at a time ends too.
        backoff: The wait in seconds after the first of these tries, doubled after each further one.
        timeout: The longest time in seconds without an answer.
    """

    tries: int = 6
    backoff: float = 2.0
    timeout: float = 60.0


class _Fault(Exception):
    """An answer that may be better on the next try."""


def download(url: str, path: Path, md5: str | None, patience: Patience = Patience()) -> str:
    """Download `url` to `path` and return the hex md5. Do nothing if `path` already has the right md5.

    An unfinished download stays beside `path` as `.<name>.part`, and the next call resumes it. `path`
    itself appears only when the file is complete and has the right md5. Without `md5`, a resumed file may
    mix two versions, if the file on the server has changed.

    Raises:
        UserError: The download failed, or its md5 is wrong; then the file is deleted.
        OSError: The disk failed.
    """
    md5 = md5 and md5.lower()
    if md5 and path.is_file() and _md5_of(path).hexdigest() == md5:
        return md5
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    got, resumed = _retry(url, part, md5, patience)
    if md5 and got != md5 and resumed:
        log.warning("%s: md5 %s, not %s; starting over in case the file changed", url, got, md5)
        part.unlink()
        got, _ = _retry(url, part, md5, patience)
    if md5 and got != md5:
        came = f"md5 {got} ({part.stat().st_size:,} bytes, now deleted)"
        part.unlink()
        raise _error(url, f"md5 {md5}", came, f"{RUN_AGAIN} to start over.")
    part.replace(path)
    return got


def _retry(url: str, part: Path, md5: str | None, patience: Patience) -> tuple[str, bool]:
    """Retry `_fetch` until it succeeds, and return its result. Raise UserError when `patience` runs out."""
    failures, longest, attempt = 0, _size(part), 0
    while True:
        attempt += 1
        try:
            return _fetch(url, part, md5, patience.timeout)
        except FINAL_ERRORS as fault:
            expected = "an address that leads to a file"
            raise _error(url, expected, _reason(fault), "Correct the address.") from fault
        except (_Fault, requests.RequestException, HTTPError) as fault:
            # Faults of `requests` come before the answer, those of `urllib3` while it is read.
            is_early = attempt == 1 and isinstance(fault, requests.RequestException)
            if is_early and (obstacle := _obstacle(fault)):
                proxy = " to the proxy" if isinstance(fault, ProxyError) else ""
                came = f"no connection{proxy}: {obstacle.strerror}"
                raise _error(url, "the whole file", came, GET_ONLINE, repr(fault)) from fault
            if _size(part) > longest:
                failures, longest = 0, _size(part)
            failures += 1
            if failures >= patience.tries or attempt >= 10 * patience.tries:
                came = f"{_size(part):,} bytes and then, on try {attempt}, {_reason(fault)}"
                todo = f"{RUN_AGAIN}: it resumes the download."
                raise _error(url, "the whole file", came, todo, repr(fault)) from fault
            pause = patience.backoff * 2 ** (failures - 1)
            log.warning("%s: %s; trying again in %g s", url, _reason(fault), pause)
            time.sleep(pause)


def _fetch(url: str, part: Path, md5: str | None, timeout: float) -> tuple[str, bool]:
    """Make one request for the missing bytes of `part`, and append them.

    Returns:
        The md5 of the whole file, and whether its first bytes are from an earlier request.

    Raises:
        UserError: A retry would not help.
        _Fault, requests.RequestException, HTTPError: A retry may help.
    """
    have = _size(part)
    digest = _md5_of(part) if have else _new_md5()
    if have and md5 and digest.hexdigest() == md5:
        return md5, True
    # The md5 is that of the stored file, so the server must not compress it.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
        status, start, total = response.status_code, 0, response.headers.get("Content-Length", "")
        if status == 206:
            where = re.match(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
            start, total = (int(where[1]), where[2]) if where else (-1, "")
        misplaced = status == 206 and start != have
        if have and (status == 416 or misplaced):
            log.warning("%s: cannot be resumed (HTTP %d); starting over", url, status)
            part.unlink()
            return _fetch(url, part, md5, timeout)
        if status in (408, 416, 429) or status >= 500 or misplaced:
            raise _Fault(f"HTTP {status} {response.reason}")
        if status not in (200, 206):
            todo = "Open the address in a browser to see whether it still holds the file."
            came = f"HTTP {status} {response.reason}"
            raise _error(url, "the file (HTTP 200)", came, todo, f"answered by {response.url}")

        chunks = response.raw.stream(CHUNK, decode_content=False)
        first = next(chunks, b"")
        if "text/html" in response.headers.get("Content-Type", "").lower() or (
            start == 0 and first.lstrip().lower().startswith((b"<!doctype", b"<html"))
        ):
            todo = "Open the address in a browser to see what the page asks for."
            came = f"an HTML page{_title(first)}"
            raise _error(url, "a file", came, todo, f"answered by {response.url}")

        digest = digest if start else _new_md5()
        size = int(total) if total.isdecimal() else None
        bar_for = progress(part.name[1:].removesuffix(".part"), size, unit="B")
        with part.open("ab" if start else "wb") as file, bar_for as bar:
            bar.update(start)
            for chunk in chain([first], chunks):
                file.write(chunk)
                digest.update(chunk)
                bar.update(len(chunk))
            if size is not None and file.tell() < size:
                raise _Fault(f"the answer ended at byte {file.tell():,} of {size:,}")
    return digest.hexdigest(), start > 0


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _md5_of(path: Path) -> "hashlib._Hash":
    with path.open("rb") as file:
        return hashlib.file_digest(file, _new_md5)


def _title(page: bytes) -> str:
    found = re.search(rb"<title[^>]*>(.*?)</title", page, re.IGNORECASE | re.DOTALL)
    words = html.unescape(found[1].decode("utf-8", "replace")).split() if found else []
    return f" titled “{' '.join(words)}”" if words else ""


def _reason(fault: Exception) -> str:
    """Return the kind of fault and its innermost cause. The exceptions between only repeat the address."""
    cause = fault
    while isinstance(inner := getattr(cause, "reason", 0) or (cause.args or [0])[-1], Exception):
        cause = inner
    kind = "" if isinstance(fault, _Fault) else f"{type(fault).__name__}: "
    return kind + str(cause).rstrip(".")


def _obstacle(fault: BaseException | None) -> OSError | None:
    """Return the cause of a fault if it is a name that cannot be resolved, or one of `UNREACHABLE`."""
    while fault:
        if isinstance(fault, socket.gaierror) or (isinstance(fault, OSError) and fault.errno in UNREACHABLE):
            return fault
        fault = fault.__cause__ or fault.__context__
    return None


def _error(url: str, expected: str, came: str, todo: str, detail: str = "") -> UserError:
    text = f"Cannot download {url}: expected {expected}, got {came}. {todo} {OTHER_WAYS}"
    return UserError(text, [detail] if detail else [])
