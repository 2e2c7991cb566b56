"""Measure how much memory a long film takes beside a short one.

    python -m training.memory [--minutes 1 60] [--rate 12] [--stride 1] [--whole] [--json OUT.json]

Films of 1280x720 are made by repeating two seconds of one; each is encoded and asked about in a process of its own.
Unless ``--whole``, the network looks at the first pictures only and gives the same answer for all others, which takes
the same room in a fraction of the time; decoding, detection of cuts, tracking, storing and asking are as always.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from refatomnet.errors import OptionError
from training.arguments import Parser, run
from training.crew import memory_figure
from training.data.records import write_text
from training.films import Film, write_film
from training.fuzz import ASKED

WIDTH, HEIGHT, LOOP_SECONDS = 1280, 720, 2


def long_film(path: Path, minutes: float, rate: int) -> Path:
    """A film of so many minutes: two seconds of squares that drift over noise, again and again."""
    rng = np.random.default_rng(0)
    ground = np.kron(rng.integers(60, 190, (HEIGHT // 16, WIDTH // 16, 3), np.uint8), np.ones((16, 16, 1), np.uint8))
    images = []
    for number in range(LOOP_SECONDS * rate):
        image = np.roll(ground, number, axis=1)
        for k in range(4):
            left = (200 * k + 4 * number) % (WIDTH - 120)
            image[200 : 200 + 100 * (k + 1), left : left + 100] = (60 * k, 200 - 40 * k, 120)
        images.append(image)
    options = {"preset": "ultrafast", "g": str(len(images)), "bf": "0"}
    with tempfile.TemporaryDirectory() as folder:
        film = Film(suffix=".mkv", rate=Fraction(rate), ticks=1, options=options)
        loop = write_film(Path(folder) / "loop.mkv", film, images)
        with av.open(str(loop)) as file, av.open(str(path), "w") as out:
            stream = out.add_stream_from_template(file.streams.video[0])
            kept = [(bytes(packet), packet.is_keyframe) for packet in file.demux(video=0) if packet.size]
            for number in range(round(minutes * 60 * rate)):
                data, is_key = kept[number % len(kept)]
                packet = av.Packet(data)
                packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, rate), is_key
                packet.pts = packet.dts = number
                out.mux(packet)
    return path


def measure(path: str, stride: float, whole: bool, pipe: Any) -> None:
    """Encode and ask in this process, and send the figures in megabytes and seconds."""
    import torch

    from refatomnet.console import hush, load_predictor

    torch.set_num_threads(1)
    hush()
    predictor = load_predictor(None, "cpu")
    if not whole:
        for name in ("encode_frames", "glance", "encode_clips"):
            setattr(predictor.model, name, _answer_again(getattr(predictor.model, name)))
    idle, own = memory_figure("VmRSS"), [0.0]
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.05):
            own[0] = max(own[0], memory_figure("RssAnon"))

    threading.Thread(target=look, daemon=True).start()
    began = time.monotonic()
    clip = predictor.encode(path, stride=stride)
    encoded = memory_figure("VmHWM")
    result = predictor.ask(clip, ASKED)
    done.set()
    pipe.send(
        {
            "idle_mb": idle,
            "encode_mb": encoded,
            "peak_mb": memory_figure("VmHWM"),
            "own_mb": own[0],
            "key_frames": len(clip.times),
            "frames": clip.video.frames,
            "analysed": [result.start, result.end],
            "seconds": time.monotonic() - began,
        }
    )


def _answer_again(ask: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function that computes its answer once for every number of rows, and then gives copies of it."""
    import torch

    known: dict[int, Any] = {}

    def copied(answer: Any) -> Any:
        if isinstance(answer, torch.Tensor):
            return answer.clone()
        if isinstance(answer, tuple):
            parts = [copied(part) for part in answer]
            return type(answer)(*parts) if hasattr(answer, "_fields") else tuple(parts)
        if answer is None:
            return None
        return type(answer)(*(copied(getattr(answer, field.name)) for field in fields(answer)))

    def answer(given: Any) -> Any:
        rows = len(given if isinstance(given, torch.Tensor) else given.fine)
        if rows not in known:
            known[rows] = ask(given)
        return copied(known[rows])

    return answer


def memory(options: argparse.Namespace) -> int:
    if min(options.minutes) <= 0 or options.rate < 1:
        raise OptionError("give --minutes above 0 and a --rate of at least 1 frame a second")
    context = multiprocessing.get_context("spawn")
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="films-") as folder:
        for minutes in options.minutes:
            path = long_film(Path(folder) / f"{minutes:g}.mkv", minutes, options.rate)
            mine, theirs = context.Pipe()
            process = context.Process(target=measure, args=(str(path), options.stride, options.whole, theirs))
            process.start()
            theirs.close()
            try:
                figures = mine.recv()
            except EOFError as error:
                raise OptionError(f"the process that read {minutes:g} minutes died; see above") from error
            process.join()
            path.unlink()
            found[f"{minutes:g} min"] = figures
            print(f"{minutes:g} min: " + ", ".join(f"{name} {_short(value)}" for name, value in figures.items()))
    first, last = (found[f"{minutes:g} min"] for minutes in (options.minutes[0], options.minutes[-1]))
    found["ratio"] = last["peak_mb"] / first["peak_mb"]
    found["own_ratio"] = last["own_mb"] / first["own_mb"]
    print(f"peak {found['ratio']:.3f}, without files mapped into memory {found['own_ratio']:.3f} of the first film's")
    if options.json:
        write_text(options.json, json.dumps(found, indent=1) + "\n")
    return 0


def _short(value: Any) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def main(arguments: list[str] | None = None) -> int:
    parser = Parser("python -m training.memory", description="Measure the memory that long films take.")
    parser.add_argument("--minutes", type=float, nargs="+", default=[1.0, 60.0])
    parser.add_argument("--rate", type=int, default=12, help="frames a second of the films")
    parser.add_argument("--stride", type=float, default=1.0)
    parser.add_argument("--whole", action="store_true", help="let the network look at every picture")
    parser.add_argument("--json", type=Path)
    return run(parser, memory, arguments)


if __name__ == "__main__":
    sys.exit(main())
