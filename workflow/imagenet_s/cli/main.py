"""The command line: one command a stage. `imagenet-s COMMAND --help` says what each one takes.

Arguments only; the work is in the modules. Each command imports what it needs when it runs, so that a
short job does not wait for the libraries of a long one.
"""

import argparse
import errno
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from imagenet_s.cli.arguments import command, new_file, workers
from imagenet_s.cli.benchmark_commands import add_benchmark
from imagenet_s.cli.stage_commands import add_stages
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.lock import job_in
from imagenet_s.runtime.progress import escape_output, flush_output, log, start_log
from imagenet_s.runtime.version import __version__
from imagenet_s.spec.subsets import LEVELS
from imagenet_s.workspace.output_guard import require_own_log

MAX_DETAILS = 50  # lines on a terminal

STOPPED, UNREAD = 128 + signal.SIGINT, 128 + signal.SIGPIPE  # exit codes


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code.

    0 done, 1 it could not be done, 2 wrong usage; as shells have it, 130 stopped by Ctrl-C, 141 nobody read
    what it would have printed.
    """
    escape_output()  # of `--help`, too
    options = vars(command_parser().parse_args(arguments))
    code = _run(options)
    error = flush_output()
    if error and not isinstance(error, BrokenPipeError):  # `… | head -1` has read all that it wants
        log.error("Not all of the output could be printed: %s%s", error.strerror, _advice(error))
        return code or 1
    return code


def _run(options: dict) -> int:
    run, log_file, work = (options.pop(name) for name in ("run", "log", "work"))
    try:
        start_log(None)  # so that what is wrong with the other can be told
        if log_file:
            if not work:  # the jobs of a build have their logs where the rules say
                require_own_log(log_file, options)
            start_log(log_file)
        with job_in(work) if work else nullcontext():
            return run(options) or 0
    except UserError as error:
        log.error("%s", error)
        _tell_details(error.details, log_file)
        return error.code
    except KeyboardInterrupt:
        log.error("Stopped.")
        return STOPPED
    except OSError as error:
        if isinstance(error, BrokenPipeError) and not error.filename:
            return UNREAD
        log.debug("%s", traceback.format_exc())
        names = " → ".join(str(name) for name in (error.filename, error.filename2) if name)
        log.error("%s: %s%s", error.strerror or error, names or "(no file named)", _advice(error))
        return 1
    except Exception:
        log.exception("This is a fault of the program, not yours. Please report it with these lines.")
        return 1


def _tell_details(details: Sequence[str], log_file: Path | None) -> None:
    """Everything goes to the log; without one, to the terminal, as long as one can read it."""
    if log_file:
        for line in details:
            log.debug("%s", line)
        if details:
            log.error("The full list (%s lines) is in %s", f"{len(details):,}", log_file)
        return
    for line in details[:MAX_DETAILS] if len(details) > 1 else ():  # a single one is in the message
        log.error("  %s", line)
    if len(details) > MAX_DETAILS:
        log.error("  … and %s more: `imagenet-s --log FILE …` lists all", f"{len(details) - MAX_DETAILS:,}")


def _advice(error: OSError) -> str:
    """What to do about an error of the system, where that is known; begins with a full stop."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            ".\nThe disk, or your share of it, takes no more bytes (`df -h`) or no more files (`df -i`). "
            "Make room there and run the same command again."
        )
    if error.errno == errno.EIO:
        return ".\nThe disk or the network fails (see `dmesg`). Run the same command again once it is mended."
    return ""


def command_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands. Each command's `run` is the function that does the work."""
    parser = argparse.ArgumentParser(
        prog="imagenet-s",
        description="Check, score and submit ImageNet-S. `snakemake --cores all` builds it.\n"
        "`imagenet-s COMMAND --help` explains each command.",
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, max_help_position=20),
    )
    parser.add_argument("--version", action="version", version=f"imagenet-s {__version__}")
    parser.add_argument("--log", type=Path, metavar="FILE", help="write what happens to this file")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="of a build: let others know of this job")
    commands = parser.add_subparsers(required=True, title="commands", metavar="COMMAND")

    added = command(
        commands,
        "init",
        "cli.init.init_folder",
        "write a config.yaml, a Snakefile and profiles to build with",
    )
    added.add_argument(
        "folder", type=Path, nargs="?", default=Path(), metavar="FOLDER", help="default: the current one"
    )

    added = command(
        commands,
        "inspect",
        "preflight.inspect.print_report",
        "say what a copy of ImageNet-1k holds, and which subsets can be built from it",
    )
    added.add_argument("path", type=Path, metavar="PATH", help="the folder that holds train and val")
    added.add_argument("--md5", action="store_true", help="read official archives as a whole: their md5")
    added.add_argument("--images", action="store_true", help="decode every image, and name those not right")
    workers(added)

    added = command(
        commands,
        "plan",
        "preflight.plan.print_plan",
        "say what a build would find, do and need; nothing is written",
    )
    added.add_argument("--configfile", type=Path, default=Path("config.yaml"), metavar="FILE")

    added = command(commands, "verify", "verify.command.verify_copies", "is a copy of ImageNet-S whole?")
    added.add_argument("path", type=Path, metavar="PATH", help="a copy, or the folder above it")
    added.add_argument(
        "--level", choices=LEVELS, default="sha256", help="names; also sizes; also every byte (default)"
    )
    added.add_argument("--against", type=Path, metavar="DIR", help="by the manifests of another copy")
    added.add_argument(
        "--adopt", dest="adopting", action="store_true", help="write manifests for a copy that has none"
    )
    added.add_argument("--json", type=new_file, metavar="FILE", help="write all that was found to this file")
    workers(added)

    added = command(
        commands, "repair", "repair.command.repair_copies", "make again what verify finds wrong in a build"
    )
    added.add_argument("--configfile", type=Path, default=Path("config.yaml"), metavar="FILE")
    added.add_argument("--delete-extra", action="store_true", help="delete files that do not belong there")
    added.add_argument("--dry-run", action="store_true", help="say what would be done")
    workers(added)

    added = command(
        commands, "clean", "repair.clean.clean", "remove what builds made in an output, and nothing else"
    )
    added.add_argument("output", type=Path, metavar="PATH", help="the folder that holds ImageNetS<n>")
    added.add_argument("--dry-run", action="store_true", help="say what would be removed")

    add_benchmark(commands)
    people = set(commands.choices)
    add_stages(commands)
    parser.epilog = _jobs({name: added for name, added in commands.choices.items() if name not in people})
    return parser


def _jobs(added: Mapping[str, argparse.ArgumentParser]) -> str:
    """Return the part of `--help` that lists the commands of jobs, laid out as argparse lists the others."""
    lines = (f"  {name:16}  {parser.description}" for name, parser in added.items())
    return "\n".join(["commands that the jobs of a build run, in this order:", *lines])


if __name__ == "__main__":
    sys.exit(main())
