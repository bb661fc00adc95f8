"""YAML that users write: parsed, or refused with the reason."""

import yaml

TIMESTAMP = "tag:yaml.org,2002:timestamp"

# PyYAML lets errors of Python through where a value is none of its type, and where tables are too deep.
ODD = (yaml.YAMLError, ValueError, KeyError, IndexError, OverflowError, RecursionError)


class BadYaml(Exception):
    """Text that is no YAML; the message says why."""


class _Loader(yaml.SafeLoader):
    """PyYAML's loader, which says what is wrong with a time instead of raising AttributeError.

    AttributeError must mean a fault of a program only: such as a library that lacks what is asked of it.
    """

    def construct_yaml_timestamp(self, node: yaml.Node) -> object:
        text = self.construct_scalar(node)
        if not self.timestamp_regexp.match(text):
            raise yaml.constructor.ConstructorError(None, None, f"{text!r} is no time", node.start_mark)
        return super().construct_yaml_timestamp(node)


_Loader.add_constructor(TIMESTAMP, _Loader.construct_yaml_timestamp)


def parse_yaml(text: str) -> object:
    """Return what YAML text says. Raises BadYaml."""
    try:
        return yaml.load(text, _Loader)
    except ODD as error:
        raise BadYaml(str(error)) from error
