"""Write docs/cli.md, the reference of the command line, from its parser.

    python docs/scripts/cli_reference.py

The text is made from argparse's own objects and not from `--help`, whose layout differs between versions of
Python.
"""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from imagenet_s.cli.arguments import OF_ALL
from imagenet_s.cli.main import command_parser

PAGE = Path(__file__).parents[1] / "cli.md"

HEAD = """\
# Command line

`docs/scripts/cli_reference.py` generates this page. `imagenet-s COMMAND --help` shows the same in a terminal.
`python -m imagenet_s` is another name for `imagenet-s`. A wrong command, option or value ends with exit code
2 and the nearest right spelling.

Tab completion works once the shell finds the script that `completion` prints. Save it in the file:

| shell | command | file |
|---|---|---|
| bash | `imagenet-s completion bash` | `~/.local/share/bash-completion/completions/imagenet-s` |
| zsh | `imagenet-s completion zsh` | `_imagenet-s` in a folder of `$fpath` |
| fish | `imagenet-s completion fish` | `~/.config/fish/completions/imagenet-s.fish` |

`imagenet-s` must be in the `PATH`, as it is in an activated environment (`. .venv/bin/activate`).
"""
OPTIONS_OF_ALL = """\
These come before the name of the command; `--log`, `-q`, `-v` and `--readers` may also come after it. Results
go to standard output, everything else to standard error."""
JOBS = """\
## Commands of jobs

The jobs of a build run these commands. Snakemake gives them their arguments.
"""


def reference() -> str:
    """Return the page."""
    parser = command_parser()
    (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    listed = [action.dest for action in commands._choices_actions]
    lines = [HEAD, "## Options of all commands", "", OPTIONS_OF_ALL, ""]
    lines += _table(_actions(parser, of_all=True))
    for name in listed:
        lines += ["", f"## {name}", "", *_command(commands.choices[name])]
    lines += ["", JOBS.rstrip()]
    for name in (name for name in commands.choices if name not in listed):
        lines += ["", f"### {name}", "", *_command(commands.choices[name])]
    return "\n".join(lines) + "\n"


def _command(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the lines of one command: what it does, its arguments, its rules."""
    yield _sentence(parser.description)
    yield ""
    yield from _table(_actions(parser, of_all=False))
    if parser.epilog:
        for paragraph in parser.epilog.replace("\n  ", " ").split("\n"):  # wrapped lines are indented
            yield from ("", _escaped(paragraph))


def _actions(parser: argparse.ArgumentParser, of_all: bool) -> list[argparse.Action]:
    """Return the arguments of a parser, without `--help`. Those of all commands are in it if `of_all`."""
    everywhere = [group._group_actions for group in parser._action_groups if group.title == OF_ALL]
    skipped = [] if of_all else everywhere[0]
    return [
        action
        for action in parser._actions
        if action not in skipped and not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)
    ]


def _table(actions: Iterable[argparse.Action]) -> Iterator[str]:
    """Yield a table of arguments."""
    yield "| argument | meaning |"
    yield "|---|---|"
    for action in actions:
        yield f"| {_names(action)} | {_meaning(action)} |"


def _names(action: argparse.Action) -> str:
    """Return how an argument is written, with its value."""
    value = action.metavar or (action.dest.upper() if action.nargs != 0 else "")
    if action.choices and not action.metavar:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    if action.nargs in ("+", "*"):
        value += " …"
    elif isinstance(action.nargs, int) and action.nargs > 1:
        value = " ".join([value] * action.nargs)
    if not action.option_strings:
        return f"`{value}`"
    return ", ".join(f"`{name} {value}`" if value else f"`{name}`" for name in action.option_strings)


def _meaning(action: argparse.Action) -> str:
    """Return what the help says of an argument, and whether it must be given."""
    text = _escaped((action.help or "") % {"default": action.default, "prog": "imagenet-s"})
    return f"{text}{'; ' if text else ''}required" if action.required and action.option_strings else text


def _sentence(text: str) -> str:
    text = _escaped(text)
    return text[0].upper() + text[1:] + ("" if text[-1] in ".?" else ".")


def _escaped(text: str) -> str:
    """Return text in which Markdown takes nothing for a tag or the end of a cell."""
    return text.replace("<", "&lt;").replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
