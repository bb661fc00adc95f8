"""Signs that a copy is not the original ImageNet: each alone, at its threshold, and in samples without it."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imagenet_s.dataset.alterations import MIN_JPEGS, find_alterations
from imagenet_s.dataset.samples import SAMPLES, WRONG_SIZE
from imagenet_s.spec.odd_images import odd_images

(ODD50,) = odd_images(50)
PNG919 = "train/n02105855/n02105855_2933.JPEG"

# Two quantization tables: more than one, and neither as common as one program would make it.
TABLES = (1, 2)


def train(path: str, mode: str | None = "RGB", quantization: int | None = 1) -> dict:
    return {"split": "train", "image": path, "mode": mode, "quantization": quantization}


def trains(count: int, tables: Sequence[int] = TABLES) -> list[dict]:
    return [
        train(f"train/n01443537/n01443537_{k}.JPEG", "RGB", tables[k % len(tables)]) for k in range(count)
    ]


def masked(count: int, wrong: int) -> list[dict]:
    return [
        train(f"validation/n01443537/{k}.JPEG", "RGB", TABLES[k % 2])
        | {"split": "validation", "mask": f"{k}.png", "mask_problems": WRONG_SIZE if k < wrong else ""}
        for k in range(count)
    ]


@pytest.fixture
def signs(tmp_path):
    """Return a function that returns the signs in some samples; columns they lack are null."""

    def signs(rows: list[dict], subset: int = 50, without: Sequence[str] = ()) -> list[dict]:
        path: Path = tmp_path / "samples.parquet"
        full = [dict.fromkeys(SAMPLES.names) | {"mask_problems": ""} | row for row in rows]
        pq.write_table(pa.Table.from_pylist(full, SAMPLES).drop(list(without)), path)
        return find_alterations(subset, path)

    return signs


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_cmyk_image_that_is_a_plain_jpeg_is_a_sign(signs, mode):
    assert signs([train(ODD50, mode), *trains(10)]) == [{"kind": "converted", "images": 1, "of": 1}]


@pytest.mark.parametrize(
    ("path", "mode", "quantization"),
    [
        (ODD50, "CMYK", 7),  # as in ImageNet
        (ODD50, None, None),  # damaged: nothing is known
        (ODD50, "RGB", None),  # a PNG: other than ImageNet's, but no reader makes such copies
        (ODD50.replace("_10752", "_10753"), "RGB", 7),
    ],
)
def test_other_images_are_no_sign(signs, path, mode, quantization):
    assert signs([train(path, mode, quantization), *trains(10)]) == []


def test_the_png_is_a_sign_if_it_is_a_jpeg(signs):
    cmyk = [train(path, "CMYK") for path in odd_images(919) if path != PNG919]
    assert len(cmyk) == 19
    assert signs([train(PNG919, "RGB", None), *cmyk], 919) == []
    assert signs([train(PNG919, "RGB", 5), *cmyk], 919) == [{"kind": "converted", "images": 1, "of": 20}]


@pytest.mark.parametrize(("wrong", "found"), [(0, False), (5, False), (6, True), (100, True)])
def test_images_of_another_size_than_their_masks_are_a_sign_if_they_are_many(signs, wrong, found):
    expected = [{"kind": "resized", "images": wrong, "of": 100}] if found else []
    assert signs(masked(100, wrong)) == expected


def test_train_semi_counts_once_for_quantization_and_fully_for_sizes(signs):
    semi = [row | {"split": "train-semi"} for row in masked(100, 50)]
    rows = [*trains(2 * MIN_JPEGS, TABLES), *semi]
    assert signs(rows) == [{"kind": "resized", "images": 50, "of": 100}]


@pytest.mark.parametrize(
    ("others", "jpegs", "found"),
    [(0, MIN_JPEGS, True), (10, MIN_JPEGS, True), (11, MIN_JPEGS, False), (0, MIN_JPEGS - 1, False)],
)
def test_one_quantization_table_for_nearly_all_is_a_sign(signs, others, jpegs, found):
    rows = [*trains(jpegs - others, (7,)), *trains(others, (8,)), train("train/x/x.JPEG", "RGB", None)]
    expected = [{"kind": "re-encoded", "images": jpegs - others, "of": jpegs}] if found else []
    assert signs(rows) == expected


def test_the_share_of_the_most_common_table_of_imagenet_is_no_sign(signs):
    assert signs(trains(MIN_JPEGS, (1, 1, 1, 1, 1, 1, 1, 2, 3, 4))) == []


def test_samples_of_an_earlier_version_show_sizes_only(signs):
    rows = [train(ODD50), *trains(MIN_JPEGS, (7,)), *masked(100, 100)]
    old = signs(rows, without=["mode", "quantization"])
    assert old == [{"kind": "resized", "images": 100, "of": 100}]
    nulls = [row | {"mode": None, "quantization": None} for row in rows]
    assert signs(nulls) == old
