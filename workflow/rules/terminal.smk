# What a user sees of a run. Included first, so that mistakes in config.yaml are reported in our words, too.
import runpy
from pathlib import Path

from snakemake.settings.types import ExecMode

# Rules and jobs import the package that they belong to, in a checkout and in a wheel, even if another
# version is installed: launch.py finds it.
LAUNCH = Path(workflow.current_basedir).parent / "launch.py"
runpy.run_path(str(LAUNCH))

from imagenet_s.pipeline.screen import take_screen
from imagenet_s.runtime.progress import escape_output

escape_output()
SCREEN = take_screen(
    main=workflow.exec_mode == ExecMode.DEFAULT
    and workflow.modifier.is_main_snakefile(),
    quiet=[kind.name.lower() for kind in workflow.output_settings.quiet or ()],
    dry=workflow.output_settings.dryrun,
    commands=workflow.output_settings.printshellcmds,
)
