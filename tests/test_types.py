"""Actions, and results that refuse to be nonsense and survive being written down."""

import csv
import json
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from refatomnet.actions import ACTIONS, GROUPS, NUM_ACTIONS, action
from refatomnet.errors import DataError, RefAtomNetError, VideoError
from refatomnet.types import (
    ActionScore,
    Candidate,
    KeyFrame,
    Query,
    Result,
    Segment,
    TrackPoint,
    VideoInfo,
    write_whole,
)

BOX = (160.0, 90.0, 320.0, 270.0)
FOUND = KeyFrame(0.5, 15, True, 0.9, BOX, (ActionScore(action(12), 0.75), ActionScore(action(80), 0.5)))
NOBODY = KeyFrame(1.5, 45, False, 0.1, None, ())


def result() -> Result:
    segments, track = (Segment(action(12), 0.0, 1.0, 0.75),), (TrackPoint(15, BOX),)
    query = Query('the man, in "grey"', True, 0.9, (FOUND, NOBODY), segments, track)
    card = {"name": "compact", "version": "0", "trained_on": "nothing"}
    return Result(VideoInfo("some/clip.mp4", 640, 360, 29.97, 300, 10.01), 0.0, 10.01, 1.0, card, (query,))


def test_the_actions_are_those_of_ava() -> None:
    assert NUM_ACTIONS == 80 and [entry.id for entry in ACTIONS] == list(range(1, 81))
    assert len({entry.name for entry in ACTIONS}) == 80 and {entry.group for entry in ACTIONS} == set(GROUPS)
    assert sum(entry.in_ava_60 for entry in ACTIONS) == 60
    assert action(1).name == "bend/bow (at the waist)" and action(80) is action("watch (a person)")
    for wrong in (0, 81, -1, "fly"):
        with pytest.raises(KeyError):
            action(wrong)


@pytest.mark.parametrize("score", [-0.01, 1.01, float("nan")])
def test_a_score_is_a_probability(score: float) -> None:
    with pytest.raises(ValueError, match="score"):
        ActionScore(action(12), score)
    with pytest.raises(ValueError, match="presence"):
        replace(FOUND, presence=score)


def test_a_box_is_there_exactly_when_the_person_is() -> None:
    with pytest.raises(ValueError, match="box"):
        replace(FOUND, box_xyxy=None)
    with pytest.raises(ValueError, match="box"):
        replace(NOBODY, box_xyxy=BOX)


@pytest.mark.parametrize("box", [(1, 2, 3), (3, 0, 1, 2), (0, 2, 1, 1), (0, 0, 0, 1)])
def test_a_box_has_its_corners_in_order(box: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="x1 < x2"):
        TrackPoint(0, box)
    with pytest.raises(ValueError, match="x1 < x2"):
        replace(FOUND, box_xyxy=box)


def test_results_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        FOUND.presence = 1.0
    assert Candidate(BOX, 0.5).score == 0.5


def test_a_result_survives_json(tmp_path: Path) -> None:
    result().save_json(tmp_path / "out.json")
    data = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert data == result().to_dict() and data["schema_version"] == 1
    assert Result.from_dict(data).to_dict() == data
    first, second = data["queries"][0]["keyframes"]
    assert first["actions"][0] == {"id": 12, "name": "stand", "group": "person movement", "score": 0.75}
    assert second["box_xyxy"] is None and second["found"] is False
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


def test_another_schema_version_is_refused() -> None:
    with pytest.raises(DataError, match="schema_version 2.* expected 1"):
        Result.from_dict({**result().to_dict(), "schema_version": 2})


def test_csv_has_fractions_of_a_wide_picture(tmp_path: Path) -> None:
    result().save_csv(tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["action_id"] for row in rows] == ["12", "80"]  # a row an action, none where nobody was found
    assert [float(rows[0][key]) for key in ("x1", "y1", "x2", "y2")] == [0.25, 0.25, 0.5, 0.75]
    assert rows[0]["video"] == "clip.mp4" and rows[0]["sentence"] == 'the man, in "grey"'


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    target.write_text("old")

    def write(part: Path) -> None:
        part.write_text("ha")
        raise OSError(28, "No space left on device")

    with pytest.raises(VideoError, match="out.txt.*No space left"):
        write_whole(target, write)
    assert target.read_text() == "old" and list(tmp_path.iterdir()) == [target]
    longest = tmp_path / ("x" * 251 + ".txt")
    write_whole(longest, lambda part: part.write_text("ha"))
    assert longest.read_text() == "ha"
    with pytest.raises(VideoError, match="File name too long"):
        write_whole(tmp_path / ("x" * 252 + ".txt"), lambda part: part.write_text("ha"))
    assert sorted(tmp_path.iterdir()) == sorted([target, longest])
    with pytest.raises(RefAtomNetError, match="missing"):
        result().save_json(tmp_path / "missing" / "out.json")
