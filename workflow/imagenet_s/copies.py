"""Copies of ImageNet-S on a disk: which subsets a path holds, and the command that verifies them."""

from pathlib import Path

from imagenet_s.adopt import adopt
from imagenet_s.errors import CannotCheck
from imagenet_s.progress import log
from imagenet_s.report import report_lines, write_report
from imagenet_s.subsets import SUBSETS, subset_of
from imagenet_s.verify import verify


def copies_at(path: Path) -> dict[int, Path]:
    """subset → its folder: `path` itself, or those directly below it. Raises CannotCheck for neither."""
    names = {subset_of(subset).name: subset for subset in SUBSETS}
    path = path.absolute()
    if path.name in names:
        found = {names[path.name]: path}
    else:
        found = {subset: path / name for name, subset in names.items() if (path / name).exists()}
    if not found:
        wanted = ", ".join(names)
        raise CannotCheck(
            f"{path} holds no copy of ImageNet-S. Give a folder of that name or above: {wanted}."
        )
    return found


def verify_copies(
    path: Path, level: str, against: Path | None, adopting: bool, json: Path | None, workers: int
) -> int:
    """Verifies all copies at `path` and prints a report; returns the exit code: 0 whole, 1 damaged.

    `against` is another copy of the same subsets, whose manifests count; `json` is written. With `adopting`,
    copies without manifests get some, once every byte was checked, whatever the `level`.
    """
    verdicts = []
    level = "sha256" if adopting else level
    others = copies_at(against) if against else {}
    for subset, root in copies_at(path).items():
        if against and subset not in others:
            raise CannotCheck(f"{against} has no {subset_of(subset).name} to compare with.")
        verdicts.append(verify(root, subset, level, workers, others.get(subset)))
        print(*report_lines(verdicts[-1]), sep="\n", end="\n\n")
        for path, reason in verdicts[-1].suspects.items():
            log.debug("suspect: %s/%s %s", root, path, reason)
    if json:
        write_report(verdicts, json)
    for verdict in verdicts if adopting else ():
        adopt(verdict, workers)
        print(f"{verdict.root} has manifests now.")
    return 0 if adopting or all(verdict.whole for verdict in verdicts) else 1
