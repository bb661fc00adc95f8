"""Match generated ids to classes, for predictions that were made without labels: the command `match`."""

from collections.abc import Sequence
from functools import partial as bound
from pathlib import Path
from typing import NamedTuple

from imagenet_s.benchmark.scoring.assignment import (
    ClassSets,
    Matching,
    class_sets,
    count_common_images,
    match,
)
from imagenet_s.benchmark.scoring.comparison import Comparison, pairs_of, would_pass_as_partial
from imagenet_s.benchmark.scoring.pairs import (
    BadPair,
    Pair,
    PairFiles,
    class_of,
    read_pair,
    require_own_classes,
)
from imagenet_s.benchmark.scoring.provenance import provenance
from imagenet_s.io.atomic import dump_json
from imagenet_s.io.receipts import receipts
from imagenet_s.runtime.parallel import map_chunks
from imagenet_s.runtime.problems import FileProblem, require_no_file
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.version import __version__
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.protocols import describe
from imagenet_s.spec.subsets import subset_of
from imagenet_s.workspace.output_guard import check_output_path


class _Chunk(NamedTuple):
    """What one process finds in some pairs: classes and digests, and what is wrong with the others."""

    sets: list[ClassSets]
    files: list[PairFiles]
    problems: list[FileProblem]


def match_predictions(compared: Comparison, out: Path, workers: int) -> None:
    """Write `out`, a `match.json`, and next to it `<stem>-info.json`: the cost and whether it is unique.

    Raises:
        UserError: Something is wrong with the two folders; it names everything.
    """
    check_output_path(out, *compared.folders)
    subset = compared.subset
    name, classes = subset_of(subset).name, len(class_ids(subset))
    log.info("%s", describe("unsupervised"))
    pairs, problems = pairs_of(compared)
    chunks: list[_Chunk] = map_chunks(bound(_read, classes), pairs, workers, f"Matching {name}", "images")
    problems += [problem for chunk in chunks for problem in chunk.problems]
    hint = " `imagenet-s match --partial` uses the images that both folders have."
    advice = "Nothing was matched." + hint * would_pass_as_partial(problems)
    what = f"{compared.predictions} cannot be matched with {compared.truth}:"
    require_no_file(problems, what, advice)
    images = [image for chunk in chunks for image in chunk.sets]
    has_own = {
        pair.name: class_of(subset, pair) in image.true
        for pair, image in zip(pairs, images, strict=True)
        if image.true
    }
    require_own_classes(subset, compared.truth, has_own)
    if unknown := sum(image.unknown for image in images):
        log.warning(
            "%s images have predicted ids above %s, which are matched to nothing: generated ids are 1..%s.",
            *(f"{unknown:,}", classes, classes),
        )
    found = match(count_common_images(images, classes), len(images))
    predicted = {p for image in images for p in image.predicted}
    changeable = [p for p in found.movable if p in predicted]
    info = {
        "subset": subset,
        "images": found.images,
        "cost": found.cost,
        "images_in_common": found.common,
        "unique": found.unique,
        "ids_that_could_change": len(found.movable),
        "of_them_predicted": changeable,
        "ids_never_predicted": classes - len(predicted),
        "solver": found.solver,
        "made_by": f"imagenet-s {__version__}",
        **provenance(compared, pairs, [one for chunk in chunks for one in chunk.files], None),
    }
    del info["match"]  # which is what is made here
    with receipts([out.with_name(f"{out.stem}-info.json"), out]) as (info_path, match_path):
        dump_json(info, info_path)
        dump_json(found.official(), match_path)
    print(f"{out}: cost {found.cost:.6f} over {found.images:,} images; {_uniqueness(found, changeable)}")


def _read(classes: int, pairs: Sequence[Pair]) -> list[_Chunk]:
    """Read a chunk of pairs and return one result."""
    sets: list[ClassSets] = []
    files: list[PairFiles] = []
    problems: list[FileProblem] = []
    for pair in pairs:
        try:
            ids = read_pair(pair, classes)
        except BadPair as error:
            problems += error.problems
        else:
            sets.append(class_sets(ids.truth, ids.prediction, classes))
            files.append(ids.files)
    return [_Chunk(sets, files, problems)]


def _uniqueness(found: Matching, changeable: Sequence[int]) -> str:
    """Describe how many ids other optimal matchings change."""
    if found.unique:
        return "no other matching is as good"
    return (
        f"other matchings are as good: {len(found.movable):,} of {len(found.classes):,} ids could have "
        f"another class, {len(changeable):,} of which are predicted in some image"
    )
