"""The configuration: defaults, completion, and errors that name the key and what is allowed."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from imagenet_s.config.settings import SCHEMA, Benchmark, Config, read_config
from imagenet_s.runtime.errors import UserError
from imagenet_s.spec.method_txt import BASELINE, LINES
from imagenet_s.spec.protocols import PROTOCOLS

ROOT = Path(__file__).parents[3]
OFFICIAL_MD5 = {
    50: "a0fe9d82231f9bc4787ee76e304dfa51",
    300: "dd8e42e156bac415a35c3c239de297bf",
    919: "5f7f58ae1003d21da9409a8576bf7680",
}
OTHER_MD5 = "0123456789abcdef0123456789abcdef"

DEFAULTS = Config(
    imagenet=None,
    output="results",
    subsets=(50,),
    link="auto",
    complete=False,
    annotations="official",
    md5={50: OFFICIAL_MD5[50]},
    labels=("id16",),
    benchmark=Benchmark(
        predictions=None, subset=50, protocol="distance-matching", match=None, method=BASELINE
    ),
)


def troubles(values: object) -> list[str]:
    """The lines of the error that `values` give."""
    with pytest.raises(UserError) as caught:
        read_config(values)
    head, *lines = str(caught.value).split("\n- ")
    assert "config.yaml" in head
    return lines


def objects(schema: dict, path: str = "") -> Iterator[tuple[str, dict]]:
    """Each object of the schema that has keys, and where it is."""
    if "properties" in schema:
        yield path, schema
    for key, rule in schema.get("properties", {}).items():
        yield from objects(rule, f"{path}.{key}")


def test_an_empty_configuration_is_the_demo_with_the_defaults():
    assert read_config({}) == DEFAULTS


def test_the_config_yaml_of_the_project_says_the_defaults():
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    assert read_config(yaml.safe_load(text)) == DEFAULTS
    assert set(yaml.safe_load(text)) == set(yaml.safe_load(SCHEMA.read_text())["properties"])


def test_every_default_of_the_schema_is_the_one_of_the_contract():
    keys = yaml.safe_load(SCHEMA.read_text())["properties"]
    assert {key: rule["default"] for key, rule in keys.items()} == {
        "imagenet": "demo",
        "output": "results",
        "subsets": [50],
        "link": "auto",
        "train_images": "complete",
        "annotations": {},
        "labels": ["id16"],
        "benchmark": {},
    }
    assert keys["annotations"]["properties"]["from"]["default"] == "official"


def test_the_train_images_of_a_real_source_must_be_complete_unless_any_is_asked_for():
    assert read_config({"imagenet": "/data/imagenet"}).complete
    assert not read_config({"imagenet": "/data/imagenet", "train_images": "any"}).complete


def test_the_demo_implies_any_train_images():
    assert not read_config({"imagenet": "demo", "train_images": "complete"}).complete


def test_the_demo_brings_its_annotations_unless_others_are_named():
    assert read_config({}).demo_annotations
    assert not read_config({"annotations": {"from": "/data/zips"}}).demo_annotations
    assert not read_config({"imagenet": "/data/imagenet"}).demo_annotations


def test_home_and_relative_paths_work(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    config = read_config({"imagenet": "~/in", "output": "~/out", "annotations": {"from": "../zips"}})
    assert config.imagenet == f"{tmp_path}/home/in"
    assert config.output == f"{tmp_path}/home/out"
    assert config.annotations == f"{tmp_path}/zips"
    assert read_config({"imagenet": "in/x"}).imagenet == f"{tmp_path}/here/in/x"


def test_a_url_prefix_is_left_as_it_is():
    url = "https://example.org/~me/zips/"
    assert read_config({"annotations": {"from": url}}).annotations == url


@pytest.mark.parametrize("link", ["auto", "symlink", "hardlink", "reflink", "copy"])
def test_each_link_mode_is_kept(link):
    assert read_config({"link": link}).link == link


def test_subsets_come_sorted():
    assert read_config({"subsets": [919, 50]}).subsets == (50, 919)


def test_an_unknown_key_is_refused_with_the_known_ones():
    assert troubles({"subset": [50]}) == [
        "subset: no such key; there are: imagenet, output, subsets, link, train_images, annotations, labels, "
        "benchmark"
    ]


def test_an_unknown_nested_key_is_refused_with_the_known_ones():
    assert troubles({"annotations": {"form": "official"}}) == [
        "annotations.form: no such key; there are: from, md5"
    ]
    assert troubles({"annotations": {"md5": {"51": OTHER_MD5}}}) == [
        "annotations.md5.51: no such key; there are: 50, 300, 919"
    ]


def test_all_that_is_wrong_is_told_at_once():
    lines = troubles({"link": "soft", "labels": ["id32"], "colour": 1, "annotations": {"x": 1, "y": 2}})
    assert sorted(line.partition(":")[0] for line in lines) == [
        "annotations.x",
        "annotations.y",
        "colour",
        "labels[0]",
        "link",
    ]


@pytest.mark.parametrize(
    ("values", "key", "words"),
    [
        ({"imagenet": 3.5}, "imagenet", ["3.5", "a text"]),
        ({"imagenet": ""}, "imagenet", ["must not be empty"]),
        ({"imagenet": None}, "imagenet", ["None", "a text, in quotes"]),
        ({"output": ["a"]}, "output", ["['a']", "a text"]),
        ({"output": ""}, "output", ["must not be empty"]),
        ({"subsets": 50}, "subsets", ["50", "a list such as [50, 300]"]),
        ({"subsets": []}, "subsets", ["must not be empty"]),
        ({"subsets": [50, 51]}, "subsets[1]", ["51", "50, 300, 919"]),
        ({"subsets": [50, "50"]}, "subsets", ["twice"]),
        ({"link": "junction"}, "link", ["'junction'", "auto, symlink, hardlink, reflink, copy"]),
        ({"train_images": True}, "train_images", ["True", "complete, any"]),
        ({"annotations": "official"}, "annotations", ["'official'", "a table with some of the keys from,"]),
        ({"annotations": {"from": 1}}, "annotations.from", ["1", "a text"]),
        ({"annotations": {"md5": {50: "abc"}}}, "annotations.md5", ["50", "'abc'", "32 hexadecimal digits"]),
        ({"annotations": {"md5": {300: OTHER_MD5 + "0"}}}, "annotations.md5", ["300", "32 hexadecimal"]),
        ({"labels": "id16"}, "labels", ["'id16'", "a list"]),
        ({"labels": ["id16", "rle"]}, "labels[1]", ["'rle'", "id16, id8, color, binary"]),
        ({"labels": ["id16", "id16"]}, "labels", ["twice"]),
        ({"output": "a{b}"}, "output", ["'a{b}'", "braces"]),
        ({"annotations": {"from": "ftp://a/b"}}, "annotations.from", ["'ftp://a/b'", "https://"]),
        (["imagenet"], "the configuration", ["a table"]),
    ],
)
def test_a_wrong_value_is_refused_with_its_key_and_what_is_allowed(values, key, words):
    (line,) = troubles(values)
    assert line.startswith(key)
    assert not re.match(r"\w", line[len(key) :])  # the whole key, not its beginning
    for word in words:
        assert word in line


@pytest.mark.parametrize("key", [50, "50"])
def test_keys_of_the_md5_table_may_be_quoted_or_not(key):
    assert read_config({"annotations": {"md5": {key: OTHER_MD5}}}).md5 == {50: OTHER_MD5}


def test_numbers_may_come_as_text_as_the_command_line_gives_them():
    assert read_config({"subsets": ["300", "50"]}).subsets == (50, 300)


def test_subsets_are_whole_numbers_however_yaml_wrote_them():
    # They become names of folders: 50.0 must not make ImageNetS50.0.
    assert repr(read_config({"subsets": [50.0]}).subsets) == "(50,)"


def test_a_path_of_digits_stays_a_path():
    assert read_config({"output": "50"}).output == "50"


def test_md5s_may_be_in_upper_case():
    assert read_config({"annotations": {"md5": {50: OTHER_MD5.upper()}}}).md5 == {50: OTHER_MD5}


def test_a_partial_md5_table_is_completed_by_the_official_ones():
    config = read_config({"subsets": [50, 300, 919], "annotations": {"md5": {"300": OTHER_MD5}}})
    assert config.md5 == OFFICIAL_MD5 | {300: OTHER_MD5}


@pytest.mark.parametrize("subsets", [[300], [919], [50, 300], [50, 300, 919]])
def test_id8_is_refused_where_a_subset_has_too_many_classes(subsets):
    (line,) = troubles({"subsets": subsets, "labels": ["id16", "id8"]})
    assert line.startswith("labels: `id8`")
    assert "50" in line


def test_id8_and_all_other_encodings_are_allowed_for_50():
    encodings = ("id16", "id8", "color", "binary")
    assert read_config({"subsets": [50], "labels": list(encodings)}).labels == encodings
    assert read_config({"labels": []}).labels == ()


def test_the_schema_describes_every_key_and_refuses_all_others():
    found = dict(objects(yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))))
    assert set(found) == {"", ".annotations", ".annotations.md5", ".benchmark", ".benchmark.method"}
    for path, rule in found.items():
        assert rule["additionalProperties"] is False, path
        for key, described in rule["properties"].items():
            assert len(described["description"]) > 20, f"{path}.{key}"


def test_a_table_with_nothing_in_it_is_one_that_is_not_given():
    assert read_config({"annotations": None}) == read_config({})
    assert read_config({"annotations": {"md5": None}}) == read_config({})


def test_an_output_is_spelt_without_detours():
    assert read_config({"output": "./results//x/"}).output == "results/x"


def test_an_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    assert troubles({"output": str(tmp_path / "file")}) == [
        f"output: {tmp_path}/file is a file, not a folder"
    ]


@pytest.mark.parametrize("inside", ["", "/out", "/link/out"])
def test_an_output_inside_the_source_is_refused(tmp_path, inside):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "link").symlink_to(tmp_path / "source")
    with pytest.raises(UserError, match="which is never written to"):
        read_config({"imagenet": str(tmp_path / "source"), "output": f"{tmp_path}/source{inside}"})


@pytest.mark.parametrize("inside", ["work/demo/imagenet", "ImageNetS300/train-full"])
def test_a_source_where_a_build_writes_is_refused(tmp_path, inside):
    with pytest.raises(UserError, match="lies inside the folders that a build into"):
        read_config({"imagenet": f"{tmp_path}/out/{inside}", "output": f"{tmp_path}/out"})


@pytest.mark.parametrize("key", ["imagenet", "output", "annotations.from"])
def test_a_path_that_is_not_utf_8_is_refused(key):
    path = os.fsdecode(b"/data/r\xe9sum\xe9")
    values = {"annotations": {"from": path}} if key == "annotations.from" else {key: path}
    (line,) = troubles(values)
    assert line.startswith(f"{key}: '/data/r\\udce9sum\\udce9' is not UTF-8; ")


METHOD = dict.fromkeys(LINES, "x")


@pytest.mark.parametrize("subset", [50, "50", 50.0])
def test_a_benchmark_s_subset_is_a_number_however_it_is_written(subset):
    found = read_config({"benchmark": {"subset": subset}}).benchmark.subset
    assert (found, type(found)) == (50, int)


def test_a_benchmark_is_of_the_smallest_subset_unless_another_is_named():
    assert read_config({"subsets": [919, 300]}).benchmark.subset == 300
    assert read_config({"subsets": [919, 300], "benchmark": {"subset": 919}}).benchmark.subset == 919


def test_the_fields_of_a_method_are_those_of_the_schema():
    table = yaml.safe_load(SCHEMA.read_text())["properties"]["benchmark"]["properties"]
    assert list(table["method"]["properties"]) == list(LINES)
    assert list(table) == ["predictions", "subset", "protocol", "match", "method"]
    assert table["protocol"]["enum"] == list(PROTOCOLS)


def test_predictions_of_one_s_own_have_no_method_unless_it_is_given():
    table = {"predictions": "mine", "protocol": "free"}
    found = read_config({"benchmark": table}).benchmark
    assert found == Benchmark(os.path.abspath("mine"), 50, "free", None, {})
    assert read_config({"benchmark": {**table, "method": METHOD}}).benchmark.method == METHOD
    assert read_config({"benchmark": {"method": METHOD}}).benchmark.method == METHOD


@pytest.mark.parametrize(
    ("table", "match"),
    [
        ({"protocol": "unsupervised"}, "auto"),
        ({"protocol": "free"}, None),
        ({"protocol": "unsupervised", "match": "mine.json"}, os.path.abspath("mine.json")),
        ({"protocol": "free", "match": "~/mine.json"}, os.path.expanduser("~/mine.json")),
    ],
)
def test_a_match_json_is_made_where_ids_are_generated_and_none_is_given(table, match):
    assert read_config({"benchmark": {"predictions": "mine", **table}}).benchmark.match == match


def test_the_default_is_a_word_and_no_folder_whatever_the_name_of_this_one(tmp_path, monkeypatch):
    folder = tmp_path / os.fsdecode(b"\xff")
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert read_config({"output": str(tmp_path / "results")}).benchmark.predictions is None


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        ({"subset": 300}, ["benchmark.subset: 300 is not among `subsets`"]),
        (
            {"protocol": "unsupervised"},
            [
                "benchmark.protocol: `unsupervised` does not allow the masks of train-semi, by which the "
                "baseline is made; name a folder in `benchmark.predictions`"
            ],
        ),
        ({"subset": 51}, ["benchmark.subset: 51 is not allowed; allowed: 50, 300, 919"]),
        (
            {"protocol": "supervised"},
            [f"benchmark.protocol: 'supervised' is not allowed; allowed: {', '.join(PROTOCOLS)}"],
        ),
        (
            {"method": METHOD | {"name": "a\nb", "networks": " "}},
            [
                "benchmark.method.name: must be one line of text",
                "benchmark.method.networks: is missing or empty",
            ],
        ),
        (
            {"method": {"name": "x", "link": "x", "description": "x", "networks": "x"}},
            [f"benchmark.method.training_{name}: is missing or empty" for name in ("data", "scheme")],
        ),
        (
            {"method": METHOD | {"networks": False, "link": 1.1}},
            [
                "benchmark.method.link: 1.1 is not allowed; allowed: a text, in quotes if need be",
                "benchmark.method.networks: False is not allowed; allowed: a text, in quotes if need be",
            ],
        ),
        (
            {"method": METHOD | {"networks": "\ud800\x1b"}},
            [
                "benchmark.method.networks: has a lone surrogate, which is no character",
                r"benchmark.method.networks: has control characters: '\x1b'",
            ],
        ),
        (
            {"method": METHOD | {"year": "2026"}},
            [f"benchmark.method.year: no such key; there are: {', '.join(LINES)}"],
        ),
        (
            {"folder": "x"},
            ["benchmark.folder: no such key; there are: predictions, subset, protocol, match, method"],
        ),
        (
            {"predictions": "a{b}"},
            [
                "benchmark.predictions: 'a{b}' has braces, which Snakemake takes for wildcards; "
                "use another path"
            ],
        ),
        ({"match": "a\0"}, ["benchmark.match: has a zero byte, which no path has"]),
    ],
)
def test_what_is_wrong_with_a_benchmark_is_told(table, lines):
    assert troubles({"benchmark": table}) == lines
