"""The examples in documents and docstrings, and what runs them."""

import doctest
import re
from collections.abc import Iterable

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def blocks(text: str, language: str) -> list[str]:
    """The blocks of code in a language, without their indentation."""
    found = re.findall(r"^( *)```(\w*)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [
        re.sub(f"^{indent}", "", code, flags=re.MULTILINE) for indent, own, code in found if own == language
    ]


def section(text: str, heading: str) -> str:
    """The text below a heading of the second level, up to the next one."""
    (found,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found


def run_examples(examples: Iterable[str], **names: object) -> int:
    """Run examples as doctests, one after the other with the same names; return the number of statements.

    Raises:
        AssertionError: A statement prints something else. The text says what.
    """
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS, verbose=False)
    for number, example in enumerate(examples):
        test = doctest.DocTestParser().get_doctest(example, names, f"example {number}", None, None)
        runner.run(test, out=report.append, clear_globs=False)
        names = test.globs
    assert runner.failures == 0, "".join(report)
    return runner.tries
