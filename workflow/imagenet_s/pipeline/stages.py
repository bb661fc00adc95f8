"""The stages of a build as a user sees them: what each does, how long it took, and which is due next."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from imagenet_s.runtime.units import time_text

# Rule → what its stage does. Rules with the same text are one stage.
STAGES = {
    "demo_images": "Generating the demo: synthetic images and masks",
    "demo_annotations": "Generating the demo: synthetic images and masks",
    "source": "Checking the source and listing its images",
    "images": "Reading images",
    "stream": "Reading images",
    "annotations": "Getting the annotations",
    "masks": "Unpacking and checking masks",
    "samples": "Building the folders",
    "tree": "Building the folders",
    "labels": "Encoding masks",
    "manifests": "Writing manifests and dataset.json",
    "companions": "Writing manifests and dataset.json",
    "dataset": "Writing manifests and dataset.json",
    "summary": "Cleaning up and writing the summary",
    "tidy": "Cleaning up and writing the summary",
    "count": "Counting images, masks and pixels",
    "contact_sheets": "Drawing contact sheets",
    "export_files": "Exporting",
    "export_manifest": "Writing manifests of exports",
    "export_info": "Writing manifests of exports",
    "gallery_pictures": "Making the pictures of the gallery",
    "gallery_pages": "Writing the pages of the gallery",
    "grid_features": "Computing the features of the baseline",
    "distance_match": "Predicting by distance matching",
    "match": "Matching ids to classes",
    "evaluate": "Scoring predictions",
    "submission": "Writing and checking the submission",
    "verify": "Verifying every byte",
    "repair": "Repairing",
}
# Rules that only name what is wanted.
TARGETS = ("all", "build", "fetch", "statistics", "contact", "export", "gallery")
REPORTING = ("verify", "repair")  # what they print is the result; a line about the stage adds nothing

READING = ("images", "stream")  # rules that read the source


def stage_of(rule: str) -> str:
    """Return what the stage of a rule does. A rule of the user's own is a stage of its own."""
    return STAGES.get(rule, rule)


@dataclass
class _Stage:
    """The jobs of one stage; times in seconds of the monotonic clock."""

    jobs: int
    done: int = 0
    running: int = 0
    since: float = 0  # when the first of the running jobs began
    took: float = 0  # seconds in which any of its jobs ran
    reporting: bool = False


@dataclass
class Stages:
    """All stages of a run, in no order: they begin when Snakemake decides."""

    stages: dict[str, _Stage] = field(default_factory=dict)
    ended: int = 0

    def plan(self, jobs: Mapping[str, int]) -> None:
        """Take the numbers of jobs, by rule."""
        for rule, count in jobs.items():
            if rule not in TARGETS:
                stage = self.stages.setdefault(stage_of(rule), _Stage(0))
                stage.jobs += count
                stage.reporting = rule in REPORTING

    def begin(self, rule: str, now: float) -> None:
        """Note that a job of a rule begins."""
        stage = self.stages.get(stage_of(rule))
        if stage:
            stage.since = stage.since if stage.running else now
            stage.running += 1

    def stop(self, rule: str, now: float) -> None:
        """Note that a job of a rule does not run any more."""
        stage = self.stages.get(stage_of(rule))
        if stage and stage.running:
            stage.running -= 1
            stage.took += 0 if stage.running else now - stage.since

    def end(self, rule: str, now: float) -> str | None:
        """Note that a job of a rule has ended well; return the line to print if its stage has, too."""
        stage = self.stages.get(stage_of(rule))
        if not stage:
            return None
        self.stop(rule, now)
        stage.done += 1
        if stage.done != stage.jobs:
            return None
        self.ended += 1
        if stage.reporting:
            return None
        total = len(self.stages)
        what = stage_of(rule) + (f" ({stage.jobs} jobs)" if stage.jobs > 1 and rule in READING else "")
        number = f"[{self.ended:>{len(str(total))}}/{total}]"
        return f"{number} {what:<56} {time_text(stage.took):>9}"
