"""Submissions: what is written, to the letter, and every kind of wrong folder and wrong zip."""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from helpers.trees import linked_copy
from imagenet_s.benchmark.scoring.predictions import names_of
from imagenet_s.cli.main import main
from imagenet_s.masks.codec import rgb_png
from imagenet_s.runtime.errors import UserError
from imagenet_s.spec.method_txt import BASELINE, LINES, method_text, read_method, text_problems
from imagenet_s.spec.protocols import PROTOCOLS, leak
from imagenet_s.spec.splits import listed

NAMES = names_of(50, "test")
FIELDS = {
    "name": "A name: with a colon",
    "training_data": "ImageNetS50 train",
    "training_scheme": "SSL",
    "networks": "ResNet-18",
    "link": "https://example.org",
    "description": "Größe matters",
}
TEXT = (
    "Method name: A name: with a colon\nTraining data: ImageNetS50 train\nTraining scheme: SSL\n"
    "Networks: ResNet-18\nPaper/Project link: https://example.org\nMethod description: Größe matters"
)
MATCH = {"0": 0} | {str(p): 51 - p for p in range(1, 51)}


@pytest.fixture(scope="session")
def test50(tmp_path_factory) -> Path:
    """`images` and `predictions` of subset 50's test images; shared, never changed."""
    folder = tmp_path_factory.mktemp("test50")
    random = np.random.default_rng(1)
    for name in NAMES:
        height, width = map(int, random.integers(4, 12, 2))
        image = (folder / "images" / name).with_suffix(".JPEG")
        for path in (image, folder / "predictions" / name):
            path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (width, height)).save(image)
        ids = random.integers(0, 51, (height, width)).astype(np.uint16)
        (folder / "predictions" / name).write_bytes(rgb_png(ids))
    return folder


@pytest.fixture
def folder(test50, tmp_path) -> Path:
    """A folder with `predictions` that may be changed, `method.yaml` and `match.json`."""
    linked_copy(test50 / "predictions", tmp_path / "predictions")
    (tmp_path / "method.yaml").write_text(yaml.safe_dump(FIELDS))
    (tmp_path / "match.json").write_text(json.dumps(MATCH))
    return tmp_path


def submit(folder: Path, test50: Path, protocol: str = "semi-supervised", **options: Path) -> int:
    paths = {"images": test50 / "images", "predictions": folder / "predictions"}
    paths |= {"method": folder / "method.yaml", "out": folder / "s.zip"} | options
    words = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    return main(["submit", "--subset", "50", "--protocol", protocol, "--workers", "1", *words])


def check(path: Path, protocol: str = "semi-supervised", *options: str) -> int:
    return main(["submit", "--subset", "50", "--protocol", protocol, "--check", str(path), *options])


def replace(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)


def test_the_zip_holds_the_predictions_byte_for_byte_and_the_method_to_the_letter(folder, test50, capsys):
    assert submit(folder, test50) == 0
    with zipfile.ZipFile(folder / "s.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == sorted([*NAMES, "method.txt"])
        assert archive.read("method.txt") == TEXT.encode()
        for name in NAMES:
            assert archive.read(name) == (test50 / "predictions" / name).read_bytes()
        members = archive.infolist()
        assert {(m.date_time, m.create_system, m.external_attr >> 16, m.compress_type) for m in members} == {
            ((1980, 1, 1, 0, 0, 0), 3, 0o644, zipfile.ZIP_STORED)
        }
    digest = hashlib.sha256((folder / "s.zip").read_bytes()).hexdigest()
    assert capsys.readouterr().out == (
        f"{folder}/s.zip: 1,682 predictions, read back and found right; sha256 {digest}\n"
    )
    assert check(folder / "s.zip", "semi-supervised", "--images", str(test50 / "images")) == 0
    for path in sorted((folder / "predictions").rglob("*.png"), reverse=True):  # made in another order
        replace(path, path.read_bytes())
    assert submit(folder, test50, out=folder / "again.zip") == 0
    assert (folder / "again.zip").read_bytes() == (folder / "s.zip").read_bytes()


def test_generated_ids_need_a_match_json_which_goes_in_as_it_is(folder, test50, capsys):
    assert submit(folder, test50, "unsupervised") == 1
    assert "missing (1): match.json, which protocol fully unsupervised needs" in capsys.readouterr().err
    assert not (folder / "s.zip").exists()
    assert submit(folder, test50, "unsupervised", match=folder / "match.json") == 0
    with zipfile.ZipFile(folder / "s.zip") as archive:
        assert archive.read("match.json") == (folder / "match.json").read_bytes()
        assert archive.namelist() == sorted([*NAMES, "match.json", "method.txt"])
    assert check(folder / "s.zip", "unsupervised") == 0
    assert check(folder / "s.zip", "free") == 0
    capsys.readouterr()
    assert check(folder / "s.zip", "distance-matching") == 1
    text = capsys.readouterr().err
    assert (
        "files that do not belong there (1): match.json: in protocol distance matching ids are classes"
        in text
    )


@pytest.mark.parametrize(
    ("match", "says"),
    [
        ({**MATCH, "1": 1}, "lacks the values 50; has 1 more than once"),
        ({p: c for p, c in MATCH.items() if p != "9"}, "lacks the keys 9; lacks the values 42"),
        ({**MATCH, "51": 51}, "has the keys 51 beyond 0..50; has the values 51 beyond 0..50"),
        ([], "is not a table of whole numbers"),
    ],
)
def test_a_match_json_must_be_legal(match, says, folder, test50, capsys):
    (folder / "match.json").write_text(json.dumps(match))
    assert submit(folder, test50, "unsupervised", match=folder / "match.json") == 1
    assert f"- faults of match.json (1): it {says}\n" in capsys.readouterr().err


def test_everything_that_is_wrong_with_a_folder_is_told_at_once(folder, test50, capsys):
    predictions = folder / "predictions"
    size = Image.open((test50 / "images" / NAMES[0]).with_suffix(".JPEG")).size
    replace(predictions / NAMES[0], rgb_png(np.zeros((3, 99), np.uint16)))
    replace(predictions / NAMES[1], b"")
    above = np.zeros(Image.open(predictions / NAMES[2]).size[::-1], np.uint16)
    above[:2, 0] = (51, 1000)
    replace(predictions / NAMES[2], rgb_png(above))
    (predictions / NAMES[3]).unlink()
    (predictions / "readme.md").write_text("x")
    assert submit(folder, test50) == 1
    text = capsys.readouterr().err
    assert (
        f"of another size than their image (1): {NAMES[0]} has 99 × 3 pixels, not {size[0]} × {size[1]}\n"
        in text
    )
    assert f"(8-bit RGB PNG, id = R + 256·G, B = 0) (1): {NAMES[1]} is empty" in text
    assert f"with ids above 50 (1): {NAMES[2]} has 51, 1000\n" in text
    assert f"missing predictions (1): {NAMES[3]}\n" in text
    assert "files that do not belong there (1): readme.md\n" in text
    assert text.endswith(f"{WANTED_PNGS}\nNothing was written.\n")
    assert sorted(path.name for path in folder.iterdir()) == ["match.json", "method.yaml", "predictions"]


def test_a_size_is_wrong_if_one_side_is(folder, test50, capsys):
    for name, more in ((NAMES[0], (1, 0)), (NAMES[1], (0, 1))):
        width, height = Image.open((test50 / "images" / name).with_suffix(".JPEG")).size
        ids = np.zeros((height + more[0], width + more[1]), np.uint16)
        replace(folder / "predictions" / name, rgb_png(ids))
    assert submit(folder, test50) == 1
    assert "of another size than their image (2): " in capsys.readouterr().err


def test_predictions_that_cannot_be_read_are_told_with_all_else(folder, test50, capsys):
    names = dict(zip(("pipe", "folder", "failing", "huge", "nowhere", "empty"), NAMES[::200], strict=False))
    paths = {what: folder / "predictions" / name for what, name in names.items()}
    for path in paths.values():
        path.unlink()
    os.mkfifo(paths["pipe"])
    paths["folder"].mkdir()
    paths["failing"].symlink_to("/proc/self/mem")
    paths["huge"].write_bytes(b"")
    os.truncate(paths["huge"], 70_000_000)
    paths["nowhere"].symlink_to("nothing")
    paths["empty"].write_bytes(b"")
    assert submit(folder, test50) == 1
    text = capsys.readouterr().err
    assert "- unreadable predictions (5): " in text
    why = {"pipe": "Not a regular file", "folder": "Not a regular file", "failing": "Input/output error"}
    for what, reason in (why | {"huge": "File too large", "nowhere": "No such file or directory"}).items():
        assert f"\n  unreadable predictions: {names[what]}: {reason}\n" in text
    assert f"B = 0) (1): {names['empty']} is empty\n" in text
    assert "missing predictions" not in text
    assert ".part" not in text
    assert not (folder / "s.zip").exists()


def test_predictions_in_folders_of_imagenet_s_classes_are_told_where_they_belong(folder, test50, capsys):
    image = next(row for row in listed(50, "test") if row.imagenet_wnid != row.wnid)
    name, there = f"{image.wnid}/{image.image}.png", f"{image.imagenet_wnid}/{image.image}.png"
    (folder / "predictions" / there).parent.mkdir(exist_ok=True)
    (folder / "predictions" / name).rename(folder / "predictions" / there)
    assert submit(folder, test50) == 1
    text = capsys.readouterr().err
    assert (
        "- in the folder of another class (in ImageNet-S 13 % of the val images change theirs) (1): " in text
    )
    assert f"{there} should be {name}\n" in text
    assert "missing" not in text
    assert "belong" not in text


def test_a_folder_of_validation_predictions_is_not_taken_for_one_of_test(folder, test50, truth50, capsys):
    assert submit(folder, test50, predictions=truth50) == 1
    text = capsys.readouterr().err
    assert f"{truth50} has no prediction of a test image" in text
    assert f"such as {NAMES[0]}" in text


def test_the_folder_test_of_a_folder_is_taken(folder, test50):
    (folder / "both" / "validation").mkdir(parents=True)
    (folder / "predictions").rename(folder / "both" / "test")
    linked_copy(test50 / "images", folder / "tree" / "test")
    assert submit(folder, test50, predictions=folder / "both", images=folder / "tree") == 0


def test_what_is_read_is_not_written_over(folder, test50, capsys):
    before = (folder / "method.yaml").read_bytes()
    places = ("method.yaml", "match.json", "predictions/s.zip")
    for out in (*(folder / name for name in places), test50 / "images" / "s.zip"):
        assert submit(folder, test50, "unsupervised", match=folder / "match.json", out=out) == 2
        assert f"--out: {out} would be written over, or into, what is read" in capsys.readouterr().err
    assert (folder / "method.yaml").read_bytes() == before


def test_test_images_are_needed_for_the_sizes(folder, test50, tmp_path, capsys):
    images = linked_copy(test50 / "images", tmp_path / "images")
    (images / NAMES[0]).with_suffix(".JPEG").unlink()
    replace((images / NAMES[1]).with_suffix(".JPEG"), b"no image")
    assert submit(folder, test50, images=images) == 1
    text = capsys.readouterr().err
    assert f"missing test images, whose sizes are needed (1): {NAMES[0]}" in text
    assert "unreadable test images (1): " in text
    assert submit(folder, test50) == 0
    assert check(folder / "s.zip") == 0
    assert "The sizes were not compared: give the test images with --images" in capsys.readouterr().err


def test_the_six_lines_of_the_method_have_no_newline_at_their_end():
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
            ["its line 4, 'Networks: ', says nothing"],
        ),
        (
            lambda text: text.replace("Networks: ResNet-18", "Networks: "),
            ["its line 4, 'Networks: ', says nothing"],
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
def test_a_method_txt_must_be_right_to_the_letter(change, says):
    assert text_problems(change(TEXT).encode()) == says


def test_a_method_txt_of_other_bytes_is_refused():
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


def test_all_that_a_method_lacks_is_told(folder, test50, capsys):
    (folder / "method.yaml").write_text(
        "name: \"x\\ry\"\nnetworks: ''\nlink: [a]\nyear: 2026\ndescription: |\n  a\n  b\n"
    )
    assert submit(folder, test50) == 1
    text = capsys.readouterr().err
    for problem in (
        "year: no such key",
        "name: must be one line of text",
        "training_data: is missing or empty",
        "training_scheme: is missing or empty",
        "networks: is missing or empty",
        "link: must be one line of text",
        "description: must be one line of text",
    ):
        assert f"\n- {problem}" in text
    (folder / "method.yaml").write_text("{")
    assert submit(folder, test50) == 1
    assert f"{folder}/method.yaml is no YAML file" in capsys.readouterr().err
    (folder / "method.yaml").write_text("text")
    assert submit(folder, test50) == 1
    assert "- is not a table of keys and texts" in capsys.readouterr().err


def test_a_method_in_json_may_have_any_character(folder, test50):
    fields = FIELDS | {"name": "🔥 \U0010ffff", "networks": "ResNet\t18 größer"}
    (folder / "method.json").write_text(json.dumps(fields))  # each in two halves
    assert "\\ud83d\\udd25" in (folder / "method.json").read_text()
    assert read_method(folder / "method.json") == fields
    assert submit(folder, test50, method=folder / "method.json") == 0
    with zipfile.ZipFile(folder / "s.zip") as archive:
        assert archive.read("method.txt").startswith("Method name: 🔥 \U0010ffff\n".encode())


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_method_may_be_written_as_an_editor_or_a_program_does(mark, tmp_path):
    path = tmp_path / "method"
    for text in (json.dumps(FIELDS, indent="\t"), yaml.safe_dump(FIELDS, allow_unicode=True)):
        path.write_text(mark + text, encoding="utf-8")
        assert read_method(path) == FIELDS


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("no", "False is not a text; put it in quotes"),
        ("1.10", "1.1 is not a text; put it in quotes"),
        ("0x10", "16 is not a text; put it in quotes"),
        ("2026-01-31", "2026-01-31 is not a text; put it in quotes"),
        (f"0x{'f' * 5000}", "a long number is not a text; put it in quotes"),
        ("", "is missing or empty"),
        ("' '", "is missing or empty"),
        ("{a: b}", "must be one line of text"),
        ("!!binary aGVsbG8=", "must be one line of text"),
        ('"a\\u2028b"', "must be one line of text"),
        ('"\\ud800"', "has a lone surrogate, which is no character"),
        ('"\\udd25\\ud83d"', "has a lone surrogate, which is no character"),
        (r'"\0 and \e[31m"', r"has control characters: '\x00', '\x1b'"),
    ],
)
def test_a_field_that_is_no_text_is_refused_as_it_would_be_in_another_form(
    written, says, folder, test50, capsys
):
    lines = [f"{key}: {written if key == 'networks' else 'x'}\n" for key in LINES]
    (folder / "method.yaml").write_text("".join(lines))
    assert submit(folder, test50) == 1
    expected = "Expected: the keys name, training_data, training_scheme, networks, link, description."
    text = f"{folder}/method.yaml does not describe a method:\n- networks: {says}\n{expected}\n"
    assert capsys.readouterr().err == text


def test_keys_of_a_method_are_shown_whatever_they_are(tmp_path):
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


def test_a_field_of_lists_of_aliases_of_lists_is_refused_at_once(tmp_path):
    lists = "".join(f"- &x{k + 1} [*x{k}, *x{k}]\n" for k in range(40))
    fields = "".join(f"{key}: x\n" for key in LINES if key != "link")
    (tmp_path / "method.yaml").write_text(f"{fields}link:\n- &x0 [a, a]\n{lists}")
    with pytest.raises(UserError, match="\n- link: must be one line of text\n"):
        read_method(tmp_path / "method.yaml")


# Zips that somebody else made: each fault makes of the right members wrong ones.

Members = dict[str, bytes]


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
    """As "Compress" of macOS does it: each file with a shadow that holds its attributes."""
    inside = {f"test/{name}": data for name, data in (members | {".DS_Store": b"x"}).items()}
    shadows = ("__MACOSX/{}/._{}".format(*name.rsplit("/", 1)) for name in inside)
    return inside | dict.fromkeys(sorted(shadows), b"x")


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
WANTED_PNGS = "Wanted: `<wnid>/<stem>.png`, 8-bit RGB, of its image's size, for exactly the test images."
WANTED_METHOD = (
    'Wanted: method.txt with six lines that begin with "Method name: ", "Training data: ", '
    '"Training scheme: ", "Networks: ", "Paper/Project link: ", "Method description: ", '
    "and no newline at its end."
)
WANTED_MATCH = (
    'Wanted: match.json, only where ids are generated: a JSON object of entries such as "7": 12 that '
    'gives each predicted id of 1..50 a class of its own out of 1..50, and "0": 0. '
    "`imagenet-s match` makes one."
)

FAULTS = {
    in_a_folder: "all in a folder (1): 'submission/': its content must be at the top of the zip",
    in_a_folder_but_for_the_first: (
        "all in a folder (1): 'a/b/': its content must be at the top of the zip\n"
        f"- missing predictions (1): {NAMES[0]}\n{WANTED_PNGS}\n"
    ),
    in_a_folder_with_other_faults: (
        "all in a folder (1): 'test/': its content must be at the top of the zip\n"
        f"- faults of method.txt (1): ends in a newline\n- with ids above 50 (1): {NAMES[9]} has 1000\n"
        f"{WANTED_PNGS}\n{WANTED_METHOD}\n"
    ),
    by_finder: (
        "all in a folder (1): 'test/': its content must be at the top of the zip\n"
        "- files that do not belong there (1,685): .DS_Store; __MACOSX/test/._.DS_Store; "
    ),
    by_windows: (
        f"names with backslashes instead of slashes (1,682): {BACK[0]}; {BACK[1]}; {BACK[2]}; …\n"
        f"{WANTED_PNGS}\n"
    ),
    by_windows_in_a_folder: (
        f"names with backslashes instead of slashes (1,684): test\\; test\\{BACK[0]}; test\\{BACK[1]}; …\n"
        f"- all in a folder (1): 'test/': its content must be at the top of the zip\n{WANTED_PNGS}\n"
    ),
    in_two_folders: "missing predictions (1,682): ",
    with_empty_texts: "faults of method.txt (1): is empty",
    without_one: f"missing predictions (1): {NAMES[9]}\n{WANTED_PNGS}\n",
    without_method: f":\n- missing (1): method.txt\n{WANTED_METHOD}\n",
    with_junk: "files that do not belong there (2): __MACOSX/._method.txt; n01443537/.DS_Store",
    of_jpegs: f"{NAMES[9]} is no readable PNG",
    with_ignored: f"with ids above 50 (1): {NAMES[9]} has 1000",
    with_a_newline: f":\n- faults of method.txt (1): ends in a newline\n{WANTED_METHOD}\n",
    too_long: f":\n- faults of method.txt (1): has 65,537 bytes, more than 65,536\n{WANTED_METHOD}\n",
    upwards: "leads outside the folder (3): ../evil.png; ../evil/; /abs/\n",
}


def zipped(members: Members, path: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.mkdir("n01443537/")  # as shutil.make_archive does, which the official scripts call
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.fixture(scope="session")
def members(test50) -> Members:
    """What a right zip holds."""
    found = {name: (test50 / "predictions" / name).read_bytes() for name in NAMES}
    return found | {"method.txt": TEXT.encode()}


def test_a_right_zip_of_somebody_else_is_found_right(members, test50, tmp_path, capsys):
    path = zipped(members, tmp_path / "s.zip")
    before = path.read_bytes()
    assert check(path, "semi-supervised", "--images", str(test50 / "images")) == 0
    assert "1,682 predictions, read back and found right" in capsys.readouterr().out
    assert path.read_bytes() == before


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_wrong_zip_is_told_by_what_is_wrong(fault: Callable, members, tmp_path, capsys):
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
    expected = f"{path} cannot be submitted:\n- is there twice (1): {NAMES[0]}\n{WANTED_PNGS}\n"
    assert capsys.readouterr().err.endswith(expected)


@pytest.mark.parametrize(("method", "name"), [(zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "lzma")])
def test_a_zip_packed_in_another_way_is_told_once_with_what_shows_without_reading(
    method, name, members, tmp_path, capsys
):
    path = zipped(without_one(members), tmp_path / "s.zip", method)
    assert check(path) == 1
    assert (
        f"{path} cannot be submitted:\n"
        f"- is packed by {name} (method {method}); use deflate or store (1,682): "
        f"{NAMES[0]}; {NAMES[1]}; {NAMES[2]}; …\n"
        f"- missing predictions (1): {NAMES[9]}\n"
        f"{WANTED_PNGS}\n{WANTED_METHOD}\n"
    ) in capsys.readouterr().err


def test_a_zip_that_would_unpack_to_too_much_is_not_read(members, tmp_path, capsys):
    path = zipped(members, tmp_path / "s.zip")
    with zipfile.ZipFile(path, "a") as archive:
        for info in archive.infolist()[1:]:
            info.file_size = 10_000_000
        archive.writestr("more", b"")  # so that the list is written again
    assert check(path) == 1
    text = capsys.readouterr().err
    assert (
        "- would unpack to more than 16 GB (1): s.zip\n- files that do not belong there (1): more\n" in text
    )


def test_only_what_is_wrong_is_said_to_be_wanted(members, tmp_path, capsys):
    match = json.dumps(MATCH | {"7": "7"}).encode()
    path = zipped(members | {"match.json": match}, tmp_path / "s.zip")
    assert check(path, "unsupervised") == 1
    assert capsys.readouterr().err.endswith(
        f"{path} cannot be submitted:\n- faults of match.json (1): "
        f"it has entries that are not written as in \"7\": 12, but '7': '7'\n{WANTED_MATCH}\n"
    )
    path = zipped(with_a_newline(without_one(members)), tmp_path / "s.zip")
    assert check(path, "unsupervised") == 1
    assert capsys.readouterr().err.endswith(f"\n{WANTED_PNGS}\n{WANTED_METHOD}\n{WANTED_MATCH}\n")


def test_a_damaged_zip_is_told_by_its_members(members, tmp_path, capsys):
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
    assert capsys.readouterr().err.endswith(f"{path} is no whole zip (cut short?). Make it again.\n")


def test_arguments_that_do_not_go_together_are_wrong_usage(folder, test50, capsys):
    assert main(["submit", "--subset", "50", "--protocol", "free", "--out", str(folder / "s.zip")]) == 2
    assert "give --predictions, --images, --method as well, or --check ZIP" in capsys.readouterr().err
    assert check(folder / "s.zip", "free", "--method", "m", "--out", "x") == 2
    assert "--check takes no --method, --out" in capsys.readouterr().err


def test_what_leaks_between_subsets_is_said_when_one_submits(folder, test50, capsys):
    assert submit(folder, test50) == 0
    text = capsys.readouterr().err
    assert text.count("4 in that of ImageNetS919") == 1
    assert text.count("1 in that of ImageNetS300, ") == 1
    assert "If you chose a model, a setting or a match there, you have seen test images" in text
    assert "19 in that of ImageNetS919" in leak(300)
    assert "ImageNetS300," not in leak(300)
    assert leak(919) == ""


def test_an_empty_match_json_is_none(folder, test50, members, capsys):
    (folder / "match.json").write_bytes(b"")
    assert submit(folder, test50, "unsupervised", match=folder / "match.json") == 1
    assert "faults of match.json (1): it is not JSON" in capsys.readouterr().err
    for protocol in ("unsupervised", "free"):
        assert check(zipped(with_empty_texts(members), folder / "s.zip"), protocol) == 1
        assert "faults of match.json (1): it is not JSON" in capsys.readouterr().err


def test_a_damaged_match_json_is_named_once(folder, test50, capsys):
    assert submit(folder, test50, "unsupervised", match=folder / "match.json") == 0
    data = bytearray((folder / "s.zip").read_bytes())
    data[data.index(b'{"0": 0')] ^= 1
    (folder / "s.zip").write_bytes(data)
    capsys.readouterr()
    assert check(folder / "s.zip", "unsupervised") == 1
    text = capsys.readouterr().err
    assert "damaged (1): match.json its CRC-32 is wrong" in text
    assert "faults of match.json" not in text


def test_919_in_a_method_is_warned_of_where_it_is_not_allowed(folder, test50, capsys):
    for key in ("training_data", "training_scheme", "networks", "description"):
        (folder / "method.yaml").write_text(yaml.safe_dump(FIELDS | {key: "on 919"}))
        assert submit(folder, test50) == 0
        text = capsys.readouterr().err
        told = (
            f"method.txt says '{LINES[key]}on 919'. Protocol semi-supervised does not allow to use 919 here."
        )
        assert text.count(told) == 1
    assert check(folder / "s.zip") == 0  # of a zip that somebody else made, too
    assert told in capsys.readouterr().err
    assert check(folder / "s.zip", "free") == 0
    assert "method.txt says" not in capsys.readouterr().err
    (folder / "method.yaml").write_text(yaml.safe_dump(FIELDS | {"name": "919", "link": "https://x.org/919"}))
    assert submit(folder, test50) == 0
    assert "method.txt says" not in capsys.readouterr().err


RULES = {
    "unsupervised": "No label is used; ids are generated, and match.json, made on the validation set, names "
    "them.",
    "distance-matching": "Features are learnt without labels; the masks of train-semi are used for matching "
    "alone.",
    "semi-supervised": "The masks of train-semi may be used for training.",
    "free": "Any data, any labels. Say in the description what was used.",
}
OWN = "Only the images of the subset itself may be used, and no model trained on 919 for 50 or 300."


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_rule_of_the_protocol_is_said_once(protocol, folder, test50, capsys):
    match = {"match": folder / "match.json"} if protocol == "unsupervised" else {}
    assert submit(folder, test50, protocol, **match) == 0
    text = capsys.readouterr().err
    rule = RULES[protocol] if protocol == "free" else f"{RULES[protocol]} {OWN}"
    assert text.count(f": {rule}\n") == 1


def test_a_zip_that_is_not_there_is_told_at_once(tmp_path, capsys):
    for path in (tmp_path / "no.zip", tmp_path):
        assert check(path) == 1
        assert capsys.readouterr().err == f"There is no file {path}. Expected: the zip to check.\n"


@pytest.mark.parametrize("command", ["match", "distance-match", "submit"])
def test_the_help_says_what_the_rules_allow(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "What the rules of the benchmark allow" in text
    assert (
        "Only the images of the subset itself may be used, and no model trained on 919 for 50 or 300" in text
    )
