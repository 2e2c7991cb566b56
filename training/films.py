"""Small films of every kind that cameras, phones, editors and web pages make, written with PyAV, for tests and fuzzing.

Every picture shows its own number, so that a reader can tell which frame it was given.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

BITS = 6
DARK, LIGHT = 20, 235


def numbered_image(number: int, width: int, height: int) -> np.ndarray:
    """The last bits of a number as black and white columns, the lowest at the left; RGB uint8 (height, width, 3)."""
    image = np.full((height, width, 3), DARK, np.uint8)
    for bit in range(BITS):
        if number >> bit & 1:
            image[:, width * bit // BITS : width * (bit + 1) // BITS] = LIGHT
    return image


def number_of(image: np.ndarray) -> int:
    """The number, up to its last bits, that a picture (H, W, 3) shows."""
    width = image.shape[1]
    middles = [width * (2 * bit + 1) // (2 * BITS) for bit in range(BITS)]
    return sum(int(image[:, x].mean() > 128) << bit for bit, x in enumerate(middles))


@dataclass(frozen=True)
class Film:
    """How to write one film.

    suffix, codec, pixels: Container, encoder and pixel format. size: Width and height. frames: How many numbered
    pictures. rate: Frames a second. ticks: Time stamps a frame; the container may round them. stamps: Of every frame,
    in ticks; evenly from 0 when None. first: Added to every stamp, sound included. options: Of the encoder. movflags:
    Of the container. rotation, mirrored: The display matrix, degrees counter-clockwise. aspect: Of a pixel. tags:
    Colour tags by name of the codec context. sound: Encoder of a tone, none when None; seconds, rate and layout are
    its own. sound_first: Seconds by which it starts late.
    """

    suffix: str = ".mp4"
    codec: str = "libx264"
    pixels: str = "yuv420p"
    size: tuple[int, int] = (96, 64)
    frames: int = 24
    rate: Fraction = Fraction(10)
    ticks: int = 100
    stamps: Sequence[int] | None = None
    first: int = 0
    options: dict[str, str] = field(default_factory=dict)
    movflags: str = ""
    rotation: float = 0
    mirrored: bool = False
    aspect: Fraction | None = None
    tags: dict[str, int] = field(default_factory=dict)
    sound: str | None = None
    sound_rate: int = 44100
    sound_layout: str = "mono"
    sound_seconds: float | None = None
    sound_first: float = 0.0

    def times(self) -> list[float]:
        """Seconds of every frame from the first."""
        stamps = self.stamps or [self.ticks * n for n in range(self.frames)]
        return [float((stamp - stamps[0]) / (self.rate * self.ticks)) for stamp in stamps]


def write_film(path: Path, film: Film, images: Sequence[np.ndarray] | None = None) -> Path:
    """Write a film of these pictures, RGB or RGBA uint8 (H, W, 3 or 4), or of numbered ones when None."""
    width, height = (images[0].shape[1], images[0].shape[0]) if images else film.size
    frames = len(images) if images else film.frames
    stamps = film.stamps or [film.ticks * n for n in range(frames)]
    tick = 1 / (film.rate * film.ticks)
    target = av.open(str(path), "w", options={"movflags": film.movflags} if film.movflags else {})
    with _as_patient_as_before(), target as file:
        stream: Any = file.add_stream(film.codec, rate=film.rate, options=film.options)
        stream.width, stream.height, stream.pix_fmt = width, height, film.pixels
        stream.codec_context.time_base = tick
        for name, value in film.tags.items():
            setattr(stream.codec_context, name, value)
        if film.rotation or film.mirrored:
            stream.set_display_rotation(film.rotation, hflip=film.mirrored)
        if film.aspect:
            stream.codec_context.sample_aspect_ratio = film.aspect
        tone = file.add_stream(film.sound, rate=film.sound_rate, layout=film.sound_layout) if film.sound else None
        for number, stamp in zip(range(frames), stamps, strict=True):
            image = images[number] if images else numbered_image(number, width, height)
            kind = "rgba" if image.shape[2] == 4 else "rgb24"
            colours = film.tags.get("colorspace")
            frame = av.VideoFrame.from_ndarray(image, format=kind).reformat(format=film.pixels, dst_colorspace=colours)
            for name, value in film.tags.items():
                setattr(frame, name, value)
            frame.pts, frame.time_base = film.first + stamp, tick
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
        if tone:
            seconds = film.sound_seconds or float((stamps[-1] + film.ticks) * tick)
            _write_tone(file, tone, seconds, float(film.first * tick) + film.sound_first)
    return path


@contextmanager
def _as_patient_as_before() -> Iterator[None]:
    """Undo what SVT-AV1 does to its caller where that is root: it becomes a real-time thread, and with it every process
    that it starts later, such as a browser, which then keeps the rest of the machine from working.
    """
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, *before)


def _write_tone(file: Any, stream: Any, seconds: float, first: float) -> None:
    """440 Hz that is silent but for the first half of every second."""
    rate = stream.codec_context.sample_rate
    at = np.arange(int(rate * seconds)) / rate
    wave = (12000 * np.sin(2 * np.pi * 440 * at) * (at % 1 < 0.5)).astype(np.int16)
    made = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
    made.sample_rate, made.pts, made.time_base = rate, round(first * rate), Fraction(1, rate)
    context = stream.codec_context
    resampler = av.AudioResampler(context.format, context.layout, rate, frame_size=context.frame_size or 1024)
    for part in [*resampler.resample(made), *resampler.resample(None), None]:
        file.mux(stream.encode(part))


_UNEVEN = (0, 100, 150, 400, 410, 900, 1000, 1300, 1310, 1700, 2500, 2600)
PQ = {"color_primaries": 9, "color_trc": 16, "colorspace": 9, "color_range": 1}
HLG = PQ | {"color_trc": 18}
_X264 = Film(options={"g": "8"})
_X265 = Film(codec="libx265", options={"x265-params": "log-level=none:keyint=8"})
_OPEN_GOP = {"x264-params": "open-gop=1:keyint=8:bframes=3:b-adapt=0:b-pyramid=normal:scenecut=0"}

KINDS: dict[str, Film] = {
    "mp4": replace(_X264, sound="aac"),
    "mp4 with its index in front": replace(_X264, movflags="+faststart", sound="aac"),
    "mp4 in fragments": replace(_X264, movflags="+frag_keyframe+empty_moov", sound="aac"),
    "turned mp4": replace(_X264, rotation=90),
    "turned and mirrored mov": replace(_X264, suffix=".mov", rotation=270, mirrored=True),
    "turned mkv": replace(_X264, suffix=".mkv", rotation=180),
    "mov": replace(_X264, suffix=".mov", sound="pcm_s16le"),
    "mkv": replace(_X264, suffix=".mkv", sound="flac"),
    "webm vp8": Film(suffix=".webm", codec="libvpx", ticks=1, sound="libopus", sound_rate=48000),
    "webm vp9": Film(suffix=".webm", codec="libvpx-vp9", options={"cpu-used": "8"}, sound="libopus", sound_rate=48000),
    "webm av1": Film(suffix=".webm", codec="libsvtav1", options={"preset": "12", "svtav1-params": "lp=1"}),
    "avi mpeg4": Film(suffix=".avi", codec="mpeg4", ticks=1, sound="pcm_s16le"),
    "avi h264": replace(_X264, suffix=".avi", ticks=1),
    "avi mjpeg": Film(suffix=".avi", codec="mjpeg", pixels="yuvj420p", ticks=1, sound="pcm_s16le"),
    "mpeg ts": replace(_X264, suffix=".ts", sound="aac"),
    "mpeg ps": Film(suffix=".mpg", codec="mpeg2video", rate=Fraction(25), ticks=1, sound="mp2"),
    "wmv": Film(suffix=".wmv", codec="wmv2", ticks=1),
    "flv": replace(_X264, suffix=".flv", sound="aac"),
    "bare h264": replace(_X264, suffix=".h264"),
    "gif": Film(suffix=".gif", codec="gif", pixels="rgb8", ticks=1),
    "apng": Film(suffix=".apng", codec="apng", pixels="rgb24", ticks=1),
    "png": Film(suffix=".png", codec="png", pixels="rgb24", frames=1, ticks=1),
    "jpeg": Film(suffix=".jpg", codec="mjpeg", pixels="yuvj420p", frames=1, ticks=1),
    "webp": Film(suffix=".webp", codec="libwebp", pixels="bgra", frames=1, ticks=1),
    "uneven mp4": replace(_X264, frames=12, stamps=_UNEVEN, sound="aac"),
    "uneven mkv": replace(_X264, suffix=".mkv", frames=12, stamps=_UNEVEN),
    "uneven webm": Film(suffix=".webm", codec="libvpx-vp9", frames=12, stamps=_UNEVEN, options={"cpu-used": "8"}),
    "uneven gif": Film(suffix=".gif", codec="gif", pixels="rgb8", frames=12, stamps=_UNEVEN),
    "b frames": replace(_X264, options={"g": "12", "bf": "3", "x264-params": "b-adapt=0:b-pyramid=normal"}),
    "open gop mp4": replace(_X264, options=_OPEN_GOP),
    "open gop mkv": replace(_X264, suffix=".mkv", options=_OPEN_GOP),
    "open gop ts": replace(_X264, suffix=".ts", options=_OPEN_GOP),
    "open gop mpeg2": Film(suffix=".ts", codec="mpeg2video", rate=Fraction(25), ticks=1, options={"g": "8", "bf": "2"}),
    "open gop hevc": _X265,
    "hevc mkv": replace(_X265, suffix=".mkv", sound="ac3"),
    "interlaced h264": replace(_X264, suffix=".mkv", options={"g": "8", "x264-params": "tff=1"}),
    "interlaced mpeg2": Film(
        suffix=".ts",
        codec="mpeg2video",
        rate=Fraction(25),
        ticks=1,
        options={"g": "8", "flags": "+ildct+ilme", "field_order": "tt"},
        sound="mp2",
    ),
    "10 bit h264": replace(_X264, pixels="yuv420p10le"),
    "10 bit hevc": replace(_X265, suffix=".mkv", pixels="yuv422p10le"),
    "10 bit prores": Film(suffix=".mov", codec="prores_ks", pixels="yuv422p10le", sound="pcm_s24le"),
    "hdr pq": replace(_X265, pixels="yuv420p10le", tags=PQ),
    "hdr hlg": replace(_X265, suffix=".mov", pixels="yuv420p10le", tags=HLG),
    "444 h264": replace(_X264, pixels="yuv444p"),
    "full range": replace(_X264, pixels="yuvj420p"),
    "rgb h264": replace(_X264, codec="libx264rgb", pixels="rgb24", suffix=".mkv"),
    "grey ffv1": Film(suffix=".mkv", codec="ffv1", pixels="gray"),
    "alpha qtrle": Film(suffix=".mov", codec="qtrle", pixels="argb"),
    "alpha prores": Film(suffix=".mov", codec="prores_ks", pixels="yuva444p10le"),
    "alpha vp9": Film(suffix=".webm", codec="libvpx-vp9", pixels="yuva420p", options={"cpu-used": "8"}),
    "odd mpeg4": Film(suffix=".avi", codec="mpeg4", size=(321, 241), ticks=1),
    "odd vp9": Film(suffix=".webm", codec="libvpx-vp9", size=(97, 65), options={"cpu-used": "8"}),
    "odd ffv1": Film(suffix=".mkv", codec="ffv1", size=(97, 65)),
    "odd h264": replace(_X264, size=(97, 65), pixels="yuv444p"),
    "odd gif": Film(suffix=".gif", codec="gif", pixels="rgb8", size=(97, 65), ticks=1),
    "wide pixels": replace(_X264, aspect=Fraction(4, 3)),
    "late mp4": replace(_X264, first=750, sound="aac"),
    "late mkv": replace(_X264, suffix=".mkv", first=750, sound="aac"),
    "late ts": replace(_X264, suffix=".ts", first=54321, sound="aac"),
    "one frame": replace(_X264, frames=1),
    "film rate": replace(_X264, rate=Fraction(24000, 1001), sound="aac"),
}
