"""Video in: sizes, turns, time stamps, seeking, sampling, damage, and one clear error for each kind of bad file."""

import multiprocessing
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from refatomnet import pictures, video
from refatomnet.errors import Cancelled, VideoError
from training.films import Film, number_of, numbered_image, write_film


def make_video(
    path: Path,
    images: Sequence[np.ndarray] | int = 30,
    *,
    size: tuple[int, int] = (96, 64),
    stamps: Sequence[int] | None = None,
    rate: int = 10,
    codec: str = "libx264",
    rotation: float = 0,
    mirrored: bool = False,
    sound: str | None = None,
    movflags: str = "",
    aspect: Fraction | None = None,
) -> Path:
    """Write a small film of these or of numbered pictures; stamps are in units of 1 / (100 rate) seconds."""
    ticks = 1 if codec in ("mpeg4", "libvpx") else 100  # MPEG-4 part 2 counts at most 65535 ticks a second
    film = Film(
        codec=codec, size=size, frames=images if isinstance(images, int) else len(images), rate=Fraction(rate),
        ticks=ticks, stamps=stamps and [stamp * ticks // 100 for stamp in stamps], movflags=movflags,
        options={"g": "8"} if codec == "libx264" else {}, rotation=rotation, mirrored=mirrored, sound=sound,
        aspect=aspect,
    )  # fmt: skip
    return write_film(path, film, None if isinstance(images, int) else images)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("video") / "clip.mp4")


def test_probe_says_size_rate_frames_and_seconds(clip: Path) -> None:
    info = video.probe(clip)
    assert (info.width, info.height, info.frames) == (96, 64, 30)
    assert info.fps == pytest.approx(10)
    assert info.duration == pytest.approx(3.0)


def test_frames_come_in_order_with_their_numbers_and_times(clip: Path) -> None:
    frames = list(video.read_frames(clip))
    assert [frame.index for frame in frames] == [number_of(frame.image) for frame in frames] == list(range(30))
    assert [frame.time for frame in frames] == pytest.approx([n / 10 for n in range(30)])
    assert frames[0].image.shape == (64, 96, 3)
    assert frames[0].image.dtype == np.uint8


def test_frames_are_scaled_to_exactly_the_asked_size(clip: Path) -> None:
    frame = next(video.read_frames(clip, width=51, height=33))
    assert frame.image.shape == (33, 51, 3)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mkv", "libx264"),
        ("a.ts", "libx264"),
        ("a.avi", "libx264"),
        ("a.avi", "mpeg4"),
        ("a.webm", "libvpx"),
        ("a.h264", "libx264"),
    ],
)
def test_a_part_has_the_numbers_and_times_of_the_whole(tmp_path: Path, name: str, codec: str) -> None:
    path = make_video(tmp_path / name, codec=codec)
    whole = list(video.read_frames(path))
    assert [number_of(frame.image) for frame in whole] == [frame.index for frame in whole] == list(range(30))
    limits = whole[13].time, whole[21].time
    part = list(video.read_frames(path, start=limits[0], end=limits[1]))
    assert [frame.index for frame in part] == [number_of(frame.image) for frame in part] == list(range(13, 21))
    assert [frame.time for frame in part] == [frame.time for frame in whole[13:21]]


def test_limits_rounded_as_results_store_them_mean_the_same_frames(tmp_path: Path) -> None:
    path = make_video(tmp_path / "thirds.mp4", 12, rate=3)
    assert [frame.index for frame in video.read_frames(path, start=0.6667, end=1.6667)] == [2, 3, 4]
    assert [frame.index for frame in video.read_frames(path, start=0.6666, end=1.6666)] == [2, 3, 4]
    assert list(video.read_frames(path, start=99)) == []
    assert len(list(video.read_frames(path, start=-1, end=99))) == 12


def test_variable_frame_rate_keeps_its_times(tmp_path: Path) -> None:
    stamps = [0, 100, 150, 400, 410, 900, 1000, 1300]
    path = make_video(tmp_path / "vfr.mp4", 8, stamps=stamps)
    expected = [stamp / 1000 for stamp in stamps]
    assert [frame.time for frame in video.read_frames(path)] == pytest.approx(expected)
    part = list(video.read_frames(path, start=0.41, end=1.0))
    assert [(frame.index, number_of(frame.image)) for frame in part] == [(4, 4), (5, 5)]
    source = video.open_source(path)
    assert source.span(0.41, 1.0) == (4, 5) and source.span(0.0, 9.0) == (0, 7)
    assert source.span(0.2, 0.3) == (3, 3) and source.span(2.0, 3.0) == (7, 7), "where none begins, one all the same"
    info = video.probe(path)
    assert info.frames == 8
    assert 1.3 < info.duration < 1.8
    assert info.fps == pytest.approx(8 / info.duration, rel=0.05)


def test_time_starts_at_the_first_frame_whatever_the_file_says(tmp_path: Path) -> None:
    path = make_video(tmp_path / "late.ts", 20, stamps=[3700 + 100 * n for n in range(20)])
    with av.open(str(path)) as file:
        assert file.streams.video[0].start_time > 0
    frames = list(video.read_frames(path))
    assert [frame.time for frame in frames] == pytest.approx([n / 10 for n in range(20)])
    assert video.probe(path).duration == pytest.approx(2.0)
    assert next(video.read_frames(path, start=1.2)).index == 12


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_rotated_files_come_out_upright(tmp_path: Path, turns: int, mirrored: bool) -> None:
    stored = np.full((64, 96, 3), 20, np.uint8)
    stored[:32, :48] = 230
    stored[:32, 48:] = 120
    path = make_video(tmp_path / "turned.mp4", [stored] * 3, rotation=90 * turns, mirrored=mirrored)
    # PyAV mirrors after turning.
    upright = np.rot90(stored, turns)
    upright = upright[:, ::-1] if mirrored else upright
    info = video.probe(path)
    assert (info.height, info.width) == upright.shape[:2]
    frame = next(video.read_frames(path))
    assert np.abs(frame.image.astype(int) - upright).mean() < 8
    small = next(video.read_frames(path, width=upright.shape[1] // 2, height=upright.shape[0] // 2))
    assert np.abs(small.image.astype(int) - upright[::2, ::2]).mean() < 8


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_orientation_reads_every_display_matrix(turns: int, mirrored: bool) -> None:
    # Where (1, 0) and (0, 1) go, y down: mirrored first, then turned counter-clockwise.
    points = {0: ((1, 0), (0, 1)), 1: ((0, -1), (1, 0)), 2: ((-1, 0), (0, -1)), 3: ((0, 1), (-1, 0))}[turns]
    (a, b), (c, d) = points
    a, b = (-a, -b) if mirrored else (a, b)
    one = 1 << 16
    assert pictures.orientation([a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30]) == (turns, mirrored)


def test_odd_sizes_are_read_whole(tmp_path: Path) -> None:
    path = make_video(tmp_path / "odd.avi", 5, size=(321, 241), codec="mpeg4")
    info = video.probe(path)
    assert (info.width, info.height) == (321, 241)
    assert [number_of(frame.image) for frame in video.read_frames(path)] == list(range(5))


def test_pixels_that_are_not_square_stay_as_stored(tmp_path: Path) -> None:
    path = make_video(tmp_path / "wide.mp4", 5, aspect=Fraction(4, 3))
    assert (video.probe(path).width, video.probe(path).height) == (96, 64)
    assert video.open_source(path).pixel_aspect == Fraction(4, 3)
    assert next(video.read_frames(path)).image.shape == (64, 96, 3)


def test_one_frame_and_a_picture_are_videos_too(tmp_path: Path) -> None:
    single = make_video(tmp_path / "one.mp4", 1)
    Image.fromarray(numbered_image(5, 60, 40)).save(tmp_path / "one.png")
    for path in (single, tmp_path / "one.png"):
        info = video.probe(path)
        assert info.frames == 1
        assert info.duration == pytest.approx(1 / info.fps)
        assert [frame.index for frame in video.read_frames(path)] == [0]
        assert [frame.index for _, frame in video.sample_frames(path, [0.0, 0.5])] == [0, 0]


def test_a_picture_taken_sideways_comes_out_upright(tmp_path: Path) -> None:
    image = Image.fromarray(numbered_image(5, 60, 40))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "sideways.jpg", exif=exif)
    assert (video.probe(tmp_path / "sideways.jpg").width, video.probe(tmp_path / "sideways.jpg").height) == (40, 60)


def _bad_file(kind: str, folder: Path) -> Path:
    path = folder / f"{kind}.mp4"
    if kind == "folder":
        path.mkdir()
    elif kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("This is no video.\n" * 200)
    elif kind == "noise":
        path.write_bytes(np.random.default_rng(0).bytes(20000))
    elif kind == "cut":
        whole = make_video(folder / "whole.mp4").read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "tiny":
        make_video(path, 3, size=(8, 8))
    elif kind == "sound":
        with av.open(str(path), "w") as file:
            tone = file.add_stream("aac", rate=44100, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate = 44100
            file.mux(tone.encode(frame))
            file.mux(tone.encode(None))
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "does not exist"),
        ("folder", "is a folder"),
        ("empty", "is empty"),
        ("text", "not a video that can be read"),
        ("noise", "give MP4"),
        ("cut", "cut off or damaged"),
        ("tiny", "8x8 pixels; at least 16"),
        ("sound", "only sound"),
    ],
)
def test_a_bad_file_gives_one_clear_sentence(tmp_path: Path, kind: str, words: str) -> None:
    path = _bad_file(kind, tmp_path)
    for read in (
        video.probe,
        lambda file: list(video.read_frames(file)),
        lambda file: list(video.sample_frames(file, [0])),
    ):
        with pytest.raises(VideoError, match=words) as caught:
            read(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_text_and_playlists_are_not_videos(tmp_path: Path, clip: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello\n" * 100)
    (tmp_path / "list.m3u8").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{clip}\n#EXT-X-ENDLIST\n")
    (tmp_path / "list.ffconcat").write_text(f"ffconcat version 1.0\nfile '{clip}'\n")
    for name in ("notes.txt", "list.m3u8", "list.ffconcat"):
        with pytest.raises(VideoError, match="not a video"):
            video.probe(tmp_path / name)


def test_a_file_without_one_readable_frame_is_refused(tmp_path: Path) -> None:
    path = make_video(tmp_path / "faststart.mp4", movflags="+faststart")
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = bytes(len(data) - start)
    path.write_bytes(data)
    with pytest.raises(VideoError, match="no frame of"):
        video.probe(path)


def test_limits_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video._check_size("8k.mp4", 7680, 4320)
    with pytest.raises(VideoError, match="16384x16384 pixels; at most 67 million"):
        video._check_size("huge.mp4", 16384, 16384)
    path = make_video(tmp_path / "clip.mp4", 12)
    monkeypatch.setattr(video, "LIMITS", replace(video.LIMITS, max_seconds=1))
    with pytest.raises(VideoError, match="lasts"):
        video.probe(path)
    monkeypatch.setattr(video, "LIMITS", replace(video.LIMITS, max_pixels=1000))
    with pytest.raises(VideoError, match="96x64 pixels; at most"):
        video.probe(path)


def test_a_file_cut_short_gives_the_frames_it_has(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    noise = np.random.default_rng(0)
    images = [noise.integers(0, 255, (64, 96, 3), np.uint8) for _ in range(30)]
    path = make_video(tmp_path / "faststart.mp4", images, movflags="+faststart")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    frames = list(video.read_frames(path))
    assert 10 < len(frames) < 30
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert "is cut off" in caplog.text


def test_damage_in_the_middle_is_passed_over(tmp_path: Path) -> None:
    path = make_video(tmp_path / "damaged.mp4", 32)
    with av.open(str(path)) as file:
        packets = [(packet.pos, packet.size, packet.pts) for packet in file.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    for position, size, _ in packets[9:12]:
        data[position : position + size] = b"\xff" * size
    path.write_bytes(data)
    frames = list(video.read_frames(path))
    late = [frame for frame in frames if frame.index >= 16]
    assert [frame.index for frame in late] == [number_of(frame.image) for frame in late] == list(range(16, 32))
    assert [frame.index for frame in frames] == sorted({frame.index for frame in frames})
    for start in (0.9, 1.0, 1.1, 1.7):
        part = [frame.index for frame in video.read_frames(path, start=start)]
        assert part == [frame.index for frame in frames if frame.time >= start - 1e-3]


def test_sampling_gives_the_nearest_frame_for_every_time(tmp_path: Path) -> None:
    path = make_video(tmp_path / "vfr.mp4", 8, stamps=[0, 100, 150, 400, 410, 900, 1000, 1300])
    times = [-1, 0, 0.04, 0.06, 0.26, 0.28, 0.66, 0.66, 1.2, 50, 60]
    answers = list(video.sample_frames(path, times))
    assert [time for time, _ in answers] == times
    assert [frame.index for _, frame in answers] == [0, 0, 0, 1, 2, 3, 5, 5, 7, 7, 7]
    assert [number_of(frame.image) for _, frame in answers] == [0, 0, 0, 1, 2, 3, 5, 5, 7, 7, 7]


def test_sampling_converts_only_what_was_asked_for(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    converted = []
    convert = video.upright_rgb
    monkeypatch.setattr(video, "upright_rgb", lambda frame, *a, **k: converted.append(frame) or convert(frame, *a, **k))
    answers = list(video.sample_frames(clip, [0.5, 0.51, 1.5, 2.5], width=48, height=32))
    assert [frame.index for _, frame in answers] == [5, 5, 15, 25]
    assert {frame.image.shape for _, frame in answers} == {(32, 48, 3)}
    assert len(converted) == 3


def test_sampling_late_needs_no_decoding_of_all_before(tmp_path: Path) -> None:
    path = make_video(tmp_path / "long.mp4", 60)
    assert [frame.index for _, frame in video.sample_frames(path, [5.0, 5.5])] == [50, 55]
    assert [frame.index for _, frame in video.sample_frames(path, [99.0])] == [59]
    assert list(video.sample_frames(path, [])) == []


def test_sampling_can_be_cancelled_and_wants_ascending_times(clip: Path) -> None:
    with pytest.raises(Cancelled):
        list(video.sample_frames(clip, [1.0], cancelled=lambda: True))
    with pytest.raises(ValueError, match="ascend"):
        list(video.sample_frames(clip, [2.0, 1.0]))


def test_a_changed_file_is_inspected_again(tmp_path: Path) -> None:
    path = make_video(tmp_path / "clip.mp4", 5)
    assert video.probe(path).frames == 5
    make_video(path, 9)
    assert video.probe(path).frames == 9


def test_names_with_colons_and_accents_are_plain_names(tmp_path: Path, clip: Path) -> None:
    path = tmp_path / "concat:é %d.mp4"
    path.write_bytes(clip.read_bytes())
    assert video.probe(path).frames == 30


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork")
def test_a_forked_process_converts_and_ends_beside_threads_that_did(clip: Path) -> None:
    """ZeroGPU forks while others draw: what their threads converted with must not be waited for in the fork."""
    over, before = threading.Event(), len(pictures._converters)

    def converts() -> None:
        read_one(clip)
        over.wait(60)

    threads = [threading.Thread(target=converts, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    read_one(clip)
    while not {(thread.ident, "rgb24") for thread in threads} <= set(pictures._converters):
        time.sleep(0.01)
    fork = multiprocessing.get_context("fork").Process(target=read_one, args=(clip,))
    fork.start()
    fork.join(20)
    ended = fork.exitcode
    fork.kill()
    assert ended == 0
    over.set()
    for thread in threads:
        thread.join(5)
    for _ in range(8):
        later = threading.Thread(target=read_one, args=(clip,))
        later.start()
        later.join(20)
    assert len(pictures._converters) <= before + 4  # those of threads that are over are not kept


def read_one(clip: Path) -> None:
    next(video.read_frames(clip))
