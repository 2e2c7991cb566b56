"""The Ask tab's answer side in a real browser."""

import csv
import io
import json
import zipfile

import av
import pytest
from conftest import COAT

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect
pytestmark = pytest.mark.browser


def run(page, *sentences):
    page.locator("#samples button").first.click()
    expect(page.locator("#clip video")).to_be_visible()
    box = page.locator("#sentences textarea")
    expect(box).to_have_value(f"{COAT}, a")
    box.fill("\n".join(sentences))
    page.locator("#run").click()
    expect(page.locator("#status .card")).to_have_count(len(sentences))
    expect(page.locator("#annotated video")).to_be_visible()
    page.wait_for_function("document.querySelector('#annotated video').readyState >= 2")


def moment(page):
    return page.locator("#annotated video").evaluate("video => video.currentTime")


def wait_for_moment(page, seconds):
    wanted = "([at]) => Math.abs(document.querySelector('#annotated video').currentTime - at) < 0.06"
    page.wait_for_function(wanted, arg=[seconds])


def test_two_sentences_have_cards_and_details_of_their_own(page):
    run(page, COAT, "the <i>dragon</i> ${1+1} {{x}}")
    expect(page.locator("#status .found")).to_contain_text("Found in 5 of 7 key frames")
    expect(page.locator("#status .nobody")).to_contain_text("Nobody in this clip fits ‘the <i>dragon</i> ${1+1} {{x}}’")
    expect(page.locator("#which button")).to_have_count(2)
    expect(page.locator("#chart polyline").first).to_be_attached()
    page.locator("#which button").nth(1).press("Enter")
    expect(page.locator("#chart")).to_contain_text("no actions to show")
    expect(page.locator("#closest")).to_contain_text("The closest people")
    expect(page.locator("#which [aria-pressed=true]")).to_contain_text("dragon")
    page.locator("#which button").first.click()
    expect(page.locator("#segments")).to_contain_text("stand")
    expect(page.locator("#closest section")).to_have_count(0)


def test_table_chart_strip_and_keys_seek(page):
    run(page, COAT)
    wait_for_moment(page, 0.5)  # the first key frame where the person is
    assert page.locator("#annotated video").evaluate("video => video.paused"), "nothing plays unasked"
    page.locator("#segments button").nth(1).click()
    wait_for_moment(page, 1.2)
    expect(page.locator("#segments tr.now")).to_contain_text("walk")
    plot = page.locator("#chart .plot").last
    plot.click(position={"x": plot.bounding_box()["width"] / 4, "y": 20})
    wait_for_moment(page, 0.5)
    page.locator("#strip button").nth(5).click()
    wait_for_moment(page, 1.5)
    expect(page.locator("#strip li.now")).to_contain_text("1.5 s")
    head = page.locator("#chart .head")
    head.press("ArrowRight")
    wait_for_moment(page, 1.75)
    expect(head).to_have_attribute("aria-valuetext", "1.8 s")
    head.press("ArrowLeft")
    wait_for_moment(page, 1.5)
    assert head.evaluate("head => head.style.left").startswith("75")


def test_the_note_at_the_pointer_tells_the_nearest_key_frame(page):
    run(page, COAT)
    plot = page.locator("#chart .plot").last
    plot.hover(position={"x": 0.52 * plot.bounding_box()["width"], "y": 20})
    expect(page.locator("#chart .tip")).to_contain_text("1.0 s")
    expect(page.locator("#chart .tip")).to_contain_text("stand76 %")
    page.mouse.move(5, 5)
    expect(page.locator("#chart .tip")).to_be_hidden()


def test_subtitles_follow_the_sentence_and_can_be_switched_off(page):
    run(page, COAT, "the dragon")
    # the player has an empty track of its own besides
    track = "[...document.querySelector('#annotated video').textTracks].find(track => track.label === 'Actions')"
    page.wait_for_function(f"{track}.mode === 'showing' && {track}.cues.length === 2")
    page.locator("#segments button").nth(1).click()
    page.wait_for_function(f"{track}.activeCues.length === 1 && {track}.activeCues[0].text === 'walk'")
    box = page.get_by_label("Actions as subtitles")
    box.press("Space")
    page.wait_for_function(f"{track}.mode === 'disabled'")
    page.locator("#which button").nth(1).click()
    expect(page.locator("#chart")).to_contain_text("no actions to show")
    assert page.evaluate(f"{track}.mode") == "disabled", "what is off stays off"
    box.press("Space")
    page.wait_for_function(f"{track}.mode === 'showing' && {track}.cues.length === 0")


def test_another_person_can_be_picked_and_left_again(page):
    run(page, COAT, "the dragon")
    before = page.locator("#annotated video").get_attribute("src")
    page.locator("#people li button").first.click()
    expect(page.locator("#status .card").first).to_contain_text("your pick")
    expect(page.locator("#segments")).to_contain_text("sit")
    expect(page.locator("#strip")).to_contain_text("sit 80 %")
    expect(page.locator("#annotated video")).not_to_have_attribute("src", before)
    expect(page.locator("#status .card").nth(1)).to_contain_text("nobody fits")
    page.get_by_role("button", name="Back to the first answer").click()
    expect(page.locator("#status .card").first).not_to_contain_text("your pick")
    expect(page.locator("#segments")).to_contain_text("stand")
    page.locator("#which button").nth(1).click()
    page.locator("#closest li button").first.click()
    expect(page.locator("#status .card").nth(1)).to_contain_text("your pick")


def test_a_switch_that_fails_says_so_and_keeps_the_answer(page, fake, monkeypatch):
    run(page, COAT)

    def break_down(*args, **options):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(fake, "follow", break_down)
    page.locator("#people li button").first.click()
    expect(page.locator("#people .problem")).to_contain_text("Something went wrong on our side")
    expect(page.locator("#status .found")).to_contain_text("Found in 5 of 7 key frames")
    monkeypatch.undo()
    page.locator("#people li button").first.click()
    expect(page.locator("#status .card")).to_contain_text("your pick")


def test_why_is_computed_when_opened_and_words_switch_off(page, fake, monkeypatch):
    asked = []
    explain = fake.explain
    monkeypatch.setattr(fake, "explain", lambda *given: asked.append(given[1]) or explain(*given))
    run(page, COAT, "somebody blue")
    assert asked == []
    page.get_by_role("button", name="Why").click()
    expect(page.locator("#why svg g")).to_have_count(3)
    expect(page.locator("#why .steps")).to_contain_text("Key frame 2 of 7, 0.5 s")
    page.locator("#why .words button", has_text="beige").click()
    expect(page.locator("#why svg g[hidden]")).to_have_count(1)
    page.get_by_label("Next key frame").click()
    expect(page.locator("#why .steps")).to_contain_text("Key frame 3 of 7, 0.8 s")
    expect(page.locator("#why svg g[hidden]")).to_have_count(1)
    page.locator("#why .steps [data-seek]").click()
    wait_for_moment(page, 0.75)
    page.locator("#which button").nth(1).click()
    expect(page.locator("#why .words")).to_contain_text("blue")
    assert asked == [COAT, "somebody blue"]


def test_a_model_without_words_says_so(page, fake, monkeypatch):
    monkeypatch.setattr(fake, "explain", lambda clip, sentence: ((),) * 7)
    run(page, COAT)
    page.get_by_role("button", name="Why").click()
    expect(page.locator("#why")).to_contain_text("follows no words")


def test_downloads_open_and_are_named_after_the_clip(page):
    expect(page.locator("#get-mp4")).to_have_count(0)
    run(page, COAT)
    files = {}
    for kind in ("mp4", "json", "csv", "zip"):
        with page.expect_download() as download:
            page.locator(f"#get-{kind}").click()
        assert download.value.suggested_filename.startswith("a") and download.value.suggested_filename.endswith(kind)
        files[kind] = download.value.path().read_bytes()
    with av.open(io.BytesIO(files["mp4"])) as container:
        assert sum(1 for _ in container.decode(video=0)) == 20
    assert json.loads(files["json"])["queries"][0]["sentence"] == COAT
    rows = list(csv.DictReader(io.StringIO(files["csv"].decode())))
    assert {row["sentence"] for row in rows} == {COAT}
    with zipfile.ZipFile(io.BytesIO(files["zip"])) as bundle:
        assert bundle.testzip() is None and len(bundle.namelist()) == 3


def test_the_strip_fills_before_the_end(page, fake):
    fake.pause_s = 0.25
    try:
        page.locator("#samples button").first.click()
        expect(page.locator("#sentences textarea")).to_have_value(f"{COAT}, a")
        page.locator("#run").click()
        expect(page.locator("#strip li").nth(1)).to_contain_text("stand 86 %")
        expect(page.locator("#status .working")).to_be_visible()
        expect(page.locator("#strip .box").first).to_be_attached()
        expect(page.locator("#annotated")).to_have_count(0)
    finally:
        fake.pause_s = 0.0
    expect(page.locator("#status .card")).to_be_visible()
    expect(page.locator("#strip button:enabled")).to_have_count(7)


def test_a_new_run_takes_the_old_answer_away(page, fake):
    run(page, COAT)
    page.locator("#sentences textarea").fill(f"{COAT} once more")  # an answer about a sample is kept for the same words
    fake.pause_s = 0.25
    try:
        page.locator("#run").click()
        expect(page.locator("#status .working")).to_be_visible()
        expect(page.locator("#chart")).to_be_hidden()
        page.locator("#cancel").click()
        expect(page.locator("#status")).to_contain_text("Stopped.")
        expect(page.locator("#strip li")).to_have_count(0)
    finally:
        fake.pause_s = 0.0


def test_nothing_is_wider_than_a_phone(chromium, url):
    context = chromium.new_context(viewport={"width": 360, "height": 740}, color_scheme="dark")
    page = context.new_page()
    page.set_default_timeout(45_000)
    page.goto(url)
    run(page, COAT, "the dragon in a very long sentence about somebody with a hat and a bag")
    page.get_by_role("button", name="Why").click()
    expect(page.locator("#why svg g").first).to_be_attached()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()
