"""The configuration: defaults, completion, and errors that name the key and what is allowed."""

import os
import re
from pathlib import Path

import pytest
import yaml

from imagenet_s.config.models import Settings
from imagenet_s.config.settings import Benchmark, Config, read_config
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
    exports=(),
    gallery=12,
    gallery_splits=("validation", "train-semi"),
    benchmark=Benchmark(
        predictions=None, subset=50, protocol="distance-matching", match=None, method=BASELINE
    ),
)


def problems(values: object) -> list[str]:
    """The lines of the error that `values` give."""
    with pytest.raises(UserError) as caught:
        read_config(values)
    head, *lines = str(caught.value).split("\n- ")
    assert "config.yaml" in head
    return lines


def test_an_empty_configuration_is_the_demo_with_the_defaults():
    assert read_config({}) == DEFAULTS


def test_the_config_yaml_of_the_project_says_the_defaults():
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    assert read_config(yaml.safe_load(text)) == DEFAULTS
    assert list(yaml.safe_load(text)) == list(Settings.model_fields)


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


def test_variables_and_homes_of_users_are_filled_in(monkeypatch):
    monkeypatch.setenv("DATA", "/data")
    monkeypatch.setenv("WHERE", "~root/mine")
    root = os.path.expanduser("~root")
    benchmark = {"predictions": "~root/p", "protocol": "free", "match": "${DATA}/match.json"}
    values = {"imagenet": "$DATA/in", "output": "${DATA}/out", "annotations": {"from": "$WHERE"}}
    config = read_config({**values, "benchmark": benchmark})
    assert (config.imagenet, config.output) == ("/data/in", "/data/out")
    assert config.annotations == f"{root}/mine"
    assert (config.benchmark.predictions, config.benchmark.match) == (f"{root}/p", "/data/match.json")
    assert read_config({"output": "5$/$"}).output == "5$/$"


@pytest.mark.parametrize("empty", [False, True])
def test_variables_and_users_that_do_not_exist_are_named(empty, monkeypatch):
    monkeypatch.delenv("SCRATCH", raising=False)
    if empty:
        monkeypatch.setenv("SCRATCH", "")
    advice = "which is not set; set it, or write the whole path"
    assert problems({"imagenet": "$SCRATCH/a", "output": "${SCRATCH}/$SCRATCH/b"}) == [
        f"imagenet: '$SCRATCH/a' has the variable SCRATCH, {advice}",
        f"output: '${{SCRATCH}}/$SCRATCH/b' has the variable SCRATCH, {advice}",
    ]
    assert problems({"output": "~no-such-user/out"}) == [
        "output: '~no-such-user/out' begins with ~no-such-user, which is no home folder on this machine; "
        "write the whole path"
    ]


def test_a_url_prefix_is_left_as_it_is():
    url = "https://example.org/~me/$zips/"
    assert read_config({"annotations": {"from": url}}).annotations == url


@pytest.mark.parametrize("link", ["auto", "symlink", "symlink-files", "hardlink", "reflink", "copy"])
def test_each_link_mode_is_kept(link):
    assert read_config({"link": link}).link == link


def test_subsets_come_sorted():
    assert read_config({"subsets": [919, 50]}).subsets == (50, 919)


def test_an_unknown_key_is_refused_with_the_known_ones():
    assert problems({"subset": [50]}) == [
        "subset: no such key; did you mean `subsets`? There are: imagenet, output, subsets, link, "
        "train_images, annotations, labels, exports, gallery, gallery_splits, benchmark"
    ]


def test_an_unknown_nested_key_is_refused_with_the_known_ones():
    assert problems({"annotations": {"form": "official"}}) == [
        "annotations.form: no such key; did you mean `from`? There are: from, md5"
    ]
    assert problems({"annotations": {"md5": {"51": OTHER_MD5}}}) == [
        "annotations.md5.51: no such key; there are: 50, 300, 919"
    ]


def test_all_that_is_wrong_is_told_at_once():
    lines = problems({"link": "soft", "labels": ["id32"], "colour": 1, "annotations": {"x": 1, "y": 2}})
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
        ({"link": "junction"}, "link", ["'junction'", "auto, symlink, symlink-files, hardlink, reflink"]),
        ({"train_images": True}, "train_images", ["True", "complete, any"]),
        ({"annotations": "official"}, "annotations", ["'official'", "a table with some of the keys from,"]),
        ({"annotations": {"from": 1}}, "annotations.from", ["1", "a text"]),
        ({"annotations": {"md5": {50: "abc"}}}, "annotations.md5", ["50", "'abc'", "32 hexadecimal digits"]),
        ({"annotations": {"md5": {300: OTHER_MD5 + "0"}}}, "annotations.md5", ["300", "32 hexadecimal"]),
        ({"labels": "id8"}, "labels", ["'id8'", "a list such as [id16]"]),
        ({"labels": ["id16", "rle"]}, "labels[1]", ["'rle'", "id16, id8, color, binary"]),
        ({"labels": ["id16", "id16"]}, "labels", ["twice"]),
        ({"output": "a{b}"}, "output", ["'a{b}'", "braces"]),
        ({"annotations": {"from": "a}"}}, "annotations.from", ["'a}'", "braces"]),
        ({"annotations": {"from": ""}}, "annotations.from", ["must not be empty"]),
        ({"annotations": {"from": "ftp://a/b"}}, "annotations.from", ["'ftp://a/b'", "https://"]),
        (["imagenet"], "the configuration", ["a table"]),
    ],
)
def test_a_wrong_value_is_refused_with_its_key_and_what_is_allowed(values, key, words):
    (line,) = problems(values)
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
    (line,) = problems({"subsets": subsets, "labels": ["id16", "id8"]})
    assert line.startswith("labels: `id8`")
    assert "50" in line


def test_id8_and_all_other_encodings_are_allowed_for_50():
    encodings = ("id16", "id8", "color", "binary")
    assert read_config({"subsets": [50], "labels": list(encodings)}).labels == encodings
    assert read_config({"labels": []}).labels == ()


def test_a_table_with_nothing_in_it_is_one_that_is_not_given():
    assert read_config({"annotations": None}) == read_config({})
    assert read_config({"annotations": {"md5": None}}) == read_config({})


def test_an_output_is_spelt_without_detours():
    assert read_config({"output": "./results//x/"}).output == "results/x"


def test_an_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    assert problems({"output": str(tmp_path / "file")}) == [
        f"output: {tmp_path}/file is a file, not a folder"
    ]


@pytest.mark.parametrize("inside", ["", "/out", "/link/out"])
def test_an_output_inside_the_source_is_refused(tmp_path, inside):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "link").symlink_to(tmp_path / "source")
    (line,) = problems({"imagenet": str(tmp_path / "source"), "output": f"{tmp_path}/source{inside}"})
    target = f"{tmp_path}/source{inside.replace('/link', '')}"
    assert line == (
        f"output: {target} lies inside the source ({tmp_path}/source), which is never written to; "
        "use a folder elsewhere"
    )


@pytest.mark.parametrize("own", ["train", "val"])
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("out/..", "{0}/out lies inside the source ({0}), which is never written to; use a folder elsewhere"),
        (
            "out/work/pool",
            "the source ({0}/out/work/pool) lies inside the folders that a build into {0}/out writes to; use "
            "a folder elsewhere",
        ),
    ],
)
def test_an_output_that_overlaps_with_either_of_two_paths_is_refused(tmp_path, own, path, said):
    table = {"train": f"{tmp_path}/t.tar", "val": f"{tmp_path}/v.tar", own: f"{tmp_path}/{path}"}
    assert problems({"imagenet": table, "output": f"{tmp_path}/out"}) == [f"output: {said.format(tmp_path)}"]


def test_a_path_for_each_set_makes_both_absolute(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    config = read_config({"imagenet": {"train": "~/a", "val": "b/../demo"}, "train_images": "complete"})
    assert (config.imagenet, config.val) == (f"{tmp_path}/a", f"{tmp_path}/demo")
    assert config.source == f"{tmp_path}/a (train), {tmp_path}/demo (val)"
    assert config.complete
    assert not config.demo_annotations
    assert (read_config({}).source, read_config({"imagenet": "/x"}).source) == (None, "/x")


def test_the_default_output_is_refused_inside_the_source_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (line,) = problems({"imagenet": "."})
    assert line.startswith(f"output: {tmp_path}/results lies inside the source ({tmp_path}), ")


@pytest.mark.parametrize("inside", ["work/demo/imagenet", "ImageNetS300/train-full"])
def test_a_source_where_a_build_writes_is_refused(tmp_path, inside):
    assert problems({"imagenet": f"{tmp_path}/out/{inside}", "output": f"{tmp_path}/out"}) == [
        f"output: the source ({tmp_path}/out/{inside}) lies inside the folders that a build into "
        f"{tmp_path}/out writes to; use a folder elsewhere"
    ]


def test_a_source_whose_true_name_is_not_utf_8_is_refused_with_that_name(tmp_path):
    (tmp_path / "link").symlink_to(os.fsdecode(os.fsencode(tmp_path) + b"/r\xe9sum\xe9"))
    (line,) = problems({"imagenet": f"{tmp_path}/link", "output": f"{tmp_path}/link/out"})
    assert f"the source ({tmp_path}/r\udce9sum\udce9), which is never written to" in line


def test_checks_of_two_keys_are_made_though_a_third_is_wrong(tmp_path):
    values = {
        "imagenet": str(tmp_path),
        "output": f"{tmp_path}/out",
        "subsets": [300],
        "link": "soft",
        "labels": ["id8"],
        "benchmark": {"subset": 50, "folder": "x"},
    }
    assert [line.partition(":")[0] for line in problems(values)] == [
        "output",
        "link",
        "labels",
        "benchmark.subset",
        "benchmark.folder",
    ]


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"subsets": [51], "labels": ["id8"], "benchmark": {"subset": 300}}, "subsets[0]"),
        ({"imagenet": "", "output": "work"}, "imagenet"),
        ({"benchmark": {"predictions": 1, "protocol": "unsupervised"}}, "benchmark.predictions"),
    ],
)
def test_a_wrong_value_is_not_compared_with_other_keys(values, key):
    (line,) = problems(values)
    assert line.startswith(f"{key}: ")


@pytest.mark.parametrize("value", [{50}, (50,), "50", 50, {50: 50}, None])
def test_a_list_is_a_list(value):
    assert problems({"subsets": value}) == [
        f"subsets: {value!r} is not allowed; allowed: a list such as [50, 300]"
    ]


@pytest.mark.parametrize("key", ["imagenet", "output", "annotations.from"])
def test_a_path_that_is_not_utf_8_is_refused(key):
    path = os.fsdecode(b"/data/r\xe9sum\xe9")
    values = {"annotations": {"from": path}} if key == "annotations.from" else {key: path}
    (line,) = problems(values)
    assert line.startswith(f"{key}: '/data/r\\udce9sum\\udce9' is not UTF-8; ")


METHOD = dict.fromkeys(LINES, "x")


@pytest.mark.parametrize("subset", [50, "50", 50.0])
def test_a_benchmark_s_subset_is_a_number_however_it_is_written(subset):
    found = read_config({"benchmark": {"subset": subset}}).benchmark.subset
    assert (found, type(found)) == (50, int)


def test_a_benchmark_is_of_the_smallest_subset_unless_another_is_named():
    assert read_config({"subsets": [919, 300]}).benchmark.subset == 300
    assert read_config({"subsets": [919, 300], "benchmark": {"subset": 919}}).benchmark.subset == 919


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
            [
                "benchmark.protocol: 'supervised' is not allowed; did you mean `unsupervised`? "
                f"Allowed: {', '.join(PROTOCOLS)}"
            ],
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
                "benchmark.method.networks: False is not allowed; allowed: a text, in quotes if need be",
                "benchmark.method.link: 1.1 is not allowed; allowed: a text, in quotes if need be",
            ],
        ),
        (
            {"method": METHOD | {"networks": "\ud800\x1b"}},
            [
                "benchmark.method.networks: has a lone surrogate, which is not a character",
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
        ({"subset": None}, ["benchmark.subset: None is not allowed; allowed: 50, 300, 919"]),
        (
            {"subset": "919", "protocol": "unsupervised", "method": METHOD | {"name": ""}, "match": "}"},
            [
                "benchmark.subset: 919 is not among `subsets`",
                "benchmark.protocol: `unsupervised` does not allow the masks of train-semi, by which the "
                "baseline is made; name a folder in `benchmark.predictions`",
                "benchmark.match: '}' has braces, which Snakemake takes for wildcards; use another path",
                "benchmark.method.name: is missing or empty",
            ],
        ),
    ],
)
def test_what_is_wrong_with_a_benchmark_is_told(table, lines):
    assert problems({"benchmark": table}) == lines
