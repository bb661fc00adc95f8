"""Wrong commands, options and values: the nearest right spelling is named, and the exit code is 2."""

import pytest

from imagenet_s.cli.main import main

LISTED = "Commands: init, inspect, plan, verify, repair, clean, stats, export, gallery, match, evaluate, "


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("verfy results", f"COMMAND: 'verfy' is not a command; did you mean `verify`? {LISTED}"),
        ("Evaluate", f"COMMAND: 'Evaluate' is not a command; did you mean `evaluate`? {LISTED}"),
        ("maniefsts", f"COMMAND: 'maniefsts' is not a command; did you mean `manifests`? {LISTED}"),
        ("xyz", f"COMMAND: 'xyz' is not a command. {LISTED}"),
        ("", f"error: which command? {LISTED}"),
        ("--lgo x verify results", "imagenet-s: error: there is no option --lgo; did you mean `--log`?\n"),
        ("tidy --lable id16", "imagenet-s tidy: error: there is no option --lable\n"),
        ("dataset --lable id16", "dataset: error: there is no option --lable; did you mean `--labels`?\n"),
        ("submit --protcol=x", "submit: error: there is no option --protcol; did you mean `--protocol`?\n"),
        (
            "verify --zzz --leevl x",
            "there is no option --zzz; there is no option --leevl; did you mean `--level`?\n",
        ),
        (
            "verify results --level sha25",
            "--level: 'sha25' is not allowed; did you mean `sha256`? Allowed: complete, size, sha256\n",
        ),
        ("match --subset 5O", "--subset: '5O' is not allowed; allowed: 50, 300, 919\n"),
        ("match --subset 51", "--subset: 51 is not allowed; allowed: 50, 300, 919\n"),
        ("completion bsh", "SHELL: 'bsh' is not allowed; did you mean `bash`? Allowed: bash, zsh, fish\n"),
    ],
)
def test_the_nearest_right_spelling_is_named(arguments, says, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def test_the_beginning_of_an_option_is_enough_and_values_may_look_like_options(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["verify", "--lev", "size", "--", "--folder"]) == 2
    assert "--folder holds no copy of ImageNet-S: there is no such folder." in capsys.readouterr().err
