"""What befalls the second copies of training's clips: always the same for the same clip, and never beyond telling."""

import numpy as np
from test_corruptions import scene

from training.data.weather import weather

MOMENTS = [f"clips/train/{number:06d}.mp4#9" for number in range(60)]


def test_all_follows_from_the_moments_name_and_frames_differ_in_grain_alone() -> None:
    fresh = 0
    for moment in MOMENTS:
        image = scene()
        first = weather(moment)(image, 2)
        assert first.dtype == np.uint8 and first.shape == image.shape and np.array_equal(image, scene())
        assert np.array_equal(first, weather(moment)(image, 2))
        later = weather(moment)(image, 3)
        fresh += not np.array_equal(first, later)
        assert np.abs(first.mean((0, 1)) - later.mean((0, 1))).max() < 6, "light and haze stay as they are"
    assert 10 <= fresh <= 35, "of some clips there is grain"
    looks = [weather(moment)(scene(), 0).tobytes() for moment in MOMENTS]
    untouched = looks.count(scene().tobytes())
    assert 4 <= untouched <= 25, "some stay as they were"
    assert len(set(looks)) == len(looks) - untouched + 1


def test_what_was_in_the_picture_can_still_be_told() -> None:
    plain = scene().astype(float)
    likeness = [np.corrcoef(plain.ravel(), weather(moment)(scene(), 0).ravel())[0, 1] for moment in MOMENTS]
    assert min(likeness) > 0.1 and np.median(likeness) > 0.7


def test_frames_of_any_size_are_changed_alike() -> None:
    for moment in MOMENTS[:20]:
        change = weather(moment)
        small, large = (change(scene().repeat(times, 0).repeat(times, 1), 0)[::times, ::times] for times in (1, 2))
        centres = [image.reshape(6, 20, 8, 20, 3).mean((1, 3)) for image in (small, large)]
        assert np.abs(centres[0] - centres[1]).mean() < 12
    sides = [weather(MOMENTS[3])(scene(height, width), 0).shape[:2] for height, width in ((1, 1), (2, 300), (97, 41))]
    assert sides == [(1, 1), (2, 300), (97, 41)]
