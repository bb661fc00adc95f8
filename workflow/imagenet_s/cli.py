"""The command line: one command a stage. `imagenet-s COMMAND --help` says what each one takes.

Arguments only; the work is in the modules. Each command imports what it needs when it runs, so that a
short job does not wait for the libraries of a long one.
"""

import argparse
import errno
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path

from imagenet_s import __version__
from imagenet_s.errors import UserError
from imagenet_s.links import LINKS
from imagenet_s.lock import job_in
from imagenet_s.progress import log, start_log
from imagenet_s.subsets import ENCODINGS, LEVELS, MASKED, SUBSETS


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code: 0 done, 1 it could not be done, 2 wrong usage."""
    options = vars(_parser().parse_args(arguments))
    run, log_file, work = (options.pop(name) for name in ("run", "log", "work"))
    try:
        start_log(log_file)
        with job_in(work) if work else nullcontext():
            return run(**options) or 0
    except UserError as error:
        log.error("%s", error)
        for line in error.details:
            log.debug("%s", line)
        if error.details and log_file:
            log.error("The full list (%s lines) is in %s", f"{len(error.details):,}", log_file)
        return error.code
    except OSError as error:
        log.debug("%s", traceback.format_exc())
        names = " → ".join(str(name) for name in (error.filename, error.filename2) if name)
        log.error("%s: %s%s", error.strerror or error, names or "(no file named)", _advice(error))
        return 1
    except Exception:
        log.exception("This is a fault of the program, not yours. Please report it with these lines.")
        return 1


def _advice(error: OSError) -> str:
    """What to do about an error of the system, where that is known; begins with a full stop."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            ".\nThe disk, or your share of it, takes no more bytes (`df -h`) or no more files (`df -i`). "
            "Make room there and run the same command again."
        )
    if error.errno == errno.EIO:
        return ".\nThe disk or the network fails (see `dmesg`). Run the same command again once it is mended."
    return ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="imagenet-s",
        description="ImageNet-S from a copy of ImageNet-1k. Snakemake calls these commands; "
        "`snakemake --cores all` is what you want first.",
    )
    parser.add_argument("--version", action="version", version=f"imagenet-s {__version__}")
    parser.add_argument("--log", type=Path, metavar="FILE", help="write what happens to this file")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="of a build: let others know of this job")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable | str, help: str) -> argparse.ArgumentParser:
        run = _function(run) if isinstance(run, str) else run
        added = commands.add_parser(name, help=help, description=help)
        added.set_defaults(run=run)
        return added

    def subset(added: argparse.ArgumentParser) -> None:
        added.add_argument("--subset", type=int, choices=SUBSETS, required=True)

    def paths(added: argparse.ArgumentParser, *names: str) -> None:
        for name in names:
            added.add_argument(f"--{name}", type=Path, required=True, metavar="PATH")

    def several(added: argparse.ArgumentParser, *names: str) -> None:
        for name in names:
            added.add_argument(f"--{name}", type=Path, required=True, nargs="+", metavar="PATH")

    def complete(added: argparse.ArgumentParser) -> None:
        added.add_argument("--any-train-images", dest="complete", action="store_false")

    def workers(added: argparse.ArgumentParser) -> None:
        added.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N")

    added = command(
        "inspect",
        "inspection.print_report",
        "say what a copy of ImageNet-1k holds, and which subsets can be built from it",
    )
    added.add_argument("path", type=Path, metavar="PATH", help="the folder that holds train and val")
    added.add_argument("--md5", action="store_true", help="read official archives as a whole: their md5")

    added = command("plan", "plan.print_plan", "say what a build would find, do and need; nothing is written")
    added.add_argument("--configfile", type=Path, default=Path("config.yaml"), metavar="FILE")

    added = command("verify", "copies.verify_copies", "is a copy of ImageNet-S whole?")
    added.add_argument("path", type=Path, metavar="PATH", help="a folder ImageNetS<n>, or the one above")
    added.add_argument(
        "--level", choices=LEVELS, default="sha256", help="names; also sizes; also every byte (default)"
    )
    added.add_argument("--against", type=Path, metavar="DIR", help="by the manifests of another copy")
    added.add_argument(
        "--adopt", dest="adopting", action="store_true", help="write manifests for a copy that has none"
    )
    added.add_argument("--json", type=Path, metavar="FILE", help="write all that was found to this file")
    workers(added)

    added = command("repair", "repair.repair_copies", "make again what verify finds wrong in a build")
    added.add_argument("--configfile", type=Path, default=Path("config.yaml"), metavar="FILE")
    added.add_argument("--delete-extra", action="store_true", help="delete files that do not belong there")
    added.add_argument("--dry-run", action="store_true", help="say what would be done")
    workers(added)

    added = command("clean", "clean.clean", "remove what builds made in an output, and nothing else")
    added.add_argument("output", type=Path, metavar="PATH", help="the folder that holds ImageNetS<n>")
    added.add_argument("--dry-run", action="store_true", help="say what would be removed")

    added = command("demo-images", "demo.make_images", "make the demo's images of one tier")
    added.add_argument("--tier", type=int, choices=SUBSETS, required=True)
    paths(added, "root", "receipt", "scratch")
    workers(added)

    added = command(
        "demo-annotations", "demo.make_annotations", "make the demo's archive of masks for one subset"
    )
    subset(added)
    paths(added, "folder", "receipt")
    workers(added)

    added = command(
        "source",
        "check.check_and_list",
        "list the images of one tier, once the source is known to be complete",
    )
    added.add_argument("--tier", type=int, choices=SUBSETS, required=True)
    added.add_argument("--subsets", type=int, choices=SUBSETS, required=True, nargs="+")
    complete(added)
    added.add_argument("--link", choices=LINKS, required=True)
    added.add_argument("--labels", choices=ENCODINGS, required=True, nargs="*")
    paths(added, "imagenet", "output", "folder")

    added = command(
        "images", "images.read_part", "read one part of the source: sizes, digests, pixel sizes, copies"
    )
    added.add_argument("--part", required=True)
    paths(added, "listing", "records", "pool", "scratch")
    added.add_argument("--copied", type=Path, metavar="PATH", help="copy all images; a receipt of that")

    added = command(
        "stream", "passes.read_pass", "read one part of a source that must be read from front to back"
    )
    added.add_argument("--part", required=True)
    several(added, "files")
    paths(added, "records", "pool", "scratch")

    added = command("fetch", "annotations.fetch", "get the annotations of one subset")
    subset(added)
    added.add_argument("--from", dest="origin", required=True, help="official, a URL prefix, a folder")
    added.add_argument("--md5", required=True)
    paths(added, "folder", "receipt")

    added = command("masks", "masks.unpack_masks", "unpack, look at and record the masks of one subset")
    subset(added)
    paths(added, "annotations", "output", "records", "scratch")
    workers(added)

    added = command("samples", "samples.join_samples", "join the records of images and masks")
    subset(added)
    complete(added)
    several(added, "parts")
    added.add_argument("--masks", dest="mask_records", type=Path, required=True, metavar="PATH")
    paths(added, "annotations", "samples")

    added = command("tree", "tree.build_tree", "make the official tree of one subset")
    subset(added)
    paths(added, "samples")
    several(added, "listings", "findings")
    added.add_argument("--link", choices=LINKS, required=True)
    paths(added, "output", "receipt")

    added = command("labels", _labels, "write the masks of one subset in a further encoding")
    subset(added)
    added.add_argument("--encoding", choices=ENCODINGS, required=True)
    paths(added, "records", "masks", "tree")
    added.add_argument(
        "--digests", type=Path, required=True, nargs=2, metavar="PATH", help=f"of {' and '.join(MASKED)}"
    )
    paths(added, "scratch")
    workers(added)

    added = command("manifests", "manifests.write_manifests", "write the manifests of one subset")
    paths(added, "samples", "folder")

    added = command("dataset", "dataset.write_dataset", "write dataset.json of one subset")
    subset(added)
    added.add_argument("--labels", choices=ENCODINGS, required=True, nargs="*")
    added.add_argument("--link", choices=LINKS, required=True)
    several(added, "findings")
    paths(added, "samples", "annotations", "tree")

    added = command("tidy", "tidy.tidy", "remove what no tree needs any more")
    added.add_argument("--subsets", type=int, choices=SUBSETS, required=True, nargs="+")
    added.add_argument("--link", choices=LINKS, required=True)
    added.add_argument("--demo", action="store_true")
    paths(added, "output", "receipt")

    added = command("summary", "summary.write_summary", "write the summary of a build")
    several(added, "datasets")
    paths(added, "summary")
    return parser


def _labels(digests: list[Path], **options) -> None:
    _function("labels.encode_labels")(digests=dict(zip(MASKED, digests, strict=True)), **options)


def _function(name: str) -> Callable:
    """`module.function` of the package, imported when it is called."""
    module, _, function = name.partition(".")
    return lambda **options: getattr(import_module(f"imagenet_s.{module}"), function)(**options)


if __name__ == "__main__":
    sys.exit(main())
