"""Feeds wrong bytes to all that reads foreign bytes: is each refused by name, or read, and nothing else?

    python tests/fuzz/fuzz.py --minutes 3 --seed 1 --only zip,tar

The readers run in a process of their own, which is ended where a case takes too long or too much memory. A
case follows from target, seed and number alone: `--only tar --seed 1 --case 4711` does one again, and shows
what comes of it. Ends with 1 if anything is found.
"""

import argparse
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import StringIO
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

for place in (Path(__file__).parents[1], Path(__file__).parents[2] / "workflow"):
    sys.path.insert(0, str(place))

from fuzz.mutations import Files  # noqa: E402
from fuzz.readers import TARGETS  # noqa: E402
from imagenet_s.runtime.errors import UserError  # noqa: E402

SECONDS = 20  # that a case may take; a good one takes some milliseconds
LOOK = 0.02  # seconds between two looks at the memory of a process that is not done


@dataclass
class Outcome:
    """What came of one target."""

    cases: int = 0
    refused: int = 0
    seconds: float = 0.0
    findings: list[str] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        return self.cases - self.refused - len(self.findings)


def case(name: str, seed: int, number: int) -> Files:
    """The bytes of a case: the same for the same arguments."""
    return TARGETS[name].make(random.Random(f"{name} {seed} {number}"))


def tried(name: str, files: Files, folder: Path) -> str:
    """Runs the reader on a case: "" for read, "refused", or what is wrong."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    try:
        TARGETS[name].read(folder)
    except UserError as error:
        named = str(folder) in str(error) or (name == "config" and "config.yaml" in str(error))
        return "refused" if named else f"not named: {error}"
    except Exception:
        return traceback.format_exc()
    return ""


def _serve(pipe: Connection, name: str, seed: int, folder: Path) -> None:
    """In a process of its own: tries the cases whose numbers come through the pipe."""
    sys.stderr = StringIO()  # progress bars
    pipe.send("")
    while (number := pipe.recv()) is not None:
        files = case(name, seed, number)
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak
        before = _memory(os.getpid(), "VmHWM")
        verdict = tried(name, files, folder)
        taken = _memory(os.getpid(), "VmHWM") - before
        pipe.send(f"took {taken:,} bytes" if taken > TARGETS[name].memory else verdict)


def _memory(process: int, what: str) -> int:
    """Bytes of a process: VmRSS, which it has now, or VmHWM, its peak. 0 for one that is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(what)), 0)


class Child:
    """A process that tries cases, begun again after each case that ended it."""

    def __init__(self, name: str, seed: int, folder: Path):
        self.arguments = name, seed, folder
        self.process: BaseProcess | None = None

    def begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, *self.arguments), daemon=True)
        self.process.start()
        theirs.close()
        self.pipe.recv()

    def verdict(self, number: int) -> str:
        """What `tried` says of a case, or how the process ended."""
        if not self.process:
            self.begin()
        most = TARGETS[self.arguments[0]].memory
        before, began = _memory(self.process.pid, "VmRSS"), time.monotonic()
        self.pipe.send(number)
        try:
            while not self.pipe.poll(LOOK):
                if _memory(self.process.pid, "VmRSS") - before > most:
                    return self.end(f"took more than {most:,} bytes")
                if time.monotonic() - began > SECONDS:
                    return self.end(f"took more than {SECONDS} s")
            return self.pipe.recv()
        except EOFError:
            return self.end("its process died")

    def close(self) -> None:
        """Lets the process end by itself."""
        if self.process:
            self.pipe.send(None)
            self.process.join()

    def end(self, why: str) -> str:
        """Ends the process, for a reason that is returned with the exit code."""
        process, self.process = self.process, None
        process.kill()
        process.join()
        return f"{why} (exit code {process.exitcode})"


def fuzz(name: str, seed: int, seconds: float, most: int, scratch: Path) -> Outcome:
    """Tries cases of one target for some time, or `most` of them."""
    outcome, child, began = Outcome(), Child(name, seed, scratch / name), time.monotonic()
    while outcome.seconds < seconds and outcome.cases < most:
        verdict = child.verdict(outcome.cases)
        if verdict not in ("", "refused"):
            outcome.findings.append(f"--only {name} --seed {seed} --case {outcome.cases}: {verdict}")
            print(outcome.findings[-1], flush=True)
        outcome.refused += verdict == "refused"
        outcome.cases += 1
        outcome.seconds = time.monotonic() - began
    child.close()
    return outcome


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=3, help="for each target")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--only", default=",".join(TARGETS), help="targets, separated by commas")
    parser.add_argument("--case", type=int, help="this one alone")
    options = parser.parse_args(arguments)
    found = 0
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.only.split(","):
            if options.case is not None:
                print(tried(name, case(name, options.seed, options.case), Path(scratch) / name) or "read")
                continue
            done = fuzz(name, options.seed, 60 * options.minutes, sys.maxsize, Path(scratch))
            found += len(done.findings)
            print(
                f"{name:<8} {done.cases:>9,} cases, {done.refused:>9,} refused, {done.accepted:>9,} read, "
                f"{len(done.findings):>5,} findings, {done.seconds:>6.0f} s (seed {options.seed})",
                flush=True,
            )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
