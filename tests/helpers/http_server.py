"""A real HTTP server on the loopback that serves files from memory and misbehaves when told to.

    with AnnotationServer({"/prefix/x.zip": data}) as server:
        server.misbehave("/prefix/x.zip", Status(503), Truncate(1000))
        ...  # GET server.url + "/prefix/x.zip"
        assert [request.status for request in server.requests] == [503, 200, 206]

Each request to a path uses up one of its misbehaviours; when none is left, it is served well: with
ranges, an exact length, and 404 for what is not there. Works across processes: the server is real.
"""

import re
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Request:
    """What was asked, and what was answered; noted before the first byte of the answer leaves."""

    path: str
    range: str | None
    status: int | None  # None: hung up without an answer
    sent: int  # bytes of the body, as far as the server is concerned
    headers: Mapping[str, str] = field(repr=False, compare=False)


class Misbehaviour:
    """One wrong answer. Here: none, so that it also lets a request in the middle pass well."""

    def answer(self, handler: "_Handler", data: bytes | None) -> None:
        handler.serve(data)


Well = Misbehaviour


@dataclass(frozen=True)
class Status(Misbehaviour):
    """Answers with a status and a short plain body."""

    code: int
    body: bytes = b"no\n"

    def answer(self, handler, data):
        handler.reply(self.code, self.body, {"Content-Type": "text/plain"})


@dataclass(frozen=True)
class Page(Misbehaviour):
    """An HTML page with status 200 where a file should be."""

    html: bytes = b"<!DOCTYPE html>\n<html><head><title>Please sign in</title></head></html>\n"
    content_type: str = "text/html; charset=utf-8"

    def answer(self, handler, data):
        handler.reply(200, self.html, {"Content-Type": self.content_type})


@dataclass(frozen=True)
class Redirect(Misbehaviour):
    """Sends the client to another path (or URL)."""

    to: str

    def answer(self, handler, data):
        handler.reply(302, b"", {"Location": self.to})


@dataclass(frozen=True)
class HangUp(Misbehaviour):
    """Closes the connection without an answer."""

    def answer(self, handler, data):
        handler.note(None, 0)


@dataclass(frozen=True)
class Truncate(Misbehaviour):
    """Announces the whole answer (ranges are honoured), sends so many bytes of it, and hangs up."""

    after: int

    def answer(self, handler, data):
        handler.serve(data, most=self.after)


@dataclass(frozen=True)
class Stall(Misbehaviour):
    """Like Truncate, but keeps the connection open in silence until the server shuts down.

    `after=None` does not even send the head of an answer.
    """

    after: int | None = None

    def answer(self, handler, data):
        if self.after is None:
            handler.note(None, 0)
        else:
            handler.serve(data, most=self.after)
        handler.server.annotations.closing.wait()


@dataclass(frozen=True)
class Chunked(Misbehaviour):
    """Sends the whole file in chunks, so without its length; hangs up after `after` bytes."""

    after: int | None = None

    def answer(self, handler, data):
        part = data[: self.after]
        handler.note(200, len(part))
        handler.head(200, {"Transfer-Encoding": "chunked"})
        for at in range(0, len(part), 50_000):
            chunk = part[at : at + 50_000]
            handler.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        if self.after is None:
            handler.wfile.write(b"0\r\n\r\n")


@dataclass(frozen=True)
class IgnoreRange(Misbehaviour):
    """Sends the file from its beginning, whatever was asked; all of it, or `after` bytes."""

    after: int | None = None

    def answer(self, handler, data):
        handler.serve(data, most=self.after, ranges=False)


@dataclass(frozen=True)
class WrongRange(Misbehaviour):
    """Answers 206 with the bytes from `start` (and says so), whatever was asked."""

    start: int

    def answer(self, handler, data):
        where = f"bytes {self.start}-{len(data) - 1}/{len(data)}"
        handler.reply(206, data[self.start :], {"Content-Range": where})


@dataclass(frozen=True)
class ShortRange(Misbehaviour):
    """Honours the range asked, but sends only so many bytes of it and says so, as a server may."""

    most: int

    def answer(self, handler, data):
        start = handler.asked_start() or 0
        body = data[start : start + self.most]
        where = f"bytes {start}-{start + len(body) - 1}/{len(data)}"
        handler.reply(206, body, {"Content-Range": where})


@dataclass(frozen=True)
class Instead(Misbehaviour):
    """Serves other bytes under the same path, well; hangs up after `after` bytes."""

    data: bytes
    after: int | None = None

    def answer(self, handler, data):
        handler.serve(self.data, most=self.after)


class AnnotationServer:
    """Serves `files` (path to bytes) below `url` while its `with` block lasts.

    `files` may be changed at any time. `requests` lists every request in the order of answering.
    """

    def __init__(self, files: Mapping[str, bytes]):
        self.files = dict(files)
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self._planned: dict[str, deque[Misbehaviour]] = {}
        self._forever: dict[str, Misbehaviour] = {}

    def misbehave(self, path: str, *answers: Misbehaviour, forever: bool = False) -> None:
        """Plans the answers to the next requests for `path`; `forever` repeats the last of them."""
        self._planned.setdefault(path, deque()).extend(answers)
        if forever:
            self._forever[path] = answers[-1]

    def behave(self) -> None:
        """Drops every misbehaviour still planned."""
        self._planned.clear()
        self._forever.clear()

    def next_answer(self, path: str) -> Misbehaviour:
        """The answer to this request, used up."""
        try:
            return self._planned[path].popleft()
        except LookupError:
            return self._forever.get(path, Well())

    def __enter__(self) -> "AnnotationServer":
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._http.daemon_threads = True
        self._http.annotations = self
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        # The default interval of half a second would be most of a test's time.
        serve = {"target": self._http.serve_forever, "args": (0.01,), "daemon": True}
        self._thread = threading.Thread(**serve)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ThreadingHTTPServer

    def do_GET(self) -> None:
        self.close_connection = True
        server = self.server.annotations
        # The client may leave early.
        with suppress(BrokenPipeError, ConnectionResetError):
            server.next_answer(self.path).answer(self, server.files.get(self.path))

    do_HEAD = do_GET

    def asked_start(self) -> int | None:
        """The first byte of the range asked for, None without a range."""
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(asked[1]) if asked else None

    def serve(self, data: bytes | None, most: int | None = None, ranges: bool = True) -> None:
        """The right answer, of which only the first `most` bytes of the body are sent."""
        start = self.asked_start() if ranges else None
        if data is None:
            self.reply(404, b"no such file\n", {"Content-Type": "text/plain"})
        elif start is None:
            self.reply(200, data, {}, most)
        elif start >= len(data):
            self.reply(416, b"", {"Content-Range": f"bytes */{len(data)}"})
        else:
            where = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self.reply(206, data[start:], {"Content-Range": where}, most)

    def reply(self, status: int, body: bytes, headers: Mapping[str, str], most: int | None = None):
        """Announces the whole body, sends the first `most` bytes of it."""
        part = b"" if self.command == "HEAD" else body[:most]
        self.note(status, len(part))
        self.head(status, {"Content-Length": str(len(body)), **headers})
        self.wfile.write(part)

    def note(self, status: int | None, sent: int) -> None:
        asked = self.headers.get("Range")
        request = Request(self.path, asked, status, sent, dict(self.headers))
        self.server.annotations.requests.append(request)

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/zip", **headers}.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass
