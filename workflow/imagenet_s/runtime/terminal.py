"""What only a terminal gets: colour, lines drawn again, and questions. Pipes and files get plain output."""

import os
import sys
from enum import StrEnum
from typing import TextIO


class Colour(StrEnum):
    """The number of a colour in an escape sequence (ECMA-48, SGR)."""

    RED = "31"
    GREEN = "32"


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal; a closed one, which is None, is not."""
    return stream is not None and stream.isatty()


def can_redraw(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal on which a line can be drawn again."""
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def coloured(text: str, colour: Colour, stream: TextIO | None) -> str:
    """Return a text in a colour if `stream` shows colours and the user wants them.

    `NO_COLOR` (https://no-color.org) in the environment turns colours off.
    """
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb"
    return text if plain or not is_terminal(stream) else f"\33[{colour}m{text}\33[0m"


def can_ask() -> bool:
    """Return whether somebody at a terminal reads a question and can answer it."""
    return is_terminal(sys.stdin) and is_terminal(sys.stdout)


def confirmed(question: str) -> bool:
    """Ask a question on the terminal and return whether the answer is yes. The end of the input means no."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False
