"""Pages for Snakemake's report: what is written into them stays text."""

from imagenet_s.io.html_page import facts, heading, paragraph, table, write_page

HOSTILE = "<script>alert(\"1\")</script> & 'x'"
SAFE = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#x27;x&#x27;"


def test_everything_is_escaped(tmp_path):
    parts = [table([HOSTILE], [[HOSTILE]]), facts([(HOSTILE, HOSTILE)]), paragraph(HOSTILE), heading(HOSTILE)]
    write_page(tmp_path / "page.html", HOSTILE, *parts)
    text = (tmp_path / "page.html").read_text(encoding="utf-8").replace("\u00a0", " ")
    assert "<script" not in text
    assert text.count(SAFE) == 8
    assert text.startswith("<!DOCTYPE html>\n")


def test_cells_of_a_table_are_not_broken_and_aligned():
    text = table(("split", "images"), [("train semi", "1,000")]).replace(" ", "")
    assert '<td>train\u00a0semi</td><tdstyle="text-align:right;">1,000</td>' in text
