"""The jobs of a gallery share the classes of a subset."""

import pytest

from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.gallery import JOBS, job_classes
from imagenet_s.spec.subsets import SUBSETS


@pytest.mark.parametrize("subset", SUBSETS)
def test_each_class_belongs_to_one_job(subset):
    shares = [job_classes(subset, job) for job in range(JOBS[subset])]
    assert [wnid for share in shares for wnid in share] == list(class_ids(subset))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
