"""Write a submission: a zip of the predictions of a subset's test images, `method.txt` and `match.json`.

The zip is read back and checked like one from somebody else.
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
from imagenet_s.benchmark.scoring.which_subset import require_names_of
from imagenet_s.benchmark.submission.check import (
    MATCH,
    METHOD,
    SPLIT,
    advice,
    log_rules,
    print_success,
    zip_problems,
)
from imagenet_s.io.receipts import receipt
from imagenet_s.runtime.errors import UserError, first_few, naming
from imagenet_s.runtime.problems import FileProblem, require_no_file
from imagenet_s.spec.method_txt import method_text, read_method
from imagenet_s.workspace.output_guard import check_output_path

DATE = (1980, 1, 1, 0, 0, 0)  # of each member, so that the same predictions give the same zip


@dataclass(frozen=True)
class Submission:
    """Predictions of the test images of a subset, to submit under the rules of a protocol.

    Attributes:
        subset: The subset.
        protocol: The name of the protocol.
        predictions: The folder of predictions, or a folder that contains it.
        match: The match.json, or None if the predicted ids are classes.
        method: The YAML or JSON file that describes the method.
    """

    subset: int
    protocol: str
    predictions: Path
    match: Path | None
    method: Path


def submit(submission: Submission, images: Path, out: Path, workers: int) -> None:
    """Write `out`, a zip to submit; `images` is the folder of the test images.

    Raises:
        UserError: The submission would not be valid; it names everything that is wrong. Nothing is written.
    """
    subset, protocol, predictions = submission.subset, submission.protocol, submission.predictions
    check_output_path(out, inner(predictions, SPLIT), images, submission.match, submission.method)
    texts = {METHOD: method_text(read_method(submission.method)).encode()}
    if submission.match:
        with naming(submission.match):
            texts[MATCH] = submission.match.read_bytes()
    log_rules(subset, protocol)
    wanted, found = names_of(subset, SPLIT), files_in(inner(predictions, SPLIT))
    require_names_of(subset, SPLIT, found, inner(predictions, SPLIT))
    present = {name: found[name] for name in wanted if name in found}
    if not present:
        raise UserError(
            f"{predictions} contains no prediction of a test image.\n"
            f"Expected: `<wnid>/<stem>.png` such as {wanted[0]}.\n"
            f"It contains: {first_few(found) or 'nothing'}"
        )
    with receipt(out) as partial_path:
        problems = _write(present, texts, partial_path) + name_problems(found, wanted)
        checked = zip_problems(subset, protocol, partial_path, images, workers)
        problems += [problem for problem in checked if problem.kind != MISSING]  # found in the folder already
        hints = advice(subset, problems)
        require_no_file(problems, f"{predictions} cannot be submitted:", f"{hints}\nNothing was written.")
    print_success(out, len(present))


def _write(predictions: dict[str, Path], texts: dict[str, bytes], path: Path) -> list[FileProblem]:
    """Write a zip whose bytes depend only on the content: sorted, dated 1980, not compressed.

    Args:
        predictions: The path of each prediction, by name.
        texts: The content of other members, by name.
        path: The zip to write.

    Returns:
        The predictions that cannot be read. The zip is written without them.
    """
    unreadable = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted([*predictions, *texts]):
            member = zipfile.ZipInfo(name, DATE)
            member.create_system = 3  # Unix, on every machine
            member.external_attr = 0o644 << 16
            try:
                data = texts[name] if name in texts else file_bytes(predictions[name])
            except OSError as error:
                unreadable.append(FileProblem(UNREADABLE, f"{name}: {error.strerror}"))
                continue
            archive.writestr(member, data)
    return unreadable
