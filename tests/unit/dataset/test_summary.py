"""The summary of a build, character by character."""

from pathlib import Path

from imagenet_s.dataset.summary import write_summary
from imagenet_s.io.atomic import write_json


def dataset_json(folder: Path, subset: int, synthetic=False, odd_masks=0, **train) -> Path:
    splits = {
        "train": {"expected": 64431, "found": 64431, "masks": None, "bytes": 7_012_345_678} | train,
        "validation": {"expected": 752, "found": 752, "masks": 752, "bytes": 1_999},
    }
    for facts in splits.values():
        facts.setdefault("unreadable_headers", 0)
    content = {"dataset": f"ImageNetS{subset}", "digest": "ab" * 32, "splits": splits, "odd_masks": odd_masks}
    content["manifests"] = {"train.csv": "c0" * 32, "validation.csv": "d1" * 32}
    source = {"path": "/data/imagenet", "layout": "Kaggle", "synthetic": synthetic}
    path = folder / f"ImageNetS{subset}" / "dataset.json"
    write_json(path, {"content": content, "build": {"source": source, "link": "copy"}})
    return path


def test_the_summary_character_by_character(tmp_path):
    write_summary([dataset_json(tmp_path, 50)], tmp_path / "summary.txt")
    folder = tmp_path / "ImageNetS50"
    assert (tmp_path / "summary.txt").read_text(encoding="utf-8") == (
        "subset       split       expected   found  masks          bytes        digest\n"
        "ImageNetS50  train         64,431  64,431      –  7,012,345,678  c0c0c0c0c0c0\n"
        "ImageNetS50  validation       752     752    752          1,999  d1d1d1d1d1d1\n"
        "\n"
        f"{folder}\n"
        f"  digest  {'ab' * 32}\n"
        "  from    /data/imagenet (Kaggle; link: copy)\n"
        f"  check   cd {folder} && sha256sum -c --quiet manifests/*.sha256\n"
    )


def test_the_summary_names_deviations(tmp_path):
    paths = [
        dataset_json(tmp_path, 50, odd_masks=1234, found=64430, unreadable_headers=2),
        dataset_json(tmp_path, 300, synthetic=True),
    ]
    write_summary(paths, tmp_path / "summary.txt")
    lines = (tmp_path / "summary.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if "note" in line] == [
        "  note    2 images whose size Pillow cannot read (kept as they are)",
        "  note    train is not the official set: `train_images: any` uses what the source has",
        "  note    1,234 annotated masks have problems (see the log of `masks`)",
    ]
    assert sum(line.startswith("  digest") for line in lines) == 2
    assert lines[-2].startswith("This is SYNTHETIC data with the official names")
