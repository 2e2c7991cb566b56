"""Video files in and out, streaming: what a file is, its frames in display order, and H.264 MP4 with the sound kept.

Frames are numbered from the file's start and timed in seconds from its first frame, whatever the file's own clock says.
Numbers come from the packets' time stamps, so they are the same after a seek and around damaged frames.
"""

import logging
import math
import os
from array import array
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import chain, pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import av
import av.container
import numpy as np
from av.stream import Discard, Disposition
from av.video.reformatter import ColorRange

from refatomnet.errors import Cancelled, VideoError
from refatomnet.pictures import orientation, to_rgb, to_yuv
from refatomnet.types import VideoInfo

log = logging.getLogger(__name__)

FORMATS = "MP4, MOV, WebM, MKV, AVI or a picture"
# Demuxers that play text as a picture, or open other files and addresses named inside the file.
REFUSED_FORMATS = {"tty", "bin", "hls", "dash", "concat", "sdp", "rtsp", "image2", "imf", "vapoursynth"}
COPIED_SOUND = {"aac", "mp3", "ac3", "eac3", "alac", "opus"}
AAC_RATES = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000}
# Results store times rounded to 0.1 ms: a limit this close to a frame means that frame.
SLACK = 5e-4
DECODER_BYTES = 2**29
# Above this size (pixels a frame) the encoder looks at single frames, or would hold dozens of them.
LARGE = 4096 * 2304


@dataclass(frozen=True)
class Limits:
    """What a video may be.

    max_seconds: How long. max_pixels: Of one frame; 8K in either orientation fits. min_side: Pixels of the shorter
    side. max_gap: Mean seconds from frame to frame in a video of more than a minute. max_unpacked: Pixels that a byte
    of the file may unpack to, once they are more than ``free_pixels`` in all; a black 4K video stays below.
    """

    max_seconds: float = 4 * 3600
    max_pixels: int = 8192 * 8192
    min_side: int = 16
    max_gap: float = 10
    max_unpacked: int = 300_000
    free_pixels: int = 10**10


LIMITS = Limits()


class Frame(NamedTuple):
    """One frame: number from the file's start, seconds from the first frame, upright RGB uint8 (H, W, 3)."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs here
    time: float
    image: np.ndarray


class Decoded(NamedTuple):
    """One frame as it left the decoder: not yet upright, in the file's own pixel format. Do not write into it."""

    index: int  # type: ignore[assignment]
    time: float
    frame: av.VideoFrame


@dataclass(frozen=True)
class Source:
    """A file after its first inspection.

    ``pts`` holds the time stamp of every frame in display order, in units of ``time_base``. ``counted`` says that
    frames must be numbered by counting, because their own stamps are missing or out of order. ``turns`` counts the
    quarter turns counter-clockwise that make a frame upright, after a mirroring left to right if ``mirrored``.
    ``pixel_aspect`` is the width of an upright pixel over its height; frames keep their stored pixels whatever it is.
    """

    info: VideoInfo
    pts: np.ndarray
    time_base: Fraction
    counted: bool
    turns: int
    mirrored: bool
    pixel_aspect: Fraction

    @property
    def origin(self) -> Fraction:
        """The first frame's time by the file's own clock, which its sound follows."""
        return Fraction(0) if self.counted else int(self.pts[0]) * self.time_base

    def time(self, index: int) -> float:
        """Seconds from the first frame to frame ``index``."""
        ticks = int(self.pts[index] - self.pts[0])
        return ticks * self.time_base.numerator / self.time_base.denominator

    def first_at(self, time: float) -> int:
        """The first frame at or after ``time``; the number of frames when there is none."""
        ticks = math.ceil(Fraction(max(time - SLACK, 0.0)) / self.time_base)
        return int(np.searchsorted(self.pts, self.pts[0] + ticks))

    def span(self, start: float, end: float) -> tuple[int, int]:
        """First and last frame shown from ``start`` to ``end`` seconds; what stands there where none begins."""
        first = min(self.first_at(start), len(self.pts) - 1)
        return first, max(self.first_at(end) - 1, first)


def window(time: float, duration: float, stride: float) -> tuple[float, float]:
    """The stretch with but one key frame, at ``time``: from and to, seconds; at most a stride long."""
    half = max(min(stride / 2, time, duration - time), 0.02)
    start = max(min(time, duration - half) - half, 0.0)
    return start, start + 2 * half


class Header(NamedTuple):
    """What a file says of itself: pixels as stored, and seconds, each 0 where it says nothing."""

    width: int
    height: int
    seconds: float


def peek(path: str | Path) -> Header:
    """Read a file's header alone; unlike :func:`probe`, no packet is read on purpose and no frame decoded.

    Raises:
        VideoError: If the file is missing, empty, or not a video.
    """
    _check_file(path)
    with _open(path) as file:
        context = _pictures(file, path).codec_context
        return Header(context.width, context.height, (file.duration or 0) / av.time_base)


def probe(path: str | Path) -> VideoInfo:
    """Say what a video file is; its packets are counted and its first frame is decoded, as proof that it can be read.

    Raises:
        VideoError: If the file is missing, not a readable video, or outside :data:`LIMITS`.
    """
    return open_source(path).info


def open_source(path: str | Path) -> Source:
    """Inspect a file as :func:`probe` does; remembered until the file changes.

    Raises:
        VideoError: As :func:`probe`.
    """
    status = _check_file(path)
    return _inspect(str(path), str(Path(path).absolute()), status.st_size, status.st_mtime_ns)


def read_frames(
    path: str | Path,
    *,
    start: float | None = None,
    end: float | None = None,
    width: int | None = None,
    height: int | None = None,
) -> Iterator[Frame]:
    """Decode the frames with ``start <= time < end``, one at a time; frames too damaged to decode are left out.

    Args:
        path: The video file.
        start: Seconds from the first frame; later starts seek instead of decoding everything before.
        end: Seconds from the first frame.
        width: Pixels to scale to, exactly; the upright width when None.
        height: Likewise.

    Raises:
        VideoError: As :func:`probe`.
    """
    source = open_source(path)
    for index, time, frame in decode(path, start=start, end=end):
        yield Frame(index, time, upright_rgb(frame, source, width=width, height=height))


def sample_frames(
    path: str | Path,
    times: Sequence[float],
    *,
    width: int | None = None,
    height: int | None = None,
    cancelled: Callable[[], bool] | None = None,
    watch: Callable[[Decoded], object] | None = None,
) -> Iterator[tuple[float, Frame]]:
    """Give for each asked time the nearest frame that can be decoded, in one pass; only those are converted to RGB.

    Args:
        path: The video file.
        times: Seconds from the first frame, ascending; a time past the end gives the last frame.
        width: Pixels to scale to, exactly; the upright width when None.
        height: Likewise.
        cancelled: Asked at every decoded frame; True stops.
        watch: Shown every decoded frame on the way, before the frames nearest to the asked times before it are given.

    Raises:
        VideoError: As :func:`probe`.
        ValueError: If ``times`` do not ascend.
        Cancelled: If ``cancelled`` said so.
    """
    if any(later < earlier for earlier, later in pairwise(times)):
        raise ValueError(f"times must ascend, got {list(times)}")
    if not times:
        return
    source = open_source(path)
    waiting = list(reversed(times))
    before: Decoded | None = None

    def answer(decoded: Decoded, until: float) -> Iterator[tuple[float, Frame]]:
        frame: Frame | None = None
        while waiting and waiting[-1] <= until:
            frame = frame or _converted(decoded, source, width, height)
            yield waiting.pop(), frame

    # A little earlier than asked, so that the nearest frame is met even beside damaged ones.
    for decoded in decode(path, start=source.time(max(source.first_at(times[0]) - 1, 0)) - 1):
        if cancelled and cancelled():
            raise Cancelled("stopped before the video was read to its end; nothing was written")
        if watch:
            watch(decoded)
        if before:
            yield from answer(before, (before.time + decoded.time) / 2)
            if not waiting:
                return
        before = decoded
    if before is None:
        # Nothing near or after the first asked time can be decoded: the last frame that can be is the nearest.
        for decoded in decode(path):
            before = decoded
    if before is None:
        raise VideoError(_no_frame(path))
    yield from answer(before, math.inf)


def decode(path: str | Path, *, start: float | None = None, end: float | None = None) -> Iterator[Decoded]:
    """As :func:`read_frames`, without conversion to RGB."""
    source = open_source(path)
    first = source.first_at(start) if start else 0
    stop = len(source.pts) if end is None else source.first_at(end)
    if first >= stop:
        return
    frames = _numbered(source, path, seek_to=None if source.counted else first)
    head = next(frames, None)
    if first > 0 and not source.counted and (head is None or head[0] > first):
        # The container went past the asked frame, or that frame is damaged: read from the start instead.
        frames.close()
        frames = _numbered(source, path)
        head = next(frames, None)
    with closing(frames):
        for index, frame in chain([head] if head else [], frames):
            if index >= stop:
                return
            if index >= first:
                yield Decoded(index, source.time(index), frame)


def upright_rgb(
    frame: av.VideoFrame, source: Source, *, width: int | None = None, height: int | None = None
) -> np.ndarray:
    """Convert a decoded frame to upright RGB uint8 (height, width, 3), scaled in the same step."""
    size = width or source.info.width, height or source.info.height
    return to_rgb(frame, *size, source.turns, source.mirrored)


def upright_yuv(frame: av.VideoFrame, source: Source) -> av.VideoFrame:
    """Convert a decoded frame to an upright yuv420p one of even size to draw on; odd edges are cut off."""
    return to_yuv(frame, source.info.width, source.info.height, source.turns, source.mirrored)


class VideoWriter:
    """Writes yuv420p frames as H.264 in an MP4 with its index in front, and the sound of another file beside them.

    A context manager. After an exception the file is incomplete: write to a temporary name, as
    :func:`refatomnet.types.write_whole` does.

    Args:
        path: The MP4 to write.
        width: Even pixels.
        height: Even pixels.
        fps: Average frames a second, a hint for the encoder.
        time_base: Seconds a tick of the time stamps given to :meth:`write`.
        sound_of: A file whose sound to keep from ``start`` to ``end`` (seconds from its first frame), if it has any.
        start: See ``sound_of``.
        end: See ``sound_of``; None keeps the sound as long as there are pictures.
        pixel_aspect: Width of a pixel over its height, for players.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        width: int,
        height: int,
        fps: float,
        time_base: Fraction,
        sound_of: str | Path | None = None,
        start: float = 0.0,
        end: float | None = None,
        pixel_aspect: Fraction = Fraction(1),
    ) -> None:
        self._file = av.open(_plain(path), "w", format="mp4", options={"movflags": "+faststart"})
        rate = Fraction(fps).limit_denominator(1001) or Fraction(1)
        options = {"preset": "veryfast", "crf": "21"}
        if width * height > LARGE:
            options |= {"preset": "ultrafast", "tune": "zerolatency"}
        self._video = self._file.add_stream("libx264", rate=rate, options=options)
        self._video.width, self._video.height, self._video.pix_fmt = width, height, "yuv420p"
        self._video.time_base = self._video.codec_context.time_base = time_base
        self._video.codec_context.sample_aspect_ratio = pixel_aspect
        self._time_base = time_base
        self._last = -1
        try:
            self._sound = _Sound.of(self._file, sound_of, start, end) if sound_of else None
        except BaseException:
            self._file.close()
            raise

    def write(self, frame: av.VideoFrame, pts: int, duration: int = 0) -> None:
        """Add a frame shown at ``pts`` ticks (0 for the first, ascending) for ``duration`` ticks if known."""
        if self._last < 0:
            self._tag_colours(frame)
        frame.pts = self._last = max(pts, self._last + 1)
        frame.time_base, frame.duration = self._time_base, duration
        frame.pict_type = 0  # the encoder chooses its own key frames
        self._file.mux(self._video.encode(frame))
        if self._sound:
            self._sound.write_until(float(pts * self._time_base))

    def _tag_colours(self, frame: av.VideoFrame) -> None:
        context = self._video.codec_context
        context.color_range, context.colorspace = ColorRange.MPEG, frame.colorspace
        context.color_primaries, context.color_trc = frame.color_primaries, frame.color_trc

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._file.mux(self._video.encode(None))
                if self._sound:
                    self._sound.write_until(math.inf)
        finally:
            if self._sound:
                self._sound.close()
            with suppress(*([av.FFmpegError] if kind else [])):
                self._file.close()


class _Sound:
    """The sound of one file on its way into another: copied where MP4 can carry it, else encoded to AAC."""

    def __init__(
        self,
        output: av.container.OutputContainer,
        source: av.container.InputContainer,
        begin: Fraction,
        end: Fraction,
    ) -> None:
        self._output, self._input = output, source
        self._from = source.streams.audio[0]
        self._begin, self._end = begin, end
        context = self._from.codec_context
        self._to: Any
        if context.codec.canonical_name in COPIED_SOUND:
            self._to = output.add_stream_from_template(self._from)
            self._packets = self._copied()
        else:
            rate = context.sample_rate if context.sample_rate in AAC_RATES else 48000
            self._to = output.add_stream(
                "aac", rate=rate, layout="mono" if context.layout.nb_channels == 1 else "stereo"
            )
            self._packets = self._encoded()
        self._next = next(self._packets, None)

    @classmethod
    def of(
        cls, output: av.container.OutputContainer, path: str | Path, start: float, end: float | None
    ) -> "_Sound | None":
        source = open_source(path)
        file = _open(path)
        sound = file.streams.audio[0].codec_context if file.streams.audio else None
        if sound is None or not (sound.sample_rate and sound.layout.nb_channels):
            if file.streams.audio:
                log.warning("the sound of %s cannot be decoded and is left out", path)
            file.close()
            return None
        until = source.origin + Fraction(source.info.duration if end is None else end)
        try:
            return cls(output, file, source.origin + Fraction(start), until)
        except BaseException:
            file.close()
            raise

    def write_until(self, time: float) -> None:
        """Write what is heard up to ``time``, so that sound and pictures lie side by side in the file."""
        while self._next and self._next[0] <= time:
            self._output.mux(self._next[1])
            self._next = next(self._packets, None)

    def close(self) -> None:
        self._packets.close()
        self._input.close()

    def _demuxed(self) -> Iterator[Any]:
        if self._begin > 0:
            with suppress(av.FFmpegError):  # a damaged file may not be searched; it is read from its start then
                self._input.seek(int(self._begin / (self._from.time_base or 1)), stream=self._from)
        last = -math.inf
        early: Any = None
        with suppress(av.FFmpegError):
            for packet in self._input.demux(self._from):
                if packet.pts is None or packet.size == 0 or packet.is_corrupt or packet.pts <= last:
                    continue
                if packet.pts * packet.time_base >= self._end:
                    break
                last = packet.pts
                if packet.pts * packet.time_base < self._begin:
                    early = packet
                    continue
                # A packet that ends where the part begins still primes the decoder; players trim it by its time stamp.
                if early and (early.pts + (early.duration or packet.pts - early.pts)) * early.time_base >= self._begin:
                    yield early
                early = None
                yield packet
        if early and (early.pts + (early.duration or 0)) * early.time_base >= self._begin:
            yield early

    def _copied(self) -> Generator[tuple[float, Any], None, None]:
        for packet in self._demuxed():
            packet.pts -= round(self._begin / packet.time_base)
            packet.dts = packet.pts
            packet.stream = self._to
            yield float(packet.pts * packet.time_base), packet

    def _encoded(self) -> Generator[tuple[float, Any], None, None]:
        context = self._to.codec_context
        resampler = av.AudioResampler(format="fltp", layout=context.layout, rate=context.sample_rate, frame_size=1024)
        for packet in self._demuxed():
            try:
                heard = packet.decode()
            except av.FFmpegError:
                continue
            for frame in heard:
                if (
                    frame.pts is None
                    or (frame.pts * frame.time_base + Fraction(frame.samples, frame.sample_rate)) < self._begin
                ):
                    continue
                frame.pts -= round(self._begin / frame.time_base)
                yield from self._packed(resampler.resample(frame))
        yield from self._packed([*resampler.resample(None), None])

    def _packed(self, frames: list[Any]) -> Iterator[tuple[float, Any]]:
        for frame in frames:
            for packet in self._to.encode(frame):
                yield float(packet.pts * packet.time_base), packet


@lru_cache(maxsize=8)
def _inspect(path: str, absolute: str, size: int, changed: int) -> Source:
    del absolute, changed  # they only tell one file, and one state of it, from another
    with _open(path) as file:
        stream = _pictures(file, path)
        _check_size(path, stream.codec_context.width, stream.codec_context.height)
        _check_seconds(path, (file.duration or 0) / av.time_base)
        promised = stream.frames
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        rate = rate if 0 < rate <= 1000 else Fraction(25)
        time_base = stream.time_base
        aspect = stream.sample_aspect_ratio or Fraction(1)
        with closing(_frames(file, stream)) as frames:
            frame = next(frames, None)
        if frame is None:
            raise VideoError(_no_frame(path))
        turns, mirrored = _orientation(frame)
        # A ratio out of all proportion is a wrong header.
        aspect = aspect if Fraction(1, 8) < aspect < 8 else Fraction(1)
        width, height = (frame.height, frame.width) if turns % 2 else (frame.width, frame.height)
    _check_size(path, width, height)
    stamps, packets, tail = _stamps(path)
    # AVI stamps packets in the order of the file, which is not that of display.
    counted = not len(stamps) or file.format.name == "avi"
    if not len(stamps) or time_base is None:
        stamps, time_base, tail = np.arange(packets), 1 / rate, 1
    if promised > packets + 1:
        log.warning("%s is cut off: %d of its %d frames are there", path, packets, promised)
    span = float(int(stamps[-1] - stamps[0]) * time_base)
    duration = 1 / float(rate)
    if len(stamps) > 1 and span > 0:
        mean = span / (len(stamps) - 1)
        duration = span + (float(tail * time_base) if 0 < tail * time_base < 10 * mean else mean)
        # The header's rate is exact where it is right; time stamps may be rounded to milliseconds.
        if abs(mean * float(rate) - 1) > 0.01:
            rate = Fraction(len(stamps) / duration)
    _check_seconds(path, duration)
    _check_density(path, duration, len(stamps), width * height * packets, size)
    info = VideoInfo(path, width, height, float(rate), len(stamps), duration)
    return Source(info, stamps, time_base, counted, turns, mirrored, 1 / aspect if turns % 2 else aspect)


def _stamps(path: str) -> tuple[np.ndarray, int, int]:
    """The time stamps of all shown packets, ascending; how many packets are there; how long the last one is shown."""
    found = array("q")
    packets, tail = 0, (-math.inf, 0)
    with _open(path) as file, suppress(av.FFmpegError):
        stream = _pictures(file, path)
        for other in file.streams:
            other.discard = Discard.default if other is stream else Discard.all
        for packet in file.demux(stream):
            packets += packet.size > 0
            if packet.size and packet.pts is not None and not packet.is_discard and not _hidden(packet):
                found.append(packet.pts)
                tail = max(tail, (packet.pts, packet.duration or 0))
    return np.sort(np.frombuffer(found, np.int64)) if found else np.empty(0, np.int64), packets, tail[1]


def _hidden(packet: av.Packet) -> bool:
    """True for VP8's reference pictures that are never shown (a bit of the frame header, RFC 6386 section 9.1)."""
    return packet.stream.codec_context.name in ("vp8", "libvpx") and not bytes(packet)[0] & 0x10


def _numbered(
    source: Source, path: str | Path, *, seek_to: int | None = None
) -> Generator[tuple[int, av.VideoFrame], None, None]:
    """Decode with frame numbers, from the key frame at or before frame ``seek_to`` or from the start."""
    with _open(path) as file:
        stream = _pictures(file, path)
        if seek_to:
            with suppress(av.FFmpegError):  # a damaged file may not be searched; it is read from its start then
                file.seek(int(source.pts[seek_to]), stream=stream)
        index = -1
        with closing(_frames(file, stream)) as frames:
            for frame in frames:
                index += 1
                if not source.counted and frame.pts is not None:
                    index = max(index, int(np.searchsorted(source.pts, frame.pts)))
                if index >= len(source.pts):
                    return
                yield index, frame


def _frames(file: av.container.InputContainer, stream: av.VideoStream) -> Generator[av.VideoFrame, None, None]:
    """Decode on as many cores as memory allows; what is damaged, or too large in the middle, is passed over."""
    context = stream.codec_context
    context.options = {"max_pixels": str(LIMITS.max_pixels)}
    stream.thread_type = "AUTO"
    # Every thread decodes a frame of its own; an automatic count can be 16.
    threads = DECODER_BYTES // (4 * max(context.width * context.height, 1))
    if threads < 16:
        context.thread_count = max(1, min(threads, os.cpu_count() or 1))
    try:
        for packet in file.demux(stream):
            # An empty packet with a time stamp repeats a picture; to the decoder it would mean the end.
            if packet.size == 0 and packet.dts is not None:
                continue
            try:
                frames = packet.decode()
            except av.FFmpegError as error:
                log.debug("%s: a damaged packet was passed over: %s", file.name, error)
                continue
            yield from frames
    except av.FFmpegError as error:
        log.warning("%s cannot be read further: %s", file.name, error.strerror)


def _open(path: str | Path) -> av.container.InputContainer:
    try:
        options = {"protocol_whitelist": "file", "max_pixels": str(LIMITS.max_pixels)}
        file = av.open(_plain(path), options=options, metadata_errors="replace")
    except av.FFmpegError as error:
        with Path(path).open("rb") as raw:
            cut_off = raw.read(12)[4:8] == b"ftyp"
        if cut_off:
            raise VideoError(f"{path} is cut off or damaged: its index is missing; copy or record it again") from error
        raise VideoError(f"{path} is not a video that can be read ({error.strerror}); give {FORMATS}") from error
    if REFUSED_FORMATS & set(file.format.name.split(",")):
        name = file.format.name
        file.close()
        raise VideoError(f"{path} is not a video but text or a playlist ({name}); give {FORMATS}")
    return file


def _check_file(path: str | Path) -> os.stat_result:
    target = Path(path)
    try:
        status = target.stat()
        if target.is_dir():
            raise VideoError(f"{path} is a folder; give one video file ({FORMATS})")
        if not target.is_file():
            raise VideoError(f"{path} is not a regular file; give a video file ({FORMATS})")
        if status.st_size == 0:
            raise VideoError(f"{path} is empty (0 bytes); give a video file ({FORMATS})")
        with target.open("rb"):
            pass
    except (FileNotFoundError, NotADirectoryError) as error:
        raise VideoError(f"{path} does not exist; give the path of a video file") from error
    except (OSError, ValueError) as error:
        raise VideoError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    return status


def _plain(path: str | Path) -> str:
    """Keep FFmpeg from reading a protocol into a file name."""
    return f"file:{Path(path).absolute()}"


def _pictures(file: av.container.InputContainer, path: str | Path) -> av.VideoStream:
    moving = [stream for stream in file.streams.video if not stream.disposition & Disposition.attached_pic]
    if not moving:
        held = "only sound" if file.streams.audio else "no pictures"
        raise VideoError(f"{path} holds {held}; give a file with a video stream ({FORMATS})")
    if moving[0].codec_context is None:
        raise VideoError(f"{path} uses a video codec that cannot be decoded here; convert it to H.264, for example")
    return moving[0]


def _orientation(frame: av.VideoFrame) -> tuple[int, bool]:
    try:
        data: Any = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # this PyAV lists no name for another kind of side data on the frame
        return round(frame.rotation / 90) % 4, False
    return orientation(np.frombuffer(bytes(data), np.int32).tolist()) if data else (0, False)


def _converted(decoded: Decoded, source: Source, width: int | None, height: int | None) -> Frame:
    return Frame(decoded.index, decoded.time, upright_rgb(decoded.frame, source, width=width, height=height))


def _check_size(path: str | Path, width: int, height: int) -> None:
    if width and height and min(width, height) < LIMITS.min_side:
        raise VideoError(f"{path} is {width}x{height} pixels; at least {LIMITS.min_side} a side are needed")
    if width * height > LIMITS.max_pixels:
        most = f"{LIMITS.max_pixels / 1e6:.0f} million pixels a frame"
        raise VideoError(f"{path} is {width}x{height} pixels; at most {most} are accepted: scale it down")


def _check_seconds(path: str | Path, seconds: float) -> None:
    if seconds > LIMITS.max_seconds:
        most = f"{LIMITS.max_seconds / 3600:g} h"
        raise VideoError(f"{path} lasts {seconds / 3600:.1f} h; at most {most} are accepted: cut it into parts")


def _check_density(path: str | Path, seconds: float, frames: int, pixels: int, size: int) -> None:
    if seconds > 60 and seconds / frames > LIMITS.max_gap:
        raise VideoError(
            f"{path} shows {frames} frames in {seconds / 60:.0f} minutes; "
            f"at least one every {LIMITS.max_gap:g} s is needed: give it a steady frame rate"
        )
    if pixels > max(LIMITS.free_pixels, size * LIMITS.max_unpacked):
        raise VideoError(
            f"{path} has {size} bytes but {pixels / 1e9:.0f} thousand million pixels, hardly a video of people; "
            f"at most {LIMITS.max_unpacked} pixels a byte are accepted"
        )


def _no_frame(path: str | Path) -> str:
    most = f"{LIMITS.max_pixels / 1e6:.0f} million pixels a frame"
    return f"no frame of {path} can be decoded; it is damaged, cut off, or has more than {most}: make it anew"
