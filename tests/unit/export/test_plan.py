"""Which samples go into which file depends on their names and sizes alone."""

import numpy as np
import pytest

from imagenet_s.export.plan import files_of_job, in_files, shuffled


def name(number: int, count: int) -> str:
    return f"{number}-of-{count}"


def test_the_shuffled_order_is_fixed_and_mixes_classes():
    images = [f"train/n{k // 10}/{k}.JPEG" for k in range(40)]
    order = shuffled(images)
    assert sorted(order) == list(range(40))
    # The order is part of the format: the same in all versions of all libraries.
    assert order[:12].tolist() == [34, 3, 2, 27, 14, 26, 16, 20, 1, 13, 24, 6]
    assert len({images[row].split("/")[1] for row in order[:10]}) == 4


@pytest.mark.parametrize(
    ("sizes", "target", "expected"),
    [
        ([1] * 10, 100, [10]),
        ([1] * 10, 5, [5, 5]),
        ([1] * 10, 3, [3, 3, 4]),
        ([9, 1, 1, 1], 3, [1, 3]),
        ([100, 1], 1, [1, 1]),
    ],
)
def test_files_have_nearly_equal_sizes_and_none_is_empty(sizes, target, expected):
    rows = np.arange(len(sizes))[::-1]
    files = in_files(rows, np.array(sizes), target, name)
    assert [len(file.rows) for file in files] == expected
    assert np.concatenate([file.rows for file in files]).tolist() == rows.tolist()
    assert [file.name for file in files] == [name(k, len(expected)) for k in range(len(expected))]


def test_jobs_share_all_files():
    files = in_files(np.arange(10), np.ones(10, int), 1, name)
    for jobs in (1, 3, 24):
        shares = [files_of_job(files, job, jobs) for job in range(jobs)]
        assert [file for share in shares for file in share] == files
