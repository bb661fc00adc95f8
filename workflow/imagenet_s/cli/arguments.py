"""What the commands of the command line share: how one is added, and the arguments that several take."""

import argparse
import os
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from imagenet_s.spec.subsets import SUBSETS

DEVICES = "/dev"


def command(
    commands: argparse._SubParsersAction, name: str, run: Callable | str, help: str, listed: bool = True
) -> argparse.ArgumentParser:
    """Add a command that calls `run`, a function or the name of one (`package.module.function`).

    A command that is not `listed` works like any other, but argparse leaves it out of `imagenet-s --help`.
    """
    if listed:
        added = commands.add_parser(name, description=help, help=help)
    else:
        added = commands.add_parser(name, description=help)
    added.set_defaults(run=function(run) if isinstance(run, str) else run)
    return added


def function(name: str) -> Callable:
    """`package.module.function` of the package, imported when it is called."""
    module, _, function = name.rpartition(".")
    return lambda **options: getattr(import_module(f"imagenet_s.{module}"), function)(**options)


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
