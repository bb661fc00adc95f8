"""Whether true masks use the class ids of the subset."""

import pytest

from imagenet_s.benchmark.scoring.pairs import require_own_classes
from imagenet_s.runtime.errors import UserError


@pytest.mark.parametrize(("right", "refused"), [(10, False), (5, False), (4, True), (0, True)])
def test_masks_are_refused_if_fewer_than_half_contain_the_class_of_their_folder(right, refused, tmp_path):
    own = {f"n01443537/{i}.png": i < right for i in range(10)} | {
        f"elsewhere/{i}.png": False for i in range(50)
    }
    if refused:
        text = f"only {right} of 10 true masks contain the class of their folder"
        with pytest.raises(UserError, match=text):
            require_own_classes(50, tmp_path, own)
    else:
        require_own_classes(50, tmp_path, own)


def test_a_few_masks_are_not_enough_to_refuse(tmp_path):
    few = {f"n01443537/{i}.png": False for i in range(9)}
    require_own_classes(50, tmp_path, few)
    with pytest.raises(UserError, match="only 0 of 10 true masks contain the class of their folder"):
        require_own_classes(50, tmp_path, few | {"n01443537/9.png": False})


def test_masks_in_other_folders_do_not_count(tmp_path):
    require_own_classes(50, tmp_path, {"elsewhere/1.png": False})
