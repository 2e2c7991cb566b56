"""The README's picture of the demo and its film, from a real run: ``python -m training.picture``."""

import argparse
import io
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from refatomnet.boxes import iou
from refatomnet.demo.samples import read_samples, read_table
from refatomnet.errors import DataError, OptionError
from refatomnet.types import Result
from training.arguments import Parser, run
from training.opening import ROOT, open_page

ASSETS = ROOT / "assets"
CLIP = "000023.mp4"
SENTENCE = "the guy clad in white"
PICTURE, FILM = "demo.webp", "demo_film.webp"
PICTURE_SIZE = (1280, 1500)
MARGIN = 16
FILM_SIZE, FILM_WIDTH = (1180, 860), 900
PLAY_STEP_S = 0.25
LEFT_OUT_S = 0.6  # the track ends with the last key frame
LONGEST_MS = 400  # what takes longer than this between two pictures of the run is shown shorter
PATIENCE_MS = 120_000


class Film:
    """Pictures of a page, each shown for so many milliseconds."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self._frames: list[Image.Image] = []
        self._shown_ms: list[int] = []

    def take(self, shown_ms: int) -> None:
        """Add what the page shows now."""
        picture = Image.open(io.BytesIO(self._page.screenshot())).convert("RGB")
        height = round(picture.height * FILM_WIDTH / picture.width)
        self._frames.append(picture.resize((FILM_WIDTH, height), Image.Resampling.LANCZOS))
        self._shown_ms.append(shown_ms)

    def save(self, path: Path) -> None:
        """Write them as a WebP that plays over and over."""
        first, *rest = self._frames
        first.save(path, save_all=True, append_images=rest, duration=self._shown_ms, loop=0, quality=70, method=6)


def take_pictures(options: argparse.Namespace) -> int:
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise OptionError("playwright is not installed; pip install -r requirements-dev.txt brings it") from error
    chromium = shutil.which("chromium")
    if chromium is None:
        raise OptionError("there is no chromium on this machine; install it and try again")
    clips = [sample.clip.name for sample in read_samples(ASSETS)]
    if options.clip not in clips:
        raise OptionError(f"{options.clip} is no sample; give one of {', '.join(clips)}")
    options.out.mkdir(parents=True, exist_ok=True)
    with open_page() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": FILM_SIZE[0], "height": FILM_SIZE[1]})
        page.set_default_timeout(PATIENCE_MS)
        try:
            _warm_up(page, address, clips.index(options.clip))
            page.goto(f"{address}?__theme=light")
            film = Film(page)
            _ask(page, film, clips.index(options.clip), options.sentence)
            _check(page, options.clip, options.sentence)
            _play(page, film)
            film.save(options.out / FILM)
            page.set_viewport_size({"width": PICTURE_SIZE[0], "height": PICTURE_SIZE[1]})
            _seek(page, _length(page) / 2)
            page.wait_for_timeout(500)
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            end = page.evaluate("document.querySelector('#chart').getBoundingClientRect().bottom")
            picture = picture.crop((0, 0, picture.width, min(picture.height, round(end) + MARGIN)))
            picture.save(options.out / PICTURE, quality=88, method=6)
        except Error as error:
            raise DataError(f"the page did not do what was expected: {error.message.splitlines()[0]}") from error
        finally:
            browser.close()
    for name in (PICTURE, FILM):
        sys.stdout.write(f"{options.out / name}: {(options.out / name).stat().st_size / 1000:,.0f} kB\n")
    return 0


def _warm_up(page: Any, address: str, number: int) -> None:
    """Have the model loaded, as it is for all but the first visitor."""
    page.goto(address)
    page.locator("#samples button").nth(number).click()
    page.wait_for_function("document.querySelector('#clip video')?.readyState >= 2")
    page.locator("#sentences textarea").fill("somebody")
    page.locator("#sentences textarea").press("Enter")
    page.locator("#status .card").wait_for()


def _ask(page: Any, film: Film, number: int, sentence: str) -> None:
    """Pick the sample, type the sentence, run, and film the key frames as they come."""
    page.locator("#samples button").first.wait_for()
    page.wait_for_timeout(1000)
    film.take(1500)
    page.locator("#samples button").nth(number).click()
    page.wait_for_function("document.querySelector('#clip video')?.readyState >= 2")
    page.wait_for_timeout(500)
    film.take(1000)
    box = page.locator("#sentences textarea")
    words = sentence.split()
    for count in range(0, len(words) + 1, 2):
        box.fill(" ".join(words[:count]))
        film.take(250)
    box.fill(sentence)
    film.take(700)
    box.press("Enter")
    page.locator("#status .working").wait_for()
    while page.locator("#status .card").count() == 0:
        before = time.monotonic()
        if page.locator("#status .problem").count():
            raise DataError(f"no answer came: {page.locator('#status').inner_text()}")
        page.wait_for_timeout(60)
        film.take(min(LONGEST_MS, round(1000 * (time.monotonic() - before)) + 100))
    page.wait_for_function("document.querySelector('#annotated video')?.readyState >= 2")
    page.wait_for_timeout(400)


def _play(page: Any, film: Film) -> None:
    """Film the annotated video from its beginning to its end; pictures are slower than it plays, hence by steps."""
    moment = 0.0
    while moment < _length(page) - LEFT_OUT_S:
        _seek(page, moment)
        film.take(round(1000 * PLAY_STEP_S))
        moment += PLAY_STEP_S
    film.take(1500)


def _length(page: Any) -> float:
    return float(page.evaluate("document.querySelector('#annotated video').duration"))


def _seek(page: Any, moment: float) -> None:
    """Go to a moment and wait until it is drawn."""
    page.evaluate(
        """(moment) => new Promise((done) => {
          const video = document.querySelector('#annotated video');
          if (Math.abs(video.currentTime - moment) < 1e-3) return done();
          video.addEventListener('seeked', () => requestAnimationFrame(() => setTimeout(done, 60)), { once: true });
          video.currentTime = moment;
        })""",
        moment,
    )


def _check(page: Any, clip: str, sentence: str) -> None:
    """Only a right answer is shown: the true person at the key frame, and no action over a stretch that is not theirs.

    Raises:
        DataError: If the sentence is not of the samples or the answer is wrong.
    """
    with page.expect_download() as download:
        page.locator("#get-json").click()
    (query,) = Result.from_dict(told := json.loads(download.value.path().read_text(encoding="utf-8"))).queries
    size = told["video"]["width"], told["video"]["height"]
    for record in read_table(ASSETS / "samples.jsonl"):
        if record.box_xyxy is None or record.sentence != sentence or Path(str(record.clip)).name != clip:
            continue
        key = min(query.keyframes, key=lambda entry: abs(entry.time - record.key_frame / record.fps))
        true = [side * size[i % 2] for i, side in enumerate(record.box_xyxy)]
        overlap = float(iou(torch.tensor(key.box_xyxy), torch.tensor(true))) if key.box_xyxy else 0.0
        wrong = [s.action.name for s in query.segments if s.action.id not in record.actions]
        if overlap < 0.5 or wrong:
            raise DataError(f"the answer is not right (IoU {overlap:.2f}, wrong {wrong}); choose --clip and --sentence")
        return
    raise DataError(f"{clip} has no sentence {sentence!r} about somebody; give one that samples.jsonl has")


def main(arguments: list[str] | None = None) -> int:
    parser = Parser("python -m training.picture", description="Take the README's picture of the demo and its film.")
    parser.add_argument("--clip", default=CLIP, help="file name of the sample (%(default)s)")
    parser.add_argument("--sentence", default=SENTENCE, help="one of its sentences (%(default)s)")
    parser.add_argument("--out", type=Path, default=ASSETS)
    return run(parser, take_pictures, arguments)


if __name__ == "__main__":
    sys.exit(main())
