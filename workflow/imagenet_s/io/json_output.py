"""The results of commands as JSON, for programs: to standard output or to a file."""

import sys
from pathlib import Path

from imagenet_s.io.atomic import json_bytes, write_json

STDOUT = Path("-")


def write_json_output(document: object, target: Path) -> None:
    """Write a document to standard output if the target is `STDOUT`, else to the target, atomically.

    Raises:
        OSError: It cannot be written.
    """
    if target == STDOUT:
        sys.stdout.write(json_bytes(document).decode())
    else:
        write_json(target, document)
