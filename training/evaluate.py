"""Measure a checkpoint on a data set, beside controls.

From the command line:

    python -m training.evaluate --data DIR --split test [--checkpoint C] [--json OUT.json] [--controls] [--limit N]

"test_paraphrase" is a split too, and DIR may be in RefAVA++'s form.
"""

import argparse
import json
import logging
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from refatomnet.actions import NUM_ACTIONS, action
from refatomnet.boxes import cxcywh_to_xyxy
from refatomnet.checkpoint import SHIPPED, load_checkpoint
from refatomnet.encoders import FrameFeatures
from refatomnet.errors import DataError, OptionError
from refatomnet.model import RavarModel
from refatomnet.preprocess import Letterbox, to_pixels
from refatomnet.text import TextTokens, build_text_encoder
from training.arguments import Parser, run
from training.data.clips import read_model_frames
from training.data.records import Record, write_text
from training.data.refava import read_split
from training.metrics import action_scores, average, bootstrap, box_ious, calibration_error, per_class, presence_auroc

VARIANTS = ("own", "shuffled_sentence", "wrong_person")


@dataclass(frozen=True)
class Answers:
    """What the model said about every record, for its own sentence and for the controls' sentences.

    boxes: xyxy fractions of the frame, by variant [n, 4]. actions: logits [n, 80]. presence: logits [n].
    """

    records: list[Record]
    clips: np.ndarray
    boxes: dict[str, np.ndarray]
    actions: dict[str, np.ndarray]
    presence: dict[str, np.ndarray]


@dataclass(frozen=True)
class Question:
    """One clip: its features, its records, how it lies on the canvas, and its sentences by variant."""

    features: FrameFeatures
    letterbox: Letterbox
    records: list[Record]
    sentences: dict[str, list[str]]


def other_sentences(records: list[Record], *, seed: int = 0) -> dict[str, list[str]]:
    """Sentences of the controls: of a random other clip, and of another person of the same clip (or its own)."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(records))
    shuffled = [""] * len(records)
    for place, i in enumerate(order):
        step = 1
        while records[order[(place + step) % len(order)]].source == records[i].source and step < len(order):
            step += 1
        shuffled[i] = records[order[(place + step) % len(order)]].sentence
    by_clip: dict[str, list[Record]] = {}
    for record in records:
        by_clip.setdefault(record.source, []).append(record)
    wrong = []
    for record in records:
        others = [
            other.sentence for other in by_clip[record.source] if other.box_xyxy and other.person_id != record.person_id
        ]
        wrong.append(others[int(rng.integers(len(others)))] if others else record.sentence)
    return {"own": [record.sentence for record in records], "shuffled_sentence": shuffled, "wrong_person": wrong}


@torch.inference_mode()
def ask_all(model: RavarModel, questions: Iterable[Question], embed: Callable[[list[str]], TextTokens]) -> Answers:
    """Answer every sentence of every clip; each clip is encoded once. ``embed`` turns sentences into embeddings."""
    model.eval()
    records: list[Record] = []
    rows: dict[str, dict[str, list[np.ndarray]]] = {name: {v: [] for v in VARIANTS} for name in ("box", "act", "pre")}
    clips: list[int] = []
    for number, question in enumerate(questions):
        clip, _ = model.encode_clips(question.features)
        names = [name for name in VARIANTS if name in question.sentences]
        count = len(question.records)
        output = model(clip, embed([s for name in names for s in question.sentences[name]]))
        boxes = question.letterbox.to_frame(cxcywh_to_xyxy(output.box_cxcywh))
        for i, name in enumerate(names):
            part = slice(i * count, (i + 1) * count)
            rows["box"][name].append(boxes[part].numpy())
            rows["act"][name].append(output.actions[part].numpy())
            rows["pre"][name].append(output.presence[part].numpy())
        records += question.records
        clips += [number] * count
    joined = {key: {v: np.concatenate(r) for v, r in variants.items() if r} for key, variants in rows.items()}
    return Answers(records, np.array(clips), joined["box"], joined["act"], joined["pre"])


def questions_from_videos(
    model: RavarModel, data: Path, records: list[Record], sentences: dict[str, list[str]]
) -> Iterator[Question]:
    """Decode and encode every clip, in order of first mention."""
    config = model.config
    by_clip: dict[tuple[str, int], list[int]] = {}
    for i, record in enumerate(records):
        by_clip.setdefault((record.source, record.key_frame), []).append(i)
    for members in by_clip.values():
        images = read_model_frames(data, records[members[0]], config)
        height, width = images[0].shape[:2]
        box = Letterbox.fit(width, height, canvas_width=config.image_width, canvas_height=config.image_height)
        with torch.inference_mode():
            features = FrameFeatures.stack([model.encode_frames(to_pixels(images, box))])
        own = {variant: [texts[i] for i in members] for variant, texts in sentences.items()}
        yield Question(features, box, [records[i] for i in members], own)


def score(answers: Answers, variant: str = "own") -> dict[str, float]:
    """The task's scores; boxes and actions over records whose person is there, presence over all."""
    return _score(answers, variant, np.arange(len(answers.records)))


def _score(answers: Answers, variant: str, rows: np.ndarray) -> dict[str, float]:
    present, true_boxes, labels = truth(answers.records)
    rows_here = rows[present[rows]]
    overlap = box_ious(answers.boxes[variant][rows_here], true_boxes[rows_here])
    return {
        "miou": float(overlap.mean()),
        "acc_iou50": float((overlap >= 0.5).mean()),
        **action_scores(answers.actions[variant][rows_here], labels[rows_here]),
        "presence_auroc": presence_auroc(answers.presence[variant][rows], present[rows]),
    }


def prior_only(answers: Answers, prior: np.ndarray) -> dict[str, float]:
    """Scores of constant action scores and of the middle of the picture as the box: what knowing nothing gives."""
    present, true_boxes, labels = truth(answers.records)
    count = int(present.sum())
    middle = np.tile(np.array([0.35, 0.2, 0.65, 0.9], np.float32), (count, 1))
    overlap = box_ious(middle, true_boxes[present])
    scores = action_scores(np.tile(prior, (count, 1)), labels[present])
    return {"miou": float(overlap.mean()), "acc_iou50": float((overlap >= 0.5).mean()), **scores}


def report(answers: Answers, calibration: dict[str, Any] | None, *, controls: bool) -> dict[str, Any]:
    """The evaluation JSON of the contract, without the fields that say where it came from."""
    present, _, labels = truth(answers.records)
    table = per_class(answers.actions["own"][present], labels[present])
    frequent = {i: entry for i, entry in table.items() if entry["support"] >= 20}
    result: dict[str, Any] = {"records": len(answers.records), "present": int(present.sum()), **score(answers)}
    result["map_macro_20"] = average(frequent, "ap", weighted=False)
    if calibration:
        result["ece"] = calibration_error(
            platt(answers.actions["own"][present], calibration["actions"]), labels[present]
        )
        said = platt(answers.presence["own"], calibration["presence"])
        result["presence_accuracy"] = float(((said >= calibration["threshold"]) == present).mean())
    result["by_kind"] = _by_kind(answers, present)
    result["per_class"] = {str(i): {"name": action(i).name, **entry} for i, entry in table.items()}
    result["ci95"] = bootstrap(lambda rows: _score(answers, "own", rows), answers.clips)
    if controls:
        result["controls"] = {name: score(answers, name) for name in VARIANTS[1:]}
        result["controls"]["prior_only"] = prior_only(answers, labels[present].mean(0))
    return result


def platt(logits: np.ndarray, parameters: dict[str, float]) -> np.ndarray:
    """Calibrated probabilities of logits: sigmoid(scale · logit + bias)."""
    return 1 / (1 + np.exp(-(parameters["scale"] * logits + parameters["bias"])))


def fit_calibration(answers: Answers) -> dict[str, Any]:
    """Platt scaling of action and presence logits, and the presence threshold of best balanced accuracy, on val."""
    present, _, labels = truth(answers.records)
    presence = _fit_platt(answers.presence["own"], present)
    said = platt(answers.presence["own"], presence)
    levels = np.quantile(said, np.linspace(0.01, 0.99, 99))
    balanced = [((said >= t)[present].mean() + (said < t)[~present].mean()) / 2 for t in levels]
    return {
        "actions": _fit_platt(answers.actions["own"][present].ravel(), labels[present].ravel()),
        "presence": presence,
        "threshold": float(levels[int(np.argmax(balanced))]),
    }


def _fit_platt(logits: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    from sklearn.linear_model import LogisticRegression

    fit = LogisticRegression(C=1e6).fit(logits.reshape(-1, 1), truth.astype(int))
    return {"scale": float(fit.coef_[0, 0]), "bias": float(fit.intercept_[0])}


def truth(records: list[Record]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether each record's person is there, their boxes [n, 4] (zero where not), their labels [n, 80]."""
    present = np.array([record.box_xyxy is not None for record in records])
    boxes = np.array([record.box_xyxy or (0, 0, 0, 0) for record in records], dtype=np.float32)
    labels = np.zeros((len(records), NUM_ACTIONS), dtype=int)
    for row, record in enumerate(records):
        labels[row, np.array(record.actions, dtype=int) - 1] = 1
    return present, boxes, labels


def _by_kind(answers: Answers, present: np.ndarray) -> dict[str, dict[str, float]]:
    _, boxes, _ = truth(answers.records)
    kinds = np.array([str(record.extra.get("kind", "")) for record in answers.records])
    overlap = box_ious(answers.boxes["own"], boxes)
    groups = {kind: present & (kinds == kind) for kind in sorted(set(kinds[present]) - {""})}
    return {
        kind: {"records": int(rows.sum()), "acc_iou50": float((overlap[rows] >= 0.5).mean())}
        for kind, rows in groups.items()
    }


def _without_nan(value: Any) -> Any:
    """Scores that could not be had become null, which JSON knows."""
    if isinstance(value, dict):
        return {key: _without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_without_nan(entry) for entry in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def evaluate(options: argparse.Namespace) -> int:
    if options.limit is not None and options.limit < 1:
        raise OptionError(f"--limit must be at least 1, got {options.limit}")
    records = read_split(options.data, options.split)[: options.limit]
    if not any(record.box_xyxy for record in records):
        raise DataError(
            f"no record of {options.split!r} in {options.data} is about somebody; there is nothing to measure"
        )
    model, config = load_checkpoint(options.checkpoint)
    sentences = other_sentences(records) if options.controls else {"own": [record.sentence for record in records]}
    questions = questions_from_videos(model, options.data, records, sentences)
    answers = ask_all(model, questions, build_text_encoder(model.config.text))
    result = report(answers, config.get("calibration"), controls=options.controls)
    where = {
        "checkpoint": config.get("name", str(options.checkpoint)),
        "data": f"{options.data.resolve().name}/{options.split}",
    }
    command = f"python -m training.evaluate {' '.join(sys.argv[1:])}"
    text = json.dumps(_without_nan({**result, **where, "command": command}), indent=1) + "\n"
    sys.stdout.write(text)  # first: the work is not lost where the file cannot be written
    if options.json:
        write_text(options.json, text)
    return 0


def main() -> int:
    parser = Parser("python -m training.evaluate", description="Measure a checkpoint on a data set.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--checkpoint", default=SHIPPED)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--controls", action="store_true", help="also shuffled sentences, another person's, prior only")
    parser.add_argument("--limit", type=int, help="only the first so many records")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    return run(parser, evaluate, None)


if __name__ == "__main__":
    sys.exit(main())
