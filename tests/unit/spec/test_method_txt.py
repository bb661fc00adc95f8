"""`method.txt`: the official six lines, and what is refused in it and in the file that it is made from."""

import json

import pytest
import yaml

from helpers.submission import FIELDS, TEXT
from imagenet_s.runtime.errors import UserError
from imagenet_s.spec.method_txt import BASELINE, LINES, method_text, read_method, text_problems


def test_method_txt_has_six_lines_and_no_newline_at_its_end():
    assert method_text(FIELDS) == TEXT
    assert method_text(FIELDS | {"name": f" {FIELDS['name']}\t"}) == TEXT
    assert text_problems(TEXT.encode()) == []
    assert text_problems(method_text(BASELINE).encode()) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text + "\n", ["ends in a newline"]),
        (lambda text: text.replace("\n", "\r\n"), ["has carriage returns, as Windows writes them"]),
        (lambda text: text.rpartition("\n")[0], ["has 5 lines, not 6"]),
        (lambda text: text + "\nmore", ["has 7 lines, not 6"]),
        (
            lambda text: text.replace("Networks: ResNet-18", "Networks:   "),
            ["its line 4, 'Networks: ', is empty"],
        ),
        (
            lambda text: text.replace("Networks: ResNet-18", "Networks: "),
            ["its line 4, 'Networks: ', is empty"],
        ),
        (
            lambda text: text.replace("Paper/Project link", "Link"),
            ["its line 5 does not begin with 'Paper/Project link: '"],
        ),
        (
            lambda text: "\n".join(sorted(text.split("\n"))),
            [f"its line {i} does not begin with {start!r}" for i, start in enumerate(LINES.values(), 1)],
        ),
    ],
)
def test_each_deviation_of_a_method_txt_is_named(change, says):
    assert text_problems(change(TEXT).encode()) == says


def test_bytes_that_are_not_plain_utf_8_are_refused():
    mark = "\ufeff".encode()
    assert text_problems(b"\xff\xfe") == ["is not UTF-8"]
    assert text_problems(b"") == ["is empty"]
    assert text_problems(mark) == ["begins with a byte order mark", "is empty"]
    assert text_problems(mark + TEXT.encode()) == ["begins with a byte order mark"]
    assert text_problems(TEXT.encode() + b"\0\x1b[31m\t") == [r"has control characters: '\x00', '\x1b'"]


def test_a_method_txt_that_is_too_long_is_not_read():
    longest = TEXT.encode() + "ß".encode() * ((65_536 - len(TEXT.encode())) // 2)
    longest += b"." * (65_536 - len(longest))
    assert text_problems(longest) == []
    assert text_problems(longest + b".") == ["has 65,537 bytes, more than 65,536"]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_method_may_be_json_or_yaml_with_or_without_a_byte_order_mark(mark, tmp_path):
    path = tmp_path / "method"
    for text in (json.dumps(FIELDS, indent="\t"), yaml.safe_dump(FIELDS, allow_unicode=True)):
        path.write_text(mark + text, encoding="utf-8")
        assert read_method(path) == FIELDS


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("no", "False is not text; put it in quotes"),
        ("1.10", "1.1 is not text; put it in quotes"),
        ("0x10", "16 is not text; put it in quotes"),
        ("2026-01-31", "2026-01-31 is not text; put it in quotes"),
        (f"0x{'f' * 5000}", "a long number is not text; put it in quotes"),
        ("", "is missing or empty"),
        ("' '", "is missing or empty"),
        ("{a: b}", "must be one line of text"),
        ("!!binary aGVsbG8=", "must be one line of text"),
        ('"a\\u2028b"', "must be one line of text"),
        ('"\\ud800"', "has a lone surrogate, which is not a character"),
        ('"\\udd25\\ud83d"', "has a lone surrogate, which is not a character"),
        (r'"\0 and \e[31m"', r"has control characters: '\x00', '\x1b'"),
    ],
)
def test_a_field_that_is_not_text_is_refused(written, says, tmp_path):
    lines = [f"{key}: {written if key == 'networks' else 'x'}\n" for key in LINES]
    (tmp_path / "method.yaml").write_text("".join(lines))
    with pytest.raises(UserError) as caught:
        read_method(tmp_path / "method.yaml")
    expected = "Expected: the keys name, training_data, training_scheme, networks, link, description."
    text = f"{tmp_path}/method.yaml does not describe a method:\n- networks: {says}\n{expected}"
    assert str(caught.value) == text


def test_a_missing_file_is_named_with_the_keys_to_write(tmp_path):
    with pytest.raises(UserError) as caught:
        read_method(tmp_path / "method.yaml")
    assert str(caught.value) == (
        f"There is no {tmp_path}/method.yaml. Write a YAML file with the keys name, training_data, "
        "training_scheme, networks, link, description: one line of text for each."
    )


def test_unknown_keys_of_any_kind_are_shown(tmp_path):
    path = tmp_path / "method.yaml"
    path.write_text(yaml.safe_dump(FIELDS) + f'"a\\nb": x\n50: x\n? 0x{"f" * 5000}\n: x\n')
    with pytest.raises(UserError) as caught:
        read_method(path)
    _, *lines = str(caught.value).split("\n- ")
    assert [line.partition("\n")[0] for line in lines] == [
        r"'a\nb': no such key",
        "50: no such key",
        "a long number: no such key",
    ]


def test_a_field_of_nested_aliases_is_refused_without_expanding_it(tmp_path):
    lists = "".join(f"- &x{k + 1} [*x{k}, *x{k}]\n" for k in range(40))
    fields = "".join(f"{key}: x\n" for key in LINES if key != "link")
    (tmp_path / "method.yaml").write_text(f"{fields}link:\n- &x0 [a, a]\n{lists}")
    with pytest.raises(UserError, match="\n- link: must be one line of text\n"):
        read_method(tmp_path / "method.yaml")
