"""Whether the cluster that Snakemake is to send jobs to is there."""

import shutil
import subprocess

from imagenet_s.runtime.errors import UserError

SUBMIT, ASK = "sbatch", "sinfo"  # the programs that the executor runs
MAX_SECONDS = 60  # a slow answer is none, and no reason to stop

ELSEWHERE = "Run on a login node of the cluster"
HERE = "To build on this machine alone, leave out `--profile profiles/slurm`."


def require_executor(name: str) -> None:
    """Check that jobs can be sent to Slurm, if that is what the executor `name` does.

    Raises:
        UserError: They cannot. Each job would fail, and be tried four times.
    """
    if name != "slurm":
        return
    if not shutil.which(SUBMIT):
        raise UserError(f"Cannot send jobs to Slurm: there is no {SUBMIT} in the PATH. {ELSEWHERE}. {HERE}")
    if not shutil.which(ASK):
        return
    try:
        asked = subprocess.run(
            [ASK, "--noheader"], capture_output=True, text=True, timeout=MAX_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return
    if asked.returncode:
        said = asked.stderr.strip().splitlines() or [f"exit code {asked.returncode}"]
        raise UserError(
            f"Cannot send jobs to Slurm: it does not answer on this machine ({said[-1]}). "
            f"{ELSEWHERE}, or later. {HERE}"
        )
