"""How fast it is here: against bare decoding and encoding of the same file, and a clip and a sentence at a time."""

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refatomnet.console import Progress, load_predictor
from refatomnet.errors import OptionError

if TYPE_CHECKING:
    from refatomnet.predictor import Predictor

ASSETS = Path(__file__).parents[1] / "assets"
_TIMED_RUNS = 5
_PARTS = {
    "encoder": ("encoder",),
    "neck_and_detector": ("neck", "detector", "regions", "looks", "tubes", "surroundings"),
    "fusion": ("word_proj", "sentence_proj", "fusion"),
    "heads": tuple("person_norm moved_norm person_action person_box branch frame_boxes choice presence place".split()),
}


def time_video(path: str | Path, *, checkpoint: str | None, device: str, progress: Progress) -> dict[str, Any]:
    """Time bare decoding and encoding of a video, and ourselves on it.

    Returns:
        Seconds of each, their ratios, and what was timed where.

    Raises:
        VideoError: If the video cannot be read.
    """
    from refatomnet.video import probe

    info = probe(path)
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        progress("Loading the model", 0)
        began = time.perf_counter()
        predictor = load_predictor(checkpoint, device)
        seconds["load"] = time.perf_counter() - began
        from refatomnet.overlay import write_annotated

        progress("Bare decoding and encoding", 0)
        seconds["decode"] = _timed(lambda: _bare(path))
        seconds["decode_encode"] = _timed(lambda: _bare(path, Path(folder) / "bare.mp4"))
        began = time.perf_counter()
        clip = predictor.encode(path, progress=progress)
        result = predictor.ask(clip, _sentence_of(path))
        result.save_json(Path(folder) / "result.json")
        seconds["json"] = time.perf_counter() - began
        write_annotated(result, Path(folder) / "ours.mp4", progress=partial(progress, "Writing the annotated video"))
        seconds["annotated"] = time.perf_counter() - began
    ratios = {
        "json_to_decode": seconds["json"] / seconds["decode"],
        "annotated_to_decode_encode": seconds["annotated"] / seconds["decode_encode"],
        "json_to_video_duration": seconds["json"] / info.duration,
    }
    size = f"{info.width}x{info.height}, {info.frames} frames, {info.duration:.1f} s"
    progress.line(f"{path}: {size}")
    for name, value in seconds.items():
        progress.line(f"  {name:<28}{value:8.2f} s")
    for name, value in ratios.items():
        progress.line(f"  {name:<28}{value:8.2f}")
    return {
        "video": {"path": str(path), "width": info.width, "height": info.height, "frames": info.frames}
        | {"fps": round(info.fps, 4), "duration": round(info.duration, 4)},
        "seconds": {name: round(value, 4) for name, value in seconds.items()},
        "ratios": {name: round(value, 4) for name, value in ratios.items()},
        "checkpoint": result.checkpoint,
        "machine": machine(predictor.device),
    }


def _bare(path: str | Path, out: Path | None = None) -> None:
    """Decode a file with PyAV as fast as it goes, and encode it again with our own encoder settings if asked to."""
    import av

    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        stream.thread_type = "AUTO"

        def frames() -> Iterator[av.VideoFrame]:
            for packet in file.demux(stream):
                with suppress(av.FFmpegError):  # damaged packets are passed over
                    yield from packet.decode()

        if out is None:
            for _ in frames():
                pass
            return
        with av.open(str(out), "w", options={"movflags": "+faststart"}) as target:
            rate = stream.average_rate or Fraction(25)
            coded = target.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "21"})
            coded.width, coded.height, coded.pix_fmt = stream.width // 2 * 2, stream.height // 2 * 2, "yuv420p"
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


def parameters(predictor: "Predictor") -> dict[str, Any]:
    """Parameters of the whole, of what a checkpoint carries and of the two frozen encoders; then part by part."""
    sizes = {name: sum(p.numel() for p in child.parameters()) for name, child in predictor.model.named_children()}
    parts = {part: sum(sizes.get(name, 0) for name in names) for part, names in _PARTS.items()}
    visual, text = sizes["encoder"], predictor.text.parameters()
    trained = sum(sizes.values()) - visual
    whole = {"total": trained + visual + text, "trained": trained, "frozen_visual": visual, "frozen_text": text}
    return {**whole, "parts": {**parts, "text": text}}


def milliseconds(predictor: "Predictor") -> dict[str, float]:
    """Median time to encode one clip (a window around one key frame) and to answer one more sentence about it.

    The clip's pictures are decoded and nothing of it is known yet; the sentence is new, so that its words are read too.
    """
    import torch

    from refatomnet.encoders import FrameFeatures
    from refatomnet.text import build_text_encoder

    model, config = predictor.model, predictor.model.config
    pixels = torch.zeros(config.frames, 3, config.image_height, config.image_width, device=predictor.device)
    texts = build_text_encoder(config.text)

    def encode() -> Any:
        clip = model.encode_clips(FrameFeatures.stack([model.encode_frames(pixels)]))[0]
        clip.people_mask.sum().item()  # a GPU works on after the call; this waits for it
        return clip

    with torch.inference_mode():
        clip = encode()
        sentences = iter([f"the {n + 2}nd person from the left in a grey shirt" for n in range(_TIMED_RUNS + 1)])

        def answer() -> None:
            model(clip, texts([next(sentences)]).to(predictor.device)).presence.item()

        answer()
        times = {"clip": [_timed(encode) for _ in range(_TIMED_RUNS)]}
        times["sentence"] = [_timed(answer) for _ in range(_TIMED_RUNS)]
    return {name: round(1000 * statistics.median(values), 2) for name, values in times.items()}


def machine(device: str) -> dict[str, Any]:
    """What the timing depends on."""
    import torch

    return {"device": device, "cpus": os.cpu_count(), "threads": torch.get_num_threads(), "torch": torch.__version__}


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
