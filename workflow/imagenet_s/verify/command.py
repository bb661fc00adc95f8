"""The command `verify`: check the copies of ImageNet-S at a path."""

from pathlib import Path

from imagenet_s.copies.find import copies_at
from imagenet_s.io.json_output import STDOUT, write_json_output
from imagenet_s.runtime.errors import CannotCheck
from imagenet_s.spec.subsets import subset_of
from imagenet_s.verify.adopt import adopt
from imagenet_s.verify.compare import verify
from imagenet_s.verify.next_steps import next_steps
from imagenet_s.verify.report import origin_lines, report_document, show_report
from imagenet_s.workspace.output_guard import check_json_path


def verify_copies(
    path: Path, level: str, against: Path | None, adopting: bool, json: Path | None, workers: int
) -> int:
    """Check all copies at a path and print a report.

    Args:
        path: The folder of a copy, or the folder above it.
        level: `complete`, `size` or `sha256`.
        against: Copies of the same subsets, whose manifests say what is right.
        adopting: Whether to write manifests for copies that have none. The level is sha256 then.
        json: Where to write the report as JSON; see `write_json_output`.
        workers: The number of processes.

    Returns:
        The exit code: 0 if all copies are whole, else 1.
    """
    check_json_path(json)
    results = []
    level = "sha256" if adopting else level
    others = copies_at(against) if against else {}
    for subset, root in copies_at(path).items():
        if against and subset not in others:
            raise CannotCheck(f"{against} has no {subset_of(subset).name} to compare with.")
        results.append(verify(root, subset, level, workers, others.get(subset)))
        show_report(results[-1], printed=json != STDOUT)
    if json:
        write_json_output(report_document(results), json)
    for result in results if adopting else ():
        adopt(result, workers)
        if json != STDOUT:
            print(f"{result.root} has manifests now.", *origin_lines(result.root), sep="\n")
    for line in next_steps(results) if json != STDOUT and not adopting else ():
        print(line)
    return 0 if adopting or all(result.whole for result in results) else 1
