"""Runs `imagenet-s` from the package that this file belongs to: `python …/workflow/launch.py COMMAND …`.

In a checkout the package lies beside this file; in an installed wheel, around it. What else is installed
does not matter, and neither does PYTHONPATH or an activated environment. No folder is added to Python's path:
the folder of an installed package also holds the libraries of its environment, and the Python that runs this
has its own (that of a conda environment, for example).

The rules run this file, too, so that they import the same package as their jobs.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

NAME = "imagenet_s"
HERE = Path(__file__).resolve().parent


def load_package() -> None:
    """Make `import imagenet_s` give the package that this file belongs to."""
    if NAME in sys.modules:  # imported by a Snakefile that `imagenet-s init` has written, for example
        return
    beside, around = HERE / NAME, HERE.parents[1]
    package = beside if beside.is_dir() else around
    spec = spec_from_file_location(NAME, package / "__init__.py")
    module = module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)


load_package()  # here and not below: the processes that a command starts run this file under another name

if __name__ == "__main__":
    from imagenet_s.cli.main import main

    sys.exit(main())
