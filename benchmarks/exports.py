"""Measure exports against `tar cf`, `cp -r` and the clients' own writers with the same files.

    python benchmarks/exports.py FOLDER [--subset 919] [--split validation] [--rounds 3] [--clients PYTHON]

makes a stand-in of the split in FOLDER, once: the official number of images of about 93 kB, and masks. Each
way ends with `sync -f`, because an export waits for the disk. PYTHON is one that has webdataset, datasets
and pycocotools. At the end, an export of each format is killed after half of its bytes and run again.
"""

import argparse
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from itertools import cycle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from make_imagenet import base_images, train_images
from make_imagenet import class_sizes as official_sizes
from make_masks import png_of
from measure import LAUNCH, Taken, in_turn, machine, run

from imagenet_s.annotations.unpack import mask_paths
from imagenet_s.dataset.manifests import save_manifests
from imagenet_s.dataset.samples import SAMPLES
from imagenet_s.io.atomic import read_json
from imagenet_s.spec.classes import class_ids, train_classes
from imagenet_s.spec.exports import manifest_name, splits_of
from imagenet_s.spec.splits import listed
from imagenet_s.spec.subsets import MASKED, mask_folder, sample_manifests, subset_name

MASKS = 40  # different masks
FORMATS = ("webdataset", "parquet")

# Write the split with the client's own writer: arguments are the folder of the copy, the split, the target.
SHARD_WRITER = """
import sys, webdataset
from pathlib import Path
root, split, target = map(Path, sys.argv[1:])
wnids = sorted(path.name for path in (root / split).iterdir())
with webdataset.ShardWriter(f"{target}/{split}-%06d.tar", maxcount=1e9, maxsize=1e9, verbose=0) as sink:
    for label, wnid in enumerate(wnids):
        for image in sorted((root / split / wnid).iterdir()):
            sample = {"__key__": f"{wnid}/{image.stem}", "jpg": image.read_bytes(), "cls": label}
            mask = root / f"{split}-segmentation" / wnid / f"{image.stem}.png"
            if mask.exists():
                sample["seg.png"] = mask.read_bytes()
            sink.write(sample | {"json": {"image": str(image), "wnid": wnid}})
"""
TO_PARQUET = """
import sys, datasets
from pathlib import Path
root, split, target = map(Path, sys.argv[1:])
images = [path for folder in sorted((root / split).iterdir()) for path in sorted(folder.iterdir())]
masks = [root / f"{split}-segmentation" / path.parent.name / f"{path.stem}.png" for path in images]
columns = {"image": list(map(str, images)), "mask": [str(path) if path.exists() else None for path in masks]}
columns |= {"filename": [path.name for path in images], "label": [path.parent.name for path in images]}
data = datasets.Dataset.from_dict(columns).class_encode_column("label")
data = data.cast_column("image", datasets.Image()).cast_column("mask", datasets.Image())
data = data.with_format("arrow").map(datasets.table.embed_table_storage, batched=True, batch_size=100)
data.to_parquet(f"{target}/{split}.parquet", batch_size=100)
"""

COCO = """
import json, sys
import numpy
from pathlib import Path
from PIL import Image
from pycocotools import mask
root, split, target = map(Path, sys.argv[1:])
images, annotations = [], []
for path in sorted((root / f"{split}-segmentation").glob("*/*.png")):
    rgb = numpy.asarray(Image.open(path)).astype(numpy.uint16)
    ids = rgb[..., 0] + 256 * rgb[..., 1]
    name = f"{split}/{path.parent.name}/{path.stem}.JPEG"
    height, width = ids.shape
    images.append({"id": len(images) + 1, "file_name": name, "height": height, "width": width})
    for number in numpy.unique(ids):
        if number not in (0, 1000):
            region = mask.encode(numpy.asfortranarray(ids == number, numpy.uint8))
            one = {"id": len(annotations) + 1, "image_id": len(images), "category_id": int(number)}
            one |= {"area": int(mask.area(region)), "bbox": mask.toBbox(region).tolist(), "iscrowd": 0}
            one["segmentation"] = {"size": region["size"], "counts": region["counts"].decode()}
            annotations.append(one)
(target / "coco.json").write_text(json.dumps({"images": images, "annotations": annotations}))
"""

BASELINES = {  # of the ways that are not compared with `cp -r`
    "webdataset": "`tar cf`",
    "`ShardWriter`": "`tar cf`",
    "`tar cf`": "`tar cf`",
    "coco": "pycocotools",
    "alphaclip": "pycocotools",
    "pycocotools": "pycocotools",
}


def names_of(subset: int, split: str) -> list[tuple[str, str]]:
    """Return the wnid and the name of each image of a split, sorted."""
    if split != "train":
        return sorted((row.wnid, row.image) for row in listed(subset, split))
    sizes = official_sizes(None)
    wnids = train_classes(subset)
    images = train_images({wnid: sizes[wnid] for wnid in wnids})
    return sorted((wnids[wnid], image) for wnid, image in images)


def make_copy(subset: int, split: str, root: Path) -> None:
    """Write the images and masks of a split, each a file of its own, and their manifest."""
    images = [(data, hashlib.sha256(data).digest()) for data in base_images()]
    masks = [
        (data, hashlib.sha256(data).digest())
        for data in map(partial(png_of, subset), mask_paths(subset)[:MASKS])
    ]
    ids, rows = class_ids(subset), []
    nothing = dict.fromkeys(SAMPLES.names)
    for (wnid, name), image, mask in zip(names_of(subset, split), cycle(images), cycle(masks), strict=False):
        row = {**nothing, "split": split, "wnid": wnid, "class_id": ids[wnid], "imagenet_wnid": wnid}
        row |= {"image": f"{split}/{wnid}/{name}.JPEG", "bytes": len(image[0]), "sha256": image[1]}
        files = {row["image"]: image[0]}
        if split in MASKED:
            row |= {"mask": f"{mask_folder(split)}/{wnid}/{name}.png", "mask_bytes": len(mask[0])}
            row |= {"mask_sha256": mask[1], "width": 500, "height": 375}
            files[row["mask"]] = mask[0]
        for path, data in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
        rows.append(row)
    manifests = root / "manifests"
    manifests.mkdir()
    pq.write_table(pa.Table.from_pylist(rows, SAMPLES), root / "samples.parquet")
    save_manifests(root / "samples.parquet", {name: manifests / name for name in sample_manifests()})
    (root / "samples.parquet").unlink()


def command(export_format: str, root: Path, split: str, out: Path) -> list[str | Path]:
    """Return the command that exports a split."""
    return [sys.executable, LAUNCH, "export", export_format, root, "--splits", split, "--out", out]


def export(export_format: str, root: Path, split: str, folder: Path) -> Taken:
    """Export a split into a fresh folder."""
    return _removed(folder, lambda out: run(command(export_format, root, split, out)))


def shell(line: str, root: Path, split: str, folder: Path) -> Taken:
    """Run a line of a shell in the copy; `$out` is a fresh folder, and `$in` the folders of the split."""
    inside = [name for name in (split, mask_folder(split)) if (root / name).is_dir()]
    return _removed(
        folder,
        lambda out: run(
            ["sh", "-c", f"{line} && sync -f $out"],
            cwd=root,
            env={**os.environ, "out": str(out), "in": " ".join(inside)},
        ),
    )


def client(script: str, python: str, root: Path, split: str, folder: Path) -> Taken:
    """Run a script of a client that writes the split into a fresh folder."""
    environment = {**os.environ, "HF_HOME": str(folder / "hf"), "PYTHONPATH": ""}
    script += "import os; os.sync()"
    return _removed(folder, lambda out: run([python, "-c", script, root, split, out], env=environment))


def _removed(folder: Path, measured) -> Taken:
    """Call a function with a fresh folder, and remove that afterwards."""
    with tempfile.TemporaryDirectory(dir=folder) as out:
        return measured(Path(out))


def killed(export_format: str, root: Path, split: str, folder: Path) -> str:
    """Kill an export after half of its bytes, run it again, and compare it with one that was not killed."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        out = Path(name)
        manifest = out / manifest_name(int(root.name.removeprefix("ImageNetS")), split)
        whole = run(command(export_format, root, split, out)).seconds
        expected = read_json(manifest)
        shutil.rmtree(out)
        process = subprocess.Popen(command(export_format, root, split, out), stdout=subprocess.DEVNULL)
        while _size(out) < expected["bytes"] / 2 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kept = len([path for path in out.rglob("*") if path.suffix in (".tar", ".parquet")])
        again = run(command(export_format, root, split, out)).seconds
        same = read_json(manifest) == expected
        digests = manifest.with_name(manifest.name.replace(".manifest.json", ".sha256"))
        subprocess.run(["sha256sum", "--quiet", "-c", digests.name], cwd=out, check=True)
        files = f"{len(expected['files'])} files, {whole:.1f} s"
        bytes_are = "the same bytes" if same else "OTHER BYTES"
        return f"{export_format}: {files}; killed at half, {kept} whole; again {again:.1f} s, {bytes_are}"


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def main() -> None:
    """Run the benchmark and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--subset", type=int, default=919)
    parser.add_argument("--split", default="validation")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", metavar="PYTHON")
    options = parser.parse_args()
    folder, split = options.folder.absolute(), options.split
    root = folder / split / subset_name(options.subset)
    if not root.exists():
        make_copy(options.subset, split, root)
    where = (root, split, folder)
    ways = {
        "webdataset": partial(export, "webdataset", *where),
        "`tar cf`": partial(shell, "tar cf $out/x.tar $in", *where),
        "parquet": partial(export, "parquet", *where),
        "`cp -r`": partial(shell, "cp -r $in $out", *where),
    }
    if options.clients:
        ways["`ShardWriter`"] = partial(client, SHARD_WRITER, options.clients, *where)
        ways["`Dataset.to_parquet`"] = partial(client, TO_PARQUET, options.clients, *where)
        if split in MASKED:
            ways["pycocotools"] = partial(client, COCO, options.clients, *where)
            ways |= {
                name: partial(export, name, *where)
                for name in ("coco", "alphaclip")
                if split in splits_of(name)
            }
    taken = in_turn(ways, options.rounds)
    size = _size(root)
    print(f"{root.name} {split}: {size / 1e9:.2f} GB; medians of {options.rounds}\n{machine()}\n")
    print("| | s | MB/s | × | peak memory |\n|---|---|---|---|---|")
    for name, (seconds, memory) in taken.items():
        ratio = seconds / taken[BASELINES.get(name, "`cp -r`")].seconds
        print(
            f"| {name} | {seconds:.1f} | {size / seconds / 1e6:,.0f} | {ratio:.2f} | {memory / 1e6:,.0f} MB |"
        )
    for export_format in FORMATS:
        print(killed(export_format, *where))


if __name__ == "__main__":
    main()
