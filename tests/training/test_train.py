"""The training loop on a few painted clips: resuming, averaging, and refusing."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_cache import SMALL, painted

from refatomnet.checkpoint import load_checkpoint, save_checkpoint
from refatomnet.config import ModelConfig
from refatomnet.errors import DataError
from training import trainer as trainer_module
from training.cache import cache_folder
from training.config import TrainConfig, read_train_config
from training.criterion import LossWeights
from training.data.openravar import Batch
from training.trainer import Ema, Trainer

CONFIGS = Path(__file__).parents[2] / "training" / "configs"


class Recorder(Trainer):
    """Keeps the parts of every step."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__(config)
        self.losses: list[dict[str, float]] = []

    def _train_step(self, batches: list[Batch]) -> dict[str, float]:
        self.losses.append(super()._train_step(batches))
        return self.losses[-1]


@pytest.fixture
def make(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Any:
    data = painted(tmp_path_factory.getbasetemp())
    monkeypatch.setattr(trainer_module, "build", lambda data, split, config, **_: cache_folder(data, split, config))
    common = {"data": str(data), "batch_clips": 2, "sentences": 2, "epochs": 2.0, "threads": 1, "model": SMALL}
    common |= {"warmup_steps": 2, "evaluate_every": 1000, "save_every": 1000}

    def make_trainer(name: str = "run", **change: Any) -> Recorder:
        return Recorder(TrainConfig(**{**common, "run": str(tmp_path / name), **change}))

    return make_trainer


def test_a_resumed_run_goes_on_as_if_never_stopped(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = make("whole")
    assert whole.total_steps == 4 and whole.steps_an_epoch == 2
    whole.fit()
    first = make("halves")
    first.begin(resume=False)
    for batch in first._prefetched():
        first._train_step(batch)
        first.step += 1
        if first.step == 2:
            break
    first.save()
    second = make("halves", seed=0)
    second.begin(resume=True)
    assert second.step == 2
    second.fit()
    assert second.step == whole.step == 4
    for expected, found in zip(whole.losses, first.losses + second.losses, strict=True):
        assert found == pytest.approx(expected, abs=1e-6, rel=1e-6)
    ends = dict(second.model.named_parameters())
    for name, value in whole.model.named_parameters():
        torch.testing.assert_close(value, ends[name], atol=1e-6, rtol=1e-5)
        if name in whole.ema.values:
            torch.testing.assert_close(whole.ema.values[name], second.ema.values[name], atol=1e-6, rtol=1e-5)
    # The last step was scored on val and kept as a checkpoint that loads.
    model, card = load_checkpoint(whole.folder / "best")
    assert not model.training and card["training"] == {"seed": 0, "steps": 4, "epochs": 2.0}
    assert {"miou", "acc_iou50", "map_macro", "presence_auroc"} <= set(card["scores"]["val"])
    assert set(card["calibration"]) == {"actions", "presence", "threshold", "ece"}
    assert (whole.folder / "state.pt").is_file() and list((whole.folder / "events").iterdir())
    averaged = whole.ema.values["choice.score.0.weight"]
    torch.testing.assert_close(model.choice.score[0].weight, averaged.half().float())  # the averaged weights were kept
    assert not torch.equal(whole.model.choice.score[0].weight, averaged)


def test_every_clip_comes_once_an_epoch(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make()
    read, seen = trainer.train_set.batch, []

    def watched(indices: list[int], *more: Any, **options: Any) -> Batch:
        seen.append(indices)
        return read(indices, *more, **options)

    monkeypatch.setattr(trainer.train_set, "batch", watched)
    batches = []
    for parts in trainer._prefetched():
        batches += parts
        trainer.step += 1
    assert [sorted(seen[0] + seen[1]), sorted(seen[2] + seen[3])] == [[0, 1, 2, 3]] * 2
    trainer.step = 3
    assert torch.equal(next(trainer._prefetched())[0].actions, batches[3].actions)


def test_a_step_learns_and_leaves_the_encoder_alone(make: Any) -> None:
    trainer = make(batch_clips=4, epochs=6.0, warmup_steps=1, learning_rate=2e-3)
    encoder = {name: value.clone() for name, value in trainer.model.encoder.state_dict().items()}
    before = {n: p.detach().clone() for n, p in trainer.model.named_parameters() if p.requires_grad}
    for batch in trainer._prefetched():
        trainer._train_step(batch)
        trainer.step += 1
    assert trainer.losses[-1]["detect"] < trainer.losses[0]["detect"]
    assert all(torch.equal(value, encoder[name]) for name, value in trainer.model.encoder.state_dict().items())
    after = dict(trainer.model.named_parameters())
    still = [name for name, value in before.items() if torch.equal(value, after[name])]
    assert still == []
    assert all(p.grad is None for p in trainer.model.encoder.parameters())


def test_a_loss_that_is_not_finite_stops_the_run(make: Any) -> None:
    trainer = make()
    with torch.no_grad():
        trainer.model.branch.box[0][0].weight.fill_(torch.nan)
    before = trainer.model.detector.box.weight.clone()
    with pytest.raises(FloatingPointError, match="step 0"):
        trainer.fit()
    assert torch.equal(trainer.model.detector.box.weight, before)
    assert set(torch.load(trainer.folder / "bad_batch.pt")) == {field.name for field in dataclasses.fields(Batch)}


def test_validation_is_on_val_only(make: Any) -> None:
    trainer = make()
    records = [record for question in trainer.val_questions for record in question.records]
    assert {record.split for record in records} == {"val"} and len(records) == 9
    for question in trainer.val_questions:
        assert question.sentences == {"own": [r.sentence for r in question.records]}
        assert len({r.clip for r in question.records}) == 1
        stored = trainer.val_cache.frames(str(question.records[0].clip))
        assert torch.equal(question.load()[0].deep[0], stored["deep"])
    assert len(make("few", val_clips=1).val_questions) == 1


def test_rate_warms_up_and_falls_to_zero_over_stills_and_again_over_clips(make: Any) -> None:
    trainer = make(warmup_steps=4)
    trainer.still_steps, trainer.total_steps = 100, 300

    def rate(step: int) -> float:
        trainer.step = step
        return trainer._rate()

    assert [rate(step) for step in range(4)] == pytest.approx([0.25, 0.5, 0.75, 0.5 * (1 + math.cos(math.pi * 0.03))])
    assert rate(50) == pytest.approx(0.5) and rate(99) < 0.001
    assert rate(100) == pytest.approx(0.5 * 0.25) and rate(200) == pytest.approx(0.25) and rate(299) < 0.001


def test_only_matrices_decay(make: Any) -> None:
    trainer = make()
    decayed, plain = (group["params"] for group in trainer._groups())
    names = {id(p): n for part in (trainer.model, trainer.criterion) for n, p in part.named_parameters()}
    assert all(p.ndim >= 2 for p in decayed)
    kept = {names[id(p)].split(".")[-1] for p in plain}
    assert {"A_log", "D", "place", "time", "bias", "nobody", "log_sharpness"} <= kept
    trained = [p for part in (trainer.model, trainer.criterion) for p in part.parameters() if p.requires_grad]
    assert len(decayed) + len(plain) == len(trained) == len({id(p) for p in decayed + plain})


def test_averaged_weights() -> None:
    model = torch.nn.Linear(2, 1)
    model.bias.requires_grad_(False)
    ema = Ema(model, decay=0.9)
    start = model.weight.detach().clone()
    with torch.no_grad():
        model.weight += 11
    ema.update(model)
    assert set(ema.values) == {"weight"}
    decay = 2 / 11  # faster over the first steps
    torch.testing.assert_close(ema.values["weight"], start + 11 * (1 - decay))
    now, averaged = model.weight.detach().clone(), ema.values["weight"].clone()
    ema.swap(model)
    assert torch.equal(model.weight, averaged) and torch.equal(ema.values["weight"], now)
    ema.swap(model)
    assert torch.equal(model.weight, now) and torch.equal(ema.values["weight"], averaged)
    ema.steps = 10_000
    ema.update(model)
    torch.testing.assert_close(ema.values["weight"], averaged * 0.9 + now * 0.1)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    return path


def test_configs_are_read_with_overrides(tmp_path: Path) -> None:
    path = write(tmp_path, "epochs: 3\nmodel:\n  width: 64\n")
    config = read_train_config(
        path, ["batch_clips=5", "model.layers=1", "loss.choose=0.5", "minutes=null", "name=a=b", "val_clips=7"]
    )
    assert (config.epochs, config.batch_clips, config.minutes, config.name, config.val_clips) == (3, 5, None, "a=b", 7)
    assert config.model == ModelConfig(width=64, layers=1) and config.loss == LossWeights(choose=0.5)
    assert read_train_config(write(tmp_path, ""), []) == TrainConfig()
    assert json.loads(json.dumps(config.to_dict()))["model"]["width"] == 64


@pytest.mark.parametrize(
    ("text", "overrides", "said"),
    [
        ("epoch: 3", [], "unknown keys.*'epoch'.*TrainConfig.*epochs"),
        ("model: {depth: 3}", [], "unknown keys.*'depth'.*ModelConfig"),
        ("", ["loss.chose=1"], "unknown keys.*'chose'.*LossWeights"),
        ("", ["epochs"], "'epochs' is no key=value"),
        ("", ["seed.x=1", "seed.y=2"], "TrainConfig|seed"),
        ("learning_rate: 6e-4", [], "learning_rate is '6e-4'; expected float; YAML reads 1.0e-3 as a number"),
        ("epochs: true", [], "epochs is True; expected float"),
        ("batch_clips: 2.5", [], "batch_clips is 2.5; expected int"),
        ("model: {levels: [scene, words]}", [], "levels is .*'words'.*; expected 'scene' or 'keyword' or 'sentence'"),
        ("model: 3", [], "3 is no ModelConfig"),
        ("- epochs", [], "is no config"),
        ("a: [", [], "cannot be read as a config"),
    ],
)
def test_unknown_keys_are_refused(tmp_path: Path, text: str, overrides: list[str], said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_train_config(write(tmp_path, text), overrides)


@pytest.mark.parametrize(
    "path", sorted(set(CONFIGS.glob("*.yaml")) - {CONFIGS / "ablation.yaml"}), ids=lambda path: path.name
)
def test_the_configs_of_the_repository_are_valid(path: Path) -> None:
    config = read_train_config(path, [])
    for field in dataclasses.fields(TrainConfig):
        value, default = getattr(config, field.name), getattr(TrainConfig(), field.name)
        assert isinstance(value, int | float | str | ModelConfig | LossWeights | None)
        if default is not None:
            assert isinstance(value, str) == isinstance(default, str), field.name  # "6e-4" is a string in YAML
    assert np.isfinite(config.learning_rate)


def test_a_run_may_begin_with_the_weights_of_another(make: Any, tmp_path: Path) -> None:
    first = make("first")
    save_checkpoint(first.model, tmp_path / "start", {"name": "start", "trained_on": "paint"})
    second = make("second", start=str(tmp_path / "start"), seed=1)
    anew = make("anew", seed=1)
    for name, value in second.model.named_parameters():
        torch.testing.assert_close(value.half(), dict(first.model.named_parameters())[name].half())
    assert any(not torch.equal(a, b) for a, b in zip(anew.model.parameters(), first.model.parameters(), strict=True))
    assert second.trained_before == ", after paint"
    with pytest.raises(DataError, match="other sizes"):
        make("third", start=str(tmp_path / "start"), model=dataclasses.replace(SMALL, layers=SMALL.layers + 1))
