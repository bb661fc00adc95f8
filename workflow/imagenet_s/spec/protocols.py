"""The benchmark's protocols: what each allows, and what the official lists leak between subsets."""

from dataclasses import dataclass
from typing import Literal

from imagenet_s.spec.splits import also_in, listed
from imagenet_s.spec.subsets import SUBSETS, subset_of


@dataclass(frozen=True)
class Protocol:
    """A way to take part. `generated`: predicted ids are made up, and `match.json` says what they mean."""

    title: str
    rule: str
    generated: bool = False
    own_images: bool = True


OWN_IMAGES = "Only the images of the subset itself may be used, and no model trained on 919 for 50 or 300."

ProtocolName = Literal["unsupervised", "distance-matching", "semi-supervised", "free"]

PROTOCOLS = {
    "unsupervised": Protocol(
        "fully unsupervised",
        "No label is used; ids are generated, and match.json, made on the validation set, names them. "
        + OWN_IMAGES,
        generated=True,
    ),
    "distance-matching": Protocol(
        "distance matching",
        "Features are learnt without labels; the masks of train-semi are used for matching alone. "
        + OWN_IMAGES,
    ),
    "semi-supervised": Protocol(
        "semi-supervised", f"The masks of train-semi may be used for training. {OWN_IMAGES}"
    ),
    "free": Protocol("free", "Any data, any labels. Say in the description what was used.", own_images=False),
}


def describe(name: str) -> str:
    """A protocol and its rule, as the commands say them."""
    return f"Protocol {PROTOCOLS[name].title}: {PROTOCOLS[name].rule}"


def leak(subset: int) -> str:
    """What who chose by the validation set of a larger subset must know before he submits `subset`'s test.

    Empty for 919, whose test images are in no validation set.
    """
    found = also_in(subset, "test").values()
    counts = {s: sum(f"{s}/validation" in places.split() for places in found) for s in SUBSETS}
    places = [f"{n} in that of {subset_of(s).name}" for s, n in counts.items() if n]
    if not places:
        return ""
    return (
        f"Of the {len(listed(subset, 'test')):,} test images of {subset_of(subset).name} some are in the "
        f"validation set of a larger subset: {', '.join(places)}. If you chose a model, a setting or a match "
        "there, you have seen test images: choose by the subset's own validation set. "
        "(manifests/test.csv names them in its column `also_in`.)"
    )
