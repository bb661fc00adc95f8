"""Check a zip to submit, no matter which program wrote it."""

import hashlib
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
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
    wrong_size,
)
from imagenet_s.benchmark.scoring.which_subset import require_names_of
from imagenet_s.io.zip_directory import BadZip
from imagenet_s.io.zip_reader import BadMember, Member, duplicates, members_of, read_member
from imagenet_s.masks.codec import BadMask, ids_in, ids_of_png
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

EXPECTED_MASKS = "`<wnid>/<stem>.png`, 8-bit RGB, the size of its image, for exactly the test images."
BACKSLASHES = "names with backslashes instead of slashes"


def check(subset: int, protocol: str, path: Path, images: Path | None, workers: int) -> None:
    """Check a zip to submit.

    Args:
        subset: The subset whose test images are predicted.
        protocol: The protocol of the submission.
        path: The zip.
        images: The folder of the test images, or None to skip the check of sizes.
        workers: The number of processes.

    Raises:
        UserError: The zip cannot be submitted; it names everything that is wrong.
    """
    if not path.is_file():
        raise UserError(f"There is no file {path}. Expected: the zip to check.")
    log_rules(subset, protocol)
    problems = zip_problems(subset, protocol, path, images, workers)
    require_no_file(problems, f"{path} cannot be submitted:", advice(subset, problems))
    if images is None:
        log.warning("Sizes were not checked: give the test images with --images.")
    print_success(path, len(names_of(subset, SPLIT)))


def log_rules(subset: int, protocol: str) -> None:
    """Log what the protocol allows, and which images the subset's test set shares with other subsets."""
    log.info("%s", describe(protocol))
    if leak(subset):
        log.warning("%s", leak(subset))


def _warn_of_919(subset: int, protocol: str, method: bytes) -> None:
    """Warn if a `method.txt` mentions 919 but the protocol does not allow its use."""
    if subset == 919 or not PROTOCOLS[protocol].own_images:
        return
    starts = tuple(LINES[key] for key in ("training_data", "training_scheme", "networks", "description"))
    for line in method.decode("utf-8", "replace").splitlines():
        if line.startswith(starts) and "919" in line:
            title = PROTOCOLS[protocol].title
            log.warning("%s says %r. Protocol %s does not allow the use of 919 here.", METHOD, line, title)


def print_success(path: Path, predictions: int) -> None:
    """Print that a zip is valid, the number of its predictions, and its digest."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    print(f"{path}: {predictions:,} predictions, read back and valid; sha256 {digest}")


def advice(subset: int, problems: Sequence[FileProblem]) -> str:
    """Return what is expected of the files that have problems, one line each."""
    starts = ", ".join(f'"{start}"' for start in LINES.values())
    texts = {
        METHOD: f"{METHOD} with six lines that begin with {starts}, and no newline at the end of the file.",
        MATCH: f"{MATCH}, only if ids are generated: {expected(len(class_ids(subset)))}",
    }
    wanted = [text for name, text in texts.items() if any(_concerns(name, one) for one in problems)]
    if not all(any(_concerns(name, one) for name in texts) for one in problems):
        wanted.insert(0, EXPECTED_MASKS)
    return "\n".join(f"Expected: {text}" for text in wanted)


def _concerns(name: str, problem: FileProblem) -> bool:
    """Return whether a problem is one of the file `name`, which is `method.txt` or `match.json`."""
    return name in problem.kind or problem.what.startswith(name)


def zip_problems(
    subset: int, protocol: str, path: Path, images: Path | None, workers: int
) -> list[FileProblem]:
    """Return everything that is wrong with a zip. Its members are not read if it is not safe to unpack.

    Raises:
        UserError: The file is not a zip.
    """
    try:
        members, unsafe = members_of(path)
    except BadZip as error:
        text = f"{path} is not a complete zip (cut short?). Write it again."
        raise UserError(text, details=[str(error)]) from error
    unsafe += duplicates(member.name for member in members)
    problems = [FileProblem(why, name or path.name) for name, why in unsafe]
    problems += [FileProblem(BACKSLASHES, member.name) for member in members if "\\" in member.name]
    wanted, classes = names_of(subset, SPLIT), len(class_ids(subset))
    found, root = _members_by_name(members, set(wanted))
    predicted = [name for name in found if name not in (METHOD, MATCH)]
    require_names_of(subset, SPLIT, predicted, path)
    if root:
        problems.append(
            FileProblem("all in a folder", f"{root!r}: its content must be at the top level of the zip")
        )
    problems += name_problems(predicted, wanted)
    if unsafe:
        return problems
    problems += _check_texts(path, subset, protocol, found)
    sizes = files_in(inner(images, SPLIT)) if images else None
    present = [(name, found[name]) for name in wanted if name in found]
    what = f"Checking the predictions of {subset_of(subset).name}"
    return problems + map_chunks(
        partial(_check_masks, path, classes, sizes), present, workers, what, "images"
    )


def _members_by_name(members: Iterable[Member], wanted: Container[str]) -> tuple[dict[str, Member], str]:
    """Return the members by name, and the folder in the zip that contains most of them, or an empty string.

    The names use slashes and do not include that folder. Backslashes and the folder are reported separately,
    so that other problems name the files as they should be named.
    """
    named = {member.name.replace("\\", "/"): member for member in members}
    # Windows stores folders as members of their own.
    named = {name: member for name, member in named.items() if not name.endswith("/")}
    split = [name.split("/") for name in named if not is_system_file(name)]
    roots = Counter("/".join(parts[:-2]) for parts in split if "/".join(parts[-2:]) in wanted)
    [(root, count)] = roots.most_common(1) or [("", 0)]
    root = f"{root}/" if root and 2 * count > len(split) else ""
    return {name.removeprefix(root): member for name, member in named.items()}, root


def _check_texts(path: Path, subset: int, protocol: str, found: Mapping[str, Member]) -> list[FileProblem]:
    """Return what is wrong with `method.txt` and `match.json`."""
    chosen = PROTOCOLS[protocol]
    texts: dict[str, bytes] = {}
    problems: list[FileProblem] = []
    with path.open("rb") as file:
        for name in (METHOD, MATCH):
            try:
                texts |= {name: read_member(file.fileno(), found[name])} if name in found else {}
            except BadMember as error:
                problems.append(FileProblem("damaged", f"{name} {error}"))
    if METHOD in texts:
        _warn_of_919(subset, protocol, texts[METHOD])
        problems += [FileProblem(f"errors in {METHOD}", problem) for problem in text_problems(texts[METHOD])]
    elif METHOD not in found:
        problems.append(FileProblem("missing", METHOD))
    if chosen.generated and MATCH not in found:
        why = f"{MATCH}, which protocol {chosen.title} needs (`imagenet-s match` writes it)"
        problems.append(FileProblem("missing", why))
    if MATCH in found and chosen.own_images and not chosen.generated:
        problems.append(FileProblem(EXTRA, f"{MATCH}: in protocol {chosen.title} ids are classes"))
    elif MATCH in texts:
        try:
            parsed_matching(texts[MATCH], len(class_ids(subset)))
        except BadMatch as error:
            problems.append(FileProblem(f"errors in {MATCH}", f"it {error}"))
    return problems


def _check_masks(
    path: Path, classes: int, images: Mapping[str, Path] | None, members: Sequence[tuple[str, Member]]
) -> list[FileProblem]:
    """Return what is wrong with a chunk of predictions in a zip.

    Args:
        path: The zip.
        classes: The number of classes.
        images: The path of each test image, by name, or None to skip the check of sizes.
        members: The predictions, with their names.
    """
    problems: list[FileProblem] = []
    with path.open("rb") as file:
        for name, member in members:
            try:
                ids = ids_of_png(read_member(file.fileno(), member))
            except BadMember as error:
                problems.append(FileProblem("damaged", f"{name} {error}"))
                continue
            except BadMask as error:
                problems.append(FileProblem(NO_PREDICTION, f"{name} {error}"))
                continue
            present = ids_in(ids)
            unknown = present[present > classes]
            if len(unknown):
                problems.append(FileProblem(f"with ids above {classes}", f"{name} has {first_few(unknown)}"))
            if images is not None:
                image = images.get(f"{name.removesuffix('.png')}.JPEG")
                problems += _check_size(name, ids.shape, image)
    return problems


def _check_size(name: str, shape: tuple[int, ...], image: Path | None) -> list[FileProblem]:
    """Return what is wrong with the shape (height, width) of a prediction, or why that is not known."""
    if image is None:
        return [FileProblem("missing test images, needed to check sizes", name)]
    expected_shape = image_shape(image)
    if expected_shape is None:
        return [FileProblem("unreadable test images", str(image))]
    if shape == expected_shape:
        return []
    return [FileProblem(WRONG_SIZE, f"{name} {wrong_size(shape, expected_shape)}")]
