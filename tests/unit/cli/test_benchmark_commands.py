"""The arguments and the help of the benchmark's commands."""

import pytest

from helpers.submission import check
from imagenet_s.cli.main import main


def test_arguments_that_do_not_go_together_are_wrong_usage(tmp_path, capsys):
    assert main(["submit", "--subset", "50", "--protocol", "free", "--out", str(tmp_path / "s.zip")]) == 2
    assert (
        "submit: --predictions, --images, --method must be given too, or --check ZIP."
        in capsys.readouterr().err
    )
    assert check(tmp_path / "s.zip", "free", "--method", "m", "--out", "x") == 2
    assert "--check does not allow --method, --out" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["match", "distance-match", "submit"])
def test_the_help_says_what_the_rules_allow(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "What the rules of the benchmark allow" in text
    assert (
        "Only the images of the subset itself may be used, and no model trained on 919 for 50 or 300" in text
    )


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("-k", "0", "'0' is not an integer of 1 or more"),
        ("-k", "1.5", "'1.5' is not an integer of 1 or more"),
        ("-T", "0", "'0' is not a number above 0"),
        ("-T", "nan", "'nan' is not a number above 0"),
        ("-T", "x", "'x' is not a number above 0"),
    ],
)
def test_numbers_out_of_range_are_wrong_usage(option, value, says, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["distance-match", option, value])
    assert caught.value.code == 2
    assert f"argument {option}: {says}\n" in capsys.readouterr().err
