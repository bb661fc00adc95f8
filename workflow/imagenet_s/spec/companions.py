"""The files beside the tree of a build: what people and other programs read to use the data set."""

from imagenet_s.spec.subsets import MASKED, SPLITS

CARD = "README.md"
CROISSANT = "croissant.json"
CLASSES = "classes.csv"

# One file for each masked split, read by Hugging Face. Their formats differ, because its reader accepts one
# file of each format per folder, and gives every split the rows of a file that it shares with another.
METADATA = {"validation": "metadata.csv", "train-semi": "metadata.jsonl"}

SAMPLE_LISTS = {split: f"{split}.txt" for split in SPLITS}
TYPED_MANIFESTS = {split: f"manifests/{split}.parquet" for split in SPLITS}

# Paths in the subset's folder: files that follow from the records of a build, and from its `dataset.json`.
FROM_RECORDS = (
    CLASSES,
    *TYPED_MANIFESTS.values(),
    *(METADATA[split] for split in MASKED),
    *SAMPLE_LISTS.values(),
)
FROM_DATASET = (CARD, CROISSANT)
COMPANIONS = (*FROM_RECORDS, *FROM_DATASET)
