"""Every path below the output folder, in one place."""

from dataclasses import dataclass
from pathlib import Path

from imagenet_s.spec.exports import INFO, manifest_name
from imagenet_s.spec.subsets import DATASET, SUBSETS, label_folder, subset_name
from imagenet_s.workspace.score_files import ScoreFiles
from imagenet_s.workspace.work_folder import WORK, Key, WorkFolder

BENCHMARK, CONTACT, EXPORTS, GALLERY = "benchmark", "contact", "exports", "gallery"
STATISTICS, SUMMARY = "statistics", "summary.txt"


@dataclass(frozen=True)
class Workspace(WorkFolder):
    """The output folder of builds and the paths in it. Creates and reads nothing."""

    @classmethod
    def containing(cls, path: str | Path) -> "Workspace":
        """Return the workspace in which a build writes `path`.

        Raises:
            ValueError: A build writes no such path.
        """
        folders = {WORK, BENCHMARK, CONTACT, EXPORTS, GALLERY, STATISTICS}
        inside = {*folders, SUMMARY, *map(subset_name, SUBSETS)}
        for folder in Path(path).parents:
            if Path(path).relative_to(folder).parts[0] in inside:
                return cls(folder)
        raise ValueError(f"{path} is not a path below an output folder")

    def tree(self, subset: Key) -> Path:
        """The data set itself: the folder of a subset."""
        return self.output / subset_name(subset)

    def dataset(self, subset: Key) -> Path:
        """The facts of a data set."""
        return self.tree(subset) / DATASET

    def manifests(self, subset: Key) -> Path:
        """The tables and digests of all files in a data set."""
        return self.tree(subset) / "manifests"

    def label_digests(self, subset: Key, split: str, encoding: str) -> Path:
        """The digests of a split's masks in another encoding."""
        return self.manifests(subset) / f"{label_folder(split, encoding)}.sha256"

    @property
    def summary(self) -> Path:
        """The summary of the last build."""
        return self.output / SUMMARY

    @property
    def all_statistics(self) -> Path:
        """The statistics of data sets, a folder for each subset."""
        return self.output / STATISTICS

    def statistics(self, subset: Key) -> Path:
        """The statistics of a subset."""
        return self.all_statistics / f"{subset}"

    @property
    def benchmark(self) -> Path:
        """Metrics, matches and submissions, a folder for each subset."""
        return self.output / BENCHMARK

    def scores(self, subset: Key) -> Path:
        """Metrics, match and submission of predictions for one subset."""
        return self.benchmark / f"{subset}"

    def score_files(self, subset: Key) -> ScoreFiles:
        """The files in `scores`."""
        return ScoreFiles.in_folder(self.scores(subset))

    def baseline(self, subset: Key) -> Path:
        """The predictions of the baseline, a folder and a receipt for each split."""
        return self.scores(subset) / "baseline"

    def baseline_receipt(self, subset: Key, split: str) -> Path:
        """States that the baseline predicted a split."""
        return self.baseline(subset) / f"{split}.json"

    def export_folder(self, export_format: str) -> Path:
        """The data sets in another format. Builds leave exports as they are."""
        return self.output / EXPORTS / export_format

    def export_manifest(self, export_format: str, subset: Key, split: str) -> Path:
        """Describes an exported split, and is written last."""
        return self.export_folder(export_format) / manifest_name(subset, split)

    def export_info(self, export_format: str) -> Path:
        """Describes all exported splits of a format, for programs that read it."""
        return self.export_folder(export_format) / INFO

    def gallery(self, subset: Key) -> Path:
        """The gallery of a subset. Builds leave galleries as they are."""
        return self.output / GALLERY / f"{subset}"

    def gallery_start(self, subset: Key) -> Path:
        """The start page of a gallery, which is written last."""
        return self.gallery(subset) / "index.html"

    @property
    def contact_sheets(self) -> Path:
        """The contact sheets of all subsets."""
        return self.output / CONTACT

    def contact_sheet(self, subset: Key, split: str) -> Path:
        """Some images and masks of a split, as one picture."""
        return self.contact_sheets / f"{subset_name(subset)}-{split}.png"
