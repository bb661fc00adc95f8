"""The check of a zip to submit, whoever made it."""

import hashlib
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from functools import partial
from pathlib import Path

from imagenet_s.benchmark.scoring.match_json import BadMatch, expected, parsed_matching
from imagenet_s.benchmark.scoring.predictions import (
    EXTRA,
    NO_PREDICTION,
    WRONG_SIZE,
    files_in,
    image_shape,
    inner,
    name_problems,
    names_of,
    prediction_of,
    wrong_size,
)
from imagenet_s.io.zip_reader import BadMember, BadZip, Member, doubled, members_of, read_member
from imagenet_s.masks.codec import BadMask, ids_in
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.parallel import map_chunks
from imagenet_s.runtime.problems import FileProblem, require_no_file
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.system_files import is_system_file
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.method_txt import LINES, text_problems
from imagenet_s.spec.protocols import PROTOCOLS, describe, leak
from imagenet_s.spec.subsets import subset_of

SPLIT = "test"
METHOD, MATCH = "method.txt", "match.json"

BACKSLASHES = "names with backslashes instead of slashes"


def check(subset: int, protocol: str, path: Path, images: Path | None, workers: int) -> None:
    """Checks a zip that somebody made; without `images` not the sizes. Raises UserError with all findings."""
    if not path.is_file():
        raise UserError(f"There is no file {path}. Expected: the zip to check.")
    tell_rules(subset, protocol)
    findings = zip_findings(subset, protocol, path, images, workers)
    require_no_file(findings, f"{path} cannot be submitted:", advice(subset, findings))
    if images is None:
        log.warning("The sizes were not compared: give the test images with --images.")
    tell_right(path, len(names_of(subset, SPLIT)))


def tell_rules(subset: int, protocol: str) -> None:
    """Says what the protocol allows, and what the subset's test set has in common with other sets."""
    log.info("%s", describe(protocol))
    if leak(subset):
        log.warning("%s", leak(subset))


def _tell_919(subset: int, protocol: str, method: bytes) -> None:
    """Warns of a `method.txt` that speaks of 919 where the protocol does not allow its use."""
    if subset == 919 or not PROTOCOLS[protocol].own_images:
        return
    starts = tuple(LINES[key] for key in ("training_data", "training_scheme", "networks", "description"))
    for line in method.decode("utf-8", "replace").splitlines():
        if line.startswith(starts) and "919" in line:
            title = PROTOCOLS[protocol].title
            log.warning("%s says %r. Protocol %s does not allow to use 919 here.", METHOD, line, title)


def tell_right(path: Path, predictions: int) -> None:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    print(f"{path}: {predictions:,} predictions, read back and found right; sha256 {digest}")


def advice(subset: int, findings: Sequence[FileProblem]) -> str:
    """What is wanted of the files that something is wrong with."""
    starts = ", ".join(f'"{start}"' for start in LINES.values())
    texts = {
        METHOD: f"{METHOD} with six lines that begin with {starts}, and no newline at its end.",
        MATCH: f"{MATCH}, only where ids are generated: {expected(len(class_ids(subset)))}",
    }
    wanted = [text for name, text in texts.items() if any(_is_of(name, one) for one in findings)]
    if not all(any(_is_of(name, one) for name in texts) for one in findings):
        wanted.insert(0, "`<wnid>/<stem>.png`, 8-bit RGB, of its image's size, for exactly the test images.")
    return "\n".join(f"Wanted: {text}" for text in wanted)


def _is_of(name: str, finding: FileProblem) -> bool:
    """Whether a finding is of `method.txt` or `match.json`."""
    return name in finding.kind or finding.what.startswith(name)


def zip_findings(
    subset: int, protocol: str, path: Path, images: Path | None, workers: int
) -> list[FileProblem]:
    """All that is wrong with a zip. Raises UserError for one that is none."""
    try:
        members, unsafe = members_of(path)
    except BadZip as error:
        text = f"{path} is no whole zip (cut short?). Make it again."
        raise UserError(text, details=[str(error)]) from error
    unsafe += doubled(member.name for member in members)
    findings = [FileProblem(why, name or path.name) for name, why in unsafe]
    findings += [FileProblem(BACKSLASHES, member.name) for member in members if "\\" in member.name]
    wanted, classes = names_of(subset, SPLIT), len(class_ids(subset))
    found, root = _placed(members, set(wanted))
    if root:
        findings.append(
            FileProblem("all in a folder", f"{root!r}: its content must be at the top of the zip")
        )
    findings += name_problems((name for name in found if name not in (METHOD, MATCH)), wanted)
    if unsafe:  # nothing of it is read
        return findings
    findings += _text_findings(path, subset, protocol, found)
    sizes = files_in(inner(images, SPLIT)) if images else None
    there = [(name, found[name]) for name in wanted if name in found]
    what = f"Checking the predictions of {subset_of(subset).name}"
    return findings + map_chunks(partial(_look, path, classes, sizes), there, workers, what, "images")


def _placed(members: Iterable[Member], wanted: Container[str]) -> tuple[dict[str, Member], str]:
    """The members by their names from the top of the zip, or from the folder that holds most of them.

    Without that folder and backslashes, that is: these are told once, and other faults by what is left.
    """
    named = {member.name.replace("\\", "/"): member for member in members}
    named = {name: member for name, member in named.items() if not name.endswith("/")}  # folders of Windows
    split = [name.split("/") for name in named if not is_system_file(name)]
    roots = Counter("/".join(parts[:-2]) for parts in split if "/".join(parts[-2:]) in wanted)
    [(root, count)] = roots.most_common(1) or [("", 0)]
    root = f"{root}/" if root and 2 * count > len(split) else ""
    return {name.removeprefix(root): member for name, member in named.items()}, root


def _text_findings(path: Path, subset: int, protocol: str, found: dict[str, Member]) -> list[FileProblem]:
    """What is wrong with method.txt and match.json."""
    chosen, texts, findings = PROTOCOLS[protocol], {}, []
    with path.open("rb") as file:
        for name in (METHOD, MATCH):
            try:
                texts |= {name: read_member(file.fileno(), found[name])} if name in found else {}
            except BadMember as error:
                findings.append(FileProblem("damaged", f"{name} {error}"))
    if METHOD in texts:
        _tell_919(subset, protocol, texts[METHOD])
        findings += [FileProblem(f"faults of {METHOD}", problem) for problem in text_problems(texts[METHOD])]
    elif METHOD not in found:
        findings.append(FileProblem("missing", METHOD))
    if chosen.generated and MATCH not in found:
        why = f"{MATCH}, which protocol {chosen.title} needs (`imagenet-s match` makes it)"
        findings.append(FileProblem("missing", why))
    if MATCH in found and chosen.own_images and not chosen.generated:
        findings.append(FileProblem(EXTRA, f"{MATCH}: in protocol {chosen.title} ids are classes"))
    elif MATCH in texts:
        try:
            parsed_matching(texts[MATCH], len(class_ids(subset)))
        except BadMatch as error:
            findings.append(FileProblem(f"faults of {MATCH}", f"it {error}"))
    return findings


def _look(
    path: Path, classes: int, images: dict[str, Path] | None, members: Sequence[tuple[str, Member]]
) -> list[FileProblem]:
    """What is wrong with a chunk of predictions in a zip."""
    findings = []
    with path.open("rb") as file:
        for name, member in members:
            try:
                ids = prediction_of(read_member(file.fileno(), member))
            except BadMember as error:
                findings.append(FileProblem("damaged", f"{name} {error}"))
                continue
            except BadMask as error:
                findings.append(FileProblem(NO_PREDICTION, f"{name} {error}"))
                continue
            present = ids_in(ids)
            unknown = present[present > classes]
            if len(unknown):
                findings.append(FileProblem(f"with ids above {classes}", f"{name} has {first_few(unknown)}"))
            if images is not None:
                findings += _size_findings(name, ids.shape, images.get(f"{name.removesuffix('.png')}.JPEG"))
    return findings


def _size_findings(name: str, shape: tuple[int, int], image: Path | None) -> list[FileProblem]:
    if image is None:
        return [FileProblem("missing test images, whose sizes are needed", name)]
    expected = image_shape(image)
    if expected is None:
        return [FileProblem("unreadable test images", str(image))]
    return [] if shape == expected else [FileProblem(WRONG_SIZE, f"{name} {wrong_size(shape, expected)}")]
