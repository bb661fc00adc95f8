"""What is wrong with many files: found one by one, told all at once, a line a kind."""

from collections.abc import Sequence
from typing import NamedTuple

from imagenet_s.runtime.errors import UserError

FIRST = 3  # of each kind are in the summary


class Finding(NamedTuple):
    """Something that is wrong: its kind, which is counted, and the file, with details where needed."""

    kind: str
    what: str


def require_none(findings: Sequence[Finding], what: str, advice: str) -> None:
    """Raises UserError with all that is wrong with `what`: a line a kind, and all files in the details."""
    if not findings:
        return
    kinds: dict[str, list[str]] = {}
    for kind, file in findings:
        # A name may have line breaks, or bytes that are no text.
        kinds.setdefault(kind, []).append(file if file.isprintable() else repr(file))
    lines = [
        f"- {kind} ({len(files):,}): {'; '.join(files[:FIRST])}{'; …' if len(files) > FIRST else ''}"
        for kind, files in kinds.items()
    ]
    more = any(len(files) > FIRST for files in kinds.values())
    details = [f"{kind}: {file}" for kind, files in kinds.items() for file in files] if more else []
    raise UserError("\n".join([what, *lines, advice]), details=details)
