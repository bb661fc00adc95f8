"""A browser, and galleries of the demo in a folder whose name has characters that links must escape."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imagenet_s.cli.main import main
from imagenet_s.copies.copy import open_copy
from imagenet_s.gallery.pages import write_pages
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.subsets import SPLITS

sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# As root, Chromium needs `--no-sandbox`. The others keep it from looking for its maker's hosts.
OPTIONS = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync")
FOLDER = "a 'b' \"c\" <i> & é #1?%20\nd"


@pytest.fixture(scope="session")
def browser() -> Iterator["sync_api.Browser"]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on the path")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        yield browser
        browser.close()


class View:
    """A tab that shows pages of a folder, and what went wrong there."""

    def __init__(self, context: "sync_api.BrowserContext", folder: Path):
        self.tab, self.folder = context.new_page(), folder
        self.faults: list[str] = []  # what the console reports, and requests for anything but files
        self.tab.on("console", lambda message: self.faults.append(message.text))
        self.tab.on("pageerror", lambda error: self.faults.append(str(error)))
        self.tab.on("request", lambda request: self._check(request.url))

    def _check(self, url: str) -> None:
        if not url.startswith("file:"):
            self.faults.append(f"request of {url}")

    def open(self, page: str) -> "View":
        self.tab.goto((self.folder / page).as_uri(), wait_until="load")
        return self

    def shown(self, selector: str) -> list[str]:
        """The texts of all elements that can be seen."""
        return [found.inner_text() for found in self.tab.locator(selector).all() if found.is_visible()]

    @property
    def name(self) -> str:
        """The name of the page that is open, relative to the folder."""
        return self.tab.evaluate("location.href").removeprefix(self.folder.as_uri() + "/")


@pytest.fixture
def view(browser) -> Iterator[Callable[..., View]]:
    """A function that opens a folder in a new context; its options are those of Playwright's contexts."""
    contexts = []

    def opened(folder: Path, **options) -> View:
        contexts.append(browser.new_context(**options))
        contexts[-1].set_default_timeout(10_000)  # ms
        return View(contexts[-1], folder)

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def gallery50(output50, tmp_path_factory) -> Path:
    """A gallery of the demo beside its data set, in `FOLDER`. Shared: never change it."""
    root = tmp_path_factory.mktemp("gallery") / FOLDER
    shutil.copytree(output50 / "ImageNetS50", root / "ImageNetS50", symlinks=True)
    arguments = ["--splits", "validation", "train-semi", "test", "--per-class", "9"]
    assert main(["gallery", str(root / "ImageNetS50"), "--out", str(root / "gallery"), *arguments]) == 0
    return root / "gallery"


@pytest.fixture(scope="session")
def gallery919(tmp_path_factory) -> Path:
    """The pages of 919 classes of a copy that has no files. Shared: never change it."""
    root = tmp_path_factory.mktemp("gallery919")
    for split in SPLITS:
        (root / "ImageNetS919" / split).mkdir(parents=True)
    made = ({"wnid": wnid, "pictures": []} for wnid in class_ids(919))
    write_pages(open_copy(root / "ImageNetS919"), made, root / "gallery")
    return root / "gallery"
