"""Builds that are killed are finished by the same command; of two at once the second stops."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from helpers.builds import ROOT, check_sums, snakemake
from imagenet_s.cli.main import main
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.lock import STARTED_BY, job_in

PATIENCE = 60  # seconds


@contextmanager
def holding(output: Path):
    """Another process that holds an output's lock, as a run does; yields it."""
    code = "import sys, time; from pathlib import Path\n"
    code += "from imagenet_s.workspace.leftovers import hold_output\n"
    code += "hold_output(Path(sys.argv[1])); print('held', flush=True); time.sleep(300)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    process = subprocess.Popen(
        [sys.executable, "-c", code, output], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def until(happened) -> None:
    began = time.monotonic()
    while not happened():
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.02)


def started(folder: Path, **config) -> subprocess.Popen:
    """A run of the workflow that goes on while the test does."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", "2"],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def jobs_in(output: Path) -> list[int]:
    """The processes that run one of our commands for an output."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdecimal() else []
        except OSError:
            continue
        if any(word.endswith(b"launch.py") for word in words[1:2]) and bytes(output / "work") in words:
            found.append(int(entry.name))
    return found


def test_the_second_of_two_runs_stops_and_names_the_first(tmp_path):
    output = tmp_path / "results"
    with holding(output) as first:
        run = snakemake(tmp_path / "second", output=str(output))
        assert run.code == 1
        assert f"Another run works on {output}: process {first.pid} on {socket.gethostname()}" in run.text
        assert "Traceback" not in run.text
        assert run.rules == []
    assert sorted(path.name for path in (output / "work").iterdir()) == ["jobs.lock", "run.lock"]


@pytest.mark.parametrize("command", ["clean", "repair"])
def test_repair_and_clean_stop_as_well(command, tmp_path, capsys):
    output = tmp_path / "results"
    (output / "work" / "trees").mkdir(parents=True)
    (output / "ImageNetS50").mkdir()
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"output": str(output)}))
    arguments = [str(output)] if command == "clean" else ["--configfile", str(tmp_path / "config.yaml")]
    with holding(output) as first:
        assert main([command, *arguments]) == 1
        assert f"process {first.pid} on {socket.gethostname()}" in capsys.readouterr().err
    assert (output / "work" / "trees").is_dir()


def test_a_dry_run_and_lint_look_on(tmp_path):
    with holding(tmp_path / "results"):
        run = snakemake(tmp_path, "--dry-run")
        assert run.code == 0, run.text
        assert "Another run" not in run.text
        assert "Another run" not in snakemake(tmp_path, "--lint").text


def test_a_killed_holder_leaves_the_lock_free_and_what_it_left_goes(tmp_path):
    left = tmp_path / "work" / "tmp" / "images" / "123-456"
    with holding(tmp_path) as first:
        left.parent.mkdir(parents=True)
        left.write_bytes(b"half an im")
        first.kill()
        first.wait()
        with holding(tmp_path):
            assert not left.parent.exists()


def test_a_job_that_outlives_its_run_is_waited_for(tmp_path):
    with job_in(tmp_path / "work"):
        waiting = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import sys; from pathlib import Path\n"
                "from imagenet_s.workspace.leftovers import hold_output\n"
                "hold_output(Path(sys.argv[1]))",
                tmp_path,
            ],
            env={**os.environ, "PYTHONPATH": str(ROOT / "workflow")},
        )
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(1)
    assert waiting.wait(PATIENCE) == 0


@pytest.mark.long
def test_after_snakemake_is_killed_its_jobs_are_waited_for_and_the_same_command_ends_well(tmp_path):
    output = tmp_path / "results"
    first = started(tmp_path, output=str(output))
    until(lambda: list((output / "work").glob("tmp/demo-50/*")))
    orphans = jobs_in(output)
    for pid in orphans:
        os.kill(pid, signal.SIGSTOP)
    first.kill()
    first.wait()
    second = started(tmp_path, output=str(output))
    lock = output / "work" / "run.lock"
    until(lambda: f"process {second.pid} " in lock.read_text())
    time.sleep(1)
    assert second.poll() is None
    assert set(jobs_in(output)) == set(orphans), "none of its own begins before the orphans have ended"
    for pid in orphans:
        os.kill(pid, signal.SIGCONT)
    assert second.wait(3 * PATIENCE) == 0
    check_sums(output / "ImageNetS50")
    assert not (output / "work" / "tmp").exists()


def test_a_job_that_begins_after_the_next_run_does_nothing(tmp_path, monkeypatch):
    with holding(tmp_path) as first, job_in(tmp_path / "work"):
        holder = (tmp_path / "work" / "run.lock").read_text()
        monkeypatch.setenv(STARTED_BY, f"{tmp_path / 'work'}\n{holder}")
        with job_in(tmp_path / "work"):
            pass
    assert str(first.pid) in holder
    with job_in(tmp_path / "work"):  # of a killed run, with no other yet
        pass
    with (
        holding(tmp_path),
        pytest.raises(UserError, match="another has begun"),
        job_in(tmp_path / "work"),
    ):
        pass


def test_workers_end_with_their_job(tmp_path):
    arguments = ["--work", tmp_path / "work", "demo-images", "--tier", "50", "--workers", "2"]
    for name in ("root", "receipt", "scratch"):
        arguments += [f"--{name}", tmp_path / name]
    job = subprocess.Popen([sys.executable, ROOT / "workflow" / "launch.py", *arguments])
    children = Path(f"/proc/{job.pid}/task/{job.pid}/children")
    if not children.exists():
        job.kill()
        pytest.skip("this kernel does not list a process's children")
    until(
        lambda: len(list((tmp_path / "root").glob("val/*"))) + len(list(tmp_path.glob("root/train/*/*"))) > 20
    )
    workers = [int(pid) for pid in children.read_text().split()]
    assert len(workers) >= 2
    job.kill()
    job.wait()
    until(lambda: not any(running(pid) for pid in workers))


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_run_that_was_refused_takes_nothing_from_the_one_at_work(tmp_path):
    code = "import sys; from pathlib import Path; from imagenet_s.workspace.leftovers import end_run\n"
    code += "end_run(Path(sys.argv[1]))"
    with holding(tmp_path):
        (tmp_path / "work" / "tmp").mkdir()
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
        subprocess.run([sys.executable, "-c", code, tmp_path], env=environment, check=True)
        assert (tmp_path / "work" / "tmp").is_dir()


def test_a_killed_worker_is_told_as_such(tmp_path):
    arguments = ["demo-images", "--tier", "50", "--workers", "2"]
    for name in ("root", "receipt", "scratch"):
        arguments += [f"--{name}", tmp_path / name]
    job = subprocess.Popen(
        [sys.executable, ROOT / "workflow" / "launch.py", *arguments], stderr=subprocess.PIPE, text=True
    )
    until(lambda: list(tmp_path.glob("root/train/*/*")))
    for pid in Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split():
        if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(int(pid), signal.SIGKILL)
            break
    text = job.communicate(timeout=PATIENCE)[1]
    assert job.returncode == 1
    assert "was killed, most likely because memory ran out" in text
    assert "Traceback" not in text
    assert not (tmp_path / "receipt").exists()
