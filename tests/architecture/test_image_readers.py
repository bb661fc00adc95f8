"""Which modules open images, and which exceptions they catch."""

import ast
from pathlib import Path

from imagenet_s.runtime import image_file

PACKAGE = Path(image_file.__file__).parents[1]


# The modules that read images or masks.
READERS = (
    "api.images",
    "api.masks",
    "runtime.image_file",
    "images.read",
    "images.reader",
    "masks.codec",
    "annotations.unpack",
    "benchmark.scoring.predictions",
    "benchmark.scoring.pairs",
    "benchmark.scoring.plots",
    "benchmark.baseline.grid_features",
    "verify.file_checks",
    "preflight.decoding",
)


def trees() -> dict[str, ast.Module]:
    """Return the syntax tree of each module, by its dotted name below the package."""
    paths = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")
    }
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in paths.items()}


def test_only_one_module_opens_images():
    found = [
        f"{name}: {ast.unparse(node)}"
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr == "MAX_IMAGE_PIXELS")
        or (isinstance(node, ast.Attribute) and ast.unparse(node) in ("Image.open", "PIL.Image.open"))
        or (isinstance(node, ast.ImportFrom) and node.module == "PIL.Image" and "open" in ast.unparse(node))
    ]
    assert {line.partition(":")[0] for line in found} == {"runtime.image_file"}, found


def test_readers_of_images_catch_only_named_exceptions():
    broad = {}
    for name, tree in trees().items():
        for node in ast.walk(tree):
            caught = ast.unparse(node.type) if isinstance(node, ast.ExceptHandler) and node.type else "all"
            if isinstance(node, ast.ExceptHandler) and caught in ("all", "Exception", "BaseException"):
                broad.setdefault(name, []).append(ast.unparse(node.body[0]))
    # kornia-rs raises Exception itself: only that class is caught, not its subclasses.
    assert {name: caught for name, caught in broad.items() if name in READERS} == {
        "masks.codec": ["if type(error) is not Exception:\n    raise"]
    }
