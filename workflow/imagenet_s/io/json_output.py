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
        encoding = getattr(sys.stdout, "encoding", None)  # standard output may be closed: it is None then
        is_utf8 = codecs.lookup(encoding or "utf-8").name == "utf-8"
        text = json_bytes(document).decode() if is_utf8 else json.dumps(document, indent=2) + "\n"
        print(text, end="")
    else:
        write_json(target, document)
