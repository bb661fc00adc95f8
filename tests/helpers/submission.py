"""Submit and check predictions of subset 50 in tests, and what both say."""

from pathlib import Path

from imagenet_s.benchmark.scoring.predictions import names_of
from imagenet_s.cli.main import main

NAMES = names_of(50, "test")
FIELDS = {
    "name": "A name: with a colon",
    "training_data": "ImageNetS50 train",
    "training_scheme": "SSL",
    "networks": "ResNet-18",
    "link": "https://example.org",
    "description": "Größe matters",
}
TEXT = (
    "Method name: A name: with a colon\nTraining data: ImageNetS50 train\nTraining scheme: SSL\n"
    "Networks: ResNet-18\nPaper/Project link: https://example.org\nMethod description: Größe matters"
)
MATCH = {"0": 0} | {str(p): 51 - p for p in range(1, 51)}
Members = dict[str, bytes]
EXPECTED_PNGS = (
    "Expected: `<wnid>/<stem>.png`, 8-bit RGB, the size of its image, for exactly the test images."
)
EXPECTED_METHOD = (
    'Expected: method.txt with six lines that begin with "Method name: ", "Training data: ", '
    '"Training scheme: ", "Networks: ", "Paper/Project link: ", "Method description: ", '
    "and no newline at the end of the file."
)
EXPECTED_MATCH = (
    'Expected: match.json, only if ids are generated: a JSON object with entries such as "7": 12 that '
    'maps each predicted id in 1..50 to a different class in 1..50, and "0" to 0. '
    "`imagenet-s match` writes one."
)


def submit(folder: Path, test50: Path, protocol: str = "semi-supervised", **options: Path) -> int:
    """Run `imagenet-s submit` for subset 50 and return its exit code."""
    paths = {"images": test50 / "images", "predictions": folder / "predictions"}
    paths |= {"method": folder / "method.yaml", "out": folder / "s.zip"} | options
    words = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    return main(["submit", "--subset", "50", "--protocol", protocol, "--workers", "1", *words])


def check(path: Path, protocol: str = "semi-supervised", *options: str) -> int:
    """Run `imagenet-s submit --check` for subset 50 and return its exit code."""
    return main(["submit", "--subset", "50", "--protocol", protocol, "--check", str(path), *options])
