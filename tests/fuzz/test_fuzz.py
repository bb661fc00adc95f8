"""Wrong bytes, in short, and bombs: refused by name, in little memory, without a stack for the user."""

import hashlib
import os
import re
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz import mutations
from fuzz.fuzz import fuzz
from fuzz.readers import TARGETS
from imagenet_s.annotations.unpack import mask_paths
from imagenet_s.cli.main import main
from imagenet_s.config.settings import Config, read_config, read_config_file
from imagenet_s.io.atomic import write_json
from imagenet_s.runtime.errors import UserError
from imagenet_s.spec.subsets import label_path

FEW = {"copy": 15, "config": 40}  # cases of the targets that take longer
LITTLE = 600_000_000  # bytes of memory
FISH = mutations.FISH
MASK = mask_paths(50)[-1]
LABEL = f"validation-segmentation-id16/{FISH}/x.png"
IN_LITTLE_MEMORY = """
import re, resource, sys
from pathlib import Path
from imagenet_s.cli.main import main
code = main(sys.argv[1:])
try:
    peak = 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
except OSError:  # macOS, which counts bytes
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print("peak", peak)
sys.exit(code)
"""


def run(*arguments: object) -> tuple[int, str]:
    """Exit code and output of a command that took little memory and showed no stack."""
    command = [sys.executable, "-c", IN_LITTLE_MEMORY, *map(str, arguments)]
    done = subprocess.run(command, stdout=-1, stderr=subprocess.STDOUT, text=True, timeout=120)
    assert "Traceback" not in done.stdout
    assert int(re.search(r"^peak (\d+)$", done.stdout, re.M)[1]) < LITTLE, done.stdout
    return done.returncode, done.stdout


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells a process's peak")
@pytest.mark.parametrize("name", TARGETS)
def test_wrong_bytes_are_read_or_refused_by_name(name, tmp_path):
    most = FEW.get(name, 100)
    outcome = fuzz(name, seed=1, seconds=500, most=most, scratch=tmp_path)
    assert outcome.findings == []
    assert outcome.cases == most


# Bombs


def deflated(size: int) -> bytes:
    """As many zeros, compressed."""
    packer = zlib.compressobj(1)
    whole, rest = divmod(size, 1 << 20)
    return b"".join([packer.compress(bytes(n)) for n in [1 << 20] * whole + [rest]] + [packer.flush()])


@pytest.fixture(scope="module")
def huge_png() -> bytes:
    """60,000 × 60,000 pixels of one bit, all there: 2 MB that take 3.6 GB as Pillow keeps them."""
    rows = deflated(60_000 * (1 + 60_000 // 8))
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    return mutations.png_of([(b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")])


def unpacked(archive: Path, folder: Path) -> tuple[int, str]:
    """What comes of the command of the pipeline that unpacks masks."""
    receipt = {"kind": "archive", "path": str(archive), "official": False}
    write_json(folder / "receipt.json", receipt)
    paths = {"records": folder / "records.parquet", "scratch": folder / "scratch", "output": folder / "out"}
    options = [word for name, path in paths.items() for word in (f"--{name}", path)]
    return run("masks", "--subset", 50, "--annotations", folder / "receipt.json", "--workers", 1, *options)


def zip_of(path: Path, data: bytes, stated: int | None = None, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """A zip of all masks, the first one with other bytes; `stated` is what it says of their size."""
    with zipfile.ZipFile(path, "w") as archive:
        for mask in mask_paths(50)[1:]:
            archive.writestr(mask, mutations.pngs()[0])
        archive.writestr(mask_paths(50)[0], data, method)
        if stated is not None:
            archive.filelist[-1].file_size = stated
    return path


def test_a_mask_that_claims_3600_megapixels_is_refused(huge_png, tmp_path):
    code, text = unpacked(zip_of(tmp_path / "masks.zip", huge_png), tmp_path)
    assert code == 1
    assert f"The masks of ImageNetS50 from {tmp_path}/masks.zip have problems (1): " in text
    assert f"{mask_paths(50)[0]} claims to have 60000 × 60000 pixels" in text


def test_a_member_that_claims_100_gigabytes_is_refused(tmp_path):
    code, text = unpacked(zip_of(tmp_path / "masks.zip", b"small", stated=10**11), tmp_path)
    assert code == 1
    assert f"{tmp_path}/masks.zip is not safe to unpack" in text
    assert f"{mask_paths(50)[0]!r} would unpack to 100,000,000,000 bytes" in text


def test_a_member_that_unpacks_to_far_more_than_it_states_is_refused(tmp_path):
    code, text = unpacked(zip_of(tmp_path / "masks.zip", bytes(1 << 27), stated=5000), tmp_path)
    assert code == 1
    member = f"{tmp_path}/masks.zip is damaged at its member {mask_paths(50)[0]!r}"
    assert f"{member}: it does not unpack to 5,000 bytes" in text


@pytest.mark.parametrize(("method", "name"), [(zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "lzma")])
def test_a_member_that_can_only_be_unpacked_at_once_is_refused(method, name, tmp_path):
    code, text = unpacked(zip_of(tmp_path / "masks.zip", bytes(1 << 20), 5000, method), tmp_path)
    assert code == 1
    why = f"is compressed with {name} (method {method}); use deflate or store"
    assert f"{mask_paths(50)[0]!r} {why}" in text


# Copies with wrong bytes


@pytest.fixture
def files() -> dict[str, bytes]:
    """Those of a small copy of which a check finds nothing wrong."""
    files = dict(mutations.copy())
    listed = f"manifests/{LABEL.partition('/')[0]}.sha256"
    files[listed] = f"{hashlib.sha256(files[LABEL]).hexdigest()}  {LABEL}\n".encode()
    return files | {"dataset.json": mutations.dataset(files)}


@pytest.fixture
def verified(tmp_path, capsys) -> Callable[[dict[str, bytes]], tuple[int, str]]:
    """Writes a copy and runs the command that checks it: here, or where its memory can be measured."""

    def here(*arguments: object) -> tuple[int, str]:
        code = main([*map(str, arguments)])
        text = "".join(capsys.readouterr())
        assert "Traceback" not in text
        return code, text

    def verify(files: dict[str, bytes], run: Callable[..., tuple[int, str]] = here) -> tuple[int, str]:
        for name, data in files.items():
            path = tmp_path / "ImageNetS50" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_bytes(data)
        return run("verify", tmp_path, "--workers", 1)

    return verify


def test_the_small_copy_is_whole(files, verified):
    code, text = verified(files)
    assert code == 0, text


def test_a_huge_mask_in_a_copy_has_changed(files, verified, huge_png):
    code, text = verified(files | {next(x for x in files if x.endswith(".png")): huge_png}, run)
    assert code == 1
    assert re.search(r"^changed: train-semi-segmentation/n\d+/\S+\.png$", text, re.M)


def test_a_huge_label_of_which_nothing_is_known_is_not_read(files, verified, huge_png):
    label = label_path(MASK, "id16")
    files |= {"manifests/validation-segmentation-id16.sha256": b"damaged\n"}
    code, text = verified(files | {MASK: mutations.pngs()[0], label: huge_png}, run)
    assert code == 1
    assert f"unreadable: {label}\n" in text


def test_a_huge_mask_in_a_copy_without_manifests_is_not_read(verified, huge_png):
    code, text = verified({MASK: huge_png}, run)
    assert code == 1
    assert f"unreadable: {MASK}\n" in text


IMAGES = "manifests/train-semi.csv"
LIST = "manifests/train-semi.sha256"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (LIST, b"train-semi/", b"\xff\xfe/"),
        (LIST, b"train-semi/", b"../../train-semi/"),
        (LIST, b"train-semi/", b"/train-semi/"),
        (LIST, b".JPEG", b".JPEG\0"),
        (LIST, b"  ", b" "),
        (IMAGES, b"train-semi/", b"../train-semi/"),
        (IMAGES, f"\ntrain-semi/{FISH}".encode(), f"\n,train-semi/{FISH}".encode()),
        (IMAGES, b"image,", b"image,image,"),
        (IMAGES, b"\n", b"\n\xff\xfe,\n"),
        (IMAGES, b"sha256", b"\0"),
        ("manifests/validation-segmentation-id16.sha256", b"x.png", b"\xff.png"),
    ],
)
@pytest.mark.parametrize("vouched", [True, False])
def test_garbage_in_manifests_has_changed(name, old, new, vouched, files, verified):
    if name == LIST and vouched:  # a table that is vouched for needs no list
        del files[IMAGES]
    files[name] = files[name].replace(old, new)
    del files["dataset.json"]
    if vouched:
        files |= {IMAGES: files.get(IMAGES, b"")}
        files["dataset.json"] = mutations.dataset(files)
    code, text = verified(files)
    assert code == 1
    assert name in re.search(r"^changed\b.*(\n  .*)*", text, re.M)[0]


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"content": ' * 5000,
        b"9" * 5000,
        b"\xff\xfe{}\n",
        mutations.dataset({}, content=[]),
        mutations.dataset({}, content="manifests"),
        mutations.dataset({}, content={"manifests": []}),
        mutations.dataset({}, content={"manifests": {}}),
        mutations.dataset({}, content={"manifests": {"../../../x.sha256": None}}),
        mutations.dataset(mutations.copy(), build=[]),
        mutations.dataset(mutations.copy(), build={"link": {}}),
    ],
    ids=range(11),
)
def test_garbage_for_a_dataset_json_has_changed(data, files, verified):
    code, text = verified(files | {"dataset.json": data})
    assert code == 1
    assert re.search(r"^(changed|truncated)(: | \(\d+\):\n  )dataset\.json$", text, re.M)


@pytest.mark.parametrize("name", ["dataset.json", IMAGES])
def test_a_pipe_for_a_manifest_is_not_waited_for(name, files, verified, tmp_path):
    (tmp_path / "ImageNetS50" / "manifests").mkdir(parents=True)
    os.mkfifo(tmp_path / "ImageNetS50" / name)
    code, text = verified(files)
    assert code == 1
    assert f"missing: {name}\n" in text


# Configurations

ALIASES = "x0: &x0 [a, a]\n" + "".join(f"x{k + 1}: &x{k + 1} [*x{k}, *x{k}]\n" for k in range(40))
TABLES = "x0: &x0 {a: b}\n" + "".join(f"x{k + 1}: &x{k + 1} {{a: *x{k}, b: *x{k}}}\n" for k in range(40))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("subsets: " + "[" * 3000, "config.yaml is not valid YAML"),
        ("subsets: " + "{a: " * 3000, "config.yaml is not valid YAML"),
        ("output: 2026-99-99", "config.yaml is not valid YAML: month must be in 1..12"),
        (f"subsets: [{'9' * 5000}]", "config.yaml is not valid YAML: Exceeds the limit"),
        ("output: !!bool maybe", "config.yaml is not valid YAML"),
        ("output: !!int ''", "config.yaml is not valid YAML"),
        (f"? 0x{'f' * 5000}\n: 1", "it has a number of too many digits"),
        (f"subsets: [0x{'f' * 5000}]", "it has a number of too many digits"),
        ("output: &a {x: *a}", "it has too many values, or too deep ones"),
        ("subsets: &a [*a]", "it has too many values, or too deep ones"),
        (ALIASES, "it has too many values, or too deep ones"),
        (TABLES, "it has too many values, or too deep ones"),
        ('output: "a\\0b"', "output: has a zero byte"),
        ('imagenet: "~\\0"', "imagenet: has a zero byte"),
        ('annotations: {from: "~\\0/x"}', "annotations.from: has a zero byte"),
    ],
    ids=range(15),
)
def test_a_configuration_that_would_hang_or_crash_is_refused(text, words, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=re.escape(words)):
        read_config_file(path)


KEYS = st.sampled_from(mutations.KEYS) | st.text(max_size=3) | st.integers() | st.none()
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates()
LEAVES |= st.sampled_from(mutations.WORDS)
VALUES = st.recursive(LEAVES, lambda x: st.lists(x) | st.dictionaries(KEYS, x) | st.tuples(x), max_leaves=9)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(mutations.KEYS[:7]), VALUES, min_size=1) | VALUES)
def test_any_values_are_a_configuration_or_refused(values):
    try:
        found = read_config(values)
    except UserError as error:
        found = str(error)
    assert isinstance(found, Config) or "config.yaml" in found or "`output`" in found
