"""The demo in process: its endpoints through gradio_client, its parts alone, and the command line of app.py."""

import gc
import json
import re
import shutil
import subprocess
import sys
import threading
import time
import wave
import weakref
import zipfile
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from fake_predictor import FakePredictor, record, serve
from PIL import Image

gradio_client = pytest.importorskip("gradio_client")

from refatomnet.demo import build_demo, handlers, read_samples, strip  # noqa: E402
from refatomnet.demo.ask import _number, chips_html, samples_html  # noqa: E402
from refatomnet.demo.handlers import (  # noqa: E402
    MAX_PICTURES,
    OUR_FAULT,
    Answered,
    Arrived,
    Desk,
    Failed,
    Line,
    Options,
    Session,
    Working,
    attempt,
    check_options,
    explain,
    split_sentences,
)
from refatomnet.demo.limits import Limits  # noqa: E402
from refatomnet.demo.models import Models  # noqa: E402
from refatomnet.demo.pace import Pace  # noqa: E402
from refatomnet.errors import (  # noqa: E402
    Cancelled,
    CheckpointError,
    DataError,
    OptionError,
    RefAtomNetError,
    SentenceError,
    VideoError,
)
from refatomnet.types import Result  # noqa: E402

ROOT = Path(__file__).parents[1]
COAT = "the person in the beige coat"


@pytest.fixture(scope="module")
def samples_folder(tmp_path_factory, clip):
    folder = tmp_path_factory.mktemp("samples")
    (folder / "clips").mkdir()
    shutil.copy(clip, folder / "clips" / "a.mp4")
    people = [("clips/a.mp4", "the dragon", None), ("clips/a.mp4", COAT, [0, 0, 1, 1])]
    people += [("clips/absent.mp4", COAT, [0, 0, 1, 1]), (None, "frames only", [0, 0, 1, 1])]
    records = [record(*person) for person in people]
    (folder / "samples.jsonl").write_text("\n".join(json.dumps(line) for line in records))
    return folder


@pytest.fixture(scope="module")
def fake():
    return FakePredictor()


@pytest.fixture(scope="module")
def url(fake, samples_folder):
    with serve(fake, samples_folder) as address:
        yield address


@pytest.fixture(scope="module")
def client(url, tmp_path_factory):
    return gradio_client.Client(url, verbose=False, download_files=str(tmp_path_factory.mktemp("downloads")))


def given(path):
    return gradio_client.handle_file(str(path))


def desk_of(predictor, tmp_path):
    return Desk(predictor, tmp_path / "out")


def test_only_two_endpoints_are_named(client):
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(named) == {"/predict", "/annotate"}
    for endpoint in named.values():
        assert [p["parameter_name"] for p in endpoint["parameters"]] == ["video", "sentences"]


def test_predict_returns_the_result_without_server_folders(client, clip):
    data = client.predict(given(clip), f"{COAT}\n\nthe dragon", api_name="/predict")
    result = Result.from_dict(data)
    assert result.video.path == "walk.mp4" and result.to_dict()["queries"] == data["queries"]
    assert [query["found"] for query in data["queries"]] == [True, False]
    video = data["video"]
    assert video["path"] is None and video["name"] == "walk.mp4" and video["frames"] == 20


def test_a_second_sentence_does_not_encode_again(client, clip, fake):
    client.predict(given(clip), COAT, api_name="/predict")
    before = len(fake.encoded)
    client.predict(given(clip), "the other one", api_name="/predict")
    assert len(fake.encoded) == before


def test_annotate_returns_a_playable_mp4(client, clip):
    import av

    path = Path(client.predict(given(clip), COAT, api_name="/annotate"))
    assert path.suffix == ".mp4"
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames == 20


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        ("  \n ", "No sentence was given"),
        ("\n".join("abcdefghi"), "9 sentences were given, at most 8"),
        ("x", "'x' says nothing about a person; name clothes, build or place."),
        ("crash", OUR_FAULT),
    ],
)
def test_errors_are_one_sentence(client, clip, sentences, message):
    with pytest.raises(gradio_client.exceptions.AppError) as error:
        client.predict(given(clip), sentences, api_name="/predict")
    assert message in str(error.value)
    assert "Traceback" not in str(error.value) and "secret" not in str(error.value)


def test_a_file_that_is_no_video(client, tmp_path):
    bad = tmp_path / "notes.mp4"
    bad.write_text("not a video")
    for name in ("/predict", "/annotate"):
        with pytest.raises(gradio_client.exceptions.AppError, match=r"^'?notes\.mp4 is not a video that can be read"):
            client.predict(given(bad), COAT, api_name=name)


def test_the_page_is_limited_and_closed(url, samples_folder):
    import httpx

    config = httpx.get(f"{url}config").json()
    assert config["analytics_enabled"] is False and config["max_file_size"] == 200 * 1024**2
    assert httpx.get(f"{url}monitoring").status_code == 403
    page = httpx.get(url).text
    assert "fonts.googleapis.com" not in page.replace('https://fonts.googleapis.com" crossorigin', "")
    for path in (samples_folder / "samples.jsonl", ROOT / "app.py"):
        assert httpx.get(f"{url}gradio_api/file={path}").status_code == 403
    assert httpx.get(f"{url}gradio_api/file={samples_folder / 'clips' / 'a.mp4'}").status_code == 200


def test_running_ends_with_files(clip, tmp_path):
    session = Session()
    steps = list(desk_of(FakePredictor(0.02), tmp_path).run(session, str(clip), COAT, Options()))
    last = steps[-1]
    assert isinstance(last, Answered) and session.answered is last
    assert json.loads(Path(last.json).read_text())["video"]["path"] == "walk.mp4"
    assert Path(last.csv).read_text().startswith("video,time,x1") and Path(last.video).stat().st_size
    with zipfile.ZipFile(last.zip) as bundle:
        assert bundle.namelist() == ["walk-annotated.mp4", "walk.json", "walk.csv"] and bundle.testzip() is None


def test_a_run_tells_stage_share_and_time_left(clip, tmp_path):
    steps = list(desk_of(FakePredictor(0.1), tmp_path).run(Session(), str(clip), COAT, Options()))
    told = [step for step in steps if isinstance(step, Working)]
    stages = list(dict.fromkeys(step.stage for step in told))
    assert stages == ["Starting", "Reading the clip", "Drawing the answer"]
    shares = [step.done for step in told]
    assert shares == sorted(shares) and 0 == shares[0] < 0.9 < shares[-1] <= 1
    left = [step.left_s for step in told if step.left_s is not None]
    assert left[0] > left[-1] >= 0 and left[0] < 10


def test_key_frames_arrive_before_the_end(clip, tmp_path):
    session, desk = Session(), desk_of(FakePredictor(0.1), tmp_path)
    steps = list(desk.run(session, str(clip), f"{COAT}\nthe dragon", Options()))
    came = [n for n, step in enumerate(steps) if isinstance(step, Arrived)]
    assert len(came) > 2 and came[0] < len(steps) / 2
    moments = [moment for step in steps if isinstance(step, Arrived) for moment in step.moments]
    whole = session.answered.result.queries
    assert [moment.keys for moment in moments] == list(zip(*(query.keyframes for query in whole), strict=True))
    assert all(np.array_equal(m.picture, p) for m, p in zip(moments, session.answered.pictures, strict=True))
    again = list(desk.run(session, str(clip), "another", Options()))
    (step,) = [step for step in again if isinstance(step, Arrived)]
    assert len(step.moments) == len(moments) <= MAX_PICTURES, "all at once where the clip is encoded"


def test_the_strip_of_a_long_clip_has_no_more_pictures_than_are_kept(clip, tmp_path, monkeypatch):
    monkeypatch.setattr(handlers, "MAX_PICTURES", 3)
    session = Session()
    steps = list(desk_of(FakePredictor(0.02), tmp_path).run(session, str(clip), COAT, Options()))
    moments = [moment for step in steps if isinstance(step, Arrived) for moment in step.moments]
    assert len(session.answered.result.queries[0].keyframes) > 3
    assert len(moments) == len(session.answered.pictures) == 3


def test_a_tile_of_the_growing_strip_is_drawn_once(clip, monkeypatch):
    drawn = []
    plain = strip.tile_html

    def tile_html(picture, keys, size, **seeks):
        drawn.extend([] if seeks else [keys[0].time])
        return plain(picture, keys, size, **seeks)

    monkeypatch.setattr(strip, "tile_html", tile_html)
    demo, session = build_demo(FakePredictor(0.1)), Session()
    (answer,) = [event.fn for event in demo.fns.values() if event.name == "answer"]
    updates = list(answer(session, str(clip), COAT, 1.0, 5, "", "", "", None, "auto"))
    strips = [text for update in updates for part, text in update.items() if part.elem_id == "strip" and text]
    assert len(strips) > 2 and all(b.startswith(a) for a, b in pairwise(strips[:-1])), "every step only adds to it"
    assert drawn == [key.time for key in session.answered.result.queries[0].keyframes]


def test_following_a_runner_up_and_going_back(clip, tmp_path):
    session, desk = Session(), desk_of(FakePredictor(), tmp_path)
    with pytest.raises(OptionError, match="no answer"):
        desk.follow(session, 0, 1, 1)
    list(desk.run(session, str(clip), f"{COAT}\nthe other one", Options()))
    before = session.answered
    after = desk.follow(session, 1, 2, 1)
    assert session.answered is after and after.result.queries[0] == before.result.queries[0]
    assert after.result.queries[1].keyframes[2].box_xyxy == before.result.queries[1].keyframes[2].candidates[1].box_xyxy
    assert json.loads(Path(after.json).read_text())["queries"] == after.result.to_dict()["queries"]
    assert desk.restore(session, 1).result == before.result
    with pytest.raises(OptionError, match="no sentence 2"):
        desk.follow(session, 2, 0, 0)


def test_words_are_explained_by_key_frame(clip, tmp_path):
    session, desk = Session(), desk_of(FakePredictor(), tmp_path)
    list(desk.run(session, str(clip), COAT, Options()))
    told = desk.explain(session, 0)
    assert len(told) == len(session.answered.result.queries[0].keyframes)
    assert [path.word for path in told[0]] == ["person", "beige", "coat"]


def test_the_pace_of_a_run_by_hand():
    now = [0.0]
    pace = Pace({"look": 3.0, "draw": 1.0}, lambda: now[0])
    assert pace.tell("look", 0.0) == (0.0, None)
    now[0] = 3.0
    assert pace.tell("look", 0.5) == (0.375, 5.0), "half of 3 took 3 s; 1.5 and 1 are left"
    now[0] = 6.0
    pace.tell("draw", 0.0)
    now[0] = 8.0
    assert pace.tell("draw", 0.5) == (0.875, 2.0)
    assert pace.took("look") == 6.0 and pace.took("draw") == 2.0 and pace.took("read") == 0.0


@pytest.mark.parametrize("leaves", [False, True], ids=["cancel", "closed page"])
def test_stopping_leaves_no_files(clip, tmp_path, leaves):
    fake = FakePredictor(0.1)
    session, desk = Session(), desk_of(fake, tmp_path)
    steps = desk.run(session, str(clip), COAT, Options())
    next(steps)
    if leaves:
        steps.close()
        time.sleep(0.5)
    else:
        session.stop.set()
        last = list(steps)[-1]
        assert isinstance(last, Failed) and last.stopped
    assert not (tmp_path / "out").exists() and session.clip is None
    fake.pause_s = 0.0
    assert isinstance(list(desk.run(session, str(clip), COAT, Options()))[-1], Answered)


def test_other_options_or_another_file_encode_again(clip, tmp_path):
    fake, session, own = FakePredictor(), Session(), tmp_path / "own.mp4"
    shutil.copy(clip, own)
    desk = desk_of(fake, tmp_path)
    desk.answer(session, str(own), COAT, Options())
    desk.answer(session, str(own), "another", Options(top_k=2))
    assert len(fake.encoded) == 1
    desk.answer(session, str(own), COAT, Options(stride=0.5))
    own.write_bytes(own.read_bytes() + b"\0")
    desk.answer(session, str(own), COAT, Options(stride=0.5))
    assert len(fake.encoded) == 3


def test_a_predictor_that_cannot_load_says_why(clip, tmp_path):
    def load():
        raise CheckpointError("checkpoint 'huge' is unknown; give compact or a folder")

    steps = list(desk_of(load, tmp_path).run(Session(), str(clip), COAT, Options()))
    assert steps[-1] == Failed("Checkpoint 'huge' is unknown; give compact or a folder.")


def test_splitting_and_checking():
    assert split_sentences(" the  man \n\nthe woman\r\n") == ["the man", "the woman"]
    with pytest.raises(SentenceError):
        split_sentences(None)
    with pytest.raises(OptionError, match="must lie after"):
        check_options(Options(start=3, end=3))
    assert explain(ValueError("secret")).message == OUR_FAULT


def test_samples_prefer_people_who_are_there(samples_folder, tmp_path):
    (sample,) = read_samples(samples_folder)
    assert sample.clip.name == "a.mp4" and sample.sentences == (COAT, "the dragon")
    assert read_samples(tmp_path) == [] and read_samples(tmp_path / "absent") == []


@pytest.mark.parametrize("line", ["{", "[]", '{"clip": "a.mp4"}', '{"sentence": "s", "clip": "../../etc/passwd"}'])
def test_bad_records_are_named(tmp_path, line):
    (tmp_path / "bad.jsonl").write_text(f"\n{line}\n")
    with pytest.raises(DataError, match=r"bad\.jsonl, line 2"):
        read_samples(tmp_path)


def test_app_help_is_quick_and_complete():
    started = time.monotonic()
    shown = subprocess.run([sys.executable, "app.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert time.monotonic() - started < 15
    for option in ("--host", "--port", "--share", "--data", "--checkpoint", "--device", "--mcp"):
        assert option in shown.stdout


def test_app_refuses_a_missing_folder():
    command = [sys.executable, "app.py", "--data", "/nowhere"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert shown.returncode == 2 and "--data /nowhere is not a folder" in shown.stderr


@contextmanager
def at_the_front(line):
    """Somebody is served meanwhile."""
    begun, over = threading.Event(), threading.Event()
    served = threading.Thread(target=line.serve, args=(lambda: begun.set() or over.wait(30),), daemon=True)
    served.start()
    assert begun.wait(5)
    try:
        yield
    finally:
        over.set()
        served.join(5)


def test_requests_wait_in_line_and_a_full_line_is_refused():
    line, told = Line(1), []
    with at_the_front(line):
        with pytest.raises(Cancelled):
            line.serve(lambda: pytest.fail("two at the front"), lambda: len(told) > 2, told.append)
        waiting = threading.Thread(target=line.serve, args=(lambda: None,))
        waiting.start()
        while len(line._tickets) < 2:
            time.sleep(0.01)
        with pytest.raises(RefAtomNetError, match="1 requests wait already"):
            line.serve(lambda: pytest.fail("the line was full"))
    waiting.join(5)
    assert told == [1, 1, 1] and not line._tickets


def test_the_line_goes_in_order_on_one_thread():
    line, order, begun = Line(5), [], threading.Event()

    def work(number):
        line.serve(lambda: order.append((number, threading.current_thread().name)), waiting=lambda before: begun.set())

    threads = []
    with at_the_front(line):
        for number in range(4):
            begun.clear()
            threads.append(threading.Thread(target=work, args=(number,)))
            threads[-1].start()
            assert begun.wait(5)
    for thread in threads:
        thread.join(5)
    assert order == [(number, "model") for number in range(4)]


def test_the_line_hands_on_answers_errors_and_what_the_request_carries():
    line, carried = Line(5), ContextVar("carried", default="nothing")
    carried.set("a visitor")
    assert line.serve(carried.get) == "a visitor"

    def fails():
        raise VideoError("broken")

    with pytest.raises(VideoError, match="broken"):
        line.serve(fails)
    assert line.serve(lambda: 3) == 3


def test_what_an_error_held_is_free_once_it_is_told():
    class Large:
        pass

    def fails():
        large = Large()
        held.append(weakref.ref(large))
        raise VideoError("broken")

    line, held = Line(5), []
    gc.disable()
    try:
        assert attempt(lambda: line.serve(fails)) == Failed("Broken.")
        line.serve(lambda: None)
        assert held[0]() is None
    finally:
        gc.enable()


def test_a_second_run_of_a_visitor_stops_the_first(clip, tmp_path):
    fake, session = FakePredictor(0.1), Session()
    desk = desk_of(fake, tmp_path)
    first = desk.run(session, str(clip), COAT, Options())
    next(first)
    fake.pause_s = 0.0
    assert isinstance(list(desk.run(session, str(clip), COAT, Options()))[-1], Answered)
    assert list(first)[-1].stopped


def test_cancelling_while_drawing_leaves_no_files(clip, tmp_path):
    session, desk = Session(), desk_of(FakePredictor(0.1), tmp_path)
    steps = desk.run(session, str(clip), COAT, Options())
    while getattr(next(steps), "stage", "") != "Drawing the answer":
        pass
    session.stop.set()
    asked = time.monotonic()
    assert list(steps)[-1].stopped and time.monotonic() - asked < 5
    assert not any(path.is_file() for path in (tmp_path / "out").rglob("*"))


def test_checkpoints_are_loaded_once_each(clip, tmp_path):
    loaded = []

    def choose(source, device):
        loaded.append((source, device))
        if source == "/broken":
            raise CheckpointError("checkpoint broken is damaged; fetch it again")
        return FakePredictor()

    first = FakePredictor()
    models = Models(first, {"compact": "compact", "mine": "/mine", "broken": "/broken"}, choose, "cpu")
    desk, session = Desk(models, tmp_path / "out"), Session()
    for _ in range(2):
        for name in ("compact", "mine"):
            desk.answer(session, str(clip), COAT, Options(checkpoint=name, device="auto"))
    assert loaded == [("/mine", "cpu")] and len(first.encoded) == 2, "another checkpoint looks for itself"
    for _ in range(2):
        with pytest.raises(CheckpointError, match="damaged"):
            desk.answer(session, str(clip), COAT, Options(checkpoint="broken"))
    assert loaded.count(("/broken", "cpu")) == 2, "a failed one is tried again"
    for name, device, error in (("huge", "auto", CheckpointError), ("mine", "tpu", OptionError)):
        with pytest.raises(error, match="unknown; choose"):
            models.pick(name, device)


def test_cuda_is_refused_where_there_is_none(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    models = Models(FakePredictor(), {"compact": "compact"}, lambda source, device: FakePredictor(), "auto")
    assert models.pick("compact", "cpu") is models.first is models.pick(None, "auto")
    with pytest.raises(OptionError, match="no CUDA device here; choose auto or cpu"):
        models.pick("compact", "cuda")


def sound(path):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))


@pytest.mark.parametrize(
    ("name", "make", "sentence"),
    [
        ("empty.mp4", lambda path: path.touch(), r"^empty\.mp4 is empty \(0 bytes\); give a video file"),
        ("sound.wav", sound, r"^sound\.wav holds only sound; give a file with a video stream"),
        ("gone.mp4", lambda path: None, r"^The clip gone\.mp4 is no longer here; upload it again\.$"),
        ("list.mp4", lambda path: path.write_text("#EXTM3U\nhttp://a.b/c.ts\n"), r"^list\.mp4 is not a video"),
        (".", lambda path: None, "no longer here"),
    ],
)
def test_files_that_cannot_be_used_give_one_sentence(clip, tmp_path, name, make, sentence):
    path = tmp_path / name
    make(path)
    desk, session = desk_of(FakePredictor(), tmp_path), Session()
    for told in (list(desk.run(session, str(path), COAT, Options()))[-1],):
        assert isinstance(told, Failed) and re.search(sentence, told.message) and str(tmp_path) not in told.message
    with pytest.raises(VideoError):
        desk.receive(session, str(path))
    assert isinstance(list(desk.run(session, str(clip), COAT, Options()))[-1], Answered), "the visitor can go on"


def test_a_picture_is_a_clip_of_one_frame(predictor, tmp_path):
    Image.new("RGB", (160, 96), "teal").save(tmp_path / "still.png")
    result = desk_of(predictor, tmp_path).answer(Session(), str(tmp_path / "still.png"), COAT, Options())
    assert [len(query.keyframes) for query in result.queries] == [1]


def test_sentences_over_the_limits_are_refused():
    with pytest.raises(SentenceError, match=r"Sentence 2 has 301 letters, at most 300"):
        split_sentences("short\n" + "a" * 301)
    with pytest.raises(SentenceError, match="3 sentences were given, at most 2 fit"):
        split_sentences("a\nb\nc", Limits(sentences=2))


def test_numbers_typed_by_hand():
    assert _number("start", " 1,5 ") == 1.5 and _number("start", "") is None and _number("end", None) is None
    for text in ("soon", "nan", "inf"):
        with pytest.raises(OptionError, match=f"The start '{text}' is not a number"):
            _number("start", text)


def test_chips_and_samples_are_escaped(samples_folder):
    said = chips_html(['a "red" <b>coat</b>', "b"])
    assert "<b>" not in said and said.count("<button") == 3 and "&quot;red&quot;" in said
    assert samples_html(read_samples(samples_folder)).count("<img src='data:image/jpeg") == 1
