"""Matching: which ids count, the optimum, whether there is another, and the official form."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from imagenet_s.benchmark.scoring.match_json import BadMatch, matching_table, parsed_matching, relabelled
from imagenet_s.benchmark.scoring.matching import Occurring, in_common, match, occurring
from imagenet_s.cli.main import main
from imagenet_s.masks.codec import ids_of, pixels_of, rgb_png
from imagenet_s.runtime.version import __version__
from imagenet_s.spec.classes import class_ids

unhurried = settings(deadline=None)  # the first example pays for imports


def test_of_an_image_the_sets_of_classes_count_without_background_and_ignore():
    truth = np.array([[0, 2, 2], [1000, 1000, 1]], np.uint16)
    prediction = np.array([[3, 3, 0], [2, 3, 1000]], np.uint16)
    # 2 is predicted where it is ignored; 1000 is no class of a prediction.
    assert occurring(truth, prediction, 3) == Occurring((3,), (1, 2), unknown=True)


def test_predicted_ids_above_the_classes_are_matched_with_nothing():
    truth = np.array([[1, 2]], np.uint16)
    assert occurring(truth, np.array([[4, 1]], np.uint16), 3) == Occurring((1,), (1, 2), unknown=True)
    assert occurring(truth, np.array([[3, 1]], np.uint16), 3) == Occurring((1, 3), (1, 2), unknown=False)


def test_an_image_that_is_all_ignored_has_no_classes():
    ignored = np.full((2, 2), 1000, np.uint16)
    assert occurring(ignored, np.ones((2, 2), np.uint16), 3) == Occurring((), ())


images = [Occurring((1, 2), (3,)), Occurring((1,), (3, 2)), Occurring((2,), (1,)), Occurring((), (1,))]


def test_images_in_common_have_predicted_ids_in_rows_and_true_ones_in_columns():
    assert in_common(images, 3).tolist() == [[0, 1, 2], [1, 0, 1], [0, 0, 0]]
    assert in_common([], 2).tolist() == [[0, 0], [0, 0]]


def test_the_matching_of_lowest_cost_by_hand():
    found = match(in_common(images, 3), len(images))
    # 1 → 3 (2 images) and 2 → 1 (1 image), so 3, predicted nowhere, is left with 2.
    assert found.classes == (3, 1, 2)
    assert (found.common, found.cost) == (3, 3 - 3 / 4)
    assert found.official() == {"1": 3, "2": 1, "3": 2, "0": 0}
    assert found.unique
    assert found.solver.startswith("scipy.optimize.linear_sum_assignment 1.")


def test_ids_that_could_be_exchanged_are_said():
    common = np.array([[5, 0, 0, 0], [0, 2, 2, 0], [0, 1, 1, 0], [0, 0, 0, 1]])
    found = match(common, 9)
    assert found.movable == (2, 3)
    assert not found.unique
    assert found.common == 5 + 3 + 1


def test_where_nothing_is_predicted_every_id_could_be_exchanged():
    assert match(np.zeros((3, 3), np.int64), 5).movable == (1, 2, 3)
    assert match(np.zeros((1, 1), np.int64), 5).movable == ()


def test_a_solver_that_finds_no_optimum_is_found_out(monkeypatch):
    monkeypatch.setattr(
        "imagenet_s.benchmark.scoring.matching.linear_sum_assignment",
        lambda *_, **__: np.arange(6).reshape(2, 3) % 3,
    )
    with pytest.raises(ArithmeticError):
        match(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]]), 3)


@unhurried
@given(
    st.integers(1, 5).flatmap(lambda n: arrays(np.int64, (n, n), elements=st.integers(0, 3))),
)
def test_the_optimum_and_what_may_move_are_those_of_all_permutations(common):
    n = len(common)
    values = {p: sum(common[i, c] for i, c in enumerate(p)) for p in itertools.permutations(range(n))}
    best = max(values.values())
    optima = [p for p, value in values.items() if value == best]
    found = match(common, 7)
    own = tuple(c - 1 for c in found.classes)
    assert found.common == best
    assert own in optima
    assert found.unique == (len(optima) == 1)
    assert found.movable == tuple(i + 1 for i in range(n) if any(p[i] != own[i] for p in optima))


def test_a_matching_of_919_is_sound():
    random = np.random.default_rng(4)
    hidden = random.permutation(919) + 1
    images = [
        Occurring(tuple(sorted({int(hidden[c - 1]) for c in true})), tuple(sorted(true)))
        for true in ({int(c) for c in random.integers(1, 920, 2)} for _ in range(12_419))
    ]
    found = match(in_common(images, 919), len(images))
    assert [found.classes[p - 1] for p in hidden] == list(range(1, 920))
    assert found.unique


def test_predictions_are_relabelled_and_ids_above_the_classes_stay():
    table = matching_table({"1": 2, "2": 1, "0": 0}, 2)
    ids = np.array([[0, 1, 2, 3, 1000, 65_535]], np.uint16)
    assert relabelled(ids, table).tolist() == [[0, 2, 1, 3, 1000, 65_535]]
    assert relabelled(ids, table).dtype == np.uint16


@pytest.mark.parametrize(
    ("official", "says"),
    [
        ({"0": 0, "1": 1}, "lacks the keys 2; lacks the values 2"),
        ({"0": 0, "1": 1, "2": 2, "3": 3}, "has the keys 3 beyond 0..2; has the values 3 beyond 0..2"),
        ({"0": 0, "1": 1, "2": 1}, "lacks the values 2; has 1 more than once"),
        ({"0": 0, "1": 0, "2": 0}, "lacks the values 1, 2; has 0 more than once"),
        ({"0": 0, "1": -1, "2": 2}, "lacks the values 1; has the values -1 beyond 0..2"),
        ({"0": 1, "1": 0, "2": 2}, "gives background the class 1"),
        ({"1": 1, "2": 2}, "lacks the keys 0; lacks the values 0"),
        ({}, "lacks the keys 0, 1, 2; lacks the values 0, 1, 2"),
        ({"0": 0, "one": 1, "2": 2}, "has entries that are not written as in \"7\": 12, but 'one': 1"),
        ([1, 2], "is not a table of whole numbers"),
    ],
)
def test_what_is_no_matching_is_refused(official, says):
    with pytest.raises(BadMatch) as caught:
        matching_table(official, 2)
    assert str(caught.value) == says


def test_a_matching_of_another_subset_is_known_by_its_length():
    matches = {n: {str(i): i for i in range(n + 1)} for n in (50, 300)}
    with pytest.raises(BadMatch) as caught:
        matching_table(matches[300], 50)
    assert str(caught.value) == (
        "has the keys 51, 52, 53, … (250 in all) beyond 0..50; "
        "has the values 51, 52, 53, … (250 in all) beyond 0..50; it may be of ImageNetS300"
    )
    with pytest.raises(BadMatch) as caught:
        matching_table(matches[50], 300)
    assert str(caught.value) == (
        "lacks the keys 51, 52, 53, … (250 in all); "
        "lacks the values 51, 52, 53, … (250 in all); it may be of ImageNetS50"
    )


def run(truth: Path, predictions: Path, out: Path, *options: str) -> int:
    arguments = ["--truth", truth, "--predictions", predictions, "--out", out, *options]
    return main(["match", "--subset", "50", "--workers", "1", *map(str, arguments)])


@pytest.fixture
def generated(truth50, tmp_path) -> tuple[Path, dict[str, int]]:
    """Predictions like the truth but with other ids, and the official form of what these mean."""
    order = np.random.default_rng(7).permutation(50) + 1
    table = np.arange(65_536, dtype=np.uint16)
    table[order] = np.arange(1, 51)
    for path in truth50.rglob("*.png"):
        target = tmp_path / "predictions" / path.relative_to(truth50)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(rgb_png(table[ids_of(pixels_of(path.read_bytes())[0])]))
    return tmp_path / "predictions", {str(p): int(c) for p, c in enumerate(order, 1)} | {"0": 0}


def test_the_command_writes_the_official_form_and_how_certain_it_is(generated, truth50, tmp_path, capsys):
    predictions, expected = generated
    assert run(truth50, predictions, tmp_path / "out" / "match.json") == 0
    assert json.loads((tmp_path / "out" / "match.json").read_text()) == expected
    info = json.loads((tmp_path / "out" / "match-info.json").read_text())
    assert info.pop("solver").startswith("scipy.optimize.linear_sum_assignment 1.")
    assert info.pop("cost") == pytest.approx(50 - info["images_in_common"] / 752)
    assert info.pop("images_in_common") >= 752 - 50
    assert info == {
        "subset": 50,
        "images": 752,
        "unique": True,
        "ids_that_could_change": 0,
        "of_them_predicted": [],
        "ids_never_predicted": 0,
        "made_by": f"imagenet-s {__version__}",
    }
    printed = capsys.readouterr()
    assert "by 752 images; no other matching is as good" in printed.out
    assert printed.err.count("no model trained on 919 for 50 or 300") == 1  # the rule, once


def test_the_command_says_where_other_matchings_are_as_good(generated, truth50, tmp_path, capsys):
    predictions, _ = generated
    # Of 752 images those of three classes: nothing tells the other ids apart.
    for path in predictions.rglob("*.png"):
        if path.parent.name not in sorted(class_ids(50))[:3]:
            path.unlink()
    assert run(truth50, predictions, tmp_path / "match.json", "--partial") == 0
    info = json.loads((tmp_path / "match-info.json").read_text())
    assert not info["unique"]
    assert info["ids_that_could_change"] >= 40
    predicted = {
        i for path in predictions.rglob("*.png") for i in np.unique(ids_of(pixels_of(path.read_bytes())[0]))
    }
    assert info["ids_never_predicted"] == 50 - len(predicted - {0, 1000})
    assert set(info["of_them_predicted"]) <= predicted
    assert len(info["of_them_predicted"]) == info["ids_that_could_change"] - info["ids_never_predicted"]
    assert "others are as good" in capsys.readouterr().out
    assert sorted(json.loads((tmp_path / "match.json").read_text()).values()) == list(range(51))


def test_ids_above_the_classes_are_said_to_be_matched_with_nothing(generated, truth50, tmp_path, capsys):
    predictions, _ = generated
    for path in sorted(predictions.rglob("*.png"))[:3]:
        path.write_bytes(rgb_png(ids_of(pixels_of(path.read_bytes())[0]) + np.uint16(200)))
    assert run(truth50, predictions, tmp_path / "match.json") == 0
    text = capsys.readouterr().err
    assert (
        "3 images have predicted ids above 50, which are matched with nothing: generated ids are 1..50"
        in text
    )


def test_masks_by_the_ids_of_another_subset_are_not_matched(generated, truth50, tmp_path, capsys):
    arguments = ["--truth", truth50, "--predictions", generated[0], "--out", tmp_path / "match.json"]
    assert main(["match", "--subset", "300", "--partial", *map(str, arguments)]) == 1
    assert f"{truth50} is not by the ids of ImageNetS300" in capsys.readouterr().err
    assert not (tmp_path / "match.json").exists()


def test_a_match_json_is_not_written_into_what_is_read(generated, truth50, capsys):
    for folder in (truth50, generated[0]):
        assert run(truth50, generated[0], folder / "match.json") == 2
        assert "would be written over, or into, what is read" in capsys.readouterr().err


def test_the_command_names_what_is_wrong_with_predictions(generated, truth50, tmp_path, capsys):
    predictions, _ = generated
    first, second, *_ = sorted(predictions.rglob("*.png"))
    first.unlink()
    second.write_bytes(b"none")
    assert run(truth50, predictions, tmp_path / "match.json") == 1
    text = capsys.readouterr().err
    assert f"missing predictions (1): {first.relative_to(predictions)}\n" in text
    assert f"{second.relative_to(predictions)} is no readable PNG" in text
    assert "Nothing was matched.\n" in text
    assert not (tmp_path / "match.json").exists()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"0": 0, "1": 2, "1": 1, "2": 2}', "has keys twice: '1'$"),
        (b'{"0": {"1": 2, "1": 1}}', "has keys twice: '1'$"),
        (b"3", "is not a table of whole numbers$"),
        (b"[]", "is not a table of whole numbers$"),
    ],
)
def test_bytes_that_are_no_match_json_are_refused(data, says):
    with pytest.raises(BadMatch, match=says):
        parsed_matching(data, 2)


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        ('"1": 1.0', "'1': 1.0"),
        ('"1": 1.5', "'1': 1.5"),
        ('"1": true', "'1': True"),
        ('"1": 1e999', "'1': inf"),
        ('"1": NaN', "'1': nan"),
        ('"1": null', "'1': None"),
        ('"1": "1"', "'1': '1'"),
        ('"1": [1]', "'1': [1]"),
        ('"01": 1', "'01': 1"),
        ('"+1": 1', "'+1': 1"),
        ('"-0": 1', "'-0': 1"),
        ('" 1": 1', "' 1': 1"),
        ('"1\\n": 1', r"'1\n': 1"),
        ('"1_0": 1', "'1_0': 1"),
        ('"１": 1', "'１': 1"),
        ('"1.0": 1', "'1.0': 1"),
        (f'"{"9" * 5000}": 1', f"'{'9' * 12}...{'9' * 13}': 1"),
        ('"": 1', "'': 1"),
        ('"a": "b", "c": 1, "d": 1, "e": 1', "'a': 'b', 'c': 1, 'd': 1, … (4 in all)"),
    ],
)
def test_entries_are_spelt_as_the_official_writer_spells_them(entry, shown):
    with pytest.raises(BadMatch) as caught:
        parsed_matching(f'{{"0": 0, {entry}, "2": 2}}'.encode(), 2)
    assert str(caught.value) == f'has entries that are not written as in "7": 12, but {shown}'


def test_a_match_json_of_very_many_keys_is_refused_at_once():
    data = b"{" + b", ".join(b'"%d": %d' % (i, i) for i in range(60_000)) + b"}"
    with pytest.raises(BadMatch, match=r"has the keys 3, 4, 5, … \(59,997 in all\) beyond 0\.\.2; "):
        parsed_matching(data, 2)
    with pytest.raises(BadMatch, match="has 1,048,576 bytes or more"):
        parsed_matching(data * 2, 2)


def test_a_match_json_is_read_in_any_order_and_with_any_spaces():
    for data in (b'{"1": 2, "2": 1, "0": 0}', b'\n{\t"0":0,"2" : 1,\r\n"1":2}'):
        assert parsed_matching(data, 2)[:4].tolist() == [0, 2, 1, 3]
