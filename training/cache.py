"""Frozen features, computed once: frame features in memory-mapped shards, word states in one file a text encoder.

    python -m training.cache --data DIR --split train [--workers 2]

A cache folder is named after a hash of the encoder's weights and the picture size, so features of another encoder are
never read by mistake. Shards are written whole or not at all; a second run computes what is missing.
"""

import argparse
import hashlib
import json
import logging
import multiprocessing
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from refatomnet.checkpoint import encoder_hash, encoder_state
from refatomnet.config import ModelConfig
from refatomnet.encoders.compact import CompactEncoder
from refatomnet.errors import DataError, OptionError
from refatomnet.preprocess import Letterbox, to_pixels
from refatomnet.text import TextTokens, build_text_encoder, pad_text, split_words
from training.arguments import Parser, run
from training.data.clips import model_frames, read_clip
from training.data.records import is_number, read_records, scene_lines, scenes_path, sweep, write_text

SHARD = 200
_LOG = logging.getLogger(__name__)
_PARTS = ("fine", "middle", "deep")


class Timing(NamedTuple):
    """When the frames of a clip are: its path, frames, key frame and frames a second."""

    clip: str
    frames: int
    key_frame: int
    fps: float

    @classmethod
    def of(cls, scene: dict[str, Any]) -> "Timing":
        """From a scene line; older ones do not say the number of frames, but have a box for each."""
        frames = scene.get("frames") or max((len(person["boxes_xyxy"]) for person in scene["people"]), default=0)
        if not frames or not is_number(scene.get("fps")) or scene["fps"] <= 0:
            raise DataError(f"{scene['clip']}: its scene needs a number of frames, and fps, frames a second")
        return cls(scene["clip"], frames, scene["key_frame"], scene["fps"])


def cache_folder(data: Path, split: str, config: ModelConfig) -> Path:
    """Where the features of this split lie for this encoder, these pictures and their times."""
    sizes = (config.frames, config.key_frame, config.frame_rate, config.image_height, config.image_width)
    digest = hashlib.sha256(f"{encoder_hash()} {sizes}".encode())
    return data / "features" / digest.hexdigest()[:12] / split


def build(data: Path, split: str, config: ModelConfig, *, workers: int = 2) -> Path:
    """Compute what is missing of a split's features and word states; returns the cache folder.

    Raises:
        DataError: If the split is not there, or a clip or sentence of it cannot be used.
    """
    folder = cache_folder(data, split, config)
    clips = sorted(Timing.of(scene) for scene in scene_lines(scenes_path(data, split)))
    shards = [clips[i : i + SHARD] for i in range(0, len(clips), SHARD)]
    jobs = [(data, folder / f"{i:04d}", shard, config) for i, shard in enumerate(shards)]
    jobs = [job for job in jobs if not _is_done(job[1], [timing.clip for timing in job[2]])]
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    if jobs:
        began = time.monotonic()
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            for done, name in enumerate(pool.imap_unordered(_encode_shard, jobs), start=1):
                left = (time.monotonic() - began) / done * (len(jobs) - done)
                _LOG.info("shard %s done, %d of %d, about %.0f s left", name, done, len(jobs), left)
    _encode_sentences(data, split, folder / config.text, config.text)
    return folder


def _is_done(folder: Path, names: list[str]) -> bool:
    index = folder / "clips.json"
    return index.is_file() and json.loads(index.read_text()) == names


def _encode_shard(job: tuple[Path, Path, list[Timing], ModelConfig]) -> str:
    data, folder, timings, config = job
    torch.set_num_threads(1)
    encoder = CompactEncoder()
    encoder.load_state_dict(encoder_state())
    arrays: dict[str, list[np.ndarray]] = {part: [] for part in _PARTS}
    for timing in timings:
        images = read_clip(data / timing.clip)
        if len(images) != timing.frames:
            raise DataError(f"{timing.clip} has {len(images)} frames, its scene speaks of {timing.frames}")
        images = [images[i] for i in model_frames(timing.fps, timing.key_frame, timing.frames, config)]
        height, width = images[0].shape[:2]
        box = Letterbox.fit(width, height, canvas_width=config.image_width, canvas_height=config.image_height)
        features = encoder(to_pixels(images, box))
        arrays["fine"].append(features.fine.half().numpy())
        arrays["middle"].append(features.middle.half().numpy())
        arrays["deep"].append(features.deep.half().numpy())
    part = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    shutil.rmtree(part, ignore_errors=True)  # of an earlier process of this number
    part.mkdir(parents=True)
    for key, rows in arrays.items():
        np.save(part / f"{key}.npy", np.stack(rows))
    (part / "clips.json").write_text(json.dumps([timing.clip for timing in timings]))
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return folder.name


def _encode_sentences(data: Path, split: str, folder: Path, name: str) -> None:
    """Word states of all distinct sentences, one after another in one array, with where each begins."""
    sentences = sorted({record.sentence for record in read_records(data / f"{split}.jsonl")})
    index = folder / "sentences.json"
    if index.is_file() and json.loads(index.read_text()) == sentences:
        return
    if not sentences:
        raise DataError(f"{data / split}.jsonl holds no record; there is nothing to learn or measure")
    folder.mkdir(exist_ok=True)
    sweep(folder)
    encoder = build_text_encoder(name)
    words = [tuple(split_words(sentence)[: encoder.max_words]) for sentence in sentences]
    order = sorted(range(len(words)), key=lambda i: len(words[i]))
    rows: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for start in range(0, len(order), 128):
        batch = order[start : start + 128]
        for i, (states, pooled) in zip(batch, encoder.encode_words([words[i] for i in batch]), strict=True):
            rows[i] = (states.half().numpy(), pooled.half().numpy())
    starts = np.cumsum([0, *(len(w) for w in words)])
    index.unlink(missing_ok=True)  # it speaks of the old rows
    _save(folder / "word_starts.npy", starts)
    _save(folder / "word_states.npy", np.concatenate([rows[i][0] for i in range(len(words))]))
    _save(folder / "sentence_states.npy", np.stack([rows[i][1] for i in range(len(words))]))
    write_text(index, json.dumps(sentences))


def _save(path: Path, array: np.ndarray) -> None:
    """Put an array in a file's place, which another process may still have mapped."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with partial.open("wb") as file:
        np.save(file, array)
    partial.replace(path)


class FeatureCache:
    """Reads what :func:`build` wrote; arrays stay on disk and are mapped.

    Args:
        folder: What :func:`build` returned.
        text: The text encoder to read the word states of.

    Raises:
        FileNotFoundError: If the cache has not been built.
    """

    def __init__(self, folder: Path, text: str) -> None:
        texts = folder / text
        if not (texts / "sentences.json").is_file():
            raise FileNotFoundError(f"no features in {texts}; run python -m training.cache first")
        self._place: dict[str, tuple[int, int]] = {}
        self._shards: list[dict[str, np.ndarray]] = []
        for shard in sorted(path.parent for path in folder.glob("[0-9]*/clips.json")):
            for row, name in enumerate(json.loads((shard / "clips.json").read_text())):
                self._place[name] = (len(self._shards), row)
            self._shards.append({part: np.load(shard / f"{part}.npy", mmap_mode="r") for part in _PARTS})
        self._sentences = {s: i for i, s in enumerate(json.loads((texts / "sentences.json").read_text()))}
        self._starts = np.load(texts / "word_starts.npy")
        self._states = np.load(texts / "word_states.npy", mmap_mode="r")
        self._pooled = np.load(texts / "sentence_states.npy", mmap_mode="r")

    def __contains__(self, clip: str) -> bool:
        return clip in self._place

    def frames(self, clip: str, which: slice = slice(None)) -> dict[str, torch.Tensor]:
        """Float32 features of these frames of one clip: fine, middle and deep (T, …)."""
        shard, row = self._place[clip]
        return {part: torch.from_numpy(self._shards[shard][part][row, which].astype(np.float32)) for part in _PARTS}

    def text(self, sentences: list[str]) -> TextTokens:
        """Embedded sentences, as :class:`refatomnet.text.TextEncoder` gives them."""
        rows, words = [], []
        for sentence in sentences:
            i = self._sentences[sentence]
            states = self._states[self._starts[i] : self._starts[i + 1]].astype(np.float32)
            rows.append((torch.from_numpy(states), torch.from_numpy(self._pooled[i].astype(np.float32))))
            words.append(tuple(split_words(sentence)[: len(states)]))
        return pad_text(rows, words)


def main(arguments: list[str] | None = None) -> int:
    parser = Parser("python -m training.cache", description="Compute and store the frozen features of a data set.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", required=True)
    parser.add_argument("--workers", type=int, default=2)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    def command(options: argparse.Namespace) -> int:
        if options.workers < 1:
            raise OptionError(f"--workers must be at least 1, got {options.workers}")
        build(options.data, options.split, ModelConfig(), workers=options.workers)
        return 0

    return run(parser, command, arguments)


if __name__ == "__main__":
    sys.exit(main())
