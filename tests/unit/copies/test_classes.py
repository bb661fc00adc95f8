"""The classes of a copy: from `classes.csv` if it is there and undamaged, else counted."""

from collections import Counter

import pyarrow as pa
import pytest

from imagenet_s.copies.classes import classes
from imagenet_s.copies.copy import open_copy
from imagenet_s.copies.samples import samples
from imagenet_s.dataset.class_table import CLASSES, class_table, write_class_table
from imagenet_s.spec.classes import class_ids, class_names
from imagenet_s.spec.companions import CLASSES as CLASSES_FILE
from imagenet_s.workspace.paths import Workspace

PIXELS = ("train_semi_pixels", "validation_pixels")
MASKS = ("train_semi_masks", "validation_masks")


@pytest.fixture(scope="session")
def table(output50) -> pa.Table:
    """The table that a build writes to `classes.csv`."""
    workspace = Workspace(output50)
    return class_table(50, workspace.samples(50), workspace.masks(50).with_suffix(".parquet"))


def unknown(table: pa.Table, *names: str) -> pa.Table:
    """Return a table with nulls in some columns."""
    columns = [pa.nulls(len(table), f.type) if f.name in names else table[f.name] for f in CLASSES]
    return pa.table(columns, schema=CLASSES)


def test_the_file_is_read_if_it_is_undamaged_and_else_its_rows_are_counted(tree, table, state_files):
    write_class_table(table, tree / CLASSES_FILE)
    state_files(tree, CLASSES_FILE)
    assert classes(open_copy(tree)).equals(table)
    (tree / CLASSES_FILE).write_text((tree / CLASSES_FILE).read_text().replace("goldfish", "silverfish"))
    assert classes(open_copy(tree)).equals(unknown(table, *PIXELS))


def test_without_the_file_images_and_masks_are_counted(tree, state_files, table):
    found = classes(open_copy(state_files(tree)))
    assert found.schema == CLASSES
    assert found.equals(unknown(table, *PIXELS))
    assert found["wnid"].to_pylist() == [*class_ids(50)]
    assert found["name"].to_pylist() == [class_names()[wnid] for wnid in class_ids(50)]


def test_without_manifests_only_images_are_counted(foreign, table):
    copy = open_copy(foreign)
    found = classes(copy)
    assert found.equals(unknown(table, *PIXELS, *MASKS))
    counted = Counter(samples(copy, "train")["wnid"].to_pylist())
    assert found["train"].to_pylist() == [counted[wnid] for wnid in class_ids(50)]


def test_the_numbers_of_a_split_that_is_not_there_are_unknown(tmp_path):
    for wnid in class_ids(919):
        (tmp_path / "mine" / "test" / wnid).mkdir(parents=True)
        (tmp_path / "mine" / "validation" / wnid).mkdir(parents=True)
    found = classes(open_copy(tmp_path / "mine"))
    assert found["train"].null_count == found["train_semi"].null_count == 919
    assert sum(found["test"].to_pylist()) == 27_423
    row = found.to_pylist()[class_ids(919)["n03832673"] - 1]
    assert (row["name"], row["merged_wnids"]) == (class_names()["n03832673"], "n03642806")
