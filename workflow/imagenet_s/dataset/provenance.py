"""What is known of a data set's origin: signs of altered images, and who else built the same data set."""

from collections.abc import Iterator

from imagenet_s.dataset.alteration_texts import describe_alterations
from imagenet_s.dataset.dataset_json import Content, Dataset
from imagenet_s.dataset.known_digests import DEMO, known_digests
from imagenet_s.runtime.errors import first_few


def describe_origin(dataset: Dataset) -> list[str]:
    """Return sentences about the origin of a data set, without final stops, where they help a reader.

    A `dataset.json` of an earlier version may say less, and one of another program may have any shape.
    """
    try:
        return list(_sentences(dataset))
    except (LookupError, TypeError, ValueError, AttributeError):
        return []


def _sentences(dataset: Dataset) -> Iterator[str]:
    content, source = dataset["content"], dataset["build"]["source"]
    signs = describe_alterations(source.get("alterations", []))
    if signs:
        yield f"NOT the original ImageNet: {'; '.join(signs)}"
        yield "its digest cannot be compared with one of the original ImageNet"
    same = [row for row in known_digests() if row.digest == content["digest"]]
    if same:
        yield f"digest known: {first_few(f'built by {x.built_by} from {x.source} ({x.date})' for x in same)}"
        return
    train = content["splits"]["train"]
    if not signs and not source["synthetic"] and train["found"] == train["expected"]:
        yield _unknown(content)


def _unknown(content: Content) -> str:
    """Return what to do about a digest that is not in the registry."""
    others = [row for row in known_digests() if row.subset == content["subset"] and row.source != DEMO]
    if not others:
        return (
            f"digest not in the registry, which has no {content['dataset']} of the original ImageNet yet; "
            "docs/digests.md says how to add yours"
        )
    names = (f"{row.digest[:12]}…, built by {row.built_by} from {row.source}" for row in others)
    return f"digest not in the registry; if yours is an original ImageNet, compare with {first_few(names)}"
