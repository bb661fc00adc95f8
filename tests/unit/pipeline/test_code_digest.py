"""A change of code reruns the stages that import it, and nothing else does."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.builds import ROOT
from imagenet_s.pipeline import code_digest as code

PACKAGE = code.PACKAGE

# The stages whose digests are among the params of rules.
STAGES = sorted(
    {
        stage
        for rules in (ROOT / "workflow" / "rules").glob("*.smk")
        for arguments in re.findall(r"code_digest\(([^)]+)\)", rules.read_text(encoding="utf-8"))
        for stage in re.findall(r'"([\w.]+)"', arguments)
    }
)


@pytest.fixture
def package(tmp_path, monkeypatch) -> Path:
    """A copy of the package that may be changed, of which `code` now gives the digests."""
    copy = shutil.copytree(PACKAGE, tmp_path / "imagenet_s", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code, "PACKAGE", copy)
    return copy


def digests() -> dict[str, str]:
    """Stage → digest of its code as it is now."""
    return {stage: code.code_digest(stage) for stage in STAGES}


def with_more_code(text: str) -> str:
    return f"{text}\nCHANGED = 1\n"


def changed_by(*paths: Path, change: Callable[[str], str] = with_more_code) -> set[str]:
    """The stages whose digest changes with these files; `change` gives the new text for the old."""
    before = digests()
    for path in paths:
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    after = digests()
    return {stage for stage in STAGES if before[stage] != after[stage]}


def reworded(text: str) -> str:
    """The same code with other comments, docstrings, line breaks and quotes."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, code.WITH_DOCSTRING):
            if ast.get_docstring(node, clean=False) is not None:
                del node.body[0]
            node.body.insert(0, ast.Expr(ast.Constant(f"Another docstring of {type(node).__name__}.")))
    return f"# A comment.\n{ast.unparse(tree)}\n"


def test_comments_docstrings_and_formatting_change_no_digest(package):
    modules = sorted(package.rglob("*.py"))
    assert len(modules) > 80
    assert changed_by(*modules, change=reworded) == set()
    assert "# A comment." in (package / "images" / "read.py").read_text()


@pytest.mark.parametrize(
    "module",
    [
        "dataset.report_tables",
        "annotations.fetch",
        "images.read",
        "io.atomic",
        "runtime.lock",
        "spec.tables",
        "cli.main",
    ],
)
def test_a_change_of_code_changes_exactly_the_stages_that_import_it(package, module):
    users = {stage for stage in STAGES if module in code.imported(stage)}
    assert changed_by(package / f"{module.replace('.', '/')}.py") == users


def test_which_stages_import_what(package):
    assert changed_by(package / "dataset" / "summary.py") == {"dataset.report_tables"}
    assert changed_by(package / "annotations" / "fetch.py") == {"annotations.fetch", "demo.generate"}
    assert changed_by(package / "io" / "atomic.py") >= {
        "images.read",
        "annotations.unpack",
        "dataset.encoded_masks",
        "dataset.tree",
        "dataset.metadata",
        "dataset.report_tables",
    }


def test_a_change_of_a_message_counts(package):
    def other_message(text: str) -> str:
        assert text.count(" are empty") == 1
        return text.replace(" are empty", " have no bytes")

    assert "images.read" in changed_by(package / "images" / "read.py", change=other_message)


def test_a_docstring_alone_is_no_code_but_another_text_is(package):
    added = "\ndef added() -> str:\n    {}\n    return 'text'\n"
    module = package / "dataset" / "summary.py"
    assert changed_by(module, change=lambda text: text + added.format('"""Docstring."""'))
    assert not changed_by(module, change=lambda text: text.replace('"""Docstring."""', "# no docstring"))
    assert changed_by(module, change=lambda text: text.replace("'text'", "'Text'")) == {
        "dataset.report_tables"
    }


def test_a_module_that_moves_changes_its_stages(package):
    users = {stage for stage in STAGES if "io.receipts" in code.imported(stage)}
    assert users
    before = digests()
    (package / "io" / "receipts.py").rename(package / "io" / "written.py")
    for module in package.rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        module.write_text(text.replace("imagenet_s.io.receipts", "imagenet_s.io.written"), encoding="utf-8")
    after = digests()
    assert {stage for stage in STAGES if before[stage] != after[stage]} == users


def test_a_stage_that_moves_has_another_digest(package):
    before = code.code_digest("dataset.summary")
    (package / "dataset" / "summary.py").rename(package / "dataset" / "closing.py")
    assert code.code_digest("dataset.closing") != before


@pytest.mark.parametrize("name", ["models", "checks", "explain", "settings"])
def test_a_change_of_the_settings_code_reruns_nothing(package, name):
    # Each stage's command says what of the settings it depends on.
    assert changed_by(package / "config" / f"{name}.py") == set()


def test_the_commands_of_jobs_do_not_load_the_models_of_the_settings():
    text = (PACKAGE / "cli" / "stage_commands.py").read_text(encoding="utf-8")
    called = {name.rpartition(".")[0] for name in re.findall(r'"(\w+\.\w+\.\w+)"', text)}
    assert {"preflight.check", "images.read", "dataset.tree"} <= called
    for module in called | {"cli.main", "cli.stage_commands"}:
        assert "config.models" not in code.imported(module), module


def test_a_change_of_the_images_code_reruns_the_images_and_what_is_joined_from_them(package):
    changed = changed_by(package / "images" / "read.py")
    assert {"images.read", "dataset.samples"} <= changed
    assert not {"annotations.unpack", "dataset.encoded_masks", "source.scan", "annotations.fetch"} & changed


def test_a_change_of_the_official_tables_changes_the_stages_that_read_them(package):
    changed = changed_by(package / "official" / "val.csv")
    assert {"images.read", "annotations.unpack", "dataset.samples", "source.scan"} <= changed
    assert "dataset.summary" not in changed


@pytest.mark.parametrize("name", ["errors", "progress"])
def test_modules_that_only_print_messages_change_no_digest(package, name):
    assert changed_by(package / "runtime" / f"{name}.py") == set()


@pytest.mark.parametrize(
    "stage", ["images.read", "annotations.unpack", "dataset.encoded_masks", "dataset.tree", "source.scan"]
)
def test_an_expensive_stage_does_not_depend_on_how_results_are_described(stage):
    descriptions = {"dataset.summary", "dataset.manifests", "config.settings", "cli.main", "demo.generate"}
    assert not descriptions & code.imported(stage)
    assert {stage, "io.atomic"} <= code.imported(stage)


@pytest.mark.parametrize("stage", ["source.scan", "source.listing", "images.read", "images.stream"])
def test_another_path_below_the_output_reads_no_source_again(stage):
    assert "workspace.paths" not in code.imported(stage)


# What versions of Python parse differently: texts in f-strings, fields and characters that came later.
SAMPLE = """
@x.decorated
class Sample(x.Base, metaclass=x.Meta):
    \'\'\'Docstring.\'\'\'
    field: int = -1

    async def run(self, a, /, b=1.5, *args, c=None, **others) -> list[int]:
        'Docstring.'
        async with a as b, c:
            yield [d async for d in b if (e := d)]


def check(value):
    match value:
        case {'a': [1, *rest], **more} | x.Point(y=None):
            return lambda *, a=(1j, True, u'text', b'\\x00', ...): (yield)
    try:
        return f'{value!r:>{len(value)}} ' f'{value=}' '' f'' 'é\U0001fae8' f'{value:}'
    except* OSError as error:
        raise error from None
"""


def test_the_digest_is_the_same_in_all_versions_of_python():
    assert code._code(SAMPLE).digest == ("5e02e4c2dd5598df065173243ad1642d8a952f9a6074d06329da65964b9dc848")


def test_the_digest_of_a_stage_covers_every_module_that_it_really_loads(tmp_path):
    # Python itself is asked, so that no form of import goes unseen.
    script = """
import importlib, json, sys
loaded = {}
for stage in sys.argv[1:]:
    for name in [name for name in sys.modules if name.partition(".")[0] == "imagenet_s"]:
        del sys.modules[name]
    importlib.import_module(f"imagenet_s.{stage}")
    modules = {name: module for name, module in sys.modules.items() if name.startswith("imagenet_s.")}
    loaded[stage] = sorted(name[11:] for name, module in modules.items() if not hasattr(module, "__path__"))
print(json.dumps(loaded))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, *STAGES],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
        check=True,
    )
    for stage, loaded in json.loads(done.stdout).items():
        assert set(loaded) - code.MESSAGE_MODULES <= code.imported(stage), stage
    assert len(STAGES) > 10


def test_a_change_of_a_template_writes_the_pages_again(package):
    templates = package / "gallery" / "templates"
    assert changed_by(templates / "class.html") == changed_by(templates / "gallery.css") == {"gallery.pages"}


def test_a_change_of_the_registry_changes_the_summary_only(package):
    assert changed_by(package / "dataset" / "known_digests.csv") == {"dataset.report_tables"}
