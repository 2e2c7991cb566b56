"""The Browse and About tabs without a browser: folders of described people read, searched, played and compared."""

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from fake_predictor import FakePredictor, write_clip

pytest.importorskip("gradio")

from refatomnet.actions import MOVEMENT, OBJECT, action
from refatomnet.demo import about, browse, compare
from refatomnet.demo.handlers import Desk, Options
from refatomnet.demo.library import NOBODY, Library, Sought
from refatomnet.demo.limits import Limits
from refatomnet.demo.samples import read_folder, read_samples
from refatomnet.demo.sessions import Session
from refatomnet.errors import CheckpointError, DataError, RefAtomNetError
from refatomnet.records import Record, film_frame, film_start
from refatomnet.types import ActionScore, KeyFrame, Query, Result, VideoInfo
from refatomnet.video import window

BOX = (0.1, 0.25, 0.4, 0.9)
RECORD = Record("v", 902, "0", "test", "the man in the red hat", (12, 59), BOX, "clips/a.mp4", 10, 10.0)
PEOPLE = (
    RECORD,
    replace(RECORD, person_id="1", sentence="the tired woman", actions=(11,)),
    replace(RECORD, person_id="absent0", sentence="the red dragon", actions=(), box_xyxy=None),
)


def write(folder: Path, *records: Record, name: str = "test.jsonl") -> Path:
    (folder / name).write_text("".join(json.dumps(record.to_dict()) + "\n" for record in records))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    (root / "clips").mkdir(parents=True)
    write_clip(root / "clips" / "a.mp4")
    return write(root, *PEOPLE)


@pytest.fixture
def library(folder: Path):
    opened = Library(folder)
    yield opened
    opened.close()


def write_frames(root: Path, *, missing: tuple[int, ...] = (), size: tuple[int, int] = (161, 91)) -> Record:
    """The 90 pictures of a film's second, ever brighter, and a record about it."""
    import cv2

    record = replace(RECORD, clip=None, key_frame=45, fps=30.0)
    start = film_start(record.timestamp)
    film_frame(root, record.video, start).parent.mkdir(parents=True)
    for i in range(90):
        if i not in missing:
            image = np.full((size[1], size[0], 3), 40 + 2 * i, np.uint8)
            cv2.imwrite(str(film_frame(root, record.video, start + i)), image)
    return record


# ---- reading and searching ----------------------------------------------------------------------------------------
def test_words_are_looked_for_at_the_beginning_of_words(library: Library) -> None:
    assert library.find(Sought()) == [0, 1, 2]
    assert library.find(Sought("RED")) == [0, 2], "tired holds red, but does not begin with it"
    assert library.find(Sought("red ha")) == [0]
    assert library.find(Sought("red.*hat")) == [0], "words are words, not patterns"
    assert library.find(Sought("(")) == [0, 1, 2]


def test_actions_groups_and_nobody_narrow_the_search(library: Library) -> None:
    assert library.find(Sought(action=59)) == [0] and library.find(Sought(action=11)) == [1]
    assert library.find(Sought(group=MOVEMENT)) == [0, 1] and library.find(Sought(group=OBJECT)) == [0]
    assert library.find(Sought(group=NOBODY)) == [2] and library.find(Sought("red", 12, OBJECT)) == [0]
    assert [(entry.id, number) for entry, number in library.actions()] == [(11, 1), (12, 1), (59, 1)]
    assert [entry.id for entry, _ in library.actions(OBJECT)] == [59]


def test_all_tables_of_a_folder_are_read(folder: Path) -> None:
    write(folder, replace(RECORD, split="val"), name="val.jsonl")
    assert [record.split for record in read_folder(folder)] == ["test"] * 3 + ["val"]


def test_a_list_of_ones_own_needs_a_clip_and_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text('{"clip": "a.mp4", "sentence": "the man"}\n')
    (record,) = read_folder(tmp_path)
    assert (record.video, record.split, record.key_frame, record.box_xyxy) == ("a", "mine", 0, None)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "test.jsonl, line 2: not a JSON line"),
        ("7", "test.jsonl, line 2 is not a record: a record is a JSON object"),
        ('{"clip": "../x.mp4", "sentence": "s"}', "test.jsonl, line 2 is not a record: clip must be a path within"),
        (
            '{"clip": "a.mp4", "sentence": "s", "box_xyxy": [2, 0, 3, 1]}',
            "test.jsonl, line 2 is not a record: box_xyxy",
        ),
        ('{"sentence": "frames without a film"}', "test.jsonl, line 2 is not a record: a record needs the keys"),
    ],
)
def test_a_bad_line_is_one_sentence_without_the_folders_place(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "test.jsonl").write_text(f"\n{line}\n")
    library = Library(tmp_path)
    with pytest.raises(DataError) as error:
        library.find(Sought())
    assert str(error.value).startswith(said)
    assert str(tmp_path) not in str(error.value) and "\n" not in str(error.value)


def test_a_folder_without_people_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no described people; expected \*\.jsonl records or RefAVA"):
        read_folder(tmp_path)
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(DataError, match="holds no described people"):
        Library(tmp_path).find(Sought())


def test_samples_do_not_leave_the_folder(folder: Path, tmp_path: Path) -> None:
    write_clip(tmp_path / "secret.mp4")
    (folder / "clips" / "b.mp4").symlink_to(tmp_path / "secret.mp4")
    write(folder, RECORD, replace(RECORD, clip="clips/b.mp4"))
    assert [sample.clip.name for sample in read_samples(folder)] == ["a.mp4"]


# ---- playing ------------------------------------------------------------------------------------------------------
def test_a_short_clip_is_copied_and_its_key_frame_shown(library: Library, folder: Path) -> None:
    made = library.playable(0)
    assert made.clip.read_bytes() == (folder / "clips" / "a.mp4").read_bytes()
    assert made.time == pytest.approx(1.0) and made.picture.shape == (180, 320, 3)
    assert made.picture[150, 10 + 60 + 26, 0] > 180, "the block has walked there by frame 10"
    assert library.playable(1) is made, "another person of the same key frame"
    assert not made.clip.is_relative_to(folder)


def test_a_long_clip_is_cut_around_its_key_frame(folder: Path) -> None:
    write_clip(folder / "clips" / "a.mp4", seconds=30)
    write(folder, replace(RECORD, key_frame=200))
    made = Library(folder).playable(0)
    assert made.time == pytest.approx(5.0) and made.duration == pytest.approx(10.0, abs=0.2)
    with av.open(str(folder / "clips" / "a.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert np.abs(made.picture.astype(int) - frames[200]).mean() < 4


def test_a_clip_that_browsers_do_not_play_is_written_anew(folder: Path) -> None:
    with av.open(str(folder / "clips" / "a.avi"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for i in range(20):
            picture = np.full((90, 160, 3), 10 * i, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    write(folder, replace(RECORD, clip="clips/a.avi"))
    made = Library(folder).playable(0)
    with av.open(str(made.clip)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
    assert made.picture.mean() == pytest.approx(100, abs=8)


def test_frames_of_a_film_become_a_clip(tmp_path: Path) -> None:
    write(tmp_path, write_frames(tmp_path, missing=(0, 1, 50)))
    library = Library(tmp_path)
    made = library.playable(0)
    assert made.time == pytest.approx(43 / 30) and made.picture.mean() == pytest.approx(40 + 90, abs=4)
    with av.open(str(made.clip)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert len(times) == 87 and times[-1] == pytest.approx(87 / 30), "a missing frame moves no other"
    assert library.picture(0).startswith("data:image/jpeg")


def test_refavas_form_is_browsed(folder: Path) -> None:
    from training.data.refava import write_refava

    assert write_refava(folder, "test") == 2
    library = Library(folder / "refava")
    assert [library.record(i).sentence for i in library.find(Sought())] == [p.sentence for p in PEOPLE[:2]]
    made = library.playable(0)
    ours = Library(folder).playable(0)
    assert np.abs(made.picture.astype(int) - ours.picture).mean() < 6


def test_a_pickle_that_means_harm_is_refused_in_a_sentence(folder: Path) -> None:
    for part in ("keyframe", "label", "description"):
        (folder / f"test_{part}.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    (folder / "test.jsonl").unlink()
    with pytest.raises(DataError, match=r"^test_keyframe\.pkl: no pickle of plain data"):
        read_folder(folder)


@pytest.mark.parametrize("kind", ["clip", "frames of a film", "film"])
def test_nothing_outside_the_folder_is_read(tmp_path: Path, kind: str) -> None:
    root, outside = tmp_path / "data", tmp_path / "outside"
    (root / "clips").mkdir(parents=True)
    outside.mkdir()
    record = write_frames(outside)
    if kind == "clip":
        write_clip(outside / "a.mp4")
        (root / "clips" / "a.mp4").symlink_to(outside / "a.mp4")
        record = RECORD
    elif kind == "film":
        (root / "frames").mkdir()
        (root / "frames" / "v").symlink_to(outside / "frames" / "v")
    else:
        (root / "frames" / "v").mkdir(parents=True)
        for path in (outside / "frames" / "v").iterdir():
            (root / "frames" / "v" / path.name).symlink_to(path)
    library = Library(write(root, record))
    with pytest.raises(DataError, match="is not in its folder") as error:
        library.playable(0)
    assert str(tmp_path) not in str(error.value)
    assert library.picture(0) == ""


def test_a_link_to_the_films_as_convert_makes_it_is_followed(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    record = write_frames(tmp_path / "films")
    (root / "frames").symlink_to(tmp_path / "films" / "frames")
    assert Library(write(root, record)).playable(0).duration == pytest.approx(3.0)


def test_what_is_missing_or_broken_is_one_sentence(folder: Path) -> None:
    (folder / "clips" / "b.mp4").write_text("no video")
    write(
        folder,
        replace(RECORD, clip="clips/none.mp4"),
        replace(RECORD, key_frame=99),
        replace(RECORD, clip="clips/b.mp4"),
        replace(RECORD, clip=None),
    )
    library = Library(folder)
    for i, said in enumerate(["is not in its folder", "has 20 frames", "not a video", "the key frame frames/v/image_"]):
        with pytest.raises(RefAtomNetError, match=said) as error:
            library.playable(i)
        assert str(folder) not in str(error.value)
        assert library.picture(i) == "" or i == 1
    with pytest.raises(DataError, match="there is no record 4"):
        library.record(4)
    with pytest.raises(DataError, match="there is no record -1"):
        library.record(-1)


def test_made_clips_are_few_and_go_with_the_library(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("refatomnet.demo.library.KEPT_CLIPS", 2)
    write(folder, *(replace(RECORD, key_frame=i) for i in range(4)))
    library = Library(folder)
    made = [library.playable(i).clip for i in range(4)]
    assert [clip.is_file() for clip in made] == [False, False, True, True]
    shutil.rmtree(made[3].parents[1])
    again = library.playable(3).clip
    assert again.is_file(), "made anew when somebody has cleared it away"
    library.close()
    assert not again.parents[1].exists()


# ---- comparing ----------------------------------------------------------------------------------------------------
def result_of(box: tuple | None, scores: dict[int, float], presence: float = 0.9) -> Result:
    entries = tuple(ActionScore(action(i), score) for i, score in scores.items())
    far = KeyFrame(0.0, 0, False, 0.0, None, ())
    key = KeyFrame(1.0, 10, box is not None, presence, box, entries)
    query = Query("s", box is not None, presence, (far, key), (), ())
    return Result(VideoInfo("a.mp4", 200, 100, 10.0, 20, 2.0), 0.5, 1.5, 1.0, {}, (query,))


def test_hit_missed_and_extra_by_hand() -> None:
    found = compare.compare(RECORD, result_of((20, 25, 80, 90), {12: 0.8, 59: 0.29, 80: 0.3, 14: 0.1}), 1.02)
    assert found.iou == pytest.approx(1.0, abs=1e-6) and found.right and found.threshold == 0.3
    assert [(row.action.id, row.verdict, row.score) for row in found.rows] == [
        (12, "hit", 0.8),
        (59, "missed", 0.29),
        (80, "extra", 0.3),
    ]
    page = compare.comparison_html(found)
    assert "1 hit, 1 missed, 1 extra" in page and "IoU 1.00" in page and "30 %" in page


def test_overlap_is_of_fractions_on_a_wide_frame() -> None:
    # Truth is 0.3 x 0.65, the answer its left half: half of it.
    found = compare.compare(RECORD, result_of((20, 25, 50, 90), {}), 1.0)
    assert found.iou == pytest.approx(0.5, abs=1e-5)
    apart = compare.compare(RECORD, result_of((120, 25, 150, 90), {}), 1.0)
    assert apart.iou == 0 and not apart.right and compare.verdict(apart).startswith("Wrong person or place")


def test_who_is_not_found_misses_all_actions() -> None:
    found = compare.compare(RECORD, result_of(None, {}, 0.2), 1.0)
    assert found.iou == 0 and not found.right and {row.verdict for row in found.rows} == {"missed"}
    assert (
        compare.verdict(found) == "Missed: somebody fits the sentence, but the model says nobody does (presence 20 %)."
    )


def test_a_sentence_about_nobody_is_right_when_nobody_is_found() -> None:
    absent = PEOPLE[2]
    right = compare.compare(absent, result_of(None, {}, 0.04), 1.0)
    assert right.iou is None and right.right and not right.rows
    assert compare.verdict(right) == "Right: the sentence fits nobody, and the model says so (presence 4 %)."
    wrong = compare.compare(absent, result_of((20, 25, 80, 90), {12: 0.8}), 1.0)
    assert wrong.iou == 0 and not wrong.right and [row.verdict for row in wrong.rows] == ["extra"]


@pytest.mark.parametrize("moment", [0.0, 0.1, 1.0, 1.95, 2.0])
def test_the_window_has_one_key_frame_the_records(moment: float) -> None:
    from refatomnet.predictor import key_times

    start, end = window(moment, 2.0, 1.0)
    assert 0 <= start < end <= 2.0
    (key,) = key_times(start, end, 1.0)
    assert key == pytest.approx(moment, abs=0.021)


def test_asking_uses_nothing_of_the_ask_tab(library: Library, tmp_path: Path) -> None:
    desk, session = Desk(FakePredictor(), tmp_path / "out"), Session()
    made = library.playable(0)
    start, end = window(made.time, made.duration, 1.0)
    last = list(desk.run(session, str(made.clip), RECORD.sentence, Options(top_k=80, start=start, end=end)))[-1]
    found = compare.compare(RECORD, last.result, made.time)
    assert found.iou is not None and 0 < found.iou < 1 and found.count("hit") == 1
    desk.visitors.close(session)
    assert made.clip.is_file(), "the clip is the library's, whoever asked about it"


# ---- on the page --------------------------------------------------------------------------------------------------
def test_texts_of_a_folder_are_escaped(library: Library, tmp_path: Path) -> None:
    record = replace(RECORD, sentence="<img src=x onerror=alert(1)>", person_id="<b>")
    shown = browse.grid_html([(0, record)]) + browse.clip_html(record, tmp_path / "a'><b>.mp4", 1.0)
    assert "<img src=x" not in shown and "<b>" not in shown and "&lt;img" in shown
    assert "#t=1.000" in shown


def test_the_number_found_is_said() -> None:
    assert browse.count_sentence(37000, 37000, 1, 3084) == "37,000 records, page 1 of 3,084"
    assert browse.count_sentence(12, 37000, 1, 1) == "12 of 37,000 records, page 1 of 1"
    assert browse.count_sentence(0, 84, 1, 1).startswith("None of 84 records fits")


# ---- about --------------------------------------------------------------------------------------------------------
def test_the_card_shows_both_splits_and_folds_the_classes() -> None:
    scores = {"val": {"miou": 0.5}, "test": {"miou": 0.6, "ci95": {"miou": [0.55, 0.65]}, "records": 3500}}
    scores["test"]["per_class"] = {"12": {"ap": 0.9, "support": 20}, "3": {"ap": 0.1, "auroc": 0.7}, "x": {"ap": 1}}
    page = about.card_html({"name": "<compact>", "trained_on": "rendered clips", "scores": scores})
    assert "&lt;compact&gt;" in page and "0.500" in page and "0.600 (0.550–0.650)" in page and "3,500" in page
    folded = page[page.index("<details>") : page.index("</details>")]
    assert folded.index("crouch/kneel") < folded.index("stand") and folded.count("<tr>") == 3
    assert "no measured scores" in about.card_html({"name": "bare"})
    for words in ("<h2>Meant for</h2>", "<h2>Not meant for</h2>", "Surveillance", "<li>Telling who somebody is"):
        assert words in page


def test_the_card_shows_the_failures_and_the_commands() -> None:
    card = {"scores": {"test": {"miou": 0.5, "commands": ["python -m training.evaluate --data <DATA>"]}}}
    card["misses"] = [{"sentence": "the <man> in red", "presence": 0.9, "iou": 0.1}]
    page = about.card_html(card, b"picture")
    assert "data:image/webp;base64,cGljdHVyZQ==" in page and "--data &lt;DATA&gt;</pre>" in page
    assert page.count("the &lt;man&gt; in red") == 1 and "<img" not in about.card_html(card)


def test_the_card_is_there_before_the_model() -> None:
    read = about.local_card("compact")
    assert read is not None and about.local_card("someone/else") is None
    assert f"{read()['scores']['test']['miou']:.3f}" in about.card_html(read())

    waiting: Any = SimpleNamespace(models=SimpleNamespace(pick=lambda *_: SimpleNamespace(loading=True)))
    assert "rendered clips" in about._card(waiting, Session(), read)
    assert "still loading" in about._card(waiting, Session(), None)


def test_a_model_that_failed_is_one_sentence(tmp_path: Path) -> None:
    def load() -> None:
        raise CheckpointError("there is no checkpoint <huge>")

    desk = Desk(load, tmp_path)  # type: ignore[arg-type]
    with pytest.raises(CheckpointError):
        desk.predictor.get()
    assert "No model is loaded: there is no checkpoint &lt;huge&gt;." in about._card(desk, Session(), None)


def test_the_limits_said_are_those_kept() -> None:
    limits = Limits(max_file_mb=7, max_minutes=3, sentences=5)
    page = about.what_html(limits)
    assert (
        limits.words() in page and "7 MB, 3 min" in page and "5 sentences a run" in page and "rendered people" in page
    )
    for paper in ("2407.01872", "2510.16444"):
        assert paper in about.LICENCE and paper in about.BIBTEX


def test_a_large_folder_is_searched_fast(tmp_path: Path) -> None:
    line = json.dumps(RECORD.to_dict()) + "\n"
    (tmp_path / "test.jsonl").write_text(line * 37_000)
    library = Library(tmp_path)
    begin = time.monotonic()
    read_samples(tmp_path)
    assert time.monotonic() - begin < 3, "the page does not wait for the whole table"
    assert library.wait(30)
    begin = time.monotonic()
    assert len(library.find(Sought("red hat", 12, MOVEMENT))) == 37_000
    assert time.monotonic() - begin < 3
