"""The train images that are not RGB or grey JPEGs."""

from imagenet_s.spec.odd_images import CMYK_IMAGES, PNG_IMAGE, odd_images
from imagenet_s.spec.splits import listed


def test_each_subset_has_some():
    assert len(set(CMYK_IMAGES)) == 22
    assert odd_images(50) == ["train/n02747177/n02747177_10752.JPEG"]
    assert [len(odd_images(subset)) for subset in (300, 919)] == [7, 20]
    assert f"train/n02105855/{PNG_IMAGE}.JPEG" in odd_images(919)


def test_none_is_in_train_semi():
    assert not {row.image for row in listed(919, "train-semi")} & {PNG_IMAGE, *CMYK_IMAGES}
