"""The protocols of the benchmark: which test images other subsets use for validation."""

from imagenet_s.spec.protocols import leak


def test_test_images_in_the_validation_set_of_a_larger_subset_are_counted():
    assert "4 in that of ImageNetS919" in leak(50)
    assert "1 in that of ImageNetS300, " in leak(50)
    assert "19 in that of ImageNetS919" in leak(300)
    assert "ImageNetS300," not in leak(300)
    assert leak(919) == ""
