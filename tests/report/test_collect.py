"""Pages and index: what they show, and that they need nothing from elsewhere."""

import base64
import io
import re
from html.parser import HTMLParser

import nbformat
import pytest
from conftest import notebook, png, run
from PIL import Image

from gigafleet.report import collect


class Elements(HTMLParser):
    """All elements of a page, with their attributes; checks that tags close in order."""

    VOID = ("meta", "link", "img", "br", "hr", "input", "col")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, *tags: str) -> list[dict]:
        return [attributes for tag, attributes in self.found if tag in tags]


@pytest.fixture
def every_page(batch):
    pages = {path: path.read_text(encoding="utf-8") for path in batch.folder.rglob("*.html")}
    assert len(pages) == 8
    return pages


def test_nothing_comes_from_the_network(every_page):
    for path, text in every_page.items():
        elements = Elements(text)
        assert not elements.all("script", "link", "iframe"), path
        for image in elements.all("img"):
            assert not re.match(r"\s*(https?:)?//", image["src"]), path
        assert not re.search(r"@import|url\(", text), path


def test_links_are_relative_and_lead_somewhere(every_page, batch):
    for path, text in every_page.items():
        links = [a["href"] for a in Elements(text).all("a")]
        assert links
        for link in links:
            assert (path.parent / link).resolve().is_file(), (path, link)
    page = every_page[batch.folder / "base" / "00_sample.html"]
    assert {"../index.html", "00_sample.ipynb"} == {a["href"] for a in Elements(page).all("a")}


def test_every_image_has_its_text(every_page, batch):
    for path, text in every_page.items():
        for image in Elements(text).all("img"):
            assert image.get("alt"), path
    for path in ("base/00_sample.html", "index.html"):
        images = Elements(batch.read(path)).all("img")
        assert images[0]["alt"] == "A rise from 1 to <9> & more"
    assert Elements(batch.read("base/00_sample.html")).all("img")[1]["alt"] == "Figure"


def test_a_page_shows_text_and_outputs_but_no_code(batch):
    text = batch.read("other/00_sample.html")
    assert text.count("What is in place?</h1>") == 1
    assert "<b>7 units</b>" in text
    assert '<td class="figure">700</td>' in text
    assert "7 in texas" in text
    assert "display(" not in text
    assert "warnings.warn(" not in re.sub(r"<pre>.*?</pre>", "", text, flags=re.S)


def test_a_page_names_the_parameters_that_differ(batch):
    facts = re.search(r'<dl class="facts">(.*?)</dl>', batch.read("other/00_sample.html"), re.S)[1]
    assert re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", facts) == [
        ("scenario", "other"),
        ("count", "7"),
        ("share", "0.5"),
        ("place", "texas"),
        ("parts", "x, y"),
    ]
    assert "all parameters at their defaults" in batch.read("b-not/01_fragile.html")


def test_a_failed_page_has_its_traceback(batch):
    text = batch.read("b-raise/01_fragile.html")
    assert "This run failed." in text
    traceback = re.search(r"<details><summary>Traceback</summary>\s*<pre>(.*?)</pre>", text, re.S)[1]
    assert "TypeError" in traceback
    assert "\x1b" not in text
    assert "about to fail" in text
    assert "An Exception was encountered" not in text
    assert "This run failed." not in batch.read("base/00_sample.html")
    assert "DeadKernelError" in batch.read("b-die/01_fragile.html")


def cards(index: str) -> dict[str, str]:
    found = re.findall(r"<article.*?</article>", index, re.S)
    return {re.search(r'href="([\w/-]+)\.html"', card)[1]: card for card in found}


def test_the_index_has_a_card_for_each_report(batch):
    index = batch.read("index.html")
    assert re.sub(r"<[^>]+>|\s+", " ", index).count("3 of 7 reports done") == 1
    assert "4 failed" in index
    assert "cases.yaml" in index
    assert list(cards(index)) == [
        *("base/00_sample", "other/00_sample"),
        *(f"b-{way}/01_fragile" for way in ("not", "raise", "two-lines", "exit", "die")),
    ]
    card = cards(index)["other/00_sample"]
    for expected in ("What is in place?", "How many units are in place, and where?", "units in place", "1 to 9"):
        assert expected in card
    assert re.search(r"<b>7 <span>units</span></b>", card)
    assert re.search(r"<span>\d+\.\d s</span>", card)
    assert re.search(r'<span class="good">done</span>', card)


def test_a_failed_card_is_red_and_says_why(batch):
    card = cards(batch.read("index.html"))["b-two-lines/01_fragile"]
    assert '<article class="card broken">' in card
    assert '<p class="bad">ValueError: second line</p>' in card
    assert '<span class="bad">failed</span>' in card
    assert "no figure" in card


def test_the_thumbnail_is_small(tmp_path):
    path = notebook(tmp_path / "a" / "00_sample.ipynb", "x = 1")
    made = nbformat.read(path, as_version=4)
    made.cells[0].outputs = [nbformat.v4.new_output("display_data", {"image/png": png(2000, 1000)})]
    thumbnail, alt = collect._thumbnail(made)
    image = Image.open(io.BytesIO(base64.b64decode(thumbnail.removeprefix("data:image/png;base64,"))))
    assert image.size == (640, 320)
    assert alt == ""
    made.cells[0].outputs[0].data["image/png"] = "no image"
    assert collect._thumbnail(made) == ("", "")


def test_earlier_reports_stay_and_are_listed(notebooks, scenarios, tmp_path):
    folder = tmp_path / "reports"
    for ending in ("html", "ipynb"):
        earlier = folder / "before" / f"00_sample.{ending}"
        earlier.parent.mkdir(parents=True, exist_ok=True)
        earlier.write_text("earlier", encoding="utf-8")
    made = run(scenarios(("now", "01_fragile")), folder)
    assert made.status == 0
    assert earlier.read_text(encoding="utf-8") == "earlier"
    section = made.read("index.html").partition("Earlier reports")[2]
    assert '<a href="before/00_sample.html">before/00_sample</a>' in section
    assert "now/" not in section


def test_text_of_others_is_escaped():
    card = collect.Card("a", "00", "<i>T</i>", "a < b", "E: <b>", {"p": "<x>"}, "a/00.html", "a/00.ipynb")
    text = collect._templates.get_template("page.html.j2").render(
        card=card, body="", traceback="<t>", executed="00.ipynb"
    )
    for markup in ("<i>T", "E: <b>", "<x>", "<t>"):
        assert markup not in text
