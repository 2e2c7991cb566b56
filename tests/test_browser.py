"""The Ask tab's input side, and the page as a whole, in a real browser."""

import io
import json
import re
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import COAT, ask_by_keyboard, watched_page
from fake_predictor import write_clip
from PIL import Image

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect
pytestmark = pytest.mark.browser


def pick_sample(page, index=0):
    page.locator("#samples button").nth(index).click()
    expect(page.locator("#clip video")).to_be_visible()
    expect(page.locator("#sentences textarea")).to_have_value(f"{COAT}, {'ab'[index]}")


@contextmanager
def picks_held(page):
    """The requests of presses on samples so far; each goes on when it is told to."""
    held = []

    def hold(route):
        if '"sample":' in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route("**/run/predict*", hold)
    yield held
    page.unroute("**/run/predict*")


def wait_until(happens, seconds=10.0):
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


def test_a_sample_is_answered(page):
    pick_sample(page)
    page.locator("#run").click()
    expect(page.locator("#status .found")).to_contain_text("Found in")
    expect(page.locator("#annotated video")).to_be_visible()
    expect(page.locator("#get-mp4")).to_be_enabled()
    with page.expect_download() as download:
        page.locator("#get-json").click()
    assert json.loads(download.value.path().read_text())["schema_version"] == 1


@pytest.mark.parametrize("key", ["", "Enter"], ids=["run", "enter"])
@pytest.mark.parametrize("before", [False, True], ids=["the first", "another"])
def test_run_waits_for_the_sample_just_pressed(page, before, key):
    if before:
        pick_sample(page)
    with picks_held(page) as picks:
        page.locator("#samples button").nth(1).click()
        if key:
            page.locator("#sentences textarea").press(key)
        else:
            page.locator("#run").click()
        page.wait_for_timeout(300)
        expect(page.locator("#status .welcome")).to_be_visible()
        picks.pop().continue_()
        expect(page.locator("#status .found")).to_contain_text(f"{COAT}, b")
    with page.expect_download() as download:
        page.locator("#get-json").click()
    assert json.loads(download.value.path().read_text())["video"]["path"] == "b.mp4"


def test_of_samples_pressed_quickly_the_last_one_stays(page):
    buttons = page.locator("#samples button")
    with picks_held(page) as picks:
        for number in (0, 1, 0, 1):
            buttons.nth(number).click()
        for _ in range(4):
            wait_until(lambda: picks or page.wait_for_timeout(50))
            assert len(picks) == 1, "one at a time, or they could come in another order"
            picks.pop().continue_()
        expect(page.locator("#sentences textarea")).to_have_value(f"{COAT}, b")
        expect(page.locator("#clip-note")).to_contain_text("b.mp4")
    assert [button.get_attribute("aria-pressed") for button in buttons.all()] == ["false", "true"]
    page.locator("#run").click()
    expect(page.locator("#status .found")).to_contain_text(f"{COAT}, b")


def test_a_sample_that_cannot_be_had_lets_run_go_on(browser, url):
    page = browser.new_page()  # its console is not watched: the server's refusal is an error there
    page.goto(url)
    pick_sample(page)
    with picks_held(page) as picks:
        page.locator("#samples button").nth(1).click()
        page.locator("#run").click()
        wait_until(lambda: picks or page.wait_for_timeout(50))
        picks.pop().fulfill(status=500, json={"error": "it has gone"})
        expect(page.locator("#status .found")).to_contain_text(f"{COAT}, a")
    page.close()


def test_enter_runs_and_nobody_fits(page):
    pick_sample(page, 1)
    box = page.locator("#sentences textarea")
    box.fill("the dragon")
    box.press("Shift+Enter")
    box.type("the <i>dragon</i> ${1+1}")
    assert box.input_value().count("\n") == 1
    box.press("Enter")
    expect(page.locator("#status .nobody")).to_have_count(2)
    expect(page.locator("#status")).to_contain_text("the <i>dragon</i> ${1+1}")
    expect(page.locator("#chart polyline")).to_have_count(0)


def test_chips_fill_the_box(page):
    pick_sample(page)
    box = page.locator("#sentences textarea")
    page.get_by_role("button", name="the dragon").click()
    expect(box).to_have_value("the dragon")
    page.get_by_role("button", name="all at once").click()
    expect(box).to_have_value(f"{COAT}, a\nthe dragon")
    box.press("Enter")
    expect(page.locator("#status .found")).to_have_count(1)
    expect(page.locator("#status .nobody")).to_have_count(1)


def test_the_page_states_its_limits_and_what_a_clip_is(page, tmp_path):
    note = page.locator("#clip-note")
    expect(note).to_contain_text("at most 200 MB, 10 min, 4096×2304 pixels; up to 8 sentences")
    page.locator("#clip input[type=file]").set_input_files(write_clip(tmp_path / "own.mp4"))
    expect(note).to_contain_text("own.mp4: 320×180 pixels, 2.0 s")
    page.locator("#sentences textarea").fill(COAT)
    page.locator("#run").click()
    expect(page.locator("#status .found")).to_be_visible()


def test_a_bad_file_gives_one_sentence_and_the_page_goes_on(page, tmp_path):
    bad = tmp_path / "notes.mp4"
    bad.write_text("not a video")
    page.locator("#sentences textarea").fill(COAT)
    page.locator("#clip input[type=file]").set_input_files(bad)
    expect(page.locator("#clip-note [role=alert]")).to_contain_text("notes.mp4 is not a video that can be read")
    page.locator("#run").click()
    expect(page.locator("#status .problem")).to_contain_text("notes.mp4 is not a video that can be read")
    expect(page.locator(".toast-body:visible")).to_have_count(0)
    expect(page.locator("#run")).to_be_enabled()
    pick_sample(page)
    page.locator("#run").click()
    expect(page.locator("#status .found")).to_be_visible()


def test_a_file_of_another_kind_is_told_without_a_red_box(page, tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("no video at all")
    page.locator("#clip input[type=file]").set_input_files(words)
    expect(page.locator("#notice")).to_contain_text("Invalid file type")
    expect(page.locator("#notice")).to_be_visible()
    expect(page.locator(".toast-body:visible")).to_have_count(0)


def test_an_upload_that_has_gone_gives_one_sentence(page, tmp_path):
    from gradio.utils import get_upload_folder

    page.locator("#clip input[type=file]").set_input_files(write_clip(tmp_path / "brief.mp4", hue=10))
    expect(page.locator("#clip-note")).to_contain_text("brief.mp4: 320")
    for path in Path(get_upload_folder()).rglob("brief.mp4"):
        path.unlink()
    page.locator("#sentences textarea").fill(COAT)
    page.locator("#run").click()
    expect(page.locator("#status .problem")).to_contain_text("The clip brief.mp4 is no longer here; upload it again.")
    expect(page.locator("#run")).to_be_enabled()


@pytest.mark.parametrize(
    ("sentences", "told"),
    [("", "No sentence was given"), ("a" * 301, "has 301 letters"), ("\n".join("abcdefghi"), "9 sentences were given")],
)
def test_sentences_that_cannot_be_asked(page, sentences, told):
    pick_sample(page)
    page.locator("#sentences textarea").fill(sentences)
    page.locator("#run").click()
    expect(page.locator("#status .problem")).to_contain_text(told)
    expect(page.locator("#run")).to_be_enabled()


def test_advanced_settings_are_used(page):
    pick_sample(page)
    page.get_by_role("button", name="Advanced").click()
    start, end = page.locator("#advanced").get_by_label("Start"), page.locator("#advanced").get_by_label("End")
    expect(start).to_have_value("")
    page.locator("#run").click()
    expect(page.locator("#status .found")).to_contain_text("Found in 5 of 7")
    start.fill("soon")
    page.locator("#run").click()
    expect(page.locator("#status .problem")).to_contain_text("The start 'soon' is not a number")
    start.fill("1.5")
    end.fill("1")
    page.locator("#run").click()
    expect(page.locator("#status .problem")).to_contain_text("must lie after the start")
    end.fill("")
    page.locator("#run").click()
    expect(page.locator("#status .problem")).to_have_count(0)
    expect(page.locator("#run")).to_be_enabled()
    with page.expect_download() as download:
        page.locator("#get-json").click()
    assert json.loads(download.value.path().read_text())["analysed"] == {"start": 1.5, "end": 2.0, "stride": 1.0}


@pytest.mark.parametrize("stage", ["Reading the clip", "Drawing the answer"])
def test_cancel_stops(page, fake, stage, tmp_path):
    page.locator("#clip input[type=file]").set_input_files(write_clip(tmp_path / f"{stage[:4]}.mp4", hue=len(stage)))
    page.locator("#sentences textarea").fill(COAT)
    expect(page.locator("#clip-note")).to_contain_text("320×180")
    fake.pause_s = 0.25
    try:
        page.locator("#run").click()
        expect(page.locator("#status .working")).to_contain_text(stage)
        page.locator("#cancel").click()
        pressed = time.monotonic()
        expect(page.locator("#status")).to_contain_text("Stopped.")
        expect(page.locator("#run")).to_be_enabled()
        assert time.monotonic() - pressed < 5  # two seconds on a quiet machine: training.load
    finally:
        fake.pause_s = 0.0
    page.locator("#run").click()
    expect(page.locator("#status .found")).to_be_visible()


def test_nothing_is_left_when_the_page_is_closed(browser, url, tmp_path):
    from gradio.utils import get_upload_folder

    root = Path(get_upload_folder())
    with watched_page(browser, url) as page:
        before = set(root.rglob("*"))
        page.locator("#clip input[type=file]").set_input_files(write_clip(tmp_path / "private.mp4", hue=200))
        page.locator("#sentences textarea").fill(COAT)
        page.locator("#run").click()
        expect(page.locator("#get-mp4")).to_be_enabled()
        mine = {path for path in set(root.rglob("*")) - before if path.is_file()}
        assert {path.suffix for path in mine} == {".mp4", ".json", ".csv", ".zip"} and len(mine) >= 5
    wait_until(lambda: not any(path.exists() for path in mine))


def test_two_pages_with_the_same_clip(browser, url, tmp_path):
    clip = write_clip(tmp_path / "shared.mp4", hue=150)
    with watched_page(browser, url) as second:
        with watched_page(browser, url) as first:
            for page in (first, second):
                page.locator("#clip input[type=file]").set_input_files(clip)
                expect(page.locator("#clip-note")).to_contain_text("shared.mp4: 320")
        second.wait_for_timeout(1500)
        second.locator("#sentences textarea").fill(COAT)
        second.locator("#run").click()
        expect(second.locator("#status .found")).to_be_visible()


def test_everything_by_keyboard(page):
    ask_by_keyboard(page, "Enter")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1920])
def test_the_page_fits_narrow_and_wide_light_and_dark(chromium, url, width, theme):
    context = chromium.new_context(viewport={"width": width, "height": 800})
    with watched_page(context, f"{url}?__theme={theme}") as page:
        expect(page.locator("#samples button").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if theme == "dark":
            expect(page.locator("body")).to_have_class(re.compile("dark"))
            page.wait_for_timeout(300)
        shades = Image.open(io.BytesIO(page.screenshot())).convert("RGB").getpixel((2, 500))
        assert (max(shades) < 60) == (theme == "dark") and (min(shades) > 200) == (theme == "light")
        small = page.evaluate("[...document.querySelectorAll('#run, .samples button')].map(e => e.offsetHeight)")
        assert min(small) >= 40, "buttons are large enough for a finger"
    context.close()


def test_about_tells_scores_and_origin(page):
    page.get_by_role("tab", name="About").click()
    about = page.locator("#about")
    expect(about).to_contain_text("0.512")
    for words in ("rendered people", "2407.01872", "2510.16444", "Apache-2.0"):
        expect(about).to_contain_text(words)
