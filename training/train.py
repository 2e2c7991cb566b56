"""Train the compact RefAtomNet++ on cached features.

    python -m training.train training/configs/compact.yaml [--resume] [key=value …]

Everything of a run lies in its folder: resolved config, log, TensorBoard events, the state to resume from, and the
checkpoint of the best validation score so far.
"""

import argparse
import dataclasses
import json
import logging
import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from refatomnet.checkpoint import encoder_state, load_checkpoint, save_checkpoint
from refatomnet.config import ModelConfig
from refatomnet.encoders import FrameFeatures
from refatomnet.errors import DataError
from refatomnet.model import RavarModel
from training.cache import FeatureCache, build
from training.criterion import Criterion, LossWeights, training_detections
from training.data.openravar import Batch, OpenRavar, letterbox_of
from training.data.records import Record, read_records, scene_lines, scenes_path
from training.evaluate import Question, ask_all, fit_calibration, score

_LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """One training run.

    data, run: Folders; ``~`` is expanded. name: Of the checkpoint.
    start: Checkpoint (name, folder or hub id) whose weights to begin with; None begins anew.
    batch_clips, sentences: Clips a step, and sentences about each.
    still_epochs: Passes over the key frames alone, first: people, looks and sentences are learnt at a fraction of the
        work. epochs: Passes over the whole clips after that, from half the learning rate. It falls to zero over each.
    minutes: Stop early after so many minutes of this sitting, ready to resume; None for no limit.
    true_share: Share of clips with true boxes among the candidates, at the start; falls linearly to a quarter of it.
    ema: Decay of the averaged weights, which are what is evaluated and saved.
    """

    data: str = "~/.cache/refatomnet/openravar"
    run: str = "~/.cache/refatomnet/runs/compact"
    name: str = "compact"
    start: str | None = None
    seed: int = 0
    batch_clips: int = 24
    sentences: int = 4
    still_epochs: float = 0.0
    epochs: float = 6.0
    minutes: float | None = None
    learning_rate: float = 6e-4
    weight_decay: float = 0.05
    warmup_steps: int = 150
    clip_norm: float = 2.0
    ema: float = 0.998
    true_share: float = 0.8
    evaluate_every: int = 400
    save_every: int = 100
    val_clips: int | None = 400
    limit: int | None = None
    threads: int = 2
    model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
    loss: LossWeights = dataclasses.field(default_factory=LossWeights)


def read_train_config(path: Path, overrides: list[str]) -> TrainConfig:
    """A YAML file, with ``key=value`` and ``part.key=value`` on top; unknown keys are refused.

    Raises:
        DataError: If a key is unknown or an override has no ``=``.
    """
    values = yaml.safe_load(path.read_text()) or {}
    for override in overrides:
        key, found, value = override.partition("=")
        if not found:
            raise DataError(f"{override!r} is no key=value")
        *parts, last = key.split(".")
        place = values
        for part in parts:
            place = place.setdefault(part, {})
        place[last] = yaml.safe_load(value)
    return _fill(TrainConfig, values)


def _fill(kind: Any, values: dict[str, Any]) -> Any:
    known = {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise DataError(f"unknown keys {unknown} for {kind.__name__}; known are {sorted(known)}")
    nested = {"model": ModelConfig, "loss": LossWeights}
    return kind(**{key: _fill(nested[key], v) if key in nested else v for key, v in values.items()})


class Ema:
    """Exponential moving average of the trained tensors."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self.values = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move towards the model; faster over the first steps."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, p in model.named_parameters():
            if name in self.values:
                self.values[name].lerp_(p.detach(), 1 - decay)

    @torch.no_grad()
    def swap(self, model: nn.Module) -> None:
        """Exchange the model's weights with the averaged ones; twice is the identity."""
        for name, p in model.named_parameters():
            if name in self.values:
                kept = p.detach().clone()
                p.copy_(self.values[name])
                self.values[name] = kept


class Trainer:
    """One run: model, criterion, optimiser, and where it stands."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.folder = Path(config.run).expanduser()
        self.folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        torch.set_num_threads(config.threads)
        self.model = RavarModel(config.model)
        self.model.encoder.load_state_dict(encoder_state())
        self.trained_before = ""
        if config.start is not None:
            self._begin_with(config.start)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # PyTorch's stubs lack it
        self.criterion = Criterion(self.model, config.loss)
        self.optimizer = torch.optim.AdamW(self._groups(), lr=config.learning_rate, betas=(0.9, 0.98))
        self.ema = Ema(self.model, config.ema)
        self.step, self.best = 0, -math.inf
        data = Path(config.data).expanduser()
        self.data_folder = data
        self.train_set = OpenRavar(data, "train", self._features("train"), config.model, limit=config.limit)
        self.val_cache = self._features("val")
        self.val_records = self._val_records()
        scenes = scene_lines(scenes_path(data, "val"))
        self.val_letterboxes = {scene["clip"]: letterbox_of(data, scene, config.model) for scene in scenes}
        self.steps_an_epoch = max(1, len(self.train_set) // config.batch_clips)
        self.still_steps = round(config.still_epochs * self.steps_an_epoch)
        self.total_steps = max(1, self.still_steps + round(config.epochs * self.steps_an_epoch))

    def _begin_with(self, checkpoint: str) -> None:
        """Take over a checkpoint's weights.

        Raises:
            DataError: If it has other sizes than this run.
        """
        model, card = load_checkpoint(checkpoint)
        if model.config != self.config.model:
            raise DataError(f"{checkpoint} has other sizes than this run; give the run its model section, or no start")
        self.model.load_state_dict(model.state_dict())
        self.trained_before = f", after {card.get('trained_on', checkpoint)}"

    def _features(self, split: str) -> FeatureCache:
        return FeatureCache(build(self.data_folder, split, self.config.model), self.config.model.text)

    def _groups(self) -> list[dict[str, Any]]:
        """Weight decay on matrices only."""
        named = [(n, p) for part in (self.model, self.criterion) for n, p in part.named_parameters() if p.requires_grad]
        plain = [p for n, p in named if p.ndim < 2 or n.endswith(("A_log", "place", "time"))]
        decayed = [p for n, p in named if not (p.ndim < 2 or n.endswith(("A_log", "place", "time")))]
        return [
            {"params": decayed, "weight_decay": self.config.weight_decay},
            {"params": plain, "weight_decay": 0.0},
        ]

    def _val_records(self) -> list[Record]:
        records = [r for r in read_records(self.data_folder / "val.jsonl") if r.clip and r.clip in self.val_cache]
        clips = sorted({str(record.clip) for record in records})[: self.config.val_clips]
        return [record for record in records if record.clip in set(clips)]

    def fit(self) -> None:
        """Train to the end, or until this sitting's minutes are over."""
        writer = SummaryWriter(self.folder / "events")
        began, config = time.monotonic(), self.config
        for batch in self._prefetched():
            parts = self._train_step(batch)
            self.step += 1
            if self.step % 20 == 0 or self.step == 1:
                self._log(writer, parts, began)
            over = config.minutes is not None and time.monotonic() - began > 60 * config.minutes
            if self.step % config.evaluate_every == 0 or self.step == self.total_steps:
                self._validate(writer)
            if self.step % config.save_every == 0 or over or self.step == self.total_steps:
                self.save()
            if over:
                _LOG.info("stopped at step %d after %.0f min; --resume goes on", self.step, config.minutes)
                break
        writer.close()

    def _prefetched(self) -> Iterator[Batch]:
        """The batch of every remaining step, the next one read while this one is used."""
        with ThreadPoolExecutor(1) as reader:
            coming = reader.submit(self._batch, self.step)
            while self.step < self.total_steps:
                batch = coming.result()
                coming = reader.submit(self._batch, self.step + 1)
                yield batch

    def _batch(self, step: int) -> Batch:
        """The batch of a step; which clips and sentences depends on the seed and the step alone."""
        size, count = self.config.batch_clips, len(self.train_set)
        if count < size:
            raise DataError(f"{count} training clips with features in {self.data_folder}; a batch needs {size}")
        epoch, place = divmod(step, self.steps_an_epoch)
        order = np.random.default_rng([self.config.seed, epoch]).permutation(count)
        indices = [int(i) for i in order[place * size : (place + 1) * size]]
        rng = np.random.default_rng([self.config.seed, step, 7])
        return self.train_set.batch(indices, self.config.sentences, rng, still=step < self.still_steps)

    def _train_step(self, batch: Batch) -> dict[str, float]:
        config = self.config
        torch.manual_seed(config.seed * 1_000_003 + self.step)  # so that a resumed run draws what it would have drawn
        progress = self.step / self.total_steps
        share = config.true_share * (1 - 0.75 * progress)
        self.model.train()
        clip, reading = self.model.encode_clips(
            batch.features,
            choose=lambda dense: training_detections(
                dense, batch, config.model.people, config.model.things, true_share=share
            ),
        )
        parts = self.criterion(batch, clip, reading, self.model(clip, batch.text))
        total: Tensor = parts["total"]
        if not torch.isfinite(total):
            torch.save(dataclasses.asdict(batch), self.folder / "bad_batch.pt")
            raise FloatingPointError(f"the loss is not finite at step {self.step}; its batch is in bad_batch.pt")
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate * self._rate()
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), config.clip_norm)
        self.optimizer.step()
        self.ema.update(self.model)
        return {**{name: float(value.detach()) for name, value in parts.items()}, "grad_norm": float(norm)}

    def _rate(self) -> float:
        """Linear warm-up and a cosine to zero, over the still pictures and again, half as high, over the clips."""
        still = self.step < self.still_steps
        begin, end = (0, self.still_steps) if still else (self.still_steps, self.total_steps)
        top = 0.5 if begin else 1.0
        warm = (self.step - begin + 1) / max(1, self.config.warmup_steps)
        return top * min(warm, 0.5 * (1 + math.cos(math.pi * min((self.step - begin) / (end - begin), 1.0))))

    def _log(self, writer: SummaryWriter, parts: dict[str, float], began: float) -> None:
        for name, value in parts.items():
            writer.add_scalar(f"loss/{name}", value, self.step)
        shown = " ".join(f"{name} {value:.3f}" for name, value in parts.items())
        _LOG.info("step %d of %d, %.0f s: %s", self.step, self.total_steps, time.monotonic() - began, shown)

    def _validate(self, writer: SummaryWriter) -> None:
        """Score the averaged weights on val; keep them when they are the best so far."""
        self.ema.swap(self.model)
        answers = ask_all(self.model, self._val_questions(), self.val_cache.text)
        scores = score(answers)
        for name, value in scores.items():
            writer.add_scalar(f"val/{name}", value, self.step)
        _LOG.info("val at step %d: %s", self.step, " ".join(f"{k} {v:.4f}" for k, v in scores.items()))
        overall = scores["acc_iou50"] + scores["map_macro"] + 0.5 * float(np.nan_to_num(scores["presence_auroc"]))
        if overall > self.best:
            self.best = overall
            calibration = fit_calibration(answers)
            save_checkpoint(self.model, self.folder / "best", self._card(scores, calibration))
        self.ema.swap(self.model)

    def _card(self, scores: dict[str, float], calibration: dict[str, Any]) -> dict[str, Any]:
        config = self.config
        return {
            "name": config.name,
            "trained_on": f"OpenRAVAR, {len(self.train_set)} rendered clips{self.trained_before}",
            "data": {"name": "OpenRAVAR", "split": "train", "clips": len(self.train_set)},
            "training": {"seed": config.seed, "steps": self.step, "epochs": self.step / self.steps_an_epoch},
            "calibration": calibration,
            "scores": {"val": scores},
            "licence": "Apache-2.0",
        }

    def _val_questions(self) -> Iterator[Question]:
        by_clip: dict[str, list[Record]] = {}
        for record in self.val_records:
            by_clip.setdefault(str(record.clip), []).append(record)
        for name, records in by_clip.items():
            features = FrameFeatures.stack([FrameFeatures(**self.val_cache.frames(name))])
            yield Question(features, self.val_letterboxes[name], records, {"own": [r.sentence for r in records]})

    def save(self) -> None:
        """Write the state to resume from, whole or not at all."""
        state = {
            "step": self.step,
            "best": self.best,
            "model": {n: v for n, v in self.model.state_dict().items() if not n.startswith("encoder.")},
            "criterion": self.criterion.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "ema": {"steps": self.ema.steps, "values": self.ema.values},
        }
        torch.save(state, self.folder / "state.pt.part")
        (self.folder / "state.pt.part").replace(self.folder / "state.pt")

    def resume(self) -> None:
        """Go on from the last saved state, if there is one."""
        path = self.folder / "state.pt"
        if not path.is_file():
            _LOG.info("nothing to resume in %s; starting anew", self.folder)
            return
        state = torch.load(path, weights_only=True)
        self.step, self.best = state["step"], state["best"]
        self.model.load_state_dict({**self.model.state_dict(), **state["model"]})
        self.criterion.load_state_dict(state["criterion"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.ema.steps, self.ema.values = state["ema"]["steps"], state["ema"]["values"]
        _LOG.info("resumed at step %d", self.step)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the compact RefAtomNet++ on cached features.")
    parser.add_argument("config", type=Path)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    config = read_train_config(options.config, options.overrides)
    trainer = Trainer(config)
    (trainer.folder / "config.json").write_text(json.dumps(dataclasses.asdict(config), indent=1) + "\n")
    if options.resume:
        trainer.resume()
    count, epoch, total = len(trainer.train_set), trainer.steps_an_epoch, trainer.total_steps
    _LOG.info("%d clips, %d steps an epoch, %d in all", count, epoch, total)
    trainer.fit()


if __name__ == "__main__":
    main()
