"""The statistics of a data set: their kinds, which are the names of their files, and the published counts."""

KINDS = (
    "splits",
    "classes",
    "size_buckets",
    "classes_per_mask",
    "image_sizes",
    "co_occurrence",
    "leaks",
    "merged_classes",
)

# Subset → how many classes, other included, have true pixels in the size buckets S, MS, ML, L of validation.
# Source: the masks of the official archives.
PUBLISHED_CLASSES = {
    50: (30, 49, 48, 42),
    300: (164, 291, 281, 211),
    919: (533, 888, 855, 656),
}


def statistics_files() -> list[str]:
    """Return the names of the files that hold the statistics of a subset."""
    return [f"{kind}.csv" for kind in KINDS]
