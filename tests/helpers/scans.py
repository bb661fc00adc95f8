"""Images of ImageNet for tests of the scan, which only looks at names: empty files will do."""

from pathlib import Path

FISH, SHARK = "n01443537", "n01491361"  # two classes of tier 50
FISH_1, FISH_2 = f"{FISH}_1", f"{FISH}_2"
VAL = "ILSVRC2012_val_00004677"  # a listed image of FISH
MOVED = "ILSVRC2012_val_00026064"  # of n01440764 in ImageNet, and of FISH in ImageNet-S
UNLISTED = "ILSVRC2012_val_00000001"  # used by no subset


def touch(root: Path, *paths: str) -> None:
    """Make empty files below `root`, and the folders that they need."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
