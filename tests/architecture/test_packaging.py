"""The project as a whole: dependencies, modules one can read, the command line."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from imagenet_s.runtime.version import __version__

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "workflow" / "imagenet_s"
LAUNCH = ROOT / "workflow" / "launch.py"
MODULES = sorted(PACKAGE.rglob("*.py"))
TORCH = PACKAGE / "torch.py"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def ranges(requirements: list[str]) -> dict[str, str]:
    """Name → version range, of requirements as pip and conda both write them."""
    parts = (re.fullmatch(r"([A-Za-z0-9_.-]+?)\s*([<>=!~].*)?", line) for line in requirements)
    return {part[1].lower(): (part[2] or "").replace(" ", "") for part in parts}


def run(*arguments: object, cwd: Path, launch: Path = LAUNCH) -> subprocess.CompletedProcess:
    """Calls the command line as a job does: from another folder, nothing activated or exported."""
    return subprocess.run(
        [sys.executable, launch, *map(str, arguments)],
        cwd=cwd,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_conda_environment_says_the_same_as_pyproject():
    environment = yaml.safe_load((ROOT / "envs" / "imagenet-s.yaml").read_text(encoding="utf-8"))
    conda = ranges(environment["dependencies"])
    pip = ranges(PROJECT["dependencies"])
    # conda-forge's `snakemake` brings much that nobody needs here.
    pip["snakemake-minimal"] = pip.pop("snakemake")
    pip["matplotlib-base"] = pip.pop("matplotlib")  # likewise
    pip["python-zlib-ng"] = pip.pop("zlib-ng")  # there, `zlib-ng` is the library in C
    assert conda == pip | {"python": PROJECT["requires-python"]}


def libraries_of(modules: list[Path]) -> set[str]:
    """The libraries that modules import, under the names by which they are imported."""
    roots = set()
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                roots |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                roots.add(node.module.partition(".")[0])
    return roots - set(sys.stdlib_module_names) - {"imagenet_s"}


def test_every_library_that_the_package_imports_is_declared():
    libraries = libraries_of([module for module in MODULES if module != TORCH])
    distributions = packages_distributions()
    needed = {distributions[name][0].lower().replace("_", "-") for name in libraries}
    assert {"numpy", "pandas", "pillow", "pyarrow"} <= needed
    assert needed - set(ranges(PROJECT["dependencies"])) == set()


def test_only_one_module_imports_torch_and_an_extra_installs_it():
    only = libraries_of([TORCH]) - libraries_of([module for module in MODULES if module != TORCH])
    assert only == {"torch", "torchvision"} == ranges(PROJECT["optional-dependencies"]["torch"]).keys()


def test_pyproject_and_package_say_the_same_version():
    assert PROJECT["version"] == __version__


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_module_says_what_it_is_and_can_be_read_in_one_sitting(module):
    text = module.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) < 260


def test_the_command_line_runs_from_anywhere_with_nothing_activated(tmp_path):
    done = run("--version", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"imagenet-s {__version__}\n")


def test_launch_takes_the_package_beside_it_whatever_is_installed(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "imagenet_s", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(LAUNCH, tmp_path)
    (tmp_path / "imagenet_s" / "runtime" / "version.py").write_text('__version__ = "of the copy"\n')
    (tmp_path / "elsewhere").mkdir()
    done = run("--version", cwd=tmp_path / "elsewhere", launch=tmp_path / "launch.py")
    assert done.stdout.startswith("imagenet-s of the copy\n")


@pytest.mark.parametrize("arguments", [[], ["no-such-command"], ["fetch", "--subset", "51"]])
def test_wrong_usage_is_exit_code_2(tmp_path, arguments):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "usage: imagenet-s" in done.stderr
    assert "Traceback" not in done.stderr


def fetch(origin: Path, tmp_path: Path, log: Path | None = None) -> subprocess.CompletedProcess:
    options = ["--from", origin, "--md5", "0" * 32, "--folder", tmp_path / "work"]
    begin = ["--log", log] if log else []
    return run(
        *begin, "fetch", "--subset", 50, *options, "--receipt", tmp_path / "receipt.json", cwd=tmp_path
    )


def test_a_command_that_is_done_is_exit_code_0(tmp_path):
    for split in ("train-semi", "validation"):
        (tmp_path / "mine" / f"{split}-segmentation").mkdir(parents=True)
    done = fetch(tmp_path / "mine", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((tmp_path / "receipt.json").read_text())["kind"] == "folder"


def test_an_error_of_the_users_is_exit_code_1_and_shows_no_traceback(tmp_path):
    log = tmp_path / "logs" / "fetch.log"
    done = fetch(tmp_path / "nowhere", tmp_path, log)
    assert done.returncode == 1
    assert done.stderr.startswith(f"`annotations.from`: there is no folder {tmp_path}/nowhere.")
    assert "Traceback" not in done.stderr + log.read_text()
    assert done.stderr.strip() in log.read_text()


def test_an_error_of_the_disk_is_exit_code_1_and_names_the_file(tmp_path):
    arguments = ("summary", "--datasets", tmp_path / "gone.json", "--summary", tmp_path / "summary.txt")
    done = run(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, f"No such file or directory: {tmp_path}/gone.json\n")


def test_the_full_account_of_an_error_is_in_the_log(tmp_path):
    for split in ("train-semi", "validation"):
        (tmp_path / "mine" / f"{split}-segmentation").mkdir(parents=True)
    assert fetch(tmp_path / "mine", tmp_path).returncode == 0
    log = tmp_path / "masks.log"
    done = run(
        *("--log", log, "masks", "--subset", 50, "--annotations", tmp_path / "receipt.json", "--workers", 1),
        *("--output", tmp_path / "o", "--records", tmp_path / "r", "--scratch", tmp_path / "s"),
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert f"The full list (1,252 lines) is in {log}" in done.stderr
    assert done.stderr.count("is missing") == 5
    assert len(re.findall(r"^\d\d:\d\d:\d\d \S+\.png is missing$", log.read_text(), re.MULTILINE)) == 1_252
