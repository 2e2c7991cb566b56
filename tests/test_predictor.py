"""The predictor on an untrained model: what it says has the promised form, whatever it says."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from test_video import make_video

from refatomnet.actions import action
from refatomnet.errors import Cancelled, CheckpointError, OptionError, SentenceError, VideoError
from refatomnet.predictor import Predictor, find_segments, interpolate, key_times
from refatomnet.types import ActionScore, KeyFrame, Result

GREY, RED = "the man in the grey shirt", "the woman in the red coat on the left"


@pytest.fixture(scope="module")
def clip_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("clip") / "clip.mp4", 30, size=(160, 96))


@pytest.fixture(scope="module")
def clip(predictor: Predictor, clip_path: Path) -> Any:
    return predictor.encode(clip_path)


@pytest.fixture(scope="module")
def result(predictor: Predictor, clip: Any) -> Result:
    return predictor.ask(clip, GREY, RED)


def test_a_result_survives_json(result: Result) -> None:
    data = json.loads(json.dumps(result.to_dict()))
    assert Result.from_dict(data).to_dict() == data
    assert [query["sentence"] for query in data["queries"]] == [GREY, RED]
    assert data["analysed"] == {"start": 0.0, "end": 3.0, "stride": 1.0}
    assert data["checkpoint"]["name"] == "fresh" and data["checkpoint"]["trained_on"] == "nothing"


def test_everything_lies_inside(result: Result) -> None:
    for query in result.queries:
        assert query.found and 0 <= query.presence <= 1
        assert [key.time for key in query.keyframes] == [0.5, 1.5, 2.5]
        assert [key.frame for key in query.keyframes] == [5, 15, 25]
        boxes = [key.box_xyxy for key in query.keyframes] + [point.box_xyxy for point in query.track]
        boxes += [entry.box_xyxy for key in query.keyframes for entry in key.candidates]
        for x1, y1, x2, y2 in boxes:
            assert 0 <= x1 < x2 <= 160 and 0 <= y1 < y2 <= 96
        for key in query.keyframes:
            scores = [entry.score for entry in key.actions]
            assert len(scores) == 5 and scores == sorted(scores, reverse=True)
        assert [point.frame for point in query.track] == list(range(5, 26))
        for segment in query.segments:
            assert 0 <= segment.start < segment.end <= 3


def test_sentences_are_answered_as_if_alone(predictor: Predictor, clip: Any, result: Result) -> None:
    for sentence, together in zip((GREY, RED), result.queries, strict=True):
        (alone,) = predictor.ask(clip, sentence).queries
        for one, other in zip(alone.keyframes, together.keyframes, strict=True):
            assert one.presence == pytest.approx(other.presence, abs=1e-4)
            assert one.box_xyxy == pytest.approx(other.box_xyxy, abs=1e-4 * 160)
            assert [a.score for a in one.actions] == pytest.approx([a.score for a in other.actions], abs=1e-4)


def test_nobody_is_an_answer(predictor: Predictor, clip: Any) -> None:
    (query,) = predictor.ask(clip, GREY, threshold=1.0).queries
    assert not query.found and query.track == () and query.segments == ()
    assert all(key.box_xyxy is None and key.actions == () for key in query.keyframes)


def test_only_the_asked_part_is_analysed(predictor: Predictor, clip_path: Path, clip: Any) -> None:
    part = predictor.encode(clip_path, start=1.0, end=2.6, stride=0.5)
    assert (part.start, part.end, part.stride) == (1.0, 2.6, 0.5)
    assert part.times == (1.25, 1.75, 2.25) and part.frames == (12, 17, 22)
    (query,) = predictor.ask(part, GREY).queries
    assert [point.frame for point in query.track] == list(range(12, 23))
    assert predictor.encode(clip_path, end=99).times == clip.times


def test_a_single_frame_is_a_clip(predictor: Predictor, tmp_path: Path) -> None:
    still = predictor.encode(make_video(tmp_path / "one.mp4", 1))
    (query,) = predictor.ask(still, GREY).queries
    assert [key.frame for key in query.keyframes] == [0] and [point.frame for point in query.track] == [0]


def test_work_can_be_watched_and_stopped(predictor: Predictor, clip_path: Path, clip: Any) -> None:
    parts: list[float] = []
    predictor.encode(clip_path, progress=lambda stage, part: parts.append(part))
    assert parts == sorted(parts) and parts[-1] == 1.0
    with pytest.raises(Cancelled):
        predictor.encode(clip_path, cancelled=lambda: True)
    with pytest.raises(Cancelled):
        predictor.ask(clip, GREY, cancelled=lambda: True)


@pytest.mark.parametrize("options", [{"start": 3.0}, {"start": 2, "end": 1}, {"stride": 0}, {"end": float("nan")}])
def test_impossible_parts_are_refused(predictor: Predictor, clip_path: Path, options: dict[str, float]) -> None:
    with pytest.raises(OptionError):
        predictor.encode(clip_path, **options)


def test_impossible_questions_are_refused(predictor: Predictor, clip: Any) -> None:
    for sentences, options in (((), {}), ((GREY,) * 17, {}), ((GREY,), {"top_k": 0}), ((GREY,), {"threshold": 2})):
        with pytest.raises(OptionError):
            predictor.ask(clip, *sentences, **options)
    for sentence in ("", "   ", "!!", "x" * 10_000, "男人", "🙂🙂"):
        with pytest.raises(SentenceError):
            predictor.ask(clip, GREY, sentence)
    with pytest.raises(VideoError):
        predictor.encode("/nowhere.mp4")


def test_a_checkpoint_without_its_parts_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    config = json.loads((checkpoint / "config.json").read_text())
    broken = [{k: v for k, v in config.items() if k != gone} for gone in ("model", "calibration", "actions")]
    broken += [{**config, "model": {"architecture": "other"}}, {**config, "model": {"width": "wide"}}]
    for number, entry in enumerate(broken):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "model.safetensors").symlink_to(checkpoint / "model.safetensors")
        (folder / "config.json").write_text(json.dumps(entry))
        with pytest.raises(CheckpointError):
            Predictor.from_pretrained(folder)


def test_key_frames_stand_in_the_middle_of_each_stride() -> None:
    assert key_times(0, 3, 1) == [0.5, 1.5, 2.5]
    assert key_times(1, 2.6, 0.5) == [1.25, 1.75, 2.25]
    assert key_times(0, 0.4, 1) == [0.2]
    assert key_times(2, 2.04, 1) == [2.02]
    for end in (0.3, 0.9, 1.4, 1.6, 7.77):
        times = key_times(0.1, end, 1.0)
        assert times == sorted(set(times)) and all(0.1 <= time <= end for time in times)


def key_frame(frame: int, left: float | None) -> KeyFrame:
    box = None if left is None else (left, 0.0, left + 10, 20.0)
    return KeyFrame(frame / 10, frame, box is not None, 0.5, box, (ActionScore(action(12), 0.9),) if box else ())


def test_tracks_run_only_between_found_key_frames(clip: Any) -> None:
    keys = [key_frame(n, left) for n, left in ((5, 0), (9, 8), (13, None), (17, 30), (21, None), (25, 5), (29, 5))]
    track = {point.frame: point.box_xyxy[0] for point in interpolate(keys, clip)}
    assert sorted(track) == [5, 6, 7, 8, 9, 17, 25, 26, 27, 28, 29]
    assert [track[n] for n in range(5, 10)] == [0, 2, 4, 6, 8] and track[17] == 30
    assert list(interpolate([key_frame(5, None)], clip)) == []
    short = replace(clip, start=0.0, end=0.4)
    assert [point.frame for point in interpolate([key_frame(2, 3)], short)] == [0, 1, 2, 3, 4]


def test_segments_join_neighbouring_key_frames() -> None:
    import numpy as np

    scores = np.zeros((5, 80))
    scores[[0, 1, 3], 11] = 0.8, 0.6, 0.9
    scores[4, 11] = 0.9
    clip = SimpleNamespace(start=0.0, end=4.9, stride=1.0, times=(0.5, 1.5, 2.5, 3.5, 4.5))
    found = [True, True, True, True, False]
    segments = [(s.action.id, s.start, s.end, round(s.score, 6)) for s in find_segments(scores, found, clip)]
    assert segments == [(12, 0.0, 2.0, 0.7), (12, 3.0, 4.0, 0.9)]
