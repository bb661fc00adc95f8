"""The summary of a build, character by character."""

from pathlib import Path

from imagenet_s.dataset.summary import write_summary
from imagenet_s.io.atomic import read_json, write_json


def dataset_json(folder: Path, subset: int, synthetic=False, odd_masks=0, **train) -> Path:
    splits = {
        "train": {"expected": 64431, "found": 64431, "masks": None, "bytes": 7_012_345_678} | train,
        "validation": {"expected": 752, "found": 752, "masks": 752, "bytes": 1_999},
    }
    for facts in splits.values():
        facts.setdefault("unreadable_headers", 0)
    content = {"dataset": f"ImageNetS{subset}", "digest": "ab" * 32, "splits": splits, "odd_masks": odd_masks}
    content["subset"] = subset
    content["manifests"] = {"train.csv": "c0" * 32, "validation.csv": "d1" * 32}
    source = {"path": "/data/imagenet", "layout": "Kaggle", "synthetic": synthetic}
    path = folder / f"ImageNetS{subset}" / "dataset.json"
    write_json(path, {"content": content, "build": {"source": source, "link": "copy"}})
    return path


def summary_of(folder: Path, *datasets: Path) -> str:
    write_summary(datasets, folder / "summary.txt")
    return (folder / "summary.txt").read_text(encoding="utf-8")


def test_the_summary_character_by_character(tmp_path):
    folder = tmp_path / "ImageNetS50"
    assert summary_of(tmp_path, dataset_json(tmp_path, 50)) == (
        "subset       split       expected   found  masks    size        digest\n"
        "ImageNetS50  train         64,431  64,431      –  7.0 GB  c0c0c0c0c0c0\n"
        "ImageNetS50  validation       752     752    752  2.0 kB  d1d1d1d1d1d1\n"
        "ImageNetS50  total         65,183  65,183    752  7.0 GB  abababababab\n"
        "\n"
        f"{folder}\n"
        f"  digest  {'ab' * 32}\n"
        "  from    /data/imagenet (Kaggle; link: copy)\n"
        f"  check   cd {folder} && sha256sum -c --quiet manifests/*.sha256\n"
        "  note    digest not in the registry, which has no ImageNetS50 of the original\n"
        "          ImageNet yet; docs/digests.md says how to add yours\n"
        "\n"
        "Next\n"
        f"  verify  imagenet-s verify {tmp_path}\n"
        "  score   snakemake --cores all evaluate (docs/benchmark.md)\n"
        f"  use     {folder}/README.md (docs/use.md)\n"
    )


def notes(text: str) -> list[str]:
    """The notes of a summary, each in one line."""
    joined = text.replace("\n" + " " * 10, " ")
    return [line.removeprefix("  note    ") for line in joined.splitlines() if line.startswith("  note")]


def test_the_summary_names_deviations_and_marks_a_train_that_is_not_the_official_one(tmp_path):
    paths = [
        dataset_json(tmp_path, 50, odd_masks=1234, found=64430, unreadable_headers=2),
        dataset_json(tmp_path, 300, synthetic=True),
    ]
    text = summary_of(tmp_path, *paths)
    assert notes(text) == [
        "2 images whose size Pillow cannot read (kept as they are)",
        "* train is not the official set: `train_images: any` uses what the source has",
        "1,234 annotated masks have problems (see the log of `masks`)",
    ]
    assert "ImageNetS50   train         64,431  64,430*      –" in text
    assert "ImageNetS300  train         64,431   64,431      –" in text
    assert text.count("  digest  ") == 2
    assert "\nThis is SYNTHETIC data with the official names: it is not ImageNet.\n" in text


def test_lines_fit_a_terminal_unless_a_path_or_a_command_is_longer(tmp_path):
    path = dataset_json(tmp_path, 919, expected=1_183_322, found=1_183_321, bytes=142_000_000_000)
    stated = read_json(path)
    stated["build"]["source"]["alterations"] = [{"kind": "resized", "images": 21_000, "of": 21_609}]
    write_json(path, stated)
    text = summary_of(tmp_path, path)
    long = [line for line in text.splitlines() if len(line) > 80]
    assert [line.split()[0] for line in long if str(tmp_path) not in line] == []
    assert text.splitlines()[1] == (
        "ImageNetS919  train       1,183,322  1,183,321*      –  142 GB  c0c0c0c0c0c0"
    )


def test_a_folder_with_a_space_is_quoted_in_commands(tmp_path):
    text = summary_of(tmp_path, dataset_json(tmp_path / "my data", 50))
    assert f"  check   cd '{tmp_path}/my data/ImageNetS50' && sha256sum" in text
    assert f"  verify  imagenet-s verify '{tmp_path}/my data'\n" in text
