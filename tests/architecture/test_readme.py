"""The commands of the README: which there are, and which of them `.ci/run` runs."""

import pytest

from readme_commands import LEFT_OUT, README, commands, plain, to_run

TEXT = """\
Run `.venv/bin/one
--option` or `other`, or `.venv/bin/one --option`.

1. First

   ```yaml
   imagenet: ~/data
   ```

2. `.venv/bin/two`

```
.venv/bin/three a \\
    b    # a comment
for x in a b; do
    .venv/bin/four $x
done
plain command
cd .venv && ../.venv/bin/five && pip install -e '.[test]'
```

`.venv/bin/six`
"""


def test_every_command_is_found_whole_and_in_order():
    found = [
        ".venv/bin/one\n--option",
        ".venv/bin/one --option",
        ".venv/bin/two",
        ".venv/bin/three a \\\n    b    # a comment",
        "for x in a b; do\n    .venv/bin/four $x\ndone",
        "cd .venv && ../.venv/bin/five && pip install -e '.[test]'",
        ".venv/bin/six",
    ]
    assert commands(TEXT) == found
    assert plain(found[0]) == ".venv/bin/one --option"
    assert plain(found[3]) == ".venv/bin/three a b"


def test_the_readme_begins_with_an_installation_and_runs_extras_last():
    run = to_run(README.read_text(encoding="utf-8"))
    assert run[0] == "python3 -m venv .venv && .venv/bin/pip install -e . && .venv/bin/snakemake --cores all"
    assert run[-1] == "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest"
    assert not any("pip install -e '.[" in command for command in run[:-1])
    assert ".venv/bin/snakemake --report report.html -- all evaluate" in run
    assert ".venv/bin/imagenet-s repair" in map(plain, run)


def test_a_new_command_is_run():
    text = README.read_text(encoding="utf-8")
    assert ".venv/bin/imagenet-s new" in to_run(f"{text}\n```\n.venv/bin/imagenet-s new\n```\n")


@pytest.mark.parametrize("command", LEFT_OUT)
def test_what_is_left_out_is_in_the_readme(command):
    assert command in map(plain, commands(README.read_text(encoding="utf-8")))


def test_what_is_left_out_and_gone_is_told():
    text = README.read_text(encoding="utf-8").replace("verify PATH", "verify OTHER")
    with pytest.raises(
        ValueError, match=r"not in the README, and yet left out: \['\.venv/bin/imagenet-s verify PATH'"
    ):
        to_run(text)
