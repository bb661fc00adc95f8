"""The pixel counts of masks: from the records of a build, or read; and masks that cannot be counted."""

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.checks import first, without_manifests
from imagenet_s.copies.copy import open_copy
from imagenet_s.runtime.errors import UserError
from imagenet_s.spec.statistics import KINDS
from imagenet_s.statistics import masks as masks_module
from imagenet_s.statistics.copy_statistics import statistics_of
from imagenet_s.workspace.paths import Workspace


def refusal(tree) -> str:
    with pytest.raises(UserError) as caught:
        statistics_of(open_copy(tree), 1)
    return str(caught.value)


@pytest.fixture
def no_reading(monkeypatch):
    """No mask can be read."""
    monkeypatch.setattr(masks_module, "file_bytes", lambda path: pytest.fail(f"{path} was read"))


def test_no_mask_is_read_where_a_build_has_counted(tree50, statistics50, no_reading):
    again = statistics_of(open_copy(tree50), 1)
    assert all(again[kind].equals(statistics50[kind]) for kind in KINDS)


def test_without_records_the_masks_are_read(tree, statistics50):
    found = statistics_of(open_copy(tree), 2)
    assert all(found[kind].equals(statistics50[kind]) for kind in KINDS)


def test_records_of_other_masks_or_of_an_earlier_version_are_not_used(tree, tree50, statistics50):
    records = Workspace(tree.parent).mask_records(50)
    recorded = pq.read_table(Workspace(tree50.parent).mask_records(50))
    records.parent.mkdir(parents=True)
    digests = recorded["sha256"].to_pylist()
    swapped = pa.array([digests[1], digests[0], *digests[2:]], pa.binary(32))
    others = recorded.set_column(recorded.schema.get_field_index("sha256"), "sha256", swapped)
    for table in (others, recorded.slice(1), recorded.drop_columns("id_pixels")):
        pq.write_table(table, records)
        found = statistics_of(open_copy(tree), 1)
        assert all(found[kind].equals(statistics50[kind]) for kind in KINDS)


def test_a_copy_of_other_programs_has_the_same_statistics_but_sizes_and_suspects(tree, statistics50):
    found = statistics_of(open_copy(without_manifests(tree)), 1)
    for kind in set(KINDS) - {"image_sizes", "splits"}:
        assert found[kind].equals(statistics50[kind]), kind
    assert found["splits"]["suspect_images"].isna().all()
    assert (
        found["splits"]
        .drop(columns="suspect_images")
        .equals(statistics50["splits"].drop(columns="suspect_images"))
    )
    sizes = found["image_sizes"]
    assert sizes["width"].isna().all()
    assert sizes["images"].to_list() == statistics50["splits"]["images"].to_list()


def test_damaged_masks_are_named_all_at_once(tree):
    masks = sorted(path.relative_to(tree) for path in (tree / "validation-segmentation").glob("*/*.png"))
    missing, changed, pipe = masks[0], masks[1], first(tree, "train-semi-segmentation")
    (tree / missing).unlink()
    (tree / changed).write_bytes((tree / masks[2]).read_bytes())
    (tree / pipe).unlink()
    os.mkfifo(tree / pipe)
    assert refusal(tree).splitlines() == [
        f"The masks of {tree} cannot be counted:",
        f"- missing or unreadable masks (2): {pipe} cannot be read: Not a regular file; {missing} is missing",
        f"- masks that are not those of the manifests (1): {changed}",
        f"`imagenet-s verify {tree}` lists all damage. Repair it, and run the same command again.",
    ]


def test_without_manifests_a_missing_mask_is_unknown_and_a_damaged_one_is_named(tree, statistics50):
    without_manifests(tree)
    missing, damaged = (first(tree, f"{split}-segmentation") for split in ("train-semi", "validation"))
    (tree / missing).unlink()
    found = statistics_of(open_copy(tree), 1)["splits"]
    assert found["masks"].to_list()[1:3] == [499, 752]
    (tree / damaged).write_bytes(b"no mask")
    assert f"- missing or unreadable masks (1): {damaged} is not a readable PNG" in refusal(tree)


def test_a_damaged_manifest_is_named(tree):
    path = tree / "manifests" / "validation.csv"
    (tree / "manifests" / "validation.parquet").unlink()
    path.write_text("image\n")
    assert refusal(tree).startswith(f"The manifest {path} is damaged (changed), so the samples are unknown.")
