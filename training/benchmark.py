"""How fast things are made and computed here.

    python -m training.benchmark render [--size 320x240] [--clips 40] [--workers 2]
    python -m training.benchmark scan [--lengths 240 1568] [--width 256] [--threads 2] [--runs 7] [--json OUT.json]

``render`` times the making of the data set, encoding included. Clips are made in a temporary folder. The first two a
worker warm them up and do not count.

``scan`` times the selective state-space layer, forward and backward, beside mambapy's and the slow path of transformers
with the same weights: their runs take turns, and medians are told. What takes a minute is not run again; transformers
takes one or two at length 1568, and as long again for its memory.
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
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from refatomnet.errors import DataError, OptionError
from refatomnet.mamba import Mamba
from training.arguments import Parser, picture_size, run
from training.crew import Progress, run_crew
from training.data.records import write_text
from training.generate import SPLITS, STUDIO, Job, prepare

WARM_UP = 2  # clips a worker
SHORT = 16  # steps of a sequence that warms a layer up
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
    if options.json and not options.json.parent.is_dir():  # better said before the minutes than after
        raise OptionError(f"--json {options.json}: there is no folder {options.json.parent}; make it first")
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


# ---- command ------------------------------------------------------------------------------------------------------
def main(arguments: list[str] | None = None) -> int:
    parser = Parser("python -m training.benchmark", description="Time the making of the data set, or the scan.")
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="render|scan")
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
    return run(parser, lambda options: options.command(options), arguments)


if __name__ == "__main__":
    sys.exit(main())
