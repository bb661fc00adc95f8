"""What other tools read of the project: citation, hooks, workflows, issue templates, the workflow catalog."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from helpers.builds import ROOT
from imagenet_s.runtime.version import __version__

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*_*.yml"))


def loaded(path: str | Path) -> dict:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def test_the_citation_names_the_paper_and_this_version():
    citation = loaded("CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= citation.keys()
    assert (citation["type"], citation["version"]) == ("software", __version__)
    assert citation["license"] == PROJECT["license"]
    paper = citation["preferred-citation"]
    assert (paper["type"], paper["year"]) == ("article", 2023)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    names = [author["family-names"] for author in paper["authors"]]
    assert names == ["Gao", "Li", "Yang", "Cheng", "Han", "Torr"]
    assert [name for name in names if name not in readme] == []
    assert paper["title"] in readme
    assert paper["identifiers"][0]["value"] in readme


def test_the_changelog_has_the_form_and_this_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## \[(.+?)\]", text, re.MULTILINE)[:2] == ["Unreleased", __version__]
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.+)", text, re.MULTILINE)) <= kinds


def test_hooks_run_tools_of_the_dev_extra():
    (local,) = loaded(".pre-commit-config.yaml")["repos"]
    assert local["repo"] == "local"
    tools = {hook["entry"].split()[0] for hook in local["hooks"]} - {"python"}
    distributions = {"lint-imports": "import-linter"}
    declared = {re.match(r"[\w-]+", line)[0] for line in PROJECT["optional-dependencies"]["dev"]}
    assert {distributions.get(tool, tool) for tool in tools} <= declared


def test_the_workflow_runs_what_ci_runs_on_linux_and_macos():
    (job,) = loaded(".github/workflows/ci.yml")["jobs"].values()
    assert job["strategy"]["matrix"]["os"] == ["ubuntu-latest", "macos-latest"]
    assert [step["run"] for step in job["steps"] if "run" in step] == ["bash .ci/run"]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_each_issue_template_is_a_form(template):
    form = loaded(template)
    assert {"name", "description", "body"} <= form.keys()
    for element in form["body"]:
        assert element["type"] in {"markdown", "textarea", "input"}
        assert ("id" in element) == (element["type"] != "markdown")
        assert "value" in element["attributes"] or "label" in element["attributes"]


def test_the_workflow_catalog_finds_what_it_needs():
    usage = loaded(".snakemake-workflow-catalog.yml")["usage"]
    assert usage.keys() == {"mandatory-flags", "software-stack-deployment"}
    assert usage["software-stack-deployment"]["conda"] is True
    assert (ROOT / "workflow" / "Snakefile").is_file()
    assert (ROOT / "config" / "README.md").is_file()
    readme = (ROOT / "README.md").read_text(encoding="utf-8").lower()
    assert "snakemake" in readme
    assert "workflow" in readme


def test_classifiers_and_urls_agree_with_the_project():
    versions = [name.rpartition(" ")[2] for name in PROJECT["classifiers"] if "Python :: 3." in name]
    assert PROJECT["requires-python"] == f">={versions[0]}"
    assert set(PROJECT["urls"].values()) == {
        "https://github.com/LUSSeg/ImageNet-S",
        "https://LUSSeg.github.io/",
        "https://arxiv.org/abs/2106.03149",
    }
