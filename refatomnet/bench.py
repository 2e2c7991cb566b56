"""How fast it is here: against bare decoding and encoding of the same file, and a clip and a sentence at a time."""

import json
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refatomnet.console import Progress, load_predictor
from refatomnet.downloads import fetch
from refatomnet.errors import OptionError

if TYPE_CHECKING:
    from refatomnet.predictor import Predictor
    from refatomnet.types import VideoInfo
    from refatomnet.zero_shot import ZeroShot

ASSETS = Path(__file__).parents[1] / "assets"
_TIMED_RUNS = 5
GROWN_SECONDS, HEIGHTS, SENTENCES = 10.0, (360, 720, 1080), (1, 4, 16)  # what growth is told of
_PARTS = {
    "encoder": ("encoder",),
    "neck_and_detector": ("neck", "detector", "found", "regions", "looks", "tubes", "surroundings"),
    "fusion": ("word_proj", "sentence_proj", "forget", "fusion"),
    "heads": (
        *("person_norm", "moved_norm", "person_action", "person_box", "person_real", "look_shown"),
        *("branch", "frame_boxes", "choice", "presence", "place"),
    ),
}


def time_video(path: str | Path, *, checkpoint: str | None, device: str, progress: Progress) -> dict[str, Any]:
    """Time bare decoding and encoding of a video, and ourselves on it.

    Returns:
        Seconds of each, of the first sentence (with looking at the video) and of another about the same clip, their
        ratios, where the first sentence's seconds go, how they grow with length, sentences and size of the picture, and
        what was timed where.

    Raises:
        VideoError: If the video cannot be read.
    """
    from refatomnet.video import probe

    info = probe(path)
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        fetch(checkpoint, progress)
        progress("Loading the model", 0)
        began = time.perf_counter()
        predictor = load_predictor(checkpoint, device)
        seconds["load"] = time.perf_counter() - began
        from refatomnet.overlay import write_annotated

        progress("Bare decoding and encoding", 0)
        seconds["decode"] = _timed(lambda: _bare(path))
        seconds["decode_encode"] = _timed(lambda: _bare(path, Path(folder) / "bare.mp4"))
        with _watched(predictor) as spent:
            began = time.perf_counter()
            clip = predictor.encode(path, progress=progress)
            result = predictor.ask(clip, _sentence_of(path))
            seconds["first_sentence"] = time.perf_counter() - began
        result.save_json(Path(folder) / "result.json")
        seconds["json"] = time.perf_counter() - began
        write_annotated(result, Path(folder) / "ours.mp4", progress=partial(progress, "Writing the annotated video"))
        seconds["annotated"] = time.perf_counter() - began
        stages = _stages(info, predictor, spent, seconds["first_sentence"])
        stages["write"] = seconds["annotated"] - seconds["json"]
        growth = _growth(info, predictor, Path(folder), progress)
    progress("Asking more", 0)
    more = [_timed(partial(predictor.ask, clip, sentence)) for sentence in _new_sentences(_TIMED_RUNS)]
    seconds["another_sentence"] = statistics.median(more)
    ratios = {
        "json_to_decode": seconds["json"] / seconds["decode"],
        "annotated_to_decode_encode": seconds["annotated"] / seconds["decode_encode"],
        "json_to_video_duration": seconds["json"] / info.duration,
        "another_sentence_to_first": seconds["another_sentence"] / seconds["first_sentence"],
    }
    size = f"{info.width}x{info.height}, {info.frames} frames, {info.duration:.1f} s"
    progress.line(f"{path}: {size}")
    for name, value in seconds.items():
        progress.line(f"  {name:<28}{value:8.2f} s")
    for name, value in ratios.items():
        progress.line(f"  {name:<28}{value:8.2f}")
    progress.line("where the time goes")
    for name, value in stages.items():
        progress.line(f"  {name:<28}{value:8.2f} s")
    progress.line("how it grows")
    for row in growth:
        told = f"{row['width']}x{row['height']}, {row['duration']:.1f} s, sentences: {row['sentences']}"
        progress.line(f"  {told:<36}{row['seconds']:8.2f} s, {row['ratio_to_decode']:.2f} of decoding")
    return {
        "video": {"path": str(path), "width": info.width, "height": info.height, "frames": info.frames}
        | {"fps": round(info.fps, 4), "duration": round(info.duration, 4)},
        "seconds": {name: round(value, 4) for name, value in seconds.items()},
        "ratios": {name: round(value, 4) for name, value in ratios.items()},
        "stages": {name: round(value, 4) for name, value in stages.items()},
        "growth": growth,
        "checkpoint": result.checkpoint,
        "machine": machine(predictor.device),
    }


@contextmanager
def _watched(predictor: "Predictor") -> Iterator[dict[str, float]]:
    """Seconds that the parts of a model take meanwhile, by the names of ``_PARTS``; others are "other_parts"."""
    spent: dict[str, float] = {}
    began: list[float] = []
    hooks = []

    def before(*_: Any) -> None:
        began.append(time.perf_counter())

    for child, module in predictor.model.named_children():
        part = next((part for part, names in _PARTS.items() if child in names), "other_parts")

        def after(*_: Any, part: str = part) -> None:
            since = began.pop()
            if not began:  # what a part asks of itself or another is its own time
                spent[part] = spent.get(part, 0.0) + time.perf_counter() - since

        hooks += [module.register_forward_pre_hook(before), module.register_forward_hook(after)]
    try:
        yield spent
    finally:
        for hook in hooks:
            hook.remove()


def _stages(info: "VideoInfo", predictor: "Predictor", spent: dict[str, float], first: float) -> dict[str, float]:
    """Where the seconds of the first sentence go: reading is timed once more, alone; the rest is what is left."""
    import numpy as np

    from refatomnet.cuts import CutFinder
    from refatomnet.preprocess import Letterbox
    from refatomnet.video import sample_frames

    config = predictor.model.config
    box = Letterbox.of(config, info.width, info.height)
    times = np.arange(0, info.duration, 1 / config.frame_rate).tolist()
    watch = CutFinder().watch
    read = _timed(lambda: list(sample_frames(info.path, times, width=box.width, height=box.height, watch=watch)))
    named = {part: spent[part] for part in (*_PARTS, "other_parts") if part in spent}
    return {"read": read, **named, "rest": max(0.0, first - read - sum(named.values()))}


def _growth(info: "VideoInfo", predictor: "Predictor", folder: Path, progress: Progress) -> list[dict[str, Any]]:
    """Seconds of the answer for a part of the video, for more sentences, and for the same at other sizes."""
    from refatomnet.video import probe

    end = min(info.duration, GROWN_SECONDS)
    sentences = _new_sentences(max(SENTENCES))

    def row(film: str | Path, until: float, count: int) -> dict[str, Any]:
        progress("Seeing how it grows", len(rows) / (2 + len(SENTENCES) + len(HEIGHTS)))
        own = probe(film)
        decode = _timed(partial(_bare, film, until=until))
        seconds = _timed(lambda: predictor.ask(predictor.encode(film, end=until), *sentences[:count]))
        told = {"width": own.width, "height": own.height, "duration": round(until, 4), "sentences": count}
        return told | {"seconds": round(seconds, 4), "ratio_to_decode": round(seconds / decode, 4)}

    rows: list[dict[str, Any]] = []
    for part in (0.25, 0.5):
        rows.append(row(info.path, part * end, 1))
    for count in SENTENCES:
        rows.append(row(info.path, end, count))
    for height in HEIGHTS:
        copy = folder / f"{height}.mp4"
        _bare(info.path, copy, until=end, height=height)
        rows.append(row(copy, min(end, probe(copy).duration), 1))
    return rows


def _bare(path: str | Path, out: Path | None = None, *, until: float = math.inf, height: int | None = None) -> None:
    """Decode a file with PyAV as fast as it goes, and encode it again with our own encoder settings if asked to.

    Args:
        path: The file.
        out: Where to encode it to, if at all.
        until: Second to stop at.
        height: Pixels to scale to; the width follows.
    """
    import av

    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        stream.thread_type = "AUTO"
        start = float((stream.start_time or 0) * (stream.time_base or 0))

        def frames() -> Iterator[av.VideoFrame]:
            for packet in file.demux(stream):
                with suppress(av.FFmpegError):  # damaged packets are passed over
                    for frame in packet.decode():
                        if (frame.time or 0.0) - start >= until:
                            return
                        yield frame

        if out is None:
            for _ in frames():
                pass
            return
        with av.open(str(out), "w", options={"movflags": "+faststart"}) as target:
            rate = stream.average_rate or Fraction(25)
            coded = target.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "21"})
            scale = height / stream.height if height else 1
            coded.width, coded.height = (round(side * scale) // 2 * 2 for side in (stream.width, stream.height))
            coded.pix_fmt = "yuv420p"
            for number, frame in enumerate(frames()):
                picture = frame.reformat(width=coded.width, height=coded.height, format="yuv420p")
                picture.pts, picture.time_base, picture.pict_type = number, 1 / rate, 0
                target.mux(coded.encode(picture))
            target.mux(coded.encode(None))


def first_sample() -> Path:
    """The clip to time where none is given.

    Raises:
        OptionError: If no samples lie beside this installation.
    """
    clips = sorted((ASSETS / "clips").glob("*.mp4"))
    if not clips:
        raise OptionError("there is no sample clip beside this installation; give a VIDEO to time")
    return clips[0]


def _sentence_of(path: str | Path) -> str:
    """The first sentence that the samples have about this clip, or one that could fit any."""
    with suppress(OSError, ValueError, KeyError):
        for line in (ASSETS / "samples.jsonl").read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            if (ASSETS / record["clip"]).resolve() == Path(path).resolve():
                return str(record["sentence"])
    return "the person on the left"


def _new_sentences(count: int) -> list[str]:
    """Different ones, so that none has been read before."""
    return [f"the {n + 2}nd person from the left in a grey shirt" for n in range(count)]


def parameters(predictor: "Predictor") -> dict[str, Any]:
    """Parameters of the whole, of what a checkpoint carries and of the two frozen encoders; then part by part."""
    from refatomnet.zero_shot import ZeroShot

    sizes = {name: sum(p.numel() for p in child.parameters()) for name, child in predictor.model.named_children()}
    if isinstance(predictor.model, ZeroShot):
        return {"total": sum(sizes.values()), "trained": 0, "parts": sizes}
    parts = {part: sum(sizes.get(name, 0) for name in names) for part, names in _PARTS.items()}
    from refatomnet.encoders import PublicEncoder

    encoder, text = predictor.model.encoder, predictor.text.parameters()
    trained = sum(sizes.values()) - sizes["encoder"]
    visual = sizes["encoder"] = encoder.count() if isinstance(encoder, PublicEncoder) else sizes["encoder"]
    parts["encoder"] = visual
    whole = {"total": trained + visual + text, "trained": trained, "frozen_visual": visual, "frozen_text": text}
    return {**whole, "parts": {**parts, "text": text}}


def milliseconds(predictor: "Predictor") -> dict[str, float]:
    """Median time to encode one clip (a window around one key frame) and to answer one more sentence about it.

    The clip's pictures are decoded and nothing of it is known yet; the sentence is new, so that its words are read too.
    """
    import numpy as np
    import torch

    from refatomnet.encoders import Features
    from refatomnet.preprocess import Letterbox
    from refatomnet.text import build_text_encoder
    from refatomnet.zero_shot import ZeroShot

    if isinstance(predictor.model, ZeroShot):
        return _public_milliseconds(predictor.model)
    model, config = predictor.model, predictor.model.config
    width, height = config.image_width, config.image_height
    pictures = [np.zeros((height, width, 3), np.uint8)] * config.frames
    pixels = model.encoder.prepare(pictures, Letterbox.of(config, width, height)).to(predictor.device)
    texts = build_text_encoder(config)

    def encode() -> Any:
        views = model.encode_views(pixels, key=config.key_frame)
        clip = model.encode(*(Features.stack([view]) for view in views))
        clip.people_mask.sum().item()  # a GPU works on after the call; this waits for it
        return clip

    with torch.inference_mode():
        clip = encode()
        sentences = iter(_new_sentences(_TIMED_RUNS + 1))

        def answer() -> None:
            model(clip, texts([next(sentences)]).to(predictor.device)).presence.item()

        answer()
        times = {"clip": [_timed(encode) for _ in range(_TIMED_RUNS)]}
        times["sentence"] = [_timed(answer) for _ in range(_TIMED_RUNS)]
    return {name: round(1000 * statistics.median(values), 2) for name, values in times.items()}


def _public_milliseconds(model: "ZeroShot") -> dict[str, float]:
    """The same of public models: to detect on one picture, to see one person cut out, and to read one sentence."""
    import numpy as np

    picture = np.zeros((model.config.image_height, model.config.image_width, 3), dtype=np.uint8)
    sentences = iter(_new_sentences(_TIMED_RUNS + 1))
    work = {
        "picture": lambda: model.find([picture]),
        "person": lambda: model.match.pictures([picture]).cpu(),
        "sentence": lambda: model.read([next(sentences)]),
    }
    times = {name: [_timed(one) for _ in range(_TIMED_RUNS + 1)][1:] for name, one in work.items()}
    return {name: round(1000 * statistics.median(values), 2) for name, values in times.items()}


def machine(device: str) -> dict[str, Any]:
    """What the timing depends on."""
    import torch

    return {"device": device, "cpus": os.cpu_count(), "threads": torch.get_num_threads(), "torch": torch.__version__}


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
