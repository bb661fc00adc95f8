"""Whether the annotations can be had: a look at folders, and one question to a server."""

import socket
from pathlib import Path

import pytest

from helpers.http_server import AnnotationServer, HangUp, Page, Stall, Status
from imagenet_s.annotations import availability as module
from imagenet_s.annotations.availability import Availability, availability
from imagenet_s.spec.subsets import subset_of

NAMES = {subset: subset_of(subset).archive_name for subset in (50, 300)}


def test_archives_on_a_server_are_found_by_their_heads(tmp_path):
    with AnnotationServer({f"/a/{NAMES[50]}": b"a zip"}) as server:
        found = list(availability([50, 300], f"{server.url}/a/", tmp_path))
        where = [f"{server.url}/a/{name}" for name in NAMES.values()]
        assert found == [
            Availability(50, "online", where[0], 5),
            Availability(300, "unreachable", where[1], reason="answers HTTP 404 Not Found"),
        ]
        assert [request.sent for request in server.requests] == [0, 0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Page(), "answers with an HTML page"),
        (Status(503), "answers HTTP 503 Service Unavailable"),
        (HangUp(), "does not answer (ConnectionError)"),
        (Stall(), "does not answer (ReadTimeout)"),
    ],
    ids=str,
)
def test_a_server_that_does_not_answer_well_is_reported(answer, reason, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT", 0.2)
    with AnnotationServer({}) as server:
        server.misbehave(f"/{NAMES[50]}", answer)
        (found,) = availability([50], server.url, tmp_path)
    assert (found.state, found.reason) == ("unreachable", reason)


def test_a_server_that_does_not_answer_is_asked_once(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        found = list(availability([50, 300], url, tmp_path))
    assert {one.reason for one in found} == {"does not answer (ConnectionError)"}
    assert [one.where for one in found] == [f"{url}/{name}" for name in NAMES.values()]


def test_what_was_downloaded_is_not_asked_for(tmp_path, offline):
    (tmp_path / NAMES[50]).write_bytes(b"a zip")
    (found,) = availability([50], "official", tmp_path)
    assert found == Availability(50, "present", str(tmp_path / NAMES[50]), 5)


def test_a_folder_holds_an_archive_or_unpacked_masks_or_nothing(tmp_path):
    (tmp_path / NAMES[50]).write_bytes(b"a zip")
    for split in ("train-semi", "validation"):
        (tmp_path / "ImageNetS300" / f"{split}-segmentation").mkdir(parents=True)
    packed, unpacked, missing = availability([50, 300, 919], str(tmp_path), Path("unused"))
    assert packed == Availability(50, "present", str(tmp_path / NAMES[50]), 5)
    assert unpacked == Availability(300, "present", str(tmp_path / "ImageNetS300"))
    assert missing.state == "missing"
    assert missing.reason.startswith("`annotations.from`: found no annotations of ImageNetS919 in ")
