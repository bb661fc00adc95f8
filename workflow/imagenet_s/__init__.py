"""ImageNet-S from a copy of ImageNet-1k.

Data flows through the packages in this order, and each imports only from those above it:

runtime · spec · io · config · workspace · masks    what all stages use
source        where each raw image lies, whatever the layout
images        each image read once; annotations: the masks fetched and unpacked
preflight     is the source complete, and is there room?
dataset       samples, tree, labels, manifests, dataset.json, summary
verify, repair, demo, benchmark                     what is done with a data set
pipeline, cli                                       what Snakemake and people call
"""


def __getattr__(name: str) -> str:
    """Look the version up when it is asked for: no module needs this one."""
    if name == "__version__":
        from imagenet_s.runtime.version import __version__

        return __version__
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
