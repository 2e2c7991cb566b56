"""The training loop on a few painted clips: what a step learns, resuming, averaging, and refusing."""

import dataclasses
import json
import math
import shlex
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from accelerate.state import AcceleratorState
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from test_cache import KEY, SMALL, ThreadContext, paint_split, painted

from refatomnet.checkpoint import load_checkpoint, save_checkpoint
from refatomnet.config import ModelConfig
from refatomnet.encoders import Features
from refatomnet.errors import DataError
from refatomnet.fusion import Candidates
from refatomnet.records import read_records
from training import cache as cache_module
from training import train
from training import trainer as trainer_module
from training.cache import build, cache_folder
from training.config import TrainConfig, read_train_config
from training.criterion import LossWeights
from training.data.examples import Batch
from training.data.records import write_records
from training.evaluate import ask_all
from training.trainer import Ema, Trainer

# Without chance in a step.
CERTAIN: dict[str, Any] = {"model": dataclasses.replace(SMALL, dropout=0.0, looks=False), "true_share": 0.0}
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
def fresh_state(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Accelerate keeps its device and precision for a whole process; each test has its own, on the CPU."""
    monkeypatch.setenv("ACCELERATE_USE_CPU", "1")
    AcceleratorState._reset_state(True)
    yield
    AcceleratorState._reset_state(True)


@pytest.fixture
def make(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, fresh_state: None
) -> Any:
    data = painted(tmp_path_factory.getbasetemp())
    monkeypatch.setattr(trainer_module, "build", lambda data, split, config, **_: cache_folder(data, split, config))
    common = {"data": str(data), "batch_clips": 2, "sentences": 2, "epochs": 2.0, "threads": 1, "model": SMALL}
    common |= {"warmup_steps": 2, "evaluate_every": 1000, "save_every": 1000}

    def make_trainer(name: str = "run", **change: Any) -> Recorder:
        return Recorder(TrainConfig(**{**common, "run": str(tmp_path / name), **change}))

    return make_trainer


@pytest.mark.parametrize("passes", [{"epochs": 2.0}, {"epochs": 0.5, "choice_epochs": 1.5}])
def test_a_resumed_run_goes_on_as_if_never_stopped(make: Any, passes: dict[str, float]) -> None:
    whole = make("whole", **passes)
    assert whole.total_steps == 4
    whole.fit()
    first = make("halves", **passes)
    first.begin(resume=False)
    for batch in first._prefetched():
        first._train_step(batch)
        first.step += 1
        if first.step == 2:
            break
    first.save()
    second = make("halves", **passes)
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
    assert not model.training and card["training"] == {"seed": 0, "steps": 4, "still_epochs": 0.0, **passes}
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


def test_still_epochs_pass_over_a_set_of_their_own(make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paint_split(tmp_path / "stills", "train", 6)
    with monkeypatch.context() as patch:
        patch.setattr(cache_module, "multiprocessing", SimpleNamespace(get_context=lambda kind: ThreadContext))
        patch.setattr(trainer_module, "build", partial(build, workers=1))
        trainer = make(stills=str(tmp_path / "stills"), still_epochs=1.0, epochs=1.0, name="both")
        alone = make(stills=str(tmp_path / "stills"), still_epochs=1.0, epochs=0.0, name="alone")
    assert trainer.ends == {"looks": 0, "stills": 3, "clips": 5, "choice": 5} and trainer.total_steps == 5
    seen = [parts[0] for parts in trainer._prefetched() if [setattr(trainer, "step", trainer.step + 1)]]
    assert [batch.key for batch in seen] == [0, 0, 0, KEY, KEY]
    assert [batch.people_xyxy.shape[2] for batch in seen] == [1, 1, 1, SMALL.frames, SMALL.frames]
    clips = [{words[-1] for batch in part for words in batch.text.words} for part in (seen[:3], seen[3:])]
    assert clips == [set("012345"), set("0123")], "every still once, then every clip"
    answers = ask_all(trainer.model, trainer.val_questions, trainer.val_cache.text)
    assert alone._card({}, answers)["trained_on"] == "OpenRAVAR, 6 rendered stills" and alone.total_steps == 3
    alone.trained_before = ["paint", "OpenRAVAR, 6 rendered stills", "paint"]
    assert alone._card({}, answers)["trained_on"] == "OpenRAVAR, 6 rendered stills, after paint", "each set once"
    card = trainer._card({}, answers)
    assert card["data"] == {"name": "OpenRAVAR", "split": "train", "clips": 4, "stills": 6}
    assert card["trained_on"] == "OpenRAVAR, 4 rendered clips and 6 rendered stills"


def test_every_step_draws_anew_and_by_its_number_alone(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, seeds = make(epochs=10.0), []
    seed = torch.manual_seed
    monkeypatch.setattr(torch, "manual_seed", lambda number: seeds.append(number) or seed(number))

    def drawn(step: int) -> dict[str, list[str]]:
        """Sentences about each clip, in the order drawn."""
        said = [" ".join(words) for words in trainer._batches(step)[0].text.words]
        return {sentence.split()[-1]: [s for s in said if s[-1] == sentence[-1]] for sentence in said}

    epochs = [{**drawn(step), **drawn(step + 1)} for step in range(0, 20, 2)]
    for clip in "0123":
        assert len({tuple(epoch[clip]) for epoch in epochs}) > 2
    assert {**drawn(6), **drawn(7)} == epochs[3]
    for step in (0, 1, 0):
        trainer.step = step
        trainer._train_step(trainer._batches(step))
    assert seeds[0] == seeds[2] != seeds[1]


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


def gradients(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: p.grad.clone() for name, p in trainer.run_step.named_parameters() if p.grad is not None}


def test_the_gradient_of_a_step_is_the_mean_of_its_parts(make: Any) -> None:
    trainer = make(batch_clips=4, accumulate=2, clip_norm=1e9, **CERTAIN)
    parts = trainer._batches(0)
    assert [len(part.people_xyxy) for part in parts] == [2, 2]
    trainer.run_step.train()
    by_part, losses = [], []
    for part in parts:
        trainer.optimizer.zero_grad()
        loss = trainer.run_step(part, 0.0)
        loss["total"].backward()
        by_part.append(gradients(trainer))
        losses.append({name: float(value.detach()) for name, value in loss.items()})
    logged = trainer._train_step(parts)
    found = gradients(trainer)
    assert found.keys() == by_part[0].keys() | by_part[1].keys()
    for name, value in found.items():
        mean = sum(part.get(name, torch.zeros(())) for part in by_part) / 2
        torch.testing.assert_close(value, mean, atol=1e-6, rtol=1e-4, msg=name)
    assert any(not torch.allclose(value, by_part[1][name], rtol=0.1) for name, value in found.items())
    for name in losses[0]:
        assert logged[name] == pytest.approx((losses[0][name] + losses[1][name]) / 2, rel=1e-5), name


def test_a_batch_is_shared_out_among_parts_without_rest(make: Any) -> None:
    trainer = make(batch_clips=4, accumulate=2)
    clips = [set(part.text.words[0][-1:] + part.text.words[2][-1:]) for part in trainer._batches(0)]
    assert clips[0] | clips[1] == {"0", "1", "2", "3"} and not clips[0] & clips[1]
    with pytest.raises(DataError, match="batch_clips is 2; it must be a multiple of 3, processes × accumulate"):
        make("odd", accumulate=3)
    with pytest.raises(DataError, match="4 training clips with features in .*; a batch needs 6"):
        make("large", batch_clips=6)


def test_half_precision_learns_nearly_the_same(make: Any) -> None:
    full = make("full", **CERTAIN)
    full.fit()
    AcceleratorState._reset_state(True)
    half = make("half", precision="bf16", **CERTAIN)
    half.fit()
    assert half.accelerator.mixed_precision == "bf16" and half.step == 4
    assert all(p.dtype == torch.float32 for p in half.model.parameters())
    for expected, found in zip(full.losses, half.losses, strict=True):
        assert all(np.isfinite(value) for value in found.values())
        assert found["total"] == pytest.approx(expected["total"], rel=0.05)
    first = {name: abs(value - full.losses[0][name]) for name, value in half.losses[0].items()}
    assert max(first.values()) > 1e-4  # it was in less


def test_every_part_of_the_loss_is_a_switch(make: Any) -> None:
    trainer = make(**CERTAIN)
    (batch,) = trainer._batches(0)
    with torch.no_grad():
        whole = trainer.run_step(batch, 0.0)
    names = set(whole) - {"total"}
    unused = {"presence", "place", "place_box", "look", "look_action", "look_joint"}  # of other models
    assert names == {field.name for field in dataclasses.fields(LossWeights)} - unused
    for name in sorted(names):
        trainer.criterion.weights = LossWeights(**{name: 0.0})
        with torch.no_grad():
            rest = trainer.run_step(batch, 0.0)
        assert set(rest) == set(whole) - {name}
        assert float(rest["total"]) == pytest.approx(float(whole["total"] - whole[name]), rel=1e-4, abs=1e-5)


def test_the_frozen_encoder_stays_as_it_measures(make: Any) -> None:
    trainer = make()
    frozen = set(trainer.model.encoder.modules())
    for learn in (trainer.run_step.train, trainer.model.train):
        trainer.model.eval()
        learn()
        assert not any(module.training for module in frozen)
        assert all(module.training for module in trainer.model.modules() if module not in frozen)
    trainer._train_step(trainer._batches(0))
    assert not any(module.training for module in frozen) and trainer.model.training


def test_the_optimiser_decays_what_should_decay(make: Any) -> None:
    trainer = make(weight_decay=0.5, learning_rate=0.1)
    before = {name: p.detach().clone() for name, p in trainer.run_step.named_parameters()}
    for p in trainer.run_step.parameters():
        p.grad = torch.zeros_like(p) if p.requires_grad else None
    trainer.optimizer.step()
    shrunk = set()
    for name, p in trainer.run_step.named_parameters():
        if not torch.equal(p, before[name]):
            torch.testing.assert_close(p.detach(), before[name] * 0.95)
            shrunk.add(name)
    matrices = {n for n, p in trainer.run_step.named_parameters() if p.requires_grad and p.ndim >= 2}
    assert shrunk == {n for n in matrices if not n.endswith(("A_log", "place", "time")) and before[n].any()}


def test_the_averaged_weights_are_what_is_measured(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make(evaluate_every=3)
    measured = []
    real = trainer_module.ask_all

    def watched(model: Any, *more: Any) -> Any:
        measured.append(({n: p.clone() for n, p in model.named_parameters()}, dict(trainer.ema.values)))
        return real(model, *more)

    averaged = {}
    update = Ema.update

    def kept(ema: Ema, model: Any) -> None:
        update(ema, model)
        averaged[ema.steps] = {name: value.clone() for name, value in ema.values.items()}

    monkeypatch.setattr(trainer_module, "ask_all", watched)
    monkeypatch.setattr(Ema, "update", kept)
    trainer.fit()
    assert len(measured) == 2 and sorted(averaged) == [1, 2, 3, 4]
    for (weights, _), step in zip(measured, (3, 4), strict=True):
        assert all(torch.equal(weights[name], value) for name, value in averaged[step].items())
    assert any(not torch.equal(p, averaged[4][n]) for n, p in trainer.model.named_parameters() if n in averaged[4])
    state = torch.load(trainer.folder / "state.pt", weights_only=True)
    assert state["ema"]["steps"] == 4
    assert all(torch.equal(value, averaged[4][name]) for name, value in state["ema"]["values"].items())


def test_all_that_is_learnt_and_measured_is_in_tensorboard(make: Any) -> None:
    trainer = make()
    trainer.fit()
    events = EventAccumulator(str(trainer.folder / "events")).Reload()
    shown = {tag: {e.step: e.value for e in events.Scalars(tag)} for tag in events.Tags()["scalars"]}
    assert {tag for tag in shown if tag.startswith("loss/")} == {f"loss/{name}" for name in trainer.losses[0]}
    for name, value in trainer.losses[0].items():
        assert shown[f"loss/{name}"] == {1: pytest.approx(value, rel=1e-5)}
    scores = load_checkpoint(trainer.folder / "best")[1]["scores"]["val"]
    assert {tag for tag in shown if tag.startswith("val/")} == {f"val/{name}" for name in scores}
    for name, value in scores.items():
        assert shown[f"val/{name}"] == {4: pytest.approx(value, rel=1e-5, nan_ok=True)}
    assert set(shown) - {tag for tag in shown if "/" in tag} == {"learning_rate"}


# ---- where a run ends, and who may go on with it ------------------------------------------------------------------
def test_a_run_that_gets_no_better_stops_for_good(make: Any) -> None:
    still = {"learning_rate": 0.0, "evaluate_every": 1, "epochs": 5.0}  # every look at val finds the same
    trainer = make(patience=2, **still)
    trainer.begin(resume=False)
    trainer.fit()
    assert (trainer.step, trainer.stale, trainer.total_steps) == (3, 2, 10) and trainer.finished
    again = make(patience=2, **still)
    assert not again.finished
    again.begin(resume=True)
    assert again.finished and again.best == trainer.best
    patient = make("patient", **still)
    patient.fit()
    assert patient.step == 10 and patient.finished


def test_a_run_folder_is_taken_once(make: Any) -> None:
    first = make(minutes=0.0)
    first.begin(resume=False)
    first.fit()
    assert first.step == 1 and not first.finished
    with pytest.raises(DataError, match="holds a run already; give --resume to go on with it, or another run=FOLDER"):
        make().begin(resume=False)
    second = make(minutes=None, save_every=1)  # how long, and how often it is kept, may change
    second.begin(resume=True)
    assert second.step == 1
    second.fit()
    assert second.finished
    assert json.loads((second.folder / "config.json").read_text())["minutes"] is None
    anew = make("another")
    anew.begin(resume=True)  # nothing there to go on with
    assert anew.step == 0


def test_other_settings_cannot_go_on_with_a_run(make: Any) -> None:
    first = make(minutes=0.0)
    first.begin(resume=False)
    first.fit()
    kept = (first.folder / "config.json").read_text()
    changes = {"seed": 1, "loss": LossWeights(rank=0.0), "model": dataclasses.replace(SMALL, dropout=0.2)}
    with pytest.raises(DataError, match="was trained with other loss, model, seed; resume with the same settings"):
        make(**changes).begin(resume=True)
    assert (first.folder / "config.json").read_text() == kept
    old = json.loads(kept)
    del old["mirror"]  # of a version that did not know it yet
    (first.folder / "config.json").write_text(json.dumps(old))
    with pytest.raises(DataError, match="was trained with other mirror;"):
        make(mirror=0.5).begin(resume=True)


def test_the_command_leaves_the_resolved_config_and_the_evaluation(
    make: Any, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    settings = make("unused").config.to_dict() | {"run": str(tmp_path / "run"), "learning_rate": 1e-3}
    path = tmp_path / "run.yaml"
    given = {key: value for key, value in settings.items() if value != TrainConfig().to_dict()[key]}
    path.write_text(yaml.safe_dump(given))
    more = ["name=other", "loss.rank=0", "epochs=0.5"]
    assert train.main([str(path), *more]) == 0
    resolved = json.loads((tmp_path / "run" / "config.json").read_text())
    loss = {**settings["loss"], "rank": 0.0}
    assert resolved == settings | {"name": "other", "loss": loss, "epochs": 0.5}
    assert read_train_config(tmp_path / "run" / "config.json", []).to_dict() == resolved  # JSON is YAML too
    found = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert found["checkpoint"] == "other" and found["records"] == 9
    assert shlex.split(found["command"])[-2:] == ["--checkpoint", str(tmp_path / "run" / "best")]
    assert train.main([str(path), *more]) == 2
    assert "holds a run already" in capsys.readouterr().err.splitlines()[-1]
    assert train.main([str(path), *more, "los.rank=1"]) == 2
    assert "unknown keys ['los']" in capsys.readouterr().err.splitlines()[-1]


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
        stored = trainer.val_cache.frames(question.records[0].moment)
        assert torch.equal(question.load()[0][0].deep[0], stored["deep"])
    assert len(make("few", val_clips=1).val_questions) == 1


def test_rate_warms_up_and_falls_to_zero_over_stills_and_again_over_clips(make: Any) -> None:
    trainer = make(warmup_steps=4)
    trainer.ends = {"looks": 0, "stills": 100, "clips": 300}

    def rate(step: int) -> float:
        trainer.step = step
        return trainer._rate()

    assert [rate(step) for step in range(4)] == pytest.approx([0.25, 0.5, 0.75, 0.5 * (1 + math.cos(math.pi * 0.03))])
    assert rate(50) == pytest.approx(0.5) and rate(99) < 0.001
    assert rate(100) == pytest.approx(0.5 * 0.25) and rate(200) == pytest.approx(0.25) and rate(299) < 0.001
    trainer.ends = {"looks": 100, "stills": 100, "clips": 300}
    assert rate(50) == pytest.approx(0.5) and rate(200) == pytest.approx(0.5), "over looks, and over clips in full"


def test_everybody_is_looked_at_alone_first(make: Any) -> None:
    trainer = make(look_epochs=2.0, still_epochs=1.0, epochs=1.0)
    assert trainer.ends == {"looks": 4, "stills": 6, "clips": 8, "choice": 8}
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    (batch,) = trainer._batches(1)
    assert len(batch.person) == len(batch.people_real) == 2 and batch.key == KEY  # what moves is looked at, too
    parts = trainer._train_step([batch])
    assert set(parts) == {"look", "look_action", "look_joint", "total", "grad_norm"} and parts["look"] > 0
    assert parts["look_action"] > 0 and parts["look_joint"] == 0, "no joints are told of these"
    changed = {name for name, value in trainer.model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed and all(name.startswith("looks.") for name in changed)
    trainer.step = 4
    assert {"look", "choose", "detect"} <= trainer._train_step(trainer._batches(4)).keys()
    with pytest.raises(ValueError, match="look_epochs is 2.0, but the model has no looks"):
        make("blind", look_epochs=2.0, model=dataclasses.replace(SMALL, looks=False))
    with pytest.raises(ValueError, match="look_epochs is 2.0, but all losses of looks are 0"):
        make("idle", look_epochs=2.0, loss=LossWeights(look=0, look_action=0, look_joint=0))


def test_more_sentences_only_choose(make: Any) -> None:
    trainer = make(sentences=1, more_sentences=2)
    (batch,) = trainer._batches(0)
    assert len(batch.person) == 3 * len(batch.people_real)
    fused: list[int] = []
    trainer.model.fusion.register_forward_hook(lambda _, given, out: fused.append(len(given[-1].words)))
    parts = trainer._train_step([batch])
    assert fused == [len(batch.people_real)] and parts["choose"] > 0
    for wrong in ({"more_sentences": -1}, {"more_sentences": 1, "model": dataclasses.replace(SMALL, answer="place")}):
        with pytest.raises(ValueError, match=f"more_sentences is {wrong['more_sentences']}, and the answer"):
            make("wrong", **wrong)


def test_choosing_is_learnt_last_and_alone(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make(epochs=0.0, choice_epochs=2.0, sentences=1, more_sentences=2)
    assert trainer.ends == {"looks": 0, "stills": 0, "clips": 0, "choice": 4}
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    (batch,) = trainer._batches(0)
    assert len(batch.person) == 3 * len(batch.people_real) and isinstance(batch.features, Candidates)
    monkeypatch.setattr(trainer.model.fusion, "forward", None)  # nothing is fused
    parts = trainer._train_step([batch])
    assert set(parts) == {"choose", "part", "total", "grad_norm"} and parts["choose"] > 0
    changed = {name for name, value in trainer.model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed and {name.split(".")[0] for name in changed} <= {"choice", "word_proj", "sentence_proj"}
    with pytest.raises(ValueError, match="choice_epochs is 2.0, and the answer 'place'"):
        make("place", choice_epochs=2.0, model=dataclasses.replace(SMALL, answer="place"))


def test_each_clip_is_looked_at_once_for_choosing(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make(epochs=1.0, choice_epochs=3.0)
    encode, encoded = trainer.model.encode_clips, []

    def watched(features: Any, **options: Any) -> Any:
        if not options:  # not a step over whole clips
            encoded.append((trainer.step, trainer.model.training))
        return encode(features, **options)

    monkeypatch.setattr(trainer.model, "encode_clips", watched)
    monkeypatch.setattr(trainer, "_validate", lambda writer: None)
    trainer.fit()
    assert trainer.step == 8 and encoded == [(2, False)] * 2 + [(3, False)] * 2, "and not before the clips are done"
    assert "detect" in trainer.losses[1] and "detect" not in trainer.losses[2]
    features = Features.stack([trainer.train_set.features(trainer.train_set.moments[0], False)])
    trainer.model.eval()
    expected = encode(features)[0].candidates
    found = trainer._candidates[trainer.train_set.moments[0], False]
    for field in dataclasses.fields(Candidates):
        torch.testing.assert_close(getattr(found, field.name), getattr(expected, field.name)[0])


def test_a_process_chooses_in_the_same_clips_in_every_pass(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make(epochs=0.0, choice_epochs=4.0, accumulate=2)  # parts are shared out as processes are
    taken: list[list[int]] = []
    monkeypatch.setattr(trainer.train_set, "batch", lambda indices, *_, **__: taken.append(indices))
    for step in range(8):
        trainer._batches(step)
    for part in (0, 1):
        own = [i for indices in taken[part::2] for i in indices]
        assert {i % 2 for i in own} == {part} and sorted(own) == sorted(4 * [part, part + 2]), "all of them, each pass"
    assert len({str(taken[i : i + 4]) for i in range(0, 16, 4)}) > 1, "in another order"


def test_only_matrices_decay(make: Any) -> None:
    trainer = make()
    groups = trainer._groups()
    decayed = [p for group in groups if group["weight_decay"] for p in group["params"]]
    plain = [p for group in groups if not group["weight_decay"] for p in group["params"]]
    names = {id(p): n for part in (trainer.model, trainer.criterion) for n, p in part.named_parameters()}
    assert all(p.ndim >= 2 for p in decayed)
    kept = {names[id(p)].split(".")[-1] for p in plain}
    assert {"A_log", "D", "place", "time", "bias", "nobody", "log_sharpness"} <= kept
    trained = [p for part in (trainer.model, trainer.criterion) for p in part.parameters() if p.requires_grad]
    assert len(decayed) + len(plain) == len(trained) == len({id(p) for p in decayed + plain})
    slow = {names[id(p)] for group in groups if group["share"] < 1 for p in group["params"]}
    assert slow and all(name.startswith("looks.features.") for name in slow)


def test_looks_begin_with_the_weights_of_the_encoder(make: Any) -> None:
    model = make().model
    for name, value in model.looks.features.named_parameters():
        assert torch.equal(value, model.encoder.features.get_parameter(name)) and value.requires_grad


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
    assert second.trained_before == ["paint"]
    plain = dataclasses.replace(SMALL, looks=False)
    fewer = make("fewer", start=str(tmp_path / "start"), model=plain).model
    assert torch.equal(fewer.detector.box.weight.half(), first.model.detector.box.weight.half())
    save_checkpoint(fewer, tmp_path / "plain", {"name": "plain"})
    more = make("more", start=str(tmp_path / "plain"), seed=2).model  # begins anew what the other lacks
    assert torch.equal(more.detector.box.weight.half(), first.model.detector.box.weight.half())
    assert not torch.equal(more.looks.out[1].weight, first.model.looks.out[1].weight)
    fused = make("fused", start=str(tmp_path / "start"), anew="fusion branch", seed=1).model
    for name, value in fused.state_dict().items():
        if value.ndim > 1 and not name.startswith("encoder.") and not name.endswith("A_log"):
            same = torch.equal(value.half(), first.model.state_dict()[name].half())
            assert same != name.startswith(("fusion.", "branch.")), name
    with pytest.raises(DataError, match="anew names .'fuison'., which the model does not have"):
        make("mistyped", start=str(tmp_path / "start"), anew="fuison")
    with pytest.raises(DataError, match="other sizes"):
        make("third", start=str(tmp_path / "start"), model=dataclasses.replace(SMALL, width=2 * SMALL.width))


def test_a_run_that_begins_with_anothers_best_goes_on_reading_looks(make: Any) -> None:
    first = make("first")
    first.begin(resume=False)
    for value in first.criterion.attributes.parameters():
        torch.nn.init.normal_(value)  # as if learnt
    save_checkpoint(first.model, first.folder / "best", {"name": "start"})
    first.save()
    second = make("second", start=str(first.folder / "best"), seed=1)
    for name, value in first.criterion.state_dict().items():
        assert torch.equal(value, second.criterion.state_dict()[name]), name
    save_checkpoint(first.model, first.folder / "elsewhere" / "best", {"name": "start"})
    third = make("third", start=str(first.folder / "elsewhere" / "best"), seed=1)
    assert not torch.equal(*(t.criterion.attributes.heads[0].weight for t in (first, third)))


def test_a_run_may_be_the_mean_of_checkpoints(make: Any, tmp_path: Path) -> None:
    runs = make("first"), make("second", seed=1), make("third", seed=2)
    for run in runs:
        learnt = {"trained_on": "paint, 3 clips", "data": {"name": "paint", "clips": 3}}
        save_checkpoint(run.model, run.folder / "best", {"name": "one", **learnt})
    first, second, third = (str(run.folder / "best") for run in runs)
    mean = make("mean", start=first, average=f"{second} {third}", epochs=0.0)
    assert mean.total_steps == 0 and not mean.finished
    mean.begin(resume=False)
    mean.fit()
    assert mean.finished
    model, card = load_checkpoint(mean.folder / "best")
    for name, value in model.named_parameters():
        parts = torch.stack([dict(run.model.named_parameters())[name].detach() for run in runs])
        torch.testing.assert_close(value.detach(), parts.mean(0), atol=2e-3, rtol=2e-3)
        assert name.startswith("encoder.") or parts.std(0).max() == 0 or not torch.equal(value.half(), parts[0].half())
    assert card["training"]["steps"] == 0 and "threshold" in card["calibration"] and "miou" in card["scores"]["val"]
    assert {name: card[name] for name in learnt} == learnt, "a mean has learnt what its parts have"
    wide = make("wide", model=dataclasses.replace(SMALL, width=2 * SMALL.width))
    save_checkpoint(wide.model, wide.folder / "best", {"name": "wide"})
    with pytest.raises(DataError, match="wide/best has other width than what it is to be averaged with"):
        make("mixed", start=first, average=str(wide.folder / "best"), epochs=0.0)
    with pytest.raises(ValueError, match="there is no start to average with"):
        TrainConfig(average=second)
    with pytest.raises(ValueError, match="there is nothing to pass over"):
        TrainConfig(start=first, epochs=0.0)


# ---- other people's data ------------------------------------------------------------------------------------------
def test_records_alone_can_be_trained_on(make: Any, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """As RefAVA++'s: no scenes, and every sentence fits somebody, so that nothing can be learnt of absence."""
    painted_folder = painted(tmp_path_factory.getbasetemp())
    data = tmp_path / "mine"
    data.mkdir()
    (data / "clips").symlink_to(painted_folder / "clips")
    (data / "features").symlink_to(painted_folder / "features")
    for split in ("train", "val"):
        write_records(
            data / f"{split}.jsonl", [r for r in read_records(painted_folder / f"{split}.jsonl") if r.box_xyxy]
        )
    trainer = make(data=str(data))
    trainer.fit()
    assert trainer.finished and all(math.isfinite(losses["total"]) for losses in trainer.losses)
    _, card = load_checkpoint(trainer.folder / "best")
    assert card["trained_on"] == "mine, 4 clips" and card["data"]["name"] == "mine"
    assert card["calibration"]["presence"] == {"scale": 1.0, "bias": 0.0} and card["calibration"]["threshold"] == 0.5
    assert card["scores"]["val"]["presence_auroc"] is None, "JSON knows no NaN"


def test_key_frames_alone_can_be_trained_on(make: Any) -> None:
    trainer = make(still_epochs=10.0, epochs=0.0)
    trainer.fit()
    assert trainer.finished and trainer.step == 20  # a step that is logged, and the last


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("batch_clips=0", "batch_clips is 0; expected more than 0"),
        ("evaluate_every=-1", "evaluate_every is -1"),
        ("precision=fp32", "precision is 'fp32'; expected 'no' or 'bf16'"),
        ("epochs=0", "nothing to pass over: look_epochs 0.0, still_epochs 0.0, epochs 0.0"),
        ("model.width=100", "width is 100; expected a multiple of the 8 heads"),
        ("model.key_frame=9", "key_frame is 9; expected one of the frames, 0 to 7"),
        ("model.image_width=100", "the image is 100x192; expected multiples of 32"),
        ("model.levels=[scene, [1]]", "levels is"),
    ],
)
def test_values_that_make_no_sense_are_refused(tmp_path: Path, values: str, said: str) -> None:
    with pytest.raises(DataError, match=said.replace("[", r"\[")):
        read_train_config(write(tmp_path, ""), [values])


def test_a_checkpoint_that_reads_other_frames_is_no_start(make: Any, tmp_path: Path) -> None:
    save_checkpoint(make("first").model, tmp_path / "start", {"name": "start"})
    with pytest.raises(DataError, match="has frame_rate 3.0, this run 6.0; give it the same, or no start"):
        make("second", start=str(tmp_path / "start"), model=dataclasses.replace(SMALL, frame_rate=6.0))
