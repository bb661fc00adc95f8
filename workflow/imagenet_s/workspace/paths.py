"""Where a build keeps what: every path below the output, in one place."""

from dataclasses import dataclass
from pathlib import Path

from imagenet_s.spec.subsets import subset_of


@dataclass(frozen=True)
class Workspace:
    """The output folder of builds, and the paths in it. Nothing is made or looked at here."""

    output: Path

    @property
    def work(self) -> Path:
        """Records, downloads, copies and logs: not needed to use the data sets."""
        return self.output / "work"

    @property
    def tmp(self) -> Path:
        """Temporary files, on the file system of the output, so that they can be renamed into place."""
        return self.work / "tmp"

    @property
    def demo(self) -> Path:
        """The embedded demo: images and annotations."""
        return self.work / "demo"

    @property
    def demo_images(self) -> Path:
        """The demo's raw ImageNet."""
        return self.demo / "imagenet"

    @property
    def index(self) -> Path:
        """Where the members of the source's tars lie."""
        return self.work / "source" / "index.parquet"

    @property
    def records(self) -> Path:
        """What was recorded of images, part by part."""
        return self.work / "images"

    @property
    def pool(self) -> Path:
        """One copy of each image, where the trees do not link to the source."""
        return self.work / "pool"

    @property
    def plans(self) -> Path:
        """What trees were built."""
        return self.work / "trees"

    @property
    def downloads(self) -> Path:
        """Archives of masks, and where each subset's are."""
        return self.work / "annotations"

    @property
    def summary(self) -> Path:
        """The summary of the last build."""
        return self.output / "summary.txt"

    @property
    def benchmark(self) -> Path:
        """Figures, matches and submissions, a folder for each subset."""
        return self.output / "benchmark"

    def tree(self, subset: int) -> Path:
        """The data set itself: the subset's folder."""
        return self.output / subset_of(subset).name

    def findings(self, tier: int) -> Path:
        """What was found beside the images of one tier of the source."""
        return self.work / "source" / f"{tier}.json"

    def annotations(self, subset: int) -> Path:
        """The receipt that says where the subset's annotations are."""
        return self.downloads / f"{subset}.json"

    def masks(self, subset: int) -> Path:
        """The subset's masks, unpacked."""
        return self.work / "masks" / str(subset)

    def samples(self, subset: int) -> Path:
        """The subset's samples: the records of images and masks, joined."""
        return self.work / "samples" / f"{subset}.parquet"

    def plan(self, subset: int) -> Path:
        """The names of all entries that builds made in the subset's folder."""
        return self.plans / f"{subset}.parquet"
