"""The project as a wheel: what is in it, and that it is a whole tool where there is no checkout."""

import fcntl
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import numpy
import pytest
import snakemake

from helpers.builds import ROOT, digest
from imagenet_s.project_files import PROJECT, SNAKEFILE

DEMO = "42c84eb3d5945fc2254c854a6d72d784bb47c4e0834c91797d63bbf36096a433"

PACKAGE = ROOT / "workflow" / "imagenet_s"
# What a wheel carries beside the package.
CARRIED = (
    *("Snakefile", "config.yaml", "envs", "profiles"),
    *("workflow/launch.py", "workflow/rules", "workflow/report", "workflow/schemas"),
)


def files_of(path: Path) -> list[Path]:
    """The file itself, or all files below a folder."""
    found = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return [file for file in found if "__pycache__" not in file.parts]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of this checkout, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.iterdir()
    return made


class Environment:
    """A virtual environment with the libraries of this one, but without the package of the checkout."""

    def __init__(self, folder: Path):
        self.folder, self.python = folder, folder / "bin" / "python"
        venv.create(folder, symlinks=True)
        libraries = {str(Path(library.__file__).parents[1]) for library in (numpy, snakemake)}
        (packages,) = folder.glob("lib/python*/site-packages")
        # The folders alone: what their own .pth files add, such as a checkout, is not seen from here.
        (packages / "libraries.pth").write_text("\n".join(libraries))

    def run(self, *command: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
        """Run a program of this environment as a user does who has activated nothing."""
        program, *arguments = command
        return subprocess.run(
            [self.folder / "bin" / program, *arguments],
            cwd=cwd,
            env={"PATH": "/usr/bin:/bin", "HOME": str(cwd)} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )

    def snakemake(self, *arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
        command = ("python", "-m", "snakemake", "--cores", "2", *arguments)
        return self.run(*command, cwd=cwd, **environment)


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Environment:
    """An environment in which the wheel is installed."""
    made = Environment(tmp_path_factory.mktemp("installed") / "venv")
    pip = [sys.executable, "-m", "pip", "--python", made.python, "install", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--disable-pip-version-check", wheel], check=True, capture_output=True)
    return made


def test_a_wheel_holds_the_package_and_the_workflow_byte_for_byte_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        held = {name: archive.read(name) for name in names}
    assert len(held) == len(names)
    package = {f"imagenet_s/{file.relative_to(PACKAGE)}": file for file in files_of(PACKAGE)}
    project = {
        f"imagenet_s/project/{file.relative_to(ROOT)}": file
        for name in CARRIED
        for file in files_of(ROOT / name)
    }
    assert held == {name: file.read_bytes() for name, file in (package | project).items()}
    assert {
        "imagenet_s/__init__.py",
        "imagenet_s/official/val.csv",
        "imagenet_s/official/lists.sha256",
        "imagenet_s/gallery/templates/index.html",
        "imagenet_s/gallery/templates/gallery.js",
        "imagenet_s/project/Snakefile",
        "imagenet_s/project/config.yaml",
        "imagenet_s/project/envs/imagenet-s.yaml",
        "imagenet_s/project/profiles/default/config.yaml",
        "imagenet_s/project/profiles/slurm/config.yaml",
        "imagenet_s/project/profiles/verbose/config.yaml",
        "imagenet_s/project/workflow/launch.py",
        "imagenet_s/project/workflow/rules/common.smk",
        "imagenet_s/project/workflow/schemas/config.schema.yaml",
    } <= set(held)


def test_the_project_s_files_are_found_in_a_checkout_and_in_a_wheel(installed, tmp_path):
    assert ROOT == PROJECT
    assert str(ROOT / "Snakefile") == SNAKEFILE
    script = "from imagenet_s.project_files import *; print(PACKAGE, PROJECT, SNAKEFILE, sep='\\n')"
    done = installed.run("python", "-c", f"import sys; {script}", cwd=tmp_path)
    package, project, snakefile = map(Path, done.stdout.splitlines())
    assert package.is_relative_to(installed.folder)
    assert (project, snakefile) == (package / "project", package / "project" / "Snakefile")


def test_launch_takes_the_package_around_it_whatever_is_installed(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    package = tmp_path / "imagenet_s"
    (package / "runtime" / "version.py").write_text('__version__ = "of the wheel"\n')
    # Beside it lies a library of another Python, which must not be taken for one of this.
    (tmp_path / "tqdm.py").write_text('raise ImportError("taken from the wrong folder")\n')
    launch = package / "project" / "workflow" / "launch.py"
    done = subprocess.run(
        [sys.executable, launch, "--version"], cwd=tmp_path.parent, capture_output=True, text=True
    )
    assert (done.stdout.splitlines()[0], done.stderr) == ("imagenet-s of the wheel", "")


@pytest.mark.long
def test_a_wheel_builds_the_demo_in_a_folder_of_its_own(installed, tmp_path):
    folder = tmp_path / "it's mine"
    done = installed.run("imagenet-s", "init", folder, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert f"cd '{tmp_path}/it'\"'\"'s mine' && {installed.python} -m snakemake --cores all\n" in done.stdout
    done = installed.run("imagenet-s", "plan", cwd=folder)
    assert (done.returncode, done.stdout.split()[:4]) == (0, ["source", "the", "embedded", "demo:"])

    # Also an example of a terminal that shows little: the summary's dash must not fail the build.
    run = installed.snakemake("--printshellcmds", cwd=folder, PYTHONIOENCODING="ascii")
    assert run.returncode == 0, run.stdout
    assert "profile profiles/default" in run.stdout
    assert r"\u2013" in run.stdout
    assert run.stdout.count("/imagenet_s/project/workflow/launch.py --work") > 10
    assert str(ROOT) not in run.stdout
    tree = folder / "results" / "ImageNetS50"
    assert digest(tree) == DEMO
    assert "Nothing to be done" in installed.snakemake(cwd=folder).stdout

    mask = next((tree / "validation-segmentation").glob("*/*.png"))
    mask.unlink()
    run = installed.snakemake("verify", cwd=folder)
    assert run.returncode == 1
    assert "missing" in run.stdout
    run = installed.snakemake("repair", cwd=folder)
    assert run.returncode == 0, run.stdout
    assert mask.exists()
    assert installed.run("imagenet-s", "verify", "results", cwd=folder).returncode == 0

    with (folder / "results/work/run.lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = installed.snakemake("--forcerun", "summary", cwd=folder)
    assert run.returncode == 1
    assert f"Another run works on {folder}/results" in run.stdout


@pytest.mark.long
def test_other_targets_and_settings_are_reached_from_a_folder_of_its_own(installed, tmp_path):
    installed.run("imagenet-s", "init", cwd=tmp_path)
    targets = ("all", "evaluate", "submission", "--dry-run")
    run = installed.snakemake(*targets, "--config", "subsets=[50,300]", cwd=tmp_path)
    assert run.returncode == 0, run.stdout
    for rule in ("evaluate", "submission", "distance_match", "tidy", "all"):
        assert f"\n{rule} " in run.stdout
    run = installed.snakemake("fetch", "--dry-run", "--config", "imagenet=raw", cwd=tmp_path)
    assert "Getting the annotations of ImageNetS50 (official)" in run.stdout
    run = installed.snakemake("--config", "subsets=[51]", cwd=tmp_path)
    assert run.returncode == 1
    assert "subsets[0]: 51 is not allowed; allowed: 50, 300, 919" in run.stdout


def test_the_code_of_a_wheel_has_the_digests_of_the_checkout(installed, tmp_path):
    script = (
        "from imagenet_s.pipeline.code_digest import code_digest as digest; "
        "print(digest('images.read'), digest('demo.generate'))"
    )
    inside = installed.run("python", "-c", script, cwd=tmp_path).stdout
    outside = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT / "workflow", capture_output=True, text=True
    ).stdout
    assert inside == outside != ""


def test_a_checkout_needs_no_installation_and_uses_no_other_package(tmp_path):
    other = Environment(tmp_path / "other")
    (decoy,) = other.folder.glob("lib/python*/site-packages")
    (decoy / "imagenet_s.py").write_text('raise ImportError("another package")\n')
    shutil.copy(ROOT / "config.yaml", tmp_path)
    run = other.snakemake("--snakefile", str(ROOT / "Snakefile"), "--printshellcmds", "fetch", cwd=tmp_path)
    assert run.returncode == 0, run.stdout
    assert f"Shell command: {other.python} {ROOT}/workflow/launch.py --work results/work " in run.stdout
    assert (tmp_path / "results" / "work" / "annotations" / "50.json").is_file()


def test_a_snakemake_without_the_package_says_which_one_to_run(installed, tmp_path):
    installed.run("imagenet-s", "init", cwd=tmp_path)
    other = Environment(tmp_path / "other")
    run = other.snakemake(cwd=tmp_path)
    assert run.returncode == 1
    advice = "Run the `snakemake` of the environment in which imagenet-s is installed."
    assert f"No module named 'imagenet_s'. {advice}\n" in run.stdout
    assert "Traceback" not in run.stdout
