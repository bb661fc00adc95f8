# What happens before the first job of a run and after the last. Snakemake ignores this in a workflow that imports
# this one as a module.
import time

from imagenet_s.pipeline.executor import require_executor
from imagenet_s.pipeline.outdated import mark_outdated_results, remove_outdated_sheets
from imagenet_s.pipeline.run import begin_run, build_header, built
from imagenet_s.pipeline.run import print_new_summary, readings
from imagenet_s.workspace.leftovers import end_run

STARTED = time.time()
SCREEN.data_sets = partial(built, FILES, CONFIG.subsets)


onstart:
    checked(require_executor, workflow.executor_plugin.name)
    checked(begin_run, FILES)
    due = list(workflow.dag.needrun_jobs())
    SCREEN.begin(FILES.reports, readings(due, FILES), build_header(due, CONFIG))


onsuccess:
    SCREEN.end()
    mark_outdated_results(FILES)
    remove_outdated_sheets(FILES)
    end_run(FILES.output)
    SCREEN.summary = partial(print_new_summary, FILES, STARTED)


onerror:
    SCREEN.end()
    end_run(FILES.output)
