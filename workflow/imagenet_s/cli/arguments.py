"""What the commands of the command line share: how one is added, and the arguments that several take."""

import argparse
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

from imagenet_s.spec.subsets import SUBSETS

DEVICES = "/dev"

# Takes the options of a command; returns the exit code, None for 0.
Run = Callable[[Mapping[str, Any]], int | None]


def command(
    commands: argparse._SubParsersAction, name: str, run: Run | str, help: str, listed: bool = True
) -> argparse.ArgumentParser:
    """Add a command that calls `run`: a function of its options, or the name of one, as for `function`.

    A command that is not `listed` works like any other, but argparse leaves it out of `imagenet-s --help`.
    """
    if listed:
        added = commands.add_parser(name, description=help, help=help)
    else:
        added = commands.add_parser(name, description=help)
    added.set_defaults(run=function(run) if isinstance(run, str) else run)
    return added


def function(name: str, groups: Mapping[str, str] | None = None) -> Run:
    """Return what calls `package.module.function`, imported only then, with each option as an argument.

    `groups` has the arguments that are dataclasses, and the name of each, `package.module.Class`: it takes
    the options that are called as its fields.
    """

    def run(options: Mapping[str, Any]) -> int | None:
        arguments = dict(options)
        for argument, group in (groups or {}).items():
            kind = _named(group)
            values = {field.name: arguments.pop(field.name) for field in fields(kind)}
            arguments[argument] = kind(**values)
        return _named(name)(**arguments)

    return run


def _named(name: str) -> Any:
    module, _, name = name.rpartition(".")
    return getattr(import_module(f"imagenet_s.{module}"), name)


def subset(added: argparse.ArgumentParser) -> None:
    added.add_argument("--subset", type=int, choices=SUBSETS, required=True, help="by its number of classes")


def paths(added: argparse.ArgumentParser, *names: str) -> None:
    for name in names:
        added.add_argument(f"--{name}", type=Path, required=True, metavar="PATH")


def several(added: argparse.ArgumentParser, *names: str) -> None:
    for name in names:
        added.add_argument(f"--{name}", type=Path, required=True, nargs="+", metavar="PATH")


def workers(added: argparse.ArgumentParser) -> None:
    cores = os.cpu_count() or 1
    added.add_argument(
        "--workers", type=count, default=cores, metavar="N", help="processes (default: one a core)"
    )


def count(text: str) -> int:
    """A whole number, 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not 1 or more")
    return int(text)


def above_zero(text: str) -> float:
    """A number above 0."""
    with suppress(ValueError):
        number = float(text)
        if number > 0:  # not so `nan`
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is not above 0")


def new_file(text: str) -> Path:
    """The path of a file to write, where there is none or an ordinary one."""
    path = Path(text)
    if not path.name or os.path.isdir(path):
        raise argparse.ArgumentTypeError(f"{text!r} is a folder; give the name of a file")
    # A new file takes the place of what is there. /dev/stdout may lead to an ordinary file, and is a link
    # that all programs need.
    odd = os.path.exists(path) and not os.path.isfile(path)
    if odd or os.path.realpath(path.parent) == DEVICES:
        raise argparse.ArgumentTypeError(f"{text!r} is no ordinary file; give the name of a file")
    return path


def new_folder(text: str) -> Path:
    """The path of a folder to write to, with a name of its own."""
    path = Path(text)
    path = path if path.name and path.name != ".." else Path(os.path.abspath(text))
    if not path.name or (os.path.exists(path) and not os.path.isdir(path)):
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a folder")
    return path
