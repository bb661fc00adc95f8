"""Open a copy of ImageNet-S: its classes and samples as tables, its images and masks."""

from dataclasses import dataclass, field
from functools import cached_property
from operator import index as as_index
from os import PathLike
from os.path import expanduser
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from PIL import Image

from imagenet_s.api.images import read_image
from imagenet_s.api.masks import read_mask
from imagenet_s.api.overlay import SUBSET
from imagenet_s.api.verification import Verification
from imagenet_s.copies.classes import classes
from imagenet_s.copies.copy import Copy, open_copy
from imagenet_s.copies.samples import samples
from imagenet_s.dataset.dataset_file import dataset_digest, digest_of_copy, read_dataset
from imagenet_s.spec.subsets import LEVELS
from imagenet_s.statistics.copy_statistics import statistics_of
from imagenet_s.verify.compare import verify

Sample = tuple[Image.Image, NDArray[np.uint16] | None]


def open(path: str | PathLike[str]) -> "ImageNetSData":
    """Open a copy of ImageNet-S: a build of this package, or a copy by the official scripts.

    Args:
        path: The folder of a subset, such as `results/ImageNetS50`; or the folder above it, if that holds
            one subset only.

    Raises:
        UserError: There is no copy at the path, or there are several.

    Example:
        >>> data = imagenet_s.open("results/ImageNetS50")
        >>> image, mask = data["validation", 0]
        >>> image.size, mask.shape
        ((51, 92), (92, 51))
        >>> data.digest[:12]
        '42c84eb3d594'
    """
    return ImageNetSData(open_copy(Path(expanduser(path))))


@dataclass(frozen=True, repr=False)
class ImageNetSData:
    """A copy of one subset of ImageNet-S.

    `data[split, index]` returns the image and the mask of a sample, in the order of `samples(split)`:

    - the image as it is stored: most are RGB, some grey (L), and 22 train images of ImageNet are CMYK.
      `image.convert("RGB")` makes them all alike.
    - the ids of the mask, (height, width), uint16: 0 is other, 1000 ignore, the rest are the class ids of
      the subset. None if there is no mask: those of test are not public, and train has none.

    Tables are read once and kept.
    """

    _copy: Copy
    _tables: dict[str, pa.Table] = field(default_factory=dict, init=False, compare=False)

    @property
    def root(self) -> Path:
        """The folder of the copy, absolute."""
        return self._copy.root

    @property
    def subset(self) -> int:
        """The subset: 50, 300 or 919."""
        return self._copy.subset

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that the copy has."""
        return self._copy.splits

    @property
    def digest(self) -> str | None:
        """The digest of the data set, by its manifests. It is equal for equal images and masks.

        None if manifests are missing.
        """
        dataset = read_dataset(self.root)
        return dataset_digest(dataset["content"]["manifests"]) if dataset else digest_of_copy(self.root)

    @property
    def classes(self) -> pd.DataFrame:
        """The classes, indexed by `class_id`: `wnid`, `name`, and how many images and masks each has.

        The columns are those of `classes.csv`. Without that file, images are counted; numbers that are
        unknown are null.

        Example:
            >>> classes = imagenet_s.open("results/ImageNetS50").classes
            >>> classes.loc[1, ["wnid", "name", "validation"]].to_list()
            ['n01443537', 'goldfish', 15]
        """
        return self._classes.to_pandas(types_mapper=pd.ArrowDtype).set_index("class_id")

    def samples(self, split: str) -> pd.DataFrame:
        """Return the samples of a split, sorted by `image`.

        Args:
            split: train, train-semi, validation or test.

        Returns:
            The columns of the manifest, with Arrow's types: digests are binary, `mask_ids` and `also_in`
            lists. Then `image_path` and `mask_path`, absolute. Missing values are null; without manifests
            these are all sizes and digests, and `mask_ids`.

        Raises:
            UserError: The copy does not have the split, or its manifest is damaged.

        Example:
            >>> samples = imagenet_s.open("results/ImageNetS50").samples("validation")
            >>> len(samples)
            752
            >>> samples.loc[0, ["wnid", "class_id", "mask_ids"]].to_list()
            ['n01443537', 1, [0, 1, 1000]]
        """
        return self._table(split).to_pandas(types_mapper=pd.ArrowDtype)

    def statistics(self, workers: int = 1) -> dict[str, pd.DataFrame]:
        """Count the images, masks, classes and pixels of all splits. Nothing is written.

        Args:
            workers: The number of processes that read the masks of a copy, if no build beside it has counted
                their pixels.

        Returns:
            The tables that the command `imagenet-s stats` writes: `splits`, `classes`, `size_buckets`,
            `classes_per_mask`, `image_sizes`, `co_occurrence`, `leaks` and `merged_classes`.

        Raises:
            UserError: A manifest is damaged, or masks are missing or damaged.

        Example:
            >>> tables = imagenet_s.open("results/ImageNetS50").statistics()
            >>> tables["classes_per_mask"].query("split == 'validation'")["masks"].to_list()
            [0, 637, 115]
        """
        return statistics_of(self._copy, workers)

    def verify(self, level: str = "size") -> Verification:
        """Check which files are missing, extra or damaged. Nothing is written.

        Args:
            level: `complete` checks names, `size` also the sizes of images and masks, `sha256` also every
                byte. The command `imagenet-s verify` does the same with several processes.

        Example:
            >>> check = imagenet_s.open("results/ImageNetS50").verify("complete")
            >>> check.whole, len(check.damage)
            (True, 0)
        """
        if level not in LEVELS:
            raise ValueError(f"Expected a level of {', '.join(LEVELS)}; found {level!r}.")
        return Verification(verify(self.root, self.subset, level, workers=1))

    def __getitem__(self, key: tuple[str, int]) -> Sample:
        match key:
            case (str(split), SupportsIndex() as number):
                row = self._row(split, as_index(number))
            case _:
                raise TypeError(
                    f"Expected data[split, index], such as data['validation', 0]; found data[{key!r}]."
                )
        image = read_image(row["image_path"])
        image.info[SUBSET] = self.subset
        return image, None if row["mask_path"] is None else read_mask(row["mask_path"])

    def __repr__(self) -> str:
        return f"<{self._copy.name} at {self.root}: {', '.join(self.splits)}>"

    @cached_property
    def _classes(self) -> pa.Table:
        return classes(self._copy)

    def _table(self, split: str) -> pa.Table:
        """Return the samples of a split, and the absolute paths of images and masks."""
        if split not in self._tables:
            table = samples(self._copy, split)
            for name in ("image", "mask"):
                join: Any = pc.binary_join_element_wise  # the stubs lack columns mixed with texts
                table = table.append_column(f"{name}_path", join(str(self.root), table[name], "/"))
            self._tables[split] = table
        return self._tables[split]

    def _row(self, split: str, index: int) -> dict[str, Any]:
        """Return a row of `_table`; a negative index counts from the end."""
        table = self._table(split)
        if not -len(table) <= index < len(table):
            some = f"{len(table):,} samples, from 0 to {len(table) - 1:,}"
            has = f"{split} of {self._copy.name} has {some if len(table) else 'no samples'}"
            raise IndexError(f"{has}; found index {index:,}.")
        return table.slice(index % len(table), 1).to_pylist()[0]
