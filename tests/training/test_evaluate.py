"""Evaluation and its controls on made-up answers, and on a few painted clips."""

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from test_cache import SMALL, painted

from refatomnet.checkpoint import encoder_state, save_checkpoint
from refatomnet.model import RavarModel
from refatomnet.records import Record, read_records
from refatomnet.text import MiniLM
from training import evaluate
from training.data.records import write_records
from training.evaluate import (
    VARIANTS,
    Answers,
    ask_all,
    other_sentences,
    prior_only,
    questions_from_videos,
    report,
    score,
)


def record(
    clip: int, person: int | None, *, actions: tuple[int, ...] = (12,), fps: float = 3.0, key: int = 4
) -> Record:
    here = person is not None
    return Record(
        f"v{clip}", 902, str(person) if here else "absent0", "test", f"clip {clip} person {person}",
        actions if here else (), (0.1 + 0.2 * person, 0.2, 0.25 + 0.2 * person, 0.9) if here else None,
        f"clips/{clip}.mp4", key, fps, {"kind": "clothes" if person == 0 else "place"},
    )  # fmt: skip


def fake_answers(*, clips: int = 12, seed: int = 0) -> Answers:
    """Two people and a sentence for nobody in every clip; right for their own sentence, random for the controls."""
    rng = np.random.default_rng(seed)
    actions = [(12, 80), (14,), (11, 12)]
    records = [record(c, p, actions=actions[(c + (p or 0)) % 3]) for c in range(clips) for p in (0, 1, None)]
    count = len(records)
    labels = np.zeros((count, 80))
    for row, entry in enumerate(records):
        labels[row, np.array(entry.actions, dtype=int) - 1] = 1
    present = np.array([entry.box_xyxy is not None for entry in records])
    boxes = np.array([entry.box_xyxy or (0.4, 0.4, 0.6, 0.6) for entry in records], dtype=np.float32)
    wrong = np.tile(np.float32([0.7, 0.1, 0.9, 0.2]), (count, 1))
    noise = rng.normal(size=(2, count, 80))
    return Answers(
        records,
        np.repeat(np.arange(clips), 3),
        {"own": boxes, "shuffled_sentence": wrong, "wrong_person": wrong},
        {"own": 8 * labels - 4, "shuffled_sentence": noise[0], "wrong_person": noise[1]},
        {"own": np.where(present, 2.0, -2.0), "shuffled_sentence": noise[0, :, 0], "wrong_person": noise[1, :, 0]},
    )


# ---- controls -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(5))
def test_sentences_of_the_controls(seed: int) -> None:
    records = [record(c, p) for c in range(6) for p in (0, 1, 2, None)][:-1]
    others = other_sentences(records, seed=seed)
    assert set(others) == set(VARIANTS) and all(len(texts) == len(records) for texts in others.values())
    assert others["own"] == [entry.sentence for entry in records]
    for entry, shuffled, wrong in zip(records, others["shuffled_sentence"], others["wrong_person"], strict=True):
        clip = entry.sentence.split(" person ")[0]
        assert not shuffled.startswith(clip) and shuffled
        assert wrong.startswith(clip) and wrong != entry.sentence and not wrong.endswith("None")
    assert other_sentences(records, seed=seed) == others


def test_one_who_is_alone_keeps_their_sentence() -> None:
    records = [record(0, 0), record(1, 1), record(1, 0)]
    others = other_sentences(records)
    assert others["wrong_person"] == [records[0].sentence, records[2].sentence, records[1].sentence]
    one = other_sentences([record(0, 0), record(0, 1)])  # no other clip at all: still a sentence
    assert all(one["shuffled_sentence"])


def test_most_of_one_clip_still_gets_another_clips_sentence() -> None:
    records = [record(0, p) for p in (0, 1, 2)] + [record(1, 0)]
    assert other_sentences(records)["shuffled_sentence"][:3] == [records[3].sentence] * 3


def test_prior_only_knows_nothing() -> None:
    answers = fake_answers()
    prior = np.linspace(0, 1, 80)
    found = prior_only(answers, prior)
    assert set(found) == {"miou", "acc_iou50", "map_weighted", "map_macro", "auroc_weighted", "auroc_macro"}
    assert found["auroc_macro"] == 0.5  # constant scores
    # A class's precision is then how often it is true, among the records of people who are there.
    truth = np.array([[a in r.actions for a in (11, 12, 14, 80)] for r in answers.records if r.box_xyxy])
    assert found["map_macro"] == pytest.approx(truth.mean(0).mean())
    middle = np.array([0.35, 0.2, 0.65, 0.9])  # shares 0.1 with the second person, and nothing with the first
    second = 0.1 * 0.7 / (0.3 * 0.7 + 0.15 * 0.7 - 0.1 * 0.7)
    assert middle[2] > middle[0] and found["miou"] == pytest.approx(second / 2, rel=1e-4)


# ---- scores -------------------------------------------------------------------------------------------------------
def test_perfect_answers_score_one() -> None:
    found = score(fake_answers())
    assert set(found) >= {"miou", "acc_iou50", "map_weighted", "map_macro", "auroc_weighted", "auroc_macro"}
    assert all(value == pytest.approx(1.0) for value in found.values())


def test_absent_people_count_for_presence_only() -> None:
    answers = fake_answers()
    absent = np.array([entry.box_xyxy is None for entry in answers.records])
    answers.boxes["own"][absent] = 0.0
    answers.actions["own"][absent] = 99.0
    assert score(answers)["miou"] == pytest.approx(1.0) and score(answers)["map_macro"] == pytest.approx(1.0)
    answers.presence["own"][absent] = 5.0
    assert score(answers)["presence_auroc"] == 0


def test_clips_without_anybody_have_no_scores() -> None:
    answers = fake_answers()
    absent = np.flatnonzero([entry.box_xyxy is None for entry in answers.records])
    assert all(math.isnan(value) for value in evaluate.score_rows(answers, "own", absent).values())


def test_frame_map_asks_for_each_person_once() -> None:
    answers = fake_answers()
    assert evaluate.frame_map(answers) == pytest.approx(1.0)
    # The same people described again, after all others, and boxed wrong: only their first sentences count.
    twice = Answers(
        answers.records * 2,
        np.tile(answers.clips, 2),
        {"own": np.concatenate([answers.boxes["own"], np.zeros_like(answers.boxes["own"])])},
        {"own": np.tile(answers.actions["own"], (2, 1)) + 1},
        {"own": np.tile(answers.presence["own"], 2)},
    )
    assert evaluate.frame_map(twice) == pytest.approx(1.0)
    # The first, one of 8 who listen and of 16 who stand, is boxed wrong and ranks first: precisions are (n - 1) / n.
    answers.boxes["own"][0] = 0
    assert evaluate.frame_map(answers) == pytest.approx(((7 / 8) ** 2 + (15 / 16) ** 2 + 1 + 1) / 4)


# ---- look-alikes and misses ---------------------------------------------------------------------------------------
def answers_of(actions: list[tuple[int, ...]], logits: np.ndarray) -> Answers:
    """As many clips of one person, boxed right."""
    records = [record(i, 0, actions=own) for i, own in enumerate(actions)]
    boxes = np.array([entry.box_xyxy for entry in records], np.float32)
    return Answers(records, np.arange(len(records)), {"own": boxes}, {"own": logits}, {"own": np.zeros(len(records))})


def test_look_alikes_are_told_apart_by_the_lead_of_one_score_over_the_other() -> None:
    actions = [(12,)] * 20 + [(80,)] * 20 + [(12, 80)] * 20 + [(14,)] * 20 + [(11,)] * 19
    logits = np.zeros((len(actions), 80))
    logits[:20, 11], logits[20:40, 79] = 1.0, 1.0
    logits[:5, 11] = -2.0  # a quarter of those who stand lag behind all who watch; who does both counts for neither
    logits[40:60, 11] = -9.0
    logits[60:80, 13] = 0.5
    found = evaluate.look_alikes(answers_of(actions, logits))
    assert [pair["actions"] for pair in found] == [[12, 14], [12, 80], [14, 80]], "19 who sit are too few"
    second, first, third = found
    assert first["names"] == ["stand", "watch (a person)"] and first["records"] == [20, 20]
    assert first["told_apart"] == 0.75
    # Leads of standing over walking: -2 five times, 1 fifteen times, -9 twenty times; of those who walk -0.5.
    assert second["told_apart"] == 15 / 40 and second["records"] == [40, 20]
    assert third["told_apart"] == 1.0 and third["records"] == [20, 40]


def test_ties_are_half_told_apart_and_wrong_boxes_do_not_count() -> None:
    answers = answers_of([(12,)] * 20 + [(80,)] * 20, np.zeros((40, 80)))
    assert [pair["told_apart"] for pair in evaluate.look_alikes(answers)] == [0.5]
    answers.actions["own"][:, 11] += 100 * np.arange(40)  # frequency and scale of a score alone tell nothing of pairs
    answers.boxes["own"][0] = 0
    assert evaluate.look_alikes(answers) == [], "19 of those who stand are boxed right"


def test_misses_are_the_surest_wrong_boxes_one_a_clip() -> None:
    answers = fake_answers()
    assert evaluate.misses(answers, np.ones(36)) == []
    answers.boxes["own"][[0, 1, 3, 33]] = 0.0
    answers.boxes["own"][2] = 0.0  # somebody absent
    answers.boxes["own"][6, 2] -= 0.08  # less than half of the box is left
    presence = np.full(36, 0.5)
    presence[[1, 2, 6, 33]] = 0.6, 1.0, 0.9, 0.7
    found = evaluate.misses(answers, presence)
    told = [(miss["clip"], miss["presence"]) for miss in found]
    assert told == [("clips/11.mp4", 0.7), ("clips/0.mp4", 0.6), ("clips/1.mp4", 0.5), ("clips/2.mp4", 0.9)]
    assert found[1]["person_id"] == "1" and found[1]["answered_xyxy"] == [0, 0, 0, 0] and found[1]["iou"] == 0
    assert found[3]["iou"] == pytest.approx(0.07 / 0.15, rel=1e-3)
    many = fake_answers(clips=20)
    many.boxes["own"][:] = 0
    assert len(evaluate.misses(many, np.ones(60))) == evaluate.SHOWN_MISSES


@pytest.fixture
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    real = evaluate.bootstrap
    monkeypatch.setattr(evaluate, "bootstrap", lambda *arguments: real(*arguments, times=8))


@pytest.mark.usefixtures("few_draws")
def test_a_report_has_all_the_contract_asks_for() -> None:
    answers = fake_answers(clips=36)  # some classes with 20 positives
    straight = {"scale": 1.0, "bias": 0.0}
    found = report(answers, {"actions": straight, "presence": straight, "threshold": 0.5}, controls=True)
    scores = {"miou", "acc_iou50", "map_weighted", "map_macro", "auroc_weighted", "auroc_macro", "presence_auroc"}
    assert {"records", "per_class", "ci95", "controls", *scores} <= set(found)
    assert found["records"] == 108 and found["present"] == 72
    assert set(found["controls"]) == {"prior_only", "shuffled_sentence", "wrong_person"}
    assert set(found["ci95"]) == scores
    assert all(low <= found[name] + 1e-9 and found[name] <= high + 1e-9 for name, (low, high) in found["ci95"].items())
    assert set(found["per_class"]) == {"11", "12", "14", "80"} and found["per_class"]["12"]["name"] == "stand"
    support = sum(entry["support"] for entry in found["per_class"].values())
    assert support == sum(len(entry.actions) for entry in answers.records)
    assert found["controls"]["wrong_person"]["miou"] == 0 and found["controls"]["shuffled_sentence"]["acc_iou50"] == 0
    assert found["by_kind"] == {k: {"records": 36, "acc_iou50": 1.0} for k in ("clothes", "place")}
    assert found["presence_accuracy"] == 1.0 and 0 < found["ece"] < 0.03
    assert {tuple(pair["actions"]) for pair in found["look_alikes"]} == {(11, 14), (11, 80), (12, 14), (14, 80)}
    assert found["misses"] == []
    text = json.dumps(found, allow_nan=False)
    assert json.loads(text)["records"] == 108
    assert "controls" not in report(answers, None, controls=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return painted(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def model() -> RavarModel:
    torch.manual_seed(0)
    model = RavarModel(SMALL)
    model.encoder.load_state_dict(encoder_state())
    return model.train()


def test_videos_are_asked_about_once_each_and_in_step(data: Path, model: RavarModel) -> None:
    records = read_records(data / "train.jsonl")
    records = records[::2] + records[1::2]  # the records of a clip lie apart
    sentences = other_sentences(records)
    questions = questions_from_videos(model, data, records, sentences)
    assert len(questions) == 4 and sum(len(q.records) for q in questions) == len(records)
    by_name = {(r.clip, r.person_id): sentences["wrong_person"][i] for i, r in enumerate(records)}
    for question in questions:
        assert len({r.clip for r in question.records}) == 1
        assert question.sentences["own"] == [r.sentence for r in question.records]
        assert question.sentences["wrong_person"] == [by_name[r.clip, r.person_id] for r in question.records]
        views, _ = question.load()
        assert len(views) == 2
        assert all(v.fine.shape == (1, 8, 68, 12, 20) and v.middle.shape[:2] == (1, 8) for v in views)
    embed = MiniLM()
    answers = ask_all(model, questions, embed)
    assert not model.training  # no dropout while measuring
    assert sorted(r.sentence for r in answers.records) == sorted(r.sentence for r in records)  # each once, none dropped
    assert answers.clips.tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    for variant in VARIANTS:
        assert answers.boxes[variant].shape == (12, 4) and answers.actions[variant].shape == (12, 80)
        assert (answers.boxes[variant] >= 0).all() and (answers.boxes[variant] <= 1).all()
    # One by one, each record's answer is the same: nothing slipped a row.
    second = questions[1]
    for i, text in enumerate(second.sentences["wrong_person"]):
        with torch.inference_mode():
            output = model(model.encode(*second.load()[0]), embed([text]))
        row = 3 + i
        np.testing.assert_allclose(answers.actions["wrong_person"][row], output.actions[0].numpy(), atol=1e-4)
        np.testing.assert_allclose(answers.presence["wrong_person"][row], output.presence[0].numpy(), atol=1e-4)


@pytest.mark.usefixtures("few_draws")
def test_the_command_writes_the_contract(
    data: Path, model: RavarModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    straight = {"scale": 1.0, "bias": 0.0}
    card = {"name": "fresh", "calibration": {"actions": straight, "presence": straight, "threshold": 0.5}}
    save_checkpoint(model, tmp_path / "fresh", card)
    out = tmp_path / "out.json"
    arguments = ["evaluate", "--data", str(data), "--split", "val", "--checkpoint", str(tmp_path / "fresh")]
    monkeypatch.setattr("sys.argv", [*arguments, "--json", str(out), "--controls", "--limit", "6"])
    assert evaluate.main() == 0
    found = json.loads(out.read_text())
    assert found == json.loads(capsys.readouterr().out) and found["records"] == 6
    assert found["checkpoint"] == "fresh" and found["data"] == "openravar/val"
    assert found["weights"] == hashlib.sha256((tmp_path / "fresh/model.safetensors").read_bytes()).hexdigest()
    assert found["command"].startswith("python -m training.evaluate --data")
    assert 0 <= found["miou"] <= 1 and not math.isnan(found["map_macro"])
    monkeypatch.setattr("sys.argv", [*arguments, "--json", str(out / "under a file.json"), "--limit", "6"])
    assert evaluate.main() == 2  # after all the work, which is shown at least
    assert json.loads(capsys.readouterr().out)["miou"] == found["miou"]


def test_what_carries_no_trained_model_is_one_line(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("sys.argv", ["evaluate", "--data", str(data), "--split", "val", "--checkpoint", "zero-shot"])
    assert evaluate.main() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "error: zero-shot has no trained model to measure; training.references asks it about clips"


def test_a_data_set_that_is_not_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("sys.argv", ["evaluate", "--data", str(tmp_path), "--split", "val"])
    assert evaluate.main() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and "has no split 'val'" in line


@pytest.mark.parametrize(
    ("more", "message"), [(["--limit", "0"], "--limit must be at least 1"), (["--limit", "1"], "nothing to measure")]
)
def test_nothing_to_measure_is_one_line(
    more: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    write_records(tmp_path / "val.jsonl", [record(0, None), record(0, 1)])
    monkeypatch.setattr("sys.argv", ["evaluate", "--data", str(tmp_path), "--split", "val", *more])
    assert evaluate.main() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and message in line
