"""Long clips keep what their kind promises and say where everybody is; how one is followed is scored as by hand."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from training import following
from training.data.synthetic import long_takes
from training.data.synthetic.deeds.poses import solve
from training.data.synthetic.deeds.strolls import Stroll
from training.data.synthetic.long_takes import KINDS, LongClip, LongStudio, longest_gap
from training.data.synthetic.people.bodies import LEG
from training.following import Job, read_truth, summary, truth_line
from training.generate import write_clip
from training.tracking import Followed, Truth, follow_score, short_gaps

BODIES = Path(__file__).with_name("bodies")
FPS = 25.0
TINY = (160, 90)


@pytest.fixture(scope="module")
def studio() -> LongStudio:
    return LongStudio("test", cache_dir=BODIES, bodies=6)


# ---- the clips ----------------------------------------------------------------------------------------------------
def test_the_same_seed_makes_the_same_clip(studio: LongStudio) -> None:
    first, again = (studio.shoot_long(3, kind="look-alikes", size=TINY, frames=6) for _ in range(2))
    assert np.array_equal(first.frames, again.frames)
    assert json.dumps(truth_line(first, "a.mp4")) == json.dumps(truth_line(again, "a.mp4"))
    other = studio.shoot_long(4, kind="look-alikes", size=TINY, frames=6)
    assert not np.array_equal(first.frames, other.frames)


def test_boxes_are_where_the_bodies_are_drawn(studio: LongStudio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Projects every body with a pinhole of our own; a camera aside must be taken into account."""
    calls = []

    def noting(actors, place, camera, size, rng):
        images, facts = film(actors, place, camera, size, rng)
        calls.append((actors, camera, facts, images))
        return images, facts

    film = long_takes.film
    monkeypatch.setattr(long_takes, "film", noting)
    monkeypatch.setattr(
        long_takes, "_takes", lambda kind, rng, frames: [long_takes.Take(3 * v, 3 * v + 3, 0, v) for v in range(3)]
    )
    clip = studio.shoot_long(5, kind="cuts", size=TINY, frames=9)
    calls = calls[-3:]  # earlier ones are of attempts that told nobody apart
    for k, person in enumerate(clip.people):
        np.testing.assert_array_equal(person.boxes_xyxy, np.concatenate([facts.box[k] for _, _, facts, _ in calls]))
    np.testing.assert_array_equal(clip.frames, np.concatenate([images for _, _, _, images in calls]))
    assert clip.cuts == (3, 6)
    assert {tuple(np.round(camera.at, 3)) for _, camera, _, _ in calls} != {(0.0, 0.0)}
    compared = 0
    for actors, camera, facts, _images in calls:
        for k, actor in enumerate(actors):
            points = actor.vertices[1, np.unique(actor.figure.faces)] - np.array([*camera.at, camera.height])
            x, y, z = (points @ camera.turns[1]).T
            if z.min() < 0.3 or np.isnan(facts.box[k, 1]).any():
                continue
            pixels = np.stack([x, y], -1) / z[:, None] * camera.focals[1]
            pixels += np.array([camera.width, camera.height_px]) / 2
            scale = np.array([camera.width, camera.height_px])
            want = np.clip(np.concatenate([pixels.min(0) / scale, pixels.max(0) / scale]), 0, 1)
            assert np.abs(facts.full[k, 1] - want).max() < 0.02
            assert (facts.box[k, 1][:2] >= want[:2] - 0.02).all()
            assert (facts.box[k, 1][2:] <= want[2:] + 0.02).all()
            compared += 1
    assert compared >= 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_does_what_it_promises(studio: LongStudio, kind: str) -> None:
    clip = studio.shoot_long(7, kind=kind, size=TINY)
    assert clip.frames.shape == (500, 90, 160, 3)
    assert 2 <= len(clip.people) <= 5
    assert clip.sentences
    seen = np.stack([p.visible for p in clip.people]) >= 0.3
    assert seen.any(0).mean() > 0.89
    for person in clip.people:
        out = np.isnan(person.boxes_xyxy).any(1)
        assert (person.visible[out] == 0).all()
    if kind == "in and out":
        there = clip.people[0].visible > 0.02
        assert longest_gap(there) > 30  # they leave for more than a second and come back
        assert clip.cuts == ()
    elif kind == "look-alikes":
        a, b = (clip.people[k] for k in clip.alike[:2])
        assert (a.look.top, a.look.top_colour, a.look.sex) == (b.look.top, b.look.top_colour, b.look.sex)
        assert a.look != replace(b.look, height=a.look.height, build=a.look.build) or a.holding != b.holding
        assert max(a.hidden_by[:, 1].max(), b.hidden_by[:, 0].max()) > 0.3
    else:
        assert 2 <= len(clip.cuts) <= 3
        differences = np.abs(np.diff(clip.frames.astype(int), axis=0)).mean((1, 2, 3))
        cut, rest = differences[[c - 1 for c in clip.cuts]], np.delete(differences, [c - 1 for c in clip.cuts])
        assert cut.min() > 3 * np.median(rest)


def test_a_foot_that_bears_stays_where_it_is(studio: LongStudio) -> None:
    rng = np.random.default_rng(0)
    stroll = Stroll.start(studio.bodies[0], np.array([0.0, 4.0]), 0.4, 0.0, rng)
    stroll.walk_to(np.array([1.8, 4.5]), 0.1)
    stroll.wait(1.0)
    stroll.walk_to(np.array([-2.5, 5.5]))
    t = np.arange(400) / FPS
    pose = stroll.deed(t, rng).pose
    _, positions, _ = solve(pose, studio.bodies[0])
    moved = 0.0
    for g in (1, -1):
        ankle = positions[:, LEG[g][2], :2]
        for step, after in pairwise(s for s in stroll.steps if s.side == g):
            bears = (t > step.lands + 0.05) & (t < after.lifts - 0.3 * stroll.span / stroll.pace)
            if bears.sum() > 1:
                moved = max(moved, float(np.ptp(ankle[bears], axis=0).max()))
    assert moved < 0.04
    places, _, busy = stroll.track(t)
    assert np.linalg.norm(places[-1] - [-2.5, 5.5]) < 1e-6
    assert np.linalg.norm(np.diff(places, axis=0), axis=1).max() * FPS < 2.0  # nobody leaps
    assert busy.max() == 1
    assert busy[-1] == 0
    feet = positions[-1, [LEG[1][2], LEG[-1][2]], :2]
    assert np.linalg.norm(feet.mean(0) - places[-1]) < 0.04  # they have come along


def test_nobody_stands_where_another_is(studio: LongStudio) -> None:
    t = np.arange(3.0)
    part = studio._cast(np.random.default_rng(0), "cuts")[0][0]
    standing = [long_takes._standing(part, long_takes.Field(3, 5, 0.6), np.random.default_rng(k), t) for k in range(40)]
    stands = next(one for one in standing if one.deed.seat is None)
    sits = next(one for one in standing if one.deed.seat)
    stands.at = np.array([0.0, 4.0])
    for other, apart, room in ((stands, 0.7, False), (stands, 0.75, True), (sits, 0.9, False), (sits, 1.0, True)):
        beside = replace(other, at=np.array([apart, 4.0]))
        assert long_takes.room_for(beside, [stands], t) == room


def test_people_keep_clear_of_each_other(studio: LongStudio) -> None:
    t = np.arange(0, 20, 0.12)
    rng = np.random.default_rng(2)
    parts, alike = studio._cast(rng, "look-alikes")
    plan = next(
        p
        for p in (studio._plan(parts, list(range(len(parts))), "look-alikes", alike, TINY, rng, t) for _ in range(20))
        if p
    )
    ways, ground = plan[1], plan[2]
    tracks = [long_takes.track_of(way, t) for way in ways]
    for i, p in enumerate(tracks):
        for q in tracks[:i]:
            assert np.linalg.norm(p - q, axis=1).min() >= long_takes.APART
    assert long_takes.crossings(ways[0], ways[1], ground, t) >= 1


# ---- the score, by hand -------------------------------------------------------------------------------------------
LEFT, RIGHT = np.array([0.0, 0.0, 0.2, 1.0]), np.array([0.5, 0.0, 0.7, 1.0])


def _truth(frames: int = 100, cuts: tuple[int, ...] = ()) -> Truth:
    """One person at the left, one at the right, in view all the time."""
    boxes = np.stack([np.tile(LEFT, (frames, 1)), np.tile(RIGHT, (frames, 1))])
    return Truth(boxes, boxes.copy(), np.ones((2, frames)), FPS, cuts)


def _hide(truth: Truth, person: int, frames: slice) -> None:
    truth.boxes_xyxy[person, frames] = np.nan
    truth.visible[person, frames] = 0


def _track(*pieces: tuple[range, np.ndarray]) -> dict[int, np.ndarray]:
    return {n: box for frames, box in pieces for n in frames}


def test_a_perfect_track_scores_one() -> None:
    assert follow_score(_truth(), 0, _track((range(100), LEFT))) == Followed(1.0, 1.0, 0.0, 0, 0, 100)


def test_a_missing_and_a_superfluous_box_count_nought() -> None:
    half = follow_score(_truth(), 0, _track((range(50), LEFT)))
    assert (half.iou, half.recall, half.frames) == (0.5, 0.5, 100)
    truth = _truth()
    _hide(truth, 0, slice(60, 100))  # gone for good
    late = follow_score(truth, 0, _track((range(80), LEFT)))
    assert late.iou == pytest.approx(60 / 80)
    assert (late.superfluous, late.recall, late.frames) == (20 / 80, 1.0, 80)


def test_the_overlap_is_that_of_the_boxes() -> None:
    shifted = LEFT + np.array([0.1, 0, 0.1, 0])
    assert follow_score(_truth(), 0, _track((range(100), shifted))).iou == pytest.approx(1 / 3)


def test_a_moment_of_hiding_counts_neither_way() -> None:
    truth = _truth()
    _hide(truth, 0, slice(40, 65))  # a second
    assert follow_score(truth, 0, _track((range(100), LEFT))).iou == 1.0
    gone = follow_score(truth, 0, _track((range(40), LEFT), (range(65, 100), LEFT)))
    assert (gone.iou, gone.fragments, gone.frames) == (1.0, 0, 75)
    _hide(truth, 0, slice(65, 66))  # a frame more is an absence
    assert follow_score(truth, 0, _track((range(100), LEFT))).superfluous == 26 / 100
    assert not short_gaps(np.array([1, 0, 1], bool), 5, cuts=(1,)).any()  # across a cut nobody is bridged


def test_partly_seen_people_may_be_boxed() -> None:
    truth = _truth()
    truth.visible[0, 50:] = 0.2
    assert follow_score(truth, 0, _track((range(100), LEFT))).iou == 1.0
    assert follow_score(truth, 0, _track((range(50), LEFT))).iou == 1.0


def test_going_over_to_another_is_a_switch() -> None:
    over = _track((range(50), LEFT), (range(50, 100), RIGHT))
    assert follow_score(_truth(), 0, over).switches == 1
    back = _track((range(40), LEFT), (range(40, 60), RIGHT), (range(60, 100), LEFT))
    assert follow_score(_truth(), 0, back).switches == 2
    assert follow_score(_truth(), 0, _track((range(100), RIGHT))).switches == 0  # wrong, but always the same


def test_a_glance_at_another_is_no_switch() -> None:
    for count, switches in ((9, 0), (10, 2)):  # 0.4 s are ten frames
        glance = _track((range(40), LEFT), (range(40, 40 + count), RIGHT), (range(40 + count, 100), LEFT))
        assert follow_score(_truth(), 0, glance).switches == switches


def test_cuts_excuse_changes_but_not_losing_the_right_one() -> None:
    over = _track((range(50), LEFT), (range(50, 100), RIGHT))
    assert follow_score(_truth(cuts=(50,)), 0, over).switches == 1  # was right, is wrong
    assert follow_score(_truth(cuts=(50,)), 1, over).switches == 0  # was wrong, is right
    assert follow_score(_truth(), 1, over).switches == 1  # without a cut it went over


def test_a_switch_while_the_person_is_hidden_is_counted_when_they_are_seen_again() -> None:
    truth = _truth()
    _hide(truth, 0, slice(40, 60))
    while_hidden = _track((range(40), LEFT), (range(40, 60), RIGHT), (range(60, 100), LEFT))
    assert follow_score(truth, 0, while_hidden).switches == 0  # the box lay on who hides them
    assert follow_score(truth, 0, _track((range(40), LEFT), (range(40, 100), RIGHT))).switches == 1


def test_while_two_overlap_the_box_is_the_meant_persons() -> None:
    truth = _truth()
    truth.boxes_xyxy[1, 40:60] = LEFT  # the other stands before them,
    truth.boxes_xyxy[0, 40:60] = LEFT * (0.2, 1, 0.2, 1)  # of whom a strip is seen
    assert follow_score(truth, 0, _track((range(100), LEFT))).switches == 0


def test_interruptions_are_counted_when_they_end() -> None:
    broken = _track((range(20), LEFT), (range(30, 50), LEFT), (range(60, 80), LEFT))
    assert follow_score(_truth(), 0, broken).fragments == 2


def test_people_and_frames_that_are_not_there_are_refused() -> None:
    with pytest.raises(ValueError, match="no person 2"):
        follow_score(_truth(), 2, {})
    with pytest.raises(ValueError, match="frames 0 to 99"):
        follow_score(_truth(), 0, {100: LEFT})


def test_clips_count_alike_however_many_sentences_they_have() -> None:
    good, bad = Followed(1.0, 1.0, 0.0, 0, 0, 10), Followed(0.0, 0.0, 0.5, 1, 4, 10)
    found = summary([(0, good), (0, bad), (1, good)])
    assert found["iou"] == 0.75
    assert found["switched"] == 0.5
    assert found["switched_sentences"] == 0.25
    assert (found["clips"], found["sentences"], found["fragments"]) == (2, 3, 1.0)
    assert found["ci95"]["iou"] == [0.5, 1.0]


# ---- the command --------------------------------------------------------------------------------------------------
@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A made clip of two seconds, as if a studio had filmed it."""
    frames = np.full((50, 90, 160, 3), 120, np.uint8)
    look = {"sex": "man"}
    job = Job(str(tmp_path), 5, (160, 90))
    write_clip(job.clip(0), frames, FPS)
    person = {
        "person_id": "0", "look": look, "holding": None, "boxes_xyxy": [[0.1, 0.1, 0.4, 0.9]] * 50,
        "full_boxes_xyxy": [[0.1, 0.1, 0.4, 0.9]] * 50, "visible": [1.0] * 50, "in_view": [True] * 50,
    }  # fmt: skip
    line = {
        "clip": "clips/000000.mp4", "kind": KINDS[0], "size": [160, 90], "fps": FPS, "frames": 50, "cuts": [],
        "places": ["park"], "alike": [], "people": [person],
        "sentences": [{"person_id": "0", "sentence": "the man in the red coat"}],
    }  # fmt: skip
    job.truth(0).parent.mkdir()
    job.truth(0).write_text(json.dumps(line))
    return tmp_path


def test_the_command_reports_every_row(folder: Path, checkpoint: Path, capsys: pytest.CaptureFixture) -> None:
    out = folder / "out.json"
    words = ["--data", str(folder), "--clips", "1", "--size", "160x90", "--checkpoint", str(checkpoint)]
    assert following.main([*words, "--json", str(out), "--draw", "1"]) == 0
    report = json.loads(out.read_text())
    assert report["command"].startswith("python -m training.following --data")
    for row in ("asked", "given"):
        assert set(report[row]) == {"all", KINDS[0], "sentences"}
        assert 0 <= report[row]["all"]["iou"] <= 1
        assert report[row]["sentences"][0]["frames"] == 50
    assert (folder / "drawn" / "000000.mp4").stat().st_size > 0
    assert "asked, all" in capsys.readouterr().out


def test_clips_of_another_seed_are_not_mixed_in(folder: Path, capsys: pytest.CaptureFixture) -> None:
    words = ["--data", str(folder), "--clips", "1", "--size", "160x90", "--make-only"]
    assert following.main(words) == 0
    assert following.main([*words, "--seed", "6"]) == 2
    assert "made with {'seed': 5" in capsys.readouterr().err
    assert following.main([*words, "--clips", "0"]) == 2


def test_damaged_truth_is_refused(folder: Path) -> None:
    path = Job(str(folder), 5, (160, 90)).truth(0)
    line = json.loads(path.read_text())
    line["people"][0]["visible"].pop()
    path.write_text(json.dumps(line))
    with pytest.raises(following.DataError, match="damaged"):
        read_truth(path)


def test_the_line_of_a_clip_is_read_back(tmp_path: Path, studio: LongStudio) -> None:
    clip: LongClip = studio.shoot_long(3, kind="look-alikes", size=TINY, frames=6)
    path = tmp_path / "line.json"
    path.write_text(json.dumps(truth_line(clip, "clips/a.mp4")))
    line, truth = read_truth(path)
    assert line["kind"] == "look-alikes"
    for k, person in enumerate(clip.people):
        np.testing.assert_allclose(truth.boxes_xyxy[k], person.boxes_xyxy, atol=1e-5)
        assert line["people"][k]["in_view"] == np.isfinite(person.boxes_xyxy).all(1).tolist()
