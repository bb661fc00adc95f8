"""How the rules run jobs: the command that starts one, its options, and what it may use."""

import json
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from imagenet_s.config.settings import Benchmark, Config
from imagenet_s.runtime.errors import UserError
from imagenet_s.spec.method_txt import LINES
from imagenet_s.workspace.paths import Workspace

NODE_CORES = 8  # that a job asks for on a cluster, where it could have a whole machine


def launcher(launch: Path, conda: bool) -> str:
    """Return the shell command that runs the package beside `launch`, the file launch.py.

    The Python that runs Snakemake runs the package, too: no environment needs to be activated, on this
    machine or on the node of a cluster. With `conda`, the Python of the rule's environment runs it.
    """
    python = "python" if conda else shlex.quote(sys.executable)
    return f"{python} {shlex.quote(str(launch))}"


def job_command(launch: Path, conda: bool) -> Callable[..., str]:
    """Return a function for `params`: the launcher, with the folder in which the job registers itself.

    The function takes `output`, and so Snakemake does not compare its result with that of an earlier run:
    another Python is no reason to repeat a job, and neither is another number of readers.
    """

    def command(wildcards: object, output: Sequence[str], resources: Mapping[str, object]) -> str:
        work = Workspace.containing(output[0]).work
        options = f"--work {shlex.quote(str(work))} {readers_option(resources)}"
        return f"{launcher(launch, conda)} {options}".rstrip()

    return command


def check_command(launch: Path, conda: bool) -> Callable[..., str]:
    """Return a function for `params`: the launcher of a job that checks a build and does not belong to it."""

    def command(wildcards: object, resources: Mapping[str, object]) -> str:
        return f"{launcher(launch, conda)} {readers_option(resources)}".rstrip()

    return command


def readers_option(resources: Mapping[str, object]) -> str:
    """Return the option for the number of readers, if the profile sets the resource `readers`."""
    readers = resources.get("readers")
    return option("--readers", [str(readers)] if readers else [])


def moved(workspace: Workspace, path: Path) -> Callable[..., Path]:
    """Return a function for `params`: a path of the workspace, with the job's wildcards filled in.

    A workflow that imports this one as a module may give it a `prefix`, which Snakemake puts before inputs
    and outputs, but not before params. The function finds the folder from the rule's own output.
    """
    relative = str(path.relative_to(workspace.output))

    def below_output(wildcards: Mapping[str, str], output: Sequence[str]) -> Path:
        return Workspace.containing(output[0]).output / relative.format(**dict(wildcards.items()))

    return below_output


def growing(amount: int) -> Callable[..., int]:
    """Return a function for `resources`: `amount`, times the number of the attempt."""
    return lambda wildcards, attempt: amount * attempt


def all_cores(cores: int | None, remote: bool) -> int:
    """Return the threads of a job that should have a machine to itself.

    `cores` is what Snakemake may use on this machine; it is not known when jobs are sent to a cluster.
    """
    return NODE_CORES if remote else cores or NODE_CORES


def option(name: str, values: str | Iterable[str]) -> str:
    """Return an option with its values, quoted for a shell; nothing if there are no values."""
    given = [values] if isinstance(values, str) else list(values)
    return " ".join([name, *map(shlex.quote, given)]) if given else ""


def train_images_option(config: Config) -> str:
    """Return the option that allows another number of train images than the official one."""
    return "" if config.complete else "--any-train-images"


def request_options(config: Config, tier: int | str) -> str:
    """Return the options that describe the whole build to the job that lists one tier of the source.

    The job of the first tier checks the source for all subsets, so that a build with an incomplete source
    stops at once. The images of the demo are generated tier by tier and cannot be checked ahead.
    """
    subsets = config.subsets if config.imagenet else (tier,)
    words = [
        option("--subsets", map(str, subsets)),
        train_images_option(config),
        option("--link", config.link),
        " ".join(["--labels", *config.labels]),
        option("--val", config.val or []),
    ]
    return " ".join(filter(None, words))


def method_json(benchmark: Benchmark) -> str:
    """Return the description of a submission as JSON.

    Raises:
        UserError: The configuration has none.
    """
    if not benchmark.method:
        raise UserError(
            "`benchmark.method`: a submission needs a description. Set its fields in config.yaml: "
            + ", ".join(LINES)
        )
    return json.dumps(benchmark.method, ensure_ascii=False)
