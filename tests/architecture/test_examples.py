"""The examples of `docs/use.md` and of the API's docstrings; `tests/clients` runs those that need more."""

import doctest
import inspect

import pytest

import imagenet_s
from helpers.builds import ROOT
from helpers.examples import blocks, run_examples, section
from imagenet_s.api import data, masks, overlay

PAGE = (ROOT / "docs" / "use.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def folder(output50, tmp_path, monkeypatch):
    """A working directory that holds the demo as `results`."""
    (tmp_path / "results").symlink_to(output50)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("heading", ["NumPy", "pandas"])
def test_the_examples_of_the_page_print_what_it_says(heading):
    assert run_examples(blocks(section(PAGE, heading), "python")) >= 6


@pytest.mark.parametrize("module", [data, masks, overlay])
def test_the_examples_of_docstrings_print_what_they_say(module):
    found = [test for test in doctest.DocTestFinder().find(module) if test.examples]
    assert found
    for test in found:
        run_examples([inspect.cleandoc(test.docstring)], imagenet_s=imagenet_s)
