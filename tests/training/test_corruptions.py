"""Spoilt frames: worked out by hand where that can be, and always the same for the same clip."""

import itertools
import math
import re

import numpy as np
import pytest

from refatomnet.errors import OptionError
from training.data import corruptions
from training.data.corruptions import CORRUPTIONS, LEVELS, Corruption, fog_field, line_kernel

RANDOM = ("shot_noise", "rain", "fog", "motion_blur")


def scene(height: int = 120, width: int = 160) -> np.ndarray:
    """A colourful frame with edges, higher than a corruption's largest streak and not square."""
    y, x = np.mgrid[:height, :width]
    squares = ((x // 20 + y // 20) % 2) * 90
    return np.stack([60 + squares, 40 + x * 120 // width, 200 - y * 120 // height], -1).astype(np.uint8)


def flat(value: int | tuple[int, int, int], height: int = 120, width: int = 160) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def spoilt(name: str, level: int, image: np.ndarray, *, clip: str = "a", index: int = 4) -> np.ndarray:
    return Corruption(name, level).on(clip, 6.0)(image, index)


# ---- all of them --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_frame_stays_a_frame_and_the_original_as_it_was(name: str) -> None:
    image = scene()
    for level in LEVELS:
        changed = spoilt(name, level, image)
        assert changed.dtype == np.uint8 and changed.shape == image.shape
        assert not np.array_equal(changed, image)
    assert np.array_equal(image, scene())


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_higher_level_takes_a_frame_further_away(name: str) -> None:
    image = scene()
    away = [np.mean([np.abs(spoilt(name, n, image, clip=c).astype(float) - image) for c in "abcd"]) for n in LEVELS]
    parts = {"saturation": [away[:2], away[2:]], "fog": [away[:3], away[::4]]}.get(name, [away])
    # Saturation gets paler twice, then gaudier; fog of level 4 is rougher, not thicker, than that of level 3.
    assert all(a < b for part in parts for a, b in itertools.pairwise(part)), away


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_all_follows_from_the_clips_name(name: str) -> None:
    first, again = spoilt(name, 3, scene()), spoilt(name, 3, scene())
    assert np.array_equal(first, again)
    assert np.array_equal(first, spoilt(name, 3, scene(), clip="b")) == (name not in RANDOM)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_only_noise_and_rain_change_from_frame_to_frame(name: str) -> None:
    change = Corruption(name, 3).on("a", 6.0)
    assert np.array_equal(change(scene(), 0), change(scene(), 1)) == (name not in ("shot_noise", "rain"))
    assert change(scene(90, 60), 2).shape == (90, 60, 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [("fog", "NAME:LEVEL"), ("fog:", "NAME:LEVEL"), ("fog:-1", "NAME:LEVEL"), ("fog:0", "from 1 to 5"),
     ("fog:6", "from 1 to 5"), ("snow:3", "shot_noise, rain, fog")],
)  # fmt: skip
def test_a_wrong_name_or_level_is_refused(text: str, message: str) -> None:
    with pytest.raises(OptionError, match=re.escape(message)):
        Corruption.parse(text)


def test_a_corruption_is_read_from_its_text() -> None:
    assert Corruption.parse("motion_blur:5") == Corruption("motion_blur", 5)


# ---- light --------------------------------------------------------------------------------------------------------
def test_shot_noise_has_the_spread_of_counted_photons() -> None:
    image = flat((100, 100, 100), 224, 224)
    for level, photons in zip((1, 2), (60, 25), strict=True):  # higher levels are clipped at white too often
        noisy = spoilt("shot_noise", level, image) / 255
        assert noisy.mean() == pytest.approx(100 / 255, abs=0.005)
        assert noisy.std() == pytest.approx(math.sqrt(100 / 255 / photons), rel=0.03)
    assert not np.array_equal(noisy[..., 0], noisy[..., 1])  # each colour has its own
    assert np.array_equal(spoilt("shot_noise", 5, flat(0)), flat(0))  # no light, no noise


def test_a_large_frame_has_coarse_grain() -> None:
    small, large = (spoilt("shot_noise", 2, flat(100, side, side)).astype(float) for side in (224, 448))
    assert np.array_equal(large[::2, ::2], large[1::2, 1::2])
    assert large.std() == pytest.approx(small.std(), rel=0.03)


def test_brightness_and_saturation_by_hand() -> None:
    assert np.abs(spoilt("brightness", 1, flat(100)).astype(int) - 126).max() <= 1  # 100 + 0.1 · 255
    assert np.array_equal(spoilt("brightness", 5, flat(200)), flat(255))
    # Value 200, saturation 0.5: at level 1 it is 0.15, so the lesser channels are 200 · 0.85; at level 3 it is 1.
    pale, gaudy = (spoilt("saturation", level, flat((200, 100, 100)))[0, 0] for level in (1, 3))
    assert np.abs(pale.astype(int) - [200, 170, 170]).max() <= 1 and np.abs(gaudy.astype(int) - [200, 0, 0]).max() <= 1
    assert np.array_equal(spoilt("saturation", 3, flat(90)), flat(90))  # grey has no colour to add


def test_contrast_by_hand() -> None:
    image = flat(40)
    image[:, :80] = 200
    drawn = spoilt("contrast", 3, image)
    assert np.abs(drawn[0, [0, -1], 0].astype(int) - [136, 104]).max() <= 1  # 120 ± 0.2 · 80


# ---- air and water ------------------------------------------------------------------------------------------------
def test_fog_by_hand() -> None:
    fogged = spoilt("fog", 1, flat(100)).astype(float)
    # The lightest value 100 / 255 and thickness 1.5: from none of the field, to all of it.
    light = 100 / 255
    share = light / (light + 1.5)
    assert fogged.min() == pytest.approx(255 * light * share, abs=1)
    assert fogged.max() == pytest.approx(255 * (light + 1.5) * share, abs=1)


def test_fog_grows_rougher_with_less_decay() -> None:
    soft, rough = (fog_field(120, 160, decay=decay, seed=3) for decay in (2.0, 1.4))
    assert soft.shape == (120, 160) and soft.min() == 0 and soft.max() == 1
    assert np.abs(np.diff(rough)).mean() > 1.5 * np.abs(np.diff(soft)).mean()
    assert soft[:60].std() > 0.05 < soft[60:].std()  # nowhere a plain sheet


def test_one_rain_falls_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corruptions, "SHEETS", ((1.0, 15, 1.0, 1.5),))
    image = flat(30)
    change = Corruption("rain", 3).on("a", 6.0)
    first = change(image, 0)
    assert len(np.unique(first)) > 20  # streaks, from faint to full
    lean = np.random.default_rng(corruptions.crc32(b"rain a")).uniform(-corruptions.WIND, corruptions.WIND)
    for index in (1, 2, 9):
        down = 1.5 * 120 * index / 6
        moved = np.roll(first, (round(down), round(down * math.tan(lean))), (0, 1))
        assert np.array_equal(change(image, index), moved)


def test_streaks_lean_the_way_they_fall() -> None:
    for lean in (-0.3, 0.3):
        (sheet, *_) = corruptions.rain_sheets(200, 200, streaks=60, lean=lean, seed=1)
        along, across = (
            (sheet * np.roll(sheet, (12, round(12 * math.tan(angle))), (0, 1))).mean() for angle in (lean, -lean)
        )
        assert along > 2 * across


def test_a_sheet_of_rain_has_no_seam() -> None:
    sheet = sum(corruptions.rain_sheets(120, 160, streaks=600, lean=0.1, seed=2))
    step = np.abs(np.diff(sheet, axis=1)).mean(0)
    assert np.abs(sheet[:, 0] - sheet[:, -1]).mean() < 1.5 * step.max()
    edge = np.corrcoef(sheet[0], sheet[-1])[0, 1]  # streaks that leave below go on above
    assert edge > 0.5


def test_rain_is_seen_on_dark_and_hardly_on_light() -> None:
    dark, light = (np.ptp(spoilt("rain", 3, flat(value)).astype(int)) for value in (30, 210))
    assert dark > 60 and light < 15


# ---- camera -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("level", LEVELS)
def test_blur_keeps_light_and_place(level: int) -> None:
    image = flat(0, 224, 300)
    image[102:122, 140:160] = 200
    blurred = spoilt("motion_blur", level, image)[..., 0].astype(float)
    assert blurred.sum() == pytest.approx(200 * 400, rel=0.02)
    y, x = np.mgrid[:224, :300]
    centre = (blurred * y).sum() / blurred.sum(), (blurred * x).sum() / blurred.sum()
    assert centre == pytest.approx((111.5, 149.5), abs=0.6)
    assert np.array_equal(spoilt("motion_blur", level, flat(90)), flat(90))


def test_blur_grows_with_the_frame() -> None:
    widths = []
    for side in (224, 672):
        image = flat(0, side, side)
        image[:, side // 2 :] = 200
        row = spoilt("motion_blur", 3, image)[side // 2, :, 0]
        widths.append(int(((row > 20) & (row < 180)).sum()))
    assert widths[1] == pytest.approx(3 * widths[0], abs=4) and widths[0] > 5


def test_a_line_kernel_lies_along_its_angle() -> None:
    kernel = line_kernel(np.ones(50), 10.0, math.pi / 4)
    y, x = np.nonzero(kernel > 0.5)
    assert len(y) > 4 and (np.abs(y - x) <= 1).all() and kernel.shape[0] % 2 == 1
    assert kernel.sum() == pytest.approx(50) and np.allclose(kernel, kernel[::-1, ::-1], atol=1e-4)
