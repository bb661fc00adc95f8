"""`match.json`: what is valid, what is refused and why, and the table that it gives."""

import errno
import hashlib
import os
import threading

import numpy as np
import pytest

from imagenet_s.benchmark.scoring.match_json import (
    BadMatch,
    matching_table,
    parsed_matching,
    read_matching,
    relabelled,
)


def test_predictions_are_relabelled_and_ids_above_the_classes_stay():
    table = matching_table({"1": 2, "2": 1, "0": 0}, 2)
    ids = np.array([[0, 1, 2, 3, 1000, 65_535]], np.uint16)
    assert relabelled(ids, table).tolist() == [[0, 2, 1, 3, 1000, 65_535]]
    assert relabelled(ids, table).dtype == np.uint16


@pytest.mark.parametrize(
    ("official", "says"),
    [
        ({"0": 0, "1": 1}, "lacks the keys 2; lacks the values 2"),
        ({"0": 0, "1": 1, "2": 2, "3": 3}, "has the keys 3 outside 0..2; has the values 3 outside 0..2"),
        ({"0": 0, "1": 1, "2": 1}, "lacks the values 2; has 1 more than once"),
        ({"0": 0, "1": 0, "2": 0}, "lacks the values 1, 2; has 0 more than once"),
        ({"0": 0, "1": -1, "2": 2}, "lacks the values 1; has the values -1 outside 0..2"),
        ({"0": 1, "1": 0, "2": 2}, "maps background to class 1"),
        ({"1": 1, "2": 2}, "lacks the keys 0; lacks the values 0"),
        ({}, "lacks the keys 0, 1, 2; lacks the values 0, 1, 2"),
        ({"0": 0, "one": 1, "2": 2}, "has entries that are not of the form \"7\": 12, namely 'one': 1"),
        ([1, 2], "is not a JSON object"),
    ],
)
def test_an_invalid_matching_is_refused(official, says):
    with pytest.raises(BadMatch) as caught:
        matching_table(official, 2)
    assert str(caught.value) == says


def test_a_matching_of_another_subset_is_recognized_by_its_length():
    matches = {n: {str(i): i for i in range(n + 1)} for n in (50, 300)}
    with pytest.raises(BadMatch) as caught:
        matching_table(matches[300], 50)
    assert str(caught.value) == (
        "has the keys 51, 52, 53, … (250 in all) outside 0..50; "
        "has the values 51, 52, 53, … (250 in all) outside 0..50; it may be of ImageNetS300"
    )
    with pytest.raises(BadMatch) as caught:
        matching_table(matches[50], 300)
    assert str(caught.value) == (
        "lacks the keys 51, 52, 53, … (250 in all); "
        "lacks the values 51, 52, 53, … (250 in all); it may be of ImageNetS50"
    )


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"0": 0, "1": 2, "1": 1, "2": 2}', "has duplicate keys: '1'$"),
        (b'{"0": {"1": 2, "1": 1}}', "has duplicate keys: '1'$"),
        (b"3", "is not a JSON object$"),
        (b"[]", "is not a JSON object$"),
    ],
)
def test_bytes_that_are_not_a_match_json_are_refused(data, says):
    with pytest.raises(BadMatch, match=says):
        parsed_matching(data, 2)


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        ('"1": 1.0', "'1': 1.0"),
        ('"1": 1.5', "'1': 1.5"),
        ('"1": true', "'1': True"),
        ('"1": 1e999', "'1': inf"),
        ('"1": NaN', "'1': nan"),
        ('"1": null', "'1': None"),
        ('"1": "1"', "'1': '1'"),
        ('"1": [1]', "'1': [1]"),
        ('"01": 1', "'01': 1"),
        ('"+1": 1', "'+1': 1"),
        ('"-0": 1', "'-0': 1"),
        ('" 1": 1', "' 1': 1"),
        ('"1\\n": 1', r"'1\n': 1"),
        ('"1_0": 1', "'1_0': 1"),
        ('"１": 1', "'１': 1"),
        ('"1.0": 1', "'1.0': 1"),
        (f'"{"9" * 5000}": 1', f"'{'9' * 12}...{'9' * 13}': 1"),
        ('"": 1', "'': 1"),
        ('"a": "b", "c": 1, "d": 1, "e": 1', "'a': 'b', 'c': 1, 'd': 1, … (4 in all)"),
    ],
)
def test_entries_must_be_spelled_as_the_official_writer_spells_them(entry, shown):
    with pytest.raises(BadMatch) as caught:
        parsed_matching(f'{{"0": 0, {entry}, "2": 2}}'.encode(), 2)
    assert str(caught.value) == f'has entries that are not of the form "7": 12, namely {shown}'


def test_a_match_json_of_very_many_keys_is_refused_at_once():
    data = b"{" + b", ".join(b'"%d": %d' % (i, i) for i in range(60_000)) + b"}"
    with pytest.raises(BadMatch, match=r"has the keys 3, 4, 5, … \(59,997 in all\) outside 0\.\.2; "):
        parsed_matching(data, 2)
    with pytest.raises(BadMatch, match="has 1,048,576 bytes or more"):
        parsed_matching(data * 2, 2)


def test_a_match_json_is_read_in_any_order_and_with_any_spaces():
    for data in (b'{"1": 2, "2": 1, "0": 0}', b'\n{\t"0":0,"2" : 1,\r\n"1":2}'):
        assert parsed_matching(data, 2)[:4].tolist() == [0, 2, 1, 3]


def test_a_file_is_read_once_so_that_it_may_be_a_pipe(tmp_path):
    data = b'{"0": 0, "1": 2, "2": 1}'
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=[data])
    writer.start()
    match = read_matching(tmp_path / "pipe", 2)
    writer.join()
    assert match.table[:4].tolist() == [0, 2, 1, 3]
    assert match[1:] == (str(tmp_path / "pipe"), hashlib.sha256(data).hexdigest())


def test_a_failed_read_names_the_file(tmp_path):
    (tmp_path / "failing").symlink_to("/proc/self/mem")
    with pytest.raises(OSError, match="Input/output error") as caught:
        read_matching(tmp_path / "failing", 2)
    assert (caught.value.errno, caught.value.filename) == (errno.EIO, str(tmp_path / "failing"))
