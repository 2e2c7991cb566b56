"""The renderer: the same seed gives the same clip, boxes lie on what is seen, things move."""

import numpy as np
import pytest

from training.data.synthetic.render import Studio

SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio("test", cache_dir=tmp_path_factory.mktemp("bodies"), bodies=6)


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


def test_people_are_where_the_boxes_say(studio: Studio) -> None:
    """Moving pixels of a still camera's clip lie mostly in the boxes."""
    scene = studio.shoot(5, size=(160, 90), frames=4, key_frame=2)
    assert any(set(p.actions) & {1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 64} for p in scene.people)
    assert all(p.actions == tuple(sorted(set(p.actions))) for p in scene.people)


def test_unknown_split() -> None:
    with pytest.raises(ValueError, match="unknown split"):
        Studio("holdout")
