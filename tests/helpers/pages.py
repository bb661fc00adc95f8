"""What tests of galleries read of pages."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

BLOCKS = ("dd", "dt", "h1", "td", "th")
VOID = ("img", "input", "link", "meta")


class Page(HTMLParser):
    """A page that was read: its tags with their attributes, and its text."""

    def __init__(self, path: Path):
        super().__init__()
        self.path = path
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert not self.open, f"{path}: {self.open} stay open"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), f"{self.path}: {tag} has an attribute twice"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"{self.path}: </{tag}> ends another one"
        if tag in BLOCKS:
            self.words.append(" ")

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        """All text, with single spaces."""
        return " ".join("".join(self.words).split())

    def all(self, tag: str, **wanted: str) -> list[dict]:
        """The attributes of all tags of a name that have these ones; `kind` is `class`."""
        wanted = {"class" if key == "kind" else key: value for key, value in wanted.items()}
        return [found for name, found in self.tags if name == tag and wanted.items() <= found.items()]

    def targets(self) -> list[Path]:
        """The files that the page links to or shows, without fragments of the page itself."""
        links = [found[key] for _, found in self.tags for key in ("href", "src") if key in found]
        parts = [urlsplit(link) for link in links if not link.startswith("#")]
        assert not any(part.scheme or part.netloc or part.query for part in parts), links
        return [self.path.parent / unquote(part.path, errors="surrogateescape") for part in parts]


def pages(folder: Path) -> list[Page]:
    """All pages in a folder."""
    return [Page(path) for path in sorted(folder.rglob("*.html"))]
