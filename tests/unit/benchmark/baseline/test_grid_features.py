"""The example features: their values, and their shapes for images of any size and mode."""

import numpy as np
from PIL import Image

from imagenet_s.benchmark.baseline.grid_features import CELLS, CHANNELS, LEVELS, grid_features
from imagenet_s.cli.main import main


def test_grid_features_are_the_shares_of_levels_and_the_edges_of_cells():
    picture = np.zeros((20, 17, 3), np.uint8)
    picture[:8, :8] = (255, 0, 0)
    found = grid_features(picture)
    assert found.shape == (CHANNELS, 2, 2)  # cells of 8 pixels; 4 rows and a column are left over
    assert found.dtype == np.float16
    red = found[:LEVELS]
    assert red[:, 0, 0].tolist() == [0, 0, 0, 0, 0, 0, 0, 1]
    assert red[:, 1, 1].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]
    assert (found[LEVELS : 3 * LEVELS].reshape(2, LEVELS, 4)[:, 0] == 1).all()
    edges = found[3 * LEVELS :]
    assert edges[:, 0, 0].max() > 0
    assert (edges[:, 1, 1] == 0).all()
    # The edge between the upper cells runs down: brightness changes across, direction 0.
    assert edges[:, 0, 1].argmax() == 0
    assert edges[:, 1, 0].argmax() == 4


def test_grid_features_of_any_image_have_the_same_grid_along_the_longer_side(tmp_path, capsys):
    (tmp_path / "images" / "n01443537").mkdir(parents=True)
    sizes = {"tall": (30, 200), "wide": (999, 4), "grey": (64, 64), "cmyk": (64, 48), "round": (640, 397)}
    modes = {"grey": "L", "cmyk": "CMYK"}
    for name, size in sizes.items():
        Image.new(modes.get(name, "RGB"), size).save(tmp_path / "images/n01443537" / f"{name}.JPEG", "JPEG")
    out = tmp_path / "out"
    assert main(["grid-features", "--images", str(tmp_path / "images"), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"Wrote features of 5 images, of shape ({CHANNELS}, h, w), to {out}\n"
    shapes = {name: np.load(out / "n01443537" / f"{name}.npy").shape[1:] for name in sizes}
    assert shapes == {
        "tall": (CELLS, 1),
        "wide": (1, CELLS),
        "grey": (CELLS, CELLS),
        "cmyk": (9, CELLS),
        "round": (7, CELLS),
    }
    (tmp_path / "images/n01443537/broken.JPEG").write_bytes(b"no image")
    assert main(["grid-features", "--images", str(tmp_path / "images"), "--out", str(out)]) == 1
    assert f"unreadable images (1): {tmp_path}/images/n01443537/broken.JPEG" in capsys.readouterr().err
    assert main(["grid-features", "--images", str(tmp_path / "out.json"), "--out", str(out)]) == 1
    assert f"{tmp_path}/out.json is not a folder." in capsys.readouterr().err
