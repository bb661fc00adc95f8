"""The stages of a run: when one ends, how long it took, and how it is called."""

import re

from helpers.builds import ROOT
from imagenet_s.pipeline.stages import READING, REPORTING, STAGES, TARGETS, Stages


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
    assert stages.end("mine", 81) == f"[2/3] {'mine':<56} 1 min 0 s"
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
