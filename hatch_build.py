"""How a wheel becomes a whole tool: the workflow goes into it, laid out as it is here."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CARRIED = (
    "Snakefile",
    "config.yaml",
    "envs",
    "profiles",
    "workflow/launch.py",
    "workflow/rules",
    "workflow/schemas",
)


class CarriedFiles(BuildHookInterface):
    """Adds the workflow to wheels. An editable installation has none of it: it uses the checkout itself."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "standard":
            build_data["force_include"] |= {name: f"imagenet_s/project/{name}" for name in CARRIED}
