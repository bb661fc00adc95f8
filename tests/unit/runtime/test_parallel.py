"""Ctrl-C stops a command and its worker processes at once, without a stack trace."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.builds import ROOT
from helpers.damages import DAMAGED_EXIF

PATIENCE = 60  # seconds
PIPE = "n01443537/150.JPEG"  # in the third chunk of images

# The commands refuse a pipe. This makes them take it for a regular file, so that its reader waits.
PATIENT = "import stat; stat.S_ISREG = lambda mode: True"


@pytest.fixture
def images(tmp_path) -> Path:
    """Return a folder of images of which one is a pipe."""
    folder = tmp_path / "images"
    (folder / "n01443537").mkdir(parents=True)
    # Workers must not print what Pillow warns of.
    Image.new("RGB", (8, 8)).save(folder / "one.jpg", exif=DAMAGED_EXIF)
    for number in range(200):
        os.link(folder / "one.jpg", folder / "n01443537" / f"{number:03}.JPEG")
    (folder / "one.jpg").unlink()
    (folder / PIPE).unlink()
    os.mkfifo(folder / PIPE)
    return folder


def started(images: Path, out: Path, workers: int) -> subprocess.Popen:
    """Start the command in a process group of its own, as a shell does."""
    arguments = ["--images", images, "--out", out, "--workers", str(workers)]
    begin = images.with_name("begin")  # run by each Python process, workers included
    begin.mkdir()
    (begin / "sitecustomize.py").write_text(PATIENT)
    return subprocess.Popen(
        [sys.executable, ROOT / "workflow" / "launch.py", "grid-features", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(begin), "PYTHONDONTWRITEBYTECODE": "1"},
        process_group=0,
        # If a script started the tests in the background, they ignore SIGINT, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def until(happened) -> None:
    began = time.monotonic()
    while not happened():
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.01)


def held_open(pipe: Path) -> int:
    """Return the writing end of a pipe once a process reads it. That process then waits forever."""
    ends = []

    def opened() -> bool:
        try:
            ends.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            return False
        return True

    until(opened)
    time.sleep(0.3)  # until Python is in the read call: a signal just before it is only handled after it
    return ends[0]


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def require_stopped(job: subprocess.Popen, out: Path) -> None:
    stdout, stderr = job.communicate(timeout=PATIENCE)
    assert (job.returncode, stdout, stderr) == (130, "", "Stopped.\n")
    until(lambda: not alive(job.pid))  # Python's resource tracker ends last
    for path in out.rglob("*.npy"):
        np.load(path)
    assert {path.suffix for path in out.rglob("*") if path.is_file()} <= {".npy"}
    assert {path.name for path in out.parent.iterdir()} <= {"begin", "images", "out"}


@pytest.mark.parametrize(("workers", "alone"), [(1, False), (2, True)])
def test_ctrl_c_stops_a_command_and_its_processes(workers, alone, images, tmp_path):
    out = tmp_path / "out"
    job = started(images, out, workers)
    end = held_open(images / PIPE)
    try:
        # `kill` signals the command only, a terminal all of its processes.
        (os.kill if alone else os.killpg)(job.pid, signal.SIGINT)
        require_stopped(job, out)
    finally:
        os.close(end)


def test_ctrl_c_while_the_processes_start(images, tmp_path):
    job = started(images, tmp_path / "out", 3)
    children = Path(f"/proc/{job.pid}/task/{job.pid}/children")
    if not children.exists():
        job.kill()
        pytest.skip("this kernel does not list a process's children")
    until(lambda: len(children.read_text().split()) > 1)
    os.killpg(job.pid, signal.SIGINT)
    require_stopped(job, tmp_path / "out")


def test_ctrl_c_twice(images, tmp_path):
    job = started(images, tmp_path / "out", 2)
    end = held_open(images / PIPE)
    try:
        for _ in range(2):
            os.killpg(job.pid, signal.SIGINT)
            time.sleep(0.001)
        require_stopped(job, tmp_path / "out")
    finally:
        os.close(end)
