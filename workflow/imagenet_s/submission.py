"""A submission: predictions of a subset's test images, `method.txt` and `match.json` in a zip, and its check.

What was written is checked by the same function as what somebody else wrote.
"""

import hashlib
import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from imagenet_s.classes import class_ids
from imagenet_s.errors import UserError, first_few
from imagenet_s.files import written
from imagenet_s.images import pixel_size
from imagenet_s.mask import BadMask, ids_in
from imagenet_s.match_file import BadMatch, parsed_matching
from imagenet_s.method import method_text, read_method, text_troubles
from imagenet_s.predictions import (
    EXTRA,
    MISSING,
    NO_PREDICTION,
    WRONG_SIZE,
    Finding,
    extra,
    files_in,
    inner,
    names_of,
    prediction_of,
    require_none,
    wrong_size,
)
from imagenet_s.progress import log
from imagenet_s.protocols import PROTOCOLS, leak
from imagenet_s.subsets import subset_of
from imagenet_s.workers import in_chunks
from imagenet_s.zips import BadMember, Member, doubled, members_of, read_member, require_safe

SPLIT = "test"
METHOD, MATCH = "method.txt", "match.json"
DATE = (1980, 1, 1, 0, 0, 0)  # of each member, so that the same predictions give the same zip

ADVICE = "Wanted: `<wnid>/<stem>.png`, 8-bit RGB, of its image's size, for exactly the test images."


def submit(
    subset: int,
    protocol: str,
    predictions: Path,
    images: Path,
    match: Path | None,
    method: Path,
    out: Path,
    workers: int,
) -> None:
    """Writes `out`, a zip to submit, once it is known to be one; raises UserError with all that is wrong."""
    fields = read_method(method)
    texts = {METHOD: method_text(fields).encode()}
    if match:
        texts[MATCH] = match.read_bytes()
    _tell_rules(subset, protocol, fields)
    wanted, found = names_of(subset, SPLIT), files_in(inner(predictions, SPLIT))
    there = {name: found[name] for name in wanted if name in found}
    if not there:
        raise UserError(
            f"{predictions} has no prediction of a test image.\n"
            f"Expected `<wnid>/<stem>.png` such as {wanted[0]}.\n"
            f"It holds: {first_few(found) or 'nothing'}"
        )
    with written(out) as partial_path:
        _write(there, texts, partial_path)
        findings = extra(found, wanted)
        findings += _findings(subset, protocol, partial_path, images, workers)
        require_none(findings, f"{predictions} cannot be submitted:", f"{ADVICE} Nothing was written.")
    _tell(out, len(there))


def check(subset: int, protocol: str, path: Path, images: Path | None, workers: int) -> None:
    """Checks a zip that somebody made; without `images` not the sizes. Raises UserError with all findings."""
    _tell_rules(subset, protocol, {})
    findings = _findings(subset, protocol, path, images, workers)
    require_none(findings, f"{path} cannot be submitted:", ADVICE)
    if images is None:
        log.warning("The sizes were not compared: give the test images with --images.")
    _tell(path, len(names_of(subset, SPLIT)))


def _tell_rules(subset: int, protocol: str, fields: dict[str, str]) -> None:
    chosen = PROTOCOLS[protocol]
    log.info("Protocol %s: %s", chosen.title, chosen.rule)
    if leak(subset):
        log.warning("%s", leak(subset))
    if chosen.own_images and subset != 919:
        for key in ("training_data", "training_scheme", "networks", "description"):
            if "919" in fields.get(key, ""):
                log.warning("`%s` speaks of 919, which protocol %s does not allow here.", key, chosen.title)


def _tell(path: Path, predictions: int) -> None:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    print(f"{path}: {predictions:,} predictions, read back and found right; sha256 {digest}")


def _write(predictions: dict[str, Path], texts: dict[str, bytes], path: Path) -> None:
    """Writes a zip whose bytes depend on the content alone: sorted, dated 1980, not packed again."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted([*predictions, *texts]):
            member = zipfile.ZipInfo(name, DATE)
            member.create_system = 3  # Unix, on every machine
            member.external_attr = 0o644 << 16
            archive.writestr(member, texts[name] if name in texts else predictions[name].read_bytes())


def _findings(subset: int, protocol: str, path: Path, images: Path | None, workers: int) -> list[Finding]:
    """All that is wrong with a zip. Raises UserError for one that is none, or not safe to read."""
    members, unsafe = members_of(path)
    require_safe(path, unsafe + doubled(member.name for member in members), "Make it again.")
    found = {member.name: member for member in members}
    wanted, classes = names_of(subset, SPLIT), len(class_ids(subset))
    findings = [Finding(MISSING, name) for name in wanted if name not in found]
    if findings and (root := _common_root(found, wanted)):
        return [Finding("all in a folder", f"{root!r}: its content must be at the top of the zip")]
    texts = (METHOD, MATCH)
    findings += extra((name for name in found if name not in texts), wanted)
    findings += _text_findings(path, protocol, found, classes)
    sizes = files_in(inner(images, SPLIT)) if images else None
    there = [found[name] for name in wanted if name in found]
    what = f"Checking the predictions of {subset_of(subset).name}"
    return findings + in_chunks(partial(_look, path, classes, sizes), there, workers, what, "images")


def _common_root(found: dict[str, Member], wanted: Sequence[str]) -> str:
    """The folder that holds what should be at the top of a zip; empty if there is none."""
    roots = {name.removesuffix(wanted[0]) for name in found if name.endswith(f"/{wanted[0]}")}
    return roots.pop() if len(roots) == 1 else ""


def _text_findings(path: Path, protocol: str, found: dict[str, Member], classes: int) -> list[Finding]:
    """What is wrong with method.txt and match.json."""
    findings = []
    with path.open("rb") as file:
        texts = {}
        for name in (METHOD, MATCH):
            try:
                texts[name] = read_member(file.fileno(), found[name]) if name in found else None
            except BadMember as error:
                findings.append(Finding("damaged", f"{name} {error}"))
                texts[name] = b""
    if texts[METHOD] is None:
        findings.append(Finding("missing", METHOD))
    elif texts[METHOD]:
        findings += [Finding("faults of method.txt", trouble) for trouble in text_troubles(texts[METHOD])]
    chosen = PROTOCOLS[protocol]
    if texts[MATCH] is None:
        if chosen.generated:
            why = f"{MATCH}, which protocol {chosen.title} needs (`imagenet-s match` makes it)"
            findings.append(Finding("missing", why))
    elif chosen.own_images and not chosen.generated:
        findings.append(Finding(EXTRA, f"{MATCH}: in protocol {chosen.title} ids are classes"))
    elif texts[MATCH]:
        try:
            parsed_matching(texts[MATCH], classes)
        except BadMatch as error:
            findings.append(Finding("faults of match.json", f"it {error}"))
    return findings


def _look(
    path: Path, classes: int, images: dict[str, Path] | None, members: Sequence[Member]
) -> list[Finding]:
    """What is wrong with a chunk of predictions in a zip."""
    findings = []
    with path.open("rb") as file:
        for member in members:
            name = member.name
            try:
                ids = prediction_of(read_member(file.fileno(), member))
            except BadMember as error:
                findings.append(Finding("damaged", f"{name} {error}"))
                continue
            except BadMask as error:
                findings.append(Finding(NO_PREDICTION, f"{name} {error}"))
                continue
            unknown = ids_in(ids)[ids_in(ids) > classes]
            if len(unknown):
                findings.append(Finding(f"with ids above {classes}", f"{name} has {first_few(unknown)}"))
            if images is not None:
                findings += _size_findings(name, ids.shape, images.get(f"{name.removesuffix('.png')}.JPEG"))
    return findings


def _size_findings(name: str, shape: tuple[int, int], image: Path | None) -> list[Finding]:
    if image is None:
        return [Finding("missing test images, whose sizes are needed", name)]
    width, height = pixel_size(image.read_bytes())
    if width is None:
        return [Finding("unreadable test images", str(image))]
    return (
        []
        if shape == (height, width)
        else [Finding(WRONG_SIZE, f"{name} {wrong_size(shape, (height, width))}")]
    )
