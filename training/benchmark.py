"""How fast things are made and computed here.

    python -m training.benchmark render [--size 320x240] [--clips 40] [--workers 2]
    python -m training.benchmark scan [--lengths 240 1568] [--width 256] [--threads 2] [--runs 7] [--json OUT.json]
    python -m training.benchmark step [--tier compact|blip2] [--clips 2] [--threads 2] [--runs 3] [--json OUT.json]
    python -m training.benchmark blip2 [--threads 2] [--runs 1] [--json OUT.json]
    python -m training.benchmark page [--runs 3] [--json OUT.json]

``render`` times the making of the data set, encoding included. Clips are made in a temporary folder. The first two a
worker warm them up and do not count.

``scan`` times the selective state-space layer, forward and backward, beside mambapy's and the slow path of transformers
with the same weights: their runs take turns, and medians are told. What takes a minute is not run again; transformers
takes one or two at length 1568, and as long again for its memory.

``step`` times a training step of what is trained, on features that are at hand as the cache gives them and with the
frozen encoders inside. The compact tier is the shipped model; "blip2" is the papers': BLIP-2's vision transformer and
Q-Former at full size with random weights (1.2 billion parameters, 4.4 GiB), and the released fusion of RefAtomNet++ on
top. Steps are forward and backward on random frames, without the language model for keywords.

``blip2`` tells what the papers' tier needs without a GPU: BLIP-2 and DETR at full size with random weights are saved to
a temporary folder (5 GB), loaded from there as the real ones are, and shown a clip and a sentence. It needs 11 GB of
memory to make them. Processor time is told beside the clock's, which other work on the machine lengthens.

``page`` times how long the demo lets one wait: from the start of app.py to its page, beside importing torch,
transformers and gradio in fresh processes that take turns; and, with the model loaded, from a sample and a sentence to
the first answered key frame and to the whole answer with its files.
"""

import argparse
import json
import math
import multiprocessing
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from refatomnet.config import ModelConfig
from refatomnet.encoders import Features, FrameFeatures, PublicEncoder
from refatomnet.encoders.pretrained import load_blip2
from refatomnet.errors import DataError, OptionError
from refatomnet.mamba import Mamba
from refatomnet.model import RavarModel
from refatomnet.preprocess import Letterbox
from refatomnet.released import ReleasedFusion
from refatomnet.text import TextTokens, build_text_encoder, packaged_folder, pad_text
from training.arguments import Parser, picture_size, run
from training.config import read_train_config
from training.crew import Progress, memory_figure, run_crew
from training.data.records import write_text
from training.generate import SPLITS, STUDIO, Job, prepare
from training.opening import time_answers, time_page

WARM_UP = 2  # clips a worker
SHORT = 16  # steps of a sequence that warms a layer up
FRAMES = 8  # of a clip, in the papers
TIER = Path(__file__).parent / "configs" / "refavapp_blip2.yaml"
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
    before = memory_figure("VmHWM")
    _pass(layer, torch.randn(1, length, width))
    return round((memory_figure("VmHWM") - before) * 2**20)


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
    encoder = build_text_encoder(config)
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


# ---- blip2 --------------------------------------------------------------------------------------------------------
def blip2(options: argparse.Namespace) -> int:
    if min(options.threads, options.runs) < 1:
        raise OptionError("--threads and --runs must be at least 1")
    _check_json(options.json)
    context = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as pool,
    ):
        pool.submit(_save_full_size, folder).result()  # in a process of its own, whose memory is not counted
        found = pool.submit(_time_full_size, folder, options.threads, options.runs).result()
    for what, (clock, processor) in found["seconds"].items():
        print(f"{what}: {clock:.1f} s, {processor:.1f} s of processor time")
    whole, saved = 4 * found["public"], 2 * found["vit"]
    print(f"weights {whole / 1e9:.2f} GB, {(whole - saved) / 1e9:.2f} GB with the ViT in bfloat16, as on a GPU")
    print(f"{found['public'] / 1e6:.0f} M public and {found['trained'] / 1e6:.1f} M trained parameters", end="; ")
    print(f"memory {found['peak_mb'] / 1024:.1f} GiB at most")
    if options.json:
        write_text(options.json, json.dumps(found, indent=1) + "\n")
    return 0


def _save_full_size(folder: str) -> None:
    """BLIP-2 and DETR-ResNet-50 of the sizes of the public ones, with random weights."""
    import transformers

    hf: Any = transformers  # whose configs do not tell their types
    torch.manual_seed(0)
    names = ["N/A", "person", *(f"thing {i}" for i in range(2, 91))]
    labels: dict[str, Any] = {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    backbone = hf.ResNetConfig(out_features=["stage4"])
    config = hf.DetrConfig(use_timm_backbone=False, backbone_config=backbone, **labels)
    hf.DetrForObjectDetection(config).save_pretrained(f"{folder}/detector")
    hf.DetrImageProcessorPil().save_pretrained(f"{folder}/detector")
    blip = hf.Blip2Config(qformer_config={"use_qformer_text_input": True})
    hf.Blip2ForImageTextRetrieval(blip).save_pretrained(f"{folder}/blip2")
    hf.BlipImageProcessorPil(size={"height": 224, "width": 224}).save_pretrained(f"{folder}/blip2")
    hf.AutoTokenizer.from_pretrained(packaged_folder()).save_pretrained(f"{folder}/blip2")


def _time_full_size(folder: str, threads: int, runs: int) -> dict[str, Any]:
    """Seconds by clock and of the processor of each piece of work, medians of the runs; parameters, and megabytes."""
    torch.set_num_threads(threads)
    config = read_train_config(TIER, [f"model.blip2={folder}/blip2", f"model.detector={folder}/detector"]).model
    model, text = RavarModel(config).eval(), build_text_encoder(config)
    encoder = model.encoder
    assert isinstance(encoder, PublicEncoder)
    size = config.image_height, config.image_width
    pictures = [np.random.default_rng(i).integers(0, 255, (*size, 3), dtype=np.uint8) for i in range(config.frames)]
    sentences = [f"the {n} person from the left in a grey shirt" for n in range(runs + 1)]
    box = Letterbox.of(config, config.image_width, config.image_height)

    def look() -> Any:
        return Features.stack([model.encode_frames(encoder.prepare(pictures, box), key=config.key_frame)])

    seconds = {"loading": _timed_twice(encoder.load)}
    with torch.inference_mode():
        features, words = look(), text(sentences[:1])  # warms up
        work: dict[str, Callable[[], Any]] = {
            "a clip of 8 pictures": look,
            "a sentence": lambda: text([sentences.pop()]),
            "the trained part, a clip and a sentence": lambda: model(model.encode_clips(features)[0], words),
        }
        for what, do in work.items():
            times = [_timed_twice(do) for _ in range(runs)]
            seconds[what] = tuple(statistics.median(each) for each in zip(*times, strict=True))
    trained = sum(p.numel() for p in model.parameters())
    vit = sum(p.numel() for p in load_blip2(config.blip2).model.vision_model.parameters())
    counts = {"public": encoder.count(), "vit": vit, "trained": trained, "threads": threads}
    return counts | {"seconds": seconds, "peak_mb": memory_figure("VmHWM")}


def _timed_twice(work: Callable[[], Any]) -> tuple[float, ...]:
    """Seconds by the clock and of the processor."""
    began = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began[0], time.process_time() - began[1]


# ---- page ---------------------------------------------------------------------------------------------------------
def page(options: argparse.Namespace) -> int:
    if options.runs < 1:
        raise OptionError(f"--runs must be at least 1, got {options.runs}")
    _check_json(options.json)
    opening = time_page(options.runs)
    print(f"first page {opening['page']:.2f} s, bare imports {opening['imports']:.2f} s: {opening['ratio']:.2f} times")
    answers = time_answers(options.runs)
    print(f"a sample, warm: first key frame {answers['first_key_frame']:.2f} s, whole answer {answers['answer']:.2f} s")
    if options.json:
        write_text(options.json, json.dumps({"seconds": opening | answers}, indent=1) + "\n")
    return 0


# ---- command ------------------------------------------------------------------------------------------------------
def main(arguments: list[str] | None = None) -> int:
    parser = Parser(
        "python -m training.benchmark",
        description="Time the making of the data set, the scan, a training step, BLIP-2, or the page.",
    )
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="render|scan|step|blip2|page")
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
    sizing = kinds.add_parser("blip2", help="the papers' encoders at full size, without a GPU")
    sizing.add_argument("--threads", type=int, default=2)
    sizing.add_argument("--runs", type=int, default=1)
    sizing.add_argument("--json", type=Path)
    sizing.set_defaults(command=blip2)
    opening = kinds.add_parser("page", help="how long the demo lets one wait")
    opening.add_argument("--runs", type=int, default=3)
    opening.add_argument("--json", type=Path)
    opening.set_defaults(command=page)
    return run(parser, lambda options: options.command(options), arguments)


if __name__ == "__main__":
    sys.exit(main())
