"""What visitors bring and are given: nobody else reaches it, and it goes when they go."""

import hashlib
import os
import shutil
import threading
import time
from pathlib import Path

import httpx
import pytest
from fake_predictor import FakePredictor, FakeResult, write_clip

gradio_client = pytest.importorskip("gradio_client")

from refatomnet.demo import build_demo, launch_options  # noqa: E402
from refatomnet.demo.handlers import Answered, Desk, Options  # noqa: E402
from refatomnet.demo.limits import CLIENT_IDLE_S, PAGE_IDLE_S, Limits  # noqa: E402
from refatomnet.demo.sessions import Cloakroom, Session  # noqa: E402
from refatomnet.errors import VideoError  # noqa: E402

COAT = "the person in the beige coat"


def upload(desk, clip, content="3f"):
    """A copy of the clip where Gradio would put it."""
    folder = desk.visitors.folder / content
    folder.mkdir(parents=True, exist_ok=True)
    return str(shutil.copy(clip, folder / "walk.mp4"))


def answered(desk, session, video, sentence=COAT):
    last = list(desk.run(session, video, sentence, Options()))[-1]
    assert isinstance(last, Answered), last
    return last


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_nothing_is_left_when_a_page_closes(clip, tmp_path):
    desk, session = Desk(FakePredictor(), tmp_path / "out"), Session()
    desk.visitors.enter(session, "page 1")
    video = upload(desk, clip)
    desk.receive(session, video)
    answered(desk, session, video)
    assert len(files(tmp_path / "out")) == 5, "the upload and four files"
    desk.visitors.leave("page 1")
    assert list((tmp_path / "out").iterdir()) == []
    assert session.clip is None and session.answered is None and session.pictures == ()


def test_a_page_that_closes_during_a_run_leaves_nothing(clip, tmp_path):
    desk, session = Desk(FakePredictor(0.05), tmp_path / "out"), Session()
    desk.visitors.enter(session, "page 1")
    video = upload(desk, clip)
    steps = desk.run(session, video, COAT, Options())
    while getattr(next(steps), "stage", "") != "Drawing the answer":
        pass
    desk.visitors.leave("page 1")
    list(steps)
    assert files(tmp_path / "out") == [] and session.answered is None


def test_a_newer_answer_takes_the_place_of_the_older(clip, tmp_path):
    desk, session = Desk(FakePredictor(), tmp_path / "out"), Session()
    first = answered(desk, session, str(clip))
    second = answered(desk, session, str(clip), "the other one")
    assert not Path(first.video).exists() and Path(second.video).is_file()
    third = desk.follow(session, 0, 1, 1)
    assert not Path(second.video).exists() and Path(third.zip).is_file() and len(files(tmp_path / "out")) == 4


def test_another_clip_takes_the_place_of_the_one_before(clip, tmp_path):
    desk, session = Desk(FakePredictor(), tmp_path / "out"), Session()
    first, second = upload(desk, clip, "aa"), upload(desk, clip, "bb")
    desk.receive(session, first)
    answered(desk, session, first)
    desk.receive(session, second)
    assert Path(first).is_file(), "the answer shown was drawn from it; following somebody draws it again"
    answered(desk, session, second)
    desk.receive(session, second)
    assert not Path(first).exists() and Path(second).is_file()


@pytest.mark.parametrize("stage", ["Reading the clip", "Drawing the answer"])
def test_another_clip_does_not_end_the_run(clip, tmp_path, stage):
    desk, session = Desk(FakePredictor(0.02), tmp_path / "out"), Session()
    first, second = upload(desk, clip, "aa"), upload(desk, clip, "bb")
    desk.receive(session, first)
    steps = desk.run(session, first, COAT, Options())
    while getattr(next(steps), "stage", "") != stage:
        pass
    desk.receive(session, second)
    assert isinstance(list(steps)[-1], Answered)
    answered(desk, session, second)
    desk.receive(session, second)
    assert not Path(first).exists() and Path(second).is_file(), "it was kept no longer than it was needed"


def test_a_clip_taken_away_while_its_run_waits_is_kept_for_it(clip, tmp_path):
    desk, session, begun, over = (
        Desk(FakePredictor(), tmp_path / "out"),
        Session(),
        threading.Event(),
        threading.Event(),
    )
    video = upload(desk, clip)
    desk.receive(session, video)
    before = threading.Thread(target=desk._line.serve, args=(lambda: begun.set() or over.wait(30),), daemon=True)
    before.start()
    assert begun.wait(5)
    try:
        steps = desk.run(session, video, COAT, Options())
        while "Waiting" not in getattr(next(steps), "stage", ""):
            pass
        desk.receive(session, None)
    finally:
        over.set()
    assert isinstance(list(steps)[-1], Answered)


def test_what_only_work_kept_goes_with_the_next_clip(clip, tmp_path):
    desk, session = Desk(FakePredictor(), tmp_path / "out"), Session()
    video = upload(desk, clip)
    with desk.visitors.at_work(session, Path(video)):
        desk.receive(session, None)
        assert Path(video).is_file()
    desk.receive(session, None)
    assert not Path(video).exists()


def test_what_cannot_be_drawn_names_no_folder(clip, tmp_path, monkeypatch):
    def fails(result, path, **more):
        raise VideoError(f"{result.video.path} does not exist, nor does {path}")

    monkeypatch.setattr(FakeResult, "save_video", fails)
    desk = Desk(FakePredictor(), tmp_path / "out")
    last = list(desk.run(Session(), upload(desk, clip), COAT, Options()))[-1]
    assert last.message == "walk.mp4 does not exist, nor does walk-annotated.mp4."


def test_two_visitors_with_the_same_file_do_not_lose_it(clip, tmp_path):
    desk, one, two = Desk(FakePredictor(), tmp_path / "out"), Session(), Session()
    video = upload(desk, clip)
    for session in (one, two):
        desk.receive(session, video)
    desk.visitors.close(one)
    assert Path(video).is_file()
    answered(desk, two, video)
    desk.visitors.close(two)
    assert not Path(video).exists()


def test_a_file_uploaded_anew_is_not_deleted_with_the_session_before(clip, tmp_path):
    desk, one = Desk(FakePredictor(), tmp_path / "out"), Session()
    video = upload(desk, clip)
    desk.receive(one, video)
    os.utime(video, ns=(1, 1))  # as a second upload of the same content does
    desk.visitors.close(one)
    assert Path(video).is_file(), "its new owner has not said so yet"


def test_who_does_nothing_for_long_is_cleared_away(clip, tmp_path):
    now = [0.0]
    room = Cloakroom(tmp_path, clock=lambda: now[0])
    page, program = Session(), Session()
    room.enter(page, "page 1", page=True)
    room.enter(program, "program 1")
    kept, gone = room.new_folder(page), room.new_folder(program)
    now[0] = CLIENT_IDLE_S + 1
    room.sweep()
    assert kept.is_dir() and not gone.exists()
    with room.at_work(page, clip):
        now[0] = PAGE_IDLE_S + 1
        room.sweep()
        assert kept.is_dir(), "work goes on"
    room.sweep()
    assert kept.is_dir(), "it has only just ended"
    now[0] += PAGE_IDLE_S + 1
    room.sweep()
    assert not kept.exists()


def test_what_a_program_was_given_long_ago_goes_while_it_asks_on(clip, tmp_path):
    now = [0.0]
    desk, program, page = Desk(FakePredictor(), tmp_path / "out"), Session(), Session()
    desk.visitors = room = Cloakroom(tmp_path / "out", clock=lambda: now[0])
    room.enter(program, "program 1")
    room.enter(page, "page 1", page=True)
    shown, uploads, videos = answered(desk, page, upload(desk, clip, "page")), [], []
    for number in range(4):
        uploads.append(Path(upload(desk, clip, f"program {number}")))
        videos.append(Path(desk.annotate(program, str(uploads[-1]), COAT)))
        now[0] += CLIENT_IDLE_S / 2
    room.sweep()
    assert [path.is_file() for path in videos] == [path.is_file() for path in uploads] == [False, False, True, True]
    assert Path(shown.video).is_file() and len(files(tmp_path / "out")) == 2 * 2 + 5
    with room.at_work(program, uploads[2]):
        now[0] += CLIENT_IDLE_S / 2
        room.sweep()
    assert [path.is_file() for path in videos] == [False, False, False, True]
    assert uploads[2].is_file(), "it is asked about again"
    room.leave("program 1")
    assert len(files(tmp_path / "out")) == 5


def test_a_program_is_given_the_video_alone(clip, tmp_path):
    desk = Desk(FakePredictor(), tmp_path / "out", samples=[clip])
    for session in (Session(), Session()):
        video = Path(desk.annotate(session, upload(desk, clip), COAT))
        assert [path.name for path in video.parent.iterdir()] == ["walk-annotated.mp4"] and video.stat().st_size
    last = answered(desk, Session(), upload(desk, clip))
    assert all(Path(file).is_file() for file in (last.video, last.json, last.csv, last.zip)), "of a sample too"


def test_who_leaves_is_told_from_who_may_come_back(tmp_path):
    room, asking, browsing, program = Cloakroom(tmp_path), Session(), Session(), Session()
    for session in (asking, browsing):
        room.enter(session, "page 1", page=True)
    room.enter(program, "program 1")
    folders = [room.new_folder(session) for session in (asking, browsing, program)]
    room.close(asking)
    assert room.leave("program 1") is False and room.leave("nobody") is False
    assert [folder.exists() for folder in folders] == [False, True, False]
    assert room.leave("page 1") is True and not folders[1].exists(), "the page's other session goes with it"
    assert room.leave("page 1") is False


def test_uploads_that_nobody_took_are_swept(clip, tmp_path):
    desk, session = Desk(FakePredictor(), tmp_path / "out"), Session()
    taken, old, fresh = (upload(desk, clip, name) for name in ("aa", "bb", "cc"))
    desk.visitors.uploads = lambda: [taken, old, fresh]
    desk.receive(session, taken)
    past = time.time() - CLIENT_IDLE_S - 5
    for path in (taken, old):
        os.utime(path, (past, past))
    desk.visitors.sweep()
    assert [Path(path).exists() for path in (taken, old, fresh)] == [True, False, True]
    desk.visitors.close_all()
    assert files(tmp_path / "out") == []


def test_folders_of_sessions_cannot_be_guessed(tmp_path):
    room = Cloakroom(tmp_path)
    names = {room.new_folder(Session()).parent.name for _ in range(50)}
    assert len(names) == 50 and min(map(len, names)) >= 32


@pytest.fixture(scope="module")
def site():
    """A demo with small limits: its address, and its desk's folder."""
    limits = Limits(max_file_mb=1, max_minutes=0.1, max_size=(400, 300), letters=60, queue=2)
    demo = build_demo(FakePredictor(), limits=limits)
    _, address, _ = demo.launch(**launch_options([], limits=limits), prevent_thread_lock=True, quiet=True)
    yield address
    demo.close()


def test_a_visitor_cannot_reach_what_is_anothers(site, clip):
    from gradio.utils import get_upload_folder

    root = Path(get_upload_folder())
    client = gradio_client.Client(site, verbose=False)
    client.predict(gradio_client.handle_file(str(clip)), COAT, api_name="/annotate")
    stored = [path for path in root.rglob("*") if path.is_file()]
    assert any(path.name == "walk.mp4" for path in stored) and any("annotated" in path.name for path in stored)
    digest = hashlib.sha256(clip.read_bytes()).hexdigest()
    assert not any(digest in str(path) for path in stored), "the hash of the content alone gives no address"
    outside = [root / digest / "walk.mp4", root, root / "..", f"{root}/../../etc/passwd", "/etc/passwd", clip]
    outside += [f"{root}/%2e%2e/%2e%2e/etc/passwd", "../../../../etc/passwd", __file__, root.parent / "nothing.mp4"]
    for path in outside:
        assert httpx.get(f"{site}gradio_api/file={path}").status_code in (403, 404), path


def test_an_upload_over_the_limit_is_refused_by_the_server(site):
    answer = httpx.post(f"{site}gradio_api/upload", files={"files": ("big.mp4", b"0" * (1024**2 + 1))})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: write_clip(path, seconds=8), "lasts 8.0 s, at most 6.0 s are accepted; trim it."),
        (lambda path: write_clip(path, size=(416, 180)), "is 416×180 pixels, at most 400×300 are accepted"),
        (lambda path: write_clip(path, size=(180, 416)), "is 180×416 pixels, at most 400×300 are accepted"),
    ],
    ids=["too long", "too wide", "too high"],
)
def test_clips_over_the_limits_are_refused_before_decoding(site, tmp_path, make, sentence):
    path = make(tmp_path / "own.mp4")
    client = gradio_client.Client(site, verbose=False)
    with pytest.raises(gradio_client.exceptions.AppError, match=rf"^'?own\.mp4 {sentence}") as error:
        client.predict(gradio_client.handle_file(str(path)), COAT, api_name="/predict")
    assert "/" not in str(error.value).replace("trim it.", "")


def test_a_long_clip_may_be_trimmed(tmp_path):
    path = write_clip(tmp_path / "long.mp4", seconds=8)
    desk = Desk(FakePredictor(), tmp_path / "out", Limits(max_minutes=0.1))
    session = Session()
    assert desk.receive(session, str(path)).seconds == pytest.approx(8.0)
    with pytest.raises(VideoError, match="trim it"):
        desk.answer(session, str(path), COAT, Options(start=1.0, end=7.5))
    assert desk.answer(session, str(path), COAT, Options(start=1.0, end=6.5)).end == 6.5
