"""Which subsets are built as a configuration asks, judged by the same facts as Snakemake judges by."""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from imagenet_s.annotations.fetch import archive_address
from imagenet_s.annotations.receipt import read_receipt
from imagenet_s.config.settings import Config
from imagenet_s.dataset.dataset_file import read_dataset
from imagenet_s.dataset.dataset_json import Dataset
from imagenet_s.dataset.metadata import link_in_tree
from imagenet_s.io.split_file import piece_paths
from imagenet_s.pipeline.inputs import source_places
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.version import __version__
from imagenet_s.source.layouts import Places
from imagenet_s.source.scan import describe_roots, read_scan
from imagenet_s.spec.companions import COMPANIONS
from imagenet_s.spec.subsets import MASKED, label_folder, sample_manifests, subset_of, tiers_of
from imagenet_s.workspace.paths import Workspace


class Built(NamedTuple):
    """A data set that is built: its folder, its digest, and the date of the build."""

    subset: int
    folder: Path
    digest: str
    date: str


def built_subsets(config: Config, workspace: Workspace) -> list[Built]:
    """Return the subsets of a configuration for which a build has nothing to do.

    The facts are those in `dataset.json`, which a build writes last, the settings, and the times of files.
    Changes of the package's code count only with its version.
    """
    try:
        places = source_places(config, workspace)
    except UserError:
        return []
    built = []
    for subset in config.subsets:
        # A file that the check needs may be missing, or be of an earlier version.
        with suppress(OSError, LookupError, TypeError, ValueError):
            dataset = read_dataset(workspace.tree(subset))
            if dataset and _is_asked_for(dataset, subset, config, workspace, places):
                content, build = dataset["content"], dataset["build"]
                folder = Path(os.path.abspath(workspace.tree(subset)))
                built.append(Built(subset, folder, content["digest"], build["date"]))
    return built


def is_finished(config: Config, workspace: Workspace, built: Sequence[Built]) -> bool:
    """Return whether all subsets are built and the end of the build was reached."""
    datasets = [workspace.dataset(one.subset) for one in built]
    ends = (workspace.summary, workspace.tidy_receipt)
    return len(datasets) == len(config.subsets) and all(
        path.exists() and _is_newer(path, datasets) for path in ends
    )


def _is_asked_for(
    dataset: Dataset, subset: int, config: Config, workspace: Workspace, places: Places
) -> bool:
    content, build = dataset["content"], dataset["build"]
    manifests = workspace.manifests(subset)
    names = {
        *sample_manifests(),
        *(f"{label_folder(split, of)}.sha256" for split in MASKED for of in config.labels),
    }
    findings = [workspace.findings(tier) for tier in tiers_of(subset)]
    pooled = sorted({kind for path in findings for kind in read_scan(path).pooled})
    train = content["splits"]["train"]
    streams = [piece for kind in places.one_pass for path in places.of(kind) for piece in piece_paths(path)]
    made_from = [*(manifests / name for name in names), *findings, *streams]
    made_from += [workspace.tree(subset) / name for name in COMPANIONS]
    made_from += [workspace.samples(subset), workspace.annotations(subset)]
    return (
        build["pipeline"] == f"imagenet-s {__version__}"
        and build["source"]["path"] == _origin(places)
        and build["link"] == link_in_tree(config.link, pooled)
        and content["manifests"].keys() == names
        and build.get("files", {}).keys() == set(COMPANIONS)
        and (train["found"] == train["expected"] or not config.complete)
        and _has_annotations(subset, config, workspace)
        and _is_newer(workspace.dataset(subset), made_from)
    )


def _origin(places: Places) -> str:
    """Return where the images come from, as `dataset.json` states it."""
    val = os.path.abspath(places.val_root) if places.val_root else None
    return describe_roots(os.path.abspath(places.root), val)


def _has_annotations(subset: int, config: Config, workspace: Workspace) -> bool:
    """Return whether the masks are those that the configuration names."""
    receipt = read_receipt(workspace.annotations(subset))
    if config.demo_annotations:
        folder = workspace.demo_annotations
    elif archive_address(subset_of(subset), config.annotations):
        folder = workspace.downloads
    else:
        folder = Path(config.annotations)
    is_archive = receipt["kind"] == "archive" and not config.demo_annotations
    same = not is_archive or receipt["md5"] == config.md5[subset]
    return same and Path(receipt["path"]).is_relative_to(os.path.abspath(folder))


def _is_newer(path: Path, others: Iterable[Path]) -> bool:
    """Return whether a file is at least as new as all others."""
    time = path.stat().st_mtime_ns
    return all(other.stat().st_mtime_ns <= time for other in others)
