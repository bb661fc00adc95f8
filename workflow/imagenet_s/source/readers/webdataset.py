"""Images in WebDataset shards: plain tars of samples such as `0042.jpg`, `0042.cls`, `0042.json`.

The members of a sample follow each other and have the same key: their path up to the first dot of the file
name. The key may be the image's official name. Otherwise, the sample's JSON file has to contain it.
"""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from imagenet_s.io.split_file import SplitFile
from imagenet_s.io.tar_headers import Member
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.system_files import is_system_file
from imagenet_s.source.readers.base import IMAGE, base_name, image_name
from imagenet_s.source.readers.tar import Tar

# The names of shards: timm's imagenet-1k-wds, and those in the documentation of WebDataset.
SHARD = re.compile(r"(imagenet(?:1k)?-(?:train|val|validation)-)(\d{1,6})(\.tar)", re.IGNORECASE | re.ASCII)

IMAGE_ENDINGS = ("jpg", "jpeg")
MAX_JSON_BYTES = 1 << 16  # of a sample's JSON; timm's have about 100
# Fields of a sample's JSON that may contain the file name, in lower case and without `_` and `-`.
NAME_FIELDS = ("filename", "filepath", "path", "image", "imagename", "imagepath", "imageid", "name", "id")


class WebDataset(Tar):
    """A shard of samples. Only headers are read, and the JSON of the samples whose key is not a name."""

    def _members(self, pieces: SplitFile) -> list[Member]:
        return self.index.members(pieces, rename=named_images)


def named_images(pieces: SplitFile, members: Iterable[Member]) -> list[Member]:
    """Return the images among the members of a shard, under their official names.

    Images without an official name are skipped, and the log says which.

    Raises:
        UserError: No image has an official name, or a JSON file that is needed is damaged or too large.
    """
    named: list[Member] = []
    unnamed: list[str] = []
    for sample in _samples(members):
        images = [member for member in sample if _ending(member) in IMAGE_ENDINGS]
        description = next((member for member in sample if _ending(member) == "json"), None)
        name = _official_name(_key(sample[0]))
        if not name and images and description:
            name = _name_in_json(pieces, description)
        if name:
            named += [image._replace(name=f"{name}.JPEG") for image in images]
        else:
            unnamed += [image.name for image in images]
    if unnamed and not named:
        raise UserError(
            f"{pieces.description}: its {len(unnamed):,} images have names such as {unnamed[0]!r}, and no "
            "official name in a JSON file of the same name, so which images of ImageNet-1k they are is not "
            "known. Expected: names such as n01440764_10026.jpg, or a JSON file with a field `filename` such "
            "as n01440764_10026.JPEG. Get shards with one of these."
        )
    if unnamed:
        log.warning(
            "%s: skipped images without an official name, in their own name or in JSON: %s",
            pieces.description,
            first_few(map(repr, unnamed)),
        )
    return named


def _samples(members: Iterable[Member]) -> Iterator[list[Member]]:
    """Yield the samples. A key that occurs again later in the shard is another sample, as in WebDataset."""
    files = (member for member in members if not is_system_file(member.name))
    for _, sample in groupby(files, _key):
        yield list(sample)


def _key(member: Member) -> str:
    folder, slash, base = member.name.rpartition("/")
    return folder + slash + base.partition(".")[0]


def _ending(member: Member) -> str:
    return base_name(member.name).partition(".")[2].lower()


def _official_name(name: str) -> str | None:
    """Return the official name of a path, with or without folders, class suffix and ending; None if none."""
    base = base_name(name.replace("\\", "/"))
    match = IMAGE.fullmatch(base) or IMAGE.fullmatch(f"{base}.jpg")
    return image_name(match) if match else None


def _name_in_json(pieces: SplitFile, member: Member) -> str | None:
    """Return the official name in a sample's JSON; None if it has none.

    Raises:
        UserError: It is damaged, or larger than any description of an image.
    """
    where = f"{pieces.description}: its member {member.name!r}"
    if member.size > MAX_JSON_BYTES:
        raise UserError(
            f"{where} has {member.size:,} bytes; at most {MAX_JSON_BYTES:,} are expected of the JSON of an "
            "image. Get the archive again."
        )
    try:
        described: Any = json.loads(pieces.read(member.size, member.offset))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} is damaged: it is not JSON ({error}). Get the archive again.") from error
    if not isinstance(described, dict):
        return None
    fields = {re.sub("[-_]", "", field.lower()): value for field, value in described.items()}
    texts = (fields[field] for field in NAME_FIELDS if isinstance(fields.get(field), str))
    return next(filter(None, map(_official_name, texts)), None)
