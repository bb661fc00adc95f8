"""Read a `dataset.json`, and compute the digests in it, which reveal damage."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from imagenet_s.dataset.dataset_json import Dataset
from imagenet_s.io.atomic import digest_of_list, sha256_of
from imagenet_s.spec.companions import COMPANIONS
from imagenet_s.spec.encodings import label_manifests
from imagenet_s.spec.subsets import DATASET, sample_manifests

MAX_CHARACTERS = 1 << 20  # that are read of a dataset.json; one has 4,000, and 150 per suspect image


def read_dataset(root: Path) -> Dataset | None:
    """Return the `dataset.json` of a copy; None if there is none, or its own digest does not match it.

    Only `content.manifests` and `build.link` are certain to be there: the digest proves that the file is
    undamaged, not that this program wrote it.
    """
    try:
        stated = json.loads(dataset_text(root / DATASET))
    except (OSError, ValueError, RecursionError):
        return None
    return cast("Dataset", stated) if _is_dataset(stated) else None


def _is_dataset(stated: object) -> bool:
    """Return whether JSON has the shape of a `dataset.json`, and the digest that it states."""
    match stated:
        case {
            "content": {"manifests": dict(manifests)} as content,
            "build": {"link": str()} as build,
            "sha256": digest,
        }:
            always, names = set(sample_manifests()), manifests.keys()
            known = always <= names <= always | set(label_manifests())
            files = build.get("files", {})
            known = known and isinstance(files, dict) and files.keys() <= set(COMPANIONS)
            # Lone surrogates cannot be encoded, and lists can be nested too deeply: such JSON has no digest.
            with suppress(UnicodeEncodeError, RecursionError):
                return known and digest == own_digest(content, build)
    return False


def dataset_text(path: Path) -> str:
    """Return the text of a `dataset.json`, up to `MAX_CHARACTERS`.

    Raises:
        OSError: It cannot be read, or is a pipe or a device.
    """
    if not path.is_file():
        raise FileNotFoundError(path)
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(MAX_CHARACTERS)


def dataset_digest(digests: Mapping[str, str]) -> str:
    """Return one digest for images, masks and sample manifests; labels do not change it.

    It is the sha256 of what `sha256sum manifests/…` prints for the `sample_manifests`, sorted by name.
    """
    return digest_of_list((digests[name], f"manifests/{name}") for name in sorted(sample_manifests()))


def digest_of_copy(root: Path) -> str | None:
    """Return the `dataset_digest` of the manifests of a copy; None if it has not all of them."""
    paths = {name: root / "manifests" / name for name in sample_manifests()}
    if not all(path.is_file() for path in paths.values()):
        return None
    return dataset_digest({name: sha256_of(path) for name, path in paths.items()})


def own_digest(content: Mapping[str, Any], build: Mapping[str, Any]) -> str:
    """Return the sha256 of both parts of `dataset.json`, as JSON with sorted keys and no spaces."""
    parts = {"content": content, "build": build}
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
