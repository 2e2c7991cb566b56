"""Files of every kind, read and annotated: which frame is which and when, its colours, and the sound in step."""

import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from refatomnet import video
from refatomnet.errors import VideoError
from refatomnet.types import Result
from training.films import KINDS, PQ, Film, number_of, numbered_image, write_film

# A bare stream says nothing of its rate; PyAV mirrors after turning, so that the columns cannot be read as numbers.
READABLE = [name for name, film in KINDS.items() if film.suffix != ".h264" and not film.mirrored]
IN_STEP = 0.045  # seconds by which sound may lie beside its picture unnoticed


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


def made(folder: Path, name: str) -> Path:
    path = folder / f"{name.replace(' ', '-')}{KINDS[name].suffix}"
    return path if path.exists() else write_film(path, KINDS[name])


def annotated(path: Path, out: Path, *, start: float = 0.0, end: float | None = None) -> Path:
    """The film as it is annotated, with nothing drawn over its numbers."""
    info = video.probe(path)
    Result(info, start, info.duration if end is None else end, 1.0, {}).save_video(out)
    return out


def shown(image: np.ndarray, turns: int = 0) -> int:
    """The number on a picture that was turned upright."""
    return number_of(np.rot90(image, -turns))


@pytest.mark.parametrize("name", READABLE)
def test_every_frame_is_read_with_its_number_time_and_size(films: Path, name: str) -> None:
    film, path = KINDS[name], made(films, name)
    turns = round(film.rotation / 90)
    info = video.probe(path)
    assert (info.width, info.height) == film.size[:: -1 if turns % 2 else 1]
    assert info.frames == film.frames
    frames = list(video.read_frames(path))
    assert [frame.index for frame in frames] == [shown(frame.image, turns) for frame in frames]
    assert [frame.index for frame in frames] == list(range(film.frames))
    assert [frame.time for frame in frames] == pytest.approx(film.times(), abs=0.002)
    for first in range(1, film.frames - 5, 4):
        part = list(video.read_frames(path, start=frames[first].time, end=frames[first + 5].time))
        assert [frame.index for frame in part] == list(range(first, first + 5))
        assert [shown(frame.image, turns) for frame in part] == list(range(first, first + 5))


@pytest.mark.parametrize("name", READABLE)
def test_every_annotated_frame_keeps_its_place_and_time(films: Path, tmp_path: Path, name: str) -> None:
    film, path = KINDS[name], made(films, name)
    before = list(video.read_frames(path))
    out = annotated(path, tmp_path / "out.mp4")
    after = list(video.read_frames(out))
    turns = round(film.rotation / 90)
    assert [shown(frame.image, turns) for frame in after] == list(range(film.frames))
    assert [frame.time for frame in after] == pytest.approx([frame.time for frame in before], abs=0.001)
    width, height = video.probe(path).width, video.probe(path).height
    assert (video.probe(out).width, video.probe(out).height) == (width // 2 * 2, height // 2 * 2)
    with av.open(str(out)) as file:
        assert file.streams.video[0].codec_context.pix_fmt == "yuv420p"
        assert bool(file.streams.audio) == bool(film.sound)


@pytest.mark.parametrize("suffix", [".mkv", ".ts", ".avi", ".webm", ".flv", ".gif", ".mp4"])
def test_a_film_without_its_end_gives_the_frames_it_has(tmp_path: Path, suffix: str) -> None:
    name = {".webm": "webm vp9", ".gif": "gif", ".mp4": "mp4 in fragments", ".avi": "avi mjpeg", ".flv": "flv"}.get(
        suffix
    )
    film = replace(KINDS[name] if name else KINDS["mp4"], suffix=suffix, frames=60, sound=None)
    data = write_film(tmp_path / f"whole{suffix}", film).read_bytes()
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(data[: len(data) * 7 // 10])
    frames = list(video.read_frames(path))
    assert 20 < len(frames) < 60
    assert [frame.index for frame in frames] == list(range(len(frames)))
    after = list(video.read_frames(annotated(path, tmp_path / "out.mp4")))
    assert len(after) == len(frames)
    # The last may be half a picture.
    for seen in (frames[:-1], after[:-1]):
        assert [shown(frame.image) for frame in seen] == list(range(len(seen)))


SOUNDS = [
    (".mp4", "aac", 44100, "stereo"),
    (".mp4", "mp3", 44100, "mono"),
    (".mov", "alac", 44100, "stereo"),
    (".mov", "pcm_s24le", 48000, "stereo"),
    (".mov", "pcm_mulaw", 8000, "mono"),
    (".mkv", "aac", 48000, "5.1"),
    (".mkv", "ac3", 48000, "5.1"),
    (".mkv", "eac3", 48000, "stereo"),
    (".mkv", "libopus", 48000, "stereo"),
    (".mkv", "flac", 96000, "stereo"),
    (".mkv", "pcm_f32le", 22050, "mono"),
    (".mkv", "wavpack", 44100, "mono"),
    (".mkv", "mp2", 48000, "stereo"),
    (".ts", "aac", 44100, "stereo"),
    (".ts", "mp2", 44100, "mono"),
    (".avi", "pcm_s16le", 44100, "stereo"),
    (".avi", "mp3", 44100, "stereo"),
    (".webm", "libopus", 48000, "mono"),
]


def beeps(path: Path) -> list[float]:
    """Seconds at which the tone sets in, after a tenth of silence or more."""
    with av.open(str(path)) as file:
        stream = file.streams.audio[0]
        parts = []
        for frame in file.decode(stream):
            samples = frame.to_ndarray().astype(float)
            samples = (
                samples.mean(0) if frame.format.is_planar else samples.reshape(-1, frame.layout.nb_channels).mean(1)
            )
            parts.append((float(frame.pts * frame.time_base), samples))
    rate = stream.codec_context.sample_rate
    level = max(np.abs(samples).max(initial=0) for _, samples in parts)
    loud = np.concatenate(
        [begin + np.flatnonzero(np.abs(samples) > level / 3) / rate for begin, samples in parts if len(samples)]
    )
    return [float(time) for time in loud[np.diff(loud, prepend=-1) > 0.1]]


@pytest.mark.parametrize(("suffix", "codec", "rate", "layout"), SOUNDS)
def test_sound_of_any_codec_stays_in_step(tmp_path: Path, suffix: str, codec: str, rate: int, layout: str) -> None:
    pictures = {".webm": "webm vp8", ".avi": "avi mjpeg"}.get(suffix, "mp4")
    sound = {"sound": codec, "sound_rate": rate, "sound_layout": layout}
    path = write_film(tmp_path / f"film{suffix}", replace(KINDS[pictures], suffix=suffix, **sound))
    origin = float(video.open_source(path).origin)
    before = [time - origin for time in beeps(path)]
    assert before == pytest.approx([0, 1, 2], abs=0.06)
    assert beeps(annotated(path, tmp_path / "out.mp4")) == pytest.approx(before, abs=IN_STEP)
    part = annotated(path, tmp_path / "part.mp4", start=0.8, end=2.2)
    assert beeps(part) == pytest.approx([before[1] - 0.8, before[2] - 0.8], abs=IN_STEP)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".mov"])
def test_sound_that_starts_later_than_the_film_stays_in_step(tmp_path: Path, suffix: str) -> None:
    late = replace(KINDS["mp4"], suffix=suffix, first=750, sound_first=0.4, sound_seconds=1.5)
    path = write_film(tmp_path / f"late{suffix}", late)
    assert beeps(annotated(path, tmp_path / "out.mp4")) == pytest.approx([0.4, 1.4], abs=IN_STEP)


def test_sound_ends_with_the_pictures(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mkv", replace(KINDS["mkv"], sound_seconds=60))
    out = annotated(path, tmp_path / "out.mp4")
    with av.open(str(out)) as file:
        assert file.duration / av.time_base == pytest.approx(2.4, abs=0.1)


@pytest.mark.parametrize("suffix", [".mp4", pytest.param(".mkv", marks=pytest.mark.long)])
def test_ten_minutes_at_29_97_do_not_drift(tmp_path: Path, suffix: str) -> None:
    rate, frames = Fraction(30000, 1001), 17982
    film = Film(
        suffix=suffix, size=(32, 32), rate=rate, ticks=1, sound="aac", sound_rate=8000,
        options={"preset": "ultrafast", "g": "300"},
    )  # fmt: skip
    black = numbered_image(0, 32, 32)
    path = write_film(tmp_path / f"long{suffix}", film, [black] * frames)
    out = annotated(path, tmp_path / "out.mp4")
    times = video.open_source(out).pts * video.open_source(out).time_base
    assert len(times) == frames
    drift = np.abs((times - times[0]).astype(float) - np.arange(frames) / float(rate))
    assert drift.max() < 1 / float(rate)
    assert video.probe(out).duration == pytest.approx(600, abs=1 / float(rate))
    heard = beeps(out)
    assert len(heard) == 600
    assert heard == pytest.approx(beeps(path), abs=IN_STEP)
    assert heard[-1] == pytest.approx(599, abs=IN_STEP)


COLOURS = [(235, 235, 235), (128, 128, 128), (200, 40, 40), (40, 180, 60), (50, 60, 200), (20, 20, 20)]


def patches() -> np.ndarray:
    return np.repeat(np.repeat(np.array([COLOURS], np.uint8), 16, axis=1), 64, axis=0)


def colours_of(image: np.ndarray) -> np.ndarray:
    return image[48, 8::16].astype(int)


def as_pq(image: np.ndarray) -> np.ndarray:
    """Standard pictures as BT.2100 has them: BT.2020 primaries, perceptual quantiser, white at 203 cd/m²."""
    fraction = image / 255
    light = np.where(fraction <= 0.04045, fraction / 12.92, ((fraction + 0.055) / 1.055) ** 2.4)
    to_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    powered = (light @ to_2020.T * 203 / 10000) ** 0.1593017578125
    return np.round(255 * ((0.8359375 + 18.8515625 * powered) / (1 + 18.6875 * powered)) ** 78.84375).astype(np.uint8)


@pytest.mark.parametrize(
    "name", ["mp4", "10 bit h264", "10 bit hevc", "10 bit prores", "444 h264", "full range", "rgb h264"]
)
def test_colours_are_kept_whatever_the_pixel_format(tmp_path: Path, name: str) -> None:
    path = write_film(tmp_path / f"film{KINDS[name].suffix}", KINDS[name], [patches()] * 3)
    out = annotated(path, tmp_path / "out.mp4")
    for file in (path, out):
        assert np.abs(colours_of(next(video.read_frames(file)).image) - COLOURS).max() <= 14


def test_high_dynamic_range_becomes_a_standard_picture(tmp_path: Path) -> None:
    film = replace(KINDS["hdr pq"], options={"x265-params": "log-level=none", "crf": "5"})
    path = write_film(tmp_path / "film.mp4", film, [as_pq(patches())] * 3)
    with av.open(str(path)) as file:
        frame = next(file.decode(video=0))
        assert (frame.format.name, frame.color_trc, frame.colorspace) == (
            "yuv420p10le",
            PQ["color_trc"],
            PQ["colorspace"],
        )
    out = annotated(path, tmp_path / "out.mp4")
    for file in (path, out):
        assert np.abs(colours_of(next(video.read_frames(file)).image) - COLOURS).max() <= 20
    with av.open(str(out)) as file:
        frame = next(file.decode(video=0))
        assert (frame.color_trc, frame.colorspace, frame.color_primaries) == (13, 1, 1)


@pytest.mark.parametrize("name", ["alpha qtrle", "alpha prores", "png", "webp"])
def test_what_is_transparent_is_black(tmp_path: Path, name: str) -> None:
    film = KINDS[name]
    film = replace(film, pixels="rgba") if name == "png" else film
    image = np.dstack([patches(), np.full((64, 96), 255, np.uint8)])
    image[:, 32:64, 3] = 0
    path = write_film(tmp_path / f"film{film.suffix}", film, [image] * film.frames)
    wanted = [(0, 0, 0) if 2 <= n < 4 else colour for n, colour in enumerate(COLOURS)]
    for file in (path, annotated(path, tmp_path / "out.mp4")):
        assert np.abs(colours_of(next(video.read_frames(file)).image) - wanted).max() <= 16


def test_a_file_of_little_that_unpacks_to_much_is_refused(tmp_path: Path) -> None:
    from training.fuzz import HOSTILE

    for name in ("gif bomb", "film bomb"):
        suffix, write = HOSTILE[name]
        write(tmp_path / f"bomb{suffix}")
        with pytest.raises(VideoError, match="at most 300000 pixels a byte"):
            video.probe(tmp_path / f"bomb{suffix}")


def test_a_film_of_a_picture_every_eight_minutes_is_refused(tmp_path: Path) -> None:
    sparse = replace(KINDS["mkv"], frames=30, stamps=[480_000 * n for n in range(30)], sound=None)
    with pytest.raises(VideoError, match="30 frames in 23"):
        video.probe(write_film(tmp_path / "sparse.mkv", sparse))
    slides = replace(sparse, stamps=[8_000 * n for n in range(30)])
    assert video.probe(write_film(tmp_path / "slides.mkv", slides)).frames == 30


def test_a_frame_that_grows_beyond_the_limit_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [write_film(tmp_path / f"{side}.h264", Film(size=(side, side), frames=3)) for side in (64, 640, 64)]
    path = tmp_path / "grows.h264"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert len(list(video.read_frames(path))) == 9
    monkeypatch.setattr(video, "LIMITS", replace(video.LIMITS, max_pixels=300 * 300))
    path.touch()
    frames = list(video.read_frames(path))
    assert [shown(frame.image) for frame in frames] == [0, 1, 2, 0, 1, 2]
    assert {frame.image.shape for frame in frames} == {(64, 64, 3)}


def test_sound_that_is_announced_but_is_not_there_does_no_harm(tmp_path: Path) -> None:
    """A transport stream whose programme lists one more stream, of AAC, in which nothing is sent."""
    path = write_film(tmp_path / "film.ts", KINDS["open gop ts"])
    data = bytearray(path.read_bytes())
    # The type of the second stream, private data here, is at the end of what the programme map lists.
    changed = 0
    for start in range(0, len(data), 188):
        packet = data[start : start + 188]
        if packet[0] == 0x47 and packet[1] & 0x5F == 0x50 and packet[2] == 0x00:
            section = bytearray(packet[5:])
            length = (section[1] & 0x0F) << 8 | section[2]
            body = section[: 3 + length - 4]
            body += bytes([0x0F, 0xE1, 0x05, 0xF0, 0x00])
            body[2] += 5
            body += _crc32_mpeg(body).to_bytes(4, "big")
            data[start + 5 : start + 188] = (bytes(body) + b"\xff" * 188)[:183]
            changed += 1
    assert changed
    path.write_bytes(data)
    with av.open(str(path)) as file:
        assert len(file.streams.audio) == 1
    out = annotated(path, tmp_path / "out.mp4")
    assert len(list(video.read_frames(out))) == 24


def _crc32_mpeg(data: bytes) -> int:
    remainder = 0xFFFFFFFF
    for byte in data:
        remainder ^= byte << 24
        for _ in range(8):
            remainder = (remainder << 1 ^ (0x04C11DB7 if remainder >> 31 else 0)) & 0xFFFFFFFF
    return remainder


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="asks Linux's scheduler")
def test_writing_av1_leaves_the_thread_as_patient_as_before(tmp_path: Path) -> None:
    """A browser started by a real-time thread is real-time too, and two of them stop a small machine."""
    write_film(tmp_path / "film.webm", KINDS["webm av1"])
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
