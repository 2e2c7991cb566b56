"""The demo in process: its endpoints through gradio_client, its parts alone, and the command line of app.py."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_predictor import FakePredictor, serve, write_clip

gradio_client = pytest.importorskip("gradio_client")

from refatomnet.demo import plots, read_samples  # noqa: E402
from refatomnet.demo.handlers import (  # noqa: E402
    OUR_FAULT,
    Answered,
    Desk,
    Failed,
    Options,
    Session,
    Working,
    check_options,
    explain,
    split_sentences,
)
from refatomnet.errors import CheckpointError, DataError, OptionError, SentenceError  # noqa: E402
from refatomnet.types import Result  # noqa: E402

ROOT = Path(__file__).parents[1]
COAT = "the person in the beige coat"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "walk.mp4")


@pytest.fixture(scope="module")
def samples_folder(tmp_path_factory, clip):
    folder = tmp_path_factory.mktemp("samples")
    (folder / "clips").mkdir()
    shutil.copy(clip, folder / "clips" / "a.mp4")
    people = [("clips/a.mp4", "the dragon", None), ("clips/a.mp4", COAT, [0, 0, 1, 1])]
    people += [("clips/absent.mp4", COAT, [0, 0, 1, 1]), (None, "frames only", [0, 0, 1, 1])]
    records = [{"clip": name, "sentence": sentence, "box_xyxy": box} for name, sentence, box in people]
    (folder / "samples.jsonl").write_text("\n".join(json.dumps(record) for record in records))
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
        with pytest.raises(gradio_client.exceptions.AppError, match=r"(?i)notes\.mp4 cannot be opened as a video"):
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
    steps = list(desk_of(FakePredictor(0.02), tmp_path).run(Session(), str(clip), COAT, Options()))
    assert any(isinstance(step, Working) and step.stage == "Reading the clip" for step in steps)
    assert isinstance(steps[-1], Answered)
    assert json.loads(Path(steps[-1].json).read_text())["video"]["path"] == "walk.mp4"
    assert Path(steps[-1].csv).read_text().startswith("video,time,x1") and Path(steps[-1].video).stat().st_size


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


def test_words_and_chart_of_an_answer(clip, tmp_path):
    sentences = f"{COAT} <b>\nthe dragon"
    result = desk_of(FakePredictor(), tmp_path).answer(Session(), str(clip), sentences, Options(stride=1.0))
    found, nobody = result.queries
    assert plots.answer_sentence(found).startswith("Found in 5 of 7 key frames, from 0.5 s to 1.8 s: stand 74 %")
    assert plots.answer_sentence(nobody) == "Nobody in this clip fits ‘the dragon’ (presence 3 %)."
    assert "<b>" not in plots.answers_html(result) and "&lt;b&gt;" in plots.answers_html(result)
    series = plots.action_series(found)
    assert len(series) == 5 and [len(part) for part in series["stand"]] == [3, 2], "the line breaks where unseen"
    assert list(plots.action_series(found, "person movement")) == ["stand", "walk"]
    assert plots.chart_html(found, plots.TOP, 0, 2).count("<polyline") == 10
    assert "Not found" in plots.chart_html(nobody, plots.TOP, 0, 2)
    assert plots.segment_rows(found)[0] == ["stand", "0.0 s", "1.2 s", "83 %"]


def test_the_card_shows_scores(fake):
    text = plots.card_markdown(fake.card)
    assert "| mIoU | 0.512 |" in text and "| 95 % interval: mIoU | 0.490 to 0.530 |" in text and "per" not in text
    assert "no measured scores" in plots.card_markdown({"name": "bare"})


def test_app_help_is_quick_and_complete():
    started = time.monotonic()
    shown = subprocess.run([sys.executable, "app.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert time.monotonic() - started < 5
    for option in ("--host", "--port", "--share", "--data", "--checkpoint", "--device", "--mcp"):
        assert option in shown.stdout


def test_app_refuses_a_missing_folder():
    command = [sys.executable, "app.py", "--data", "/nowhere"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert shown.returncode == 2 and "--data /nowhere is not a folder" in shown.stderr
