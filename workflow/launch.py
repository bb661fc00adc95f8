"""Runs `imagenet-s` from this checkout, whatever is installed: `python workflow/launch.py COMMAND …`.

The folder of the script that Python is given comes first on its path, so no installation, PYTHONPATH or
activated environment is needed; only the libraries.
"""

import sys

from imagenet_s.cli import main

if __name__ == "__main__":
    sys.exit(main())
