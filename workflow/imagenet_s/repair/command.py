"""Repair: making again exactly what verify found wrong in a build, and verifying it once more."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from imagenet_s.config.settings import read_config_file
from imagenet_s.dataset.metadata import read_dataset
from imagenet_s.io.atomic import ensure_real_dir, remove_folder, remove_if_empty, scratch_folder
from imagenet_s.io.receipts import sync
from imagenet_s.repair.damage import Copy, damaged_of, digest_of
from imagenet_s.repair.restore_images import restore_images
from imagenet_s.repair.restore_manifests import make_dataset, make_manifests
from imagenet_s.repair.restore_masks import restore_labels, restore_masks
from imagenet_s.runtime.errors import CannotCheck, UserError, first_few
from imagenet_s.runtime.progress import log
from imagenet_s.spec.subsets import (
    DATASET,
    MASKED,
    label_folder,
    sample_manifests,
    subset_of,
)
from imagenet_s.verify.compare import VerificationResult, verify
from imagenet_s.verify.file_tables import IMAGE, LABEL, MASK
from imagenet_s.verify.report import report_lines
from imagenet_s.workspace.leftovers import hold_output


def repair_copies(configfile: Path, delete_extra: bool, dry_run: bool, workers: int) -> int:
    """Repairs the subsets of a configuration and prints reports; returns 0 if all are whole then, else 1."""
    config = read_config_file(configfile)
    copies = [Copy(config, s, Path(config.output) / subset_of(s).name) for s in config.subsets]
    absent = [str(copy.root) for copy in copies if not copy.root.is_dir()]
    if absent:
        raise CannotCheck(
            f"There is nothing to repair at {first_few(absent)}. Build it: snakemake --cores all"
        )
    if not dry_run:
        hold_output(Path(config.output))
    return max(_repair(copy, delete_extra, dry_run, workers) for copy in copies)


def _repair(copy: Copy, delete_extra: bool, dry_run: bool, workers: int) -> int:
    verdict = verify(copy.root, copy.subset, "sha256", workers)
    print(*report_lines(verdict), sep="\n", end="\n\n")
    if verdict.whole:
        return 0
    if not verdict.expected.own_manifests:
        raise UserError(
            f"{copy.root} has no manifests: nobody knows its right bytes. Build into another `output`, or "
            "adopt it once it is complete: imagenet-s verify --adopt"
        )
    if dry_run:
        print(*_intentions(copy, verdict, delete_extra), sep="\n")
        return 1
    with scratch_folder(copy.workspace.tmp / f"repair-{copy.subset}") as scratch:
        lost = _restore(copy, verdict, delete_extra, workers, scratch)
    if lost:
        log.warning("Could not be got back: %s", first_few(lost))
        for text in lost:
            log.debug("lost: %s", text)
    after = verify(copy.root, copy.subset, "sha256", workers)
    print(*report_lines(after), sep="\n", end="\n\n")
    return 0 if after.whole else 1


def _restore(
    copy: Copy, verdict: VerificationResult, delete_extra: bool, workers: int, scratch: Path
) -> list[str]:
    """Restore what is damaged; return what could not be restored, and why.

    In this order: the manifests first, which say what the images must be; then images, masks, encoded masks.
    """
    lost = []
    manifests = {path for path in verdict.expected.damaged if path != DATASET}
    if read_dataset(copy.root) is None:  # which alone knew of lists that are gone, too
        manifests |= {path for path in _label_lists(copy.config.labels) if not (copy.root / path).exists()}
    samples = {path for path in manifests if Path(path).name in sample_manifests()}
    if samples:
        lost += make_manifests(copy.root, copy.subset, copy.output, samples, scratch)
        verdict = verify(copy.root, copy.subset, "sha256", workers)
    relocated = _move_back(copy, verdict)
    if delete_extra:  # first what stands in the way
        lost += _delete(copy, _in_the_way(verdict))
    lost += restore_images(copy, verdict, relocated, scratch)
    lost += restore_masks(copy, verdict, relocated, scratch)
    if manifests - samples:  # the lists of labels, which are made of the masks
        lost += make_manifests(copy.root, copy.subset, copy.output, manifests - samples, scratch)
        verdict = verify(copy.root, copy.subset, "sha256", workers)
        relocated = _move_back(copy, verdict)
    lost += restore_labels(copy, verdict, relocated, scratch)
    if delete_extra:
        verdict = verify(copy.root, copy.subset, "complete", workers)
        if set(verdict.expected.damaged) <= {DATASET}:
            lost += _delete(copy, verdict.damage.get("extra", ()))
        else:
            lost.append("extra files are left: the manifests that would tell them are damaged")
    if read_dataset(copy.root) is None:
        lost += make_dataset(copy.root, copy.subset, copy.output, copy.config)
    sync(copy.root, copy.workspace.work)  # before anybody reads that all is whole again
    return lost


def _intentions(copy: Copy, verdict: VerificationResult, delete_extra: bool) -> Iterator[str]:
    """What a repair would do."""
    source = copy.config.imagenet or "the demo"
    for kind, origin in ((IMAGE, source), (MASK, "the annotations"), (LABEL, "the masks")):
        paths = sorted(damaged_of(verdict, kind, {one.path for one in verdict.swapped}))
        if paths:
            yield f"would make {len(paths):,} {kind}s again from {origin}: {first_few(paths)}"
    if verdict.swapped:
        yield f"would move {len(verdict.swapped):,} files to their class folder"
    if verdict.expected.damaged:
        yield f"would write again: {first_few(sorted(verdict.expected.damaged))}"
    extra = verdict.damage.get("extra", ())
    if extra:
        does = "delete" if delete_extra else "leave (--delete-extra deletes)"
        yield f"would {does} {len(extra):,} extra files: {first_few(extra)}"


def _label_lists(labels: Iterable[str]) -> list[str]:
    return [f"manifests/{label_folder(split, x)}.sha256" for split in MASKED for x in labels]


def _in_the_way(verdict: VerificationResult) -> list[str]:
    """The extra files in folders that stand where a file belongs."""
    expected = set(verdict.expected.files["path"].to_pylist())
    extra = verdict.damage.get("extra", ())
    return [path for path in extra if any(str(parent) in expected for parent in Path(path).parents)]


def _in_a_link(root: Path, path: str) -> bool:
    """Whether a path in the subset's folder leads through a link to a folder."""
    return any((root / parent).is_symlink() for parent in list(Path(path).parents)[:-1])


def _move_back(copy: Copy, verdict: VerificationResult) -> set[str]:
    """Moves misplaced files to their class folder, if they are what belongs there; returns where to.

    What lies behind a link is not ours to move.
    """
    digests = {}
    if verdict.swapped:
        files = verdict.expected.files
        digests = dict(zip(files["path"].to_pylist(), files["sha256"].to_pylist(), strict=True))
    relocated = set()
    for path, actual, _ in verdict.swapped:
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
            log.debug("%s could not be relocated to %s: %s", actual, path, error)
    return relocated


def _delete(copy: Copy, extra: Sequence[str]) -> list[str]:
    """Deletes files that do not belong there, and folders that it empties; nothing behind a link."""
    kept = []
    for path in extra:
        entry = copy.root / path
        if _in_a_link(copy.root, path):
            kept.append(f"{path}: it lies in the source")
            continue
        entry.unlink()
        for parent in list(Path(path).parents)[:-1]:
            if not remove_if_empty(copy.root / parent):
                break
    return kept
