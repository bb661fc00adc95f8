"""The stages of a run: when one ends, how long it took, and how it is called."""

import re

import pytest

from helpers.builds import ROOT
from imagenet_s.pipeline.stages import READING, REPORTING, STAGES, TARGETS, Stages, duration


def test_every_rule_has_a_stage():
    rules = {
        rule
        for path in [ROOT / "Snakefile", *(ROOT / "workflow" / "rules").glob("*.smk")]
        for rule in re.findall(r"^ *rule (\w+):", path.read_text(), re.MULTILINE)
    }
    assert rules - set(TARGETS) == set(STAGES)
    assert {*READING, *REPORTING} <= set(STAGES)


def test_a_stage_ends_with_the_last_job_of_all_its_rules():
    stages = Stages()
    stages.plan({"images": 2, "samples": 1, "tree": 1, "mine": 1, "all": 1})
    stages.begin("images", 10)
    stages.begin("images", 11)
    assert stages.end("images", 12) is None
    assert stages.end("images", 13.5) == f"[1/3] {'Reading images (2 jobs)':<56}     3.5 s"
    stages.begin("samples", 20)
    assert stages.end("samples", 21) is None
    stages.begin("mine", 21)
    assert stages.end("mine", 81) == f"[2/3] {'mine':<56} 1 min 00 s"
    stages.begin("tree", 100)
    assert stages.end("tree", 102) == f"[3/3] {'Building the folders':<56}     3.0 s"


def test_the_time_of_a_job_that_failed_counts_and_the_next_attempt_ends_the_stage():
    stages = Stages()
    stages.plan({"images": 1})
    stages.begin("images", 0)
    stages.stop("images", 5)
    stages.begin("images", 100)
    assert stages.end("images", 102) == f"[1/1] {'Reading images':<56}     7.0 s"


def test_a_report_needs_no_line_about_its_stage():
    stages = Stages()
    stages.plan({"verify": 1})
    stages.begin("verify", 0)
    assert stages.end("verify", 1) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (725, "12 min 05 s"),
        (3600, "1 h 00 min"),
        (11_230, "3 h 07 min"),
    ],
)
def test_a_duration_is_written_for_people(seconds, text):
    assert duration(seconds) == text
