"""Small pages of HTML with tables, for Snakemake's report. Everything in them is escaped."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from tabulate import tabulate

from imagenet_s.io.atomic import atomic_write

NO_BREAK = "\u00a0"
STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 1.5em; max-width: 70em; }
table { border-collapse: collapse; margin: 0.5em 0 1.5em; }
th, td { padding: 0.2em 0.9em 0.2em 0; border-bottom: 1px solid #8886; vertical-align: top;
         font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
th { font-weight: 600; text-align: left; }
h1 { font-size: 1.3em; } h2 { font-size: 1.1em; }
"""


def table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """Return a table, of which the first `left` columns are aligned left and the others right."""
    alignment = ["left" if column < left else "right" for column in range(len(head))]
    unbroken = [[cell.replace(" ", NO_BREAK) for cell in row] for row in rows]
    return tabulate(unbroken, list(head), tablefmt="html", colalign=alignment, disable_numparse=True)


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a table with a name and a text in each row."""
    # Snakemake shows tables on its own page, too, without the style of this one.
    start = '<tr><th style="white-space: nowrap">'
    rows = "".join(f"{start}{escape(name)}</th><td>{escape(text)}</td></tr>\n" for name, text in pairs)
    return f"<table>\n{rows}</table>"


def paragraph(text: str) -> str:
    """Return a paragraph."""
    return f"<p>{escape(text)}</p>"


def heading(text: str) -> str:
    """Return a heading below that of the page."""
    return f"<h2>{escape(text)}</h2>"


def write_page(path: Path, title: str, *parts: str) -> None:
    """Write a page. Nothing is synced: a receipt must follow.

    Args:
        path: The file to write.
        title: Its heading.
        parts: What the other functions here return.
    """
    body = "\n".join((f"<h1>{escape(title)}</h1>", *parts))
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    text = f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8")
