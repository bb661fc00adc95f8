"""The project's tables say exactly what the official lists say, and what follows from them."""

import hashlib
from itertools import chain

import pytest

from imagenet_s.spec.classes import class_ids, class_names, merges, tier_classes, train_classes
from imagenet_s.spec.official_lists import official_lists
from imagenet_s.spec.shards import part_classes, part_val_images, subset_parts, tier_of, tier_parts, tiers
from imagenet_s.spec.splits import also_in, listed, tier_val_images
from imagenet_s.spec.subsets import SUBSETS, subset_of
from imagenet_s.spec.tables import FOLDER

RELEASE = "https://github.com/LUSSeg/ImageNet-S/releases/download/ImageNet-S/"

# Written down from the official lists (commit b2312ba), not from our tables.
DIGESTS = {
    "categories/ImageNetS_categories_im50.txt": (
        "cba1701f5d94bf0dfbb40f2d529daab362dff552b9bfcea4bcdddbb5fcf762ad"
    ),
    "categories/ImageNetS_categories_im919.txt": (
        "b2ee89cf2d5def583dcea806b8cc99def3d9bb7355ae981fc4c986c6d8dec1da"
    ),
    "class_names.csv": "f8a2e87efb3131a99d27202386d0663df56e1989a3979a00075203d49cee425f",
    "mapping/ImageNetS_im300_mapping_validation.txt": (
        "d887652204f140a57775740f000ea7660f7e34a458d7bcfcf9b3898501351482"
    ),
    "mapping/ImageNetS_im919_mapping_test.txt": (
        "b2e60b72dafe47c71ba3d912d912dce5d4b612aae60ee6dfbdd95d780133dd61"
    ),
    "names/ImageNetS_im50_validation.txt": (
        "683614c6dd07d508e26862b24b3bcffccb919e50ee1ad1d14eb0e809ba8ee979"
    ),
    "names/ImageNetSemi_im919_train.txt": (
        "d8a33edfeda5ea6a302fbf5bfc41735dc6b8f3d525a7dfc09bc5cb39d6ec44db"
    ),
}
# `sha256sum` of lists.sha256 itself: it pins the other nine, too.
DIGEST_OF_DIGESTS = "f2983f41c5d8b3eb924c70c6a9d2b970378f5867cad083e7e86ae7f95a0a4023"

TEST_50_IN_VALIDATION_919 = {
    "ILSVRC2012_val_00002363": "919/validation",
    "ILSVRC2012_val_00015323": "300/validation 919/validation",
    "ILSVRC2012_val_00024124": "919/validation",
    "ILSVRC2012_val_00024939": "919/validation",
}


def names(subset: int, split: str) -> set[str]:
    return {row.image for row in listed(subset, split)}


@pytest.fixture(scope="module")
def regenerated() -> dict[str, str]:
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in official_lists().items()}


def test_regenerated_lists_have_the_digests_of_the_official_ones(regenerated):
    data = (FOLDER / "lists.sha256").read_bytes()
    assert hashlib.sha256(data).hexdigest() == DIGEST_OF_DIGESTS
    lines = (line.split("  ") for line in data.decode().splitlines())
    assert regenerated == {name: digest for digest, name in lines}
    assert len(regenerated) == 16


def test_regenerated_lists_have_the_digests_written_down_here(regenerated):
    assert {name: regenerated[name] for name in DIGESTS} == DIGESTS


@pytest.mark.parametrize(
    ("subset", "train", "train_semi", "validation", "test"),
    [
        (50, 64_431, 500, 752, 1_682),
        (300, 384_862, 3_000, 4_097, 9_088),
        (919, 1_183_322, 9_190, 12_419, 27_423),
    ],
)
def test_each_subset_has_the_published_numbers(subset, train, train_semi, validation, test):
    assert subset_of(subset).train_images == train
    assert len(class_ids(subset)) == subset
    assert len(listed(subset, "train-semi")) == len(names(subset, "train-semi")) == train_semi
    assert len(listed(subset, "validation")) == len(names(subset, "validation")) == validation
    assert len(listed(subset, "test")) == len(names(subset, "test")) == test


@pytest.mark.parametrize("subset", SUBSETS)
def test_class_id_i_is_line_i_of_the_sorted_categories(subset):
    wnids = list(class_ids(subset))
    assert list(class_ids(subset).values()) == list(range(1, subset + 1))
    assert wnids == sorted(wnids)
    assert official_lists()[f"categories/ImageNetS_categories_im{subset}.txt"].split("\n") == wnids


def test_the_same_wnid_has_other_ids_in_other_subsets():
    assert [class_ids(subset)["n04612504"] for subset in SUBSETS] == [46, 275, 850]


def test_crane_is_the_one_name_of_two_classes():
    assert [wnid for wnid, name in class_names().items() if name == "crane"] == ["n02012849", "n03126707"]
    assert len(class_names()) == 919
    assert len(set(class_names().values())) == 918


@pytest.mark.parametrize("subset", SUBSETS)
def test_train_semi_is_ten_train_images_a_class(subset):
    wnids = [row.wnid for row in listed(subset, "train-semi")]
    assert {wnid: wnids.count(wnid) for wnid in class_ids(subset)} == dict.fromkeys(class_ids(subset), 10)
    assert len(wnids) == 10 * subset
    for row in listed(subset, "train-semi"):
        assert train_classes(subset)[row.imagenet_wnid] == row.wnid
        assert row.image.startswith(f"{row.imagenet_wnid}_")


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


def test_twenty_train_semi_images_of_919_come_from_merged_classes():
    assert sum(row.imagenet_wnid in merges() for row in listed(919, "train-semi")) == 20


def test_thirteen_percent_of_the_val_images_go_to_another_folder():
    used = {row for subset in SUBSETS for split in ("validation", "test") for row in listed(subset, split)}
    moved = [row for row in used if row.wnid != row.imagenet_wnid]
    assert (len(used), len(moved)) == (39_842, 5_223)
    assert round(100 * len(moved) / len(used), 1) == 13.1
    assert sum(merges().get(row.imagenet_wnid) == row.wnid for row in moved) == 84


@pytest.mark.parametrize(
    ("subset", "split", "classes"),
    [(50, "validation", 138), (50, "test", 205), (919, "validation", 985), (919, "test", 991)],
)
def test_val_images_come_from_many_more_classes_than_the_subset_has(subset, split, classes):
    assert len({row.imagenet_wnid for row in listed(subset, split)}) == classes


@pytest.mark.parametrize(("small", "large"), [(50, 300), (300, 919)])
def test_classes_train_semi_and_validation_nest(small, large):
    assert set(class_ids(small)) < set(class_ids(large))
    assert set(listed(small, "train-semi")) < set(listed(large, "train-semi"))
    assert set(listed(small, "validation")) < set(listed(large, "validation"))


@pytest.mark.parametrize(("subset", "filtered"), [(50, 757), (300, 4_119)])
def test_validation_is_not_the_validation_of_919_filtered_by_class(subset, filtered):
    assert sum(row.wnid in class_ids(subset) for row in listed(919, "validation")) == filtered


def test_test_does_not_nest():
    assert names(50, "test") - names(919, "test") == set(TEST_50_IN_VALIDATION_919)
    assert len(names(300, "test") - names(919, "test")) == 19
    assert names(50, "test") & names(300, "validation") == {"ILSVRC2012_val_00015323"}


@pytest.mark.parametrize("subset", SUBSETS)
def test_validation_and_test_of_a_subset_share_no_image(subset):
    assert not names(subset, "validation") & names(subset, "test")


def test_also_in_tells_the_leaks_into_the_validation_of_larger_subsets():
    assert also_in(50, "test") == TEST_50_IN_VALIDATION_919
    leaked = names(300, "test") & names(919, "validation")
    assert len(leaked) == 19
    assert also_in(300, "test") == dict.fromkeys(leaked, "919/validation")


def test_also_in_tells_the_same_from_the_other_side():
    assert also_in(300, "validation") == {"ILSVRC2012_val_00015323": "50/test"}
    expected = {}
    for subset in (300, 50):  # "300/test" sorts before "50/test"
        for image in names(subset, "test") & names(919, "validation"):
            expected.setdefault(image, []).append(f"{subset}/test")
    assert also_in(919, "validation") == {image: " ".join(splits) for image, splits in expected.items()}
    assert "300/test 50/test" in also_in(919, "validation").values()


@pytest.mark.parametrize(
    ("subset", "split"),
    [(50, "validation"), (919, "test"), *((subset, "train-semi") for subset in SUBSETS)],
)
def test_also_in_is_empty_where_nothing_leaks(subset, split):
    assert also_in(subset, split) == {}


@pytest.mark.parametrize(
    ("subset", "md5"),
    [
        (50, "a0fe9d82231f9bc4787ee76e304dfa51"),
        (300, "dd8e42e156bac415a35c3c239de297bf"),
        (919, "5f7f58ae1003d21da9409a8576bf7680"),
    ],
)
def test_archives_have_the_official_address_and_md5(subset, md5):
    facts = subset_of(subset)
    assert facts.archive_md5 == md5
    assert facts.archive_name == f"ImageNetS{subset}-{md5}.zip"
    assert facts.archive_url == f"{RELEASE}ImageNetS{subset}-{md5}.zip"


def test_tiers_are_what_each_subset_adds():
    assert {tier: len(tier_classes(tier)) for tier in SUBSETS} == {50: 50, 300: 250, 919: 624}
    assert set(tier_classes(50)) == set(class_ids(50))
    assert set(tier_classes(300)) == set(class_ids(300)) - set(class_ids(50))
    assert set(tier_classes(919)) == set(class_ids(919)) - set(class_ids(300)) | set(merges())
    assert [tiers([subset]) for subset in SUBSETS] == [[50], [50, 300], [50, 300, 919]]
    assert tiers([300, 50]) == [50, 300]


@pytest.mark.parametrize("subset", SUBSETS)
def test_a_subset_is_exactly_the_union_of_its_parts(subset):
    classes = list(chain.from_iterable(map(part_classes, subset_parts(subset))))
    images = list(chain.from_iterable(map(part_val_images, subset_parts(subset))))
    assert sorted(classes) == list(train_classes(subset))  # each once
    assert len(images) == len(set(images))
    smaller = (s for s in SUBSETS if s <= subset)
    assert set(images) == {x for s in smaller for split in ("validation", "test") for x in names(s, split)}


@pytest.mark.parametrize("tier", SUBSETS)
def test_the_parts_of_a_tier_partition_it_and_none_is_empty(tier):
    parts = tier_parts(tier)
    assert len(parts) == len(set(parts))
    assert {tier_of(part) for part in parts} == {tier}
    assert sorted(chain.from_iterable(map(part_classes, parts))) == list(tier_classes(tier))
    images = chain.from_iterable(map(part_val_images, parts))
    assert sorted(images) == [row.image for row in tier_val_images(tier)]
    for part in parts:
        # A part is of train or of val, never of both.
        assert bool(part_classes(part)) == part.startswith("train-")
        assert bool(part_val_images(part)) == part.startswith("val-")


def test_a_larger_subset_adds_parts_and_changes_none():
    assert subset_parts(300)[: len(subset_parts(50))] == subset_parts(50)
    assert subset_parts(919)[: len(subset_parts(300))] == subset_parts(300)
    assert len(subset_parts(919)) < 100  # tens of jobs in all
