# What happens before the first job and after the last. Snakemake ignores this in a workflow that imports
# this one as a module.
import time

from imagenet_s.pipeline.executor import require_executor
from imagenet_s.pipeline.outdated import mark_outdated_results
from imagenet_s.pipeline.run import begin_run, print_new_summary
from imagenet_s.workspace.leftovers import end_run

STARTED = time.time()


onstart:
    checked(require_executor, workflow.executor_plugin.name)
    checked(begin_run, FILES)


onsuccess:
    mark_outdated_results(FILES)
    end_run(FILES.output)
    print_new_summary(FILES, STARTED)


onerror:
    end_run(FILES.output)
