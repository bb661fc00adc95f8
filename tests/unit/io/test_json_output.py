"""Results as JSON: to standard output or to a file."""

import json
import sys
from pathlib import Path

import pytest

from helpers.outputs import stdout_in
from imagenet_s.io.json_output import STDOUT, write_json_output

DOCUMENT = {"Größe": [1, "caf\udce9"]}
TEXT = '{\n  "Größe": [\n    1,\n    "caf\\udce9"\n  ]\n}\n'


def test_standard_output_and_a_file_get_the_same(tmp_path, capsys):
    write_json_output(DOCUMENT, STDOUT)
    write_json_output(DOCUMENT, tmp_path / "document.json")
    assert capsys.readouterr().out == (tmp_path / "document.json").read_text("utf-8") == TEXT
    assert list(tmp_path.iterdir()) == [tmp_path / "document.json"]
    assert not Path("-").exists()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_standard_output_that_is_not_utf_8_gets_valid_json(encoding, monkeypatch):
    stream = stdout_in(encoding)
    stream.reconfigure(errors="backslashreplace")  # as the command line does
    monkeypatch.setattr(sys, "stdout", stream)
    write_json_output(DOCUMENT | {"😀": "é"}, STDOUT)
    stream.flush()
    assert json.loads(stream.buffer.getvalue().decode("utf-8")) == DOCUMENT | {"😀": "é"}


def test_a_closed_standard_output_is_no_error(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    write_json_output(DOCUMENT, STDOUT)
