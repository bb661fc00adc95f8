"""The benchmark's protocols: what each allows, and which test images leak between subsets."""

from dataclasses import dataclass
from typing import Literal

from imagenet_s.spec.splits import also_in, listed
from imagenet_s.spec.subsets import SUBSETS, subset_of


@dataclass(frozen=True)
class Protocol:
    """The rules for one kind of submission.

    Attributes:
        title: The protocol's name in sentences.
        rule: What is allowed.
        generated: Whether predicted ids are arbitrary, so that `match.json` maps them to classes.
        own_images: Whether only the images of the subset itself may be used.
    """

    title: str
    rule: str
    generated: bool = False
    own_images: bool = True


OWN_IMAGES = "Only the images of the subset itself may be used, and no model trained on 919 for 50 or 300."

ProtocolName = Literal["unsupervised", "distance-matching", "semi-supervised", "free"]

PROTOCOLS = {
    "unsupervised": Protocol(
        "fully unsupervised",
        "No labels are used. Predicted ids are generated; match.json, made on the validation set, maps them "
        f"to classes. {OWN_IMAGES}",
        generated=True,
    ),
    "distance-matching": Protocol(
        "distance matching",
        "Features are learned without labels; the masks of train-semi are used only for matching. "
        + OWN_IMAGES,
    ),
    "semi-supervised": Protocol(
        "semi-supervised", f"The masks of train-semi may be used for training. {OWN_IMAGES}"
    ),
    "free": Protocol(
        "free", "Any data and labels may be used. Say in the description what was used.", own_images=False
    ),
}


def describe(name: str) -> str:
    """Return a protocol and its rule for the messages of the commands."""
    return f"Protocol {PROTOCOLS[name].title}: {PROTOCOLS[name].rule}"


def leak(subset: int) -> str:
    """Return a warning for users who select on a larger subset's validation set and test on this subset.

    Empty for 919, whose test images are in no validation set.
    """
    others = also_in(subset, "test").values()
    counts = {s: sum(f"{s}/validation" in splits.split() for splits in others) for s in SUBSETS}
    leaks = [f"{n} in that of {subset_of(s).name}" for s, n in counts.items() if n]
    if not leaks:
        return ""
    return (
        f"Some of the {len(listed(subset, 'test')):,} test images of {subset_of(subset).name} are in the "
        f"validation set of a larger subset: {', '.join(leaks)}. If you selected a model, a setting or a "
        "match on that set, you have used test images. Select on the subset's own validation set instead. "
        "(The column `also_in` of manifests/test.csv marks these images.)"
    )
