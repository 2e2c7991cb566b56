"""The Browse and About tabs in a real browser."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import watched_page
from fake_predictor import FakePredictor, serve, write_clip
from test_browse import PEOPLE, RECORD, write, write_frames

pytest.importorskip("playwright")

from playwright.sync_api import expect

pytestmark = pytest.mark.browser
MANY = 30
# Where FakePredictor puts the person at 1 s of a clip 320 x 180, in fractions.
THERE = (70 / 320, 45 / 180, 123 / 320, 179 / 180)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people and nobody of a clip, a film's frames, a clip that is not there, and more people."""
    root = tmp_path_factory.mktemp("data")
    (root / "clips").mkdir()
    write_clip(root / "clips" / "a.mp4")
    film = replace(write_frames(root, size=(320, 180)), sentence="the man of the film", box_xyxy=THERE)
    gone = replace(RECORD, clip="clips/gone.mp4", sentence="the man who is gone", actions=(14,))
    more = [replace(PEOPLE[1], person_id=str(i), sentence=f"the bearded woman, {i}") for i in range(MANY)]
    people = [
        replace(PEOPLE[0], box_xyxy=THERE, actions=(12, 59)),
        PEOPLE[1],
        replace(PEOPLE[2], sentence="the dragon"),
    ]
    return write(root, *people, film, gone, *more)


@pytest.fixture
def tab(page: Any) -> Any:
    """The open Browse tab, its first people listed."""
    page.get_by_role("tab", name="Browse").click()
    expect(page.locator("#browse-grid button")).to_have_count(12)
    return page


def pick(page: Any, sentence: str) -> None:
    page.locator("#browse-grid button", has_text=sentence).first.click()
    expect(page.locator("#browse-clip h2")).to_have_text(f"‘{sentence}’")
    expect(page.locator("#browse-outcome figure")).to_have_count(1)


def ask(page: Any) -> None:
    page.locator("#browse-ask").click()
    expect(page.locator("#browse-outcome .outcome:not(.working)")).to_be_visible()


def test_people_are_listed_with_pictures_and_pages(tab: Any) -> None:
    expect(tab.locator("#browse-count")).to_have_text("35 records, page 1 of 3")
    expect(tab.locator("#browse-grid img[src^='data:image/jpeg']")).to_have_count(11)
    expect(tab.locator("#browse-grid .missing")).to_have_count(1)
    tab.get_by_role("button", name="Next").click()
    expect(tab.locator("#browse-count")).to_have_text("35 records, page 2 of 3")
    expect(tab.get_by_role("button", name="Previous")).to_be_enabled()
    number = tab.get_by_label("Page (Enter goes there)")
    number.fill("9")
    number.press("Enter")
    expect(tab.locator("#browse-count")).to_have_text("35 records, page 3 of 3")
    expect(tab.locator("#browse-grid button")).to_have_count(11)
    expect(tab.get_by_role("button", name="Next")).to_be_disabled()


def choose(page: Any, label: str, option: str) -> None:
    page.get_by_label(label).click()
    page.get_by_role("option", name=option).click()


def test_words_actions_and_groups_filter(tab: Any) -> None:
    count = tab.locator("#browse-count")
    tab.get_by_label("Words of the sentence").fill("man")
    expect(count).to_have_text("3 of 35 records, page 1 of 1")
    choose(tab, "Action", "walk (1)")
    expect(tab.locator("#browse-grid .said")).to_have_text(["the man who is gone"])
    choose(tab, "Group", "object manipulation")
    expect(tab.locator("#browse-grid .said")).to_have_text(["the man in the red hat", "the man of the film"])
    tab.get_by_label("Words of the sentence").fill("")
    choose(tab, "Group", "fits nobody")
    expect(tab.locator("#browse-grid .said")).to_have_text(["the dragon"])
    tab.get_by_label("Words of the sentence").fill("zebra")
    expect(count).to_contain_text("None of 35 records fits")


def test_truth_and_answer_are_shown_side_by_side(tab: Any) -> None:
    pick(tab, "the man in the red hat")
    video = tab.locator("#browse-clip video")
    expect(video).to_be_visible()
    tab.wait_for_function("document.querySelector('#browse-clip video').readyState >= 2")
    assert video.evaluate("node => node.currentTime") == pytest.approx(1.0, abs=0.05), "paused at the key frame"
    expect(tab.locator("#browse-clip ul.does li")).to_have_count(2)
    ask(tab)
    expect(tab.locator("#browse-outcome figcaption")).to_have_count(2)
    expect(tab.locator("#browse-outcome .iou")).to_have_text("IoU 1.00")
    expect(tab.locator("#browse-outcome .outcome")).to_have_text("Right person: the boxes overlap with IoU 1.00.")
    truth = tab.locator("#browse-outcome .box.truth").first.bounding_box()
    picture = tab.locator("#browse-outcome figure img").first.bounding_box()
    assert (truth["x"] - picture["x"]) / picture["width"] == pytest.approx(THERE[0], abs=0.01)
    assert truth["height"] / picture["height"] == pytest.approx(THERE[3] - THERE[1], abs=0.01)
    rows = tab.locator("#browse-outcome .verdicts tbody tr")
    expect(rows.nth(0)).to_contain_text("hit")
    expect(rows.nth(1)).to_have_text(re.compile("touch .*missed"))
    expect(tab.locator("#browse-outcome .verdicts caption")).to_have_text("Actions: 1 hit, 1 missed, 3 extra")
    expect(tab.locator("#browse-ask")).to_be_enabled()


def test_nobody_found_is_right_where_nobody_is_meant(tab: Any) -> None:
    pick(tab, "the dragon")
    expect(tab.locator("#browse-outcome .nobody")).to_have_text("The sentence fits nobody.")
    ask(tab)
    expect(tab.locator("#browse-outcome .outcome.right")).to_contain_text("Right: the sentence fits nobody")


def test_a_film_of_frames_plays_and_is_compared(tab: Any) -> None:
    pick(tab, "the man of the film")
    tab.wait_for_function("document.querySelector('#browse-clip video').readyState >= 2")
    clock = "node => [node.currentTime, node.duration]"
    assert tab.locator("#browse-clip video").evaluate(clock) == pytest.approx([1.5, 3.0], abs=0.05)
    ask(tab)
    expect(tab.locator("#browse-outcome .verdicts")).to_be_visible()


def test_a_missing_clip_is_a_sentence_and_the_tab_goes_on(tab: Any) -> None:
    tab.locator("#browse-grid button", has_text="the man who is gone").click()
    expect(tab.locator("#browse-clip .problem")).to_contain_text("clips/gone.mp4 is not in its folder")
    expect(tab.locator("#browse-ask")).to_be_hidden()
    pick(tab, "the dragon")


def test_asking_can_be_cancelled(tab: Any, fake: FakePredictor) -> None:
    pick(tab, "the man in the red hat")
    fake.pause_s = 0.5
    try:
        tab.locator("#browse-ask").click()
        expect(tab.locator("#browse-outcome .working")).to_be_visible()
        tab.locator("#browse-cancel").click()
        expect(tab.locator("#browse-outcome")).to_contain_text("Stopped.")
        expect(tab.locator("#browse-ask")).to_be_enabled()
    finally:
        fake.pause_s = 0.0
    ask(tab)
    expect(tab.locator("#browse-outcome .right")).to_be_visible()


def test_the_keyboard_alone_compares(tab: Any) -> None:
    tab.get_by_label("Words of the sentence").focus()
    tab.keyboard.type("red")
    expect(tab.locator("#browse-grid button")).to_have_count(1)
    for _ in range(6):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.dataset.record !== undefined"):
            break
    tab.keyboard.press("Enter")
    expect(tab.locator("#browse-clip h2")).to_be_focused()
    for _ in range(12):  # the player has controls of its own
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.id") == "browse-ask":
            break
    tab.keyboard.press("Enter")
    expect(tab.locator("#browse-outcome .verdicts")).to_be_visible()


def test_only_the_picked_clip_is_served_and_only_while_it_is_shown(tab: Any, url: str, folder: Path) -> None:
    import httpx

    pick(tab, "the man in the red hat")
    address = tab.locator("#browse-clip video").evaluate("node => node.currentSrc").split("#")[0]
    assert httpx.get(address).status_code == 200
    for path in (folder / "test.jsonl", folder / "frames" / "v" / "image_000015.jpg"):
        assert httpx.get(f"{url}gradio_api/file={path}").status_code == 403
    pick(tab, "the man of the film")
    assert httpx.get(address).status_code in (403, 404)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_tabs_fit_a_phone(chromium: Any, url: str, theme: str) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 740})
    with watched_page(context, f"{url}?__theme={theme}") as page:
        page.get_by_role("tab", name="Browse").click()
        pick(page, "the man in the red hat")
        ask(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.get_by_role("tab", name="About").click()
        expect(page.locator("#about-card")).to_contain_text("fake")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()


def test_bibtex_is_copied(chromium: Any, url: str) -> None:
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    with watched_page(context, url) as page:
        page.get_by_role("tab", name="About").click()
        page.get_by_role("button", name="Copy BibTeX").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.count("@") == 3 and "2407.01872" in copied and "\n" in copied
    context.close()


@pytest.fixture
def bad(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "clips").mkdir()
    write_clip(tmp_path / "clips" / "a.mp4")
    good = json.dumps({"clip": "clips/a.mp4", "sentence": "the man"})
    (tmp_path / "test.jsonl").write_text(f"{good}\n" * 2100 + "{\n")
    with serve(FakePredictor(), tmp_path) as address:
        yield address


def test_a_bad_folder_is_one_sentence(browser: Any, bad: str) -> None:
    with watched_page(browser, bad) as page:
        page.get_by_role("tab", name="Browse").click()
        expect(page.locator("#browse-count .problem")).to_contain_text("test.jsonl, line 2101: not a JSON line")
        expect(page.locator("#browse-grid button")).to_have_count(0)
