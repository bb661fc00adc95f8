"""The report of a check: for people, a table, examples and likely causes; for programs, JSON."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tabulate import tabulate

from imagenet_s.copies.expected import TOP
from imagenet_s.dataset.dataset_file import dataset_digest, read_dataset
from imagenet_s.dataset.provenance import describe_origin
from imagenet_s.runtime.errors import MOST_NAMES, listed_paths
from imagenet_s.runtime.full_list import list_in_full
from imagenet_s.runtime.system_files import left_by_systems
from imagenet_s.runtime.terminal import Colour, coloured
from imagenet_s.runtime.units import size_text
from imagenet_s.spec.subsets import subset_of
from imagenet_s.verify.compare import KINDS, VerificationResult
from imagenet_s.verify.relocated import new_root, old_root

# What a check of a copy without manifests compares, by level: there are no sizes and digests.
WITHOUT_MANIFESTS = {
    "complete": "names",
    "size": "names and empty files",
    "sha256": "names, masks and the beginnings of images",
}


def show_report(result: VerificationResult, printed: bool = True) -> None:
    """Print the report of one subset, unless it is not to be `printed`, and log all names."""
    if printed:
        print(*report_lines(result), sep="\n", end="\n\n")
    lists = {**result.damage, "left by the system": result.system}
    lists["suspect"] = [f"{path} {reason}" for path, reason in result.suspects.items()]
    names = (f"{kind}: {result.root}/{name}" for kind, names in lists.items() for name in names)
    list_in_full(names, any(len(names) > MOST_NAMES for names in lists.values()))


def report_lines(result: VerificationResult) -> Iterator[str]:
    """Yield the lines of the report of one subset."""
    yield f"{result.root}: {subset_of(result.subset).name}, {_basis(result)}"
    yield from _table(result)
    for kind, paths in result.damage.items():
        yield listed_paths(kind, paths)
    yield from result.remarks
    if result.suspects:
        suspects = [f"{path} {reason}" for path, reason in result.suspects.items()]
        yield listed_paths("suspect, but not counted as damage", suspects)
    yield from _misplaced(result)
    if result.dangling:
        yield from _dangling(result)
    if result.system:
        yield left_by_systems(result.system)
    if not result.expected.own_manifests:
        yield "Without manifests, changed bytes of an image cannot be detected."
    if result.whole and result.expected.own_manifests:
        yield from origin_lines(result.root)
    rate = result.files / max(result.seconds, 1e-3)
    speed = f", {size_text(result.read / max(result.seconds, 1e-3))}/s" if result.read else ""
    verdict, colour = ("whole", Colour.GREEN) if result.whole else ("DAMAGED", Colour.RED)
    yield (
        f"{coloured(verdict, colour, sys.stdout)}: {result.files:,} files in {result.seconds:.1f} s "
        f"({rate:,.0f} files/s{speed})"
    )


def _basis(result: VerificationResult) -> str:
    """Return what was compared, and with what."""
    if not result.expected.own_manifests:
        return f"{WITHOUT_MANIFESTS[result.level]}, by the official lists: it has no manifests"
    manifests = f"the manifests of {result.against}" if result.against else "its own manifests"
    return f"level {result.level}, by {manifests}"


def report_document(results: Sequence[VerificationResult]) -> dict[str, dict[str, dict[str, list[str]]]]:
    """Return the damage: subset → folder → kind → paths. Undamaged folders are omitted."""
    found = {}
    for result in results:
        folders: dict[str, dict[str, list[str]]] = {}
        for kind, paths in result.damage.items():
            for file in paths:
                folders.setdefault(_folder(file), {}).setdefault(kind, []).append(file)
        found[subset_of(result.subset).name] = dict(sorted(folders.items()))
    return found


def _table(result: VerificationResult) -> Iterator[str]:
    """Yield the table of expected, correct and damaged files per folder."""
    expected = Counter(result.expected.count())
    ok: Counter[str] = Counter()
    if result.train_images is not None:
        expected["train"], ok["train"] = subset_of(result.subset).train_images, result.train_images
    found = {kind: Counter(map(_folder, paths)) for kind, paths in result.damage.items()}
    kinds = [kind for kind in KINDS if kind in found]
    rows = [("", "expected", "ok", *kinds)]
    for folder in sorted(expected | sum(found.values(), Counter())):
        counts = [found[kind][folder] for kind in kinds]
        wrong = sum(count for kind, count in zip(kinds, counts, strict=True) if kind != "extra")
        right = ok.get(folder, expected[folder] - wrong)
        name = "(top folder)" if folder == TOP else folder
        rows.append((name, f"{expected[folder]:,}", f"{right:,}", *(f"{count:,}" for count in counts)))
    alignment = ["left", *["right"] * (len(rows[0]) - 1)]
    yield tabulate(rows, tablefmt="plain", colalign=alignment, disable_numparse=True)


def origin_lines(root: Path) -> Iterator[str]:
    """Yield the digest of a copy that has manifests, and what is known of its origin."""
    if dataset := read_dataset(root):
        yield f"digest: {dataset_digest(dataset['content']['manifests'])}"
        yield from describe_origin(dataset)


def _misplaced(result: VerificationResult) -> Iterator[str]:
    """Yield sentences about files in the wrong class folder."""
    numbers = result.expected.count()
    for folder in sorted({_folder(one.path) for one in result.misplaced}):
        ones = [one for one in result.misplaced if _folder(one.path) == folder]
        usual = [one for one in ones if one.of_imagenet]
        if usual:
            yield (
                f"{folder}: {len(usual):,} of {numbers[folder]:,} files ({len(usual) / numbers[folder]:.1%}) "
                "are in the folder of their ImageNet class instead of their ImageNet-S class, as if the val "
                f"images had been sorted by their ImageNet labels; for example, {usual[0].actual} belongs in "
                f"{usual[0].path}."
            )
        if len(ones) > len(usual):
            one = next(one for one in ones if not one.of_imagenet)
            yield (
                f"{folder}: {len(ones) - len(usual):,} files are in the wrong class folder; "
                f"for example, {one.actual} belongs in {one.path}."
            )


def _dangling(result: VerificationResult) -> Iterator[str]:
    """Yield a sentence about links to nothing, and where their source may be now."""
    guess = new_root(result.dangling, result.root)
    advice = f"it seems to be in {guess}" if guess else "it was not found nearby"
    yield (
        f"{len(result.dangling):,} links lead to nothing below {old_root(result.dangling)}: the source has "
        f"been moved or is not mounted; {advice}. Move it back, or set `imagenet` in config.yaml and build "
        "again."
    )


def _folder(path: str) -> str:
    """Return the first folder of a path, TOP for a file in the subset's folder itself."""
    return path.partition("/")[0] if "/" in path else TOP
