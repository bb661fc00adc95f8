"""Wrong bytes: small sound examples of all that is read from elsewhere, changed at random.

A case is the files that a reader is given, name → bytes, made with the random numbers it is given. Where
checksums would hide all else, they are often made right again.
"""

import gzip
import hashlib
import io
import json
import lzma
import random
import re
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from PIL import Image

from helpers.raw_imagenet import gzipped, tar_of, zstandard
from helpers.synthetic_zip import in_64_bits, zip_bytes
from helpers.tfrecord import example, framed, masked
from imagenet_s.annotations.unpack import mask_paths
from imagenet_s.benchmark.scoring.predictions import names_of
from imagenet_s.copies.file_tables import EXPECTED
from imagenet_s.dataset.dataset_file import own_digest
from imagenet_s.dataset.manifests import COLUMNS
from imagenet_s.spec.method_txt import BASELINE, method_text
from imagenet_s.spec.splits import listed
from imagenet_s.spec.subsets import MASKED, SPLITS, mask_folder, sample_manifests

Dice = random.Random
Files = dict[str, bytes]

FISH = "n01443537"
SHARD = "imagenet1k-train-0000.tar"
LONGEST = 1 << 22  # bytes of a case
EXTREMES = (0, 1, 127, 128, 255, 256, 32_767, 65_535, 60_000, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
EXTREMES += (10**11, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
TEXTS = (
    b"",
    b"\0",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    "é".encode(),
    b"9" * 30,
    b"-1",
    b"1e999",
    b"../../x",
    b"/etc",
)
TEXTS += (
    b"9" * 5000,
    b"a" * 100_000,
    b'"',
    b"\r\n",
    b"\n\n",
    b",",
    b"  ",
    b"[" * 20_000,
    b"{}",
    b"null",
    b"~",
)


# Changes to any bytes


def flip(data: bytearray, dice: Dice) -> None:
    for _ in range(dice.choice((1, 1, 2, 8))):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def overwrite(data: bytearray, dice: Dice) -> None:
    at = dice.randrange(len(data))
    data[at : at + dice.randint(1, 16)] = dice.randbytes(dice.randint(1, 16))


def cut(data: bytearray, dice: Dice) -> None:
    del data[dice.randrange(len(data)) :]


def remove(data: bytearray, dice: Dice) -> None:
    at = dice.randrange(len(data))
    del data[at : at + dice.choice((1, 4, 512, dice.randint(1, len(data))))]


def repeat(data: bytearray, dice: Dice) -> None:
    at = dice.randrange(len(data))
    some = data[at : at + dice.choice((1, 16, 512, 1536))]
    data[at:at] = some * dice.choice((1, 1, 2, 50))


def swap(data: bytearray, dice: Dice) -> None:
    size = dice.choice((4, 16, 512))
    one, other = dice.randrange(len(data)), dice.randrange(len(data))
    first, second = data[one : one + size], data[other : other + size]
    data[one : one + size], data[other : other + size] = second, first


def number(data: bytearray, dice: Dice) -> None:
    """A number of 1, 2, 4 or 8 bytes, as lengths are."""
    size = dice.choice((1, 2, 4, 8))
    value = dice.choice(EXTREMES) % (1 << 8 * size)
    at = dice.randrange(len(data))
    data[at : at + size] = value.to_bytes(size, dice.choice(("little", "big")))


def text(data: bytearray, dice: Dice) -> None:
    """A word, a number or nothing becomes something else."""
    words = list(re.finditer(rb"[\w.-]+", data[:20_000])) or [re.search(b"", data)]
    start, end = dice.choice(words).span()
    data[start:end] = dice.choice(TEXTS)


def line(data: bytearray, dice: Dice) -> None:
    """Lines are left out, repeated, in another order, or without some of their columns."""
    lines = bytes(data).splitlines(keepends=True)
    k = dice.randrange(len(lines))
    match dice.randrange(4):
        case 0:
            del lines[k]
        case 1:
            lines[k:k] = lines[k : k + 2] * dice.choice((1, 1, 300))
        case 2:
            dice.shuffle(lines)
        case 3:
            lines[k] = dice.choice((b",", b"  ")).join(lines[k].split(b",")[dice.randrange(3) :]) + b"\n"
    data[:] = b"".join(lines)


BINARY = (flip, flip, overwrite, cut, remove, repeat, swap, number, number)
TEXT = (*BINARY, text, text, text, line, line)


def changed(data: bytes, dice: Dice, ways: tuple = BINARY) -> bytes:
    """The same with one change, or several."""
    changing = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        if changing:
            dice.choice(ways)(changing, dice)
            del changing[LONGEST:]  # repeats of repeats
    return bytes(changing)


def spliced(data: bytes, other: bytes, dice: Dice) -> bytes:
    """The beginning of one file and the end of another."""
    return data[: dice.randrange(len(data))] + other[dice.randrange(len(other)) :]


def once_in(dice: Dice, times: int) -> bool:
    return dice.randrange(times) == 0


# Zips of masks


@cache
def zips() -> list[bytes]:
    found = []
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            for k, mask in enumerate(mask_paths(50)[::150]):
                with archive.open(f"ImageNetS50/{mask}", "w", force_zip64=k % 2 == 1) as file:
                    file.write(pngs()[k % 2])
            archive.writestr("ImageNetS50/é/README.txt", "masks " * 50)
        found.append(buffer.getvalue())
    return found


def zip_case(dice: Dice) -> Files:
    return {"masks.zip": _zip_bytes(zips(), dice)}


@cache
def zips_of_images() -> list[bytes]:
    """With end records of 32 and of 64 bits, with and without bytes before the zip."""
    names = [f"{FISH}/{FISH}_1.JPEG", f"{FISH}_2_{FISH}.jpg", "a.xml", "ILSVRC2012_val_00000236.JPEG"]
    plain = zip_bytes([(name, images()[k]) for k, name in enumerate(names)])
    return [plain, in_64_bits(plain), b"#!/bin/sh\n" + plain]


def zip_of_images_case(dice: Dice) -> Files:
    return {"train.zip": _zip_bytes(zips_of_images(), dice)}


def _zip_bytes(examples: list[bytes], dice: Dice) -> bytes:
    data = dice.choice(examples)
    if once_in(dice, 2):  # fields of the directory
        found = bytearray(data)
        entries = [match.start() for match in re.finditer(b"PK[\x01-\x07]{2}", data)]
        for _ in range(dice.randint(1, 3)):
            at = dice.choice(entries) + dice.randrange(4, 46)
            size = dice.choice((2, 4, 8))
            found[at : at + size] = (dice.choice(EXTREMES) % (1 << 8 * size)).to_bytes(size, "little")
        return bytes(found)
    return spliced(data, dice.choice(examples), dice) if once_in(dice, 9) else changed(data, dice)


@cache
def submitted() -> Files:
    """What is in a submission, as far as it goes: both texts, two predictions."""
    first, second, *_ = names_of(50, "test")
    match = json.dumps({str(p): p for p in range(51)}).encode()
    predictions = {first: pngs()[0], second: pngs()[1]}
    return {"method.txt": method_text(BASELINE).encode(), "match.json": match, **predictions}


def _submission(files: Files) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def submission_case(dice: Dice) -> Files:
    files = submitted()
    if once_in(dice, 3):
        return {"submission.zip": _zip_bytes([_submission(files)], dice)}
    name = dice.choice(list(files))
    return {"submission.zip": _submission({**files, name: changed(files[name], dice, TEXT)})}


# Features


@cache
def arrays() -> list[bytes]:
    """NumPy's two formats, rows first and columns first, packed and not."""
    found = []
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    for save in (np.save, np.savez, np.savez_compressed):
        for order in (array, np.asfortranarray(array.astype(np.float16))):
            save(buffer := io.BytesIO(), order)
            found.append(buffer.getvalue())
    return found


def features_case(dice: Dice) -> Files:
    data = dice.choice(arrays())
    if data.startswith(b"PK"):
        return {"features.npz": _zip_bytes([data], dice)}
    return {"features.npy": changed(data, dice, TEXT)}


# Tars


@cache
def tars() -> list[bytes]:
    """Flat and nested ones, in all formats."""
    found = []
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT):
        long = "n" * 90 if form == tarfile.USTAR_FORMAT else "ä" * 120
        name = f"{long}/{FISH}_1.JPEG"
        flat = tar_of(
            [(name, images()[0]), (f"{FISH}_2.JPEG", b"a"), ("ILSVRC2012_val_00000236.JPEG", b"")], form
        )
        found += [flat, tar_of([(f"{FISH}.tar", flat), ("n01491361.tar", flat), (name, b"b" * 513)], form)]
    return found


def tar_bytes(dice: Dice) -> bytes:
    data = dice.choice(tars())
    found = spliced(data, dice.choice(tars()), dice) if once_in(dice, 9) else changed(data, dice, TEXT)
    if once_in(dice, 2):
        found = _field(found, dice)
    return found if once_in(dice, 3) else _summed(found)


def _field(data: bytes, dice: Dice) -> bytes:
    """Another value in a field of a header: size, type, name, prefix, a pax record."""
    found = bytearray(data)
    headers = _headers(found)
    if not headers:
        return data
    at = dice.choice(headers)
    match dice.randrange(4):
        case 0:
            sizes = (b"%011o\0" % (x & 0o77777777777) for x in EXTREMES)
            big = (b"\x80" + x.to_bytes(11) for x in EXTREMES)
            found[at + 124 : at + 136] = dice.choice([*sizes, *big, b"-0000000001\0", b"\xff" * 12])
        case 1:
            found[at + 156] = ord(dice.choice("\001234567LKxgXSNMDV"))
        case 2:
            start = dice.choice((at, at + 345))
            found[start : start + 8] = dice.choice((b"../../x\0", b"/etc/x\0\0", b"\xff" * 8, b"\0" * 8))
        case 3:
            record = dice.choice(
                (b"size=-1", b"size=99999999999999999999", b"GNU.sparse.size=9", b"path=../x")
            )
            found[at + 512 : at + 512 + len(record) + 4] = b"%d %s\n" % (len(record) + 4, record)
    return bytes(found)


def _headers(data: bytearray) -> list[int]:
    return [at for at in range(0, len(data) - 511, 512) if data[at + 257 : at + 262] == b"ustar"]


def _summed(data: bytes) -> bytes:
    """The same with right checksums in all headers."""
    found = bytearray(data)
    for at in _headers(found):
        total = sum(found[at : at + 148]) + 8 * 32 + sum(found[at + 156 : at + 512])
        found[at + 148 : at + 156] = b"%06o\0 " % total
    return bytes(found)


def tar_case(dice: Dice) -> Files:
    return {"train.tar": tar_bytes(dice)}


# Shards of samples


@cache
def shards() -> list[bytes]:
    """One whose keys are names, and one with names in JSON."""
    named = [(f"{FISH}_{k}.{ending}", images()[0]) for k in range(3) for ending in ("cls", "jpg")]
    numbered = []
    for k in range(3):
        described = {"filename": f"train/{FISH}/{FISH}_{k}.JPEG", "label": k, "size": [40, 30]}
        numbered += [(f"{k:08}.jpg", images()[0]), (f"{k:08}.json", json.dumps(described).encode())]
    return [tar_of(named), tar_of(numbered), tar_of(numbered[::-1], tarfile.PAX_FORMAT)]


def shard_case(dice: Dice) -> Files:
    """Wrong tars, or wrong JSON in tars that are right."""
    data = bytearray(dice.choice(shards()))
    starts = [match.start() for match in re.finditer(rb"{\"filename", data)]
    if starts and once_in(dice, 2):
        at = dice.choice(starts)
        size = int(data[at - 512 + 124 : at - 512 + 135], 8)
        text = changed(bytes(data[at : at + size]), dice, TEXT)[:512]
        data[at - 512 + 124 : at - 512 + 135] = b"%011o" % len(text)
        data[at : at + 512] = text.ljust(512, b"\0")
        return {SHARD: _summed(bytes(data))}
    found = changed(bytes(data), dice, TEXT)
    return {SHARD: found if once_in(dice, 3) else _summed(_field(found, dice))}


def stream_case(name: str, dice: Dice) -> Files:
    """Wrong bytes that are compressed, or whose compression is wrong, or is another."""
    compress = gzipped if name.endswith(".gz") else zstandard
    if once_in(dice, 2):
        return {name: compress(tar_bytes(dice))}
    if once_in(dice, 20):
        return {name: dice.choice((gzip.compress, zstandard, lzma.compress, bytes))(tars()[0])}
    return {name: changed(compress(dice.choice(tars())), dice)}


# Parquet


@cache
def odd_name_case(dice: Dice) -> Files:
    """A tar, compressed or not, under a name that tells nothing, whole or in pieces."""
    if dice.random() < 0.3:
        data = tar_bytes(dice)
    else:
        [data] = stream_case(dice.choice(("a.tar.gz", "a.tar.zst")), dice).values()
    if dice.random() < 0.4:
        return {dice.choice(("x.tar", "x (1).tgz", "x.tar.1")): data}
    cuts = sorted(dice.randrange(len(data) + 1) for _ in range(dice.randrange(3)))
    parts = [data[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    return {f"x.tgz.a{letter}": part for letter, part in zip("abc", parts, strict=False)}


def parquets() -> list[bytes]:
    found = []
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    for compression in ("none", "snappy", "zstd", "gzip"):
        rows = [{"bytes": images()[0], "path": f"{FISH}_{k}_{FISH}.JPEG"} for k in range(9)]
        table = pa.table({"image": pa.array([*rows, None], kind), "label": pa.array(range(10))})
        sink = pa.BufferOutputStream()
        checked = compression == "none"
        pq.write_table(table, sink, compression=compression, row_group_size=5, write_page_checksum=checked)
        found.append(sink.getvalue().to_pybytes())
    return found


def parquet_case(dice: Dice) -> Files:
    data = dice.choice(parquets())
    if once_in(dice, 2):  # what describes the file stands at its end
        size = int.from_bytes(data[-8:-4], "little")
        data = data[: -8 - size] + changed(data[-8 - size : -8], dice) + data[-8:]
        return {"train.parquet": data}
    return {"train.parquet": changed(data, dice)}


# TFRecord files


@cache
def examples() -> list[bytes]:
    """Messages of images, and some whose features are others."""
    features = {"image": images()[0], "label": 7, "file_name": f"{FISH}_1.JPEG".encode()}
    name = {"file_name": f"{FISH}_2.JPEG".encode()}
    return [
        example(some) for some in (features, dict(reversed(features.items())), name, {**name, "image": 1})
    ]


def tfrecord_case(dice: Dice) -> Files:
    """Wrong bytes in messages, with right checksums, or in the records that hold them."""
    messages = list(examples()[: dice.choice((2, 2, 4))])
    if once_in(dice, 2):
        k = dice.randrange(len(messages))
        messages[k] = changed(messages[k], dice)
    data = b"".join(map(framed, messages))
    if once_in(dice, 8):  # a length, with a right checksum
        length = dice.choice(EXTREMES).to_bytes(8, "little")
        data += length + masked(length).to_bytes(4, "little") + data
    if once_in(dice, 2):
        data = changed(data, dice)
    return {"train.tfrecord-00000-of-00001": data}


# PNGs of masks, and images


def _encoded(form: str, mode: str = "RGB", **options) -> bytes:
    buffer = io.BytesIO()
    picture = Image.radial_gradient("L").resize((40, 30)).convert("RGB").convert(mode)
    picture.save(buffer, form, **options)
    return buffer.getvalue()


@cache
def pngs() -> list[bytes]:
    plain = io.BytesIO()
    Image.new("RGB", (40, 30), (7, 0, 0)).save(plain, "PNG")
    modes = [_encoded("PNG", mode) for mode in ("L", "RGBA", "P", "LA", "1", "I;16")]
    return [plain.getvalue(), _encoded("PNG"), *modes]


def png_case(dice: Dice) -> Files:
    data = dice.choice(pngs())
    if once_in(dice, 3):
        return {"mask.png": changed(data, dice)}
    return {"mask.png": _rechunked(data, dice)}


def _rechunked(png: bytes, dice: Dice) -> bytes:
    """Chunks changed, swapped, repeated or of other kinds, with right lengths and checksums."""
    chunks, at = [], 8
    while at < len(png):
        size = int.from_bytes(png[at : at + 4])
        chunks.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + size]))
        at += 12 + size
    k = dice.randrange(len(chunks))
    kind, body = chunks[k]
    match dice.randrange(6):
        case 0:
            chunks[k] = kind, changed(body, dice)
        case 1:
            chunks[k : k + 1] = [chunks[k]] * dice.choice((0, 2, 100))
        case 2:
            dice.shuffle(chunks)
        case 3:
            known = (b"acTL", b"fcTL", b"fdAT", b"iCCP", b"zTXt", b"iTXt", b"tEXt", b"PLTE", b"tRNS", b"eXIf")
            bodies = (b"x\0\0" + zlib.compress(bytes(1 << 22)), dice.randbytes(26), b"", b"\0" * 12)
            chunks.insert(k, (dice.choice((*known, b"gAMA", b"IHDR", b"IEND")), dice.choice(bodies)))
        case 4:
            sides = [dice.choice((*EXTREMES[:14], 8000)) & 0xFFFFFFFF for _ in range(2)]
            chunks[0] = b"IHDR", struct.pack(">II", *sides) + chunks[0][1][8:]
        case 5:
            pixels = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
            chunks[1:-1] = [(b"IDAT", zlib.compress(changed(pixels, dice)))]
    return png_of(chunks)


def png_of(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A PNG of chunks of some kinds, with right lengths and checksums."""
    packed = (
        len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4) for kind, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@cache
def images() -> list[bytes]:
    """In all formats that Pillow writes: what is called JPEG may be any of them."""
    Image.init()
    found = [_encoded("JPEG", quality=40), _encoded("JPEG", "CMYK"), _encoded("JPEG", progressive=True)]
    for form in sorted(Image.SAVE):
        # Some take no RGB, some lack a library, and some are on their way out.
        with suppress(Exception), warnings.catch_warnings(action="ignore"):
            found.append(_encoded(form))
    return found


def image_case(dice: Dice) -> Files:
    data = images()[0] if once_in(dice, 3) else dice.choice(images())
    return {"image": spliced(data, dice.choice(images()), dice) if once_in(dice, 9) else changed(data, dice)}


# Copies of ImageNet-S, with manifests


@cache
def copy() -> Files:
    """A small one: of each split, some images and masks."""
    files = {}
    for split in SPLITS:
        rows = [",".join(COLUMNS)]
        digests: dict[str, list[str]] = {split: [], mask_folder(split): []}
        stems = [(row.wnid, row.image) for row in listed(50, split)[:3]] if split != "train" else []
        for wnid, image in stems or [(FISH, f"{FISH}_{k}") for k in range(3)]:
            cells = {"image": f"{split}/{wnid}/{image}.JPEG"}
            cells |= {"bytes": len(images()[0]), "sha256": hashlib.sha256(images()[0]).hexdigest()}
            files[cells["image"]] = images()[0]
            digests[split].append(f"{cells['sha256']}  {cells['image']}\n")
            if split in MASKED:
                cells |= {"mask": f"{mask_folder(split)}/{wnid}/{image}.png", "mask_bytes": len(pngs()[0])}
                cells |= dict.fromkeys(
                    ["mask_sha256", "mask_pixels_sha256"], hashlib.sha256(pngs()[0]).hexdigest()
                )
                files[cells["mask"]] = pngs()[0]
                digests[mask_folder(split)].append(f"{cells['mask_sha256']}  {cells['mask']}\n")
            rows.append(",".join(str(cells.get(name, "")) for name in COLUMNS))
        files[f"manifests/{split}.csv"] = "\n".join([*rows, ""]).encode()
        files |= {f"manifests/{name}.sha256": "".join(x).encode() for name, x in digests.items() if x}
    label = f"{mask_folder('validation')}-id16"
    files[f"manifests/{label}.sha256"] = b"%064d  %s/%s/x.png\n" % (0, label.encode(), FISH.encode())
    files[f"{label}/{FISH}/x.png"] = pngs()[6]
    return files | {"dataset.json": dataset(files)}


def dataset(files: Files, content: object = None, build: object = None) -> bytes:
    """A `dataset.json` that vouches for the manifests as they are; its own digest is right."""
    names = [name for name in files if name.startswith("manifests/")]
    digests = {name.rpartition("/")[2]: hashlib.sha256(files[name]).hexdigest() for name in names}
    content = {"dataset": "ImageNetS50", "manifests": digests} if content is None else content
    build = {"link": "copy"} if build is None else build
    whole = {"content": content, "build": build, "sha256": own_digest(content, build)}
    return (json.dumps(whole, indent=2) + "\n").encode()


def copy_case(dice: Dice) -> Files:
    files = dict(copy())
    papers = ["dataset.json", *(f"manifests/{name}" for name in sample_manifests())]
    papers.append("manifests/validation-segmentation-id16.sha256")
    for _ in range(dice.choice((1, 1, 2, 4))):
        name = dice.choice(papers)
        files[name] = changed(files.get(name, b""), dice, TEXT)
    for name in papers:
        if once_in(dice, 12):
            files.pop(name, None)
    match dice.randrange(6):
        case 0 | 1 | 2:
            files["dataset.json"] = dataset(files)
        case 3:
            with suppress(UnicodeEncodeError):  # what cannot be digested
                files["dataset.json"] = dataset(files, value(dice), value(dice))
        case 4:
            files.pop("dataset.json", None)
    return {f"ImageNetS50/{name}": data for name, data in files.items()}


def expected_table(columns: list) -> pa.Table:
    """A table of `EXPECTED`."""
    return pa.table([pa.array(x, f.type) for x, f in zip(columns, EXPECTED, strict=True)], EXPECTED)


# Configurations

KEYS = (
    "imagenet",
    "output",
    "subsets",
    "link",
    "train_images",
    "annotations",
    "labels",
    "from",
    "md5",
    "manifests",
)
WORDS = (
    "demo",
    "official",
    "auto",
    "http://",
    "a\0b",
    "~\0",
    "{x}",
    "id8",
    "\udce9",
    "x" * 5000,
    "../..",
    "../x",
)
HARMLESS = (None, True, False, 0, 50, 300, -1, 1 << 70, 50.0, 1e300, float("nan"), float("inf"), b"\xff", "")


def value(dice: Dice, depth: int = 0) -> object:
    """A value of any type that JSON and YAML have, nested."""
    match dice.randrange(4 if depth < 4 else 2):
        case 0:
            return dice.choice(WORDS[:-4] if depth else WORDS)
        case 1:
            return dice.choice([x for x in HARMLESS if not isinstance(x, bytes)])
        case 2:
            return [value(dice, depth + 1) for _ in range(dice.randrange(4))]
    keys = (dice.choice(KEYS) for _ in range(dice.randrange(4)))
    return {key: value(dice, depth + 1) for key in keys}


def _configuration(dice: Dice) -> bytes:
    keys = (dice.choice(KEYS[:7]) for _ in range(dice.randint(1, 4)))
    values = {key: dice.choice((value(dice), dice.choice(WORDS), dice.choice(HARMLESS))) for key in keys}
    if once_in(dice, 4):
        values["annotations"] = {"from": value(dice, 2), "md5": {dice.choice(HARMLESS[3:8]): value(dice, 2)}}
    return yaml.dump(values, allow_unicode=True).encode("utf-8", "surrogatepass")


NASTY: tuple[Callable[[int], str], ...] = (
    lambda n: "subsets: " + "[" * (50 * n),
    lambda n: "subsets: " + "{a: " * (50 * n),
    lambda n: "output: &a {x: *a}",
    lambda n: "output: &a [*a]",
    lambda n: f"subsets: [{'9' * 300 * n}]",
    lambda n: f"{'9' * 300 * n}: 1",
    lambda n: f"0x{'f' * 300 * n}: 1",
    lambda n: "output: 2026-99-99",
    lambda n: "output: 1:99:99:99e",
    lambda n: "? {a: b}\n: c",
    lambda n: "x0: &x0 {a: b}\n" + "".join(f"x{k + 1}: &x{k + 1} {{a: *x{k}, b: *x{k}}}\n" for k in range(n)),
    lambda n: "x0: &x0 [a]\n" + "".join(f"x{k + 1}: &x{k + 1} [*x{k}, *x{k}]\n" for k in range(n)),
    lambda n: "subsets: &s [50, 50]\n<<: *s",
    lambda n: "output: !!python/object/apply:os.system [id]",
    lambda n: "output: !!binary x\nimagenet: !!set {a, b}",
)


def config_case(dice: Dice) -> Files:
    match dice.randrange(3):
        case 0:
            data = changed(_configuration(dice), dice, TEXT)
        case 1:
            data = _configuration(dice)
        case 2:
            data = dice.choice(NASTY)(dice.randint(1, 100)).encode()
            data = changed(data, dice, TEXT) if once_in(dice, 2) else data
    return {"config.yaml": data}
