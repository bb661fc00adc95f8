"""Paths below the output are spelled in workspace/ alone: a new stage is added in one place."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.builds import ROOT

PACKAGE = ROOT / "workflow" / "imagenet_s"
PATHS = [PACKAGE / "workspace" / name for name in ("paths.py", "work_folder.py")]
MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if path not in PATHS]
RULES = [ROOT / "Snakefile", *sorted((ROOT / "workflow" / "rules").glob("*.smk"))]

# What only a path has: no spaces, as in a message, and a slash beside the name of a folder of builds.
SPELLED = re.compile(r"\S*(?<![\w.-])(work|benchmark)/\S*|\S*/(work|benchmark)|(\S*/)?summary\.txt")


def literals(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of each string, apart from docstrings."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def operands(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of each string that is joined to a path by `/`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            for side in (node.left, node.right):
                if isinstance(side, ast.Constant):
                    yield side.lineno, str(side.value)


def spelled(text: str) -> list[str]:
    """`<line>: <string>` for each path below the output that Python code spells."""
    tree = ast.parse(text)
    found = [item for item in literals(tree) if SPELLED.fullmatch(item[1])]
    found += [item for item in operands(tree) if item[1] in ("work", "benchmark")]
    return [f"{line}: {value}" for line, value in sorted(found)]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_other_module_spells_a_path_below_the_output(module):
    assert spelled(module.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("rules", RULES, ids=lambda path: path.name)
def test_no_rule_spells_a_path_below_the_output(rules: Path):
    lines = [line.partition("#")[0] for line in rules.read_text(encoding="utf-8").splitlines()]
    texts = [text for line in lines for text in re.findall(r'"([^"]*)"', line)]
    assert [text for text in texts if SPELLED.fullmatch(text) or text == "work"] == []
    assert [text for text in texts if "ImageNetS" in text and " " not in text] == []


@pytest.mark.parametrize(
    "code",
    ['output / "work"', 'x = "work/logs"', 'f"{output}/work/tmp"', 'f"{x}/work"', 'p("summary.txt")'],
)
def test_a_spelled_path_is_found(code):
    assert len(spelled(code)) == 1


def test_messages_arguments_and_modules_are_no_paths():
    code = '"""work/tmp"""\nprint("it has no work/trees.", "work", "benchmark.scoring", "network/x")'
    assert spelled(code) == []
