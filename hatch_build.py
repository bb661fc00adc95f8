"""Add the workflow to wheels, in the layout of the repository: an installed wheel needs no checkout."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CARRIED = (
    "Snakefile",
    "config.yaml",
    "envs",
    "profiles",
    "workflow/launch.py",
    "workflow/rules",
    "workflow/report",
    "workflow/schemas",
)


class CarriedFiles(BuildHookInterface):
    """Add the workflow to wheels, but not to editable installations, which use the checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files to `build_data`, unless `version` is "editable"."""
        if version == "standard":
            build_data["force_include"] |= {name: f"imagenet_s/project/{name}" for name in CARRIED}
