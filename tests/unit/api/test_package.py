"""The names of the package: loaded when they are first used."""

import subprocess
import sys

import pytest

import imagenet_s
from imagenet_s.runtime.version import __version__

HEAVY = {"PIL", "matplotlib", "numpy", "pandas", "pyarrow", "scipy", "torch"}


def test_the_package_has_the_names_that_it_lists():
    assert dir(imagenet_s) == sorted(imagenet_s.__all__)
    assert all(getattr(imagenet_s, name) is not None for name in imagenet_s.__all__)
    assert imagenet_s.__version__ == __version__
    assert (imagenet_s.OTHER, imagenet_s.IGNORE) == (0, 1000)
    with pytest.raises(AttributeError, match="module 'imagenet_s' has no attribute 'close'"):
        _ = imagenet_s.close


def test_importing_it_loads_no_library():
    code = "import sys, imagenet_s; imagenet_s.__version__; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY & set(done.stdout.split()) == set()
