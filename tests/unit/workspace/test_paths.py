"""Every path below the output is one of `Workspace`."""

from pathlib import Path

import pytest

from imagenet_s.spec.subsets import SUBSETS
from imagenet_s.workspace.paths import Workspace


@pytest.mark.parametrize("output", ["results", ".", "../x", "/data/ImageNetS50", "work", "benchmark/work"])
def test_a_workspace_is_found_from_any_path_in_it(output):
    workspace = Workspace(Path(output))
    paths = [
        workspace.summary,
        workspace.tree(50),
        workspace.manifests(919) / "train.csv",
        workspace.score_files(300).metrics,
        workspace.statistics(300) / "splits.csv",
        workspace.baseline_receipt(50, "test"),
        workspace.features_receipt(50, "test"),
        workspace.export_receipt("webdataset", 50, "test", 0),
        workspace.export_manifest("webdataset", 50, "test"),
        workspace.export_info("webdataset"),
        workspace.gallery_start(50),
        workspace.gallery_receipt(50, 0),
        workspace.contact_sheet(50, "test"),
        *workspace.work_folders,
        *(folder / "50.json" for folder in workspace.work_folders),
    ]
    for path in paths:
        assert Workspace.containing(path) == Workspace.containing(str(path)) == workspace


@pytest.mark.parametrize("path", ["results/else/50.json", "ImageNetS51/dataset.json", "results"])
def test_a_path_of_no_workspace_is_refused(path):
    with pytest.raises(ValueError, match=f"^{path} is not a path below an output folder$"):
        Workspace.containing(path)


def test_paths_take_placeholders_where_they_take_numbers():
    workspace = Workspace(Path("results"))
    for paths in (workspace.samples, workspace.tree, workspace.annotations, workspace.listing):
        pattern = str(paths("{subset}"))
        assert [pattern.format(subset=subset) for subset in SUBSETS] == [str(paths(s)) for s in SUBSETS]


def test_all_that_builds_write_in_work_is_in_its_folders():
    workspace = Workspace(Path("results"))
    assert [folder.name for folder in workspace.work_folders] == sorted(
        folder.name for folder in workspace.work_folders
    )
    inside = (
        workspace.scratch("x"),
        workspace.log("x"),
        workspace.demo_images,
        workspace.index,
        workspace.image_records("x"),
        workspace.pool_receipt("x"),
        workspace.annotations(50),
        workspace.mask_records(50),
        workspace.samples(50),
        workspace.plan(50),
        workspace.features(50, "test"),
        workspace.export_receipt("webdataset", 50, "test", 0),
        workspace.gallery_receipt(50, 0),
        workspace.report_table("x"),
    )
    assert {path.relative_to(workspace.work).parts[0] for path in inside} == {
        folder.name for folder in workspace.work_folders
    }
