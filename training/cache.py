"""Frozen features, computed once: frame features in memory-mapped shards, word states in one file a text encoder.

    python -m training.cache --data DIR --split train [--mirrored] [--workers 2]

A cache folder is named after a hash of the encoder's weights and the preprocessing, so features of another encoder are
never read by mistake, and a shard knows the sizes of its clips' files. Shards are written whole or not at all; a second
run computes what is missing. What is stored is told apart by key frame, so that a film may have many. Mirrored clips
have shards of their own: a network does not see a mirrored picture as the mirror of what it sees.
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
from refatomnet.encoders import build_encoder
from refatomnet.errors import DataError, OptionError, SentenceError
from refatomnet.preprocess import MEAN, STD, Letterbox, to_pixels
from refatomnet.text import TextTokens, build_text_encoder, pad_text, split_words
from training.arguments import Parser, run
from training.data.clips import key_file, read_model_frames
from training.data.mirror import mirror_image, mirror_sentence
from training.data.records import Record, read_records, sweep, write_text

SHARD = 200
MIRRORED = "mirrored"
_LOG = logging.getLogger(__name__)
_PARTS = ("fine", "middle", "deep")  # of every frame


def cache_folder(data: Path, split: str, config: ModelConfig) -> Path:
    """Where the features of this split lie for this encoder, this preprocessing and these frames."""
    sizes = (config.frames, config.key_frame, config.frame_rate, config.image_height, config.image_width)
    digest = hashlib.sha256(f"{encoder_hash()} {config.encoder} {sizes} {MEAN} {STD} letterbox, picture".encode())
    return data / "features" / digest.hexdigest()[:12] / split


def build(data: Path, split: str, config: ModelConfig, *, mirrored: bool = False, workers: int = 2) -> Path:
    """Compute what is missing of a split's features and word states; returns the cache folder.

    Args:
        data: Data set folder.
        split: Of it.
        config: The model's: which encoders, and which frames at what size.
        mirrored: Also of the clips seen in a mirror, and of their sentences with left and right exchanged.
        workers: Processes.

    Raises:
        DataError: If the split is not there, or a clip or sentence of it cannot be used.
    """
    folder = cache_folder(data, split, config)
    moments = {record.moment: record for record in read_records(data / f"{split}.jsonl")}
    if not moments:
        raise DataError(f"{data / split}.jsonl holds no record; there is nothing to learn or measure")
    ordered = [moments[name] for name in sorted(moments)]
    shards = [ordered[i : i + SHARD] for i in range(0, len(ordered), SHARD)]
    jobs = [
        (data, place / f"{i:04d}", shard, config, place != folder)
        for place in ([folder, folder / MIRRORED] if mirrored else [folder])
        for i, shard in enumerate(shards)
    ]
    jobs = [job for job in jobs if not _is_done(job[1], _contents(data, job[2]))]
    folder.mkdir(parents=True, exist_ok=True)
    for place in {folder, *(job[1].parent for job in jobs)}:
        place.mkdir(exist_ok=True)
        sweep(place)
    for old in (*folder.glob("[0-9]*"), *folder.glob(f"{MIRRORED}/[0-9]*")):
        if int(old.name) >= len(shards):  # of a larger set: what it holds may lie in another shard by now
            shutil.rmtree(old)
    if jobs:
        began = time.monotonic()
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            for done, name in enumerate(pool.imap_unordered(_encode_shard, jobs), start=1):
                left = (time.monotonic() - began) / done * (len(jobs) - done)
                _LOG.info("shard %s done, %d of %d, about %.0f s left", name, done, len(jobs), left)
    _encode_sentences(data, split, folder / config.text, config.text, mirrored=mirrored)
    return folder


def _contents(data: Path, records: list[Record]) -> list[list[Any]]:
    """What a shard holds: key frames, and the size in bytes of each one's file, which one made anew hardly keeps."""
    try:
        return [[record.moment, key_file(data, record).stat().st_size] for record in records]
    except OSError as error:
        raise DataError(f"{error.filename} is missing; expected what the records speak of") from error


def _is_done(folder: Path, contents: list[list[Any]]) -> bool:
    index = folder / "moments.json"
    return index.is_file() and [entry[:2] for entry in json.loads(index.read_text())] == contents


def _encode_shard(job: tuple[Path, Path, list[Record], ModelConfig, bool]) -> str:
    data, folder, records, config, mirrored = job
    torch.set_num_threads(1)
    encoder = build_encoder(config.encoder)
    encoder.load_state_dict(encoder_state())
    arrays: dict[str, list[np.ndarray]] = {part: [] for part in (*_PARTS, "picture")}
    contents = _contents(data, records)
    for record, entry in zip(records, contents, strict=True):
        images = read_model_frames(data, record, config)
        if mirrored:
            images = [mirror_image(image) for image in images]
        height, width = images[0].shape[:2]
        entry += [width, height]
        box = Letterbox.fit(width, height, canvas_width=config.image_width, canvas_height=config.image_height)
        features = encoder(to_pixels(images, box))
        for name in _PARTS:
            arrays[name].append(getattr(features, name).half().numpy())
        arrays["picture"].append(features.picture[config.key_frame : config.key_frame + 1].half().numpy())
    part = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    shutil.rmtree(part, ignore_errors=True)  # of an earlier process of this number
    part.mkdir(parents=True)
    for key, rows in arrays.items():
        np.save(part / f"{key}.npy", np.stack(rows))
    (part / "moments.json").write_text(json.dumps(contents))
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return folder.name


def _encode_sentences(data: Path, split: str, folder: Path, name: str, *, mirrored: bool = False) -> None:
    """Word states of all distinct sentences, one after another in one array, with where each begins."""
    own = {record.sentence for record in read_records(data / f"{split}.jsonl")}
    turned = {mirror_sentence(sentence) for sentence in own} if mirrored else set()
    sentences = sorted(own | {sentence for sentence in turned if sentence is not None})
    index = folder / "sentences.json"
    if index.is_file() and set(json.loads(index.read_text())) >= set(sentences):
        return
    folder.mkdir(exist_ok=True)
    sweep(folder)
    encoder = build_text_encoder(name)
    try:
        words = [tuple(split_words(sentence)[: encoder.max_words]) for sentence in sentences]
    except SentenceError as error:
        raise DataError(f"{data / split}.jsonl: {error}") from error
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


class _Place(NamedTuple):
    """Where the features of a key frame's clip are: the mapped arrays, the row; and the frames' width and height."""

    arrays: dict[str, np.ndarray]
    row: int
    size: tuple[int, int]


def _shards(folder: Path) -> dict[str, _Place]:
    places = {}
    for shard in sorted(path.parent for path in folder.glob("[0-9]*/moments.json")):
        arrays = {part: np.load(shard / f"{part}.npy", mmap_mode="r") for part in (*_PARTS, "picture")}
        for row, (moment, _, width, height) in enumerate(json.loads((shard / "moments.json").read_text())):
            places[moment] = _Place(arrays, row, (width, height))
    return places


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
        self._places = {mirrored: _shards(folder / MIRRORED if mirrored else folder) for mirrored in (False, True)}
        self._sentences = {s: i for i, s in enumerate(json.loads((texts / "sentences.json").read_text()))}
        self._starts = np.load(texts / "word_starts.npy")
        self._states = np.load(texts / "word_states.npy", mmap_mode="r")
        self._pooled = np.load(texts / "sentence_states.npy", mmap_mode="r")

    def __contains__(self, moment: str) -> bool:
        return moment in self._places[False]

    def frames(self, moment: str, which: slice = slice(None), *, mirrored: bool = False) -> dict[str, torch.Tensor]:
        """Float32 features of one clip, or of its mirror image: of these frames, and the key frame's picture (1, …)."""
        arrays, row, _ = self._places[mirrored][moment]
        found = {part: arrays[part][row, which] for part in _PARTS} | {"picture": arrays["picture"][row]}
        return {part: torch.from_numpy(value.astype(np.float32)) for part, value in found.items()}

    def letterbox(self, moment: str, config: ModelConfig) -> Letterbox:
        """How the clip's frames lie on the model's canvas."""
        width, height = self._places[False][moment].size
        return Letterbox.fit(width, height, canvas_width=config.image_width, canvas_height=config.image_height)

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
    parser.add_argument("--mirrored", action="store_true", help="also of the clips in a mirror")
    parser.add_argument("--workers", type=int, default=2)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    def command(options: argparse.Namespace) -> int:
        if options.workers < 1:
            raise OptionError(f"--workers must be at least 1, got {options.workers}")
        build(options.data, options.split, ModelConfig(), mirrored=options.mirrored, workers=options.workers)
        return 0

    return run(parser, command, arguments)


if __name__ == "__main__":
    sys.exit(main())
