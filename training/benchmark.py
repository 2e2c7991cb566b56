"""How fast things are made and computed here.

    python -m training.benchmark render [--size 320x240] [--clips 40] [--workers 2]
    python -m training.benchmark scan [--lengths 240 1568] [--width 256] [--threads 2] [--runs 7] [--json OUT.json]
    python -m training.benchmark step [--tier compact|blip2] [--clips 2] [--threads 2] [--runs 3] [--json OUT.json]

``render`` times the making of the data set, encoding included. Clips are made in a temporary folder. The first two a
worker warm them up and do not count.

``scan`` times the selective state-space layer, forward and backward, beside mambapy's and the slow path of transformers
with the same weights: their runs take turns, and medians are told. What takes a minute is not run again; transformers
takes one or two at length 1568, and as long again for its memory.

``step`` times a training step of what is trained, on features that are at hand as the cache gives them and with the
frozen encoders inside. The compact tier is the shipped model; "blip2" is the papers': BLIP-2's vision transformer and
Q-Former at full size with random weights (1.2 billion parameters, 4.4 GiB), and the released fusion of RefAtomNet++ on
top. Steps are forward and backward on random frames, without the language model for keywords.
"""

import argparse
import json
import math
import multiprocessing
import platform
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from refatomnet.config import ModelConfig
from refatomnet.encoders import FrameFeatures
from refatomnet.errors import DataError, OptionError
from refatomnet.mamba import Mamba
from refatomnet.model import RavarModel
from refatomnet.released import ReleasedFusion
from refatomnet.text import TextTokens, build_text_encoder, pad_text
from training.arguments import Parser, picture_size, run
from training.crew import Progress, run_crew
from training.data.records import write_text
from training.generate import SPLITS, STUDIO, Job, prepare

WARM_UP = 2  # clips a worker
SHORT = 16  # steps of a sequence that warms a layer up
FRAMES = 8  # of a clip, in the papers
PATIENCE = 30.0  # seconds; what takes longer is not run again


# ---- render -------------------------------------------------------------------------------------------------------
def render(options: argparse.Namespace) -> int:
    if options.clips < 1 or options.workers < 1:
        raise OptionError(f"--clips and --workers must be at least 1, got {options.clips} and {options.workers}")
    warm = WARM_UP * options.workers
    progress = Progress(options.split, warm + options.clips)
    with tempfile.TemporaryDirectory() as folder:
        job = Job(folder, options.split, 0, options.size, studio=options.studio)
        failed = run_crew(prepare, job, list(range(progress.total)), options.workers, progress)
    if failed:
        raise DataError(f"{len(failed)} of {progress.total} clips failed; their times would mislead")
    seconds = progress.finished[-1] - progress.finished[warm - 1]
    size = "mixed sizes" if options.size is None else "x".join(map(str, options.size))
    print(f"{options.clips} clips of {size} in {seconds:.1f} s: {options.clips / seconds:.2f} clips/s", end="")
    took = progress.seconds[warm:]
    stages = ", ".join(f"{stage} {sum(each[stage] for each in took) / len(took):.3f}" for stage in took[0])
    print(f" with {options.workers} workers; seconds a clip and worker: {stages}")
    return 0


# ---- scan ---------------------------------------------------------------------------------------------------------
def _mambapy(width: int) -> nn.Module:
    from mambapy.mamba import MambaBlock, MambaConfig

    return MambaBlock(MambaConfig(d_model=width, n_layers=1))


def _transformers(width: int) -> nn.Module:
    from transformers import MambaConfig
    from transformers.models.mamba.modeling_mamba import MambaMixer
    from transformers.utils import logging

    logging.set_verbosity_error()  # or it tells at length that this is its slow path
    rank = math.ceil(width / 16)
    return MambaMixer(MambaConfig(hidden_size=width, time_step_rank=rank, num_hidden_layers=1), layer_idx=0)


LAYERS: dict[str, Callable[[int], nn.Module]] = {"ours": Mamba, "mambapy": _mambapy, "transformers": _transformers}


def scan(options: argparse.Namespace) -> int:
    if min(*options.lengths, options.width, options.threads, options.runs) < 1:
        raise OptionError("--lengths, --width, --threads and --runs must be at least 1")
    _check_json(options.json)
    lengths = list(dict.fromkeys(options.lengths))
    peaks = measure_peaks(options.width, lengths, options.threads)
    torch.set_num_threads(options.threads)
    layers = _layers(list(LAYERS), options.width)
    result: dict[str, Any] = {
        "batch": 1,
        "width": options.width,
        "threads": options.threads,
        "machine": f"{platform.machine()}, torch {torch.__version__}",
        "lengths": {},
    }
    for length in lengths:
        seconds = time_in_turns(layers, torch.randn(1, length, options.width), options.runs)
        found = compare(seconds, {name: peaks[name, length] for name in layers})
        result["lengths"][str(length)] = found
        print(f"length {length}, width {options.width}, batch 1, {options.threads} threads, forward and backward:")
        for name, row in found.items():
            print(_line(name, row))
    if options.json:
        write_text(options.json, json.dumps(result, indent=1) + "\n")
    return 0


def _check_json(path: Path | None) -> None:
    """Better said before the minutes than after."""
    if path and not path.parent.is_dir():
        raise OptionError(f"--json {path}: there is no folder {path.parent}; make it first")


def _layers(names: list[str], width: int) -> dict[str, nn.Module]:
    """The layers of these names with the same weights, warmed up."""
    torch.manual_seed(0)
    weights = Mamba(width).state_dict()
    layers = {name: LAYERS[name](width) for name in names}
    for layer in layers.values():
        layer.load_state_dict(weights)
        _pass(layer, torch.randn(1, SHORT, width))
    return layers


def _pass(layer: nn.Module, x: Tensor) -> float:
    """Forward and backward; returns the seconds they take."""
    layer.zero_grad()
    x = x.clone().requires_grad_()
    began = time.perf_counter()
    layer(x).sum().backward()
    return time.perf_counter() - began


def time_in_turns(layers: dict[str, nn.Module], x: Tensor, runs: int) -> dict[str, list[float]]:
    """Seconds of every run of every layer; those past the patience are run once."""
    seconds: dict[str, list[float]] = {name: [] for name in layers}
    for _ in range(runs):
        for name, layer in layers.items():
            if max(seconds[name], default=0) < PATIENCE:
                seconds[name].append(_pass(layer, x))
    return seconds


def measure_peaks(width: int, lengths: list[int], threads: int) -> dict[tuple[str, int], int]:
    """Bytes each layer needs at each length above what it holds before, each measured in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as pool:
        jobs = {(name, n): pool.submit(_peak, name, n, width, threads) for name in LAYERS for n in lengths}
        return {job: measured.result() for job, measured in jobs.items()}


def _peak(name: str, length: int, width: int, threads: int) -> int:
    torch.set_num_threads(threads)
    layer = _layers([name], width)[name]
    before = _most_memory()
    _pass(layer, torch.randn(1, length, width))
    return _most_memory() - before


def _most_memory() -> int:
    """The most bytes this process ever held. Not from ``getrusage``: it counts the process that started this one."""
    found = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    if found is None:
        raise DataError("/proc/self/status does not tell VmHWM; memory can only be measured on Linux")
    return int(found[1]) * 1024


def compare(seconds: dict[str, list[float]], peaks: dict[str, int]) -> dict[str, dict[str, Any]]:
    """Medians and peaks of each layer, and how many times ours they are."""
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    return {
        name: {
            "seconds": medians[name],
            "runs": len(seconds[name]),
            "times_ours": medians[name] / medians["ours"],
            "peak_bytes": peaks[name],
            "peak_times_ours": peaks[name] / max(1, peaks["ours"]),
        }
        for name in seconds
    }


def _line(name: str, row: dict[str, Any]) -> str:
    took = f"{row['seconds'] * 1000:10.1f} ms (median of {row['runs']}), {row['times_ours']:7.2f} x ours"
    return f"  {name:12} {took}; peak {row['peak_bytes'] / 2**20:7.1f} MiB, {row['peak_times_ours']:6.2f} x ours"


# ---- step ---------------------------------------------------------------------------------------------------------
def step(options: argparse.Namespace) -> int:
    if min(options.clips, options.threads, options.runs) < 1:
        raise OptionError("--clips, --threads and --runs must be at least 1")
    _check_json(options.json)
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    encode, learn, words = (_compact_step if options.tier == "compact" else _blip2_step)(options.clips)
    features, text = encode(), words()
    learn(features, text)  # warms up
    kinds: dict[str, list[float]] = {"cached": [], "encoders inside": []}
    for _ in range(options.runs):
        kinds["cached"].append(_timed(lambda: learn(features, text)))
        kinds["encoders inside"].append(_timed(lambda: learn(encode(), words())))
    medians = {kind: statistics.median(seconds) for kind, seconds in kinds.items()}
    times = medians["encoders inside"] / medians["cached"]
    print(
        f"{options.tier}, {options.clips} clips of 8 frames, {options.threads} threads, median of {options.runs} steps:"
    )
    print(
        f"  on cached features {medians['cached']:.3f} s, with the encoders inside {medians['encoders inside']:.3f} s"
    )
    print(f"  a cached step is {times:.1f} times as fast")
    if options.json:
        found = {"tier": options.tier, "clips": options.clips, "threads": options.threads, "seconds": medians}
        write_text(options.json, json.dumps(found | {"times_as_fast": times}, indent=1) + "\n")
    return 0


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _compact_step(clips: int) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """Encode frames, learn from their features and words, encode words: of the shipped sizes, 4 sentences a clip."""
    config = ModelConfig()
    model = RavarModel(config).train()
    frames = torch.rand(clips * config.frames, 3, config.image_height, config.image_width)
    encoder = build_text_encoder(config.text)
    sentences = [tuple(f"the {n} person from the left in a grey shirt".split()) for n in range(4 * clips)]

    def encode() -> FrameFeatures:
        features = model.encode_frames(frames)
        return FrameFeatures(*(getattr(features, f.name).unflatten(0, (clips, -1)) for f in fields(features)))

    def words() -> TextTokens:
        return pad_text(encoder.encode_words(sentences), sentences)

    def learn(features: FrameFeatures, text: TextTokens) -> None:
        output = model(model.encode_clips(features)[0], text)
        model.zero_grad()
        (output.presence.sum() + output.actions.sum() + output.frame_boxes.sum()).backward()

    return encode, learn, words


def _blip2_step(clips: int) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """The same of the papers' encoders and the released fusion, a sentence a clip."""
    from transformers import Blip2Config, Blip2ForImageTextRetrieval

    config = Blip2Config(qformer_config={"use_qformer_text_input": True})
    blip = Blip2ForImageTextRetrieval(config).eval().requires_grad_(False)
    fusion = ReleasedFusion().train()
    frames, words_each = torch.rand(clips * FRAMES, 3, 224, 224), 8
    ids = torch.randint(1000, (clips, words_each))
    given = [torch.randn(words_each, 2560) for _ in range(clips)]
    detected = torch.randn(clips, 100, 92), torch.rand(clips, 100, 4), torch.randn(91, 768)

    @torch.no_grad()
    def encode() -> Tensor:
        seen = torch.cat([blip.vision_model(frame).last_hidden_state for frame in frames.split(FRAMES)])
        queries = blip.query_tokens.expand(len(seen), -1, -1)
        tokens: Tensor = blip.qformer(query_embeds=queries, encoder_hidden_states=seen).last_hidden_state
        return tokens.unflatten(0, (clips, FRAMES))

    @torch.no_grad()
    def words() -> Tensor:
        states = blip.qformer(query_embeds=blip.embeddings(input_ids=ids), query_length=0).last_hidden_state
        return states[:, None, :4].expand(-1, FRAMES, -1, -1)

    def learn(tokens: Tensor, sentence: Tensor) -> None:
        output = fusion(tokens, sentence, given, *detected)
        fusion.zero_grad()
        (output.logits.sum() + output.boxes.sum()).backward()

    return encode, learn, words


# ---- command ------------------------------------------------------------------------------------------------------
def main(arguments: list[str] | None = None) -> int:
    parser = Parser(
        "python -m training.benchmark", description="Time the making of the data set, the scan, or a training step."
    )
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="render|scan|step")
    rendering = kinds.add_parser("render", help="the making of the data set")
    rendering.add_argument("--size", type=picture_size, help="such as 320x240; without it, a mix")
    rendering.add_argument("--clips", type=int, default=40)
    rendering.add_argument("--workers", type=int, default=2)
    rendering.add_argument("--split", choices=SPLITS, default="train")
    rendering.add_argument("--studio", default=STUDIO, help=argparse.SUPPRESS)
    rendering.set_defaults(command=render)
    scanning = kinds.add_parser("scan", help="the selective state-space layer beside two others")
    scanning.add_argument("--lengths", type=int, nargs="+", default=[240, 1568], help="steps of a sequence")
    scanning.add_argument("--width", type=int, default=256)
    scanning.add_argument("--threads", type=int, default=2)
    scanning.add_argument("--runs", type=int, default=7)
    scanning.add_argument("--json", type=Path)
    scanning.set_defaults(command=scan)
    stepping = kinds.add_parser("step", help="a training step, on cached features and with the encoders inside")
    stepping.add_argument("--tier", choices=("compact", "blip2"), default="compact")
    stepping.add_argument("--clips", type=int, default=2)
    stepping.add_argument("--threads", type=int, default=2)
    stepping.add_argument("--runs", type=int, default=3)
    stepping.add_argument("--json", type=Path)
    stepping.set_defaults(command=step)
    return run(parser, lambda options: options.command(options), arguments)


if __name__ == "__main__":
    sys.exit(main())
