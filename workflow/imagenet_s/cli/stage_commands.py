"""The commands that jobs of a build call: one a stage, in the order data flows."""

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from imagenet_s.cli.arguments import command, function, paths, several, subset, workers
from imagenet_s.io.links import LINKS
from imagenet_s.spec.subsets import ENCODINGS, MASKED, SUBSETS

job = partial(command, listed=False)  # `imagenet-s --help` lists these commands apart


def add_stages(commands: argparse._SubParsersAction) -> None:
    """Adds all of them."""
    added = job(commands, "demo-images", "demo.generate.make_images", "make the demo's images of one tier")
    added.add_argument("--tier", type=int, choices=SUBSETS, required=True)
    paths(added, "root", "receipt", "scratch")
    workers(added)

    added = job(
        commands,
        "demo-annotations",
        "demo.generate.make_annotations",
        "make the demo's archive of masks for one subset",
    )
    subset(added)
    paths(added, "folder", "receipt")
    workers(added)

    added = job(
        commands,
        "source",
        function("preflight.check.check_and_list", {"request": "config.build_request.BuildRequest"}),
        "list the images of one tier, once the source is known to be complete",
    )
    added.add_argument("--tier", type=int, choices=SUBSETS, required=True)
    added.add_argument("--subsets", type=int, choices=SUBSETS, required=True, nargs="+")
    _complete(added)
    added.add_argument("--link", choices=LINKS, required=True)
    added.add_argument("--labels", choices=ENCODINGS, required=True, nargs="*")
    paths(added, "imagenet", "output", "folder")

    added = job(
        commands,
        "images",
        "images.read.read_part",
        "read one part of the source: sizes, digests, pixel sizes, copies",
    )
    added.add_argument("--part", required=True)
    paths(added, "listing", "records", "pool", "scratch")
    added.add_argument("--copied", type=Path, metavar="PATH", help="copy all images; a receipt of that")

    added = job(
        commands,
        "stream",
        "images.stream.read_pass",
        "read one part of a source that must be read from front to back",
    )
    added.add_argument("--part", required=True)
    several(added, "files")
    paths(added, "records", "pool", "scratch")

    added = job(commands, "fetch", "annotations.fetch.fetch", "get the annotations of one subset")
    subset(added)
    added.add_argument("--from", dest="origin", required=True, help="official, a URL prefix, a folder")
    added.add_argument("--md5", required=True)
    paths(added, "folder", "receipt")

    added = job(
        commands,
        "masks",
        "annotations.unpack.unpack_masks",
        "unpack, look at and record the masks of one subset",
    )
    subset(added)
    paths(added, "annotations", "output", "records", "scratch")
    workers(added)

    added = job(commands, "samples", "dataset.samples.join_samples", "join the records of images and masks")
    subset(added)
    _complete(added)
    several(added, "parts")
    added.add_argument("--masks", dest="mask_records", type=Path, required=True, metavar="PATH")
    paths(added, "annotations", "samples")

    added = job(
        commands,
        "tree",
        function("dataset.tree.build_tree", {"scanned": "dataset.tree.ScannedFiles"}),
        "make the official tree of one subset",
    )
    subset(added)
    paths(added, "samples")
    several(added, "listings", "findings")
    added.add_argument("--link", choices=LINKS, required=True)
    paths(added, "output", "receipt")

    added = job(commands, "labels", _labels, "write the masks of one subset in a further encoding")
    subset(added)
    added.add_argument("--encoding", choices=ENCODINGS, required=True)
    paths(added, "records", "masks", "tree")
    added.add_argument(
        "--digests", type=Path, required=True, nargs=2, metavar="PATH", help=f"of {' and '.join(MASKED)}"
    )
    paths(added, "scratch")
    workers(added)

    added = job(
        commands, "manifests", "dataset.manifests.write_manifests", "write the manifests of one subset"
    )
    paths(added, "samples", "folder")

    added = job(
        commands,
        "dataset",
        function("dataset.metadata.write_dataset", {"origin": "dataset.metadata.Origin"}),
        "write dataset.json of one subset",
    )
    subset(added)
    added.add_argument("--labels", choices=ENCODINGS, required=True, nargs="*")
    added.add_argument("--link", choices=LINKS, required=True)
    several(added, "findings")
    paths(added, "samples", "annotations", "tree")

    added = job(commands, "tidy", "dataset.prune.tidy", "remove intermediate files that no data set uses")
    added.add_argument("--subsets", type=int, choices=SUBSETS, required=True, nargs="+")
    added.add_argument("--link", choices=LINKS, required=True)
    added.add_argument("--demo", action="store_true")
    paths(added, "output", "receipt")

    added = job(commands, "summary", "dataset.summary.write_summary", "write the summary of a build")
    several(added, "datasets")
    paths(added, "summary")


def _complete(added: argparse.ArgumentParser) -> None:
    added.add_argument("--any-train-images", dest="complete", action="store_false")


def _labels(options: Mapping[str, Any]) -> int | None:
    digests = dict(zip(MASKED, options["digests"], strict=True))
    groups = {"unpacked": "dataset.encoded_masks.UnpackedMasks"}
    return function("dataset.encoded_masks.encode_labels", groups)({**options, "digests": digests})
