"""The commands of the documentation: which there are, and which of them `.ci/run` runs."""

import pytest

from readme_commands import FIRST, LEFT_OUT, commands, documentation, plain, to_run

DOCUMENTATION = documentation()

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


def test_the_readme_comes_first_and_what_installs_more_comes_last():
    run = to_run(DOCUMENTATION)
    assert run[0] == "python3 -m venv .venv && .venv/bin/pip install -e . && .venv/bin/snakemake --cores all"
    more = [
        "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest",
        ".venv/bin/pip install -e '.[docs]' && .venv/bin/mkdocs build --strict",
    ]
    assert run[-len(more) :] == more
    assert [command for command in run if "pip install" in command and FIRST not in command] == more
    assert ".venv/bin/snakemake --report report.html -- all evaluate" in run
    assert ".venv/bin/imagenet-s repair" in map(plain, run)


def test_a_new_command_is_run():
    new = "\n```\n.venv/bin/imagenet-s new\n```\n"
    assert ".venv/bin/imagenet-s new" in to_run(DOCUMENTATION + new)


@pytest.mark.parametrize("command", LEFT_OUT)
def test_what_is_left_out_is_in_the_documentation(command):
    assert command in map(plain, commands(DOCUMENTATION))


def test_what_is_left_out_but_gone_is_reported():
    text = DOCUMENTATION.replace("verify /shared/ImageNetS50", "verify OTHER")
    with pytest.raises(
        ValueError,
        match=r"left out, but not in the documentation: \['\.venv/bin/imagenet-s verify /shared/ImageNetS50'",
    ):
        to_run(text)
