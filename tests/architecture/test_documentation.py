"""README and docs: their examples work, their links lead somewhere, and what is generated is up to date."""

import ast
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image

from helpers.builds import ROOT, digest, snakemake
from helpers.examples import blocks
from imagenet_s.cli.main import command_parser
from imagenet_s.config.settings import read_config
from imagenet_s.dataset.summary import write_summary
from imagenet_s.source.layouts import LAYOUTS
from readme_commands import DOCUMENTS, commands, documentation, plain

README = ROOT / "README.md"
DOCS = ROOT / "docs"
LINKED = (*DOCUMENTS, ROOT / "CHANGELOG.md", ROOT / "SECURITY.md", ROOT / "config" / "README.md")
PICTURE = DOCS / "images" / "pipeline.png"
RULES = sorted((ROOT / "workflow" / "rules").glob("*.smk"))

# Commands between backticks that are not whole ones.
SHORTHAND = {
    "imagenet-s COMMAND --help": "stands for any command",
    "imagenet-s --log FILE …": "stands for any command",
}


def called(program: str) -> list[str]:
    """What follows a program's name in the commands of the documentation, each once."""
    text = documentation()
    lines = "\n".join(commands(text)).replace("\\\n", " ").splitlines()
    written = [*map(plain, lines), *re.findall(r"`([^`\n]+)`", text)]
    found = (re.findall(rf"(?:^|[ /]){program} ([^|;&]+)", x) for x in written if x not in SHORTHAND)
    return sorted({arguments.strip() for each in found for arguments in each})


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub and MkDocs name them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_the_readme_is_short():
    lines = README.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 130
    assert max(map(len, lines)) <= 120
    assert len(" ".join(lines).split()) <= 1200


@pytest.mark.parametrize("arguments", called("imagenet-s"))
def test_every_command_in_the_documentation_is_one_that_exists(arguments):
    words = shlex.split(arguments)
    if {"--help", "--version"} & set(words):
        with pytest.raises(SystemExit) as stop:
            command_parser().parse_args(words)
        assert stop.value.code == 0
    else:
        command_parser().parse_args(words)


def test_every_target_of_snakemake_in_the_documentation_is_a_rule():
    rules = {name for path in RULES for name in re.findall(r"^ *rule (\w+):", path.read_text(), re.MULTILINE)}
    options = {
        "--config",
        "--profile",
        "--workflow-profile",
        "--snakefile",
        "--report",
        "--cores",
        "--rerun-triggers",
        "--sdm",
    }
    targets = set()
    for arguments in called("snakemake"):
        previous = ""
        for word in shlex.split(arguments):
            if previous not in options and re.fullmatch("[a-z_]+", word):
                targets.add(word)
            previous = word
    assert {"verify", "repair", "evaluate", "submission", "fetch", "source", "images", "stream"} <= targets
    assert targets <= rules | {"all"}


@pytest.mark.parametrize("document", LINKED, ids=lambda path: path.name)
def test_every_block_of_yaml_is_a_configuration(document):
    for block in blocks(document.read_text(encoding="utf-8"), "yaml"):
        values = yaml.safe_load(block)
        if "default-resources" in values:  # of a profile
            profile = yaml.safe_load((ROOT / "profiles" / "slurm" / "config.yaml").read_text())
            assert values.keys() <= profile.keys()
        else:
            read_config(values)


def test_the_example_in_python_reads_an_image_and_its_mask(output50, tmp_path, monkeypatch, capsys):
    (tmp_path / "results").symlink_to(output50)
    monkeypatch.chdir(tmp_path)
    (example,) = blocks(README.read_text(encoding="utf-8"), "python")
    exec(compile(example, "README.md", "exec"), {})
    assert capsys.readouterr().out == "goldfish (51, 92) [   0    1 1000]\n"


def test_the_readme_shows_the_summary_of_the_demo(output50, tmp_path):
    write_summary([output50 / "ImageNetS50" / "dataset.json"], tmp_path / "summary.txt")
    shown = blocks(README.read_text(encoding="utf-8"), "text")[0]
    assert (tmp_path / "summary.txt").read_text(encoding="utf-8").partition("\n\n")[0] == shown.rstrip()


def test_a_copy_is_checked_and_its_digest_computed_by_the_commands_that_the_documentation_gives(
    output50, tmp_path
):
    (tmp_path / "results").symlink_to(output50)
    check, compute = blocks((DOCS / "output-format.md").read_text(encoding="utf-8"), "")
    printed = [
        subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for command in (check, compute)
    ]
    assert printed == ["", f"{digest(output50 / 'ImageNetS50')}  -\n"]


def test_another_workflow_imports_that_of_the_catalog_as_the_documentation_shows(tmp_path):
    # tests/module imports the top-level Snakefile in the same way.
    (tmp_path / "imagenet-s").symlink_to(ROOT)
    (block,) = blocks((DOCS / "offline-and-modules.md").read_text(encoding="utf-8"), "snakemake")
    (tmp_path / "Snakefile").write_text(block.replace("Snakefile", "workflow/Snakefile"))
    command = [sys.executable, "-m", "snakemake", "imagenet_s_all", "--cores", "1", "--dry-run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "imagenet_s_summary" in done.stdout


def test_the_snakefile_of_the_catalog_builds_the_same(tmp_path):
    (tmp_path / "config.yaml").write_text("imagenet: demo\n")
    run = snakemake(
        tmp_path, "--snakefile", str(ROOT / "workflow" / "Snakefile"), "--dry-run", "--quiet", "rules"
    )
    assert run.code == 0, run.text
    planned = dict(line.split() for line in run.text.splitlines() if len(line.split()) == 2)
    assert (planned["images"], planned["build"], planned["total"]) == ("3", "1", "17")


@pytest.mark.parametrize("document", LINKED, ids=lambda path: path.name)
def test_every_link_leads_to_a_file_and_a_heading(document):
    targets = re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8"))
    for target in (target for target in targets if "://" not in target):
        path, _, anchor = target.partition("#")
        file = document.parent / path if path else document
        assert file.is_file(), target
        assert not anchor or anchor in anchors(file), target


def test_every_page_is_in_the_navigation():
    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    named = [page for entry in navigation for page in entry.values()]
    assert sorted(named) == sorted(path.name for path in DOCS.glob("*.md"))
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    assert [page for page in named[1:] if f"]({page})" not in index] == []


def test_the_reference_of_the_command_line_is_the_one_that_the_script_writes():
    reference = runpy.run_path(str(DOCS / "scripts" / "cli_reference.py"))["reference"]
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == reference(), (
        "python docs/scripts/cli_reference.py"
    )


def test_the_registry_of_digests_is_the_table_of_the_package():
    page = runpy.run_path(str(DOCS / "scripts" / "digests.py"))["page"]
    assert (DOCS / "digests.md").read_text(encoding="utf-8") == page(), "python docs/scripts/digests.py"


def test_the_picture_is_small():
    assert PICTURE.stat().st_size < 150_000


@pytest.mark.long
def test_the_script_draws_a_picture_of_the_same_size(tmp_path):
    runpy.run_path(str(DOCS / "scripts" / "picture.py"))["draw"](tmp_path / "drawn.png")
    with Image.open(PICTURE) as committed, Image.open(tmp_path / "drawn.png") as drawn:
        assert committed.size == drawn.size


def test_the_table_of_packages_has_each_package_and_each_file_of_rules_once():
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| `")]
    packages = [name for row in rows for name in re.findall(r"`(\w+)`", row[0])]
    rules = {name for row in rows for name in re.findall(r"`(\w+\.smk)`", row[1])}
    folders = [path.parent.name for path in (ROOT / "workflow" / "imagenet_s").glob("*/__init__.py")]
    assert sorted(packages) == sorted(folders)
    assert rules == {path.name for path in RULES}


# Messages of which a part is a name or a number → their longest fixed part.
FILLED_IN = {
    "found no train and val images": "found no ",
    "lacks 1 of the 294 files": " of the ",
    "is a git-lfs pointer": "a git-lfs pointer",
    "is an HTML page": "an HTML page",
    "is zeros": "zeros",
    "is compressed with gzip, not a tar": "compressed with gzip",
    "no hardlink from": ": no ",
    "has 3.2 GB free, and the build needs about": " free, and the build needs about ",
    "is not a readable PNG (CRC error": "is not a readable PNG (",
}


def messages() -> list[str]:
    """The fixed parts of all texts of the package, docstrings among them."""
    texts = []
    for path in (ROOT / "workflow" / "imagenet_s").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return texts


def test_every_message_in_the_troubleshooting_is_one_of_the_package():
    table = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    quoted = [part for cell in cells for part in re.findall(r"`([^`]+)`", cell)]
    pieces = {piece.strip() for part in quoted for piece in part.split("…")} - {""}
    assert FILLED_IN.keys() <= pieces
    known = messages()
    fixed = [FILLED_IN.get(piece, piece) for piece in sorted(pieces)]
    assert [piece for piece in fixed if not any(piece in text for text in known)] == []


def test_the_table_of_layouts_has_the_names_and_the_order_of_the_code():
    table = (DOCS / "layouts.md").read_text(encoding="utf-8").partition("|---|---|---|\n")[2]
    rows = table.partition("\n\n")[0].splitlines()
    names = [re.sub(r"\[|\]\(.*\)|\\\*", "", row.split(" | ")[0].removeprefix("| ")).strip() for row in rows]
    assert names == list(dict.fromkeys(layout.name for layout in LAYOUTS))
