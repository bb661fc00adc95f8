"""What `imagenet-s --version` prints: the versions of all programs that decide about bytes and pixels."""

import argparse
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from imagenet_s.runtime.version import __version__

# Snakemake runs the jobs. The others read and write images, masks and tables, or compute the figures.
LIBRARIES = (
    *("snakemake", "numpy", "pyarrow", "Pillow", "kornia-rs", "zlib-ng", "protobuf", "scipy", "matplotlib"),
)


class ShowVersions(argparse.Action):
    """The option `--version`: print the versions and end."""

    def __init__(self, option_strings: list[str], dest: str, help: str):
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Print the versions and end the program."""
        print(versions_text())
        parser.exit()


def versions_text() -> str:
    """Return the version of the package, and below it those of Python, the system and the libraries."""
    found = {"Python": platform.python_version(), "platform": platform.platform()}
    found |= {name: _version_of(name) for name in LIBRARIES}
    return "\n".join([f"imagenet-s {__version__}", *(f"{name} {text}" for name, text in found.items())])


def _version_of(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "(not installed)"
