"""A receipt is renamed only after one sync of the data that it stands for."""

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from helpers.builds import ROOT
from helpers.disk_calls import Recorder, failing, needs_proc, part_of
from imagenet_s.io import receipts as module
from imagenet_s.io.receipts import durable, receipt, receipts, sync, write_receipt


@pytest.fixture
def recorder(tmp_path, monkeypatch) -> Recorder:
    return Recorder(tmp_path, monkeypatch)


@needs_proc
def test_a_receipt_is_renamed_after_one_sync_of_its_data(tmp_path, recorder):
    data, path = tmp_path / "data", tmp_path / "receipts" / "a.json"
    data.mkdir()
    with receipt(path, data) as partial:
        (data / "file").write_text("data")
        partial.write_text("receipt")
    assert recorder.calls == [
        ("sync", str(path.parent)),
        ("fsync", part_of(path)),
        ("rename", str(path)),
        ("fsync", str(path.parent)),
    ]
    assert recorder.synced == [recorder.files()]
    assert path.read_text() == "receipt"
    assert os.listdir(path.parent) == ["a.json"]


@needs_proc
def test_several_receipts_share_one_sync_and_one_fsync_of_their_folder(tmp_path, recorder):
    paths = [tmp_path / "a" / "1", tmp_path / "a" / "2", tmp_path / "b" / "3"]
    with receipts(paths) as partials:
        for partial in partials:
            partial.write_text("receipt")
    assert recorder.calls == [
        ("sync", str(tmp_path / "a")),
        *(("fsync", part_of(path)) for path in paths),
        *(("rename", str(path)) for path in paths),
        ("fsync", str(tmp_path / "a")),
        ("fsync", str(tmp_path / "b")),
    ]


@needs_proc
def test_a_durable_file_syncs_itself_and_nothing_else(tmp_path, recorder):
    path = tmp_path / "plan"
    with durable(path) as partial:
        partial.write_text("plan")
    assert recorder.calls == [("fsync", part_of(path)), ("rename", str(path)), ("fsync", str(tmp_path))]


@needs_proc
def test_both_file_systems_are_synced_if_data_and_receipt_are_on_two(tmp_path, recorder):
    elsewhere = next(
        (f for f in ("/dev/shm", "/var/tmp", ROOT) if os.stat(f).st_dev != os.stat(tmp_path).st_dev), None
    )
    if elsewhere is None:
        pytest.skip("all folders are on one file system")
    with tempfile.TemporaryDirectory(dir=elsewhere) as name:
        (tmp_path / "pool").symlink_to(name)
        write_receipt(tmp_path / "a.json", {}, tmp_path / "pool", tmp_path, Path(name))
    assert recorder.calls[:3] == [
        ("sync", str(tmp_path)),
        ("sync", str(tmp_path / "pool")),
        ("fsync", part_of(tmp_path / "a.json")),
    ]


@needs_proc
def test_a_missing_folder_is_not_synced(tmp_path, recorder):
    sync(tmp_path / "pool")
    assert recorder.calls == []


def both(paths: list[Path], text: str) -> None:
    """Write receipts with this text."""
    with receipts(paths) as partials:
        for partial in partials:
            partial.write_text(text)


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("call", ["syncfs", "fsync", "replace"])
def test_a_disk_error_names_the_file_and_no_receipt_appears(tmp_path, monkeypatch, call, error):
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    paths[0].write_text("of an earlier run")
    failing(monkeypatch, call, error)
    with pytest.raises(OSError, match=os.strerror(error)) as caught:
        both(paths, "receipt")
    assert caught.value.errno == error
    named = {"syncfs": tmp_path, "fsync": paths[0], "replace": paths[1]}
    assert caught.value.filename == str(named[call])
    assert os.listdir(tmp_path) == ["a.json"]
    assert paths[0].read_text() == "of an earlier run"


@pytest.mark.parametrize("error", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
@pytest.mark.parametrize("call", ["syncfs", "fsync"])
def test_a_file_system_without_sync_does_not_fail_a_build(tmp_path, monkeypatch, call, error):
    failing(monkeypatch, call, error)
    write_receipt(tmp_path / "a.json", {})
    assert os.listdir(tmp_path) == ["a.json"]


@pytest.mark.parametrize("has_it", [False, True])
def test_a_system_without_syncfs_syncs_everything(tmp_path, monkeypatch, has_it):
    calls = []
    monkeypatch.setattr(os, "sync", lambda: calls.append("sync"))
    if has_it:  # the C library has it, but the kernel does not
        failing(monkeypatch, "syncfs", errno.ENOSYS)
    else:
        monkeypatch.setattr(module, "_libc", lambda: object())
    sync(tmp_path)
    assert calls == ["sync"]


def test_the_systems_own_syncfs_is_called(tmp_path, monkeypatch):
    if not hasattr(module._libc(), "syncfs"):
        pytest.skip("this system has no syncfs")
    monkeypatch.setattr(os, "sync", lambda: pytest.fail("syncfs is there"))
    sync(tmp_path)


@pytest.mark.parametrize("moment", ["sync", "fsync", "replace"])
def test_a_crash_before_the_rename_leaves_no_final_name(tmp_path, moment):
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom imagenet_s.io import receipts\n"
        f"crash = lambda *_: os._exit(9)\nfolder = Path({str(tmp_path)!r})\n"
        f"setattr(*((receipts, '_sync_file_system') if {moment!r} == 'sync' else (os, {moment!r})), crash)\n"
        "with receipts.receipts([folder / 'a', folder / 'b']) as partials:\n"
        "    for partial in partials: partial.write_text('half')\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow")}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 9
    assert sorted(os.listdir(tmp_path)) == [".a.part", ".b.part"]
    both([tmp_path / "a", tmp_path / "b"], "whole")
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]
