"""Which files the jobs read: the places of the source, and the parts that a subset consists of."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from imagenet_s.config.settings import Benchmark, Config
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.layouts import Places, find_places
from imagenet_s.spec.exports import FORMATS, WITH_INFO, jobs_of, splits_of
from imagenet_s.spec.gallery import JOBS as GALLERY_JOBS
from imagenet_s.spec.shards import pass_parts, subset_parts
from imagenet_s.spec.subsets import SUBSETS
from imagenet_s.workspace.paths import Workspace


def source_places(config: Config, workspace: Workspace) -> Places:
    """Find the folders and archives of raw ImageNet, by names, or by a short look at what they hold.

    Raises:
        UserError: A folder cannot be read.
    """
    try:
        imagenet = Path(config.imagenet) if config.imagenet else workspace.demo_images
        return find_places(imagenet, Path(config.val) if config.val else None)
    except OSError as error:
        raise UserError(
            f"`imagenet`: cannot read {error.filename}: {error.strerror}. Allow your user to read it "
            "(`ls -l` shows the permissions), or set `imagenet` in config.yaml to another folder."
        ) from error


def parts_of(
    subset: int, subsets: Sequence[int], passes: Mapping[str, int], workspace: Workspace
) -> list[str]:
    """Return the parts that a subset consists of, in a build of `subsets`.

    `passes` are the sets that can only be read from front to back, with the number of jobs that share one.
    """
    return subset_parts(subset, passes, pass_top(subsets, passes, workspace))


def pool_receipts(config: Config, parts: Sequence[str], workspace: Workspace) -> list[Path]:
    """Return the receipts of the copies that `link: copy` makes. Passes always copy, and have none."""
    copied = [part for part in parts if "pass" not in part] if config.link == "copy" else []
    return [workspace.pool_receipt(part) for part in copied]


def pass_top(subsets: Sequence[int], passes: Mapping[str, int], workspace: Workspace) -> int:
    """Return the largest subset for which a pass over the source collects images.

    A pass for a larger subset serves the smaller ones, too. If an earlier build made one, it is used
    instead of reading the source again.
    """
    largest = max(subsets)
    for top in sorted(SUBSETS, reverse=True):
        parts = [part for kind, number in passes.items() for part in pass_parts(kind, top, number)]
        # Without its samples, the images of a pass may be gone from the pool.
        files = [*map(workspace.image_records, parts), workspace.samples(top)]
        if top > largest and all(file.exists() for file in files):
            return top
    return largest


def baseline_receipts(benchmark: Benchmark, workspace: Workspace, split: str) -> list[Path]:
    """Return the receipt of the baseline's predictions; nothing if the user has predictions."""
    return [] if benchmark.predictions else [workspace.baseline_receipt(benchmark.subset, split)]


def predictions_state(benchmark: Benchmark, split: str) -> str:
    """Return a text that changes when the user's predictions of a split change.

    Raises:
        UserError: There are no predictions where the configuration says.
    """
    # Imported here because no other job needs the libraries that decode masks.
    from imagenet_s.benchmark.scoring.predictions import fingerprint, inner

    if not benchmark.predictions:
        return ""
    try:
        return f"{benchmark.predictions} {fingerprint(inner(Path(benchmark.predictions), split))}"
    except UserError as error:
        raise UserError(f"`benchmark.predictions`: {error}") from error


def match_files(benchmark: Benchmark, workspace: Workspace) -> list[Path]:
    """Return the match.json by which generated ids are scored: the user's, or one to be made, or none.

    Raises:
        UserError: The user's does not exist.
    """
    if benchmark.match is None:
        return []
    if benchmark.match == "auto":
        return [workspace.score_files(benchmark.subset).match]
    if not Path(benchmark.match).is_file():
        raise UserError(f"`benchmark.match`: there is no file {benchmark.match}.")
    return [Path(benchmark.match)]


def export_receipts(export_format: str, subset: int, split: str, workspace: Workspace) -> list[Path]:
    """Return the receipts of all jobs that export a split."""
    jobs = jobs_of(export_format, subset, split)
    return [workspace.export_receipt(export_format, subset, split, job) for job in range(jobs)]


def export_manifests(config: Config, export_format: str, workspace: Workspace) -> list[Path]:
    """Return the manifests of all exports of a format."""
    return [
        workspace.export_manifest(export_format, subset, split)
        for subset in config.subsets
        for split in splits_of(export_format)
    ]


def exports(config: Config, workspace: Workspace) -> list[Path]:
    """Return what stands at the end of all exports.

    Raises:
        UserError: The configuration names none.
    """
    if not config.exports:
        raise UserError(
            f"`exports`: no format is named. Set it in config.yaml, for example to [{FORMATS[0]}]; "
            f"there are {', '.join(FORMATS)}."
        )
    manifests = [path for name in config.exports for path in export_manifests(config, name, workspace)]
    return manifests + [workspace.export_info(name) for name in config.exports if name in WITH_INFO]


def gallery_receipts(subset: int, workspace: Workspace) -> list[Path]:
    """Return the receipts of all jobs that make the pictures of a gallery."""
    return [workspace.gallery_receipt(subset, job) for job in range(GALLERY_JOBS[subset])]
