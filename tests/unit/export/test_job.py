"""Exports are the same each time, go on after a kill, and refuse what the manifest does not state."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from helpers.checks import without_manifests
from helpers.damages import own_copy
from helpers.exports import digests, samples_in
from imagenet_s.cli.main import main
from imagenet_s.export import job, webdataset
from imagenet_s.export.job import writing_to
from imagenet_s.io.atomic import read_json, write_json
from imagenet_s.pipeline.code_digest import code_digest
from imagenet_s.preflight.disk_space import Space

SPLIT = ("--splits", "validation")


def export(*arguments: object, code: int = 0) -> None:
    assert main(["export", "webdataset", *map(str, arguments), "--workers", "2"]) == code


@pytest.fixture
def small_shards(monkeypatch) -> None:
    """Six shards of validation instead of one."""
    monkeypatch.setattr(webdataset, "SHARD_BYTES", 250_000)


@pytest.fixture
def copy(tree50, tmp_path) -> Path:
    """A copy of a build, for one test."""
    return own_copy(tree50, tmp_path / "results" / "ImageNetS50")


def shards(folder: Path) -> list[Path]:
    return sorted(folder.glob("ImageNetS50-validation-*.tar"))


def test_another_number_of_threads_and_another_place_give_the_same_bytes(tree50, exported, tmp_path):
    assert main(["export", "webdataset", str(tree50), "--out", str(tmp_path / "x"), "--workers", "1"]) == 0
    assert digests(tmp_path / "x") == digests(exported("webdataset"))


def test_the_manifest_states_files_digests_and_the_data_set(tree50, exported):
    folder = exported("webdataset")
    manifest = read_json(folder / "ImageNetS50-validation.manifest.json")
    (file,) = manifest.pop("files")
    assert len(file.pop("inputs")) == 64
    name = "ImageNetS50-validation-000000.tar"
    data = (folder / name).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    assert file == {"name": name, "samples": 752, "bytes": len(data), "sha256": digest}
    assert manifest == {
        "format": "webdataset",
        "dataset": "ImageNetS50",
        "subset": 50,
        "split": "validation",
        "digest": read_json(tree50 / "dataset.json")["content"]["digest"],
        "order": "sorted by image",
        "libraries": {"imagenet-s": "0.1.0"},
        "samples": 752,
        "bytes": len(data),
    }
    assert not list(folder.rglob(".*"))
    lists = sorted(path.name for path in folder.glob("*.sha256"))
    assert len(lists) == 4
    subprocess.run(["sha256sum", "-c", "--quiet", *lists], cwd=folder, check=True)


def writes_before(monkeypatch, before: Callable[[int], None]) -> list[int]:
    """Call `before` with the number of each file that is written; returns the numbers, which grow."""
    numbers: list[int] = []

    def write(split, rows, file, making):
        numbers.append(len(numbers))
        file.write(b"")
        before(numbers[-1])
        webdataset.write(split, rows, file, making)

    monkeypatch.setattr(webdataset, "FORMAT", replace(webdataset.FORMAT, write=write))
    return numbers


def test_a_killed_export_goes_on_with_the_files_that_are_not_whole(
    tree50, tmp_path, small_shards, monkeypatch
):
    export(tree50, *SPLIT, "--out", tmp_path / "whole")
    expected, folder = digests(tmp_path / "whole"), tmp_path / "killed"

    def kill(number: int) -> None:
        if number == 3:
            raise KeyboardInterrupt

    writes_before(monkeypatch, kill)
    export(tree50, *SPLIT, "--out", folder, code=130)
    assert len(shards(folder)) == 3
    assert not list(folder.glob("[!.]*.json"))
    # What a kill leaves in the middle of a write, and a shard that lost its bytes in a power cut.
    (folder / ".ImageNetS50-validation-000003.tar.part").write_bytes(b"half")
    lost = shards(folder)[1]
    lost.write_bytes(bytes(lost.stat().st_size))
    kept = {path: path.stat().st_ino for path in shards(folder) if path != lost}
    written = writes_before(monkeypatch, lambda number: None)
    export(tree50, *SPLIT, "--out", folder)
    assert digests(folder) == expected
    assert (len(written), len(shards(folder))) == (4, 6)
    assert kept == {path: path.stat().st_ino for path in kept}


def test_a_second_export_keeps_all_files(tree50, tmp_path, small_shards):
    for _ in range(2):
        export(tree50, *SPLIT, "--out", tmp_path / "x")
        times = {path: path.stat().st_ino for path in shards(tmp_path / "x")}
    assert len(times) == 6
    export(tree50, *SPLIT, "--out", tmp_path / "x")
    assert times == {path: path.stat().st_ino for path in shards(tmp_path / "x")}


def test_files_of_other_code_are_made_again_and_those_of_more_shards_removed(
    tree50, tmp_path, small_shards, monkeypatch
):
    folder = tmp_path / "x"
    export(tree50, *SPLIT, "--out", folder)
    manifest = folder / "ImageNetS50-validation.manifest.json"
    stated = read_json(manifest)
    for file in stated["files"]:
        file["inputs"] = "of other code"
    write_json(manifest, stated)
    before = shards(folder)
    times = [path.stat().st_ino for path in before]
    export(tree50, *SPLIT, "--out", folder)
    assert not set(times) & {path.stat().st_ino for path in shards(folder)}
    monkeypatch.setattr(webdataset, "SHARD_BYTES", 1e9)
    other = folder / "ImageNetS50-test-000005.tar"
    other.write_bytes(b"of another split")
    export(tree50, *SPLIT, "--out", folder)
    assert (len(before), len(shards(folder)), other.exists()) == (6, 1, True)


def test_jobs_of_the_workflow_make_the_files_of_the_command(tree50, exported, tmp_path, capsys):
    folder, receipts = tmp_path / "out", [str(tmp_path / f"{number}.json") for number in range(2)]
    made = ["--format", "webdataset", "--folder", str(folder)]
    code = code_digest("export.job", "export.webdataset")
    for number, receipt in enumerate(receipts):
        which = ["--subset", "50", "--split", "train", "--job", str(number), "--code", code]
        run = ["--tree", str(tree50), "--receipt", receipt, "--workers", "1"]
        assert main(["export-files", *made, *which, *run]) == 0
    assert not list(folder.rglob(".*"))
    assert main(["export-manifest", *made, "--receipts", *receipts]) == 0
    assert main(["export-info", *made]) == 0
    found, whole = digests(folder), digests(exported("webdataset"))
    assert list(read_json(folder / "_info.json")["splits"]) == ["ImageNetS50-train"]
    del found["_info.json"]
    assert sorted(found) == [
        "ImageNetS50-train-000000.tar",
        "ImageNetS50-train.manifest.json",
        "ImageNetS50-train.sha256",
    ]
    assert found == {name: whole[name] for name in found}
    tar = folder / "ImageNetS50-train-000000.tar"
    tar.write_bytes(b"")
    capsys.readouterr()
    assert main(["export-manifest", *made, "--receipts", *receipts]) == 1
    assert capsys.readouterr().err == (
        f"Files of an export are missing or have another size: {tar}. Run "
        "`snakemake --cores all export --forcerun export_files`: it makes them again.\n"
    )


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "its sha256 is another"),
        (lambda data: data[:100], "it has 100 bytes instead of {size:,}"),
        (lambda data: b"", "it has 0 bytes instead of {size:,}"),
    ],
)
@pytest.mark.parametrize("folder", ["validation", "validation-segmentation"])
def test_a_changed_file_is_named_and_its_shard_not_written(copy, folder, change, found, capsys):
    path = sorted((copy / folder).rglob("*.*"))[40]
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(change(data))
    export(copy, *SPLIT, code=1)
    error = capsys.readouterr().err
    assert (
        f"{path} is not the file that its manifest states: {found.format(size=len(data))}.\n"
        f"`imagenet-s verify {copy}` lists all damage and says how to repair it. Then run the same command "
        "again.\n"
    ) in error
    assert digests(copy.parent / "exports") == {}


def test_a_missing_file_is_named(copy, capsys):
    path = sorted((copy / "validation").rglob("*.JPEG"))[-1]
    path.unlink()
    export(copy, *SPLIT, code=1)
    assert f"{path} is missing.\n`imagenet-s verify {copy}` lists all damage" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (Path.mkdir, "cannot be read: Is a directory"),
        (os.mkfifo, "is not the file that its manifest states: it has 0 bytes instead of"),
    ],
)
def test_a_folder_or_a_pipe_in_place_of_a_file_is_named(copy, make, found, capsys):
    path = sorted((copy / "validation-segmentation").rglob("*.png"))[-1]
    path.unlink()
    make(path)
    export(copy, *SPLIT, code=1)
    assert f"{path} {found}" in capsys.readouterr().err


def test_a_copy_without_manifests_is_exported_with_what_is_known(copy, exported):
    shutil.rmtree(copy / "manifests")
    (copy / "dataset.json").unlink()
    export(copy)
    folder = copy.parent / "exports" / "webdataset"
    assert read_json(folder / "ImageNetS50-validation.manifest.json")["digest"] is None
    for split in ("train", "validation"):
        name = f"ImageNetS50-{split}-000000.tar"
        own, other = samples_in(folder / name), samples_in(exported("webdataset") / name)
        assert list(own) == list(other)
        for key, members in other.items():
            facts = json.loads(members["json"]) | {"width": None, "height": None, "sha256": None}
            members["json"] = json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()
            assert own[key] == members


def test_masks_that_a_copy_without_manifests_lacks_are_named_unless_it_has_none(copy, capsys):
    without_manifests(copy)
    folder = copy / "validation-segmentation"
    masks = sorted(folder.rglob("*.png"))[:2]
    images = [f"validation/{mask.parent.name}/{mask.stem}.JPEG" for mask in masks]
    for mask in masks:
        mask.unlink()
    message = (
        f"{copy} lacks the masks of 2 images: {', '.join(images)}.\n"
        f"`imagenet-s verify {copy}` lists all damage and says how to repair it."
    )
    export(copy, *SPLIT, code=1)
    assert message in capsys.readouterr().err
    assert digests(copy.parent / "exports") == {}
    shutil.rmtree(folder)
    export(copy, *SPLIT)
    (shard,) = shards(copy.parent / "exports" / "webdataset")
    assert {tuple(files) for files in samples_in(shard).values()} == {("jpg", "cls", "json")}
    assert main(["export", "coco", str(copy), *SPLIT]) == 1
    assert f"{copy} lacks the masks of 752 images: {images[0]}, " in capsys.readouterr().err


@pytest.mark.parametrize("data", [b"", b"<html>not found</html>\n"])
@pytest.mark.parametrize("folder", ["validation", "validation-segmentation"])
def test_a_file_of_a_copy_without_manifests_that_is_no_image_is_named(copy, folder, data, capsys):
    without_manifests(copy)
    path = sorted((copy / folder).rglob("*.*"))[40]
    path.unlink()
    path.write_bytes(data)
    export(copy, *SPLIT, code=1)
    assert f"{path} is no image.\n`imagenet-s verify {copy}` lists all damage" in capsys.readouterr().err
    assert digests(copy.parent / "exports") == {}


def test_a_changed_image_of_a_copy_without_manifests_is_exported_again(copy):
    shutil.rmtree(copy / "manifests")
    (copy / "dataset.json").unlink()
    export(copy, *SPLIT)
    (shard,) = shards(copy.parent / "exports" / "webdataset")
    image = sorted((copy / "validation").rglob("*.JPEG"))[7]
    data = image.read_bytes()
    changed = data[:-1] + bytes([data[-1] ^ 1])
    image.unlink()
    image.write_bytes(changed)
    export(copy, *SPLIT)
    assert list(samples_in(shard).values())[7]["jpg"] == changed


def test_too_little_space_is_said_before_anything_is_written(tree50, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(job, "space_at", lambda folder: Space(folder, None, 1_000_000))
    export(tree50, "--out", tmp_path / "x", code=1)
    assert (
        f"{tmp_path / 'x'} has 1.0 MB free, and the export needs about 21.3 MB. Make room there, or name "
        "another folder.\n"
    ) in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{tree}", "--out", "{tree}/x"], "--out: {tree}/x would be written over, or into, what is read"),
        (["{tree}", "--splits", "all"], "'all' is not allowed; allowed: train, train-semi, validation, test"),
        (["{tree}/nothing"], "{tree}/nothing holds no copy of ImageNet-S: there is no such folder."),
    ],
)
def test_wrong_usage_ends_with_2(tree50, arguments, message, capsys):
    given = [argument.format(tree=tree50) for argument in arguments]
    try:
        code = main(["export", "webdataset", *given])
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    assert message.format(tree=tree50) in capsys.readouterr().err


def test_a_split_that_a_copy_does_not_have_is_refused(copy, capsys):
    shutil.rmtree(copy / "manifests")
    (copy / "dataset.json").unlink()
    shutil.rmtree(copy / "test")
    export(copy, "--splits", "test", code=2)
    message = f"--splits: {copy} has no test, only train, train-semi, validation.\n"
    assert capsys.readouterr().err == message
    assert not (copy.parent / "exports").exists()


def test_two_exports_do_not_write_to_one_folder_but_jobs_do(tree50, tmp_path, capsys):
    with writing_to(tmp_path / "x", with_other_jobs=True):
        export(tree50, *SPLIT, "--out", tmp_path / "x", code=1)
        with writing_to(tmp_path / "x", with_other_jobs=True):
            pass
    assert capsys.readouterr().err == (
        f"Another export writes to {tmp_path / 'x'}. Wait until it has ended, or name another folder with "
        "--out.\n"
    )
    assert list((tmp_path / "x").iterdir()) == []


def test_the_command_says_what_it_made(tree50, tmp_path, capsys):
    export(tree50.parent, *SPLIT, "--out", tmp_path / "x")
    size = (tmp_path / "x" / "ImageNetS50-validation-000000.tar").stat().st_size
    assert capsys.readouterr().out == (
        f"ImageNetS50 validation: 752 samples in 1 file, {size / 1e6:.1f} MB; "
        f"{tmp_path / 'x' / 'ImageNetS50-validation.sha256'} has their sha256\n"
    )


def test_a_folder_of_another_format_is_refused(tree50, tmp_path, capsys):
    export(tree50, *SPLIT, "--out", tmp_path / "x")
    before = digests(tmp_path / "x")
    capsys.readouterr()
    assert main(["export", "alphaclip", str(tree50), "--out", str(tmp_path / "x")]) == 1
    assert capsys.readouterr().err == (
        f"{tmp_path / 'x'} holds an export of another format, webdataset: "
        "ImageNetS50-validation.manifest.json. Each format needs a folder of its own: name another one with "
        "--out.\n"
    )
    assert digests(tmp_path / "x") == before
