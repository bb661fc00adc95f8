"""The last words of a run: what failed, why, what to do, which log."""

from pathlib import Path

import pytest

from helpers.raw_imagenet import cached
from imagenet_s.pipeline.last_word import (
    AGAIN,
    MAX_LINES,
    NOTHING_RUN,
    THEN_AGAIN,
    Failure,
    Outcome,
    translate,
)
from imagenet_s.runtime.job_report import JobReport

LOG = "results/work/logs/images-train-50-0.log"


def failure(error: str = "", code: int | None = 1, rule: str = "images", log: str = LOG) -> Failure:
    return Failure(rule, [log], JobReport(error=error, code=code))


def told(*failures: Failure) -> list[str]:
    return Outcome(started=True, failures=dict(enumerate(failures))).last_word({})


def test_a_run_that_ended_well_needs_no_last_word():
    assert Outcome(started=True).last_word({"ImageNetS50": Path("/a")}) == []


def test_the_message_of_a_failed_job_is_whole_and_its_log_is_named():
    assert told(failure("The disk is full.\nFree some space.\n")) == [
        "FAILED: Reading images (images-train-50-0)",
        "The disk is full.",
        "Free some space.",
        f"Log: {LOG}",
        THEN_AGAIN,
    ]


def test_a_log_that_the_message_ends_with_is_named_once():
    full_list = f"The full list (12 lines) is in {LOG}"
    assert told(failure(f"Images are missing.\n{full_list}"))[2:] == [full_list, THEN_AGAIN]


def test_a_long_message_is_cut_and_its_log_has_the_rest():
    lines = [f"line {k}" for k in range(MAX_LINES + 1)]
    assert told(failure("\n".join(lines)))[1:-2] == [*lines[: MAX_LINES - 1], "… (the log has the rest)"]
    assert told(failure("\n".join(lines[:-1])))[1:-2] == lines[:-1]


def test_of_several_jobs_each_has_a_line_and_the_first_its_message():
    other = failure("Another reason.\nMore.", log="results/work/logs/masks-50.log", rule="masks")
    assert told(failure("The disk is full.\nFree some space."), other) == [
        "FAILED: 2 jobs",
        f"- images-train-50-0: The disk is full. Log: {LOG}",
        "- masks-50: Another reason. Log: results/work/logs/masks-50.log",
        "The message of images-train-50-0:",
        "The disk is full.",
        "Free some space.",
        THEN_AGAIN,
    ]
    assert told(failure("The disk is full."), other)[1:] == [
        f"- images-train-50-0: The disk is full. Log: {LOG}",
        "- masks-50: Another reason. Log: results/work/logs/masks-50.log",
        THEN_AGAIN,
    ]


@pytest.mark.parametrize(
    ("report", "why"),
    [
        (None, "It ended without a message; its log may tell why."),
        (JobReport(), "It was killed, most likely because memory or time ran out."),
        (JobReport(code=0), "Its files did not appear: the disk may be slow or full."),
        (JobReport(code=2), "It ended with an error; its report is above."),
    ],
)
def test_a_job_without_a_message_ended_in_some_way(report, why):
    slurm = ".snakemake/slurm_logs/rule_images/7.log"
    assert told(Failure("images", [LOG, slurm], report)) == [
        "FAILED: Reading images (images-train-50-0)",
        why,
        f"Log: {LOG}, {slurm}",
        THEN_AGAIN,
    ]


def test_a_job_of_the_user_without_a_log_is_named_by_its_rule():
    assert told(Failure("mine", [], None))[0] == "FAILED: mine (mine)"


def test_of_a_group_only_the_job_that_failed_is_named():
    done, never = failure(code=0, rule="samples"), Failure("tree", ["logs/tree-50.log"], None)
    assert told(done, failure("Wrong.", rule="labels", log="logs/labels-50-id16.log"), never)[:2] == [
        "FAILED: Encoding masks (labels-50-id16)",
        "Wrong.",
    ]


def test_damage_is_an_answer_and_an_error_of_verify_is_not():
    log = "results/work/logs/verify.log"
    assert told(failure(rule="verify", log=log)) == [
        "Damage was found: the report above says what to do next.",
        f"Log: {log}",
    ]
    assert told(failure(rule="repair", log=log))[0].startswith("Not everything could be restored")
    assert told(failure("There is no such folder.", 2, "verify", log))[:2] == [
        "FAILED: Verifying every byte (verify)",
        "There is no such folder.",
    ]
    assert told(failure(code=None, rule="verify", log=log))[0] == "FAILED: Verifying every byte (verify)"


def test_a_mistake_of_the_user_is_told_whole():
    # However long: no log has the rest.
    text = "The configuration is not valid:" + "\n- subsets[0]: 51 is not allowed" * 40
    assert Outcome(mistake=text, error=("WorkflowError …", "WorkflowError")).last_word({}) == [
        *text.splitlines(),
        NOTHING_RUN,
    ]
    assert Outcome(mistake=text, started=True).last_word({}) == text.splitlines()


def test_a_stopped_run_says_that_it_goes_on():
    outcome = Outcome(started=True, stopped=True, failures={1: failure("Stopped.", 130)})
    assert outcome.last_word({}) == [f"Stopped. {AGAIN}"]


def test_a_second_run_says_where_the_data_is():
    assert Outcome(idle=True).last_word({"ImageNetS50": Path("/a/ImageNetS50")}) == [
        "Nothing to be done: all that was asked for is there.",
        "  ImageNetS50  /a/ImageNetS50",
    ]


def test_missing_inputs_that_are_links_are_reported_as_in_the_check_of_the_source(tmp_path):
    data = cached(tmp_path / "plain", tmp_path / "hub", "ILSVRC--imagenet-1k") / "snapshots" / "c0ffee"
    data.mkdir(parents=True)
    for folder in (tmp_path, data):
        (folder / "train.tar.gz").symlink_to("/gone/train.tar.gz")
    text = f"Missing input files:\n affected files:\n  {tmp_path}/train.tar.gz\n  {data}/train.tar.gz"
    assert translate(text, "MissingInputException") == (
        f"`imagenet`: links lead to nothing: {tmp_path}/train.tar.gz → /gone/train.tar.gz. Restore or mount "
        f"their targets.\n`imagenet`: the revision {data}, in the Hugging Face hub's cache, is only partly "
        f"downloaded: 1 of its links lead to nothing: {data}/train.tar.gz → /gone/train.tar.gz. Download the "
        "rest with `hf download ILSVRC/imagenet-1k --repo-type dataset --revision c0ffee`."
    )


def test_files_that_do_not_appear_are_named():
    text = (
        'MissingOutputException in rule source in file "/project/source.smk", line 7:\n'
        "Job 4  completed successfully, but some output files are missing. Missing files after 5 seconds. "
        "This might be due to filesystem latency.\n"
        "out/work/source/50.parquet (missing locally, parent dir contents: 50.json)"
    )
    assert Outcome(started=True, error=(text, "MissingOutputException")).last_word({}) == [
        "FAILED: Checking the source and listing its images",
        "Its files did not appear: the disk may be slow or full.",
        "  out/work/source/50.parquet",
        AGAIN,
    ]


def test_errors_of_snakemake_are_translated_or_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    missing = (
        "Missing input files for rule stream:\n    output: a.parquet\n    affected files:\n"
        "        /data/val.tar.gz\n        /data/train.tar.gz"
    )
    assert Outcome(error=(missing, "MissingInputException")).last_word({}) == [
        "Files that the build reads are missing:",
        "  /data/val.tar.gz",
        "  /data/train.tar.gz",
        "Restore them, or correct `imagenet` and `benchmark` in config.yaml.",
        NOTHING_RUN,
    ]
    config = tmp_path / "config.yaml"
    config.write_text("link: auto\nsubsets: [50\n")
    broken = 'WorkflowError in file "Snakefile", line 10:\nConfig file is not valid JSON or YAML. In case of'
    first, *_, last = Outcome(error=(broken, "WorkflowError")).last_word({})
    assert (first, last) == ("config.yaml is not valid YAML: while parsing a flow sequence", NOTHING_RUN)
    assert "  line 2, column 10:" in translate(broken, "WorkflowError")
    config.write_text("# imagenet: demo\n")
    keyless = "Config file must be given as JSON or YAML with keys at top level."
    assert translate(keyless, "WorkflowError") == "config.yaml is empty. Give at least `imagenet: demo`."
    config.unlink()
    absent = (
        "Workflow defines configfile config.yaml but it is not present or accessible (full checked path: …)."
    )
    assert translate(absent, "WorkflowError").startswith(f"There is no {config}. Run in the folder of config")
    unknown = "No rule to produce evalute (if you use input functions make sure …)."
    text = translate(unknown, "MissingRuleException")
    assert text
    assert text.startswith("There is no target 'evalute'. Did you mean `evaluate`? Targets: verify, ")
    assert translate("No rule to produce x (if …)", "MissingRuleException") == (
        "There is no target 'x'. Targets: verify, repair, fetch, statistics, export, match, evaluate, "
        "submission. Without a target, the data sets are built."
    )
    assert translate("reworded", "MissingInputException") is None
    assert translate("reworded", "MissingRuleException") is None
    assert Outcome(error=("a cycle", "CyclicGraphException")).last_word({}) == [
        f"Snakemake ended with the message above. {NOTHING_RUN}"
    ]
    assert Outcome(started=True, error=("lost", "WorkflowError")).last_word({}) == [
        f"Snakemake ended with the message above. {AGAIN}"
    ]
