"""A parser of arguments that names the nearest right spelling of a wrong command, option or value."""

import argparse
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any, NoReturn

from imagenet_s.runtime.spelling import hint, nearest


class Parser(argparse.ArgumentParser):
    """An `argparse.ArgumentParser` with suggestions. As there, wrong arguments end with exit code 2."""

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """Parse arguments, but report unknown options first: argparse would report missing ones first."""
        unknown = list(self._unknown_options(args or ()))
        if unknown:
            self.error("; ".join(map(self._no_such_option, unknown)))
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Print a message and end with exit code 2. A missing command is answered with a list."""
        commands = self._commands()
        if commands and message.endswith(f"required: {commands.metavar}"):
            message = f"which command? Commands: {', '.join(_for_people(commands))}"
        super().error(message)

    def _unknown_options(self, args: Sequence[str]) -> Iterator[str]:
        """Yield the options that this parser does not have. Those after a command have their own parser."""
        commands = self._commands()
        ends = {"--", *(commands.choices if commands else ())}
        for arg in takewhile(lambda arg: arg not in ends, args):
            name = arg.partition("=")[0]
            is_value = not arg.startswith("--") or " " in arg
            # The beginning of an option's name is enough.
            if not is_value and not any(option.startswith(name) for option in self._option_string_actions):
                yield name

    def _no_such_option(self, name: str) -> str:
        options = [option for option in self._option_string_actions if option.startswith("--")]
        near = nearest(name, options)
        return f"there is no option {name}" + (f"; did you mean `{near}`?" if near else "")

    def _commands(self) -> "argparse._SubParsersAction[argparse.ArgumentParser] | None":
        found = (action for action in self._actions if isinstance(action, argparse._SubParsersAction))
        return next(found, None)

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        try:
            return super()._get_value(action, arg_string)
        except argparse.ArgumentError:
            if action.choices is None:
                raise
            self._check_value(action, arg_string)  # which names the choices

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        if isinstance(action, argparse._SubParsersAction):
            near = nearest(value, action.choices)
            suggested = f"; did you mean `{near}`?" if near else "."
            text = f"{value!r} is not a command{suggested} Commands: {', '.join(_for_people(action))}"
        else:
            text = f"{value!r} is not allowed; {hint(value, action.choices, 'allowed')}"
        raise argparse.ArgumentError(action, text)


def _for_people(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> list[str]:
    """Return the commands that `--help` lists: not those of jobs."""
    return [choice.dest for choice in commands._choices_actions]
