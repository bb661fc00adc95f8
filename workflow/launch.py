"""Run `imagenet-s` from the package that this file belongs to: `python …/workflow/launch.py COMMAND …`.

The package is the folder beside this file in a checkout, and the folder around it in an installed wheel. An
installation elsewhere, PYTHONPATH or an activated environment makes no difference: rules and jobs never use
another version of the package than their own.

Python's path stays as it is. The folder around an installed package also holds the libraries of its
environment, but this file may be run by another Python, such as that of a conda environment.

The rules run this file, too, to import the same package as their jobs.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

NAME = "imagenet_s"
HERE = Path(__file__).resolve().parent


def load_package() -> None:
    """Make `import imagenet_s` give the package that this file belongs to."""
    if NAME in sys.modules:  # a Snakefile written by `imagenet-s init` has imported it
        return
    beside, around = HERE / NAME, HERE.parents[1]
    package = beside if beside.is_dir() else around
    spec = spec_from_file_location(NAME, package / "__init__.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)


load_package()  # not below: the processes that a command starts run this file under another name

if __name__ == "__main__":
    from imagenet_s.cli.main import main

    sys.exit(main())
