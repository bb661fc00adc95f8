"""Faults of disks and sources: a clear error, nothing wrong under a final name; the next run ends well."""

import errno
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from fuzz.kill_storm import leftovers
from helpers.builds import ROOT, check_sums, digest, image_files, snakemake
from helpers.http_server import (
    AnnotationServer,
    HangUp,
    IgnoreRange,
    Instead,
    Page,
    Redirect,
    ShortRange,
    Status,
    Truncate,
    WrongRange,
)
from helpers.raw_imagenet import TRAIN, hugging_face_tars, official
from helpers.trees import linked_copy
from imagenet_s.cli.main import main
from imagenet_s.config.build_request import BuildRequest
from imagenet_s.images import stream as passes
from imagenet_s.preflight.check import check_and_list
from imagenet_s.runtime.progress import log
from imagenet_s.spec.subsets import subset_of
from imagenet_s.workspace.leftovers import hold_output

IMAGE = "train/n01443537/n01443537_1.JPEG"
PART = "train-50-0"
ADVICE = "Free some space and run the same command again."


@pytest.fixture
def whole(output50) -> Path:
    """The subset's folder of an undisturbed build."""
    return output50 / "ImageNetS50"


@pytest.fixture
def settings(imagenet50, annotations50, tmp_path) -> dict:
    (tmp_path / "annotations").mkdir()
    shutil.copy(annotations50["path"], tmp_path / "annotations" / subset_of(50).archive_name)
    annotations = {"from": str(tmp_path / "annotations"), "md5": {50: annotations50["md5"]}}
    return {"imagenet": str(imagenet50), "train_images": "any", "annotations": annotations, "labels": []}


@pytest.fixture
def disk(tmp_path):
    """Makes a small disk with `mount` options; returns its folder."""
    folder = tmp_path / "disk"

    def mounted(options: str) -> Path:
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"no right to mount a small disk: {done.stderr.strip()}")
        return folder

    yield mounted
    if os.path.ismount(folder):
        subprocess.run(["umount", "-l", folder], check=True)


def without_rights() -> tuple[str, ...]:
    """What to put before a command so that permissions hold for it, also if we are root."""
    if os.geteuid():
        return ()
    if not shutil.which("setpriv"):
        pytest.skip("permissions do not hold for root, and there is no setpriv to give up its rights")
    return "setpriv", "--inh-caps=-all", "--bounding-set=-all"


def require_nothing_wrong(output: Path, whole: Path) -> None:
    """Every file of the tree that is there is right, and nothing vouches for it."""
    tree = output / "ImageNetS50"
    right = image_files(whole)
    for name, path in image_files(tree).items():
        assert path.read_bytes() == right[name].read_bytes()
    for path in (output / "work").glob("masks/50/*/*/*.png"):
        assert path.read_bytes() == (whole / path.relative_to(output / "work" / "masks" / "50")).read_bytes()
    images = {Path(name).stem: path for name, path in right.items() if name.endswith(".JPEG")}
    for path in (output / "work").glob("pool/*/*/*.JPEG"):
        assert path.read_bytes() == images[path.stem.rpartition("-")[0]].read_bytes()
    assert not (tree / "dataset.json").exists()


def require_whole(output: Path, whole: Path) -> None:
    assert digest(output / "ImageNetS50") == digest(whole)
    check_sums(output / "ImageNetS50")
    assert leftovers(output) == []


# The output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("size=3m", "free, and the build needs about"),
        pytest.param(
            "size=100m,nr_inodes=500",
            "more files (inodes), and the build makes about",
            marks=pytest.mark.long,
        ),
    ],
)
def test_too_small_a_disk_is_refused_before_anything_is_written(options, message, disk, settings, tmp_path):
    output = disk(options) / "results"
    run = snakemake(tmp_path / "run", **settings, output=str(output))
    assert run.code == 1
    assert message in run.text
    assert "Traceback" not in run.text
    assert sorted(path.name for path in output.iterdir()) == ["work"]
    assert not (output / "work" / "masks").exists()


@pytest.mark.long
@pytest.mark.parametrize(("what", "link"), [("bytes", "copy"), ("files", "symlink")])
def test_a_disk_that_fills_up_in_the_middle(what, link, disk, settings, whole, tmp_path):
    folder = disk("size=100m,nr_inodes=30000")
    output = folder / "results"
    settings |= {"output": str(output), "link": link}
    run = snakemake(tmp_path / "run", "--until", "source", **settings)
    assert run.code == 0, run.text
    filler = folder / "filler"
    filler.mkdir()
    if what == "bytes":
        with (filler / "0").open("wb") as file:
            file.write(bytes(shutil.disk_usage(folder).free - 1_000_000))
    else:
        for k in range(os.statvfs(folder).f_favail - 300):
            (filler / str(k)).touch()
    run = snakemake(tmp_path / "run", **settings)
    assert run.code == 1
    assert "No space left on device" in run.text
    assert f"{output}/work/" in run.text.partition("No space left on device")[2].partition("\n")[0]
    assert ADVICE in run.text
    assert "Traceback" not in run.text
    require_nothing_wrong(output, whole)
    shutil.rmtree(filler)
    run = snakemake(tmp_path / "run", **settings)
    assert run.code == 0, run.text
    assert "source" not in run.rules
    require_whole(output, whole)


def test_a_disk_that_is_full_to_the_last_byte_and_file(disk, capsys):
    folder = disk("size=1m,nr_inodes=40")
    (folder / "work" / "trees").mkdir(parents=True)
    with suppress(OSError), (folder / "filler").open("wb") as file:
        while True:
            file.write(bytes(4096))
    arguments = ["--log", str(folder / "work" / "a.log"), "summary", "--datasets", "x", "--summary"]
    assert main([*arguments, str(folder / "summary.txt")]) == 1
    assert "Traceback" not in capsys.readouterr().err
    log.handlers.clear()  # which closes the log
    (folder / "work" / "a.log").unlink()
    with suppress(OSError):
        for k in range(40):
            (folder / str(k)).touch()
    assert main([*arguments, str(folder / "summary.txt")]) == 1
    error = capsys.readouterr().err
    assert "No space left on device" in error
    assert "Traceback" not in error
    (folder / "0").unlink()
    (folder / "1").unlink()
    hold_output(folder)  # not a byte is left for its name
    assert main(["clean", str(folder), "--dry-run"]) == 0


def test_a_place_for_figures_that_cannot_be_written_is_told_before_they_are_made(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o555)
    (tmp_path / "open" / "out").mkdir(parents=True)
    (tmp_path / "open" / "out").chmod(0o555)

    def code_and_error(*arguments: object) -> tuple[int, str]:
        command = [*without_rights(), sys.executable, ROOT / "workflow" / "launch.py", *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.returncode, done.stderr

    figures = ("evaluate", "--subset", "50", "--truth", "nowhere", "--predictions", "nowhere", "--out")
    says = "--out: cannot write into {}: Permission denied. Name another place.\n"
    assert code_and_error(*figures, folder / "m.json") == (2, says.format(folder))
    assert code_and_error(*figures, folder / "new" / "m.json") == (2, says.format(folder / "new"))
    out = tmp_path / "open" / "out"
    assert code_and_error("grid-features", "--images", "nowhere", "--out", out) == (2, says.format(out))


def test_a_full_disk_is_no_wrong_place(disk, capsys):
    folder = disk("size=1m,nr_inodes=10")
    with suppress(OSError):
        for k in range(10):
            (folder / str(k)).touch()
    figures = ["evaluate", "--subset", "50", "--truth", "nowhere", "--predictions", "nowhere", "--out"]
    assert main([*figures, str(folder / "m.json")]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"No space left on device: {folder}/.m.json.part.\n")
    assert ADVICE in error


@pytest.mark.long
def test_an_output_that_cannot_be_written(settings, tmp_path):
    rights = without_rights()
    output = tmp_path / "results"
    run = snakemake(tmp_path / "run", "--until", "source", **settings, output=str(output))
    assert run.code == 0, run.text
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*")}
    folders = [output, *(path for path in before if path.is_dir())]
    for path in (*folders, *output.rglob("*.lock")):
        path.chmod(0o555)
    run = snakemake(tmp_path / "run", before=rights, **settings, output=str(output))
    assert run.code == 1
    assert f"`output`: cannot write to {output}: Permission denied." in run.text
    assert "Traceback" not in run.text
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*")} == before
    for path in (*folders, *output.rglob("*.lock")):
        path.chmod(0o755)
    run = snakemake(tmp_path / "run", "--until", "images", **settings, output=str(output))
    assert (run.code, run.rules) == (0, ["images"] * 3), run.text


def test_a_disk_that_becomes_read_only(disk, settings, tmp_path):
    folder = disk("size=100m")
    (folder / "results").mkdir()
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    run = snakemake(tmp_path / "run", **settings, output=str(folder / "results"))
    assert run.code == 1
    assert f"`output`: cannot write to {folder / 'results'}: Read-only file system." in run.text
    assert "Traceback" not in run.text


# The source


def listed(source: Path, output: Path) -> None:
    check_and_list(50, BuildRequest(source, output, [50], False, "copy", []), output / "work" / "source")


def images_command(output: Path) -> list[str]:
    work = output / "work"
    places = {
        "listing": work / "source" / "50.parquet",
        "records": work / "images" / f"{PART}.parquet",
        "copied": work / "pool" / f"{PART}.json",
        "pool": work / "pool",
        "scratch": work / "tmp" / PART,
    }
    options = [word for name, path in places.items() for word in (f"--{name}", str(path))]
    return ["images", "--part", PART, *options]


def made(output: Path) -> dict[str, bytes]:
    """Records and copies of an output, without those of the source."""
    folders = [output / "work" / name for name in ("images", "pool")]
    paths = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(output)): path.read_bytes() for path in paths}


def require_failed_then_as_ever(output: Path, source: Path, fresh: Path) -> None:
    """After a failure only right copies are there; after it is mended, all is as in a `fresh` output."""
    listed(source, fresh)
    assert main(images_command(fresh)) == 0
    right = made(fresh)
    failed = made(output)
    assert failed.items() <= right.items()
    assert not any(name.endswith((".parquet", ".json", ".part")) for name in failed)
    assert not (output / "work" / "tmp" / PART).exists()
    listed(source, output)
    assert main(images_command(output)) == 0
    records = f"work/images/{PART}.parquet"
    assert {k: v for k, v in made(output).items() if k != records} == {
        k: v for k, v in right.items() if k != records
    }
    if source.name != "official":  # else it names the archives, with their place
        assert made(output)[records] == right[records]


def test_a_source_file_that_may_not_be_read(imagenet50, tmp_path):
    rights = without_rights()
    source = linked_copy(imagenet50, tmp_path / "source")
    data = (source / IMAGE).read_bytes()
    (source / IMAGE).unlink()
    (source / IMAGE).write_bytes(data)
    listed(source, tmp_path / "output")
    (source / IMAGE).chmod(0)
    command = [*rights, sys.executable, ROOT / "workflow" / "launch.py", *images_command(tmp_path / "output")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Permission denied: {source / IMAGE}.\nYou may not read or write there.")
    (source / IMAGE).chmod(0o644)
    require_failed_then_as_ever(tmp_path / "output", source, tmp_path / "fresh")


MEMORY = Path("/proc/self/mem")  # nothing lies at its beginning: a read there fails with EIO


def test_a_source_file_whose_read_fails(imagenet50, tmp_path, capsys):
    if not MEMORY.exists():
        pytest.skip("no file here whose read fails")
    source = linked_copy(imagenet50, tmp_path / "source")
    listed(source, tmp_path / "output")
    (source / IMAGE).unlink()
    (source / IMAGE).symlink_to(MEMORY)
    assert main(images_command(tmp_path / "output")) == 1
    error = capsys.readouterr().err
    assert f"Input/output error: {source / IMAGE}" in error
    assert "Repair it and run the same command again." in error
    (source / IMAGE).unlink()
    (source / IMAGE).hardlink_to(imagenet50 / IMAGE)
    require_failed_then_as_ever(tmp_path / "output", source, tmp_path / "fresh")


def test_an_archive_whose_read_fails_in_the_middle(imagenet50, tmp_path, monkeypatch, capsys):
    source = official(imagenet50, tmp_path / "official")
    listed(source, tmp_path / "output")
    read, reads = os.preadv, []

    def failing(*arguments):
        reads.append(arguments)
        if len(reads) == 100:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(os, "preadv", failing)
        assert main(images_command(tmp_path / "output")) == 1
    assert f"Input/output error: {source / TRAIN}" in capsys.readouterr().err
    require_failed_then_as_ever(tmp_path / "output", source, tmp_path / "fresh")


def stream_command(source: Path, output: Path) -> list[str]:
    work = output / "work"
    files = [str(path) for path in sorted(source.glob("train_images_*"))]
    places = [f"--records={work / 'images' / 'r.parquet'}", f"--pool={work / 'pool'}"]
    part = f"train-pass-50-0-{len(files)}"
    return [
        "stream",
        "--part",
        "-".join(part.split("-")[:4]),
        "--files",
        *files,
        *places,
        f"--scratch={work / 's'}",
    ]


def test_a_stream_whose_read_fails(imagenet50, tmp_path, capsys):
    if not MEMORY.exists():
        pytest.skip("no file here whose read fails")
    source = hugging_face_tars(imagenet50, tmp_path / "source")
    broken = source / "train_images_3.tar.gz"
    broken.rename(tmp_path / "kept")
    broken.symlink_to(MEMORY)
    assert main(stream_command(source, tmp_path)) == 1
    error = capsys.readouterr().err
    assert str(broken) in error
    assert "Traceback" not in error
    assert not (tmp_path / "work" / "images").exists()
    broken.unlink()
    (tmp_path / "kept").rename(broken)
    assert main(stream_command(source, tmp_path)) == 0


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def shrink(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def replace(path: Path) -> None:
    new = path.with_name("new")
    new.write_bytes(path.read_bytes()[::-1])
    new.replace(path)


CHANGES = [grow, shrink, replace]


@pytest.mark.parametrize("change", CHANGES)
def test_an_image_that_changes_while_it_is_read(change, imagenet50, tmp_path, monkeypatch, capsys):
    source = linked_copy(imagenet50, tmp_path / "source")
    path = source / IMAGE
    path.unlink()
    shutil.copy(imagenet50 / IMAGE, path)
    listed(source, tmp_path / "output")
    read, changed = os.readv, []

    def reading(file: int, buffers: list) -> int:
        count = read(file, buffers)
        if not changed and os.path.samestat(os.fstat(file), os.stat(path)):
            changed.append(change(path))
        return count

    with monkeypatch.context() as patched:
        patched.setattr(os, "readv", reading)
        assert main(images_command(tmp_path / "output")) == 1
    assert f"{path} changed while it was read. Run the same command again." in capsys.readouterr().err
    shutil.copy(imagenet50 / IMAGE, path)
    require_failed_then_as_ever(tmp_path / "output", source, tmp_path / "fresh")


@pytest.mark.parametrize("change", CHANGES)
def test_an_archive_that_changes_while_it_is_read(change, imagenet50, tmp_path, monkeypatch, capsys):
    source = official(imagenet50, tmp_path / "official")
    path = source / TRAIN
    data = path.read_bytes()
    listed(source, tmp_path / "output")
    read, changed = os.preadv, []

    def reading(*arguments) -> int:
        if not changed:
            changed.append(change(path))
        return read(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(os, "preadv", reading)
        assert main(images_command(tmp_path / "output")) == 1
    error = capsys.readouterr().err
    assert f"{path} has changed since" in error or f"{path} became shorter while it was read" in error
    assert not (tmp_path / "output" / "work" / "images").exists()
    path.write_bytes(data)
    listed(source, tmp_path / "output")
    assert main(images_command(tmp_path / "output")) == 0


@pytest.mark.parametrize("change", CHANGES)
def test_a_stream_that_changes_while_it_is_read(change, imagenet50, tmp_path, monkeypatch, capsys):
    source = hugging_face_tars(imagenet50, tmp_path / "source")
    path = source / "train_images_0.tar.gz"
    data = path.read_bytes()
    record, changed = passes.record_of, []

    def recording(*arguments) -> tuple:
        if not changed:
            changed.append(change(path))
        return record(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(passes, "record_of", recording)
        assert main(stream_command(source, tmp_path)) == 1
    error = capsys.readouterr().err
    assert f"{path} changed while it was read" in error or f"{path} is damaged or ends early" in error
    assert not (tmp_path / "work" / "images").exists()
    path.write_bytes(data)
    assert main(stream_command(source, tmp_path)) == 0


# The server of the annotations


@pytest.mark.long
def test_a_server_that_misbehaves_through_whole_runs(imagenet50, annotations50, whole, tmp_path):
    data, name = Path(annotations50["path"]).read_bytes(), subset_of(50).archive_name
    path, output = f"/a/{name}", tmp_path / "results"
    settings = {"imagenet": str(imagenet50), "train_images": "any", "output": str(output), "labels": []}
    fatal = {
        Page(): "expected a file, got an HTML page titled “Please sign in”",
        Status(404): "expected the file (HTTP 200), got HTTP 404 Not Found",
        Redirect(path): "TooManyRedirects",
        Instead(data[::-1]): f"expected md5 {annotations50['md5']}, got md5",
    }
    with AnnotationServer({path: data, "/b": data}) as server:
        settings["annotations"] = {"from": f"{server.url}/a", "md5": {50: annotations50["md5"]}}
        for answer, message in fatal.items():
            server.misbehave(path, answer, forever=True)
            run = snakemake(tmp_path / "run", **settings)
            assert (run.code, message in run.text, "Traceback" in run.text) == (1, True, False), run.text
            assert f"Cannot download {server.url}{path}" in run.text
            assert not (output / "work" / "annotations" / name).exists()
            assert not (output / "ImageNetS50").exists()
            server.behave()
        survived = [
            Status(503),
            Truncate(len(data) // 3),
            HangUp(),
            WrongRange(7),
            IgnoreRange(len(data) // 2),
            ShortRange(len(data) // 4),
            Redirect("/b"),
        ]
        server.requests.clear()
        server.misbehave(path, *survived)
        run = snakemake(tmp_path / "run", **settings)
        assert run.code == 0, run.text
        statuses = [request.status for request in server.requests]
    assert statuses == [503, 200, None, 206, 200, 206, 302, 206]
    require_whole(output, whole)
