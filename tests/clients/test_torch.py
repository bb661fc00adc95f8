"""PyTorch: the data set in torchvision's conventions, with transforms and a loader."""

import pickle

import numpy as np
import pytest

from clients.truth import COUNTS, MASKED, SPLITS, pixels_digest, same_picture, samples, wnids
from helpers.checks import without_manifests
from helpers.damages import own_copy
from imagenet_s.runtime.errors import UserError
from imagenet_s.spec.classes import class_names

torch = pytest.importorskip("torch")
tv_tensors = pytest.importorskip("torchvision.tv_tensors")
v2 = pytest.importorskip("torchvision.transforms.v2")
ImageFolder = pytest.importorskip("torchvision.datasets").ImageFolder
DataLoader = pytest.importorskip("torch.utils.data").DataLoader
ImageNetS = pytest.importorskip("imagenet_s.torch").ImageNetS

SIDE = 32  # of the images of a batch, in pixels
TRAINING = v2.Compose(
    [
        v2.ToImage(),
        v2.RandomRotation(10, fill={tv_tensors.Mask: 1000, "others": 0}),
        v2.RandomResizedCrop(SIDE, antialias=True),
        v2.RandomHorizontalFlip(),
        v2.ToDtype({tv_tensors.Image: torch.float32, "others": None}, scale=True),
        v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ]
)


@pytest.mark.parametrize("split", MASKED)
def test_each_sample_is_that_of_the_manifest(tree50, split):
    data = ImageNetS(tree50, split=split, target=("class", "mask"))
    expected = samples(tree50, split)
    assert len(data) == len(expected)
    for (image, (label, mask)), sample in zip(data, expected, strict=True):
        assert image.mode == "RGB"
        assert same_picture(image, tree50 / sample.image)
        assert label == sample.label
        assert isinstance(mask, tv_tensors.Mask)
        assert mask.dtype == torch.int64
        assert pixels_digest(mask.numpy().astype(np.uint16)) == sample.mask_pixels
        assert mask.unique().tolist() == sample.mask_ids


@pytest.mark.parametrize("split", SPLITS)
def test_labels_and_classes_are_those_of_image_folder(tree50, split):
    data, folder = ImageNetS(tree50, split=split, target="class"), ImageFolder(tree50 / split)
    assert len(data) == COUNTS[split]
    assert data.classes == folder.classes == wnids(tree50)
    assert data.class_to_idx == folder.class_to_idx
    assert data.targets == folder.targets
    assert data.class_names == [class_names()[wnid] for wnid in data.classes]
    for index in (0, len(data) // 2, -1):
        (image, label), (other, of_folder) = data[index], folder[range(len(folder))[index]]
        assert label == of_folder
        assert image.tobytes() == other.tobytes()


def test_the_root_may_be_the_output_and_a_copy_without_manifests(tree50, tmp_path):
    expected = ImageNetS(tree50, target="class")
    foreign = without_manifests(own_copy(tree50, tmp_path / "mine"))
    for root in (tree50.parent, str(tree50), foreign):
        data = ImageNetS(root, subset=50, split="validation")
        assert data.targets == expected.targets
        assert torch.equal(data[7][1], ImageNetS(tree50)[7][1])


def test_transforms_in_the_three_ways_of_torchvision(tree50):
    plain = ImageNetS(tree50)
    apart = ImageNetS(tree50, transform=v2.ToImage(), target_transform=lambda mask: mask.clamp(max=51))
    assert torch.equal(apart[0][0], v2.functional.to_image(plain[0][0]))
    assert torch.equal(apart[0][1], plain[0][1].clamp(max=51))
    together = ImageNetS(tree50, transforms=v2.RandomHorizontalFlip(p=1))
    image, mask = together[3]
    assert np.array_equal(np.asarray(image), np.asarray(plain[3][0])[:, ::-1])
    assert torch.equal(mask, plain[3][1].flip(1))
    with pytest.raises(ValueError, match="Only transforms or transform/target_transform"):
        ImageNetS(tree50, transform=v2.ToImage(), transforms=v2.ToImage())


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_a_loader_with_workers_gives_batches_that_a_loss_accepts(tree50, context):
    data = ImageNetS(tree50, transforms=TRAINING, target=("class", "mask"))
    loader = DataLoader(data, batch_size=64, num_workers=2, multiprocessing_context=context)
    labels = []
    for images, (label, masks) in loader:
        assert images.shape[1:] == (3, SIDE, SIDE)
        assert images.dtype == torch.float32
        assert masks.shape == (len(images), SIDE, SIDE)
        ids = set(masks.unique().tolist())
        assert ids <= {*range(51), 1000}
        logits = torch.zeros(len(images), 51, SIDE, SIDE)
        loss = torch.nn.functional.cross_entropy(logits, masks, ignore_index=ImageNetS.ignore_index)
        assert loss.item() == pytest.approx(np.log(51), abs=1e-4)
        labels += label.tolist()
    assert labels == data.targets


def test_it_can_be_pickled(tree50):
    data = ImageNetS(tree50, split="train-semi", transforms=TRAINING)
    copy = pickle.loads(pickle.dumps(data))
    assert (len(copy), copy.targets, copy.split) == (500, data.targets, "train-semi")
    torch.manual_seed(0)
    image, mask = data[5]
    torch.manual_seed(0)
    image_of_copy, mask_of_copy = copy[5]
    assert torch.equal(image_of_copy, image)
    assert torch.equal(mask_of_copy, mask)


def test_its_text_says_what_it_is(tree50):
    assert repr(ImageNetS(tree50)) == (
        "Dataset ImageNetS\n    Number of datapoints: 752\n"
        f"    Root location: {tree50}\n    Subset: 50\n    Split: validation\n    Target: mask"
    )


def test_mistakes_are_answered_when_the_data_set_is_opened(tree50, tmp_path):
    for split in ("train", "test"):
        with pytest.raises(ValueError, match=f"^{COUNTS[split]:,} of {COUNTS[split]:,} images in {split} of"):
            ImageNetS(tree50, split=split)
    with pytest.raises(ValueError, match="has no split 'val'"):
        ImageNetS(tree50, split="val")
    for target in ("masks", (), ("class", "box"), ["class", "mask"], None):
        with pytest.raises(ValueError, match=r"^Expected a target 'mask', 'class' or \('class', 'mask'\);"):
            ImageNetS(tree50, target=target)
    for subset in (51, "50", None):
        with pytest.raises(ValueError, match=f"^Expected a subset of 50, 300, 919; found {subset!r}\\.$"):
            ImageNetS(tree50, subset=subset)
    with pytest.raises(TypeError, match="'slice' object cannot be interpreted as an integer"):
        ImageNetS(tree50)[:2]
    with pytest.raises(UserError, match=r"holds no copy of ImageNetS300\. It holds ImageNetS50\.$"):
        ImageNetS(tree50, subset=300)
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        ImageNetS(tmp_path / "x")
    foreign = without_manifests(own_copy(tree50, tmp_path / "mine"))
    (foreign / samples(tree50, "validation")[0].mask).unlink()
    with pytest.raises(ValueError, match=r"^1 of 752 images in validation of ImageNetS50 have no mask\. "):
        ImageNetS(foreign)
    assert len(ImageNetS(foreign, target="class")) == 752
    with pytest.raises(IndexError):
        ImageNetS(tree50)[752]
