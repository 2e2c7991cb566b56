"""Camera cuts on made frames and files."""

from fractions import Fraction

import av
import numpy as np
import pytest

from refatomnet.cuts import CutFinder, brightness, first_of_shot
from refatomnet.video import Decoded, sample_frames


def found(pictures, pixel_format="yuv420p", rate=25):
    finder = CutFinder()
    for index, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixel_format)
        finder.watch(Decoded(index, index / rate, frame))
    return finder


def scene(seed):
    """A picture of large patches, 96 x 160."""
    patches = np.random.default_rng(seed).integers(0, 255, (6, 10, 3), dtype=np.uint8)
    return patches.repeat(16, axis=0).repeat(16, axis=1)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv420p10le", "rgb24", "nv12"])
def test_a_cut_is_found_where_it_is(pixel_format):
    finder = found([scene(0)] * 8 + [scene(1)] * 8, pixel_format)
    assert finder.cuts == [8] and (finder.shot(7), finder.shot(8)) == (0, 8)


@pytest.mark.parametrize(("rate", "late"), [(60, 0), (480, 7)])
def test_of_many_frames_a_second_some_are_passed_over(rate, late):
    (cut,) = found([scene(0)] * 80 + [scene(1)] * 80, rate=rate).cuts
    assert 80 <= cut <= 80 + late


def test_moving_and_shaking_cut_nothing():
    still = scene(0)
    assert found([np.roll(still, 3 * k, axis=1) for k in range(30)]).cuts == []
    noise = np.random.default_rng(0)
    shaken = [np.roll(still, tuple(noise.integers(-12, 12, 2)), axis=(0, 1)) for _ in range(30)]
    assert found(shaken).cuts == []
    assert found([scene(k) for k in range(20)]).cuts == [], "slides that change every frame are no shots"


def test_brightness_is_read_from_any_size():
    for size in ((16, 16), (17, 301), (480, 640)):
        frame = av.VideoFrame.from_ndarray(np.full((*size, 3), 128, np.uint8), format="rgb24").reformat(
            format="yuv420p"
        )
        assert brightness(frame).shape == (9, 16)
        assert np.ptp(brightness(frame)) < 1


def test_every_decoded_frame_is_watched(tmp_path):
    path = tmp_path / "cut.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.time_base = 160, 96, "yuv420p", Fraction(1, 25)
        for k in range(40):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scene(k >= 23), format="rgb24")))
        container.mux(stream.encode(None))
    finder = CutFinder()
    list(sample_frames(path, [0.2, 1.5], watch=finder.watch))
    assert finder.cuts == [23]


def test_the_shot_of_a_frame():
    assert [first_of_shot(n, [5, 9]) for n in (0, 4, 5, 8, 9, 100)] == [0, 0, 5, 5, 9, 9]
