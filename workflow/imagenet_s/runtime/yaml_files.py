"""YAML that users write: parsed, or rejected with the reason."""

from datetime import date

import yaml

NO_FILE = "<unicode string>"  # PyYAML's name of a text
TIMESTAMP = "tag:yaml.org,2002:timestamp"

# PyYAML raises Python's own errors for values of the wrong type and for deeply nested tables.
YAML_ERRORS = (yaml.YAMLError, ValueError, KeyError, IndexError, OverflowError, RecursionError)


class BadYaml(Exception):
    """Text that is not YAML. The message says why."""


class _Loader(yaml.SafeLoader):
    """A loader that reports an invalid timestamp as a YAML error.

    PyYAML itself raises AttributeError there, which must stay the sign of a bug.
    """

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> date:
        text = self.construct_scalar(node)
        if not self.timestamp_regexp.match(text):
            raise yaml.constructor.ConstructorError(
                None, None, f"{text!r} is not a timestamp", node.start_mark
            )
        return super().construct_yaml_timestamp(node)


_Loader.add_constructor(TIMESTAMP, _Loader.construct_yaml_timestamp)


def parse_yaml(text: str) -> object:
    """Return the value that YAML text stands for.

    Raises:
        BadYaml: The text is not valid YAML.
    """
    try:
        return yaml.load(text, _Loader)
    except YAML_ERRORS as error:
        raise BadYaml(str(error).replace(f'in "{NO_FILE}", ', "")) from error
