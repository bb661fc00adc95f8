"""The command `stats`: compute the statistics of copies, print a summary, write tables."""

from pathlib import Path

from imagenet_s.copies.copy import open_copy
from imagenet_s.copies.find import copies_at
from imagenet_s.io.json_output import STDOUT, write_json_output
from imagenet_s.io.receipts import receipts
from imagenet_s.spec.statistics import statistics_files
from imagenet_s.statistics.copy_statistics import statistics_of
from imagenet_s.statistics.report import report_document, report_lines
from imagenet_s.statistics.tables import Statistics
from imagenet_s.workspace.output_guard import check_json_path, check_output_path


def print_statistics(path: Path, out: Path | None, json: Path | None, workers: int) -> None:
    """Print the statistics of all copies at a path.

    Args:
        path: The folder of a copy, or the folder above it. Nothing is written there.
        out: The folder to write the tables to, in a folder for each subset; None for no tables.
        json: Where to write the tables as JSON; see `write_json_output`.
        workers: The number of processes that read masks.

    Raises:
        UserError: A manifest is damaged, or masks are missing or damaged.
    """
    copies = [open_copy(root, subset) for subset, root in copies_at(path).items()]
    roots = [copy.root for copy in copies]
    check_json_path(json, *roots)
    if out:
        check_output_path(out, *roots)
    found = {copy: statistics_of(copy, workers) for copy in copies}
    for copy, statistics in found.items():
        if json != STDOUT:
            print(*report_lines(copy, statistics), sep="\n")
        if out:
            folder = out / f"{copy.subset}"
            write_statistics(statistics, folder)
            if json != STDOUT:
                print(f"Wrote {len(statistics)} tables to {folder}")
        if json != STDOUT and copy != copies[-1]:
            print()
    if json:
        write_json_output(report_document(found), json)


def write_statistics(statistics: Statistics, folder: Path) -> None:
    """Write each table as CSV: UTF-8, LF, empty cells where a number is unknown or does not apply."""
    with receipts([folder / name for name in statistics_files()]) as partials:
        for table, partial in zip(statistics.values(), partials, strict=True):
            table.to_csv(partial, index=False, lineterminator="\n", encoding="utf-8")
