"""The page for everybody: axe-core's rules in every state, the keyboard alone, narrow and wide, no motion."""

from collections.abc import Iterator
from typing import Any

import pytest
from conftest import COAT, ask_by_keyboard, tab_to, watched_page

sync_api = pytest.importorskip("playwright.sync_api")
# axe-core's script comes inside this package, kept up to date: a test fetches nothing.
axe_playwright = pytest.importorskip("axe_playwright_python.sync_playwright")
expect = sync_api.expect
pytestmark = pytest.mark.browser

AXE = axe_playwright.Axe()
EXCLUDED: dict[str, str] = {}  # rule: why it is not ours to keep
SMALLEST_PX = 11
# Where the focus is: what it is on, whether it can be seen, and how it is marked.
SMALL_TEXT = """(least) => [...document.querySelectorAll('body *')]
  .filter((element) => element.checkVisibility({ visibilityProperty: true }))
  .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
  .filter((element) => element.tagName !== 'text' && parseFloat(getComputedStyle(element).fontSize) < least)
  .map((element) => element.outerHTML.slice(0, 120))"""

# What is cut off at the right although it is not in a part that is meant to scroll sideways.
CUT_OFF = """() => [...document.querySelectorAll('body *')]
  .filter((element) => element.checkVisibility({ visibilityProperty: true }))
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
  .filter((element) => !element.closest('.samples, .film, .segments, .wide, pre'))
  .map((element) => element.outerHTML.slice(0, 120))"""
MOVING = """() => [...document.querySelectorAll('body :not(track)')]
  .filter((element) => ['', '::before', '::after'].some((part) => {
    const { animationName, transitionDuration } = getComputedStyle(element, part || null);
    return animationName !== 'none' || transitionDuration.split(',').some((time) => parseFloat(time) > 0);
  }))
  .map((element) => element.outerHTML.slice(0, 120))"""


def states(page: Any, fake: Any) -> Iterator[str]:
    """Bring the page into one state after the other."""
    expect(page.locator(".welcome")).to_be_visible()
    yield "empty"
    page.locator("#samples button").first.click()
    expect(page.locator("#clip video")).to_be_visible()
    page.locator("#advanced > button").click()
    expect(page.get_by_label("Threshold")).to_be_visible()
    name, slider = page.get_by_text("Stride", exact=True), page.get_by_label("range slider for Stride")
    assert name.bounding_box()["y"] + 10 < slider.bounding_box()["y"], "a class name of ours changes Gradio's parts"
    yield "a sample picked, Advanced open"
    fake.pause_s = 0.2
    page.locator("#run").click()
    expect(page.locator("#strip li").nth(1)).to_be_visible()
    yield "key frames arriving"
    fake.pause_s = 0.0
    expect(page.locator("#status .found")).to_be_visible()
    expect(page.locator(".welcome")).to_have_count(0)
    yield "answered"
    page.get_by_role("button", name="Why").click()
    expect(page.locator("#why svg g").first).to_be_attached()
    yield "Why open"
    page.locator("#people li button").first.click()
    expect(page.locator("#status .card")).to_contain_text("your pick")
    yield "another person picked"
    for state, sentences, cards in (
        ("two sentences", f"{COAT}\nthe dragon in a very long sentence about somebody with a hat", 2),
        ("nobody", "the dragon", 1),
    ):
        page.locator("#sentences textarea").fill(sentences)
        page.locator("#run").click()
        expect(page.locator("#status .card")).to_have_count(cards)
        yield state
    page.locator("#sentences textarea").fill("")
    page.locator("#run").click()
    expect(page.locator("#status .problem")).to_be_visible()
    yield "a problem"
    page.get_by_role("tab", name="Browse").click()
    expect(page.locator("#browse-grid button").first).to_be_visible()
    yield "Browse"
    page.locator("#browse-grid button").first.click()
    page.locator("#browse-ask").click()
    expect(page.locator("#browse-outcome .outcome:not(.working)")).to_be_visible()
    yield "Browse, compared"
    page.get_by_role("tab", name="About").click()
    expect(page.locator("#about-card dl")).to_be_visible()
    for summary in page.locator("#about summary").all():
        summary.click()
    yield "About"


@pytest.mark.parametrize(
    ("width", "theme"),
    [
        (360, "dark"),
        (1280, "light"),
        *(
            pytest.param(*pair, marks=pytest.mark.long)
            for pair in [(360, "light"), (1280, "dark"), (1920, "light"), (1920, "dark")]
        ),
    ],
)
def test_every_state_keeps_the_rules_and_fits(chromium: Any, url: str, fake: Any, width: int, theme: str) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800}, reduced_motion="reduce")
    broken = []
    try:
        with watched_page(context, f"{url}?__theme={theme}") as page:
            for state in states(page, fake):
                for rule in AXE.run(page).response["violations"]:
                    if rule["id"] not in EXCLUDED:
                        broken += [
                            (state, rule["id"], node["target"], node["failureSummary"]) for node in rule["nodes"]
                        ]
                wide = page.evaluate("document.documentElement.scrollWidth")
                broken += [(state, f"{wide} pixels wide")] if wide > width else []
                broken += [(state, "cut off", text) for text in page.evaluate(CUT_OFF)]
                broken += [
                    (state, f"smaller than {SMALLEST_PX} px", text) for text in page.evaluate(SMALL_TEXT, SMALLEST_PX)
                ]
    finally:
        fake.pause_s = 0.0
        context.close()
    assert broken == []


def test_the_keyboard_alone_asks_seeks_and_picks(page: Any) -> None:
    ask_by_keyboard(page, "Space")
    page.wait_for_function("document.querySelector('#annotated video')?.readyState >= 2")
    tab_to(page, "#segments button")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_function("Math.abs(document.querySelector('#annotated video').currentTime - 1.2) < 0.06")
    tab_to(page, "#people li button")
    page.keyboard.press("Enter")
    expect(page.locator("#status .card")).to_contain_text("your pick")


def test_nothing_moves_for_those_who_ask_for_less_motion(chromium: Any, url: str, fake: Any) -> None:
    context = chromium.new_context(reduced_motion="reduce")
    try:
        with watched_page(context, url) as page:
            page.locator("#samples button").first.click()
            expect(page.locator("#clip video")).to_be_visible()
            fake.pause_s = 0.5
            page.locator("#run").click()
            expect(page.locator("#status .working")).to_be_visible()
            assert page.evaluate(MOVING) == []
            fake.pause_s = 0.0
            expect(page.locator("#status .card")).to_be_visible()
    finally:
        fake.pause_s = 0.0
        context.close()
