"""The results of commands as JSON, for programs: to standard output or to a file."""

import codecs
import json
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
        # JSON is UTF-8. Where standard output is not, only ASCII is written.
        is_utf8 = codecs.lookup(sys.stdout.encoding or "utf-8").name == "utf-8"
        text = json_bytes(document).decode() if is_utf8 else json.dumps(document, indent=2) + "\n"
        sys.stdout.write(text)
    else:
        write_json(target, document)
