"""The command `completion`: a script with which a shell completes commands, options, values and paths."""

import argparse
from pathlib import Path

import shtab

from imagenet_s.cli.arguments import new_file, new_folder
from imagenet_s.cli.main import command_parser

FOLDERS = ("DIR", "FOLDER")  # the names of values that are folders


def print_completion(shell: str) -> None:
    """Print the script for a shell."""
    parser = command_parser()
    _complete_paths(parser)
    print(shtab.complete(parser, shell=shell))


def _complete_paths(parser: argparse.ArgumentParser) -> None:
    """Say of each argument that is a path whether it is a folder, in the attribute that shtab reads."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                _complete_paths(command)
        elif action.type in (Path, new_file, new_folder) or action.dest == "json":
            is_folder = action.metavar in FOLDERS
            vars(action)["complete"] = shtab.DIRECTORY if is_folder else shtab.FILE
