"""The registry of digests: its rows are sound, and that of the demo is the demo's."""

import re
from datetime import date

from helpers.builds import digest
from imagenet_s.dataset.known_digests import DEMO, TABLE, known_digests
from imagenet_s.spec.subsets import SUBSETS


def test_rows_have_all_that_two_people_need():
    assert TABLE.read_text(encoding="utf-8").startswith("digest,subset,source,built_by,date\n")
    for row in known_digests():
        assert re.fullmatch("[0-9a-f]{64}", row.digest)
        assert row.subset in SUBSETS
        assert row.source
        assert row.built_by
        assert date.fromisoformat(row.date).isoformat() == row.date
    assert len(set(known_digests())) == len(known_digests())


def test_the_demo_is_known(tree):
    demos = {row.subset: row.digest for row in known_digests() if row.source == DEMO}
    assert sorted(demos) == [50, 300, 919]
    assert demos[50] == digest(tree)
