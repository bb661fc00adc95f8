"""Problems of files: one message that counts them by kind, and all names as details."""

import pytest

from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.problems import FileProblem, require_no_file


def test_problems_are_counted_by_kind_and_listed_in_full_if_there_are_more_than_three():
    require_no_file([], "x:", "y")
    with pytest.raises(UserError) as caught:
        require_no_file(
            [FileProblem("odd", "a"), FileProblem("lost", "b"), FileProblem("odd", "c\nd")], "x:", "y"
        )
    assert str(caught.value) == "x:\n- odd (2): a; 'c\\nd'\n- lost (1): b\ny"
    assert caught.value.details == ()
    with pytest.raises(UserError) as caught:
        require_no_file(
            [*(FileProblem("odd", str(i)) for i in range(4)), FileProblem("lost", "b")], "x:", "y"
        )
    assert str(caught.value) == "x:\n- odd (4): 0; 1; 2; …\n- lost (1): b\ny"
    assert caught.value.details == ("odd: 0", "odd: 1", "odd: 2", "odd: 3", "lost: b")
