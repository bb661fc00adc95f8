# What all rules share: the checked configuration, the paths of files, and how jobs call the package.
import json
from functools import partial
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod

from imagenet_s.config.settings import read_config
from imagenet_s.pipeline import inputs, jobs
from imagenet_s.pipeline.code_digest import code_digest
from imagenet_s.pipeline.jobs import growing
from imagenet_s.pipeline.run import require_own_folder
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.layouts import one_pass_sets, pass_files
from imagenet_s.spec.companions import FROM_DATASET, FROM_RECORDS
from imagenet_s.spec.encodings import ENCODINGS
from imagenet_s.spec.exports import FORMATS
from imagenet_s.spec.shards import tier_of
from imagenet_s.spec.statistics import statistics_files
from imagenet_s.spec.subsets import MASKED, SPLITS, SUBSETS
from imagenet_s.spec.subsets import sample_manifests, tiers_of
from imagenet_s.workspace.paths import Workspace


def checked(function, *arguments):
    """Call a function. Snakemake shows the user's mistakes as messages, without a traceback."""
    try:
        return function(*arguments)
    except UserError as error:
        SCREEN.note(error)
        raise WorkflowError(str(error))


checked(require_own_folder, Path.cwd())
CONFIG = checked(read_config, config)
BENCHMARK = CONFIG.benchmark
FILES = Workspace(Path(CONFIG.output))
SCORES = FILES.score_files(BENCHMARK.subset)
PLACES = checked(inputs.source_places, CONFIG, FILES)
CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method

# The tables in Snakemake's report, which sorts what it shows by the label: hence the numbers.
REPORT_TABLES = {
    "summary": "1 summary",
    "digests": "2 digests",
    "suspects": "3 suspect images",
}

job_command = jobs.job_command(LAUNCH, CONDA)
moved = partial(jobs.moved, FILES)


def all_cores(wildcards):
    """Return the threads of a job that should have a machine to itself."""
    remote = workflow.remote_exec or not workflow.local_exec
    return jobs.all_cores(workflow.resource_settings.cores, remote)


def parts_of(wildcards):
    """Return the parts that the subset of a job consists of."""
    passes = one_pass_sets(PLACES)
    return inputs.parts_of(int(wildcards.subset), CONFIG.subsets, passes, FILES)


wildcard_constraints:
    subset="|".join(map(str, SUBSETS)),
    tier="|".join(map(str, SUBSETS)),
    encoding="|".join(ENCODINGS),
    split="train-semi|validation|test",
    format="|".join(FORMATS),
    job="[0-9]+",
