"""The renderer: the same seed gives the same clip, boxes lie on what is seen, things move."""

from pathlib import Path

import numpy as np
import pytest

from training.data.synthetic import render
from training.data.synthetic.bodies import BANK, make_bank
from training.data.synthetic.render import Studio

SEEDS = (0, 1, 2)
BODIES = Path(__file__).with_name("bodies")


@pytest.fixture(scope="module")
def studio() -> Studio:
    """The test split's first six bodies, kept here because making them takes anny a minute or more."""
    return Studio("test", cache_dir=BODIES, bodies=6)


@pytest.fixture(scope="module")
def scenes(studio: Studio) -> list:
    return [studio.shoot(seed, size=(160, 90), frames=4, key_frame=2) for seed in SEEDS]


def test_same_seed_same_clip(studio: Studio, scenes: list) -> None:
    again = studio.shoot(SEEDS[0], size=(160, 90), frames=4, key_frame=2)
    assert np.array_equal(again.frames, scenes[0].frames)
    for one, other in zip(again.people, scenes[0].people, strict=True):
        assert one.look == other.look
        assert one.actions == other.actions
        np.testing.assert_array_equal(one.boxes_xyxy, other.boxes_xyxy)


def test_other_seed_other_clip(scenes: list) -> None:
    assert not np.array_equal(scenes[0].frames, scenes[1].frames)


def test_shapes(scenes: list) -> None:
    for scene in scenes:
        assert scene.frames.shape == (4, 90, 160, 3)
        assert scene.frames.dtype == np.uint8
        for person in scene.people:
            assert person.boxes_xyxy.shape == person.full_boxes_xyxy.shape == (4, 4)
            assert person.visible.shape == (4,)


def test_boxes_inside_frame_and_whole_body(scenes: list) -> None:
    pixel = np.array([1 / 160, 1 / 90])
    for scene in scenes:
        for person in scene.people:
            seen = ~np.isnan(person.boxes_xyxy).any(1)
            box, full = person.boxes_xyxy[seen], person.full_boxes_xyxy[seen]
            assert (box >= 0).all() and (box <= 1).all()
            assert (box[:, 2:] > box[:, :2]).all()
            assert (full[:, :2] <= box[:, :2] + pixel).all() and (full[:, 2:] >= box[:, 2:] - pixel).all()
            assert ((person.visible >= 0) & (person.visible <= 1 + 1e-6)).all()


def test_box_is_tight_when_nothing_hides(scenes: list) -> None:
    for scene in scenes:
        for person in scene.people:
            for t in np.flatnonzero(person.visible > 0.999):
                np.testing.assert_allclose(person.boxes_xyxy[t], person.full_boxes_xyxy[t], atol=0.03)


def test_frames_differ(scenes: list) -> None:
    for scene in scenes:
        assert np.abs(scene.frames[0].astype(int) - scene.frames[-1]).mean() > 0.05


def test_people_are_where_the_boxes_say(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """In clips without things in hands, the pixels people add to the empty place fill their boxes to the edges."""
    compose = render._compose
    added: list[np.ndarray] = []
    bare: list[bool] = []

    def watched(records: list, actors: list, place: object, colours: list, image: np.ndarray, *rest: object) -> None:
        empty = image.copy()
        compose(records, actors, place, colours, image, *rest)
        added.append((image != empty).any(-1))
        bare.append(not any(actor.deed.pose.props for actor in actors))

    monkeypatch.setattr(render, "_compose", watched)
    checked = 0
    for seed in range(12):
        scene = studio.shoot(seed, size=(160, 90), frames=2, key_frame=1)
        for frame, changed in enumerate(added[-2:]):
            if not bare[-1]:
                continue
            height, width = changed.shape
            inside = np.zeros_like(changed)
            for person in scene.people:
                if np.isnan(person.boxes_xyxy[frame]).any():
                    continue
                x1, y1, x2, y2 = np.rint(person.boxes_xyxy[frame] * (width, height, width, height)).astype(int)
                inside[y1:y2, x1:x2] = True
                theirs = changed[y1:y2, x1:x2]
                assert theirs[0].any() and theirs[-1].any() and theirs[:, 0].any() and theirs[:, -1].any()
                checked += 1
            # A person of whom fewer than twelve pixels show has no box.
            assert (changed & ~inside).sum() < 12 * len(scene.people)
            assert (changed & inside).sum() > 0.1 * inside.sum()
    assert checked >= 6


def test_somebody_moves_and_actions_are_sorted(studio: Studio) -> None:
    scene = studio.shoot(5, size=(160, 90), frames=4, key_frame=2)
    assert any(set(p.actions) & {1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 64} for p in scene.people)
    assert all(p.actions == tuple(sorted(set(p.actions))) for p in scene.people)


def test_unknown_split() -> None:
    with pytest.raises(ValueError, match="unknown split"):
        Studio("holdout")


@pytest.mark.slow
@pytest.mark.skipif(not (Path.home() / ".cache" / "anny").is_dir(), reason="anny's own cache takes minutes to build")
def test_the_kept_bodies_can_be_made_again() -> None:
    made = make_bank(6, BANK["test"][1])
    with np.load(BODIES / "test-6.npz") as kept:
        assert set(kept) == set(made)
        for name, values in made.items():
            np.testing.assert_allclose(kept[name], values, atol=1 if values.dtype == np.int16 else 1e-5)
