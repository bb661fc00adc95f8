"""Shared by the commands of the command line: how to add one, and arguments that several have."""

import argparse
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

from imagenet_s.io.json_output import STDOUT
from imagenet_s.spec.subsets import SUBSETS

DEVICES = "/dev"
OF_ALL = "options of all commands"
READERS = 32  # with 5 ms a call, a build is six times as fast; more need more memory than they bring

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
# Takes the options of a command, and returns the exit code, or None for 0.
Run: TypeAlias = Callable[[Mapping[str, Any]], int | None]


def command(
    commands: Commands, name: str, run: Run | str, help: str, listed: bool = True
) -> argparse.ArgumentParser:
    """Add a command that calls `run`, a function of its options or the name of one, as in `function`.

    A command that is not `listed` works like any other, but argparse leaves it out of `imagenet-s --help`.
    """
    if listed:
        added = commands.add_parser(name, help=help, description=help)
    else:
        added = commands.add_parser(name, description=help)
    options_of_all(added, argparse.SUPPRESS, argparse.SUPPRESS, argparse.SUPPRESS)
    added.set_defaults(run=function(run) if isinstance(run, str) else run)
    return added


def function(name: str, groups: Mapping[str, str] | None = None) -> Run:
    """Return a function that calls `package.module.function` with the options as arguments.

    The module is imported when the function is called.

    Args:
        name: The function to call.
        groups: The arguments that are dataclasses, with the name of each class (`package.module.Class`). The
            fields of the class are taken from the options of the same names.
    """

    def run(options: Mapping[str, Any]) -> int | None:
        arguments = dict(options)
        for argument, group in (groups or {}).items():
            kind = _imported(group)
            values = {field.name: arguments.pop(field.name) for field in fields(kind)}
            arguments[argument] = kind(**values)
        code: int | None = _imported(name)(**arguments)
        return code

    return run


def _imported(name: str) -> Any:
    """Return `package.module.name` of the package."""
    module, _, name = name.rpartition(".")
    return getattr(import_module(f"imagenet_s.{module}"), name)


def options_of_all(
    added: argparse.ArgumentParser,
    log: str | None = None,
    verbosity: int | str = 0,
    readers: int | str = READERS,
) -> None:
    """Add the options that come before the name of any command or after it.

    Args:
        added: The parser of the program, or of a command. The latter's defaults must not replace what the
            former has read.
        log: The default of `--log`.
        verbosity: The default of `-q` (-1) and `-v` (1).
        readers: The default of `--readers`.
    """
    group = added.add_argument_group(OF_ALL)
    group.add_argument("--log", type=Path, default=log, metavar="FILE", help="write a log to this file")
    for short, long, value, help in (
        ("-q", "--quiet", -1, "print only results and errors"),
        ("-v", "--verbose", 1, "also print what usually only the log has"),
    ):
        group.add_argument(
            *(short, long), dest="verbosity", action="store_const", const=value, default=verbosity, help=help
        )
    group.add_argument(
        "--readers",
        type=count,
        default=readers,
        metavar="N",
        help="number of threads of a process that read ahead where a slow file system makes them wait "
        f"(default: {READERS}; 1: none)",
    )


def subset(added: argparse.ArgumentParser) -> None:
    """Add the option `--subset`."""
    added.add_argument(
        "--subset", type=int, choices=SUBSETS, required=True, help="the subset, by its number of classes"
    )


def optional_subset(added: argparse.ArgumentParser) -> None:
    """Add the option `--subset` to a command whose folders may say it; see `with_subset`."""
    added.add_argument(
        "--subset",
        type=int,
        choices=SUBSETS,
        help="the subset, by its number of classes (default: what a folder says by its name ImageNetS<n> or "
        "its dataset.json)",
    )


def with_subset(run: Run, *folders: str) -> Run:
    """Return a function that calls `run` with the subset that `optional_subset` or the folders name.

    Args:
        run: The function to call.
        folders: The names of the options that are folders. The first that says a subset counts.
    """

    def run_with_subset(options: Mapping[str, Any]) -> int | None:
        given = [options[name] for name in folders if options[name]]
        chosen = _imported("benchmark.scoring.which_subset.chosen_subset")
        return run({**options, "subset": chosen(options["subset"], given)})

    return run_with_subset


def paths(added: argparse.ArgumentParser, **helps: str) -> None:
    """Add a required option with one path for each name, with its help."""
    for name, help in helps.items():
        added.add_argument(f"--{name}", type=Path, required=True, metavar="PATH", help=help)


def configfile(added: argparse.ArgumentParser) -> None:
    """Add the option `--configfile`."""
    added.add_argument(
        "--configfile",
        type=Path,
        default=Path("config.yaml"),
        metavar="FILE",
        help="the configuration of the build (default: %(default)s)",
    )


def val_option(added: argparse.ArgumentParser) -> None:
    """Add the option `--val`."""
    added.add_argument(
        "--val",
        type=Path,
        metavar="PATH",
        help="where val is, if the path is that of train alone",
    )


def several(added: argparse.ArgumentParser, **helps: str) -> None:
    """Add a required option with one or more paths for each name, with its help."""
    for name, help in helps.items():
        added.add_argument(f"--{name}", type=Path, required=True, nargs="+", metavar="PATH", help=help)


def workers(added: argparse.ArgumentParser, what: str = "processes") -> None:
    """Add the option `--workers`, a number of `what`."""
    added.add_argument(
        "--workers",
        type=count,
        default=os.cpu_count() or 1,
        metavar="N",
        help=f"number of {what} (default: one per core)",
    )


def json_output(added: argparse.ArgumentParser) -> None:
    """Add the option `--json`, whose value `write_json_output` takes: None if the option is not given."""
    added.add_argument(
        "--json",
        type=_json_target,
        nargs="?",
        const=STDOUT,
        metavar="FILE",
        help="write the result as JSON to this file; without FILE or with `-`, to standard output, and "
        "nothing else there",
    )


def _json_target(text: str) -> Path:
    return STDOUT if text == str(STDOUT) else new_file(text)


def count(text: str) -> int:
    """Return an integer of 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not an integer of 1 or more")
    return int(text)


def above_zero(text: str) -> float:
    """Return a number above 0."""
    with suppress(ValueError):
        number = float(text)
        if number > 0:  # false for `nan`
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")


def new_file(text: str) -> Path:
    """Return the path of a file to write; it does not exist or is a regular file."""
    path = Path(text)
    if not path.name or os.path.isdir(path):
        raise argparse.ArgumentTypeError(f"{text!r} is a folder; give the name of a file")
    # The new file replaces the old one. /dev/stdout may lead to a regular file, but the link itself is one
    # that all programs need.
    is_special = os.path.exists(path) and not os.path.isfile(path)
    if is_special or os.path.realpath(path.parent) == DEVICES:
        raise argparse.ArgumentTypeError(f"{text!r} is not a regular file; give the name of a file")
    return path


def new_folder(text: str) -> Path:
    """Return the path of a folder to write to, with a name of its own."""
    path = Path(text)
    path = path if path.name and path.name != ".." else Path(os.path.abspath(text))
    if not path.name or (os.path.exists(path) and not os.path.isdir(path)):
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a folder")
    return path
