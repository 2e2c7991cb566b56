"""One training run: the same loop on a CPU, a GPU, or several processes of either (accelerate)."""

import itertools
import json
import logging
import math
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, fields, is_dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.utils import broadcast_object_list, gather_object
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from refatomnet.card import AFTER
from refatomnet.checkpoint import fill_encoder, load_checkpoint, save_checkpoint
from refatomnet.config import ModelConfig
from refatomnet.encoders import Features, PublicEncoder, check_weights
from refatomnet.errors import DataError
from refatomnet.fusion import Candidates
from refatomnet.model import RavarModel
from refatomnet.preprocess import Letterbox
from refatomnet.records import Record, read_records
from training.cache import FeatureCache, build
from training.calibration import fit_calibration
from training.config import TrainConfig
from training.criterion import Criterion, shake, training_detections
from training.data.examples import Batch, Examples
from training.data.records import write_text
from training.evaluate import Answers, Question, ask_all, processes, score, truth, without_nan

STATE = "state.pt"  # of a run, to go on from
# everybody's pixels alone, key frames alone, whole clips, choosing alone; in the order of ``TrainConfig.passes``
PHASES = "looks", "stills", "clips", "choice"
_LOG = logging.getLogger(__name__)
PRETRAINED, PRETRAINED_SHARE = "looks.features.", 0.4  # begin with ImageNet's weights; share of the learning rate
# What a resumed run may change: how long and where it sits, not what it learns.
_FREE = {"minutes", "threads", "data", "run", "save_every"}


class Step(nn.Module):
    """Model and criterion as one module, so that one forward pass is one step, whatever is wrapped around it.

    Of the sentences about a clip, the first ``sentences`` are fused with it; the rest only choose among people.
    """

    def __init__(self, model: RavarModel, criterion: Criterion, sentences: int) -> None:
        super().__init__()
        self.model, self.criterion, self.sentences = model, criterion, sentences

    def forward(self, batch: Batch, true_share: float, *, alone: bool = False) -> dict[str, Tensor]:
        """Every part of the loss, and ``total``, of one batch; ``true_share`` of the clips see true boxes.

        ``alone``: only of what everybody's own pixels show.
        """
        config = self.model.config
        if isinstance(batch.features, Candidates):
            said = map(_as_float, self.model.choose(batch.features, batch.text))
            told: dict[str, Tensor] = self.criterion.choosing(batch, batch.features, *said)
            return told
        if alone:
            features: Any = batch.features  # of the compact encoder, as no other model has looks
            boxes = shake(batch.key_boxes)
            looks = self.model.looks(features.picture[:, 0], features.grey, batch.key, boxes, batch.people_real)
            told = self.criterion.looks(batch, _as_float(looks), boxes)
            return told
        choose = partial(
            training_detections,
            batch=batch,
            config_people=config.people,
            config_things=config.things,
            true_share=true_share,
        )
        clip, reading = self.model.encode_clips(batch.features, choose=choose)
        batch, more = batch.parted(self.sentences)
        output = self.model(clip, batch.text)
        chosen = () if more is None else self.model.choose(clip.candidates, more.text)
        with torch.autocast(batch.actions.device.type, enabled=False):
            read = (_as_float(part) for part in (clip, reading, output))
            also = None if more is None else (more, *map(_as_float, chosen))
            parts: dict[str, Tensor] = self.criterion(batch, *read, also)
        return parts


def _as_float(value: Any) -> Any:
    """The same dataclass, tuple or tensor in float32: losses are not worked out in less."""
    if isinstance(value, Tensor):
        return value.float() if value.is_floating_point() else value
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _as_float(getattr(value, f.name)) for f in fields(value)})
    if isinstance(value, tuple):
        return type(value)(*(_as_float(part) for part in value))
    return value


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


def cached_questions(data: Path, split: str, cache: FeatureCache, config: ModelConfig) -> list[Question]:
    """One question a key frame of a split, in order of their names, its features from the cache: one view alone."""
    own: dict[str, list[Record]] = {}
    for record in read_records(data / f"{split}.jsonl"):
        own.setdefault(record.moment, []).append(record)

    def load(moment: str) -> tuple[tuple[Features, ...], Letterbox]:
        return (Features.stack([cache.features(moment)]),), cache.letterbox(moment, config)

    return [
        Question(partial(load, m), own[m], {"own": [r.sentence for r in own[m]]}) for m in sorted(own) if m in cache
    ]


@torch.no_grad()
def mean_weights(model: RavarModel, others: Sequence[str]) -> None:
    """Move a model's weights to the mean of its own and those of other checkpoints.

    Raises:
        DataError: If one is not of the model's config.
        CheckpointError: If one cannot be used.
    """
    own, wanted = model.state_dict(), model.config.to_dict()
    total = {name: value.double() for name, value in own.items() if value.is_floating_point()}
    for other in others:
        one, _ = load_checkpoint(other)
        given, has = one.state_dict(), one.config.to_dict()
        if wrong := sorted(key for key in wanted.keys() | has.keys() if has.get(key) != wanted.get(key)):
            raise DataError(f"{other} has other {', '.join(wrong)} than what it is to be averaged with; leave it out")
        if isinstance(model.encoder, PublicEncoder) and isinstance(one.encoder, PublicEncoder):
            check_weights(model.encoder.stands_on, one.encoder.stands_on)
        total = {name: value + given[name] for name, value in total.items()}
    model.load_state_dict({**own, **{name: value / (1 + len(others)) for name, value in total.items()}})


class Trainer:
    """One run: model, criterion, optimiser, and where it stands.

    Which clips and sentences a step sees, and what it draws, depends on the seed and the step alone, so that a run that
    was killed and resumed goes on as if it never had been.
    """

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.folder = Path(config.run).expanduser()
        self.folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        beside = int(os.environ.get("LOCAL_WORLD_SIZE", 1))  # processes that share this machine's cores
        torch.set_num_threads(min(config.threads, max(1, (os.cpu_count() or 1) // beside)))
        processes()  # first: Accelerator goes by it
        spread = DistributedDataParallelKwargs(find_unused_parameters=True)  # key frames alone leave some parts out
        self.accelerator = Accelerator(mixed_precision=config.precision, kwargs_handlers=[spread])
        self.model = RavarModel(config.model)
        fill_encoder(self.model.encoder)
        if config.model.looks:
            self.model.looks.begin_with(self.model.encoder)
        self.trained_before: list[str] = []
        self.data_before: dict[str, Any] = {}
        if config.start is not None:
            self._begin_with(config.start)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # PyTorch's stubs lack it
        self.criterion = Criterion(self.model, config.loss)
        if config.start is not None:
            self._begin_losses(Path(config.start).expanduser().parent / STATE)
        step = Step(self.model, self.criterion, config.sentences)
        optimizer = torch.optim.AdamW(self._groups(), lr=config.learning_rate, betas=(0.9, 0.98))
        self.run_step, self.optimizer = self.accelerator.prepare(step, optimizer)
        self.ema = Ema(self.model, config.ema)
        self.step, self.best, self.stale = 0, -math.inf, 0
        self.data_folder = Path(config.data).expanduser()
        if config.stills is None:
            self.train_set = self.still_set = self._examples(self.data_folder, config.model)
        else:
            alone = replace(config.model, frames=1, key_frame=0)  # nothing else of these clips is looked at
            self.still_set = self._examples(Path(config.stills).expanduser(), alone)
            self.train_set = self._examples(self.data_folder, config.model) if self._sees_clips else self.still_set
        self.val_cache = self._features(self.data_folder, "val", config.model)
        self.val_questions = cached_questions(self.data_folder, "val", self.val_cache, config.model)[: config.val_clips]
        self.parts = config.accumulate * self.accelerator.num_processes
        self._check_sizes()
        passes = zip(PHASES, config.passes.values(), strict=True)
        steps = [max(round(count * self._an_epoch(phase)), int(count > 0)) for phase, count in passes]
        self.ends = dict(zip(PHASES, itertools.accumulate(steps), strict=True))
        self.total_steps = sum(steps)
        self._candidates: dict[tuple[str, bool], Candidates] = {}

    def _begin_with(self, checkpoint: str) -> None:
        """Take over a checkpoint's weights, or their mean with those to average; parts it does not have, and those of
        ``anew``, begin anew.

        Raises:
            DataError: If it has other sizes than this run, or the model has no such part to begin anew.
        """
        model, card = load_checkpoint(checkpoint)
        if others := (self.config.average or "").split():
            mean_weights(model, others)
        frozen = ("encoder", "text", "tokens", "blip2", "detector", "keywords")
        for name in (*frozen, "categories", "frames", "key_frame", "frame_rate"):
            wanted, has = getattr(self.config.model, name), getattr(model.config, name)
            if wanted != has:
                raise DataError(f"{checkpoint} has {name} {has!r}, this run {wanted!r}; give it the same, or no start")
        own, fresh = self.model.state_dict(), self.config.anew.split()
        if unknown := sorted(set(fresh) - {name.split(".")[0] for name in own}):
            raise DataError(f"anew names {unknown}, which the model does not have; give names of its parts")
        given = {name: value for name, value in model.state_dict().items() if name.split(".")[0] not in fresh}
        both = own.keys() & given.keys()
        if wrong := [name for name in both if own[name].shape != given[name].shape]:
            said = f"{checkpoint} has other sizes than this run, of {min(wrong)}"
            raise DataError(f"{said}; give the run its model section, or no start")
        anew, left = ({name.split(".")[0] for name in part.keys() - both} for part in (own, given))
        if anew or left:
            told = ", ".join(sorted(anew)) or "nothing", ", ".join(sorted(left)) or "nothing"
            _LOG.info("of %s: begun anew %s, left out %s", checkpoint, *told)
        self.model.load_state_dict({**own, **{name: value for name, value in given.items() if name in own}})
        if isinstance(self.model.encoder, PublicEncoder) and isinstance(model.encoder, PublicEncoder):
            self.model.encoder.stands_on = model.encoder.stands_on
        self.trained_before = str(card.get("trained_on", checkpoint)).split(AFTER)
        self.data_before = {"data": card["data"]} if "data" in card else {}

    def _begin_losses(self, state: Path) -> None:
        """Where the checkpoint is a run's best one, take over what that run's losses had learnt, as heads for looks."""
        if not state.is_file():
            return
        learnt = torch.load(state, weights_only=True, map_location="cpu", mmap=True)["criterion"]
        own = self.criterion.state_dict()
        fits = {name: value for name, value in learnt.items() if name in own and value.shape == own[name].shape}
        self.criterion.load_state_dict({**own, **fits})

    def _examples_of(self, phase: str) -> Examples:
        """What a phase passes over."""
        return self.train_set if phase in ("clips", "choice") else self.still_set

    @property
    def _sees_clips(self) -> bool:
        return self.config.epochs > 0 or self.config.choice_epochs > 0

    def _an_epoch(self, phase: str) -> int:
        """Steps of a pass."""
        return max(1, len(self._examples_of(phase)) // self.config.batch_clips)

    def _phase(self, step: int) -> tuple[str, int, int]:
        """What a step is of, the first step of that, and the first one after it."""
        name = next((name for name, end in self.ends.items() if step < end), PHASES[-1])
        before = [0, *self.ends.values()]
        return name, before[PHASES.index(name)], self.ends[name]

    def _check_sizes(self) -> None:
        size = self.config.batch_clips
        for part in (self.still_set, self.train_set):
            if len(part) < size:
                raise DataError(f"{len(part)} training clips with features in {part.folder}; a batch needs {size}")
        if size % self.parts:
            raise DataError(f"batch_clips is {size}; it must be a multiple of {self.parts}, processes × accumulate")

    def _examples(self, folder: Path, model: ModelConfig) -> Examples:
        cache = self._features(folder, "train", model)
        return Examples(folder, "train", cache, model, mirror=self.config.mirror, limit=self.config.limit)

    def _features(self, data: Path, split: str, model: ModelConfig) -> FeatureCache:
        mirrored = split == "train" and self.config.mirror > 0
        with self.accelerator.main_process_first():
            folder = build(data, split, model, mirrored=mirrored)
        cache, encoder = FeatureCache(folder, model), self.model.encoder
        if isinstance(encoder, PublicEncoder):
            check_weights(encoder.stands_on, cache.stands_on)
            encoder.stands_on = cache.stands_on
        return cache

    def _groups(self) -> list[dict[str, Any]]:
        """Weight decay on matrices only; layers that were trained before go at a share of the learning rate."""
        named = [(n, p) for part in (self.model, self.criterion) for n, p in part.named_parameters() if p.requires_grad]
        groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
        for name, parameter in named:
            plain = parameter.ndim < 2 or name.endswith(("A_log", "place", "time"))
            groups.setdefault((plain, name.startswith(PRETRAINED)), []).append(parameter)
        return [
            {
                "params": parameters,
                "weight_decay": 0.0 if plain else self.config.weight_decay,
                "share": PRETRAINED_SHARE if pretrained else 1.0,
            }
            for (plain, pretrained), parameters in groups.items()
        ]

    def fit(self) -> None:
        """Train to the end, until val stops getting better, or until this sitting's minutes are over."""
        writer = SummaryWriter(self.folder / "events", purge_step=self.step + 1) if self._main else None
        began, config = time.monotonic(), self.config
        for parts in self._prefetched():
            losses = self._train_step(parts)
            self.step += 1
            if self.step % 20 == 0 or self.step == 1:
                self._log(writer, losses, began)
            over = self._over(began)
            if self.step % config.evaluate_every == 0 or self.step == self.total_steps:
                self._validate(writer)
            if self.step % config.save_every == 0 or over or self.finished:
                if writer:
                    writer.flush()  # before the state: whoever goes on from there does not log these steps again
                self.save()
            if self.finished:
                _LOG.info("finished at step %d", self.step)
                break
            if over:
                _LOG.info("stopped at step %d after %.0f min; --resume goes on", self.step, config.minutes)
                break
        if not self.total_steps:  # the mean of checkpoints, as it is
            self._validate(writer)
            self.save()
        if writer:
            writer.close()

    @property
    def finished(self) -> bool:
        """Whether there is nothing more to learn: all steps done and scored, or val has not got better for long."""
        patience = self.config.patience
        scored = self.best > -math.inf
        return scored and (self.step >= self.total_steps or (patience is not None and self.stale >= patience))

    def _over(self, began: float) -> bool:
        """Whether this sitting's minutes are over by the main process's clock, so that all stop at the same step."""
        if self.config.minutes is None:
            return False
        return bool(broadcast_object_list([time.monotonic() - began > 60 * self.config.minutes])[0])

    @property
    def _main(self) -> bool:
        return self.accelerator.is_main_process

    def _prefetched(self) -> Iterator[list[Batch]]:
        """This process's parts of the batch of every remaining step, the next ones read while these are used.

        But for choosing, which goes by what the weights of the step before make of clips.
        """
        with ThreadPoolExecutor(1) as reader:
            coming = None
            while self.step < self.total_steps:
                parts = self._batches(self.step) if coming is None else coming.result()
                ahead = self.step + 1 < self.ends["clips"]
                coming = reader.submit(self._batches, self.step + 1) if ahead else None
                yield parts

    def _batches(self, step: int) -> list[Batch]:
        """This process's parts of a step's batch."""
        process, (phase, begin, _) = self.accelerator.process_index, self._phase(step)
        examples, size = self._examples_of(phase), self.config.batch_clips
        epoch, place = divmod(step - begin, self._an_epoch(phase))
        which = {"looks": 2, "stills": 1, "clips": 0, "choice": 3}[phase]
        order = np.random.default_rng([self.config.seed, which, epoch]).permutation(len(examples))
        if phase == "choice":  # the same clips for a process in every pass, as it remembers what it has looked at
            shares = [order[order % self.parts == part] for part in range(self.parts)]
            order = np.stack([share[: len(order) // self.parts] for share in shares], axis=1).ravel()
        indices = [int(i) for i in order[place * size : (place + 1) * size]]
        batches = []
        for part in range(process * self.config.accumulate, (process + 1) * self.config.accumulate):
            rng = np.random.default_rng([self.config.seed, step, 7, part])
            mine = indices[part :: self.parts]
            sentences = 1 if phase == "looks" else self.config.sentences + self.config.more_sentences
            read = self._candidates_of if phase == "choice" else None
            batches.append(examples.batch(mine, sentences, rng, still=phase == "stills", read=read))
        return batches

    def _candidates_of(self, moment: str, mirrored: bool) -> Candidates:
        """Whom there is to choose among, as the weights see them that do not choose, and so do not change any more."""
        known = self._candidates.get((moment, mirrored))
        if known is None:
            features = Features.stack([self.train_set.features(moment, mirrored)]).to(self.accelerator.device)
            self.model.eval()
            with torch.no_grad():
                clip, _ = self.model.encode_clips(features)
            known = self._candidates[moment, mirrored] = clip.candidates.map(lambda part: part[0].cpu())
        return known

    def _train_step(self, batches: list[Batch]) -> dict[str, float]:
        config = self.config
        # A resumed run draws what it would have drawn, and every process its own.
        torch.manual_seed((config.seed * 1_000_003 + self.step) * 1009 + self.accelerator.process_index)
        alone, done = self._phase(self.step)[0] == "looks", max(0, self.step - self.ends["looks"])
        share = config.true_share * (1 - 0.75 * done / max(1, self.total_steps - self.ends["looks"]))
        self.run_step.train()
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate * self._rate() * group["share"]
        self.optimizer.zero_grad(set_to_none=True)
        losses: dict[str, float] = {}
        for number, batch in enumerate(batches, start=1):
            early = number < len(batches)  # gradients of the processes meet at the last part
            with self.accelerator.no_sync(self.run_step) if early else nullcontext():
                parts = self.run_step(batch.to(self.accelerator.device), share, alone=alone)
                if not torch.isfinite(parts["total"]):
                    torch.save(asdict(batch), self.folder / "bad_batch.pt")
                    raise FloatingPointError(
                        f"the loss is not finite at step {self.step}; its batch is in {self.folder / 'bad_batch.pt'}"
                    )
                self.accelerator.backward(parts["total"] / len(batches))
            for name, value in parts.items():
                losses[name] = losses.get(name, 0.0) + float(value.detach()) / len(batches)
        norm = self.accelerator.clip_grad_norm_(self.run_step.parameters(), config.clip_norm)
        self.optimizer.step()
        self.ema.update(self.model)
        return {**losses, "grad_norm": float(norm)}

    def _rate(self) -> float:
        """Linear warm-up and a cosine to zero, over each phase; half as high over clips that come after stills."""
        phase, begin, end = self._phase(self.step)
        top = 0.5 if phase == "clips" and begin > self.ends["looks"] else 1.0
        warm = (self.step - begin + 1) / max(1, self.config.warmup_steps)
        return top * min(warm, 0.5 * (1 + math.cos(math.pi * min((self.step - begin) / (end - begin), 1.0))))

    def _log(self, writer: SummaryWriter | None, losses: dict[str, float], began: float) -> None:
        shares = gather_object([losses])  # each process knows of its own parts
        losses = {name: sum(share[name] for share in shares) / len(shares) for name in losses}
        if writer:
            for name, value in losses.items():
                writer.add_scalar(f"loss/{name}", value, self.step)
            writer.add_scalar("learning_rate", self.optimizer.param_groups[0]["lr"], self.step)
        shown = " ".join(f"{name} {value:.3f}" for name, value in losses.items())
        _LOG.info("step %d of %d, %.0f s: %s", self.step, self.total_steps, time.monotonic() - began, shown)

    def _validate(self, writer: SummaryWriter | None) -> None:
        """Score the averaged weights on val; keep them when they are the best so far."""
        self.ema.swap(self.model)
        answers = ask_all(self.model, self.val_questions, self.val_cache.text)
        scores = score(answers)
        shown = " ".join(f"{k} {v:.4f}" for k, v in scores.items())
        _LOG.info("val at step %d: %s", self.step, shown)
        for name, value in scores.items():
            if writer:
                writer.add_scalar(f"val/{name}", value, self.step)
        known = {name: float(np.nan_to_num(value)) for name, value in scores.items()}  # there may be nobody absent
        overall = known["acc_iou50"] + known["map_macro"] + 0.5 * known["presence_auroc"]
        self.stale = 0 if overall > self.best else self.stale + 1
        if overall > self.best:
            self.best = overall
            if self._main:
                save_checkpoint(self.model, self.folder / "best", self._card(scores, answers))
        self.ema.swap(self.model)

    def _card(self, scores: dict[str, float], answers: Answers) -> dict[str, Any]:
        config = self.config
        present, _, labels = truth(answers.records)
        scenes = self.train_set.has_scenes
        name = "OpenRAVAR" if scenes else self.data_folder.resolve().name
        counts = {
            "clips": len(self.train_set) if self._sees_clips or config.stills is None else 0,
            "stills": len(self.still_set) if config.stills is not None else 0,
        }
        kind = "rendered " if scenes else ""
        always = ("still_epochs", "epochs")
        passes = {name: count for name, count in config.passes.items() if count or name in always}
        told = " and ".join(f"{count} {kind}{what}" for what, count in counts.items() if count)
        learnt = [f"{name}, {told}"] if self.total_steps else []  # a mean of checkpoints knows what they know
        return {
            "name": config.name,
            "trained_on": AFTER.join(dict.fromkeys([*learnt, *self.trained_before])),  # each set once
            **({"data": {"name": name, "split": "train", **counts}} if learnt else self.data_before),
            "training": {"seed": config.seed, "steps": self.step, **passes},
            "calibration": fit_calibration(
                answers.actions["own"], labels, answers.presence["own"], present, answers.clips
            ),
            "scores": {"val": without_nan(scores)},
            "licence": "Apache-2.0",
        }

    def save(self) -> None:
        """Write the state to resume from, whole or not at all, and the settings it belongs to."""
        if not self._main:
            return
        state = {
            "step": self.step,
            "best": self.best,
            "stale": self.stale,
            "model": {n: v for n, v in self.model.state_dict().items() if not n.startswith("encoder.")},
            "criterion": self.criterion.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "ema": {"steps": self.ema.steps, "values": self.ema.values},
        }
        torch.save(state, self.folder / f"{STATE}.part")
        (self.folder / f"{STATE}.part").replace(self.folder / STATE)

    def begin(self, *, resume: bool) -> None:
        """Take the run folder: go on from the state that lies there, or claim it for a new run.

        Raises:
            DataError: If it holds another run: of other settings, or one nobody asked to resume.
        """
        path, settings = self.folder / STATE, self.folder / "config.json"
        if path.is_file() and not resume:
            raise DataError(f"{self.folder} holds a run already; give --resume to go on with it, or another run=FOLDER")
        if path.is_file():
            self._check_settings(json.loads(settings.read_text()))
            device = self.accelerator.device  # of several processes on a CPU "cpu:0", which loading does not know
            state = torch.load(path, weights_only=True, map_location="cpu" if device.type == "cpu" else device)
            self.step, self.best, self.stale = state["step"], state["best"], state["stale"]
            self.model.load_state_dict({**self.model.state_dict(), **state["model"]})
            self.criterion.load_state_dict(state["criterion"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.ema.steps, self.ema.values = state["ema"]["steps"], state["ema"]["values"]
            _LOG.info("resumed at step %d", self.step)
        elif resume:
            _LOG.info("nothing to resume in %s; starting anew", self.folder)
        self.accelerator.wait_for_everyone()
        if self._main:
            write_text(settings, json.dumps(self.config.to_dict(), indent=1) + "\n")

    def _check_settings(self, before: dict[str, Any]) -> None:
        now = json.loads(json.dumps(self.config.to_dict()))
        changed = sorted(key for key in now.keys() | before.keys() if now.get(key) != before.get(key))
        if changed := [key for key in changed if key not in _FREE]:
            raise DataError(
                f"{self.folder} was trained with other {', '.join(changed)}; resume with the same settings, or start "
                "another run=FOLDER"
            )
