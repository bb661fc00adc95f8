"""The files generated from the models of the settings: as they are in the project, and complete."""

from collections.abc import Iterator
from typing import get_args

import yaml

from imagenet_s.config.benchmark_models import MethodSettings
from imagenet_s.config.models import Md5Settings
from imagenet_s.config.reference import PAGE, SCHEMA, TEMPLATE, page_text, schema_text
from imagenet_s.spec.method_txt import LINES
from imagenet_s.spec.protocols import PROTOCOLS, ProtocolName
from imagenet_s.spec.subsets import SUBSETS


def objects(schema: dict, path: str = "") -> Iterator[tuple[str, dict]]:
    """Yield where each table of the schema is, and its rule."""
    if "properties" in schema:
        yield path, schema
    for key, rule in schema.get("properties", {}).items():
        yield from objects(rule, f"{path}.{key}")


def test_every_default_of_the_schema_is_the_one_of_the_contract():
    keys = yaml.safe_load(schema_text())["properties"]
    assert {key: rule["default"] for key, rule in keys.items()} == {
        "imagenet": "demo",
        "output": "results",
        "subsets": [50],
        "link": "auto",
        "train_images": "complete",
        "annotations": {},
        "labels": ["id16"],
        "exports": [],
        "gallery": 12,
        "gallery_splits": ["validation", "train-semi"],
        "benchmark": {},
    }
    assert keys["annotations"]["properties"]["from"]["default"] == "official"


def test_the_schema_describes_every_key_and_refuses_all_others():
    found = dict(objects(yaml.safe_load(schema_text())))
    tables = {".annotations", ".annotations.md5", ".benchmark", ".benchmark.method", ".imagenet"}
    assert set(found) == {"", *tables}
    for path, rule in found.items():
        assert rule["additionalProperties"] is False, path
        for key, described in rule["properties"].items():
            assert len(described["description"]) > 20, f"{path}.{key}"


def test_the_generated_files_are_those_that_the_models_give():
    # Otherwise run: python -m imagenet_s.config.reference
    assert SCHEMA.read_text(encoding="utf-8") == schema_text()
    assert PAGE.read_text(encoding="utf-8") == page_text()


def test_the_page_has_a_row_for_every_key_and_the_whole_config_yaml():
    rows = [line.split("`")[1] for line in page_text().splitlines() if line.startswith("| `")]
    tables = objects(yaml.safe_load(schema_text()))
    keys = [f"{path}.{key}".removeprefix(".") for path, table in tables for key in table["properties"]]
    assert sorted(rows) == sorted(keys)
    assert len(rows) == len(set(rows)) == 29
    assert f"```yaml\n{TEMPLATE.read_text(encoding='utf-8')}```\n" in page_text()


def test_the_keys_and_words_of_the_models_are_those_of_the_specification():
    assert list(MethodSettings.model_fields) == list(LINES)
    assert get_args(ProtocolName) == tuple(PROTOCOLS)
    assert [field.alias for field in Md5Settings.model_fields.values()] == [str(subset) for subset in SUBSETS]


def test_the_schema_lists_the_words_that_are_allowed():
    keys = yaml.safe_load(schema_text())["properties"]
    assert keys["link"]["enum"] == ["auto", "symlink", "symlink-files", "hardlink", "reflink", "copy"]
    assert keys["subsets"]["items"]["enum"] == list(SUBSETS)
    assert keys["labels"]["items"]["enum"] == ["id16", "id8", "color", "binary"]
    table = keys["benchmark"]["properties"]
    assert list(table) == ["predictions", "subset", "protocol", "match", "method"]
    assert table["protocol"]["enum"] == list(PROTOCOLS)
    assert table["subset"]["enum"] == list(SUBSETS)
