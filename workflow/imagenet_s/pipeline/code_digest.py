"""Digests of the package's code, so that a change reruns the stages that it affects and no others.

Snakemake does not track imported modules. Each rule therefore has the digest of its stage among its params.
Comments, docstrings and formatting do not count: rewording them never reads a source again.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[1]

# These modules print messages and do not affect results.
MESSAGE_MODULES = {
    "runtime.errors",
    "runtime.progress",
    "runtime.job_report",
    "runtime.full_list",
    "runtime.terminal",
}

# Modules that read other files of the package → these files, which count as their code.
TABLES = {
    "spec.tables": "official/*",
    "dataset.known_digests": "dataset/known_digests.csv",
    "gallery.pages": "gallery/templates/*",
}

WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def code_digest(*modules: str) -> str:
    """Return a digest of the code of `modules` and of all modules of the package that they import.

    Modules are named relative to the package, such as `source.scan`.
    """
    digest = hashlib.sha256()
    for name in sorted(set().union(*map(imported, modules))):
        digest.update(f"{name} {_code(_source(name)).digest}\n".encode())
        for table in sorted(PACKAGE.glob(TABLES[name])) if name in TABLES else ():
            digest.update(table.read_bytes())
    return digest.hexdigest()[:16]


def imported(module: str) -> set[str]:
    """Return `module` and all modules that it imports, directly or indirectly, without `MESSAGE_MODULES`."""
    found: set[str] = set()
    ahead = {module}
    while ahead:
        name = ahead.pop()
        found.add(name)
        modules = {other for other in _code(_source(name)).imports if _path(other).is_file()}
        ahead |= modules - found - MESSAGE_MODULES
    return found


class Code(NamedTuple):
    """The code of one module: its digest, and what it may import from the package."""

    digest: str
    imports: frozenset[str]


@cache
def _code(source: str) -> Code:
    tree = ast.parse(source)
    words: list[str] = []
    _append_words(tree, words)
    return Code(hashlib.sha256("\n".join(words).encode()).hexdigest(), frozenset(_imports(tree)))


def _imports(tree: ast.Module) -> Iterator[str]:
    """Yield what is imported from the package: modules, and names that may be modules of a package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("imagenet_s."):
            module = node.module.removeprefix("imagenet_s.")
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _append_words(node: object, words: list[str]) -> None:
    """Append the syntax tree below a node, in words that are the same in all versions of Python.

    `ast.dump` and `ast.unparse` give other texts in other versions, which add fields, omit empty ones or
    quote differently. A build that is continued with another Python would then start again. Here, fields
    without a value are omitted and the others sorted by name. `ascii` escapes strings, because `repr`
    depends on the version of Unicode.
    """
    if isinstance(node, ast.AST):
        words.append(f"{type(node).__name__}(")
        for name, value in sorted(_fields(node).items()):
            words.append(name)
            _append_words(value, words)
        words.append(")")
    elif isinstance(node, list):
        words.append("[")
        for item in node:
            _append_words(item, words)
        words.append("]")
    else:
        words.append(f"{type(node).__name__} {node!a}")


def _fields(node: ast.AST) -> dict[str, object]:
    """Return what defines a node, without docstrings."""
    if isinstance(node, ast.Constant):
        return {"value": node.value}
    fields = dict(ast.iter_fields(node))
    if isinstance(node, WITH_DOCSTRING) and ast.get_docstring(node, clean=False) is not None:
        fields["body"] = node.body[1:]
    elif isinstance(node, ast.JoinedStr):
        fields["values"] = _joined(node.values)
    return {name: value for name, value in fields.items() if value is not None and value != []}


def _joined(values: list[ast.expr]) -> list[object]:
    """Return the parts of an f-string. Python splits its texts differently from version to version."""
    parts: list[object] = []
    for is_text, group in groupby(values, lambda value: isinstance(value, ast.Constant)):
        items = list(group)
        text = "".join(str(item.value) for item in items if isinstance(item, ast.Constant))
        parts += [text] * bool(text) if is_text else items
    return parts


def _source(module: str) -> str:
    return _path(module).read_text(encoding="utf-8")


def _path(module: str) -> Path:
    return PACKAGE / f"{module.replace('.', '/')}.py"
