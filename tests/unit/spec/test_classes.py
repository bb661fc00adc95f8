"""Classes: ids, names, merges, and the classes that each tier adds."""

import pytest

from imagenet_s.spec.classes import class_ids, class_names, merges, train_classes, unique_names
from imagenet_s.spec.subsets import SUBSETS


def test_a_wnid_has_different_ids_in_different_subsets():
    assert [class_ids(subset)["n04612504"] for subset in SUBSETS] == [46, 275, 850]


def test_crane_is_the_only_name_of_two_classes():
    assert [wnid for wnid, name in class_names().items() if name == "crane"] == ["n02012849", "n03126707"]
    assert len(class_names()) == 919
    assert len(set(class_names().values())) == 918


@pytest.mark.parametrize("subset", SUBSETS)
def test_unique_names_differ_from_display_names_only_for_cranes(subset):
    names = unique_names(subset)
    assert list(names) == list(class_ids(subset))
    assert len(set(names.values())) == subset
    differing = {wnid: name for wnid, name in names.items() if name != class_names()[wnid]}
    cranes = {"n02012849": "crane (n02012849)", "n03126707": "crane (n03126707)"}
    assert differing == (cranes if subset == 919 else {})


def test_919_merges_five_classes_into_others():
    assert merges() == {
        "n04356056": "n04355933",
        "n04493381": "n02808440",
        "n03642806": "n03832673",
        "n04008634": "n03773504",
        "n03887697": "n15075141",
    }
    assert len(train_classes(919)) == 924
    assert {wnid: train_classes(919)[wnid] for wnid in merges()} == merges()
    assert not set(merges()) & set(class_ids(919))


@pytest.mark.parametrize("subset", [50, 300])
def test_none_of_the_merged_classes_is_in_the_smaller_subsets(subset):
    ten = {*merges(), *merges().values()}
    assert len(ten) == 10
    assert not ten & set(class_ids(subset))
    assert train_classes(subset) == {wnid: wnid for wnid in class_ids(subset)}
