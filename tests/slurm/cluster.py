"""A real Slurm of two nodes on this machine, on its loopback only: no systemd, no cgroups, no accounting."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

NODES = ("n1", "n2")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scancel", "scontrol", "sinfo", "squeue", "srun")
PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
PATIENCE = 60  # seconds

CONFIGURATION = """\
ClusterName=imagenet-s
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
CommunicationParameters=NoAddrCache,NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
# A job whose node is lost waits that many seconds until it is queued again: by default 120.
AuthInfo=socket={folder}/run/munge.socket,cred_expire=5
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd-%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd-%n.log
# The nodes are twice this machine: what it has in truth is no matter.
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
# On the node with less to do, so that there are jobs on both.
SelectTypeParameters=CR_CPU_Memory,CR_LLN
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=5,sched_min_interval=100000
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/log/jobs.txt
MpiDefault=none
DefMemPerCPU=500
# Seconds for which a job that has ended is still known: squeue is asked, there is no sacct.
MinJobAge=3600
KillWait=5
SlurmctldTimeout=30
SlurmdTimeout=30
NodeName=n1 NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[1]} CPUs=4 RealMemory=8000 State=UNKNOWN
NodeName=n2 NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[2]} CPUs=4 RealMemory=8000 State=UNKNOWN
PartitionName=debug Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""


def lacking() -> str | None:
    """Why no cluster can be started here; None if it can."""
    missing = [program for program in PROGRAMS if not shutil.which(program, path=_path())]
    if missing:
        return f"no {', '.join(missing)}: apt-get install --no-install-recommends {' '.join(PACKAGES)}"
    return None if os.geteuid() == 0 else "only root can start a cluster of several nodes"


def _path() -> str:
    """PATH with the folders of daemons, which a user's may lack."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


@dataclass(frozen=True)
class Job:
    """What Slurm wrote down of a job that has ended."""

    id: str
    state: str
    node: str


@dataclass(frozen=True)
class Cluster:
    """A running cluster; `environment` is that of a user who is logged in to it."""

    folder: Path
    environment: dict[str, str]

    def ask(self, *command: str) -> str:
        """What one of Slurm's commands prints."""
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE, check=True
        ).stdout

    def jobs(self) -> list[Job]:
        """All jobs that have ended, in the order in which they did; one that was requeued is there twice."""
        path = self.folder / "log" / "jobs.txt"
        lines = path.read_text().splitlines() if path.exists() else []
        rows = [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in lines]
        return [Job(row["JobId"], row["JobState"], row["NodeList"]) for row in rows]

    def log(self) -> str:
        """The log of Slurm's controller."""
        return (self.folder / "log" / "slurmctld.log").read_text()


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """Starts a cluster whose every file is below `folder`, and stops it."""
    for name in ("run", "log", "state", "key", "bin"):
        (folder / name).mkdir(parents=True)
    (folder / "key").chmod(0o700)
    key = folder / "key" / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    configuration = folder / "slurm.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, ports=_free_ports(1 + len(NODES))))
    # The executor's inner srun is called without any variable of Slurm's, as if in /etc/slurm.
    shim = folder / "bin" / "srun"
    shim.write_text(f'#!/bin/sh\nSLURM_CONF={configuration} exec {shutil.which("srun")} "$@"\n')
    shim.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{shim.parent}{os.pathsep}{_path()}",
        "SLURM_CONF": str(configuration),
    }
    with ExitStack() as daemons:
        run = folder / "run"
        munge = ["munged", "--force", "--key-file", key, "--socket", run / "munge.socket"]
        munge += ["--pid-file", run / "munged.pid", "--log-file", folder / "log" / "munged.log"]
        munge += ["--seed-file", folder / "key" / "seed"]
        daemons.enter_context(_daemon(munge, run / "munged.pid", environment))
        daemons.enter_context(_daemon(["slurmctld"], run / "slurmctld.pid", environment))
        for node in NODES:
            daemons.enter_context(_daemon(["slurmd", "-N", node], run / f"slurmd-{node}.pid", environment))
        cluster = Cluster(folder, environment)
        _until(lambda: cluster.ask("sinfo", "-h", "-N", "-o", "%T").split() == ["idle"] * len(NODES))
        try:
            yield cluster
        finally:
            # Jobs outlive the daemons.
            cluster.ask("scancel", "--user", "root")
            _until(lambda: not cluster.ask("squeue", "-h"))


@contextmanager
def _daemon(command: list, pid_file: Path, environment: dict[str, str]) -> Iterator[None]:
    """Starts a daemon, and stops it by the process id that it wrote down."""
    subprocess.run(command, env=environment, check=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
    _until(lambda: pid_file.exists() and pid_file.read_text().strip())
    process = int(pid_file.read_text())
    try:
        yield
    finally:
        os.kill(process, signal.SIGTERM)
        _until(lambda: not _alive(process))


def _alive(process: int) -> bool:
    try:
        # A daemon is no child of ours; where nobody collects it, it stays as a zombie.
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _until(happened) -> None:
    began = time.monotonic()
    while not happened():
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.1)
