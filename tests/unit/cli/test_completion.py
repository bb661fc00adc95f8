"""Tab completion, in the shells that are there."""

import shutil
import subprocess
import sys

import pytest

from imagenet_s.cli.main import SHELLS, main

# What is typed, and what the shell offers.
CASES = {
    "imagenet-s ver": {"verify"},
    "imagenet-s -q veri": {"verify"},
    "imagenet-s verify --le": {"--level"},
    "imagenet-s verify --level s": {"size", "sha256"},
    "imagenet-s evaluate --subset ": {"50", "300", "919"},
    "imagenet-s evaluate --truth fol": {"folder"},
    "imagenet-s evaluate --match fil": {"file.json"},
}
BASH = """\
source {script}
COMP_WORDS=({words}) COMP_CWORD={last}
_shtab_imagenet_s
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
FISH = 'source {script}; complete -C "{typed}"'


@pytest.fixture
def offered(tmp_path, capsys):
    """A function that returns what a shell offers for some typed text."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.json").touch()

    def offered_by(shell: str, typed: str) -> set[str]:
        if not shutil.which(shell):
            pytest.skip(f"there is no {shell}")
        assert main(["completion", shell]) == 0
        script = tmp_path / "script"
        script.write_text(capsys.readouterr().out)
        words = typed.split(" ")
        quoted = " ".join(f"'{word}'" for word in words)
        text = BASH.format(script=script, words=quoted, last=len(words) - 1)
        text = text if shell == "bash" else FISH.format(script=script, typed=typed)
        command = [shell, *(["--norc"] if shell == "bash" else ["--no-config"]), "-c", text]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return {line.split("\t")[0].rstrip("/") for line in done.stdout.splitlines()}

    return offered_by


@pytest.mark.parametrize("shell", ["bash", "fish"])
@pytest.mark.parametrize(("typed", "expected"), CASES.items())
def test_a_shell_completes_commands_options_values_and_paths(shell, typed, expected, offered):
    assert offered(shell, typed) == expected


def test_zsh_accepts_its_script(tmp_path, capsys):
    if not shutil.which("zsh"):
        pytest.skip("there is no zsh")
    assert main(["completion", "zsh"]) == 0
    (tmp_path / "_imagenet-s").write_text(capsys.readouterr().out)
    subprocess.run(["zsh", "-n", tmp_path / "_imagenet-s"], check=True)


def test_the_shells_that_are_offered_are_supported():
    # Asked in a process of its own: the library is loaded only for this command.
    script = "import sys, imagenet_s.cli.main; assert 'shtab' not in sys.modules; "
    script += "import shtab; print(*shtab.SUPPORTED_SHELLS)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert set(SHELLS) <= set(done.stdout.split())
