"""The pages of a gallery: links, texts, names of any kind, and nothing that a policy must forbid."""

import csv
import re
import shutil

import pytest

from helpers.checks import without_manifests
from helpers.damages import own_copy
from helpers.pages import Page, pages
from imagenet_s.copies.copy import open_copy
from imagenet_s.gallery import pages as gallery_pages
from imagenet_s.gallery.choose import Choice
from imagenet_s.gallery.pages import write_pages
from imagenet_s.gallery.pictures import make_pictures
from imagenet_s.spec.classes import class_ids, class_names

WNID = "n01443537"
THREE = Choice(("validation",), 3)
HOSTILE = "a \"b\" 'c' <script>alert(1)<!-- & #1?%20é\n{{ 7*7 }}"
POLICY = (
    "default-src 'none'; img-src 'self' file:; style-src 'self' file:; script-src 'self' file:; "
    "base-uri 'none'; form-action 'none'"
)


@pytest.fixture(scope="module")
def read(made50):
    return {str(page.path.relative_to(made50.folder)): page for page in pages(made50.folder)}


def one_class(tree, folder, choice=THREE):
    """A gallery of one class."""
    copy = open_copy(tree)
    write_pages(copy, make_pictures(copy, choice, [WNID], folder, 1), folder)
    return folder


def test_there_is_a_page_for_each_class_and_each_image(read):
    wnids = list(class_ids(50))
    assert len(read) == 1 + 50 + 3 * 50
    assert {f"classes/{wnid}.html" for wnid in wnids} < set(read)
    assert all(len([name for name in read if name.startswith(f"images/{wnid}/")]) == 3 for wnid in wnids)


def test_every_link_and_picture_of_every_page_is_there(read):
    for page in read.values():
        targets = page.targets()
        assert targets
        assert [path for path in targets if not path.is_file()] == []


def test_every_page_has_a_policy_and_nothing_that_it_forbids(read):
    for page in read.values():
        assert page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"] == POLICY
        assert all(set(found) == {"src", "defer"} for found in page.all("script"))
        assert not page.all("style")
        assert not [name for _, found in page.tags for name in found if name == "style" or name[:2] == "on"]


def test_every_picture_has_a_text_or_is_decoration(read):
    for page in read.values():
        for image in page.all("img"):
            assert "alt" in image
        for photo in page.all("img", kind="photo"):
            assert re.match(r".+, \S+\.JPEG", photo["alt"])


def test_the_start_page_says_what_it_shows(read, tree50):
    page = read["index.html"]
    digest = "42c84eb3d5945fc2254c854a6d72d784bb47c4e0834c91797d63bbf36096a433"
    assert f"Folder {tree50} Digest {digest} Images from" in page.text
    assert "This is synthetic data with the official names. It is not ImageNet." in page.text
    assert "train 650 images train-semi 500 images, 707,272 pixels of classes in the masks" in page.text
    with (tree50 / "classes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        area = int(row["validation_pixels"]) + int(row["train_semi_pixels"])
        counts = [row[name] for name in ("train", "validation", "train_semi", "test")]
        assert f"{row['class_id']} {row['name']} {row['wnid']} {' '.join(counts)} {area:,}" in page.text
    assert len(page.all("td", kind="thumb")) == 50


def test_a_class_page_says_how_many_of_its_images_it_shows(read):
    page = read[f"classes/{WNID}.html"]
    assert "goldfish Class 1 · n01443537 tiger shark →" in page.text
    assert "validation 1 of 15 images" in page.text
    assert "train-semi 1 of 10 images" in page.text
    assert "test 1 of 34 images" in page.text
    assert (len(page.all("img", kind="photo")), len(page.all("img", kind="mask"))) == (3, 2)


def test_an_image_page_has_its_mask_its_row_and_its_neighbours(read):
    names = [name for name in read if name.startswith(f"images/{WNID}/")]
    page = read[f"images/{WNID}/validation-ILSVRC2012_val_00004677.html"]
    assert "In the mask other (0) 72.1 % goldfish (1) 21.9 % ignore (1000) 6.1 %" in page.text
    assert "Size 51 × 92 pixels, 1,675 bytes" in page.text
    assert "mask_ids 0 1 1000" in page.text
    assert "mask validation-segmentation/n01443537/ILSVRC2012_val_00004677.png" in page.text
    assert not page.all("a", rel="prev")
    (after,) = page.all("a", rel="next")
    assert f"images/{WNID}/{after['href']}" in names


def test_the_other_classes_of_an_image_are_named(tree50, tmp_path):
    folder = one_class(tree50, tmp_path, Choice(("validation",), 0))
    page = Page(folder / "classes" / f"{WNID}.html")
    names = {number: class_names()[wnid] for wnid, number in class_ids(50).items()}
    (made,) = make_pictures(open_copy(tree50), Choice(("validation",), 0), [WNID], tmp_path / "x", 1)
    others = [[names[n] for n, _ in x["ids"] if n not in (0, 1, 1000)] for x in made["pictures"]]
    assert sum(map(bool, others)) > 0
    for found in filter(None, others):
        assert f"Also: {', '.join(found)}" in page.text


def test_names_of_any_kind_stay_text_and_their_links_work(tree50, tmp_path, monkeypatch):
    root = tmp_path / HOSTILE.replace("/", "")
    tree = without_manifests(own_copy(tree50, root / "ImageNetS50"))
    names = {wnid: f"{name} </a><script>alert(2)</script>\"'&" for wnid, name in class_names().items()}
    monkeypatch.setattr(gallery_pages, "class_names", lambda: names)
    known = gallery_pages.classes

    def renamed(copy):
        table = known(copy)
        place = table.schema.get_field_index("name")
        return table.set_column(place, "name", [[names[wnid] for wnid in table["wnid"].to_pylist()]])

    monkeypatch.setattr(gallery_pages, "classes", renamed)
    folder = one_class(tree, root / "gallery" / "50")
    found = pages(folder)
    assert len(found) == 5
    for page in found:
        assert len(page.all("script")) == 1
        assert [path for path in page.targets() if not path.is_file() and path.parent.name != "classes"] == []
        assert f"{names[WNID]}" in page.text
    start = Page(folder / "index.html")
    assert " ".join(str(tree).split()) in start.text


def test_a_hostile_image_name_in_a_manifest_stays_text(tree50, tmp_path):
    tree = own_copy(tree50, tmp_path / "ImageNetS50")
    (tree / "dataset.json").unlink()
    old, new = "ILSVRC2012_val_00004677", "<script>alert('x')&amp; é #?%3C"
    manifest = tree / "manifests" / "validation.csv"
    before = f"validation/{WNID}/{old}.JPEG"
    text = manifest.read_text(encoding="utf-8").replace(before, f"validation/{WNID}/{new}.JPEG")
    manifest.write_text(text, encoding="utf-8")
    (tree / before).rename(tree / f"validation/{WNID}/{new}.JPEG")
    folder = one_class(tree, tmp_path / "gallery", Choice(("validation",), 0))
    (page,) = (
        page for page in pages(folder / "images") if re.fullmatch(r"validation-[0-9a-f]{16}", page.path.stem)
    )
    assert f"image validation/{WNID}/{new}.JPEG" in page.text
    assert len(page.all("script")) == 1
    assert [path for path in page.targets() if not path.is_file()] == []


def test_a_copy_by_others_has_a_gallery_that_says_what_is_unknown(tree50, tmp_path):
    tree = without_manifests(own_copy(tree50, tmp_path / "mine"))
    folder = one_class(tree, tmp_path / "gallery")
    start = Page(folder / "index.html")
    assert f"Folder {tree} Digest unknown: the copy has no manifests train 650 images" in start.text
    assert "1 goldfish n01443537 13 15 10 34 unknown" in start.text
    assert "synthetic" not in start.text
    page = Page(folder / "images" / WNID / "validation-ILSVRC2012_val_00004677.html")
    assert "Size 51 × 92 pixels, 1,675 bytes" in page.text
    assert "sha256 none" in page.text


def test_damaged_files_have_pages_that_say_so(tree50, tmp_path):
    tree = own_copy(tree50, tmp_path / "ImageNetS50")
    paths = [f"validation/{WNID}/ILSVRC2012_val_00004677.JPEG"]
    paths += sorted(str(path.relative_to(tree)) for path in (tree / "validation" / WNID).iterdir())[1:3]
    (tree / paths[0]).unlink()
    (tree / paths[1]).unlink()
    (tree / paths[1]).write_bytes(b"<script>")
    mask = paths[2].replace("validation", "validation-segmentation").replace("JPEG", "png")
    (tree / mask).unlink()
    folder = one_class(tree, tmp_path / "gallery", Choice(("validation",), 0))
    page = Page(folder / "classes" / f"{WNID}.html")
    assert len(page.all("img", kind="photo")) == 13
    assert len(page.all("div", kind="picture broken", role="img")) == 2
    assert "This image cannot be read: No such file or directory" in page.text
    assert "This image cannot be decoded: unknown file format" in page.text
    assert "The mask cannot be read: No such file or directory" in page.text
    changed = Page(folder / "images" / WNID / f"validation-{paths[1].rpartition('/')[2][:-5]}.html")
    assert "The image is not the file that its manifest states: its sha256 is" in changed.text
    shutil.rmtree(tree / "validation" / WNID)
    assert (
        len(Page(one_class(tree, tmp_path / "other") / "classes" / f"{WNID}.html").all("div", role="img"))
        == 3
    )


def test_a_class_without_images_has_a_page(tree50, tmp_path):
    write_pages(open_copy(tree50), [{"wnid": WNID, "pictures": []}], tmp_path)
    page = Page(tmp_path / "classes" / f"{WNID}.html")
    assert "This copy has no images of the class in the splits that are shown." in page.text


def test_pages_and_pictures_of_an_earlier_gallery_are_removed(tree50, tmp_path):
    (tmp_path / "gallery" / "pictures" / "n00000000").mkdir(parents=True)
    folder = one_class(tree50, tmp_path / "gallery", Choice(("validation",), 0))
    one_class(tree50, folder, Choice(("train-semi",), 1))
    assert len(list((folder / "images").rglob("*.html"))) == 1
    assert [path.name for path in (folder / "pictures").iterdir()] == [WNID]
