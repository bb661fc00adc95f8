"""Label files: four encodings of a handful of masks, and the sha256 lists of them."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from imagenet_s.annotations.unpack import RECORDS
from imagenet_s.dataset.encoded_masks import UnpackedMasks, encode_labels, label_path
from imagenet_s.masks.codec import rgb_of
from imagenet_s.masks.palette import colors
from imagenet_s.spec.encodings import ENCODINGS
from imagenet_s.spec.subsets import MASKED

# n01443537 is class 1 of 50, n04612504 class 46. Not sorted, so that sorting shows.
IDS = {
    "train-semi-segmentation/n01443537/n01443537_10007.png": [[0, 1, 1], [1000, 1, 46]],
    "validation-segmentation/n04612504/ILSVRC2012_val_00000002.png": [[46], [0], [1000]],
    "validation-segmentation/n01443537/ILSVRC2012_val_00000009.png": [[1, 50, 1000]],
    "validation-segmentation/n01443537/ILSVRC2012_val_00000001.png": [[0, 46]],
}
BROKEN = "validation-segmentation/n01443537/ILSVRC2012_val_00000003.png"


def expected(encoding: str, mask: str) -> list:
    """Return the pixels that a label must have; for `color`, as RGB."""
    ids = np.array(IDS[mask])
    own = {"n01443537": 1, "n04612504": 46}[mask.split("/")[1]]
    match encoding:
        case "id16":
            return ids.tolist()
        case "id8":
            return [[255 if x == 1000 else x for x in row] for row in ids.tolist()]
        case "binary":
            return [[255 if x == own else 128 if x == 1000 else 0 for x in row] for row in ids.tolist()]
        case "color":
            return colors(50)[ids].tolist()
        case _:
            raise AssertionError(f"say here what {encoding} must have")


@pytest.fixture
def masks(tmp_path) -> Path:
    """Write masks and their records, and return the folder of the masks."""
    folder = tmp_path / "masks"
    for mask, ids in IDS.items():
        (folder / mask).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rgb_of(np.array(ids, np.uint16))).save(folder / mask)
    write_records(tmp_path, list(IDS))
    return folder


def write_records(tmp_path: Path, paths: list[str]) -> None:
    columns = {field.name: pa.nulls(len(paths), field.type) for field in RECORDS}
    table = pa.table(columns | {"mask": paths}, schema=RECORDS)
    pq.write_table(table, tmp_path / "records.parquet")


def encode(encoding: str, tmp_path: Path, workers: int = 1) -> dict[str, str]:
    """Encode all masks into `tmp_path/tree`; return split → the text of its sha256 list."""
    digests = {split: tmp_path / "manifests" / f"{split}-{encoding}.sha256" for split in MASKED}
    unpacked = UnpackedMasks(50, tmp_path / "records.parquet", tmp_path / "masks")
    encode_labels(unpacked, encoding, tmp_path / "tree", digests, workers, tmp_path / "scratch")
    return {split: path.read_text() for split, path in digests.items()}


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_each_mask_has_a_label_with_the_pixels_of_the_encoding(masks, tmp_path, encoding):
    encode(encoding, tmp_path)
    for mask in IDS:
        folder, wnid, name = mask.split("/")
        with Image.open(tmp_path / "tree" / f"{folder}-{encoding}" / wnid / name) as image:
            assert image.format == "PNG"
            assert image.mode == {"id16": "I;16", "color": "P"}.get(encoding, "L")
            pixels = np.asarray(image.convert("RGB") if encoding == "color" else image)
            assert pixels.tolist() == expected(encoding, mask)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_no_other_files_are_written(masks, tmp_path, encoding):
    encode(encoding, tmp_path)
    assert files_below(tmp_path / "tree") == {label_path(mask, encoding) for mask in IDS}
    assert {path.name for path in tmp_path.iterdir()} == {"masks", "records.parquet", "tree", "manifests"}


def test_the_path_of_a_label_is_that_of_its_mask_in_another_folder():
    mask = "train-semi-segmentation/n01443537/n01443537_10007.png"
    assert label_path(mask, "id16") == "train-semi-segmentation-id16/n01443537/n01443537_10007.png"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_lists_name_each_label_of_their_split_sorted_with_its_digest(masks, tmp_path, encoding):
    lists = encode(encoding, tmp_path)
    assert list(lists) == ["train-semi", "validation"]
    assert [len(text.splitlines()) for text in lists.values()] == [1, 3]
    for split, text in lists.items():
        labels = sorted(label_path(mask, encoding) for mask in IDS if mask.startswith(f"{split}-"))
        lines = (
            f"{hashlib.sha256((tmp_path / 'tree' / label).read_bytes()).hexdigest()}  {label}\n"
            for label in labels
        )
        assert text == "".join(lines)


@pytest.mark.parametrize(("encoding", "data"), [("id16", b"no PNG"), ("id8", None)])
def test_a_mask_that_cannot_be_encoded_is_skipped_with_a_warning(masks, tmp_path, caplog, encoding, data):
    if data is None:  # a valid mask of 300, with an id that does not fit into 8 bits
        buffer = io.BytesIO()
        Image.fromarray(rgb_of(np.array([[300]], np.uint16))).save(buffer, "PNG")
        data = buffer.getvalue()
    (masks / BROKEN).write_bytes(data)
    write_records(tmp_path, [*IDS, BROKEN])
    stale = tmp_path / "tree" / label_path(BROKEN, encoding)
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"of an earlier run")
    lists = encode(encoding, tmp_path)
    assert files_below(tmp_path / "tree") == {label_path(mask, encoding) for mask in IDS}
    assert BROKEN.rpartition("/")[2] not in lists["validation"]
    assert len(lists["validation"].splitlines()) == 3
    (warning,) = (r.getMessage() for r in caplog.records if r.levelname == "WARNING")
    assert warning.startswith(f"{label_path(BROKEN, encoding)} skipped: its mask ")


def test_two_workers_do_the_same_as_one(masks, tmp_path):
    # More than one chunk, or one worker does everything.
    paths = [f"validation-segmentation/n01443537/ILSVRC2012_val_{k:08d}.png" for k in range(100, 200)]
    for mask in paths:
        (masks / mask).write_bytes((masks / next(iter(IDS))).read_bytes())
    write_records(tmp_path, paths)
    one = encode("binary", tmp_path)
    assert encode("binary", tmp_path, workers=2) == one
    assert len(one["validation"].splitlines()) == 100
    assert one["train-semi"] == ""
