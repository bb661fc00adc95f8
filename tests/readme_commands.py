"""Runs the commands of the documentation in the environment that they make, with nothing else in it.

    python3 tests/readme_commands.py

A command is what calls `.venv/bin/…`, in a block of code or between backticks. Each is run in the current
folder, except for those in `LEFT_OUT`: a new command must work on the demo, or be listed there with a
reason. The order is that of `DOCUMENTS`; what installs more than the README's first command comes last.
Ends with 1 at the first command that fails.
"""

import re
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENTS = (
    ROOT / "README.md",
    *sorted(path for path in (ROOT / "docs").glob("*.md") if not path.is_symlink()),
    ROOT / "CONTRIBUTING.md",
)

CALLED = ".venv/bin/"
FIRST = "pip install -e . "
STEP = "a step of .ci/run"

# Why a command cannot be run as it is written.
LEFT_OUT = {
    ".venv/bin/…": "it only says how commands are written",
    ".venv/bin/snakemake": "it only says how to call it",
    ".venv/bin/imagenet-s inspect ~/data/imagenet": "needs ImageNet",
    ".venv/bin/imagenet-s inspect ~/data/imagenet --subset 300 --json"
    " | jq -r '.subsets[].problems[].names[]'": "needs ImageNet, and jq",
    ".venv/bin/imagenet-s clean results": "would remove the results that later steps of .ci/run look at",
    ".venv/bin/imagenet-s verify /shared/ImageNetS50": "needs a shared copy",
    ".venv/bin/imagenet-s verify /shared --level size --json found.json": "needs a shared copy",
    ".venv/bin/imagenet-s verify mine --against /shared/theirs": "needs two copies",
    ".venv/bin/imagenet-s evaluate --truth results/ImageNetS50 --predictions mine/validation"
    " --out mine/metrics.json": "needs predictions of a model",
    ".venv/bin/imagenet-s compare mine/metrics.json results/benchmark/50/metrics.json": (
        "needs predictions of a model"
    ),
    ".venv/bin/imagenet-s match --truth results/ImageNetS50 --predictions mine/validation"
    " --out mine/match.json": "needs predictions of a model",
    ".venv/bin/imagenet-s submit --protocol semi-supervised --predictions mine/test"
    " --images results/ImageNetS50/test --method method.yaml --out mine/submission.zip": "needs predictions",
    ".venv/bin/imagenet-s submit --protocol semi-supervised --check mine/submission.zip"
    " --images results/ImageNetS50/test": "needs a submission of a model",
    ".venv/bin/pip install -e '.[slurm]' && .venv/bin/snakemake --profile profiles/slurm": "needs a cluster",
    ".venv/bin/snakemake --profile profiles/slurm verify": "needs a cluster",
    ".venv/bin/pip install -e '.[bench]'": "for benchmarks, which are run by hand",
    ".venv/bin/pip install -e '.[dev]'": STEP,
    ".venv/bin/ruff check . && .venv/bin/ruff format --check .": STEP,
    ".venv/bin/lint-imports": STEP,
    ".venv/bin/snakefmt --check .": STEP,
    ".venv/bin/pytest -m long": STEP,
}


def documentation() -> str:
    """Return the text of all documents, one after the other."""
    return "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)


def commands(text: str) -> list[str]:
    """Return the commands of a text in its order, each once, as they are written there."""
    found = []
    for number, piece in enumerate(re.split(r"^ *```.*\n", text, flags=re.MULTILINE)):
        is_block = number % 2
        found += _in_block(piece) if is_block else re.findall(r"`([^`]+)`", piece)
    return list(dict.fromkeys(command for command in found if CALLED in command))


def _in_block(block: str) -> list[str]:
    """Return the commands of a block of code, each with all of its lines."""
    found, lines = [], []
    for line in block.splitlines():
        lines.append(line)
        if _is_whole("\n".join(lines)):
            found.append("\n".join(lines))
            lines = []
    return [*found, "\n".join(lines)]


@cache
def _is_whole(command: str) -> bool:
    """Whether a shell would begin to run it, instead of waiting for more lines."""
    if command.endswith("\\"):
        return False
    return subprocess.run(["bash", "-n", "-c", command], capture_output=True, check=False).returncode == 0


def plain(command: str) -> str:
    """Return a command in one line, without its comment."""
    return " ".join(re.sub(r"\s#.*", "", command.replace("\\\n", " ")).split())


def to_run(text: str) -> list[str]:
    """Return the commands to run.

    Raises:
        ValueError: `LEFT_OUT` has a command that is not in the text.
    """
    written = commands(text)
    gone = LEFT_OUT.keys() - set(map(plain, written))
    if gone:
        raise ValueError(f"left out, but not in the documentation: {sorted(gone)}")
    chosen = [command for command in written if plain(command) not in LEFT_OUT]
    return sorted(chosen, key=lambda command: "pip install" in command and FIRST not in command)


def main() -> int:
    for command in to_run(documentation()):
        print(f"\n== {command}", flush=True)
        began = time.monotonic()
        quiet = command.replace("pip install", "pip install --quiet")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", quiet], stdin=subprocess.DEVNULL, check=False
        )
        if done.returncode:
            print(f"exit code {done.returncode} of: {command}", file=sys.stderr)
            return 1
        print(f"-- {time.monotonic() - began:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
