"""Messages about wrong configurations: the nearest right spelling, and hints of the key's own values."""

import pytest

from imagenet_s.config.settings import read_config
from imagenet_s.runtime.errors import UserError

KEYS = (
    "imagenet, output, subsets, link, train_images, annotations, labels, exports, gallery, gallery_splits, "
    "benchmark"
)
LINKS = "auto, symlink, symlink-files, hardlink, reflink, copy"


def explained(values: object) -> list[str]:
    """Return the lines of the error that `values` give."""
    with pytest.raises(UserError) as caught:
        read_config(values)
    head, *lines = str(caught.value).split("\n- ")
    assert head == "The configuration (config.yaml, --config) is not valid:"
    return lines


@pytest.mark.parametrize("value", [-1, "12", 1.5, True, None])
def test_a_number_of_the_gallery_is_0_or_more(value):
    assert explained({"gallery": value}) == [
        f"gallery: {value!r} is not allowed; allowed: a number of 0 or more"
    ]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"outptu": "x"}, f"outptu: no such key; did you mean `output`? There are: {KEYS}"),
        ({"Labels": ["id16"]}, f"Labels: no such key; did you mean `labels`? There are: {KEYS}"),
        ({"zzz": 1}, f"zzz: no such key; there are: {KEYS}"),
        ({50: 1}, f"50: no such key; there are: {KEYS}"),
        ({None: 1}, f"None: no such key; there are: {KEYS}"),
        ({"": 1}, f"'': no such key; there are: {KEYS}"),
        ({"\x1b[2J": 1}, f"'\\x1b[2J': no such key; there are: {KEYS}"),
        ({"\udcff": 1}, f"'\\udcff': no such key; there are: {KEYS}"),
        (
            {"annotations": {"md5": {"\udcff": 1}}},
            "annotations.md5.'\\udcff': no such key; there are: 50, 300, 919",
        ),
        (
            {"annotations": {"md5": {5: "x"}}},
            "annotations.md5.5: no such key; did you mean `50`? There are: 50, 300, 919",
        ),
        (
            {"benchmark": {"method": {"netwroks": "x"}}},
            "benchmark.method.netwroks: no such key; did you mean `networks`? There are: name, "
            "training_data, training_scheme, networks, link, description",
        ),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_right_spelling(values, line):
    assert line in explained(values)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"link": "symlnk"}, f"link: 'symlnk' is not allowed; did you mean `symlink`? Allowed: {LINKS}"),
        ({"link": "COPY"}, f"link: 'COPY' is not allowed; did you mean `copy`? Allowed: {LINKS}"),
        ({"link": "soft"}, f"link: 'soft' is not allowed; allowed: {LINKS}"),
        ({"link": "\udcff"}, f"link: '\\udcff' is not allowed; allowed: {LINKS}"),
        (
            {"labels": ["id16", "id61"]},
            "labels[1]: 'id61' is not allowed; did you mean `id16`? Allowed: id16, id8, color, binary",
        ),
        ({"labels": "id8"}, "labels: 'id8' is not allowed; allowed: a list such as [id16]"),
        ({"subsets": 50}, "subsets: 50 is not allowed; allowed: a list such as [50, 300]"),
        (
            {"annotations": {"md5": {50: "\udcff"}}},
            "annotations.md5.50: '\\udcff' is not an md5 (32 hexadecimal digits)",
        ),
    ],
)
def test_a_wrong_value_is_named_with_the_nearest_right_one_or_an_example_of_the_key(values, line):
    assert explained(values) == [line]


def test_a_configuration_that_is_no_table_is_refused_with_the_keys_of_one():
    assert explained("imagenet") == [
        f"the configuration: 'imagenet' is not allowed; allowed: a table with some of the keys {KEYS}"
    ]


def test_a_misspelled_word_in_the_place_of_a_path_is_named_unless_the_path_exists(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert explained({"imagenet": "dmeo", "annotations": {"from": "Oficial"}}) == [
        f"imagenet: there is no {tmp_path}/dmeo; did you mean `demo`?",
        f"annotations.from: there is no {tmp_path}/Oficial; did you mean `official`?",
    ]
    (tmp_path / "dmeo").mkdir()
    (tmp_path / "Oficial").mkdir()
    read_config({"imagenet": "dmeo", "annotations": {"from": "Oficial"}})


TABLE = "{train: …, val: …}"


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        ({"train": "x"}, [f"imagenet.val: missing; a table here needs {TABLE}"]),
        ({}, [f"imagenet.{kind}: missing; a table here needs {TABLE}" for kind in ("train", "val")]),
        (
            {"train": "x", "vall": "y"},
            [
                f"imagenet.val: missing; a table here needs {TABLE}",
                "imagenet.vall: no such key; did you mean `val`? There are: train, val",
            ],
        ),
        (
            {"train": 3, "val": ""},
            [
                "imagenet.train: 3 is not allowed; allowed: a text, in quotes if need be",
                "imagenet.val: must not be empty",
            ],
        ),
        ({"train": "x", "val": "y", "": 1}, ["imagenet.'': no such key; there are: train, val"]),
        ({"train": "x", "val": "y", "text": 1}, ["imagenet.text: no such key; there are: train, val"]),
        ({"\udcff": 1}, ["imagenet.'\\udcff': no such key; there are: train, val"]),
        (
            ["x", "y"],
            [
                "imagenet: ['x', 'y'] is not allowed; allowed: a text, in quotes if need be, or a table "
                f"{TABLE}"
            ],
        ),
    ],
)
def test_what_is_wrong_with_a_path_for_each_set_is_named_with_its_key(table, lines):
    assert explained({"imagenet": table}) == lines
