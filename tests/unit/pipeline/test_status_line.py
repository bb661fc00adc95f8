"""The line that shows how far a build is."""

from imagenet_s.io.atomic import write_json
from imagenet_s.pipeline.status_line import Reading, StatusLine
from imagenet_s.runtime.job_report import JobReport

SOURCE = {"source-50": "source"}
FIRST, SECOND = "images-train-50-0", "images-val-50-0"
BOTH = {FIRST: "images", SECOND: "images"}


def test_before_the_source_is_listed_the_line_says_what_goes_on(tmp_path):
    line = StatusLine([Reading(FIRST, "train-50-0", tmp_path / "50.json")])
    assert line.text({}, SOURCE, 1) == "Checking the source and listing its images"
    reports = {"source-50": JobReport("Listing train", 5, 50, "classes")}
    assert line.text(reports, SOURCE, 2) == (
        "Checking the source and listing its images: 5 of 50 classes (10%)"
    )
    running = {"masks-50": "masks", "labels-50-id16": "labels", "masks-300": "masks"}
    assert line.text({}, running, 3) == "Unpacking and checking masks, Encoding masks"
    assert line.text({}, {}, 4) == ""


def test_the_bytes_of_all_jobs_are_counted(tmp_path):
    line = StatusLine([Reading(job, job[7:], tmp_path / "50.json") for job in BOTH])
    assert line.text({FIRST: JobReport(read=1e6)}, BOTH, 0) == "Reading images: 1.0 MB"
    assert line.text({FIRST: JobReport(read=3e6)}, BOTH, 2) == "Reading images: 3.0 MB, 1.0 MB/s"

    write_json(tmp_path / "50.json", {"part_bytes": {"train-50-0": 8_000_000, "val-50-0": 2_000_000}})
    reports = {FIRST: JobReport(read=4e6), SECOND: JobReport(read=1e6)}
    assert line.text(reports, BOTH, 4) == "Reading images: 5.0 MB of 10.0 MB (50%), 1.0 MB/s, 5.0 s left"
    # The sizes of files in folders are estimates: a job that has ended has read its part.
    reports = {FIRST: JobReport(read=4e6), SECOND: JobReport(read=1.9e6, code=0)}
    assert line.text(reports, {FIRST: "images"}, 5) == (
        "Reading images: 6.0 MB of 10.0 MB (60%), 1.0 MB/s, 4.0 s left"
    )
    reports = {FIRST: JobReport(read=9e6), SECOND: JobReport(read=1.9e6, code=0)}
    assert line.text(reports, {FIRST: "images"}, 10) == (
        "Reading images: 10.0 MB of 10.0 MB (100%), 1.0 MB/s, 0.0 s left"
    )


def test_the_rate_is_that_of_the_last_half_minute(tmp_path):
    line = StatusLine([Reading(FIRST, "train-50-0", tmp_path / "50.json")])
    for seconds in range(0, 101, 10):
        text = line.text({FIRST: JobReport(read=1e6 * max(0, seconds - 60))}, {FIRST: "images"}, seconds)
    assert text == "Reading images: 40.0 MB, 1.0 MB/s"


def test_archives_that_are_read_as_a_whole_count_by_their_size(tmp_path):
    for name, size in (("a.tar.gz", 2000), ("b.tar.gz.aa", 1500), ("b.tar.gz.ab", 500)):
        (tmp_path / name).write_bytes(bytes(size))
    files = [tmp_path / "a.tar.gz", tmp_path / "b.tar.gz.aa"]
    line = StatusLine([Reading("stream-train-pass-50-0", "train-pass-50-0", tmp_path / "none", files)])
    running = {"stream-train-pass-50-0": "stream"}
    reports = {"stream-train-pass-50-0": JobReport("Reading", 1000, 4000, "B", 1000)}
    assert line.text(reports, running, 0) == "Reading images: 1.0 kB of 4.0 kB (25%)"


def test_other_jobs_show_how_far_the_largest_is():
    running = {"verify": "verify", "tidy": "tidy"}
    reports = {"verify": JobReport("sha256", 1500, 6000, "files"), "tidy": JobReport()}
    assert StatusLine().text(reports, running, 0) == "Verifying every byte: 1,500 of 6,000 files (25%)"
    running = {"annotations-50": "annotations"}
    reports = {"annotations-50": JobReport("a.zip", 5e8, 1e9, "B")}
    assert StatusLine().text(reports, running, 0) == "Getting the annotations: 500 MB of 1.0 GB (50%)"


def test_a_job_that_is_tried_again_gives_no_negative_rate(tmp_path):
    write_json(tmp_path / "50.json", {"part_bytes": {"train-50-0": 8_000_000}})
    line = StatusLine([Reading(FIRST, "train-50-0", tmp_path / "50.json")])
    line.text({FIRST: JobReport(read=4e6)}, BOTH, 0)
    assert line.text({FIRST: JobReport()}, BOTH, 2) == "Reading images: 0 bytes of 8.0 MB (0%)"
