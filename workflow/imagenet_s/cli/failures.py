"""What a command prints when it fails: the details of an error, and what to do about one of the system."""

import errno
from collections.abc import Sequence
from pathlib import Path

from imagenet_s.runtime.progress import log

MAX_DETAILS = 50  # lines that are printed without a log file


def log_details(details: Sequence[str], log_file: Path | None) -> None:
    """Write all details to the log file. Without one, print the first MAX_DETAILS of them."""
    if log_file:
        for line in details:
            log.debug("%s", line)
        if details:
            log.error("The full list (%s lines) is in %s", f"{len(details):,}", log_file)
        return
    for line in details[:MAX_DETAILS] if len(details) > 1 else ():  # a single one is in the message already
        log.error("  %s", line)
    if len(details) > MAX_DETAILS:
        log.error("  … and %s more: `imagenet-s --log FILE …` lists all", f"{len(details) - MAX_DETAILS:,}")


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
    return ""
