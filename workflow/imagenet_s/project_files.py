"""Where the project's other files are: Snakefile, rules, profiles, environment, schema, config template.

In a checkout they lie around the package. A wheel carries them inside the package, in the same layout
(see hatch_build.py). The Snakefiles that `imagenet-s init` writes import `SNAKEFILE`
from here: this name must stay.
"""

from pathlib import Path

PACKAGE = Path(__file__).parent
CARRIED = PACKAGE / "project"

PROJECT = CARRIED if CARRIED.is_dir() else PACKAGE.parents[1]

SNAKEFILE = str(PROJECT / "Snakefile")
