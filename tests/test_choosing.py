"""Another checkpoint on the page: offered with what is to be downloaded, fetched with a bar, stopped, out of reach."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_hub import FakeHub, hub_on
from fake_predictor import FakePredictor, write_clip

pytest.importorskip("gradio")

import app
from refatomnet.demo import build_demo, launch_options, loading
from refatomnet.demo.ask import _offers
from refatomnet.demo.handlers import Answered, Desk, Failed, Options, Session, Working
from refatomnet.demo.models import Models
from refatomnet.downloads import Outlook
from refatomnet.errors import Cancelled, CheckpointError

LARGE, GONE = "someone/large", "someone/gone"
COAT = "the person in the beige coat"
# Names of settings that go over the edge of their field.
TOO_WIDE = """[...document.querySelectorAll('#advanced label > span')]
  .filter((name) => name.getBoundingClientRect().right > name.parentElement.getBoundingClientRect().right)
  .map((name) => name.innerText)"""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    with hub_on(monkeypatch, tmp_path / "cache") as running:
        running.repos[f"models/{LARGE}"] = {"config.json": b"{}", "model.safetensors": bytes(4 * 2**20)}
        yield running


@pytest.fixture
def models() -> Models:
    names = {name: name for name in ("compact", LARGE, GONE)}
    return Models(FakePredictor(), names, lambda source, device: FakePredictor(), "cpu")


def test_offers_say_what_is_to_come_and_only_who_asks_reaches_the_hub(hub: FakeHub, models: Models) -> None:
    assert _offers(models.outlooks(ask=False)) == [
        ("compact", "compact"), (f"{LARGE} (to download)", LARGE), (f"{GONE} (to download)", GONE),
    ]  # fmt: skip
    assert hub.asked == []
    assert _offers(models.outlooks(ask=True)) == [
        ("compact", "compact"), (f"{LARGE} (4.2 MB to download)", LARGE), (f"{GONE} (out of reach)", GONE),
    ]  # fmt: skip
    models.pick(LARGE, "cpu").get()
    assert models.outlooks(ask=False)[LARGE] == Outlook(0)


def test_a_run_fetches_what_it_needs_and_says_so(hub: FakeHub, models: Models, tmp_path: Path) -> None:
    hub.pause_s = 0.005
    desk, clip = Desk(models, tmp_path / "out"), write_clip(tmp_path / "walk.mp4")
    steps = list(desk.run(Session(), str(clip), COAT, Options(checkpoint=LARGE)))
    said = [step.stage for step in steps if isinstance(step, Working)]
    assert any(stage.startswith(f"Downloading {LARGE}, 4.2 MB: ") for stage in said), said
    assert isinstance(steps[-1], Answered)
    (failed,) = [s for s in desk.run(Session(), str(clip), COAT, Options(checkpoint=GONE)) if isinstance(s, Failed)]
    assert failed.message.startswith(f"The hub has no '{GONE}'")


def test_a_download_goes_on_while_anybody_waits_and_stops_with_the_last(hub: FakeHub, models: Models) -> None:
    hub.pause_s = 0.1  # 6.4 s in all
    model, stops = models.pick(LARGE, "cpu"), [threading.Event(), threading.Event()]
    ended: list[float] = []

    def wait(stop: threading.Event) -> None:
        with pytest.raises(Cancelled):
            model.get(stop.is_set)
        ended.append(time.monotonic())

    threads = [threading.Thread(target=wait, args=(stop,)) for stop in stops]
    for thread in threads:
        thread.start()
    stops[0].set()
    threads[0].join(5)
    time.sleep(0.5)
    assert model.loading and models.pick(LARGE, "cpu") is model, "the other one still waits"
    stops[1].set()
    threads[1].join(5)
    while model.loading:
        assert time.monotonic() - ended[1] < 5
        time.sleep(0.05)
    assert model.failed and models.outlooks(ask=False)[LARGE].missing is None
    hub.pause_s = 0.0
    assert isinstance(models.pick(LARGE, "cpu").get(), FakePredictor), "whoever comes next begins anew"


def test_app_downloads_before_it_opens_and_refuses_in_one_line(
    hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app._fetch(["compact", LARGE])
    said = capsys.readouterr().err
    assert said.startswith(f"Downloading {LARGE}, 4.2 MB: done in ") and said.count("\n") == 1
    app._fetch([LARGE])
    assert capsys.readouterr().err == ""
    with pytest.raises(SystemExit) as ended:
        app._fetch([GONE])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and said.startswith(f"app.py: the hub has no '{GONE}'") and said.count("\n") == 1
    (tmp_path / "run" / "best").mkdir(parents=True)
    assert app._shown(str(tmp_path / "run" / "best")) == "best"
    assert app._shown(LARGE) == LARGE, "two owners may give the same name"


def test_the_card_of_a_fetched_checkpoint_is_read_without_the_network(hub: FakeHub, checkpoint: Path) -> None:
    from refatomnet.demo.about import local_card
    from refatomnet.downloads import fetch

    hub.repos[f"models/{LARGE}"] = {path.name: path.read_bytes() for path in checkpoint.iterdir()}
    assert local_card(LARGE) is None
    fetch(LARGE)
    asked = len(hub.asked)
    read = local_card(LARGE)
    assert read is not None and read()["name"] == "fresh" and len(hub.asked) == asked


@pytest.mark.browser
def test_the_page_offers_downloads_stops_and_stays(hub: FakeHub, models: Models, chromium: Any) -> None:
    from conftest import watched_page
    from playwright.sync_api import expect
    from test_access import AXE, CUT_OFF

    hub.repos[f"models/{LARGE}"]["model.safetensors"] = bytes(60 * 2**20)
    demo = build_demo(FakePredictor, checkpoints=models._checkpoints, choose=lambda source, device: FakePredictor())
    _, url, _ = demo.launch(**launch_options([]), prevent_thread_lock=True, quiet=True)
    context = chromium.new_context(viewport={"width": 360, "height": 800}, reduced_motion="reduce")
    broken: list[Any] = []

    def look(page: Any, state: str) -> None:
        broken.extend((state, rule["id"], rule["nodes"]) for rule in AXE.run(page).response["violations"])
        broken.extend((state, "cut off", text) for text in page.evaluate(CUT_OFF))

    def choose(page: Any, name: str) -> None:
        page.locator("#checkpoint input").click()
        page.get_by_role("option", name=name).click()

    try:
        with watched_page(context, f"{url}?__theme=dark") as page:
            page.locator("#advanced > button").click()
            expect(page.locator("#checkpoint input")).to_have_value("compact")
            assert page.evaluate(TOO_WIDE) == []
            assert hub.asked == [], "nothing has been asked of the hub so far"
            hub.pause_s = 0.05  # 48 s in all
            choose(page, f"{LARGE} (63 MB to download)")
            expect(page.locator("#loading [role=progressbar]")).to_be_visible()
            expect(page.locator("#loading")).to_contain_text(f"Downloading {LARGE}, 63 MB")
            expect(page.locator("#device input")).to_have_value("auto")
            page.wait_for_function("parseInt(document.querySelector('#loading [aria-valuenow]')?.ariaValueNow) > 0")
            look(page, "downloading")
            choose(page, "compact")
            expect(page.locator("#loading")).to_contain_text("compact is ready.")
            expect(page.locator("#cancel-loading")).to_be_hidden()
            choose(page, LARGE)
            page.get_by_role("button", name="Cancel loading").click()
            expect(page.locator("#loading")).to_contain_text("Stopped; compact answers as before.")
            expect(page.locator("#checkpoint input")).to_have_value("compact")
            expect(page.locator("#cancel-loading")).to_be_hidden()
            hub.pause_s = 0.0
            choose(page, LARGE)
            expect(page.locator("#loading")).to_contain_text(f"{LARGE} is ready.")
            expect(page.locator("#checkpoint input")).to_have_value(LARGE)
            choose(page, f"{GONE} (out of reach)")
            expect(page.locator("#loading [role=alert]")).to_contain_text(f"The hub has no '{GONE}'")
            expect(page.locator("#checkpoint input")).to_have_value(LARGE)
            look(page, "out of reach")
    finally:
        context.close()
        demo.close()
    assert broken == []


def test_a_damaged_checkpoint_from_the_hub_is_one_sentence(hub: FakeHub) -> None:
    names = {name: name for name in ("compact", LARGE)}
    model = Models(FakePredictor(), names, loading._ordinary, "cpu").pick(LARGE, "cpu")
    with pytest.raises(CheckpointError, match="format version None"):
        model.get()
