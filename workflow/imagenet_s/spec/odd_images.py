"""The train images of ImageNet-1k that are not RGB or grey JPEGs, whatever their names say.

Source: github.com/cytsai/ilsvrc-cmyk-image-list. Copies made with TensorFlow Datasets hold RGB JPEGs instead.
"""

from imagenet_s.spec.classes import train_classes

PNG_IMAGE = "n02105855_2933"
CMYK_IMAGES = (
    "n01739381_1309",
    "n02077923_14822",
    "n02447366_23489",
    "n02492035_15739",
    "n02747177_10752",
    "n03018349_4028",
    "n03062245_4620",
    "n03347037_9675",
    "n03467068_12171",
    "n03529860_11437",
    "n03544143_17228",
    "n03633091_5218",
    "n03710637_5125",
    "n03961711_5286",
    "n04033995_2932",
    "n04258138_17003",
    "n04264628_27969",
    "n04336792_7448",
    "n04371774_5854",
    "n04596742_4225",
    "n07583066_647",
    "n13037406_4650",
)


def odd_images(subset: int) -> list[str]:
    """Return the paths of these images in the subset's folder. They are in train only."""
    wnid_of = train_classes(subset)
    names = [name for name in (PNG_IMAGE, *CMYK_IMAGES) if name.partition("_")[0] in wnid_of]
    return sorted(f"train/{wnid_of[name.partition('_')[0]]}/{name}.JPEG" for name in names)
