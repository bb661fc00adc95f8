"""ImageNet-S from a copy of ImageNet-1k, and its classes, images and masks in Python.

    data = imagenet_s.open("results/ImageNetS50")
    image, mask = data["validation", 0]

The packages in the order of their layers. Each imports only from those above it:

runtime · spec · io · workspace · config · masks    what all stages use
source        where each raw image lies, whatever the layout
images        each image read once; annotations: the masks fetched and unpacked
preflight     is the source complete, and is there room?
dataset       samples, tree, labels, manifests, dataset.json, summary
copies        a copy found anywhere: its files, its samples
verify, repair, demo, benchmark, statistics         what is done with a data set
api           what this module offers; torch: the data set for PyTorch
pipeline, cli                                       what Snakemake and people call
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = [
    "IGNORE",
    "OTHER",
    "ImageNetSData",
    "UserError",
    "__version__",
    "open",
    "read_mask",
    "show",
    "write_mask",
]

if TYPE_CHECKING:
    from imagenet_s.api.data import ImageNetSData, open
    from imagenet_s.api.masks import read_mask, write_mask
    from imagenet_s.api.overlay import show
    from imagenet_s.runtime.errors import UserError
    from imagenet_s.runtime.version import __version__
    from imagenet_s.spec.classes import IGNORE, OTHER
else:
    # Where each name is defined. It is imported when it is first used: pandas alone takes half a second.
    _HOMES = {
        "IGNORE": "spec.classes",
        "OTHER": "spec.classes",
        "ImageNetSData": "api.data",
        "UserError": "runtime.errors",
        "__version__": "runtime.version",
        "open": "api.data",
        "read_mask": "api.masks",
        "show": "api.overlay",
        "write_mask": "api.masks",
    }

    def __getattr__(name: str) -> Any:
        """Return what `__all__` names."""
        if name in _HOMES:
            return getattr(import_module(f"imagenet_s.{_HOMES[name]}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
