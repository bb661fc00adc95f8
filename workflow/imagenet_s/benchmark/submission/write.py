"""A submission: predictions of a subset's test images, `method.txt` and `match.json` in a zip.

What was written is read back and checked as if somebody else had made it.
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path

from imagenet_s.benchmark.scoring.predictions import (
    MISSING,
    UNREADABLE,
    file_bytes,
    files_in,
    inner,
    name_problems,
    names_of,
)
from imagenet_s.benchmark.submission.check import (
    MATCH,
    METHOD,
    SPLIT,
    advice,
    tell_right,
    tell_rules,
    zip_findings,
)
from imagenet_s.io.receipts import receipt
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.problems import FileProblem, require_no_file
from imagenet_s.spec.method_txt import method_text, read_method
from imagenet_s.workspace.output_guard import check_output_path

DATE = (1980, 1, 1, 0, 0, 0)  # of each member, so that the same predictions give the same zip


@dataclass(frozen=True)
class Submission:
    """What is handed in: predictions of the test images of a subset, by the rules of a protocol.

    `method` describes how they were made; `match`, where their ids are generated, which class each id is.
    """

    subset: int
    protocol: str
    predictions: Path
    match: Path | None
    method: Path


def submit(submission: Submission, images: Path, out: Path, workers: int) -> None:
    """Write `out`, a zip to submit, once it is known to be one; `images` are the test images.

    Raises UserError with all that is wrong.
    """
    subset, protocol, predictions = submission.subset, submission.protocol, submission.predictions
    check_output_path(out, inner(predictions, SPLIT), images, submission.match, submission.method)
    texts = {METHOD: method_text(read_method(submission.method)).encode()}
    if submission.match:
        texts[MATCH] = submission.match.read_bytes()
    tell_rules(subset, protocol)
    wanted, found = names_of(subset, SPLIT), files_in(inner(predictions, SPLIT))
    there = {name: found[name] for name in wanted if name in found}
    if not there:
        raise UserError(
            f"{predictions} has no prediction of a test image.\n"
            f"Expected `<wnid>/<stem>.png` such as {wanted[0]}.\n"
            f"It holds: {first_few(found) or 'nothing'}"
        )
    with receipt(out) as partial_path:
        unread = _write(there, texts, partial_path)
        findings = [FileProblem(UNREADABLE, f"{name}: {why}") for name, why in unread.items()]
        findings += name_problems(found, wanted)
        checked = zip_findings(subset, protocol, partial_path, images, workers)
        findings += [one for one in checked if one.kind != MISSING]  # which is told of the folder
        hints = advice(subset, findings)
        require_no_file(findings, f"{predictions} cannot be submitted:", f"{hints}\nNothing was written.")
    tell_right(out, len(there))


def _write(predictions: dict[str, Path], texts: dict[str, bytes], path: Path) -> dict[str, str]:
    """Writes a zip whose bytes depend on the content alone: sorted, dated 1980, not packed again.

    Returns the predictions that could not be read, and why.
    """
    unread = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted([*predictions, *texts]):
            member = zipfile.ZipInfo(name, DATE)
            member.create_system = 3  # Unix, on every machine
            member.external_attr = 0o644 << 16
            try:
                data = texts[name] if name in texts else file_bytes(predictions[name])
            except OSError as error:
                unread[name] = error.strerror
                continue
            archive.writestr(member, data)
    return unread
