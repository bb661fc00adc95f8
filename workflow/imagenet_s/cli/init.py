"""`imagenet-s init`: make a folder to build in, with `config.yaml`, profiles and a Snakefile.

The Snakefile includes the one of the installed package.
"""

import os
import shlex
import sys
from pathlib import Path

from imagenet_s.project_files import PROJECT
from imagenet_s.runtime.errors import UserError
from imagenet_s.workspace.output_guard import require_no_data_set

# It finds the Snakefile of the package at each run, so that the environment may be moved or replaced.
SNAKEFILE = """\
# Builds ImageNet-S with the rules of the installed package `imagenet-s` and the config.yaml of this folder.
# Rules of your own may follow.
from snakemake.exceptions import WorkflowError

try:
    from imagenet_s.project_files import SNAKEFILE
except ModuleNotFoundError as error:
    raise WorkflowError(
        f"{error}. Run the `snakemake` of the environment in which imagenet-s is installed."
    )


include: SNAKEFILE


# What a plain `snakemake` makes: the default target of an included file does not count.
rule build:
    default_target: True
    input:
        rules.all.input,
"""


def init_folder(folder: Path) -> None:
    """Write what a build needs into `folder`, and print what to do next. Existing files are not changed.

    Raises:
        UserError: A file to write exists already, or cannot be created. Then nothing is written.
    """
    require_no_data_set("init", folder)
    files = _contents()
    obstacles = dict.fromkeys(found for name in files if (found := _obstacle(folder / name)))
    if obstacles:
        raise UserError(
            f"init: nothing was written, because these exist already: {', '.join(map(str, obstacles))}.\n"
            "`init` never overwrites a file. Name a folder without them: imagenet-s init FOLDER"
        )
    _write(folder, files)
    print(f"Wrote {', '.join(files)} in {folder.absolute()}.")
    print("Next:")
    print("1. Edit three lines of config.yaml there: imagenet, output, subsets.")
    print(f"2. cd {shlex.quote(str(folder.absolute()))} && {_snakemake()} --cores all")


def _contents() -> dict[str, bytes]:
    """Return the content of each file to write, by relative path."""
    profiles = sorted((PROJECT / "profiles").glob("*/config.yaml"))
    copied = [PROJECT / "config.yaml", *profiles]
    return {"Snakefile": SNAKEFILE.encode()} | {
        str(path.relative_to(PROJECT)): path.read_bytes() for path in copied
    }


def _obstacle(path: Path) -> Path | None:
    """Return what prevents a new file at `path`: what exists there, or a file in the place of a folder."""
    if os.path.lexists(path):
        return path
    existing = (folder for folder in path.parents if os.path.lexists(folder))
    return next((folder for folder in existing if not os.path.isdir(folder)), None)


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """Write files by relative path; remove them again if one cannot be written."""
    written: list[Path] = []
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                written.append(path)
                file.write(content)
    except OSError as error:
        error.filename = error.filename or str(path)  # errors of `write` have no file name
        for done in written:
            done.unlink()
        raise


def _snakemake() -> str:
    """Return the command that runs the Snakemake of this environment without activating it."""
    command = Path(sys.executable).with_name("snakemake")
    return shlex.quote(str(command)) if command.exists() else f"{shlex.quote(sys.executable)} -m snakemake"
