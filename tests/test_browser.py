"""The page in a real browser."""

import json
import shutil

import pytest
from fake_predictor import FakePredictor, serve, write_clip

pytest.importorskip("playwright")

from playwright.sync_api import expect, sync_playwright

CHROMIUM = shutil.which("chromium")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")]
PATIENCE_MS = 45_000
COAT = "the person in the beige coat"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("samples")
    (root / "clips").mkdir()
    records = []
    for name, hue in (("a", 90), ("b", 40)):
        write_clip(root / "clips" / f"{name}.mp4", hue=hue)
        for sentence, box in ((f"{COAT}, {name}", [0, 0, 1, 1]), ("the dragon", None)):
            records.append({"clip": f"clips/{name}.mp4", "sentence": sentence, "box_xyxy": box})
    (root / "samples.jsonl").write_text("\n".join(map(json.dumps, records)))
    return root


@pytest.fixture(scope="module")
def fake():
    return FakePredictor()


@pytest.fixture(scope="module")
def url(folder, fake):
    with serve(fake, folder) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium.new_context(viewport={"width": 1280, "height": 900})  # one cache for all pages
        chromium.close()


@pytest.fixture
def page(browser, url):
    """An open page; the test fails on errors in its console and on requests to elsewhere."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    troubles = []
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda request: _is_ours(request.url, url) or troubles.append(request.url))
    page.goto(url)
    expect(page.locator("#samples button").first).to_be_visible()
    yield page
    page.close()
    assert troubles == []


def _is_ours(address, url):
    return address.startswith((url, "data:", "blob:"))


def pick_sample(page, index=0):
    page.locator("#samples button").nth(index).click()
    expect(page.locator("#clip video")).to_be_visible()
    expect(page.locator("#sentences textarea")).to_have_value(f"{COAT}, {'ab'[index]}")


def test_a_sample_is_answered(page):
    pick_sample(page)
    page.locator("#run").click()
    expect(page.locator("#status .found")).to_contain_text("Found in 5 of 7 key frames")
    expect(page.locator("#annotated video")).to_be_visible()
    expect(page.locator("#segments")).to_contain_text("stand")
    expect(page.locator("#chart polyline").first).to_be_attached()
    expect(page.locator("#get-mp4")).to_be_enabled()
    with page.expect_download() as download:
        page.locator("#get-json").click()
    assert json.loads(download.value.path().read_text())["schema_version"] == 1
    page.get_by_label("person movement").click()
    expect(page.locator("#chart li")).to_have_count(2)


def test_enter_runs_and_nobody_fits(page):
    pick_sample(page, 1)
    box = page.locator("#sentences textarea")
    box.fill("the dragon")
    box.press("Shift+Enter")
    box.type("the <i>dragon</i> ${1+1}")
    assert box.input_value().count("\n") == 1
    box.press("Enter")
    expect(page.locator("#status .nobody")).to_have_count(2)
    expect(page.locator("#status")).to_contain_text("Nobody in this clip fits ‘the <i>dragon</i> ${1+1}’")
    expect(page.locator("#chart")).to_be_hidden()


def test_a_bad_file_gives_one_sentence_and_the_page_goes_on(page, tmp_path):
    bad = tmp_path / "notes.mp4"
    bad.write_text("not a video")
    page.locator("#sentences textarea").fill(COAT)
    page.locator("#clip input[type=file]").set_input_files(bad)
    expect(page.locator("#clip video")).to_be_attached()
    page.locator("#run").click()
    expect(page.locator("#status .problem")).to_contain_text("cannot be opened as a video")
    # the player itself says so when the file is chosen; the run adds no toast of ours
    expect(page.locator(".toast-body").filter(has_not_text="Video not playable")).to_have_count(0)
    expect(page.locator("#run")).to_be_enabled()
    pick_sample(page)
    page.locator("#run").click()
    expect(page.locator("#status .found")).to_be_visible()


def test_cancel_stops(page, fake):
    fake.pause_s = 0.5
    try:
        pick_sample(page)
        page.locator("#run").click()
        expect(page.locator("#status .working")).to_contain_text("Reading the clip")
        page.locator("#cancel").click()
        expect(page.locator("#status")).to_contain_text("Stopped.")
        expect(page.locator("#run")).to_be_enabled()
    finally:
        fake.pause_s = 0.0
    page.locator("#run").click()
    expect(page.locator("#status .found")).to_be_visible()


def test_about_tells_scores_and_origin(page):
    page.get_by_role("tab", name="About").click()
    about = page.locator("#about")
    expect(about).to_contain_text("0.512")
    for words in ("rendered people", "2407.01872", "2510.16444", "Apache-2.0"):
        expect(about).to_contain_text(words)
