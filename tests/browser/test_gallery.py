"""Galleries in Chromium, from files: search, slider, keys, broken pictures, and no fault on any page."""

import re
import shutil

import pytest

WNID = "n01443537"
IMAGE = f"images/{WNID}/validation-ILSVRC2012_val_00004677.html"
PAGES = ("index.html", f"classes/{WNID}.html", IMAGE)
WIDTHS = (320, 1280, 3840)

# The contrast of each text with what is behind it, below the 4.5 of WCAG 2.2 (AA), as `text: contrast`.
LOW_CONTRAST = """() => {
  const channel = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const weights = [0.2126, 0.7152, 0.0722];
  const light = (color) => weights.reduce((sum, w, k) => sum + w * channel(numbers(color)[k]), 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const color = getComputedStyle(node).backgroundColor;
      if (numbers(color)[3] !== 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const low = [];
  for (const node of document.querySelectorAll("body *")) {
    const text = [...node.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join("");
    if (!text || !node.checkVisibility()) continue;
    const [a, b] = [light(getComputedStyle(node).color), light(behind(node))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) low.push(`${text}: ${contrast.toFixed(2)}`);
  }
  return low;
}"""


def opacity(it) -> float:
    return float(it.tab.locator(".mask").first.evaluate("mask => getComputedStyle(mask).opacity"))


def names(it) -> list[str]:
    return it.tab.locator("#table tbody tr:not([hidden]) th").all_inner_texts()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_fault_or_is_wider_than_the_window(view, gallery50, width, scheme):
    it = view(gallery50, viewport={"width": width, "height": 900}, color_scheme=scheme)
    for page in PAGES:
        it.open(page)
        assert it.tab.evaluate("document.documentElement.scrollWidth") == width, page
        assert it.tab.evaluate(LOW_CONTRAST) == [], page
        assert it.tab.locator(".broken").count() == 0
        for image in it.tab.locator("img").all()[:12]:
            image.scroll_into_view_if_needed()
            image.evaluate("image => image.decode()")
    assert it.faults == []
    dark = it.tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark == {"light": "rgb(251, 251, 250)", "dark": "rgb(21, 23, 26)"}[scheme]


def test_the_search_finds_names_wnids_and_ids(view, gallery50):
    it = view(gallery50).open("index.html")
    assert (len(names(it)), it.shown("#found")) == (50, ["50 classes"])
    for text, found in {
        "SHARK": ["tiger shark"],
        "n01443537": ["goldfish"],
        "2": ["tiger shark"],
        "gold": ["goldfish", "goldfinch"],
        "gold finch": ["goldfinch"],
        "<script>": [],
    }.items():
        it.tab.fill("#search", text)
        assert names(it) == found
        assert it.shown("#found") == ["1 class" if len(found) == 1 else f"{len(found)} classes"]
    it.tab.press("#search", "Enter")
    it.tab.fill("#search", "")
    assert (len(names(it)), it.name, it.faults) == (50, "index.html", [])


def test_the_table_is_sorted_by_each_column_both_ways(view, gallery50):
    it = view(gallery50).open("index.html")
    heads = it.tab.locator("#table thead button")
    for number in range(heads.count()):
        for way in ("ascending", "descending"):
            head = heads.nth(number)
            if (number, way) != (0, "ascending"):  # the table begins so
                head.click()
            assert it.tab.locator("#table [aria-sort]").count() == 1
            assert head.locator("xpath=..").get_attribute("aria-sort") == way
            cells = it.tab.locator(f"#table tbody tr > :nth-child({number + 2})").all_inner_texts()
            if number in (1, 2):
                values = [cell.lower() for cell in cells]
            else:
                values = [int(re.sub(r"\D", "", cell)) for cell in cells]
            assert values == sorted(values, reverse=way == "descending")
    assert it.faults == []


def test_the_slider_fades_the_masks_and_the_next_page_keeps_it(view, gallery50):
    it = view(gallery50).open(f"classes/{WNID}.html")
    assert opacity(it) == pytest.approx(0.6)
    it.tab.fill("#fade", "25")
    assert (opacity(it), it.shown("output")) == (pytest.approx(0.25), ["25 %"])
    it.tab.focus("#fade")
    it.tab.keyboard.press("ArrowRight")  # moves the slider, and does not leave the page
    assert (opacity(it), it.name) == (pytest.approx(0.3), f"classes/{WNID}.html")
    it.open(IMAGE)
    assert opacity(it) == pytest.approx(0.3)
    assert it.faults == []


def test_a_key_and_a_button_show_and_hide_the_masks(view, gallery50):
    it = view(gallery50).open(f"classes/{WNID}.html")
    mask, button = it.tab.locator(".mask").first, it.tab.locator("#toggle")
    for act in (lambda: it.tab.keyboard.press("m"), button.click):
        act()
        assert (mask.is_visible(), button.get_attribute("aria-pressed")) == (False, "false")
        act()
        assert (mask.is_visible(), button.get_attribute("aria-pressed")) == (True, "true")
    assert it.faults == []


def test_keys_lead_to_the_neighbours_up_and_to_the_search(view, gallery50):
    it = view(gallery50).open(IMAGE)
    for key, wanted in (
        ("ArrowRight", rf"images/{WNID}/validation-ILSVRC2012_val_(?!00004677)\d+\.html"),
        ("ArrowLeft", re.escape(IMAGE)),
        ("u", rf"classes/{WNID}\.html"),
        ("ArrowRight", r"classes/n01491361\.html"),
        ("u", r"index\.html"),
    ):
        with it.tab.expect_navigation():
            it.tab.keyboard.press(key)
        assert re.fullmatch(wanted, it.name)
    it.tab.keyboard.press("/")
    it.tab.keyboard.type("muum")  # keys do nothing else in the search
    assert it.tab.input_value("#search") == "muum"
    assert (it.name, it.faults) == ("index.html", [])


def test_the_other_classes_of_an_image_show_on_hover_and_always_without_a_mouse(view, gallery50):
    it = view(gallery50)
    for number in range(50):
        it.open(PAGES[1]) if not number else it.tab.click("a[rel=next]")
        if it.tab.locator(".others").count():
            break
    others = it.tab.locator(".others").first
    assert not others.is_visible()
    it.tab.locator("figure", has=it.tab.locator(".others")).first.hover()
    assert others.is_visible()
    assert others.inner_text().startswith("Also: ")
    touched = view(gallery50, has_touch=True, is_mobile=True).open(it.name)
    assert touched.tab.locator(".others").first.is_visible()


def test_a_picture_that_is_gone_leaves_its_description(view, gallery50, tmp_path):
    folder = shutil.copytree(gallery50, tmp_path / "gallery")
    picture = folder / "pictures" / WNID / "validation-ILSVRC2012_val_00004677.webp"
    picture.unlink()
    it = view(folder).open(f"classes/{WNID}.html")
    it.tab.wait_for_selector(".broken")
    assert it.tab.locator(".broken").count() == 1
    assert re.match(
        r"Not there: the picture of goldfish, ILSVRC2012_val_00004677\.JPEG\. Mask: ", it.shown(".broken")[0]
    )
    assert all("ERR_FILE_NOT_FOUND" in fault for fault in it.faults)


def test_a_gallery_without_its_data_set_shows_the_smaller_pictures(view, gallery50, tmp_path):
    note = ["The file is not there: a smaller picture is shown."]
    it = view(gallery50).open(IMAGE)
    assert it.tab.locator(".original").evaluate("image => image.naturalWidth") == 51
    assert it.shown(".only-thumbnail") == []
    alone = view(shutil.copytree(gallery50, tmp_path / "gallery")).open(IMAGE)
    alone.tab.wait_for_selector(".original", state="detached")
    assert (alone.shown(".only-thumbnail"), alone.tab.locator(".broken").count()) == (note, 0)
    assert alone.tab.locator(".photo").evaluate("image => image.naturalWidth") == 51


def test_pages_show_images_and_masks_without_javascript(view, gallery50):
    it = view(gallery50, java_script_enabled=False)
    for page in PAGES[1:]:
        it.open(page)
        assert it.tab.locator(".photo").first.is_visible()
        assert it.tab.locator(".mask").first.is_visible()


def test_a_page_runs_no_script_but_its_own(view, gallery50):
    it = view(gallery50).open("index.html")
    it.tab.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.mine = 1';"
        " document.head.append(s); }"
    )
    assert it.tab.evaluate("window.mine") is None
    assert len(it.faults) == 1
    assert "Content Security Policy" in it.faults[0]


def test_pages_print_without_controls(view, gallery50):
    it = view(gallery50, color_scheme="dark").open(f"classes/{WNID}.html")
    it.tab.emulate_media(media="print")
    assert it.shown(".controls") == []
    assert it.tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert it.tab.pdf().startswith(b"%PDF")


def test_919_classes_are_searched_and_sorted(view, gallery919):
    it = view(gallery919).open("index.html")
    assert it.shown("#found") == ["919 classes"]
    it.tab.fill("#search", "crane")
    assert names(it) == ["crane", "crane"]
    it.tab.fill("#search", "")
    it.tab.locator("#table thead button").nth(1).click()
    assert it.tab.locator("#table tbody th").first.inner_text() == "abacus"
    it.tab.click("#table tbody th a >> nth=0")
    assert it.shown("main p") == ["This copy has no images of the class in the splits that are shown."]
    assert it.faults == []
