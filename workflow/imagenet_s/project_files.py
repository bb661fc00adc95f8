"""The paths of the project's other files: Snakefile, rules, profiles, environment, schema, config template.

In a checkout they are in the folders around the package. A wheel contains them inside the package, in the
same layout (see hatch_build.py). The Snakefiles that `imagenet-s init` writes import `SNAKEFILE` from here,
so this name must not change.
"""

from pathlib import Path

PACKAGE = Path(__file__).parent
CARRIED = PACKAGE / "project"

PROJECT = CARRIED if CARRIED.is_dir() else PACKAGE.parents[1]

SNAKEFILE = str(PROJECT / "Snakefile")
