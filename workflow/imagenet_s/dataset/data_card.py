"""`README.md` of a subset: what the data set holds, how it was built, and how to load it.

Its head tells Hugging Face's reader which files belong to which split.
"""

from collections.abc import Container, Iterator
from pathlib import Path

import yaml
from tabulate import tabulate

from imagenet_s.dataset.alteration_texts import describe_alterations
from imagenet_s.dataset.card_text import FOLDER_LINKS, NO_HUB, SYNTHETIC, TEXT
from imagenet_s.dataset.croissant import HOME, TERMS
from imagenet_s.dataset.dataset_json import Build, Content
from imagenet_s.dataset.hub_files import hub_configs
from imagenet_s.runtime.units import size_text
from imagenet_s.spec.subsets import MASKED, SPLITS, mask_folder


def data_card(content: Content, build: Build, folders: Container[str]) -> str:
    """Return the card of a data set.

    Args:
        content: What the data set holds, as its `dataset.json` says.
        build: How it was built.
        folders: The folders of splits and masks without links to folders; see `real_folders`.
    """
    linked = [f"`{split}`" for split in SPLITS if split not in folders]
    names = ", ".join(linked)
    text = TEXT.format(
        name=content["dataset"],
        subset=content["subset"],
        classes=content["classes"],
        notes="".join(f"{note}\n\n" for note in _notes(build)),
        table=_table(content),
        digest=content["digest"],
        home=HOME,
        terms=TERMS,
        links=FOLDER_LINKS.format(splits=names) if linked else "",
        hub=NO_HUB.format(name=content["dataset"], splits=names) if linked else "",
        pipeline=build["pipeline"],
        layout=build["source"]["layout"],
        link=build["link"],
        archive=content["annotations"]["archive"] or "this copy",
    )
    return f"---\n{yaml.safe_dump(_head(content, folders), sort_keys=False)}---\n\n{text}"


def real_folders(tree: Path) -> set[str]:
    """Return the folders of splits and masks in a tree that are no links and hold no links to folders."""
    names = (*SPLITS, *map(mask_folder, MASKED))
    return {name for name in names if (tree / name).is_dir() and not _has_folder_links(tree / name)}


def _has_folder_links(folder: Path) -> bool:
    return folder.is_symlink() or any(path.is_symlink() for path in folder.iterdir())


def _head(content: Content, folders: Container[str]) -> dict[str, object]:
    return {
        "pretty_name": content["dataset"],
        "license": "other",
        "license_name": "imagenet",
        "license_link": TERMS,
        "task_categories": ["image-segmentation", "image-classification"],
        "configs": hub_configs(folders),
    }


def _notes(build: Build) -> Iterator[str]:
    if build["source"]["synthetic"]:
        yield SYNTHETIC
    signs = describe_alterations(build["source"].get("alterations", []))
    if signs:
        yield f"> **Not the original images of ImageNet.** {'; '.join(signs)}."


def _table(content: Content) -> str:
    rows = [
        (
            split,
            f"{facts['found']:,}",
            "–" if facts["masks"] is None else f"{facts['masks']:,}",
            size_text(facts["bytes"]),
        )
        for split, facts in content["splits"].items()
    ]
    head = ("split", "images", "masks", "size")
    alignment = ("left", "right", "right", "right")
    return tabulate(rows, head, tablefmt="github", colalign=alignment, disable_numparse=True)
