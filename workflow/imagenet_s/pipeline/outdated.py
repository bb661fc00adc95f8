"""Results that are of other data than the data set has now: scores are marked, and contact sheets removed."""

import json
from itertools import product
from pathlib import Path

from imagenet_s.io.atomic import remove_if_empty, sha256_of
from imagenet_s.runtime.progress import log
from imagenet_s.spec.subsets import SPLITS, SUBSETS, mask_folder
from imagenet_s.workspace.paths import Workspace

TRUTH = f"{mask_folder('validation')}.sha256"


def mark_outdated_results(workspace: Workspace) -> None:
    """Write `OUTDATED.txt` next to the results of other masks, and remove it where results are up to date.

    A build from another source, or with other annotations, leaves earlier results as they are: they may be of
    predictions that took a long time, and only the target `evaluate` computes them again.
    """
    for subset in SUBSETS:
        try:
            _mark(workspace, subset)
        except OSError as error:  # the build is complete all the same
            log.warning("%s: %s", workspace.score_files(subset).outdated, error.strerror)


def remove_outdated_sheets(workspace: Workspace) -> None:
    """Remove contact sheets that are older than the manifest of their split, or that have none.

    They show other images, or those of a subset that is no longer built. The target `contact` draws them
    again.
    """
    try:
        for subset, split in product(SUBSETS, SPLITS):
            sheet = workspace.contact_sheet(subset, split)
            manifest = workspace.manifests(subset) / f"{split}.csv"
            if sheet.exists() and not _is_newer(sheet, manifest):
                sheet.unlink()
        if workspace.contact_sheets.is_dir():
            remove_if_empty(workspace.contact_sheets)
    except OSError as error:  # the build is complete all the same
        log.warning("%s: %s", workspace.contact_sheets, error.strerror)


def _is_newer(sheet: Path, manifest: Path) -> bool:
    return manifest.exists() and sheet.stat().st_mtime >= manifest.stat().st_mtime


def _mark(workspace: Workspace, subset: int) -> None:
    files, manifest = workspace.score_files(subset), workspace.manifests(subset) / TRUTH
    if not manifest.is_file():
        return
    now = sha256_of(manifest)
    outdated = [path for path in (files.metrics, files.match_info) if _truth_of(path) not in (None, now)]
    if not outdated:
        files.outdated.unlink(missing_ok=True)
        return
    names = " and ".join(path.name for path in outdated)
    text = (
        f"Outdated results: {names} in {files.outdated.parent}. They were computed with other masks than "
        f"{workspace.tree(subset)} has now; the target `evaluate` computes them again."
    )
    log.warning("%s", text)
    files.outdated.write_text(f"{text}\n", encoding="utf-8")


def _truth_of(path: Path) -> str | None:
    """Return the digest of the true masks that results state; None if they state none."""
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))["truth"]["sha256"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return str(stated)
