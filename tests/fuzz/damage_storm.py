"""Damage a build in many ways at once: is each damage found and named correctly, and repaired?

    python tests/fuzz/damage_storm.py --count 1000 --seed 1 --link copy

Builds subset 50 from the synthetic source in a temporary folder. Ends with 1 if anything is not as it must
be.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CalledProcessError

import yaml

for place in (Path(__file__).parents[1], Path(__file__).parents[2] / "workflow"):
    sys.path.insert(0, str(place))

from helpers.builds import build, check_sums, digest  # noqa: E402
from helpers.damages import DAMAGES, OF_MANIFESTS, as_json, samples_in, states  # noqa: E402
from imagenet_s.demo.generate import make_annotations, make_images  # noqa: E402
from imagenet_s.io.atomic import read_json  # noqa: E402
from imagenet_s.repair.command import repair_copies  # noqa: E402
from imagenet_s.runtime import lock  # noqa: E402
from imagenet_s.spec.subsets import sample_manifests  # noqa: E402
from imagenet_s.verify.command import verify_copies  # noqa: E402

MANIFEST_FILES = ["dataset.json", *(f"manifests/{name}" for name in sample_manifests())]
MANIFEST_FILES += [f"manifests/{split}-segmentation-id16.sha256" for split in ("train-semi", "validation")]


@dataclass
class Outcome:
    """The outcome of a storm. Empty lists are good."""

    damages: Counter = field(default_factory=Counter)  # name → how many were made
    reported: int = 0  # the number of files that a check must report
    unfound: list[str] = field(default_factory=list)  # not found, or as another kind
    invented: list[str] = field(default_factory=list)
    unrepaired: list[str] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)  # undamaged entries that the repair changed
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        return not (self.unfound or self.invented or self.unrepaired or self.touched)


def storm(configfile: Path, count: int, seed: int, workers: int, scratch: Path) -> Outcome:
    """Make `count` damages to the whole build of a configuration, check it, repair it, and check that."""
    config = yaml.safe_load(configfile.read_text())
    imagenet, tree = Path(config["imagenet"]), Path(config["output"]) / "ImageNetS50"
    # Release the locks of earlier storms: a run holds its lock until its process ends.
    while lock._held:
        os.close(lock._held.pop())
    dice, outcome = random.Random(seed), Outcome()
    right, before = digest(tree), states(tree, imagenet)
    hurt = _damage(tree, count, dice, outcome)
    expected = as_json(report for reports in hurt.values() for report in reports)
    outcome.reported = sum(map(len, hurt.values()))

    found = _verified(tree, scratch, workers, outcome, "verify")
    for name, wrong, one, other in (
        ("unfound", outcome.unfound, expected, found),
        ("invented", outcome.invented, found, expected),
    ):
        wrong += sorted(f"{name} {kind} {path}" for kind, path in _flat(one) - _flat(other))

    damaged = states(tree, imagenet)
    whole = {path: state for path, state in damaged.items() if before.get(path) == state}
    began = time.monotonic()
    with (scratch / "repair.txt").open("w") as file, redirect_stdout(file):
        repair_copies(configfile, delete_extra=True, dry_run=False, workers=workers)
    outcome.seconds["repair"] = time.monotonic() - began
    left = _verified(tree, scratch, workers, outcome, "verify again")
    outcome.unrepaired += sorted(f"{kind} {path}" for kind, path in _flat(left))
    if digest(tree) != right:
        outcome.unrepaired.append("the digest of the data set")
    try:
        check_sums(tree)
    except CalledProcessError:
        outcome.unrepaired.append("sha256sum -c")
    after = states(tree, imagenet)
    outcome.touched += sorted(path for path, state in whole.items() if after.get(path) != state)
    outcome.unrepaired += sorted(f"no entry {path}" for path in before.keys() - after.keys())
    outcome.unrepaired += sorted(f"left {path}" for path in after.keys() - before.keys())
    return outcome


def _damage(tree: Path, count: int, dice: random.Random, outcome: Outcome) -> dict[str, list]:
    """Damage `count` files; return path → what a check must report."""
    files = samples_in(tree)
    manifest = dice.choice(MANIFEST_FILES)  # only one: if more are lost, the right contents are unknown
    if manifest.endswith("-id16.sha256"):  # then only the masks show what labels must be
        spared = tuple(f"{manifest[10 : -len(ending)]}/" for ending in (".sha256", "-id16.sha256"))
        files = [path for path in files if not path.startswith(spared)]
    hurt = {}
    for path in dice.sample(files, count - 1):
        damage = dice.choice(DAMAGES)
        hurt[path] = damage(tree, path, dice)
        outcome.damages[damage.__name__] += 1
    damage = dice.choice(OF_MANIFESTS)
    hurt[manifest] = damage(tree, manifest, dice)
    outcome.damages[f"{damage.__name__} ({manifest})"] += 1
    # The digests of pixels are in the tables alone.
    unknown = f"{manifest[10:-4]}-segmentation/" if manifest.endswith(".csv") else "no such folder"
    for path in [path for path in hurt if path.startswith(unknown)]:
        hurt[path] = [("changed" if kind == "pixels_equal" else kind, file) for kind, file in hurt[path]]
    return hurt


def _verified(tree: Path, scratch: Path, workers: int, outcome: Outcome, what: str) -> dict:
    began = time.monotonic()
    with (scratch / "verify.txt").open("w") as file, redirect_stdout(file):
        code = verify_copies(tree, "sha256", None, False, scratch / "found.json", workers)
    outcome.seconds[what] = time.monotonic() - began
    found = read_json(scratch / "found.json")[tree.name]
    assert code == bool(found)
    return found


def _flat(found: dict) -> set[tuple[str, str]]:
    return {(kind, path) for kinds in found.values() for kind, paths in kinds.items() for path in paths}


def write_config(folder: Path, imagenet: Path, link: str) -> Path:
    """The config file of a build of 50 into `folder`, which `repair` reads."""
    config = {
        "imagenet": str(imagenet),
        "output": str(folder),
        "subsets": [50],
        "link": link,
        "train_images": "any",
        "labels": ["id16"],
    }
    folder.with_suffix(".yaml").write_text(yaml.safe_dump(config))
    return folder.with_suffix(".yaml")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=1000, help="damages")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--link", choices=("symlink", "symlink-files", "hardlink", "copy"), default="copy")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        imagenet = folder / "imagenet"
        make_images(50, imagenet, folder / "images.json", options.workers, folder / "scratch")
        make_annotations(50, folder / "annotations", folder / "annotations.json", options.workers)
        output = folder / "output"
        build(imagenet, read_json(folder / "annotations.json"), output, options.link, labels=("id16",))
        config = write_config(output, imagenet, options.link)
        outcome = storm(config, options.count, options.seed, options.workers, folder)
    print(f"link: {options.link}, seed {options.seed}")
    for damage, times in sorted(outcome.damages.items()):
        print(f"{times:6,} {damage}")
    print(f"{outcome.damages.total():6,} damages, of which {outcome.reported:,} files must be reported")
    for what in ("unfound", "invented", "unrepaired", "touched"):
        wrong = getattr(outcome, what)
        print(f"{len(wrong):6,} {what}", *wrong[:20], sep="\n       ")
    print(", ".join(f"{what} {seconds:.1f} s" for what, seconds in outcome.seconds.items()))
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
