# What all stages share: the checked configuration, the names of files, the way to call our package.
import json
import runpy
import shlex
import sys
import time
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod

# The rules and their jobs use the package that they belong to, in a checkout as in an installed wheel,
# whatever else is installed or activated: launch.py finds it.
WORKFLOW = Path(workflow.current_basedir).parent
runpy.run_path(str(WORKFLOW / "launch.py"))

from imagenet_s.pipeline.code_digest import code_digest
from imagenet_s.config.settings import read_config
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.layouts import find_places, one_pass_sets, pass_files
from imagenet_s.runtime.lock import end_run, hold_run
from imagenet_s.spec.method_txt import LINES
from imagenet_s.spec.shards import pass_parts, subset_parts, tier_of
from imagenet_s.runtime.progress import escape_output, print_summary
from imagenet_s.spec.subsets import SUBSETS as ALL_SUBSETS
from imagenet_s.spec.subsets import (
    MASKED,
    label_folder,
    sample_manifests,
    subset_of,
    tiers_of,
)

escape_output()

try:
    CONFIG = read_config(config)
except UserError as error:
    raise WorkflowError(str(error))


STARTED = time.time()
OUTPUT = CONFIG.output
WORK = f"{OUTPUT}/work"
LOGS = f"{WORK}/logs"
SUBSETS = [str(subset) for subset in CONFIG.subsets]
# Which jobs there are depends on it; it takes a look at the names in one or two folders.
try:
    PLACES = find_places(Path(CONFIG.imagenet or f"{WORK}/demo/imagenet"))
    PASSES = one_pass_sets(PLACES)
except OSError as error:
    raise WorkflowError(
        f"`imagenet`: cannot read {error.filename}: {error.strerror}. Let your user read it (ls shows what "
        "is allowed), or set `imagenet` in config.yaml to another folder."
    )
COPYING = CONFIG.link == "copy"
BENCHMARK = CONFIG.benchmark
TREE = f"{OUTPUT}/{subset_of(BENCHMARK.subset).name}"
RESULTS = f"{OUTPUT}/benchmark/{BENCHMARK.subset}"
TRAIN_IMAGES = "" if CONFIG.complete else "--any-train-images"


wildcard_constraints:
    subset="50|300|919",
    tier="50|300|919",
    encoding="id16|id8|color|binary",
    split="train-semi|validation|test",


def root_of(wildcards, output):
    """The output folder, from a file in it.

    Taken from the rule's own output, not from OUTPUT: a module's prefix moves it.
    """
    path = Path(output[0])
    inside = {
        "work",
        "benchmark",
        "summary.txt",
        *(subset_of(subset).name for subset in ALL_SUBSETS),
    }
    return next(
        folder for folder in path.parents if path.relative_to(folder).parts[0] in inside
    )


def launcher():
    """How our package is called: the launch.py beside the rules, run by the Python that runs Snakemake.

    It serves when .venv/bin/snakemake is called by its path, on a cluster's node, and when another
    workflow imports this one; where conda makes an environment, the environment's Python takes over.
    """
    own = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
    python = "python" if own else shlex.quote(sys.executable)
    return f"{python} {shlex.quote(str(WORKFLOW / 'launch.py'))}"


def imagenet_s(wildcards, output, threads):
    """How every job of a build calls us: so that others know that it is at work.

    Snakemake does not compare the params of functions that take `output` or `threads`, so that another
    Python is no reason to run a job again.
    """
    work = shlex.quote(f"{root_of(wildcards, output)}/work")
    return f"{launcher()} --work {work}"


def of_tiers(pattern):
    """An input function: `pattern` for each tier of the subset."""
    return lambda wildcards: expand(pattern, tier=tiers_of(int(wildcards.subset)))


def pass_top():
    """The subset up to which passes read: the largest that is asked for, or one that was built from passes."""
    largest = max(CONFIG.subsets)
    for top in tiers_of(919)[::-1]:
        parts = [
            part for kind in PASSES for part in pass_parts(kind, top, PASSES[kind])
        ]
        files = [f"{WORK}/images/{part}.parquet" for part in parts]
        # Without its samples, the pool may have lost its images.
        if top > largest and all(
            Path(file).exists() for file in [*files, f"{WORK}/samples/{top}.parquet"]
        ):
            return top
    return largest


def of_parts(pattern, passes=True):
    """An input function: `pattern` for each part of the subset, those read in one pass included or not."""

    def files(wildcards):
        parts = subset_parts(int(wildcards.subset), PASSES, pass_top())
        return expand(
            pattern, part=[part for part in parts if passes or "pass" not in part]
        )

    return files


def growing(count):
    """A limit for clusters, larger with each attempt: what was too little once would be so again."""
    return lambda wildcards, attempt: count * attempt


def many_cores():
    """The threads of a job that has the machine to itself: all of its cores, but of a cluster's node 8."""
    return 8 if workflow.remote_exec else workflow.resource_settings.cores or 8


def tree_of(manifest):
    """The folder of a subset, from one of its manifests."""
    return Path(manifest).parents[1]


def predicted(split):
    """The receipt of the baseline's predictions of a split; nothing for the user's."""
    return [] if BENCHMARK.predictions else f"{RESULTS}/baseline/{split}.json"


def predictions_of(wildcards, input):
    """The folder of predictions."""
    return BENCHMARK.predictions or Path(input.predicted).parent


def predictions_seen(split):
    """What tells that the user's predictions of a split are not those that were seen before."""

    def seen(wildcards):
        # It loads what decodes masks, which no other job waits for.
        from imagenet_s.benchmark.scoring.predictions import inner, fingerprint

        folder = BENCHMARK.predictions
        try:
            return f"{folder} {fingerprint(inner(Path(folder), split))}" if folder else ""
        except UserError as error:
            raise WorkflowError(f"`benchmark.predictions`: {error}")

    return seen


def matched(wildcards):
    """The match.json of generated ids: the user's, or ours."""
    if BENCHMARK.match not in (None, "auto") and not Path(BENCHMARK.match).is_file():
        raise WorkflowError(f"`benchmark.match`: there is no file {BENCHMARK.match}.")
    return (
        f"{RESULTS}/match.json" if BENCHMARK.match == "auto" else BENCHMARK.match or []
    )


def matched_by(wildcards, input):
    """The option that names a match.json, where there is one."""
    return f"--match {shlex.quote(str(input.match))}" if input.match else ""


def method_of(wildcards):
    """The six fields of a submission as JSON."""
    if not BENCHMARK.method:
        raise WorkflowError(
            "`benchmark.method`: a submission says what it is of. Give its fields in config.yaml: "
            + ", ".join(LINES)
        )
    return json.dumps(BENCHMARK.method, ensure_ascii=False)
