"""Checking zips that others wrote: valid ones pass, and each kind of fault is named."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from helpers.submission import (
    EXPECTED_MATCH,
    EXPECTED_METHOD,
    EXPECTED_PNGS,
    FIELDS,
    MATCH,
    NAMES,
    TEXT,
    Members,
    check,
    submit,
)
from imagenet_s.masks.codec import rgb_png
from imagenet_s.spec.method_txt import LINES


def in_a_folder(members: Members) -> Members:
    return {f"submission/{name}": data for name, data in members.items()}


def in_a_folder_but_for_the_first(members: Members) -> Members:
    return {f"a/b/{name}": data for name, data in members.items() if name != NAMES[0]}


def in_two_folders(members: Members) -> Members:
    return {f"{'ab'[i % 2]}/{name}": data for i, (name, data) in enumerate(members.items())}


def with_empty_texts(members: Members) -> Members:
    return members | {"method.txt": b"", "match.json": b""}


def without_one(members: Members) -> Members:
    return {name: data for name, data in members.items() if name != NAMES[9]}


def without_method(members: Members) -> Members:
    return {name: data for name, data in members.items() if name != "method.txt"}


def with_junk(members: Members) -> Members:
    return members | {"__MACOSX/._method.txt": b"x", "n01443537/.DS_Store": b"x"}


def of_jpegs(members: Members) -> Members:
    buffer = io.BytesIO()
    Image.new("RGB", (5, 5)).save(buffer, "JPEG")
    return members | {NAMES[9]: buffer.getvalue()}


def with_ignored(members: Members) -> Members:
    return members | {NAMES[9]: rgb_png(np.full((5, 5), 1000, np.uint16))}


def in_a_folder_with_other_faults(members: Members) -> Members:
    return {f"test/{name}": data for name, data in with_a_newline(with_ignored(members)).items()}


def by_finder(members: Members) -> Members:
    """The way of "Compress" in macOS: each file has another one with its attributes."""
    inside = {f"test/{name}": data for name, data in (members | {".DS_Store": b"x"}).items()}
    attributes = ("__MACOSX/{}/._{}".format(*name.rsplit("/", 1)) for name in inside)
    return inside | dict.fromkeys(sorted(attributes), b"x")


def by_windows(members: Members) -> Members:
    return {name.replace("/", "\\"): data for name, data in members.items()}


def by_windows_in_a_folder(members: Members) -> Members:
    return by_windows({"test/": b""} | {f"test/{name}": data for name, data in members.items()})


def with_a_newline(members: Members) -> Members:
    return members | {"method.txt": TEXT.encode() + b"\n"}


def too_long(members: Members) -> Members:
    return members | {"method.txt": TEXT.encode().ljust(65_537, b".")}


def upwards(members: Members) -> Members:
    return members | {"../evil.png": b"x", "../evil/": b"", "/abs/": b""}


BACK = [name.replace("/", "\\") for name in NAMES]


FAULTS = {
    in_a_folder: "all in a folder (1): 'submission/': its content must be at the top level of the zip",
    in_a_folder_but_for_the_first: (
        "all in a folder (1): 'a/b/': its content must be at the top level of the zip\n"
        f"- missing predictions (1): {NAMES[0]}\n{EXPECTED_PNGS}\n"
    ),
    in_a_folder_with_other_faults: (
        "all in a folder (1): 'test/': its content must be at the top level of the zip\n"
        f"- errors in method.txt (1): ends in a newline\n- with ids above 50 (1): {NAMES[9]} has 1000\n"
        f"{EXPECTED_PNGS}\n{EXPECTED_METHOD}\n"
    ),
    by_finder: (
        "all in a folder (1): 'test/': its content must be at the top level of the zip\n"
        "- unexpected files (1,685): .DS_Store; __MACOSX/test/._.DS_Store; "
    ),
    by_windows: (
        f"names with backslashes instead of slashes (1,682): {BACK[0]}; {BACK[1]}; {BACK[2]}; …\n"
        f"{EXPECTED_PNGS}\n"
    ),
    by_windows_in_a_folder: (
        f"names with backslashes instead of slashes (1,684): test\\; test\\{BACK[0]}; test\\{BACK[1]}; …\n"
        f"- all in a folder (1): 'test/': its content must be at the top level of the zip\n{EXPECTED_PNGS}\n"
    ),
    in_two_folders: "missing predictions (1,682): ",
    with_empty_texts: "errors in method.txt (1): is empty",
    without_one: f"missing predictions (1): {NAMES[9]}\n{EXPECTED_PNGS}\n",
    without_method: f":\n- missing (1): method.txt\n{EXPECTED_METHOD}\n",
    with_junk: "unexpected files (2): __MACOSX/._method.txt; n01443537/.DS_Store",
    of_jpegs: f"{NAMES[9]} is not a readable PNG",
    with_ignored: f"with ids above 50 (1): {NAMES[9]} has 1000",
    with_a_newline: f":\n- errors in method.txt (1): ends in a newline\n{EXPECTED_METHOD}\n",
    too_long: f":\n- errors in method.txt (1): has 65,537 bytes, more than 65,536\n{EXPECTED_METHOD}\n",
    upwards: "leads outside the folder (3): ../evil.png; ../evil/; /abs/\n",
}


def zipped(members: Members, path: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.mkdir("n01443537/")  # like shutil.make_archive, which the official scripts call
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_a_valid_zip_passes_and_is_not_changed(members, test50, tmp_path, capsys):
    path = zipped(members, tmp_path / "s.zip")
    before = path.read_bytes()
    assert check(path, "semi-supervised", "--images", str(test50 / "images")) == 0
    assert "1,682 predictions, read back and valid" in capsys.readouterr().out
    assert path.read_bytes() == before


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_each_fault_of_a_zip_is_named(fault: Callable, members, tmp_path, capsys):
    path = zipped(fault(members), tmp_path / "s.zip")
    assert check(path) == 1
    text = capsys.readouterr().err
    assert FAULTS[fault] in text
    assert "Traceback" not in text
    assert [path.name for path in tmp_path.iterdir()] == ["s.zip"]


def test_a_zip_with_a_member_twice_is_refused(members, tmp_path, capsys):
    path = zipped(members, tmp_path / "s.zip")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(NAMES[0], b"another")
    assert check(path) == 1
    expected = f"{path} cannot be submitted:\n- is there twice (1): {NAMES[0]}\n{EXPECTED_PNGS}\n"
    assert capsys.readouterr().err.endswith(expected)


@pytest.mark.parametrize(("method", "name"), [(zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "lzma")])
def test_a_zip_with_another_compression_is_refused_without_reading_its_members(
    method, name, members, tmp_path, capsys
):
    path = zipped(without_one(members), tmp_path / "s.zip", method)
    assert check(path) == 1
    assert (
        f"{path} cannot be submitted:\n"
        f"- is compressed with {name} (method {method}); use deflate or store (1,682): "
        f"{NAMES[0]}; {NAMES[1]}; {NAMES[2]}; …\n"
        f"- missing predictions (1): {NAMES[9]}\n"
        f"{EXPECTED_PNGS}\n{EXPECTED_METHOD}\n"
    ) in capsys.readouterr().err


def test_a_zip_that_would_unpack_to_too_much_is_not_read(members, tmp_path, capsys):
    path = zipped(members, tmp_path / "s.zip")
    with zipfile.ZipFile(path, "a") as archive:
        for info in archive.infolist()[1:]:
            info.file_size = 10_000_000
        archive.writestr("more", b"")  # so that the list is written again
    assert check(path) == 1
    text = capsys.readouterr().err
    assert "- would unpack to more than 16 GB (1): s.zip\n- unexpected files (1): more\n" in text


def test_only_the_wrong_files_are_described_as_expected(members, tmp_path, capsys):
    match = json.dumps(MATCH | {"7": "7"}).encode()
    path = zipped(members | {"match.json": match}, tmp_path / "s.zip")
    assert check(path, "unsupervised") == 1
    assert capsys.readouterr().err.endswith(
        f"{path} cannot be submitted:\n- errors in match.json (1): "
        f"it has entries that are not of the form \"7\": 12, namely '7': '7'\n{EXPECTED_MATCH}\n"
    )
    path = zipped(with_a_newline(without_one(members)), tmp_path / "s.zip")
    assert check(path, "unsupervised") == 1
    assert capsys.readouterr().err.endswith(f"\n{EXPECTED_PNGS}\n{EXPECTED_METHOD}\n{EXPECTED_MATCH}\n")


def test_damaged_members_of_a_zip_are_named(members, tmp_path, capsys):
    path = zipped(members, tmp_path / "s.zip", zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    for name in (NAMES[5], "method.txt"):
        data[data.index(members[name]) + len(members[name]) // 2] ^= 1
    path.write_bytes(data)
    assert check(path) == 1
    text = capsys.readouterr().err
    assert f"damaged (2): method.txt its CRC-32 is wrong; {NAMES[5]} its CRC-32 is wrong" in text
    path.write_bytes(data[:-100])
    assert check(path) == 1
    assert capsys.readouterr().err.endswith(f"{path} is not a complete zip (cut short?). Write it again.\n")


def test_an_empty_match_json_is_refused(folder, test50, members, capsys):
    (folder / "match.json").write_bytes(b"")
    assert submit(folder, test50, "unsupervised", match=folder / "match.json") == 1
    assert "errors in match.json (1): it is not JSON" in capsys.readouterr().err
    for protocol in ("unsupervised", "free"):
        assert check(zipped(with_empty_texts(members), folder / "s.zip"), protocol) == 1
        assert "errors in match.json (1): it is not JSON" in capsys.readouterr().err


def test_a_damaged_match_json_is_named_once(folder, test50, capsys):
    assert submit(folder, test50, "unsupervised", match=folder / "match.json") == 0
    data = bytearray((folder / "s.zip").read_bytes())
    data[data.index(b'{"0": 0')] ^= 1
    (folder / "s.zip").write_bytes(data)
    capsys.readouterr()
    assert check(folder / "s.zip", "unsupervised") == 1
    text = capsys.readouterr().err
    assert "damaged (1): match.json its CRC-32 is wrong" in text
    assert "errors in match.json" not in text


def test_919_in_a_method_gives_a_warning_if_it_is_not_allowed(folder, test50, capsys):
    for key in ("training_data", "training_scheme", "networks", "description"):
        (folder / "method.yaml").write_text(yaml.safe_dump(FIELDS | {key: "on 919"}))
        assert submit(folder, test50) == 0
        text = capsys.readouterr().err
        warning = (
            f"method.txt says '{LINES[key]}on 919'. "
            "Protocol semi-supervised does not allow the use of 919 here."
        )
        assert text.count(warning) == 1
    assert check(folder / "s.zip") == 0
    assert warning in capsys.readouterr().err
    assert check(folder / "s.zip", "free") == 0
    assert "method.txt says" not in capsys.readouterr().err
    (folder / "method.yaml").write_text(yaml.safe_dump(FIELDS | {"name": "919", "link": "https://x.org/919"}))
    assert submit(folder, test50) == 0
    assert "method.txt says" not in capsys.readouterr().err


def test_a_missing_zip_is_reported(tmp_path, capsys):
    for path in (tmp_path / "no.zip", tmp_path):
        assert check(path) == 1
        assert capsys.readouterr().err == f"There is no file {path}. Expected: the zip to check.\n"
