"""The command `evaluate`: the metrics it writes, and each kind of wrong folder that it refuses."""

import csv
import hashlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.scoring import evaluate, ids_at, replace
from helpers.trees import linked_copy
from imagenet_s.benchmark.scoring.confusion import confusion
from imagenet_s.benchmark.scoring.metrics import compute_metrics, tally, total
from imagenet_s.benchmark.scoring.predictions import names_of
from imagenet_s.cli.main import main
from imagenet_s.masks.codec import rgb_of, rgb_png
from imagenet_s.spec.classes import class_ids

NAMES = names_of(50, "validation")
METRICS = ["Acc", "mIoU", "mBIoU", "S", "MS", "ML", "L", "BS", "BMS", "BML", "BL", "IoUs", "FMeasure"]


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    """Skip them: test_plots.py tests them, and they take longer than everything else."""
    monkeypatch.setattr("imagenet_s.benchmark.scoring.evaluate.write_pictures", lambda *_: None)


def test_the_official_metrics_of_all_images_are_written(truth50, predictions, tmp_path, capsys):
    random = np.random.default_rng(1)
    for name in NAMES[::5]:
        replace(predictions / name, rgb_png(np.roll(ids_at(predictions / name), random.integers(20), axis=1)))
    out = tmp_path / "out" / "metrics.json"
    assert evaluate(truth50, predictions, out) == 0
    found = json.loads(out.read_text())
    expected = compute_metrics(
        total(tally(confusion(ids_at(truth50 / name), ids_at(predictions / name), 50)) for name in NAMES)
    )
    assert list(found)[: len(METRICS)] == METRICS
    assert {name: found[name] for name in METRICS} == expected
    assert (found["images"], found["images_of_the_split"], found["partial"]) == (752, 752, False)
    assert 50 < found["mIoU"] < 100
    printed = capsys.readouterr().out
    assert f"mIoU {found['mIoU']:6.2f}" in printed
    page = out.with_name("metrics-figures.html").read_text(encoding="utf-8").replace(" ", "")
    for name in ("mIoU", "mBIoU", "Acc", "FMeasure"):
        assert f'<td>{name}</td><tdstyle="text-align:right;">{found[name]:.2f}</td>' in page
    assert f"digest{found['truth']['data_set_digest'] or 'unknown'}" in page
    assert "752 of 752 images" in printed
    assert evaluate(truth50, predictions, tmp_path / "two.json", "--workers", "2") == 0
    assert (tmp_path / "two.json").read_bytes() == out.read_bytes()


def test_the_table_of_classes_begins_with_background_and_agrees_with_the_metrics(
    truth50, predictions, tmp_path
):
    assert evaluate(truth50, predictions, tmp_path / "m.json") == 0
    with (tmp_path / "m-classes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", "wnid", "name", "IoU", "boundary_IoU", "pixels"]
    assert [row["wnid"] for row in rows] == ["", *class_ids(50)]
    assert [row["id"] for row in rows] == [str(i) for i in range(51)]
    assert (rows[0]["name"], rows[1]["name"]) == ("background", "goldfish")
    found = json.loads((tmp_path / "m.json").read_text())
    assert [float(row["IoU"]) for row in rows] == found["IoUs"]
    assert np.mean([float(row["boundary_IoU"]) for row in rows]) == pytest.approx(found["mBIoU"])
    pixels = [sum(int((ids_at(truth50 / name) == i).sum()) for name in NAMES) for i in (0, 7)]
    assert [int(rows[i]["pixels"]) for i in (0, 7)] == pixels


def test_generated_ids_are_scored_as_the_classes_of_match_json(truth50, predictions, tmp_path, capsys):
    assert evaluate(truth50, predictions, tmp_path / "plain.json") == 0
    order = np.random.default_rng(2).permutation(50) + 1
    generated = np.arange(65_536, dtype=np.uint16)
    generated[1:51] = order
    for name in NAMES:
        replace(predictions / name, rgb_png(generated[ids_at(predictions / name)]))
    (tmp_path / "match.json").write_text(
        json.dumps({"0": 0} | {str(p): c for c, p in enumerate(order.tolist(), 1)})
    )
    assert evaluate(truth50, predictions, tmp_path / "m.json", "--match", str(tmp_path / "match.json")) == 0
    plain, matched = (json.loads((tmp_path / name).read_text()) for name in ("plain.json", "m.json"))
    assert (plain.pop("matched"), matched.pop("matched")) == (False, True)
    assert plain.pop("match") is None
    given = (tmp_path / "match.json").read_bytes()
    assert matched.pop("match") == {
        "path": str(tmp_path / "match.json"),
        "sha256": hashlib.sha256(given).hexdigest(),
    }
    assert plain.pop("predictions")["sha256"] != matched.pop("predictions")["sha256"]
    assert matched == plain
    assert evaluate(truth50, predictions, tmp_path / "m.json") == 0
    assert json.loads((tmp_path / "m.json").read_text())["mIoU"] < 10


def test_an_invalid_match_json_is_refused(truth50, predictions, tmp_path, capsys):
    (tmp_path / "match.json").write_text('{"0": 0, "1": 1}')
    assert evaluate(truth50, predictions, tmp_path / "m.json", "--match", str(tmp_path / "match.json")) == 1
    text = capsys.readouterr().err
    assert f"{tmp_path}/match.json lacks the keys 2, 3, 4, … (49 in all); lacks the values 2, 3, 4, …" in text
    assert "`imagenet-s match` writes one" in text


def test_ids_above_the_classes_are_counted_in_a_warning_and_scored_as_misses(
    truth50, predictions, tmp_path, capsys
):
    ids = ids_at(predictions / NAMES[0])
    above = np.where(ids == 1, 51, ids).astype(np.uint16)
    replace(predictions / NAMES[0], rgb_png(above))
    pixels = int((ids == 1).sum())
    assert evaluate(truth50, predictions, tmp_path / "m.json") == 0
    assert f"{pixels:,} pixels have an id above 50. They count as misses" in capsys.readouterr().err
    assert json.loads((tmp_path / "m.json").read_text())["pixels_above_the_classes"] == pixels


def test_partial_scores_the_images_that_both_folders_have_and_logs_their_number(
    truth50, predictions, tmp_path, capsys
):
    for name in NAMES[100:]:
        (predictions / name).unlink()
    (predictions / "n01443537" / "other.png").write_bytes(rgb_png(np.zeros((5, 5), np.uint16)))
    assert evaluate(truth50, predictions, tmp_path / "m.json", "--partial") == 0
    found = json.loads((tmp_path / "m.json").read_text())
    assert (found["images"], found["images_of_the_split"], found["partial"]) == (100, 752, True)
    assert len(found["IoUs"]) == 51  # with --partial, too
    printed = capsys.readouterr()
    assert "100 images have both a true mask and a prediction. " in printed.err
    assert "100 of 752 images" in printed.out
    assert "Classes without pixels in these images count as 0." in printed.out
    expected = compute_metrics(
        total(
            tally(confusion(ids_at(truth50 / name), ids_at(predictions / name), 50)) for name in NAMES[:100]
        )
    )
    assert {name: found[name] for name in METRICS} == expected


def test_partial_is_suggested_only_if_it_would_help(truth50, predictions, tmp_path, capsys):
    (predictions / NAMES[0]).unlink()
    (predictions / "notes.txt").write_text("x")
    assert evaluate(truth50, predictions, tmp_path / "m.json") == 1
    assert (
        "validation images. `imagenet-s evaluate --partial` scores the images that both folders have.\n"
        in capsys.readouterr().err
    )
    replace(predictions / NAMES[1], b"")
    assert evaluate(truth50, predictions, tmp_path / "m.json") == 1
    assert "for exactly the validation images.\n" in capsys.readouterr().err


def test_partial_skips_files_that_desktops_leave_behind(truth50, predictions, tmp_path, capsys):
    truth = linked_copy(truth50, tmp_path / "truth")
    for folder in (truth, predictions):
        for name in (
            ".DS_Store",
            "Thumbs.db",
            "n01443537/.DS_Store",
            "n01443537/._x.png",
            "n01443537/notes.txt",
        ):
            (folder / name).write_bytes(b"x")
    assert evaluate(truth, predictions, tmp_path / "m.json", "--partial") == 0
    assert json.loads((tmp_path / "m.json").read_text())["images"] == 752


def test_a_folder_that_is_compared_with_itself_gives_a_warning(truth50, tmp_path, capsys):
    assert evaluate(truth50, truth50, tmp_path / "m.json") == 0
    assert "--truth and --predictions are the same folder" in capsys.readouterr().err


def test_an_earlier_result_is_removed_before_new_files_are_written(
    truth50, predictions, tmp_path, monkeypatch
):
    assert evaluate(truth50, predictions, tmp_path / "m.json") == 0
    monkeypatch.setattr("imagenet_s.benchmark.scoring.evaluate.write_pictures", lambda *_: 1 / 0)
    assert evaluate(truth50, predictions, tmp_path / "m.json") == 1
    assert not (tmp_path / "m.json").exists()


def test_partial_also_accepts_a_part_of_the_truth(truth50, predictions, tmp_path, capsys):
    truth = linked_copy(truth50, tmp_path / "truth")
    for name in NAMES[:752:2]:
        (truth / name).unlink()
    assert evaluate(truth, predictions, tmp_path / "m.json", "--partial") == 0
    assert json.loads((tmp_path / "m.json").read_text())["images"] == 376


def test_masks_with_the_ids_of_another_subset_are_not_scored(truth50, predictions, tmp_path, capsys):
    arguments = ["--truth", truth50, "--predictions", predictions, "--out", tmp_path / "m.json", "--partial"]
    assert main(["evaluate", "--subset", "300", *map(str, arguments)]) == 1
    text = capsys.readouterr().err
    assert f"{truth50} does not use the class ids of ImageNetS300: only " in text
    assert " of 752 true masks contain the class of their folder." in text
    assert "Give the --subset that the masks belong to." in text
    assert [path.name for path in tmp_path.iterdir()] == ["predictions"]


def test_the_match_json_and_the_truth_are_not_written_over(truth50, predictions, tmp_path, capsys):
    (tmp_path / "match.json").write_text(json.dumps({str(i): i for i in range(51)}))
    options = ["--match", str(tmp_path / "match.json")]
    for out in (tmp_path / "match.json", predictions / "m.json", truth50 / "m.json"):
        assert evaluate(truth50, predictions, out, *options) == 2
        assert f"--out: {out} would be written over, or into, what is read" in capsys.readouterr().err
    assert json.loads((tmp_path / "match.json").read_text())["50"] == 50


def test_a_name_with_a_line_break_is_shown_on_one_line(truth50, predictions, tmp_path, capsys):
    (predictions / "a\nb.png").write_bytes(b"")
    (predictions / os.fsdecode(b"\xff.png")).write_bytes(b"")
    (predictions / "ü☃.png").write_bytes(b"")
    assert evaluate(truth50, predictions, tmp_path / "m.json") == 1
    text = capsys.readouterr().err
    assert "- unexpected files (3): 'a\\nb.png'; ü☃.png; '\\udcff.png'\n" in text


def palette(ids: np.ndarray, path: Path) -> None:
    Image.fromarray(ids.astype(np.uint8)).convert("P").save(path, "PNG")


def grey(ids: np.ndarray, path: Path) -> None:
    Image.fromarray(ids).save(path, "PNG")


def transparent(ids: np.ndarray, path: Path) -> None:
    Image.fromarray(rgb_of(ids)).convert("RGBA").save(path, "PNG")


def jpeg(ids: np.ndarray, path: Path) -> None:
    Image.fromarray(rgb_of(ids)).save(path, "JPEG")


def bgr(ids: np.ndarray, path: Path) -> None:
    path.write_bytes(pack(rgb_of(ids)[..., ::-1]))


def blue(ids: np.ndarray, path: Path) -> None:
    rgb = rgb_of(np.maximum(ids, 1))
    rgb[0, 0, 2] = 9
    path.write_bytes(pack(rgb))


def pack(rgb: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(buffer, "PNG")
    return buffer.getvalue()


def smaller(ids: np.ndarray, path: Path) -> None:
    path.write_bytes(rgb_png(ids[1:, :-2]))


def turned(ids: np.ndarray, path: Path) -> None:
    path.write_bytes(rgb_png(np.ascontiguousarray(ids.T)))


def broken(ids: np.ndarray, path: Path) -> None:
    path.write_bytes(rgb_png(ids)[:60])


def empty(ids: np.ndarray, path: Path) -> None:
    path.write_bytes(b"")


def huge(ids: np.ndarray, path: Path) -> None:
    path.write_bytes(rgb_png(ids))
    os.truncate(path, 64_000_000)


def folder(ids: np.ndarray, path: Path) -> None:
    path.mkdir()


def pipe(ids: np.ndarray, path: Path) -> None:
    os.mkfifo(path)


def nowhere(ids: np.ndarray, path: Path) -> None:
    path.symlink_to("nothing")


def failing(ids: np.ndarray, path: Path) -> None:
    path.symlink_to("/proc/self/mem")


NONE = "not in the format of predictions (8-bit RGB PNG, id = R + 256·G, B = 0) (1): {name} "

BROKEN = {
    palette: NONE + "is not 8-bit RGB but has mode P",
    grey: NONE + "is not 8-bit RGB but has mode I;16",
    transparent: NONE + "is not 8-bit RGB but has mode RGBA",
    jpeg: NONE + "is not a readable PNG",
    bgr: NONE + "has blue pixels but no red ones: was it written as BGR?",
    blue: NONE + "has blue pixels\n",
    broken: NONE + "is not a readable PNG",
    empty: NONE + "is empty",
    folder: "unreadable predictions (1): {name}: Not a regular file",
    pipe: "unreadable predictions (1): {name}: Not a regular file",
    nowhere: "unreadable predictions (1): {name}: No such file or directory",
    huge: "unreadable predictions (1): {name}: File too large",
    failing: "unreadable predictions (1): {name}: Input/output error",
    smaller: "size differs from the image (1): {name} has {w2} × {h1} pixels, not {w} × {h}",
    turned: "size differs from the image (1): {name} has {h} × {w} pixels, not {w} × {h}",
}


@pytest.mark.parametrize("fault", BROKEN, ids=lambda fault: fault.__name__)
def test_a_broken_prediction_is_named(fault: Callable, truth50, predictions, tmp_path, capsys):
    name = next(n for n in NAMES if len(set(ids_at(truth50 / n).shape)) == 2)
    ids = np.where(ids_at(truth50 / name) == 1000, 0, ids_at(truth50 / name)).astype(np.uint16)
    (predictions / name).unlink()
    fault(ids, predictions / name)
    out = tmp_path / "m.json"
    assert evaluate(truth50, predictions, out) == 1
    height, width = ids.shape
    sizes = {"h": height, "w": width, "h1": height - 1, "w2": width - 2}
    text = capsys.readouterr().err
    assert BROKEN[fault].format(name=name, **sizes) in text
    assert "Nothing was scored" in text
    assert "Traceback" not in text
    assert [path.name for path in tmp_path.iterdir()] == ["predictions"]


def test_everything_that_is_wrong_is_reported_at_once(truth50, predictions, tmp_path, capsys):
    truth = linked_copy(truth50, tmp_path / "truth")
    missing, unknown, not_png, no_truth, not_a_mask, *rest = NAMES[::90]
    (predictions / missing).unlink()
    (truth / no_truth).unlink()
    replace(truth / unknown, rgb_png(np.full((9, 9), 77, np.uint16)))
    replace(predictions / not_png, b"\x89PNG")
    replace(truth / not_a_mask, b"none")
    (predictions / ".DS_Store").write_bytes(b"")
    (predictions / "n01443537" / "deeper").mkdir()
    for name in rest:
        replace(predictions / name, rgb_png(np.zeros((3, 4), np.uint16)))
    log = tmp_path / "log.txt"
    arguments = ["--truth", truth, "--predictions", predictions, "--out", tmp_path / "m.json"]
    assert main(["--log", str(log), "evaluate", "--subset", "50", *map(str, arguments)]) == 1
    text = capsys.readouterr().err
    assert f"missing predictions (1): {missing}\n" in text
    assert f"missing true masks (1): {no_truth}\n" in text
    assert "unexpected files (1): n01443537/deeper\n" in text
    assert "invalid true masks (2): " in text
    assert f"{unknown} has ids other than 0..50 and 1000: 77" in text
    assert f"{not_a_mask} is not a readable PNG" in text
    assert f"size differs from the image ({len(rest) + 1}): {unknown} has" in text
    assert f"The full list ({len(rest) + 7} lines) is in {log}" in text
    for name in rest:
        assert f"size differs from the image: {name} has 4 × 3 pixels" in log.read_text()


def test_without_a_log_the_terminal_lists_up_to_50_files(truth50, predictions, tmp_path, capsys):
    for name in NAMES[:40]:
        (predictions / name).unlink()
    assert evaluate(truth50, predictions, tmp_path / "m.json") == 1
    text = capsys.readouterr().err
    assert f"missing predictions (40): {'; '.join(NAMES[:3])}; …\n" in text
    assert all(f"\n  missing predictions: {name}\n" in text for name in NAMES[:40])
    for name in NAMES[40:80]:
        (predictions / name).unlink()
    assert evaluate(truth50, predictions, tmp_path / "m.json") == 1
    text = capsys.readouterr().err
    assert text.count("\n  missing predictions: ") == 50
    assert "… and 30 more: `imagenet-s --log FILE …` lists all" in text


@pytest.mark.parametrize("partial", [[], ["--partial"]])
def test_folders_without_common_images_are_reported_with_their_content(partial, truth50, tmp_path, capsys):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "notes.txt").write_text("x")
    assert evaluate(truth50, tmp_path / "elsewhere", tmp_path / "m.json", *partial) == 1
    text = capsys.readouterr().err
    assert "No image has both a true mask and a prediction" in text
    assert f"such as {NAMES[0]}" in text
    assert f"{tmp_path}/elsewhere contains: notes.txt" in text
    assert evaluate(truth50, tmp_path / "nowhere", tmp_path / "m.json", *partial) == 1
    assert f"There is no folder {tmp_path}/nowhere." in capsys.readouterr().err
