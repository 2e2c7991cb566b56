"""What several test modules share: an untrained checkpoint, its predictor, the shipped sample clips, and open pages."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
if "PYTEST_XDIST_WORKER" in os.environ:  # each has a core to itself: more threads only wait for each other
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

ROOT = Path(__file__).parents[1]
ASSETS = ROOT / "assets"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two painted seconds for the demo's tests; modules about videos have clips of their own."""
    from fake_predictor import write_clip

    return write_clip(tmp_path_factory.mktemp("clip") / "walk.mp4")


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small checkpoint folder with fresh weights that finds somebody at every key frame."""
    import torch

    from refatomnet.checkpoint import encoder_state, save_checkpoint
    from refatomnet.config import ModelConfig
    from refatomnet.model import RavarModel

    torch.set_num_threads(1)  # tiny work: more threads only wait for each other
    torch.manual_seed(0)
    small = {"width": 32, "heads": 4, "layers": 1, "image_height": 96, "image_width": 160}
    model = RavarModel(ModelConfig(**small))
    model.encoder.load_state_dict(encoder_state())
    straight = {"scale": 1.0, "bias": 0.0}
    card = {"name": "fresh", "trained_on": "nothing", "scores": {"val": {"miou": 0.01}}}
    card["calibration"] = {"actions": straight, "presence": straight, "threshold": 0.0}
    folder = tmp_path_factory.mktemp("checkpoint") / "fresh"
    save_checkpoint(model, folder, card)
    return folder


@pytest.fixture(scope="session")
def predictor(checkpoint: Path) -> Any:
    """The predictor of that checkpoint, on the CPU."""
    from refatomnet import Predictor

    return Predictor.from_pretrained(checkpoint, device="cpu")


@pytest.fixture(scope="session")
def samples() -> list[dict[str, Any]]:
    """The records of the shipped sample clips that somebody fits, ``clip`` made an absolute path."""
    lines = (ASSETS / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines if line.strip()]
    return [{**record, "clip": ASSETS / record["clip"]} for record in records if record["box_xyxy"] is not None]


COAT = "the person in the beige coat"
PATIENCE_MS = 45_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sample clips, ``a`` and ``b``, with a sentence that fits somebody and one that fits nobody."""
    from fake_predictor import record, write_clip

    root = tmp_path_factory.mktemp("samples")
    (root / "clips").mkdir()
    records = []
    for name, hue in (("a", 90), ("b", 40)):
        write_clip(root / "clips" / f"{name}.mp4", hue=hue)
        for sentence, box in ((f"{COAT}, {name}", [0, 0, 1, 1]), ("the dragon", None)):
            records.append(record(f"clips/{name}.mp4", sentence, box))
    (root / "samples.jsonl").write_text("\n".join(map(json.dumps, records)))
    return root


@pytest.fixture(scope="module")
def fake() -> Any:
    from fake_predictor import FakePredictor

    return FakePredictor()


@pytest.fixture(scope="module")
def url(folder: Path, fake: Any) -> Iterator[str]:
    """The address of a demo around ``fake`` and ``folder``."""
    from fake_predictor import serve

    with serve(fake, folder) as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A running Chromium; tests that ask for it are passed over where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def browser(chromium: Any) -> Iterator[Any]:
    """A browser context of 1280 x 900 pixels, with one cache for all its pages."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield context
    context.close()


@pytest.fixture
def page(browser: Any, url: str) -> Iterator[Any]:
    """The demo's page, open; the test fails on errors in its console and on requests to elsewhere."""
    with watched_page(browser, url) as opened:
        yield opened


@contextmanager
def watched_page(context: Any, address: str) -> Iterator[Any]:
    """A page at ``address``; on the way out, errors in its console and requests to elsewhere fail."""
    from playwright.sync_api import expect

    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    host = address.split("?")[0]
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda asked: asked.url.startswith((host, "data:", "blob:")) or troubles.append(asked.url))
    page.goto(address)
    expect(page.locator("#run")).to_be_visible()
    yield page
    page.close()
    assert troubles == []


# The element that has the keyboard: what it is, whether its focus is marked, and whether it is in the window.
FOCUS = """() => {
  const element = document.activeElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  const { width, height, top, bottom } = element.getBoundingClientRect();
  return {
    on: element.outerHTML.slice(0, 120),
    marked: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
    seen: width > 0 && height > 0 && bottom > 0 && top < innerHeight,
  };
}"""


def tab_to(page: Any, selector: str) -> None:
    """Press Tab until an element has the keyboard; on the way the focus must be marked and in the window."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        assert focus["marked"] and focus["seen"], focus
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"{selector} is not reached by Tab")


def ask_by_keyboard(page: Any, key: str) -> None:
    """Pick the second sample by this key, and ask its sentence."""
    from playwright.sync_api import expect

    expect(page.locator("#samples button").first).to_be_visible()
    tab_to(page, "[data-sample='1']")
    page.keyboard.press(key)
    expect(page.locator("#sentences textarea")).to_have_value(f"{COAT}, b")
    tab_to(page, "#sentences textarea")
    page.keyboard.press("Enter")
    expect(page.locator("#status .found")).to_be_visible()
