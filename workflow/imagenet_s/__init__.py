"""ImageNet-S from a copy of ImageNet-1k.

The packages in the order of their layers. Each imports only from those above it:

runtime · spec · io · workspace · config · masks    what all stages use
source        where each raw image lies, whatever the layout
images        each image read once; annotations: the masks fetched and unpacked
preflight     is the source complete, and is there room?
dataset       samples, tree, labels, manifests, dataset.json, summary
copies        a copy found anywhere: its files, its samples
verify, repair, demo, benchmark                     what is done with a data set
pipeline, cli                                       what Snakemake and people call
"""


def __getattr__(name: str) -> str:
    """Return `__version__`, which is loaded when it is first used."""
    if name == "__version__":
        from imagenet_s.runtime.version import __version__

        return __version__
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
