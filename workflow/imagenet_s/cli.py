"""The command line: one command a stage. `imagenet-s COMMAND --help` says what each one takes.

Arguments only; the work is in the modules. Each command imports what it needs when it runs, so that a
short job does not wait for the libraries of a long one.
"""

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from imagenet_s import __version__
from imagenet_s.errors import UserError
from imagenet_s.links import LINKS
from imagenet_s.progress import log, start_log
from imagenet_s.subsets import ENCODINGS, MASKED, SUBSETS


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code: 0 done, 1 it could not be done, 2 wrong usage."""
    options = vars(_parser().parse_args(arguments))
    run, log_file = options.pop("run"), options.pop("log")
    start_log(log_file)
    try:
        run(**options)
    except UserError as error:
        log.error("%s", error)
        for line in error.details:
            log.debug("%s", line)
        if error.details and log_file:
            log.error("The full list (%s lines) is in %s", f"{len(error.details):,}", log_file)
        return 1
    except OSError as error:
        log.debug("%s", traceback.format_exc())
        names = " → ".join(str(name) for name in (error.filename, error.filename2) if name)
        log.error("%s: %s", error.strerror or error, names or "(no file named)")
        return 1
    except Exception:
        log.exception("This is a fault of the program, not yours. Please report it with these lines.")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="imagenet-s",
        description="ImageNet-S from a copy of ImageNet-1k. Snakemake calls these commands; "
        "`snakemake --cores all` is what you want first.",
    )
    parser.add_argument("--version", action="version", version=f"imagenet-s {__version__}")
    parser.add_argument("--log", type=Path, metavar="FILE", help="write what happens to this file")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(run: Callable, help: str) -> argparse.ArgumentParser:
        name = run.__name__.strip("_").replace("_", "-")
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

    def workers(added: argparse.ArgumentParser) -> None:
        added.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N")

    added = command(_inspect, "say what a copy of ImageNet-1k holds, and which subsets can be built from it")
    added.add_argument("path", type=Path, metavar="PATH", help="the folder that holds train and val")
    added.add_argument("--md5", action="store_true", help="read official archives as a whole: their md5")

    added = command(_plan, "say what a build would find, do and need; nothing is written")
    added.add_argument("--configfile", type=Path, default=Path("config.yaml"), metavar="FILE")

    added = command(_demo_images, "make the demo's images of one tier")
    added.add_argument("--tier", type=int, choices=SUBSETS, required=True)
    paths(added, "root", "receipt", "scratch")
    workers(added)

    added = command(_demo_annotations, "make the demo's archive of masks for one subset")
    subset(added)
    paths(added, "folder", "receipt")
    workers(added)

    added = command(_source, "list the images of one tier, once the source is known to be complete")
    added.add_argument("--tier", type=int, choices=SUBSETS, required=True)
    added.add_argument("--subsets", type=int, choices=SUBSETS, required=True, nargs="+")
    added.add_argument("--train-images", choices=("complete", "any"), required=True)
    added.add_argument("--link", choices=LINKS, required=True)
    added.add_argument("--labels", choices=ENCODINGS, required=True, nargs="*")
    paths(added, "imagenet", "output", "folder")

    added = command(_images, "read one part of the source: sizes, digests, pixel sizes, copies")
    added.add_argument("--part", required=True)
    paths(added, "listing", "records", "pool", "scratch")
    added.add_argument("--copied", type=Path, metavar="PATH", help="copy all images; a receipt of that")

    added = command(_stream, "read one part of a source that must be read from front to back")
    added.add_argument("--part", required=True)
    several(added, "files")
    paths(added, "records", "pool", "scratch")

    added = command(_fetch, "get the annotations of one subset")
    subset(added)
    added.add_argument("--from", dest="origin", required=True, help="official, a URL prefix, a folder")
    added.add_argument("--md5", required=True)
    paths(added, "folder", "receipt")

    added = command(_masks, "unpack, look at and record the masks of one subset")
    subset(added)
    paths(added, "annotations", "output", "records", "scratch")
    workers(added)

    added = command(_samples, "join the records of images and masks")
    subset(added)
    added.add_argument("--train-images", choices=("complete", "any"), required=True)
    several(added, "parts")
    paths(added, "masks", "annotations", "samples")

    added = command(_tree, "make the official tree of one subset")
    subset(added)
    paths(added, "samples")
    several(added, "listings", "findings")
    added.add_argument("--link", choices=LINKS, required=True)
    paths(added, "output", "receipt")

    added = command(_labels, "write the masks of one subset in a further encoding")
    subset(added)
    added.add_argument("--encoding", choices=ENCODINGS, required=True)
    paths(added, "records", "masks", "tree")
    added.add_argument(
        "--digests", type=Path, required=True, nargs=2, metavar="PATH", help=f"of {' and '.join(MASKED)}"
    )
    paths(added, "scratch")
    workers(added)

    added = command(_manifests, "write the manifests of one subset")
    paths(added, "samples", "folder")

    added = command(_dataset, "write dataset.json of one subset")
    subset(added)
    added.add_argument("--labels", choices=ENCODINGS, required=True, nargs="*")
    added.add_argument("--link", choices=LINKS, required=True)
    several(added, "findings")
    paths(added, "samples", "annotations", "tree")

    added = command(_tidy, "remove what no tree needs any more")
    added.add_argument("--subsets", type=int, choices=SUBSETS, required=True, nargs="+")
    added.add_argument("--link", choices=LINKS, required=True)
    added.add_argument("--demo", action="store_true")
    paths(added, "output", "receipt")

    added = command(_summary, "write the summary of a build")
    several(added, "datasets")
    paths(added, "summary")
    return parser


def _demo_images(tier: int, root: Path, receipt: Path, workers: int, scratch: Path) -> None:
    from imagenet_s.demo import make_images

    make_images(tier, root, receipt, workers, scratch)


def _demo_annotations(subset: int, folder: Path, receipt: Path, workers: int) -> None:
    from imagenet_s.demo import make_annotations

    make_annotations(subset, folder, receipt, workers)


def _inspect(path: Path, md5: bool) -> None:
    from imagenet_s.inspection import inspect

    for line in inspect(Path(os.path.abspath(path)), md5):
        print(line)


def _plan(configfile: Path) -> None:
    from imagenet_s.config import read_config_file
    from imagenet_s.plan import plan

    for line in plan(read_config_file(configfile)):
        print(line)


def _source(imagenet: Path, train_images: str, **options) -> None:
    from imagenet_s.check import check_and_list

    imagenet = Path(os.path.abspath(imagenet))
    check_and_list(imagenet=imagenet, complete=train_images == "complete", **options)


def _images(**options) -> None:
    from imagenet_s.images import read_part

    read_part(**options)


def _stream(**options) -> None:
    from imagenet_s.passes import read_pass

    read_pass(**options)


def _fetch(subset: int, origin: str, md5: str, folder: Path, receipt: Path) -> None:
    from imagenet_s.annotations import fetch

    fetch(subset, origin, md5, folder, receipt)


def _masks(**options) -> None:
    from imagenet_s.masks import unpack_masks

    unpack_masks(**options)


def _samples(train_images: str, masks: Path, **options) -> None:
    from imagenet_s.samples import join_samples

    join_samples(complete=train_images == "complete", mask_records=masks, **options)


def _tree(**options) -> None:
    from imagenet_s.tree import build_tree

    build_tree(**options)


def _labels(digests: list[Path], **options) -> None:
    from imagenet_s.labels import encode_labels

    encode_labels(digests=dict(zip(MASKED, digests, strict=True)), **options)


def _manifests(samples: Path, folder: Path) -> None:
    from imagenet_s.manifests import write_manifests

    write_manifests(samples, folder)


def _dataset(**options) -> None:
    from imagenet_s.dataset import write_dataset

    write_dataset(**options)


def _tidy(**options) -> None:
    from imagenet_s.tidy import tidy

    tidy(**options)


def _summary(datasets: list[Path], summary: Path) -> None:
    from imagenet_s.summary import write_summary

    write_summary(datasets, summary)


if __name__ == "__main__":
    sys.exit(main())
