"""Every path in the folder `work` of an output."""

from dataclasses import dataclass
from pathlib import Path

WORK = "work"

# A subset, a tier, a split or a part, or a placeholder for it: the rules ask for `samples("{subset}")`.
Key = int | str


@dataclass(frozen=True)
class WorkFolder:
    """The folder `work` of an output, and the paths in it."""

    output: Path

    @property
    def work(self) -> Path:
        """Records, downloads, copies and logs: not needed to use the data sets."""
        return self.output / WORK

    @property
    def work_folders(self) -> tuple[Path, ...]:
        """Everything that builds write in `work`, apart from locks."""
        return (
            self.downloads,
            self.demo,
            self.all_export_receipts,
            self.all_features,
            self.records,
            self.logs,
            self.all_masks,
            self.all_gallery_receipts,
            self.pool,
            self.report_folder,
            self.all_samples,
            self.listings,
            self.tmp,
            self.plans,
        )

    @property
    def tmp(self) -> Path:
        """Temporary files, on the file system of the output, so that they can be renamed into place."""
        return self.work / "tmp"

    def scratch(self, job: str) -> Path:
        """The folder for temporary files of one job."""
        return self.tmp / job

    @property
    def reports(self) -> Path:
        """What the jobs of the current run report: a file for each job."""
        return self.tmp / "reports"

    @property
    def logs(self) -> Path:
        """The logs of jobs."""
        return self.work / "logs"

    def log(self, job: str) -> Path:
        """The log of one job."""
        return self.logs / f"{job}.log"

    @property
    def demo(self) -> Path:
        """The embedded demo: images and annotations."""
        return self.work / "demo"

    @property
    def demo_images(self) -> Path:
        """The raw ImageNet of the demo."""
        return self.demo / "imagenet"

    def demo_receipt(self, tier: Key) -> Path:
        """States which of the demo's images of one tier were written."""
        return self.demo / f"images-{tier}.json"

    @property
    def demo_annotations(self) -> Path:
        """The annotation archives of the demo."""
        return self.demo / "annotations"

    @property
    def listings(self) -> Path:
        """Where the raw images are."""
        return self.work / "source"

    @property
    def index(self) -> Path:
        """The offsets of members in the tars of the source."""
        return self.listings / "index.parquet"

    def listing(self, tier: Key) -> Path:
        """Where the raw images of one tier are."""
        return self.listings / f"{tier}.parquet"

    def findings(self, tier: Key) -> Path:
        """What was found in the source besides the images of one tier."""
        return self.listings / f"{tier}.json"

    @property
    def tidy_receipt(self) -> Path:
        """States which intermediate files were removed at the end of a build."""
        return self.listings / "tidy.json"

    @property
    def records(self) -> Path:
        """Digests and sizes of the source images, part by part."""
        return self.work / "images"

    def image_records(self, part: Key) -> Path:
        """Digests and sizes of the source images of one part."""
        return self.records / f"{part}.parquet"

    @property
    def pool(self) -> Path:
        """One copy of each image, for trees that do not link to the source."""
        return self.work / "pool"

    def pool_receipt(self, part: Key) -> Path:
        """States that all images of one part are in the pool."""
        return self.pool / f"{part}.json"

    @property
    def downloads(self) -> Path:
        """The annotation archives, and for each subset the file that names its archive."""
        return self.work / "annotations"

    def annotations(self, subset: Key) -> Path:
        """States where the annotations of a subset are."""
        return self.downloads / f"{subset}.json"

    @property
    def all_masks(self) -> Path:
        """The unpacked masks of all subsets."""
        return self.work / "masks"

    def masks(self, subset: Key) -> Path:
        """The unpacked masks of a subset."""
        return self.all_masks / f"{subset}"

    def mask_records(self, subset: Key) -> Path:
        """Digests and sizes of the masks of a subset."""
        return self.all_masks / f"{subset}.parquet"

    @property
    def all_samples(self) -> Path:
        """The samples of all subsets."""
        return self.work / "samples"

    def samples(self, subset: Key) -> Path:
        """The samples of a subset: the records of images and masks, joined."""
        return self.all_samples / f"{subset}.parquet"

    @property
    def plans(self) -> Path:
        """Which entries builds made in the trees."""
        return self.work / "trees"

    def plan(self, subset: Key) -> Path:
        """The names of all entries that builds made in the folder of a subset."""
        return self.plans / f"{subset}.parquet"

    def tree_receipt(self, subset: Key) -> Path:
        """States that the tree of a subset was built."""
        return self.plans / f"{subset}.json"

    @property
    def all_features(self) -> Path:
        """The features of images, from which the baseline predicts."""
        return self.work / "features"

    def features(self, subset: Key, split: str) -> Path:
        """The features of a split's images."""
        return self.all_features / f"{subset}" / split

    def features_receipt(self, subset: Key, split: str) -> Path:
        """States that the features of a split were computed."""
        return self.all_features / f"{subset}" / f"{split}.json"

    @property
    def all_export_receipts(self) -> Path:
        """States which files of exports are complete."""
        return self.work / "exported"

    def export_receipt(self, export_format: str, subset: Key, split: str, job: Key) -> Path:
        """States which files a job of an export made."""
        return self.all_export_receipts / f"{export_format}-{subset}-{split}-{job}.json"

    @property
    def all_gallery_receipts(self) -> Path:
        """States which pictures of galleries are there, and what is known of them."""
        return self.work / "pictures"

    def gallery_receipt(self, subset: Key, job: Key) -> Path:
        """States which pictures a job of a gallery made."""
        return self.all_gallery_receipts / f"{subset}-{job}.json"

    @property
    def report_folder(self) -> Path:
        """Tables that Snakemake shows in its report."""
        return self.work / "report"

    def report_table(self, name: str) -> Path:
        """One of these tables."""
        return self.report_folder / f"{name}.html"
