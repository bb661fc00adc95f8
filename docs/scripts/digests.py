"""Write docs/digests.md, the registry of digests, from its table in the package.

python docs/scripts/digests.py
"""

from pathlib import Path

from imagenet_s.dataset.known_digests import known_digests

PAGE = Path(__file__).parents[1] / "digests.md"

HEAD = """\
# Known digests

Two people with the same [digest](output-format.md#the-digest-of-a-data-set) have the same images and masks,
to the byte. This registry says which digests were built by whom, and from which copy of ImageNet-1k. The
summary of a build and `verify` look a digest up here. They also say if a copy cannot be the original
ImageNet, for example because its images were resized: see [dataset.json](output-format.md#datasetjson).

The demo's images are synthetic. No digest of the original ImageNet is known yet.

To add yours, run `.venv/bin/imagenet-s verify results`, append a line `digest,subset,source,built_by,date`
to `workflow/imagenet_s/dataset/known_digests.csv`, and run `.venv/bin/python docs/scripts/digests.py`.
`source` is the copy that you built from, such as `the official archives` with their md5 checked. Then open
a pull request.

| subset | digest | from | built by | date |
|---|---|---|---|---|
"""


def page() -> str:
    """Return the page."""
    rows = sorted(known_digests(), key=lambda row: (row.subset, row.date, row.digest))
    return HEAD + "".join(
        f"| {row.subset} | `{row.digest}` | {row.source} | {row.built_by} | {row.date} |\n" for row in rows
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
