"""The command `repair`: restore files that verify reports as damaged, and check the result."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from imagenet_s.config.settings import read_config_file
from imagenet_s.copies.file_tables import IMAGE, LABEL, MASK
from imagenet_s.dataset.dataset_file import read_dataset
from imagenet_s.io.atomic import ensure_real_dir, remove_folder, remove_if_empty, scratch_folder
from imagenet_s.io.columns import texts
from imagenet_s.io.receipts import sync
from imagenet_s.repair.damage import Copy, damaged_of, digest_of
from imagenet_s.repair.outcome import FoundDamage, next_step, print_outcome
from imagenet_s.repair.restore_images import restore_images
from imagenet_s.repair.restore_manifests import make_companions, make_dataset, make_manifests
from imagenet_s.repair.restore_masks import restore_labels, restore_masks
from imagenet_s.runtime.errors import MOST_NAMES, CannotCheck, UserError, first_few
from imagenet_s.runtime.full_list import list_in_full
from imagenet_s.runtime.progress import log
from imagenet_s.spec.companions import COMPANIONS, FROM_RECORDS
from imagenet_s.spec.subsets import (
    DATASET,
    MASKED,
    label_folder,
    sample_manifests,
    subset_of,
)
from imagenet_s.verify.compare import VerificationResult, verify
from imagenet_s.verify.report import show_report
from imagenet_s.workspace.leftovers import hold_output


def repair_copies(configfile: Path, delete_extra: bool, dry_run: bool, workers: int) -> int:
    """Repair the subsets of a configuration and print reports.

    Args:
        configfile: The configuration that the subsets were built with.
        delete_extra: Whether to delete files that do not belong to the data sets.
        dry_run: Whether to print what would be done, and write nothing.
        workers: The number of processes.

    Returns:
        The exit code: 0 if all subsets are whole afterwards, else 1.

    Raises:
        CannotCheck: There is no build.
        UserError: A subset has no manifests.
    """
    config = read_config_file(configfile)
    copies = [Copy(config, s, Path(config.output) / subset_of(s).name) for s in config.subsets]
    absent = [str(copy.root) for copy in copies if not copy.root.is_dir()]
    if absent:
        raise CannotCheck(
            f"There is nothing to repair at {first_few(absent)}. Build it: snakemake --cores all"
        )
    if not dry_run:
        hold_output(Path(config.output))
    left = [_repair(copy, delete_extra, dry_run, workers) for copy in copies]
    steps = (next_step(result, configfile, delete_extra, dry_run) for result in left)
    for line in dict.fromkeys(filter(None, steps)):
        print(line)
    return 0 if all(result.whole for result in left) else 1


def _repair(copy: Copy, delete_extra: bool, dry_run: bool, workers: int) -> VerificationResult:
    """Repair one subset and print reports; return what is wrong afterwards."""
    result = _checked(copy, workers)
    if result.whole:
        print("There is nothing to repair.", end="\n\n")
        return result
    if not result.expected.own_manifests:
        raise UserError(
            f"{copy.root} has no manifests, so the right bytes of its files are unknown. Build into another "
            "`output`, or write manifests once it is complete: imagenet-s verify --adopt"
        )
    if dry_run:
        print(*_intentions(copy, result, delete_extra), sep="\n", end="\n\n")
        return result
    with scratch_folder(copy.workspace.tmp / f"repair-{copy.subset}") as scratch:
        lost, found = _restore(copy, result, delete_extra, workers, scratch)
    if lost:
        log.warning("Could not restore: %s", first_few(lost))
        list_in_full((f"could not restore: {text}" for text in lost), len(lost) > MOST_NAMES)
    after = _checked(copy, workers)
    print_outcome(found, after)
    return after


def _checked(copy: Copy, workers: int) -> VerificationResult:
    """Check a subset, print the report, and return what was found."""
    result = verify(copy.root, copy.subset, "sha256", workers)
    show_report(result)
    return result


def _restore(
    copy: Copy, result: VerificationResult, delete_extra: bool, workers: int, scratch: Path
) -> tuple[list[str], list[FoundDamage]]:
    """Restore what is damaged.

    In this order: the manifests first, which say what the images must be; then images, masks, encoded masks,
    and the files that follow from them.

    Returns:
        What could not be restored, and why; and the damage that each check found, `result` first.
    """
    lost, found = [], [result.damage]
    manifests = result.expected.damaged.keys() - {DATASET, *COMPANIONS}
    companions = result.expected.damaged.keys() & set(COMPANIONS)
    if read_dataset(copy.root) is None:  # without it, verify does not miss files that are gone
        manifests |= {path for path in _label_lists(copy.config.labels) if not (copy.root / path).exists()}
        companions |= set(FROM_RECORDS)
    if delete_extra:  # files that are in the place of others go first
        lost += _delete(copy, _in_the_way(result))
    samples = {path for path in manifests if Path(path).name in sample_manifests()}
    if samples:
        lost += make_manifests(copy.root, copy.subset, copy.output, samples, scratch)
        result = verify(copy.root, copy.subset, "sha256", workers)
        found.append(result.damage)
        if delete_extra:
            lost += _delete(copy, _in_the_way(result))
    relocated = _move_back(copy, result)
    lost += restore_images(copy, result, relocated, scratch)
    lost += restore_masks(copy, result, relocated, scratch)
    if manifests - samples:  # the lists of labels, which are computed from the masks
        lost += make_manifests(copy.root, copy.subset, copy.output, manifests - samples, scratch)
        result = verify(copy.root, copy.subset, "sha256", workers)
        found.append(result.damage)
        relocated = _move_back(copy, result)
    lost += restore_labels(copy, result, relocated, scratch)
    if delete_extra:
        result = verify(copy.root, copy.subset, "complete", workers)
        found.append(result.damage)
        if result.expected.damaged.keys() <= {DATASET, *COMPANIONS}:
            lost += _delete(copy, result.damage.get("extra", ()))
        else:
            lost.append("extra files are not deleted: the manifests that identify them are damaged")
    lost += make_companions(copy.root, copy.subset, copy.output, companions, scratch)
    if read_dataset(copy.root) is None:
        lost += make_dataset(copy.root, copy.subset, copy.output, copy.config)
    sync(copy.root, copy.workspace.work)  # before the report says that everything is whole
    return lost, found


def _intentions(copy: Copy, result: VerificationResult, delete_extra: bool) -> Iterator[str]:
    """Yield lines that say what a repair would do."""
    source = copy.config.source or "the demo"
    for kind, origin in ((IMAGE, source), (MASK, "the annotations"), (LABEL, "the masks")):
        paths = sorted(damaged_of(result, kind, {one.path for one in result.misplaced}))
        if paths:
            yield f"would restore {len(paths):,} {kind}s from {origin}: {first_few(paths)}"
    if result.misplaced:
        yield f"would move {len(result.misplaced):,} files to their class folder"
    if result.expected.damaged:
        yield f"would rewrite: {first_few(sorted(result.expected.damaged))}"
    extra = result.damage.get("extra", ())
    if extra:
        action = "delete" if delete_extra else "keep (--delete-extra deletes them)"
        yield f"would {action} {len(extra):,} extra files: {first_few(extra)}"


def _label_lists(labels: Iterable[str]) -> list[str]:
    """Return the paths of the sha256 lists of labels, in the subset's folder."""
    return [f"manifests/{label_folder(split, x)}.sha256" for split in MASKED for x in labels]


def _in_the_way(result: VerificationResult) -> list[str]:
    """Return the extra files in the place of a folder, or in folders that are in the place of a file."""
    expected = set(texts(result.expected.files["path"]))
    folders = {path.rpartition("/")[0] for path in expected}
    folders |= {folder.partition("/")[0] for folder in folders}
    return [
        path
        for path in result.damage.get("extra", ())
        if path in folders or any(str(parent) in expected for parent in Path(path).parents)
    ]


def _in_a_link(root: Path, path: str) -> bool:
    """Return whether a path in the subset's folder leads through a link to a folder."""
    return any((root / parent).is_symlink() for parent in list(Path(path).parents)[:-1])


def _move_back(copy: Copy, result: VerificationResult) -> set[str]:
    """Move misplaced files with the right bytes to their class folders; return their new paths.

    Files behind links are not moved: they belong to the source.
    """
    digests = {}
    if result.misplaced:
        files = result.expected.files
        digests = dict(zip(texts(files["path"]), files["sha256"].to_pylist(), strict=True))
    relocated = set()
    for path, actual, _ in result.misplaced:
        if _in_a_link(copy.root, path) or _in_a_link(copy.root, actual):
            continue
        try:
            if digest_of(copy.root / actual) == digests[path] is not None:
                target = ensure_real_dir(copy.root, Path(path).parent) / Path(path).name
                if target.is_dir():
                    remove_folder(target)
                os.rename(copy.root / actual, target)
                relocated.add(path)
        except OSError as error:
            log.debug("cannot move %s to %s: %s", actual, path, error)
    return relocated


def _delete(copy: Copy, extra: Sequence[str]) -> list[str]:
    """Delete extra files, and folders that become empty; return the files that are kept, and why."""
    kept = []
    for path in extra:
        entry = copy.root / path
        if _in_a_link(copy.root, path):
            kept.append(f"{path}: it is in the source")
            continue
        entry.unlink()
        for parent in list(Path(path).parents)[:-1]:
            if not remove_if_empty(copy.root / parent):
                break
    return kept
