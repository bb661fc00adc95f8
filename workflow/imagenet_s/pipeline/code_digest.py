"""Digests of the package's own code, so that a change reruns the stages that it touches and no other.

Snakemake does not look into imported modules; each rule therefore carries `code_digest` of its stage
among its params.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]

# They tell the user what happens and never change what comes out.
TELLING = {"runtime.errors", "runtime.progress"}


@cache
def code_digest(*modules: str) -> str:
    """A digest of the source of `modules` and of all modules of the package that they import.

    Modules are named from the package on, as `source.scan`.
    """
    digest = hashlib.sha256()
    for name in sorted(set().union(*map(imported, modules))):
        digest.update(_file(name).read_bytes())
        if name == "spec.tables":
            for table in sorted((PACKAGE / "official").iterdir()):
                digest.update(table.read_bytes())
    return digest.hexdigest()[:16]


def imported(module: str) -> set[str]:
    """`module` and all modules of the package it imports, directly or not, but for `TELLING`."""
    found, ahead = set(), {module}
    while ahead:
        name = ahead.pop()
        found.add(name)
        ahead |= _imports(name) - found - TELLING
    return found


@cache
def _imports(module: str) -> frozenset[str]:
    tree = ast.parse(_file(module).read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("imagenet_s."):
            name = node.module.removeprefix("imagenet_s.")
            # `from imagenet_s.annotations import fetch` imports a module out of a package.
            names |= {name} if _file(name).exists() else {f"{name}.{alias.name}" for alias in node.names}
    return frozenset(names)


def _file(module: str) -> Path:
    return PACKAGE / f"{module.replace('.', '/')}.py"
