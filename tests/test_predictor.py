"""The predictor on an untrained model: what it says has the promised form, whatever it says."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from test_video import make_video

from refatomnet.actions import action
from refatomnet.errors import Cancelled, CheckpointError, OptionError, SentenceError, VideoError
from refatomnet.predictor import Predictor, _proper, find_segments, follow_meant, key_times
from refatomnet.tracks import Track
from refatomnet.trajectories import Trajectories
from refatomnet.types import ActionScore, KeyFrame, Result, VideoInfo

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
        frames = [point.frame for point in query.track]
        assert frames == sorted(set(frames)) and {5, 15, 25} <= set(frames) <= set(range(5, 26))
        for segment in query.segments:
            assert 0 <= segment.start < segment.end <= 3


@pytest.mark.parametrize(
    ("box", "proper"),
    [
        ((-15.0, 5.0, 55.0, 120.0), (0.0, 5.0, 55.0, 96.0)),  # smoothed sizes reach beyond an edge that is touched
        ((-9.0, -9.0, -5.0, -5.0), (0.0, 0.0, 1.0, 1.0)),
        ((170.0, 99.0, 180.0, 99.0), (159.0, 95.0, 160.0, 96.0)),
        ((10.0, 20.0, 10.0, 40.0), (10.0, 20.0, 11.0, 40.0)),
    ],
)
def test_boxes_are_kept_inside_the_frame(box: tuple[float, ...], proper: tuple[float, ...]) -> None:
    assert _proper(np.array(box), VideoInfo("clip.mp4", 160, 96, 10.0, 30, 3.0)) == proper


def test_one_key_frame_is_tracked_over_its_own_frames_whatever_their_rate(predictor: Predictor, tmp_path: Path) -> None:
    stamps = [20 * n for n in range(100)] + [2000 + 100 * n for n in range(40)]  # two seconds at 50, four at 10
    path = make_video(tmp_path / "vfr.mp4", 140, size=(160, 96), stamps=stamps)
    clip = predictor.encode(path, start=4.0, end=4.8)
    box = np.array([10.0, 10.0, 40.0, 80.0])
    through = replace(clip, tracks=[Track([100, 139], [box, box])])
    row: Any = SimpleNamespace(found=True, best=0, tracks=[0])
    assert [point.frame for point in follow_meant([row], through)] == list(range(120, 128))


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
    frames = {point.frame for point in query.track}
    assert {12, 17, 22} <= frames <= set(range(12, 23))
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


def test_segments_join_neighbouring_key_frames() -> None:

    scores = np.zeros((5, 80))
    scores[[0, 1, 3], 11] = 0.8, 0.6, 0.9
    scores[4, 11] = 0.9
    clip = SimpleNamespace(start=0.0, end=4.9, stride=1.0, times=(0.5, 1.5, 2.5, 3.5, 4.5))
    found = [True, True, True, True, False]
    segments = [(s.action.id, s.start, s.end, round(s.score, 6)) for s in find_segments(scores, found, clip)]
    assert segments == [(12, 0.0, 2.0, 0.7), (12, 3.0, 4.0, 0.9)]


def test_stretches_arrive_while_encoding_and_say_the_same(
    predictor: Predictor, clip_path: Path, result: Result
) -> None:
    parts: list[Any] = []
    predictor.encode(clip_path, arrived=lambda part, pictures: parts.append((part, pictures)))
    keys = [key for part, _ in parts for key in predictor.ask(part, GREY).queries[0].keyframes]
    whole = result.queries[0].keyframes
    assert [key.frame for key in keys] == [key.frame for key in whole]
    for key, later in zip(keys, whole, strict=True):  # presence and shares are seen in another light by then
        boxes = [sorted(entry.box_xyxy for entry in one.candidates) for one in (key, later)]
        assert np.allclose(*boxes, atol=0.01)
    assert parts[0][0].start == 0 and parts[-1][0].end == 3
    for part, pictures in parts:
        assert len(pictures) == len(part.times)
        assert all(picture.dtype == "uint8" and picture.ndim == 3 for picture in pictures)


def test_a_runner_up_can_be_followed_instead(predictor: Predictor, clip: Any, result: Result) -> None:
    second = result.queries[0].keyframes[1].candidates[1]
    (query,) = predictor.follow(clip, GREY, key=1, candidate=1).queries
    key = query.keyframes[1]
    assert key.found and key.box_xyxy == pytest.approx(second.box_xyxy, abs=0.02)
    assert key.presence <= result.queries[0].keyframes[1].presence
    (first,) = predictor.follow(clip, GREY, key=1, candidate=0).queries
    assert first.keyframes[1].presence > key.presence, "the likeliest person is likelier than the second"


@pytest.mark.parametrize(("key", "candidate"), [(3, 0), (-1, 0), (0, 99)])
def test_only_people_who_are_there_can_be_followed(predictor: Predictor, clip: Any, key: int, candidate: int) -> None:
    with pytest.raises(OptionError, match="there is no"):
        predictor.follow(clip, GREY, key=key, candidate=candidate)


def test_words_are_explained_by_what_they_followed(predictor: Predictor, clip: Any) -> None:
    told = predictor.explain(clip, RED)
    assert len(told) == 3
    for paths in told:
        assert [path.word for path in paths] == ["woman", "in", "red", "coat", "on", "left"]
        for path in paths:
            assert len(path.times) == len(path.points) == len(path.shares) == predictor.model.config.frames
            assert all(0 <= x <= 160 and 0 <= y <= 96 for x, y in path.points)
            assert all(0 < share <= 1 for share in path.shares)


def test_words_lie_where_the_model_looked(predictor: Predictor, clip: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token of the last row and column lies in the frame's lower right corner."""
    config = predictor.model.config
    count = (config.image_height // 16) * (config.image_width // 16)
    similarity = torch.zeros(1, 20, config.frames, count)
    similarity[..., count - 1] = 3.0
    words = Trajectories(torch.zeros(()), similarity.argmax(-1), similarity)
    monkeypatch.setattr(predictor.model, "forward", lambda clip, text: SimpleNamespace(words=words))
    path = predictor.explain(clip, GREY)[0][0]
    x, y = path.points[0]
    assert x > 140 and y > 80
