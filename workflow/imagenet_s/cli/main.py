"""The command line: parse the arguments, run one command, and report errors.

The work is done in other modules. Each command imports what it needs when it runs, so that a short job does
not wait for the libraries of a long one.
"""

import argparse
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from imagenet_s.cli.arguments import (
    command,
    configfile,
    function,
    json_output,
    options_of_all,
    val_option,
    workers,
)
from imagenet_s.cli.benchmark_commands import add_benchmark
from imagenet_s.cli.copy_commands import add_copy_commands
from imagenet_s.cli.export_commands import add_export, add_export_jobs
from imagenet_s.cli.failures import advice, log_details
from imagenet_s.cli.gallery_commands import add_gallery, add_gallery_jobs
from imagenet_s.cli.parser import Parser
from imagenet_s.cli.report_commands import add_report_jobs
from imagenet_s.cli.stage_commands import add_stages
from imagenet_s.cli.versions import ShowVersions
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.full_list import FullList
from imagenet_s.runtime.lock import job_in
from imagenet_s.runtime.progress import (
    escape_output,
    flush_output,
    ignore_image_warnings,
    log,
    reporter,
    start_log,
)
from imagenet_s.runtime.read_ahead import set_readers
from imagenet_s.spec.subsets import SUBSETS
from imagenet_s.workspace.output_guard import require_own_log

STOPPED, UNREAD = 128 + signal.SIGINT, 128 + signal.SIGPIPE  # exit codes
SHELLS = ("bash", "zsh", "fish")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code.

    Returns:
        0: success, 1: failure, 2: wrong usage. As in shells, 130: stopped by Ctrl-C, 141: the reader of the
        output closed its pipe.
    """
    escape_output()  # before `--help` prints
    ignore_image_warnings()
    options = vars(command_parser().parse_args(sys.argv[1:] if arguments is None else arguments))
    full_list = FullList(options["log"])
    code = _run(options, full_list)
    error = flush_output()
    full_list.name_file()  # the last line
    if error and not isinstance(error, BrokenPipeError):  # `… | head -1` closes the pipe on purpose
        log.error("The output could not be printed completely: %s%s", error.strerror, advice(error))
        code = code or 1
    reporter().end(code)
    return code


def _run(options: dict[str, Any], full_list: FullList) -> int:
    """Run the command that the options name and return the exit code; log what goes wrong."""
    run, log_file, work, verbosity = (options.pop(name) for name in ("run", "log", "work", "verbosity"))
    set_readers(options.pop("readers"))
    try:
        start_log(None, verbosity)  # so that errors about the log file can be logged
        if log_file:
            if not work:  # for jobs of a build, the rules choose the log file
                require_own_log(log_file, options)
            start_log(log_file, verbosity)
        log.addHandler(full_list)
        with job_in(work) if work else nullcontext():
            code: int | None = run(options)
            return code or 0
    except UserError as error:
        log.error("%s", error)
        log_details(error, log_file)
        return error.code
    except KeyboardInterrupt:
        # The process ends now, and a second Ctrl-C would interrupt that.
        signal.signal(signal.SIGINT, lambda *_: None)
        log.error("Stopped.")
        return STOPPED
    except OSError as error:
        if isinstance(error, BrokenPipeError) and not error.filename:
            return UNREAD
        log.debug("%s", traceback.format_exc())
        names = " → ".join(str(name) for name in (error.filename, error.filename2) if name)
        log.error("%s: %s%s", error.strerror or error, names or "(no file named)", advice(error))
        return 1
    except Exception:
        log.exception(
            "This is a bug in imagenet-s, not a mistake of yours. Please report it with the lines below."
        )
        return 1


def command_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands. Each command's `run` is the function that does the work."""
    parser: argparse.ArgumentParser = Parser(
        prog="imagenet-s",
        description="Check, score and submit ImageNet-S. `snakemake --cores all` builds it.\n"
        "`imagenet-s COMMAND --help` explains each command.",
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, max_help_position=20),
    )
    parser.add_argument("--version", action=ShowVersions, help="print the versions of this and of libraries")
    options_of_all(parser)
    parser.add_argument(
        "--work",
        type=Path,
        metavar="FOLDER",
        help="for jobs of a build: register this job in this folder, so that other runs wait for it",
    )
    commands = parser.add_subparsers(required=True, title="commands", metavar="COMMAND")

    added = command(
        commands,
        "init",
        "cli.init.init_folder",
        "make a folder to build in: config.yaml, Snakefile and profiles",
    )
    added.add_argument(
        "folder",
        type=Path,
        nargs="?",
        default=Path(),
        metavar="FOLDER",
        help="the folder to make (default: the current one)",
    )

    added = command(
        commands,
        "inspect",
        function("preflight.inspect_report.print_report", {"checks": "preflight.inspect.Checks"}),
        "show what a copy of ImageNet-1k contains, and which subsets can be built from it",
    )
    added.add_argument(
        "path", type=Path, metavar="PATH", help="the folder that contains train and val, or Kaggle's zip"
    )
    val_option(added)
    added.add_argument(
        "--subset",
        type=int,
        choices=SUBSETS,
        action="append",
        help="report on this subset only, and say what it lacks; can be repeated (default: all, in short)",
    )
    added.add_argument(
        "--md5",
        action="store_true",
        help="also check the MD5 of official archives, which reads them completely",
    )
    added.add_argument(
        "--images", action="store_true", help="also decode every image, and name those that are damaged"
    )
    json_output(added)
    workers(added)

    added = command(
        commands,
        "plan",
        "pipeline.plan_report.print_plan",
        "show what a build would find, do and need, without writing anything",
    )
    configfile(added)
    json_output(added)

    add_copy_commands(commands)
    add_export(commands)
    add_gallery(commands)
    add_benchmark(commands)

    added = command(
        commands,
        "completion",
        "cli.completion.print_completion",
        "print a script with which a shell completes commands, options and values",
    )
    added.add_argument("shell", choices=SHELLS, metavar="SHELL", help=" or ".join(SHELLS))
    people = set(commands.choices)
    add_stages(commands)
    add_report_jobs(commands)
    add_export_jobs(commands)
    add_gallery_jobs(commands)
    parser.epilog = _jobs({name: added for name, added in commands.choices.items() if name not in people})
    return parser


def _jobs(added: Mapping[str, argparse.ArgumentParser]) -> str:
    """Return the part of `--help` that lists the commands of jobs, laid out as argparse lists the others."""
    lines = (f"  {name:16}  {parser.description}" for name, parser in added.items())
    return "\n".join(["commands that the jobs of a build run, in this order:", *lines])


if __name__ == "__main__":
    sys.exit(main())
