"""The commands of jobs that make pictures and tables for people."""

from functools import partial

from imagenet_s.cli.arguments import Commands, command, paths, subset


def add_report_jobs(commands: Commands) -> None:
    """Add the commands of these jobs."""
    job = partial(command, commands, listed=False)
    added = job(
        "contact-sheets",
        "report.contact_sheet.write_contact_sheets",
        "draw some images and masks of each split as a picture",
    )
    subset(added)
    paths(added, tree="the folder ImageNetS<n>", output="the output folder of the build")
