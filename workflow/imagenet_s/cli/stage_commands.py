"""The commands that the jobs of a build run: one per stage, in the order data flows."""

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from imagenet_s.cli.arguments import Commands, command, function, paths, several, subset, val_option, workers
from imagenet_s.io.links import LINKS
from imagenet_s.spec.encodings import ENCODINGS
from imagenet_s.spec.subsets import MASKED, SUBSETS

job = partial(command, listed=False)  # `imagenet-s --help` lists these commands apart

# The help of options that several commands have.
RECEIPT = "the JSON file to write when everything is on disk"
SCRATCH = "a folder for temporary files"
OUTPUT = "the output folder of the build"
POOL = "the folder to copy images to"
ANNOTATIONS = "the receipt that `fetch` wrote"
SAMPLES = "the Parquet file that `samples` wrote"
FINDINGS = "the JSON files that `source` wrote, one per tier"
TREE = "the folder ImageNetS<n>"


def add_stages(commands: Commands) -> None:
    """Add the commands of all stages."""
    added = job(commands, "demo-images", "demo.generate.make_images", "make the demo's images of one tier")
    _tier(added)
    paths(added, root="the folder to write to", receipt=RECEIPT, scratch=SCRATCH)
    workers(added)

    added = job(
        commands,
        "demo-annotations",
        "demo.generate.make_annotations",
        "make the demo's archive of masks for one subset",
    )
    subset(added)
    paths(added, folder="the folder to write the archive to", receipt=RECEIPT)
    workers(added)

    added = job(
        commands,
        "source",
        function("preflight.check.check_and_list", {"request": "config.build_request.BuildRequest"}),
        "check the source and list the images of one tier",
    )
    _tier(added)
    _subsets(added)
    _complete(added)
    _link(added)
    _labels_option(added)
    paths(
        added,
        imagenet="the copy of ImageNet-1k, or with --val its train images",
        output=OUTPUT,
        folder="the folder to write to",
    )
    val_option(added)

    added = job(
        commands,
        "images",
        "images.read.read_part",
        "read one part of the source: digests, sizes, copies",
    )
    added.add_argument("--part", required=True, help="the name of the part, such as train-50-1")
    paths(
        added,
        listing="the Parquet file that `source` wrote",
        records="the Parquet file to write",
        pool=POOL,
        scratch=SCRATCH,
    )
    added.add_argument(
        "--copied",
        type=Path,
        metavar="PATH",
        help="also copy images that are not in an archive, and write this receipt",
    )

    added = job(
        commands,
        "stream",
        "images.stream.read_pass",
        "read one part of a source that must be read in order",
    )
    added.add_argument("--part", required=True, help="the name of the part, such as train-pass-50-1")
    several(added, files="the archives to read, in order")
    paths(added, records="the Parquet file to write", pool=POOL, scratch=SCRATCH)

    added = job(
        commands, "fetch", "annotations.fetch.fetch", "download or find the annotations of one subset"
    )
    subset(added)
    added.add_argument("--from", dest="origin", required=True, help="`official`, a URL prefix, or a folder")
    added.add_argument("--md5", required=True, help="the expected MD5 of the archive")
    paths(added, folder="the folder for a downloaded archive", receipt=RECEIPT)

    added = job(
        commands,
        "masks",
        "annotations.unpack.unpack_masks",
        "unpack, check and record the masks of one subset",
    )
    subset(added)
    paths(
        added,
        annotations=ANNOTATIONS,
        output=OUTPUT,
        records="the Parquet file to write",
        scratch=SCRATCH,
    )
    workers(added)

    added = job(commands, "samples", "dataset.samples.join_samples", "join the records of images and masks")
    subset(added)
    _complete(added)
    several(added, parts="the Parquet files that `images` and `stream` wrote")
    added.add_argument(
        "--masks",
        dest="mask_records",
        type=Path,
        required=True,
        metavar="PATH",
        help="the Parquet file that `masks` wrote",
    )
    paths(added, annotations=ANNOTATIONS, samples="the Parquet file to write")

    added = job(
        commands,
        "tree",
        function("dataset.tree.build_tree", {"scanned": "dataset.tree.ScannedFiles"}),
        "build the official folder tree of one subset",
    )
    subset(added)
    paths(added, samples=SAMPLES)
    several(added, listings="the Parquet files that `source` wrote, one per tier", findings=FINDINGS)
    _link(added)
    paths(added, output=OUTPUT, receipt=RECEIPT)

    added = job(commands, "labels", _labels, "write the masks of one subset in another encoding")
    subset(added)
    added.add_argument("--encoding", choices=ENCODINGS, required=True, help="the encoding to write")
    paths(
        added,
        records="the Parquet file that `masks` wrote",
        masks="the folder to which `masks` unpacked",
        tree=TREE,
    )
    added.add_argument(
        "--digests",
        type=Path,
        required=True,
        nargs=2,
        metavar="PATH",
        help=f"the lists of digests to write: {' and '.join(MASKED)}",
    )
    paths(added, scratch=SCRATCH)
    workers(added)

    added = job(
        commands, "manifests", "dataset.manifests.write_manifests", "write the manifests of one subset"
    )
    paths(added, samples=SAMPLES, folder="the folder to write to")

    added = job(
        commands,
        "companions",
        function("dataset.companions.write_companions", {"records": "dataset.companions.Records"}),
        "write the class table, the Parquet manifests and the lists of one subset",
    )
    subset(added)
    paths(added, samples=SAMPLES)
    added.add_argument(
        "--mask-records", type=Path, required=True, metavar="PATH", help="the Parquet file that `masks` wrote"
    )
    paths(added, tree=TREE)

    added = job(
        commands,
        "dataset",
        function("dataset.metadata.write_dataset", {"origin": "dataset.metadata.Origin"}),
        "write dataset.json and the data card of one subset",
    )
    subset(added)
    _labels_option(added)
    _link(added)
    several(added, findings=FINDINGS)
    paths(added, samples=SAMPLES, annotations=ANNOTATIONS, tree=TREE)

    added = job(commands, "tidy", "dataset.prune.prune", "remove intermediate files that no data set uses")
    _subsets(added)
    _link(added)
    added.add_argument(
        "--demo", action="store_true", help="keep the images of the demo, because the build uses them"
    )
    paths(added, output=OUTPUT, receipt=RECEIPT)

    added = job(commands, "summary", "dataset.report_tables.write_summaries", "write the summary of a build")
    several(added, datasets="the dataset.json of each subset")
    paths(added, summary="the text file to write")
    added.add_argument(
        "--tables",
        type=Path,
        metavar="PATH",
        help="the folder for tables of Snakemake's report",
    )


def _tier(added: argparse.ArgumentParser) -> None:
    added.add_argument(
        "--tier",
        type=int,
        choices=SUBSETS,
        required=True,
        help="the tier: the images that this subset adds to smaller subsets",
    )


def _subsets(added: argparse.ArgumentParser) -> None:
    added.add_argument(
        "--subsets", type=int, choices=SUBSETS, required=True, nargs="+", help="all subsets of the build"
    )


def _link(added: argparse.ArgumentParser) -> None:
    added.add_argument("--link", choices=LINKS, required=True, help="how images get into the trees")


def _labels_option(added: argparse.ArgumentParser) -> None:
    added.add_argument(
        "--labels", choices=ENCODINGS, required=True, nargs="*", help="the additional encodings of the masks"
    )


def _complete(added: argparse.ArgumentParser) -> None:
    added.add_argument(
        "--any-train-images",
        dest="complete",
        action="store_false",
        help="accept any number of train images, not only the official one",
    )


def _labels(options: Mapping[str, Any]) -> int | None:
    digests = dict(zip(MASKED, options["digests"], strict=True))
    groups = {"unpacked": "dataset.encoded_masks.UnpackedMasks"}
    return function("dataset.encoded_masks.encode_labels", groups)({**options, "digests": digests})
