"""What verify found, for a person: a table, the first few of each kind, what is behind it; and as JSON."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tabulate import tabulate

from imagenet_s.io.atomic import write_json
from imagenet_s.preflight.disk_space import size_text
from imagenet_s.runtime.errors import first_few
from imagenet_s.runtime.system_files import left_by_systems
from imagenet_s.spec.subsets import subset_of
from imagenet_s.verify.compare import KINDS, VerificationResult
from imagenet_s.verify.expected import TOP
from imagenet_s.verify.relocated import new_root, old_root


def report_lines(verdict: VerificationResult) -> Iterator[str]:
    """The report of one subset."""
    name = subset_of(verdict.subset).name
    by = "its own manifests" if verdict.expected.own_manifests else "the official lists: it has no manifests"
    yield f"{verdict.root}: {name}, level {verdict.level}, by {by}"
    yield from _table(verdict)
    for kind, paths in verdict.damage.items():
        yield f"{kind}: {first_few(paths)}"
    yield from verdict.remarks
    if verdict.suspects:
        names = first_few(f"{path} {reason}" for path, reason in verdict.suspects.items())
        yield f"suspect, but not counted as damage: {names}"
    yield from _swapped(verdict)
    if verdict.dangling:
        yield from _dangling(verdict)
    if verdict.system:
        yield left_by_systems(verdict.system)
    if not verdict.expected.own_manifests:
        yield (
            "Without manifests nobody can tell whether the bytes of an image have changed; `--adopt` writes "
            "manifests of what is there now, for the next time."
        )
    rate = verdict.files / max(verdict.seconds, 1e-3)
    speed = f", {size_text(verdict.read / max(verdict.seconds, 1e-3))}/s" if verdict.read else ""
    yield (
        f"{'whole' if verdict.whole else 'DAMAGED'}: {verdict.files:,} files in {verdict.seconds:.1f} s "
        f"({rate:,.0f} files/s{speed})"
    )


def write_report(verdicts: Sequence[VerificationResult], path: Path) -> None:
    """Writes subset → folder → kind → paths as JSON; what is right is left out."""
    found = {}
    for verdict in verdicts:
        folders: dict[str, dict[str, list[str]]] = {}
        for kind, paths in verdict.damage.items():
            for file in paths:
                folders.setdefault(_folder(file), {}).setdefault(kind, []).append(file)
        found[subset_of(verdict.subset).name] = dict(sorted(folders.items()))
    write_json(path, found)


def _table(verdict: VerificationResult) -> Iterator[str]:
    expected = Counter(verdict.expected.count())
    ok = Counter()
    if verdict.train_images is not None:
        expected["train"], ok["train"] = subset_of(verdict.subset).train_images, verdict.train_images
    found = {kind: Counter(map(_folder, paths)) for kind, paths in verdict.damage.items()}
    kinds = [kind for kind in KINDS if kind in found]
    rows = [("", "expected", "ok", *kinds)]
    for folder in sorted(expected | sum(found.values(), Counter())):
        counts = [found[kind][folder] for kind in kinds]
        wrong = sum(count for kind, count in zip(kinds, counts, strict=True) if kind != "extra")
        right = ok.get(folder, expected[folder] - wrong)
        rows.append((folder, f"{expected[folder]:,}", f"{right:,}", *(f"{count:,}" for count in counts)))
    alignment = ["left", *["right"] * (len(rows[0]) - 1)]
    yield tabulate(rows, tablefmt="plain", colalign=alignment, disable_numparse=True)


def _swapped(verdict: VerificationResult) -> Iterator[str]:
    """What lies in another class folder, in words."""
    numbers = verdict.expected.count()
    for folder in sorted({_folder(one.path) for one in verdict.swapped}):
        ones = [one for one in verdict.swapped if _folder(one.path) == folder]
        usual = [one for one in ones if one.of_imagenet]
        if usual:
            yield (
                f"{folder}: {len(usual):,} of {numbers[folder]:,} files ({len(usual) / numbers[folder]:.1%}) "
                "lie in the folder of their ImageNet class, not of their ImageNet-S class, as if ImageNet's "
                f"val had been sorted by its own labels; for example {usual[0].actual} belongs to "
                f"{usual[0].path}."
            )
        if len(ones) > len(usual):
            one = next(one for one in ones if not one.of_imagenet)
            yield (
                f"{folder}: {len(ones) - len(usual):,} files lie in another class folder; "
                f"for example {one.actual} belongs to {one.path}."
            )


def _dangling(verdict: VerificationResult) -> Iterator[str]:
    """Where links lead that lead nowhere, and where they should."""
    guess = new_root(verdict.dangling, verdict.root)
    advice = f"found it in {guess}, it seems" if guess else "did not find it near there"
    yield (
        f"{len(verdict.dangling):,} links lead to nothing below {old_root(verdict.dangling)}: the source has "
        f"been moved or is not mounted; {advice}. Bring it back there, or set `imagenet` in config.yaml and "
        "build again."
    )


def _folder(path: str) -> str:
    return path.partition("/")[0] if "/" in path else TOP
