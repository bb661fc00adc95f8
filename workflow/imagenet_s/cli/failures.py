"""What a command prints when it fails: the details of an error, and what to do about one of the system."""

import errno
import sys
from pathlib import Path

from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.full_list import list_in_full
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.terminal import is_terminal

MAX_DETAILS = 50  # lines that are printed without a log file
MAX_ON_TERMINAL = 5  # of them on a terminal, where a file has the rest


def log_details(error: UserError, log_file: Path | None) -> None:
    """Print the first details if there is no log file, and log all if there is one or not all are printed.

    A terminal shows no detail that the message names already: details end with the name that they are about.
    """
    details = error.details
    on_terminal = is_terminal(sys.stderr)
    most = MAX_ON_TERMINAL if on_terminal else MAX_DETAILS
    single = len(details) < 2  # it is in the message already
    if log_file or len(details) > most:
        list_in_full(details, is_shortened=not single)
    if log_file or single:
        return
    named = [line.rpartition(" ")[2] in str(error) for line in details[:most]]
    if on_terminal and (all(named) or (named[0] and len(details) > most)):
        return
    for line in details[:most]:
        log.error("  %s", line)
    if len(details) > most:
        rest = f"  … and {len(details) - most:,} more"
        log.error("%s", rest if on_terminal else f"{rest}: `imagenet-s --log FILE …` lists all")


def advice(error: OSError) -> str:
    """Return a full stop and what to do about an error of the operating system, or an empty string."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            ".\nThe disk or your quota is full: it has no space (`df -h`) or no inodes (`df -i`) left. "
            "Free some space and run the same command again."
        )
    if error.errno == errno.EIO:
        return (
            ".\nThe disk or the network has failed (see `dmesg`). Repair it and run the same command again."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return ".\nYou may not read or write there. Name another place, or run in a folder of your own."
    return ""
