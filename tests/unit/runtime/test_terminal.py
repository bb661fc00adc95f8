"""Colours and questions: on terminals only."""

import io
import os
import sys

import pytest

from helpers.outputs import terminal_stream
from imagenet_s.runtime.terminal import Colour, can_ask, coloured, confirmed, is_terminal


def test_a_real_terminal_shows_colours(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    main, side = os.openpty()
    with open(side, "w") as stream:
        assert is_terminal(stream)
        assert coloured("whole", Colour.GREEN, stream) == "\33[32mwhole\33[0m"
        assert coloured("DAMAGED", Colour.RED, stream) == "\33[31mDAMAGED\33[0m"
    os.close(main)


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", None)])
def test_a_terminal_without_colours_shows_plain_text(name, value, monkeypatch):
    stream = terminal_stream(monkeypatch, "stdout")
    assert coloured("whole", Colour.GREEN, stream) != "whole"
    if value:
        monkeypatch.setenv(name, value)
    else:
        monkeypatch.delenv(name)
    assert coloured("whole", Colour.GREEN, stream) == "whole"


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_what_is_no_terminal_shows_plain_text(stream):
    assert coloured("whole", Colour.GREEN, stream) == "whole"


@pytest.mark.parametrize(
    ("answer", "yes"), [("y\n", True), (" YES \n", True), ("\n", False), ("n\n", False), ("", False)]
)
def test_only_yes_confirms(answer, yes, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    assert confirmed("Go on?") is yes
    assert capsys.readouterr().out.strip() == "Go on? [y/N]"


def test_a_question_needs_a_terminal_for_both_directions(monkeypatch):
    assert not can_ask()
    terminal_stream(monkeypatch, "stdin")
    assert not can_ask()
    terminal_stream(monkeypatch, "stdout")
    assert can_ask()
