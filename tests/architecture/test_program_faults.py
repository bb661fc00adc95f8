"""A library without a function that is used is a bug of the program, not damage of a user's file."""

import io
import runpy
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml

from imagenet_s.benchmark.baseline.features import BadFeatures, read_features
from imagenet_s.cli.main import main
from imagenet_s.config.settings import read_config_file
from imagenet_s.dataset.dataset_file import read_dataset
from imagenet_s.io import zip_reader as zips
from imagenet_s.masks import codec as mask
from imagenet_s.runtime.yaml_files import BadYaml, parse_yaml
from imagenet_s.spec.method_txt import BASELINE, read_method

ARRAY = np.ones((1, 1, 1))


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"")


def read_zip(path: Path) -> None:
    members, _ = zips.members_of(path)
    with path.open("rb") as file:
        zips.read_member(file.fileno(), members[0])


def described(path: Path) -> None:
    path.write_text("".join(f"{key}: {text!r}\n" for key, text in BASELINE.items()))


# reader: how a right file is written and read, and what the library under it lacks.
READERS = {
    "features": ("x.npy", lambda path: np.save(path, ARRAY), read_features, np, "load"),
    "packed features": ("x.npz", lambda path: np.savez(path, ARRAY), read_features, zipfile.ZipFile, "open"),
    "zip": ("x.zip", zipped, read_zip, zips.zlib_ng, "crc32"),
    "config": ("x.yaml", lambda path: path.write_text("output: o"), read_config_file, yaml, "load"),
    "method": ("x.yaml", described, read_method, yaml, "load"),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_missing_function_of_a_library_is_not_damage_of_a_file(reader, tmp_path, monkeypatch):
    name, write, read, library, attribute = READERS[reader]
    write(tmp_path / name)
    read(tmp_path / name)
    monkeypatch.delattr(library, attribute)
    with pytest.raises(AttributeError, match=attribute):
        read(tmp_path / name)


def test_a_bug_is_reported_as_one(tmp_path, monkeypatch, capsys):
    (tmp_path / "config.yaml").write_text("output: o\n")
    monkeypatch.delattr(yaml, "load")
    assert main(["plan", "--configfile", str(tmp_path / "config.yaml")]) == 1
    told = capsys.readouterr().err
    assert told.startswith(
        "This is a bug in imagenet-s, not a mistake of yours. Please report it with the lines below.\n"
    )
    assert "is not valid YAML" not in told


ODD_YAML = {
    "!!timestamp soon": "'soon' is not a timestamp",
    "!!bool maybe": "'maybe'",
    "!!int ''": "index out of range",
    "2026-99-99": "month must be in 1..12",
    "2001-12-14t21:59:43.10-99:00": "strictly between",
    "[": "expected the node content",
    "[" * 3000: "maximum recursion depth",
    "9" * 5000: "Exceeds the limit",
    "!!float ''": "index out of range",
    "!!timestamp []": "expected a scalar node",
    "{[]: 1}": "found unhashable key",
}


@pytest.mark.parametrize("text", ODD_YAML, ids=lambda text: text[:20])
def test_odd_yaml_is_told_as_what_it_is(text):
    with pytest.raises(BadYaml) as caught:
        parse_yaml(text)
    assert ODD_YAML[text] in str(caught.value)


def test_times_and_dates_are_read_as_ever():
    values = parse_yaml("[2026-11-27, 2026-11-27 13:00:00, !!timestamp 2026-11-27]")
    assert values == yaml.safe_load("[2026-11-27, 2026-11-27 13:00:00, !!timestamp 2026-11-27]")


ODD_DATASETS = (
    *("null", "[]", "7", '"text"', "{}", '{"content": 1, "build": 2, "sha256": 3}', "[" * 5000, "{", "\\"),
    '{"content": {"manifests": []}, "build": {"link": "copy"}, "sha256": ""}',
    '{"content": {"manifests": {}}, "build": {"link": 1}, "sha256": ""}',
    '{"content": {"manifests": {}}, "build": [], "sha256": ""}',
    '{"content": {"manifests": {"\\ud800": 1}}, "build": {"link": "\\ud800"}, "sha256": ""}',
)


@pytest.mark.parametrize("text", ODD_DATASETS, ids=lambda text: text[:20])
def test_an_odd_dataset_json_is_none(text, tmp_path):
    (tmp_path / "dataset.json").write_text(text)
    assert read_dataset(tmp_path) is None


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_features_packed_as_numpy_does_not_write_them_are_refused(packing, tmp_path):
    array = io.BytesIO()
    np.save(array, np.ones((1, 1, 1)))
    with zipfile.ZipFile(tmp_path / "x.npz", "w", packing) as archive:
        archive.writestr("arr_0.npy", array.getvalue())
    with pytest.raises(BadFeatures, match="is compressed by a method that NumPy does not use"):
        read_features(tmp_path / "x.npz")


def test_a_library_that_lacks_what_reads_masks_is_found_before_any_is_read(monkeypatch):
    monkeypatch.delattr(mask.kornia_rs, "io")
    with pytest.raises(AttributeError, match="io"):
        runpy.run_path(mask.__file__)
