"""ImageNet-S as a data set of torchvision: `pip install 'imagenet-s[torch]'`."""

from collections.abc import Callable
from operator import index as as_index
from os import PathLike
from os.path import expanduser
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from imagenet_s.api.images import read_image
from imagenet_s.api.masks import read_mask
from imagenet_s.copies.copy import open_copy
from imagenet_s.copies.samples import samples
from imagenet_s.io.columns import texts
from imagenet_s.spec.classes import IGNORE, class_ids, class_names
from imagenet_s.spec.subsets import checked_subset

try:
    import torch
    from torchvision.datasets import VisionDataset
    from torchvision.tv_tensors import Mask
except ImportError as error:
    raise ImportError(
        f"imagenet_s.torch needs torch and torchvision ({error}). Run: pip install 'imagenet-s[torch]'"
    ) from error

TargetKind = Literal["mask", "class"]


class ImageNetS(VisionDataset):
    """A split of ImageNet-S, in torchvision's conventions.

    A sample is `(image, target)`. The image is a PIL image in RGB. The target is what `target` names:

    - `"mask"`: a `tv_tensors.Mask`, (height, width), int64, which is what `cross_entropy` and the transforms
      of torchvision v2 take. 0 is other and 1 to 50 (or 300, 919) are the classes, so a model has one output
      more than there are classes. 1000 is ignore: `cross_entropy(…, ignore_index=ImageNetS.ignore_index)`.
    - `"class"`: the label, from 0: the class id less 1.
    - a tuple of these: a tuple of both.

    Attributes:
        classes: The wnid of each label. Names of classes are not unique.
        class_to_idx: The label of each wnid.
        class_names: The readable name of each label.
        targets: The label of each sample.
    """

    ignore_index: ClassVar[int] = IGNORE

    def __init__(
        self,
        root: str | PathLike[str],
        subset: int = 50,
        split: str = "validation",
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        transforms: Callable[[Any, Any], tuple[Any, Any]] | None = None,
        target: TargetKind | tuple[TargetKind, ...] = "mask",
    ):
        """Open a split.

        Args:
            root: The folder that holds `ImageNetS50` and the others, or that folder itself.
            subset: 50, 300 or 919.
            split: train, train-semi, validation or test.
            transform: Applied to the image.
            target_transform: Applied to the target.
            transforms: Applied to the image and the target together, such as transforms of torchvision v2.
                Give fill values for masks where a transform pads: `fill={tv_tensors.Mask: 1000}`.
            target: What the target is: "mask", "class" or a tuple of them.

        Raises:
            UserError: There is no such copy or split, or its manifest is damaged.
            ValueError: Another target, or masks of a split that has none.
        """
        super().__init__(str(root), transforms, transform, target_transform)
        kinds = target if isinstance(target, tuple) else (target,)
        if not kinds or not all(kind in ("mask", "class") for kind in kinds):
            raise ValueError(f"Expected a target 'mask', 'class' or ('class', 'mask'); found {target!r}.")
        copy = open_copy(Path(expanduser(root)), checked_subset(subset))
        table = samples(copy, split).combine_chunks()
        missing = table["mask"].null_count
        if "mask" in kinds and missing:
            raise ValueError(
                f"{missing:,} of {len(table):,} images in {split} of {copy.name} have no mask. "
                "Only train-semi and validation have public masks; with target='class' none is needed."
            )
        self.subset, self.split, self.target = subset, split, target
        ids = class_ids(subset)
        self.classes = list(ids)
        self.class_to_idx = {wnid: number - 1 for wnid, number in ids.items()}
        self.class_names = [class_names()[wnid] for wnid in ids]
        self.targets = [self.class_to_idx[wnid] for wnid in texts(table["wnid"])]
        # As Arrow: workers that are forked share it, while counting references copies the memory of a list.
        self._folder, self._files = copy.root, table.select(["image", "mask"])

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        index = as_index(index)  # Arrow would take a slice
        image: Any = read_image(self._path("image", index), "RGB")
        if isinstance(self.target, tuple):
            target: Any = tuple(self._target(kind, index) for kind in self.target)
        else:
            target = self._target(self.target, index)
        if self.transforms is not None:
            image, target = self.transforms(image, target)
        return image, target

    def extra_repr(self) -> str:
        """Return the lines that torchvision adds to the text of the data set."""
        return f"Subset: {self.subset}\nSplit: {self.split}\nTarget: {self.target}"

    def _target(self, kind: TargetKind, index: int) -> Any:
        if kind == "class":
            return self.targets[index]
        return Mask(torch.from_numpy(read_mask(self._path("mask", index)).astype(np.int64)))

    def _path(self, column: str, index: int) -> Path:
        return self._folder / str(self._files[column][index])
