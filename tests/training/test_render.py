"""The renderer: same seed, same clip; boxes lie on what is seen, labels stand only where they can be seen."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training.data.synthetic import film, render
from training.data.synthetic.deeds.motions import Deed
from training.data.synthetic.deeds.poses import upright
from training.data.synthetic.labels import seen_actions
from training.data.synthetic.people.bodies import BANK, JOINTS, UNIT, make_bank
from training.data.synthetic.people.wardrobe import PROP
from training.data.synthetic.render import Studio

SEEDS = (0, 1, 2)
BODIES = Path(__file__).with_name("bodies")
SMALL = {"size": (160, 120), "frames": 4, "key_frame": 2}


@pytest.fixture(scope="module")
def studio() -> Studio:
    """The test split's first six bodies, kept here because making them takes anny a minute or more."""
    return Studio("test", cache_dir=BODIES, bodies=6)


@pytest.fixture(scope="module")
def scenes(studio: Studio) -> list:
    return [studio.shoot(seed, **SMALL) for seed in SEEDS]


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_same_seed_same_clip(studio: Studio, seed: int) -> None:
    scene, again = (studio.shoot(seed, **SMALL) for _ in range(2))
    assert np.array_equal(again.frames, scene.frames)
    assert (again.place, again.tags, len(again.things)) == (scene.place, scene.tags, len(scene.things))
    for one, other in zip(again.people, scene.people, strict=True):
        assert (one.look, one.actions, one.facing, one.holding) == (
            other.look,
            other.actions,
            other.facing,
            other.holding,
        )
        for name in ("boxes_xyxy", "full_boxes_xyxy", "visible", "joints_xy", "joints_seen", "hidden_by"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_other_seed_other_people(scenes: list) -> None:
    assert not np.array_equal(scenes[0].frames, scenes[1].frames)
    heights = [p.look.height for scene in scenes for p in scene.people]
    assert len(set(heights)) > len(heights) / 2


def test_shapes(scenes: list) -> None:
    for scene in scenes:
        assert scene.frames.shape == (4, 120, 160, 3)
        assert scene.frames.dtype == np.uint8
        count = len(scene.people)
        for person in scene.people:
            assert person.boxes_xyxy.shape == person.full_boxes_xyxy.shape == (4, 4)
            assert person.visible.shape == (4,)
            assert person.joints_xy.shape == (4, len(JOINTS), 2)
            assert person.joints_seen.shape == (4, len(JOINTS))
            assert person.hidden_by.shape == (4, count + 1)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_boxes_lie_in_the_frame_and_hold_just_the_visible_pixels(studio: Studio, monkeypatch, seed: int) -> None:
    measured: list[tuple] = []
    measure = film._measure

    def watched(actors, frame, hits, depth, owner, *rest) -> None:
        measured.append((actors, frame, hits, owner.copy()))
        measure(actors, frame, hits, depth, owner, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(film, "_measure", watched)
        scene = studio.shoot(seed, size=(160, 120), frames=2, key_frame=1)
    for actors, frame, hits, owner in measured[-2:]:
        height, width = owner.shape
        assert len(actors) == len(scene.people)
        for k, (actor, hit, person) in enumerate(zip(actors, hits, scene.people, strict=True)):
            alone = np.zeros(owner.shape, bool)
            body = actor.parts[hit.face] < PROP
            alone[hit.y[body], hit.x[body]] = True
            shown = alone & (owner == k)
            box, full = person.boxes_xyxy[frame], person.full_boxes_xyxy[frame]
            assert 0 <= person.visible[frame] <= 1 + 1e-9
            assert (person.hidden_by[frame] >= 0).all() and person.hidden_by[frame, k] == 0
            if alone.any():
                np.testing.assert_allclose(person.hidden_by[frame].sum(), 1 - shown.sum() / alone.sum(), atol=1e-6)
            if shown.sum() < film.MIN_PIXELS:
                assert np.isnan(box).all()
                continue
            y, x = np.nonzero(shown)
            np.testing.assert_allclose(
                box * (width, height, width, height), (x.min(), y.min(), x.max() + 1, y.max() + 1), atol=1e-6
            )
            assert (box >= 0).all() and (box <= 1).all() and (box[2:] > box[:2]).all()
            slack = np.array([1 / width, 1 / height])
            assert (full[:2] <= box[:2] + slack).all() and (full[2:] >= box[2:] - slack).all()


def test_joints_lie_in_the_full_box_and_none_is_seen_outside_the_frame(scenes: list) -> None:
    checked = 0
    for scene in scenes:
        for person in scene.people:
            for frame in np.flatnonzero(person.visible > 0.98):
                x1, y1, x2, y2 = person.full_boxes_xyxy[frame]
                joints = person.joints_xy[frame]
                inside = (joints > (x1 - 0.03, y1 - 0.03)) & (joints < (x2 + 0.03, y2 + 0.03))
                assert inside.all()
                checked += 1
            outside = ((person.joints_xy < 0) | (person.joints_xy > 1)).any(-1)
            assert not (person.joints_seen & outside).any()
    assert checked


def test_the_tightest_close_ups_cut_whom_they_frame_and_are_of_training_alone(
    studio: Studio, scenes: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not any("tight" in scene.tags for scene in scenes) and "tight" not in render.FRAMINGS
    assert sum(render.TRAINED.values()) == pytest.approx(1) and 0 < render.TRAINED["tight"] < 0.2
    monkeypatch.setattr(render, "TRAINED", {"tight": 1.0})
    monkeypatch.setattr(studio, "split", "train")
    tight = [studio.shoot(seed, **SMALL) for seed in SEEDS]
    assert all(scene.tags == ("tight",) for scene in tight)
    key, edge = SMALL["key_frame"], 0.005
    framed = [scene.people[0].full_boxes_xyxy[key] for scene in tight]
    assert all((box[:2] <= edge).any() or (box[2:] >= 1 - edge).any() for box in framed)
    tall = [box[3] - box[1] for box in framed]
    assert min(tall) > 0.6


def test_things_move(scenes: list) -> None:
    for scene in scenes:
        assert np.abs(scene.frames[0].astype(int) - scene.frames[-1]).mean() > 0.05


def test_actions_are_sorted_and_somebody_does_something(scenes: list) -> None:
    assert all(p.actions == tuple(sorted(set(p.actions))) for scene in scenes for p in scene.people)
    assert all(any(p.actions for p in scene.people) for scene in scenes)


def test_labels_fall_away_with_what_they_show() -> None:
    t = np.linspace(-1, 1, 4)
    deed = Deed("drink", upright(t), (12, 17, 27, 80), "standing", shows={17: (13,), 27: (13, 7)}, needs={27: "cup"})
    seen, near, turned = np.ones((4, len(JOINTS)), bool), np.ones(4, bool), np.ones(4)

    def left(cup: float = 99, company: float | None = None) -> set[int]:
        return seen_actions(deed, {"cup": np.full(4, cup)}, seen, near, company=company, turned=turned)

    assert left(company=1.0) == {12, 17, 27, 80}
    assert left(company=0.0) == {12, 17, 27}  # the other is out of view
    assert left(cup=0) == {12, 17, 80}
    assert seen_actions(deed, {}, seen, near, company=None, turned=turned) == {12, 17, 80}
    assert seen_actions(deed, {"cup": np.full(4, 99)}, seen, near, company=None, turned=-turned) == {12, 17, 80}
    seen[:, [0, 14, 15, 17, 18]] = False  # no hip and no knee
    assert left() == {17, 27, 80}
    seen[:, 18], seen[:3, 13] = True, False
    assert left() == {12, 27, 80}  # the cup is seen without the hand
    seen[:, 7] = False  # at a mouth that is not seen
    assert left() == {12}
    near[:3] = False  # what is far from the key frame does not count
    assert left() == {12, 17}


def test_unknown_split() -> None:
    with pytest.raises(ValueError, match="unknown split"):
        Studio("holdout")


@pytest.mark.slow
@pytest.mark.skipif(not (Path.home() / ".cache" / "anny").is_dir(), reason="anny's own cache takes minutes to build")
def test_the_kept_bodies_can_be_made_again() -> None:
    """Which vertices of a fine mesh stay hangs on the last bit of a sum, and so on the processor: hardly any differ."""
    made = make_bank(6, BANK["test"][1])
    with np.load(BODIES / "test-6.npz") as kept:
        assert kept.keys() == made.keys()
        for name, values in kept.items():
            np.testing.assert_allclose(made[name].shape, values.shape, rtol=0.002, err_msg=name)
        for name in ("joints", "gender", "age", "girth"):
            np.testing.assert_allclose(kept[name], made[name], atol=1e-5)
        for one, other in zip(kept["rest"], made["rest"], strict=True):
            apart = np.linalg.norm((one[:, None] - other.astype(np.float32)) * UNIT, axis=-1)
            for nearest in (apart.min(0), apart.min(1)):  # metres
                assert (nearest > 0.001).mean() < 0.01 and nearest.max() < 0.05 and nearest.mean() < 1e-4
