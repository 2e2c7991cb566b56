"""Frozen features, computed once: frame features in memory-mapped shards, word states in one file a text encoder.

    python -m training.cache --data DIR --split train [--config CONFIG.yaml] [--mirrored] [--workers 2] [key=value …]

A cache folder is named after a hash of the encoder's weights and the preprocessing, so features of another encoder are
never read by mistake, and a shard knows the sizes of its clips' files. Public models go by their names there, so that a
machine without them can train; their hashes lie in the folder, and other weights of the same name are refused. Shards
are written whole or not at all; a second run computes what is missing. What is stored is told apart by key frame, so
that a film may have many. Mirrored clips have shards of their own: a network does not see a mirrored picture as the
mirror of what it sees. They are seen in other weather too, or through a worse camera (:mod:`training.data.weather`).
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
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from refatomnet.checkpoint import encoder_hash, fill_encoder
from refatomnet.config import ModelConfig
from refatomnet.encoders import Features, build_encoder, check_weights, stored_features
from refatomnet.errors import CheckpointError, DataError, OptionError, SentenceError
from refatomnet.preprocess import MEAN, STD, Letterbox
from refatomnet.records import Record, read_records
from refatomnet.text import TextTokens, build_text_encoder, pad_text, split_words
from training.arguments import Parser, run
from training.config import TrainConfig, read_train_config
from training.data.clips import key_file, read_model_frames
from training.data.mirror import mirror_image, mirror_sentence
from training.data.records import sweep, write_text
from training.data.weather import weather

SHARD = 200
MIRRORED = "mirrored-weathered"
WEIGHTS = "weights.json"  # of public models: names and hashes
_LOG = logging.getLogger(__name__)


def cache_folder(data: Path, split: str, config: ModelConfig) -> Path:
    """Where the features of this split lie for this encoder, this preprocessing and these frames."""
    sizes = (config.frames, config.key_frame, config.frame_rate, config.image_height, config.image_width)
    said = f"{encoder_hash()} {config.encoder} {sizes} {MEAN} {STD} letterbox, picture and grey"
    if config.encoder != "compact":
        said = f"{config.blip2} {config.detector} {config.tokens} {sizes} {config.people} {config.things}"
    return data / "features" / hashlib.sha256(said.encode()).hexdigest()[:12] / split


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
        CheckpointError: If public models are needed and cannot be had, or are others than those of what is there.
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
    sentences = _unread(data, split, folder / config.text_name, mirrored=mirrored)
    if config.encoder != "compact" and (jobs or sentences):
        _settle_weights(folder, config)
    if jobs:
        began = time.monotonic()
        for done, name in enumerate(_encoded(jobs, config, workers), start=1):
            left = (time.monotonic() - began) / done * (len(jobs) - done)
            _LOG.info("shard %s done, %d of %d, about %.0f s left", name, done, len(jobs), left)
    if sentences:
        _encode_sentences(data / f"{split}.jsonl", sentences, folder / config.text_name, config)
    return folder


def _settle_weights(folder: Path, config: ModelConfig) -> None:
    """Write down which public weights the features of all splits are of; those there before must be of the same."""
    from refatomnet.encoders.pretrained import frozen_weights

    path, found = folder.parent / WEIGHTS, frozen_weights(config)
    found[config.text_name] = found.pop("text")  # there may be word states of several text encoders
    known = json.loads(path.read_text()) if path.is_file() else {}
    try:
        check_weights(known, found)
    except CheckpointError as error:
        raise CheckpointError(
            f"{path.parent} has features of other weights: {error}, or move the folder away"
        ) from error
    write_text(path, json.dumps({**known, **found}, indent=1) + "\n")


def _encoded(jobs: list[tuple], config: ModelConfig, workers: int) -> Iterator[str]:
    """Encode shards, and tell the name of each that is done. Public models are large, and are loaded but once."""
    if config.encoder != "compact":
        yield from map(_encode_shard, jobs)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap_unordered(_encode_shard, jobs)


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
    public = config.encoder != "compact"
    if not public:
        torch.set_num_threads(1)
    device = "cuda" if public and torch.cuda.is_available() else "cpu"
    encoder = build_encoder(config)
    fill_encoder(encoder)
    arrays: dict[str, list[np.ndarray]] = {part.name: [] for part in fields(stored_features(config))}
    contents = _contents(data, records)
    for record, entry in zip(records, contents, strict=True):
        images = read_model_frames(data, record, config)
        if mirrored:
            change = weather(record.moment)
            images = [change(mirror_image(image), i) for i, image in enumerate(images)]
        height, width = images[0].shape[:2]
        entry += [width, height]
        box = Letterbox.of(config, width, height)
        features = encoder(encoder.prepare(images, box).to(device), key=config.key_frame)
        for name, values in features.kept(config.key_frame).items():
            exact = name.startswith("boxes")  # half precision would move a box by half a pixel
            arrays[name].append((values.float() if exact else values.half()).cpu().numpy())
    part = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    shutil.rmtree(part, ignore_errors=True)  # of an earlier process of this number
    part.mkdir(parents=True)
    for key, rows in arrays.items():
        np.save(part / f"{key}.npy", np.stack(rows))
    (part / "moments.json").write_text(json.dumps(contents))
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return folder.name


def _unread(data: Path, split: str, folder: Path, *, mirrored: bool) -> list[str]:
    """All distinct sentences of a split, in order; none if the word states of all are there."""
    own = {record.sentence for record in read_records(data / f"{split}.jsonl")}
    turned = {mirror_sentence(sentence) for sentence in own} if mirrored else set()
    sentences = sorted(own | {sentence for sentence in turned if sentence is not None})
    index = folder / "sentences.json"
    return [] if index.is_file() and set(json.loads(index.read_text())) >= set(sentences) else sentences


def _encode_sentences(source: Path, sentences: list[str], folder: Path, config: ModelConfig) -> None:
    """Word states of sentences, which are those of a file, one after another in one array, with where each begins."""
    folder.mkdir(exist_ok=True)
    sweep(folder)
    encoder = build_text_encoder(config)
    try:
        words = [tuple(split_words(sentence)[: encoder.max_words]) for sentence in sentences]
    except SentenceError as error:
        raise DataError(f"{source}: {error}") from error
    rows = _read_before(sentences, folder)
    order = sorted(set(range(len(words))) - rows.keys(), key=lambda i: len(words[i]))
    began = time.monotonic()
    for start in range(0, len(order), 128):
        if start and start % (256 * 128) == 0:
            passed = time.monotonic() - began
            _LOG.info("%d of %d sentences read in %.0f s, the shortest first", start, len(order), passed)
        batch = order[start : start + 128]
        for i, (states, pooled) in zip(batch, encoder.encode_words([words[i] for i in batch]), strict=True):
            rows[i] = (states.half().numpy(), pooled.half().numpy())
    starts = np.cumsum([0, *(len(w) for w in words)])
    index = folder / "sentences.json"
    index.unlink(missing_ok=True)  # it speaks of the old rows
    _save(folder / "word_starts.npy", starts)
    _save(folder / "word_states.npy", np.concatenate([rows[i][0] for i in range(len(words))]))
    _save(folder / "sentence_states.npy", np.stack([rows[i][1] for i in range(len(words))]))
    write_text(index, json.dumps(sentences))


def _read_before(sentences: list[str], folder: Path) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Word states and sentence embedding of those whose file is there already, by their place among all."""
    index = folder / "sentences.json"
    if not index.is_file():
        return {}
    known = {sentence: i for i, sentence in enumerate(json.loads(index.read_text()))}
    starts, states, pooled = (
        np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("word_starts", "word_states", "sentence_states")
    )
    places = ((i, known[sentence]) for i, sentence in enumerate(sentences) if sentence in known)
    return {i: (states[starts[k] : starts[k + 1]], pooled[k]) for i, k in places}


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


def _shards(folder: Path, kind: type[Features]) -> dict[str, _Place]:
    places = {}
    for shard in sorted(path.parent for path in folder.glob("[0-9]*/moments.json")):
        arrays = {part.name: np.load(shard / f"{part.name}.npy", mmap_mode="r") for part in fields(kind)}
        for row, (moment, _, width, height) in enumerate(json.loads((shard / "moments.json").read_text())):
            places[moment] = _Place(arrays, row, (width, height))
    return places


class FeatureCache:
    """Reads what :func:`build` wrote; arrays stay on disk and are mapped.

    stands_on: Of public models, by part, the name and hash of the weights that the features are of.

    Args:
        folder: What :func:`build` returned.
        config: The model's.

    Raises:
        FileNotFoundError: If the cache has not been built.
    """

    def __init__(self, folder: Path, config: ModelConfig) -> None:
        texts, self._kind = folder / config.text_name, stored_features(config)
        if not (texts / "sentences.json").is_file():
            raise FileNotFoundError(f"no features in {texts}; run python -m training.cache first")
        places = {False: folder, True: folder / MIRRORED}
        self._places = {mirrored: _shards(place, self._kind) for mirrored, place in places.items()}
        path = folder.parent / WEIGHTS
        weights: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
        names = {"visual": "visual", "detector": "detector", "text": config.text_name}
        self.stands_on = {part: weights[name] for part, name in names.items() if name in weights}
        self._sentences = {s: i for i, s in enumerate(json.loads((texts / "sentences.json").read_text()))}
        self._starts = np.load(texts / "word_starts.npy")
        self._states = np.load(texts / "word_states.npy", mmap_mode="r")
        self._pooled = np.load(texts / "sentence_states.npy", mmap_mode="r")

    def __contains__(self, moment: str) -> bool:
        return moment in self._places[False]

    def frames(self, moment: str, which: slice = slice(None), *, mirrored: bool = False) -> dict[str, torch.Tensor]:
        """Float32 features of one clip, or of its mirror image: of these frames, and what is of the key frame alone."""
        arrays, row, _ = self._places[mirrored][moment]
        found = {
            part: rows[row, which] if part in self._kind.every_frame else rows[row] for part, rows in arrays.items()
        }
        return {part: torch.from_numpy(value.astype(np.float32)) for part, value in found.items()}

    def features(self, moment: str, which: slice = slice(None), *, mirrored: bool = False) -> Features:
        """The same as the model takes them."""
        return self._kind(**self.frames(moment, which, mirrored=mirrored))

    def letterbox(self, moment: str, config: ModelConfig) -> Letterbox:
        """How the clip's frames lie on the model's canvas."""
        width, height = self._places[False][moment].size
        return Letterbox.of(config, width, height)

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
    parser.add_argument(
        "--config", type=Path, metavar="CONFIG.yaml", help="whose encoders; the compact ones without it"
    )
    parser.add_argument("--mirrored", action="store_true", help="also of the clips in a mirror")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="over the config's own, as of training.train")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    def command(options: argparse.Namespace) -> int:
        if options.workers < 1:
            raise OptionError(f"--workers must be at least 1, got {options.workers}")
        if options.overrides and not options.config:
            raise OptionError(f"{options.overrides[0]!r} goes over a config's own; give --config CONFIG.yaml too")
        given = read_train_config(options.config, options.overrides) if options.config else TrainConfig()
        build(options.data, options.split, given.model, mirrored=options.mirrored, workers=options.workers)
        return 0

    return run(parser, command, arguments)


if __name__ == "__main__":
    sys.exit(main())
