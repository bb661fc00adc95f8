"""Downloads from a real server that misbehaves in many ways."""

import errno
import hashlib
import random
import resource
import socket

import pytest
from urllib3.exceptions import ProtocolError
from urllib3.response import HTTPResponse

from helpers.http_server import (
    AnnotationServer,
    Chunked,
    HangUp,
    IgnoreRange,
    Instead,
    Page,
    Redirect,
    ShortRange,
    Stall,
    Status,
    Truncate,
    Well,
    WrongRange,
)
from imagenet_s.io.download import CHUNK, Patience, download
from imagenet_s.runtime.errors import UserError

DATA = random.Random(0).randbytes(200_000)
OTHER = random.Random(1).randbytes(200_000)
MD5 = hashlib.md5(DATA).hexdigest()
OTHER_MD5 = hashlib.md5(OTHER).hexdigest()
SIZE = len(DATA)

QUICK = Patience(tries=3, backoff=0, timeout=20)
HURRIED = Patience(tries=3, backoff=0, timeout=1.5)  # for stalls only: each costs one timeout


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server():
    with AnnotationServer({"/x.zip": DATA}) as server:
        yield server


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "x.zip"


@pytest.fixture
def part(path):
    """The temporary file beside `path`, in a folder that exists."""
    path.parent.mkdir()
    return path.with_name(".x.zip.part")


def asked(server):
    """Return for each request the requested range, and the status and number of bytes of the answer."""
    return [(request.range, request.status, request.sent) for request in server.requests]


def fails(server, path, md5=MD5, patience=QUICK):
    """Return the error's text, after checking that it is helpful and that the final file does not exist."""
    with pytest.raises(UserError) as caught:
        download(server.url + "/x.zip", path, md5, patience)
    assert not path.exists()
    text = str(caught.value)
    for word in (server.url + "/x.zip", "expected", "got", "`annotations.from`", "proxy"):
        assert word in text
    return text


def succeeds(server, path, md5=MD5, patience=QUICK):
    """Download, and check that the file is complete and alone in its folder."""
    assert download(server.url + "/x.zip", path, md5, patience) == MD5
    assert path.read_bytes() == DATA
    assert [file.name for file in path.parent.iterdir()] == ["x.zip"]


@pytest.mark.parametrize("md5", [MD5, MD5.upper(), None])
def test_a_plain_download(server, path, md5):
    succeeds(server, path, md5)
    assert asked(server) == [(None, 200, SIZE)]
    assert server.requests[0].headers["Accept-Encoding"] == "identity"


def test_an_existing_file_is_not_requested(server, path):
    path.parent.mkdir()
    path.write_bytes(DATA)
    succeeds(server, path)
    assert server.requests == []


@pytest.mark.parametrize("md5", [MD5, None])
def test_an_existing_file_that_is_wrong_or_unverified_is_replaced(server, path, md5):
    path.parent.mkdir()
    path.write_bytes(OTHER)
    succeeds(server, path, md5)
    assert asked(server) == [(None, 200, SIZE)]


def test_redirects_are_followed_also_when_resuming(server, path):
    server.files["/far/y.zip"] = server.files.pop("/x.zip")
    server.misbehave("/x.zip", Redirect("/far/y.zip"), forever=True)
    server.misbehave("/far/y.zip", Truncate(1000))
    succeeds(server, path)
    assert [(r.path, r.range, r.status) for r in server.requests] == [
        ("/x.zip", None, 302),
        ("/far/y.zip", None, 200),
        ("/x.zip", "bytes=1000-", 302),
        ("/far/y.zip", "bytes=1000-", 206),
    ]


def test_redirects_in_a_circle_are_not_retried(server, path):
    server.misbehave("/x.zip", Redirect("/x.zip"), forever=True)
    assert "redirects" in fails(server, path)
    assert len(server.requests) == 31  # the limit of requests, once


@pytest.mark.parametrize("md5", [MD5, None])
def test_a_truncated_answer_is_resumed(server, path, md5):
    server.misbehave("/x.zip", Truncate(1000))
    succeeds(server, path, md5)
    assert asked(server) == [(None, 200, 1000), ("bytes=1000-", 206, SIZE - 1000)]


def test_a_short_range_is_continued(server, path):
    server.misbehave("/x.zip", Truncate(1000), ShortRange(5000))
    succeeds(server, path, md5=None)
    assert asked(server) == [
        (None, 200, 1000),
        ("bytes=1000-", 206, 5000),
        ("bytes=6000-", 206, SIZE - 6000),
    ]


def test_a_call_resumes_what_an_earlier_call_left(server, path):
    server.misbehave("/x.zip", Truncate(1000), Status(503), forever=True)
    text = fails(server, path)
    assert "1,000 bytes" in text
    assert "HTTP 503" in text
    assert "same command again: it resumes the download" in text
    assert path.with_name(".x.zip.part").read_bytes() == DATA[:1000]
    server.behave()
    server.requests.clear()
    succeeds(server, path)
    assert asked(server) == [("bytes=1000-", 206, SIZE - 1000)]


def test_a_part_that_is_complete_is_only_renamed(server, path, part):
    part.write_bytes(DATA)
    succeeds(server, path)
    assert server.requests == []


def test_a_chunked_answer(server, path):
    server.misbehave("/x.zip", Chunked())
    succeeds(server, path)
    assert asked(server) == [(None, 200, SIZE)]


def test_a_truncated_chunked_answer_is_resumed(server, path):
    server.misbehave("/x.zip", Chunked(after=50_000))
    succeeds(server, path, md5=None)
    assert asked(server) == [(None, 200, 50_000), ("bytes=50000-", 206, SIZE - 50_000)]


def test_a_stall_within_the_body_is_resumed(server, path):
    server.misbehave("/x.zip", Stall(after=100_000))
    succeeds(server, path, patience=HURRIED)
    first, second = server.requests
    assert (first.range, first.status, first.sent) == (None, 200, 100_000)
    have = int(second.range.removeprefix("bytes=").removesuffix("-"))
    assert 80_000 < have <= 100_000  # at most one chunk is lost
    assert (second.status, second.sent) == (206, SIZE - have)


def test_a_stall_before_the_answer_is_retried(server, path):
    server.misbehave("/x.zip", Stall())
    succeeds(server, path, patience=HURRIED)
    assert asked(server) == [(None, None, 0), (None, 200, SIZE)]


@pytest.mark.parametrize("bad", [Status(500), Status(503), Status(429), Status(408), HangUp()])
def test_temporary_failures_are_retried(server, path, bad):
    server.misbehave("/x.zip", bad, bad)
    succeeds(server, path)
    assert [r.status for r in server.requests][2:] == [200]
    assert [r.range for r in server.requests] == [None] * 3


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (Status(503), "HTTP 503 Service Unavailable. "),
        (HangUp(), "ConnectionError: Remote end closed connection without response. "),
        (Truncate(0), ""),  # in the words of urllib3, which vary
    ],
)
def test_lasting_failures_end_after_the_last_try(server, path, bad, reason):
    server.misbehave("/x.zip", bad, forever=True)
    text = fails(server, path)
    assert f"expected the whole file, got 0 bytes and then, on try 3, {reason}" in text
    assert len(server.requests) == 3


def test_a_try_that_brings_bytes_resets_the_count(server, path):
    bad = Status(503)
    server.misbehave("/x.zip", bad, bad, Truncate(1000), bad, Truncate(1000), bad, Truncate(1000))
    succeeds(server, path)
    ranges = [None, None, None, "bytes=1000-", "bytes=1000-", "bytes=2000-", "bytes=2000-"]
    assert [r.range for r in server.requests] == [*ranges, "bytes=3000-"]


def test_a_connection_that_brings_single_bytes_ends_too(server, path):
    server.misbehave("/x.zip", Truncate(1), forever=True)
    assert "30 bytes" in fails(server, path)
    assert len(server.requests) == 10 * QUICK.tries


def test_the_same_bytes_again_do_not_reset_the_count(server, path):
    server.misbehave("/x.zip", IgnoreRange(after=1000), forever=True)
    fails(server, path)
    # The first brought 1000 bytes, and the two after it nothing more.
    assert [r.range for r in server.requests] == [None, "bytes=1000-", "bytes=1000-"]


def test_waits_double_from_the_backoff_and_are_reset(server, path, monkeypatch):
    waits = []
    monkeypatch.setattr("imagenet_s.io.download.time.sleep", waits.append)
    bad = Status(503)
    server.misbehave("/x.zip", bad, bad, bad, Truncate(1000), bad, bad, bad, forever=True)
    fails(server, path, patience=Patience(tries=4, backoff=2.0, timeout=20))
    assert waits == [2, 4, 8, 2, 4, 8]


@pytest.fixture
def waits(monkeypatch) -> list[float]:
    """The waits between two tries, which take no time."""
    waits: list[float] = []
    monkeypatch.setattr("imagenet_s.io.download.time.sleep", waits.append)
    return waits


def test_a_server_that_is_not_running_is_reported_at_once(path, waits):
    with AnnotationServer({}) as server:
        pass
    text = fails(server, path, patience=Patience())
    assert (
        "expected the whole file, got no connection: Connection refused. Run the same command again on"
        in text
    )
    assert waits == []


@pytest.mark.parametrize("code", [socket.EAI_NONAME, socket.EAI_AGAIN])
def test_a_name_that_cannot_be_resolved_is_reported_at_once(code, path, waits, monkeypatch):
    asked = []

    def offline(host, *_):
        asked.append(host)
        raise socket.gaierror(code, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", offline)
    with pytest.raises(UserError) as caught:
        download("https://example.invalid/x.zip", path, MD5)
    assert str(caught.value).startswith(
        "Cannot download https://example.invalid/x.zip: expected the whole file, got no connection: "
        "Name or service not known. Run the same command again on a machine that reaches the internet; the "
        "nodes of a cluster often do not. If that does not help, check the proxy settings"
    )
    assert (asked, waits) == (["example.invalid"], [])


def test_a_proxy_that_cannot_be_resolved_is_reported_at_once(path, waits, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://proxy.invalid:3128")
    monkeypatch.setenv("no_proxy", "")

    def offline(*_):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", offline)
    with pytest.raises(UserError, match="got no connection to the proxy: unknown"):
        download("https://example.invalid/x.zip", path, MD5)
    assert waits == []


def test_a_network_that_fails_after_the_first_try_is_waited_for(server, path, waits, monkeypatch):
    server.misbehave("/x.zip", Truncate(1000))
    resolve, faults = socket.getaddrinfo, iter([False, True, True])

    def with_gaps(*arguments):
        if next(faults, False):
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return resolve(*arguments)

    monkeypatch.setattr(socket, "getaddrinfo", with_gaps)
    succeeds(server, path, patience=Patience(tries=4, backoff=1, timeout=20))
    assert waits == [1, 2, 4]
    assert [request.range for request in server.requests] == [None, "bytes=1000-"]


def test_a_network_that_is_lost_while_the_first_answer_is_read_is_waited_for(
    server, path, waits, monkeypatch
):
    stream = HTTPResponse.stream

    def with_gap(response, *arguments, **options):
        monkeypatch.setattr(HTTPResponse, "stream", stream)
        yield next(stream(response, *arguments, **options))
        try:
            raise OSError(errno.EHOSTUNREACH, "No route to host")
        except OSError as error:
            raise ProtocolError("Connection broken", error) from error  # as urllib3 does

    monkeypatch.setattr(HTTPResponse, "stream", with_gap)
    succeeds(server, path, patience=Patience(tries=4, backoff=1, timeout=20))
    assert waits == [1]
    assert [request.range for request in server.requests] == [None, f"bytes={CHUNK}-"]


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 204, 304])
def test_other_statuses_are_final(server, path, code):
    server.misbehave("/x.zip", Status(code, body=b""), forever=True)
    assert f"HTTP {code}" in fails(server, path)
    assert len(server.requests) == 1


def test_a_final_status_keeps_what_arrived_earlier(server, path, part):
    part.write_bytes(DATA[:1000])
    server.misbehave("/x.zip", Status(403))
    fails(server, path)
    succeeds(server, path)
    assert asked(server)[1] == ("bytes=1000-", 206, SIZE - 1000)


@pytest.mark.parametrize("url", ["127.0.0.1/x.zip", "ftp://127.0.0.1/x.zip", "http://", "http://["])
def test_invalid_addresses(path, url):
    with pytest.raises(UserError, match="expected an address that leads to a file") as caught:
        download(url, path, MD5, Patience(backoff=1e6))
    assert f"Cannot download {url}:" in str(caught.value)
    assert not path.exists()


def test_a_server_that_ignores_ranges_starts_over(server, path, part):
    part.write_bytes(OTHER[:1000])
    server.misbehave("/x.zip", IgnoreRange())
    succeeds(server, path, md5=None)
    assert asked(server) == [("bytes=1000-", 200, SIZE)]


@pytest.mark.parametrize("start", [0, 500, 1001])
def test_a_range_that_begins_elsewhere_starts_over(server, path, part, start):
    part.write_bytes(OTHER[:1000])
    server.misbehave("/x.zip", WrongRange(start))
    succeeds(server, path, md5=None, patience=Patience(tries=1))
    assert asked(server) == [("bytes=1000-", 206, SIZE - start), (None, 200, SIZE)]


def test_a_range_that_was_not_requested_is_retried(server, path):
    server.misbehave("/x.zip", WrongRange(500))
    succeeds(server, path, md5=None)
    assert asked(server) == [(None, 206, SIZE - 500), (None, 200, SIZE)]


@pytest.mark.parametrize("stale", [OTHER, OTHER + b"more"])
def test_a_part_longer_than_the_file_starts_over(server, path, part, stale):
    part.write_bytes(stale)
    succeeds(server, path, md5=None, patience=Patience(tries=1))
    assert asked(server) == [(f"bytes={len(stale)}-", 416, 0), (None, 200, SIZE)]


def test_endless_416_ends(server, path):
    server.misbehave("/x.zip", Status(416), forever=True)
    assert "HTTP 416" in fails(server, path)
    assert [r.range for r in server.requests] == [None] * 3


def test_a_stale_part_is_detected_by_the_md5_and_starts_over_once(server, path, part):
    part.write_bytes(OTHER[:1000])
    succeeds(server, path)
    assert asked(server) == [("bytes=1000-", 206, SIZE - 1000), (None, 200, SIZE)]


def test_a_file_that_changes_between_two_tries_starts_over(server, path):
    server.misbehave("/x.zip", Instead(OTHER, after=1000))
    succeeds(server, path)
    assert asked(server) == [
        (None, 200, 1000),
        ("bytes=1000-", 206, SIZE - 1000),
        (None, 200, SIZE),
    ]


def test_a_wrong_md5_after_a_fresh_download_is_final(server, path):
    server.misbehave("/x.zip", Instead(OTHER))
    text = fails(server, path)
    assert f"expected md5 {MD5}" in text
    assert f"got md5 {OTHER_MD5} (200,000 bytes" in text
    assert len(server.requests) == 1
    assert list(path.parent.iterdir()) == []


def test_a_wrong_md5_where_ranges_are_ignored_is_final(server, path, part):
    part.write_bytes(DATA[:1000])
    server.files["/x.zip"] = OTHER
    server.misbehave("/x.zip", IgnoreRange())
    assert OTHER_MD5 in fails(server, path)
    assert asked(server) == [("bytes=1000-", 200, SIZE)]
    assert list(path.parent.iterdir()) == []


def test_a_wrong_md5_after_starting_over_is_final(server, path, part):
    part.write_bytes(DATA[:1000])
    server.misbehave("/x.zip", Instead(OTHER), Instead(OTHER, after=1000), Instead(OTHER))
    assert OTHER_MD5 in fails(server, path)
    assert [r.range for r in server.requests] == ["bytes=1000-", None, "bytes=1000-"]
    assert list(path.parent.iterdir()) == []


def test_a_wrong_file_does_not_replace_the_one_that_is_there(server, path):
    path.parent.mkdir()
    path.write_bytes(b"mine")
    server.misbehave("/x.zip", Instead(OTHER))
    with pytest.raises(UserError):
        download(server.url + "/x.zip", path, MD5, QUICK)
    assert path.read_bytes() == b"mine"


@pytest.mark.parametrize("md5", [MD5, None])
@pytest.mark.parametrize(
    ("page", "title"),
    [
        (Page(), " titled “Please sign in”"),
        (
            Page(b"\n <HTML><Title lang=en>A &amp;\n B</title>", "application/zip"),
            " titled “A & B”",
        ),
        (Page(b"<!doctype html><p>", "application/octet-stream"), ""),
        (Page(b"quota exceeded", "text/html"), ""),
    ],
)
def test_an_html_page_is_named(server, path, page, title, md5):
    server.misbehave("/x.zip", page)
    text = fails(server, path, md5)
    assert f"expected a file, got an HTML page{title}." in text
    assert "browser" in text
    assert len(server.requests) == 1
    assert list(path.parent.iterdir()) == []


def test_an_html_page_leaves_the_part_as_it_was(server, path, part):
    part.write_bytes(DATA[:1000])
    server.misbehave("/x.zip", Page())
    assert "an HTML page" in fails(server, path)
    assert list(path.parent.iterdir()) == [part]
    assert part.read_bytes() == DATA[:1000]


def test_html_inside_a_file_is_not_taken_for_a_page(server, path, part):
    data = DATA[:1000] + b"<html>" + DATA
    server.files["/x.zip"] = data
    part.write_bytes(data[:1000])
    assert download(server.url + "/x.zip", path, None, QUICK) == hashlib.md5(data).hexdigest()
    assert path.read_bytes() == data


def test_an_empty_file(server, path):
    server.files["/x.zip"] = b""
    empty = hashlib.md5(b"").hexdigest()
    assert download(server.url + "/x.zip", path, empty, QUICK) == empty
    assert path.read_bytes() == b""


def test_a_full_disk_is_not_the_servers_fault(server, path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            download(server.url + "/x.zip", path, MD5, QUICK)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert type(caught.value) is OSError
    assert len(server.requests) == 1
    assert not path.exists()
    succeeds(server, path)
    assert server.requests[1].status == 206


def test_a_file_where_the_folder_should_be(server, path):
    path.parent.write_bytes(b"")
    with pytest.raises(FileExistsError):
        download(server.url + "/x.zip", path, MD5, QUICK)
    assert server.requests == []


def test_the_servers_misbehaviours_are_used_in_order(server, path):
    server.misbehave("/x.zip", Well(), Status(404))
    succeeds(server, path, md5=None)
    path.unlink()
    assert "HTTP 404" in fails(server, path)
    succeeds(server, path)
