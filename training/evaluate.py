"""Measure a checkpoint on a data set, beside controls.

From the command line:

    python -m training.evaluate --data DIR --split test [--checkpoint C] [--json OUT.json] [--controls]
        [--corruption NAME:LEVEL] [--limit N]

Under ``accelerate launch`` or ``torchrun`` the clips are shared among the processes; the numbers stay the same.
"test_paraphrase" is a split too, and DIR may be in RefAVA++'s form. For all corruptions in one table there is
``training.robustness``.
"""

import argparse
import json
import logging
import math
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from accelerate.utils import gather_object, parse_flag_from_env

from refatomnet.actions import NUM_ACTIONS, action
from refatomnet.boxes import cxcywh_to_xyxy
from refatomnet.checkpoint import SHIPPED, find_checkpoint, load_checkpoint
from refatomnet.downloads import weights_sha256
from refatomnet.encoders import Features
from refatomnet.errors import CheckpointError, DataError, OptionError
from refatomnet.model import RavarModel
from refatomnet.preprocess import Letterbox
from refatomnet.records import Record
from refatomnet.refava import read_split
from refatomnet.text import TextTokens, build_text_encoder
from refatomnet.zero_shot import is_zero_shot
from training.arguments import Parser, run
from training.calibration import platt
from training.data.clips import Change, read_model_frames
from training.data.corruptions import Corruption
from training.data.records import write_text
from training.metrics import (
    action_scores,
    average,
    bootstrap,
    box_ious,
    calibration_error,
    frame_average_precision,
    per_class,
    presence_auroc,
)

VARIANTS = ("own", "shuffled_sentence", "wrong_person")
SCORES = ("miou", "acc_iou50", "map_weighted", "map_macro", "auroc_weighted", "auroc_macro", "presence_auroc")
ENOUGH = 20  # records of a class below which its figures are mostly luck
LISTED = 20  # pairs of look-alikes told of
SHOWN_MISSES = 9
PATIENCE = timedelta(days=30)  # of a process for another that encodes all clips; torchrun ends the rest if one dies


@dataclass(frozen=True)
class Answers:
    """What the model said about every record, for its own sentence and for the controls' sentences.

    boxes: xyxy fractions of the frame, by variant [n, 4]. actions: logits [n, 80]. presence: logits [n].
    frames: boxes in every frame the model reads, xyxy fractions of the frame [n, T, 4].
    """

    records: list[Record]
    clips: np.ndarray
    boxes: dict[str, np.ndarray]
    actions: dict[str, np.ndarray]
    presence: dict[str, np.ndarray]
    frames: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """One clip: how to load its features, view by view as ``RavarModel.encode`` takes them, and how it lies on the
    canvas; its records, and its sentences by variant.
    """

    load: Callable[[], tuple[tuple[Features, ...], Letterbox]]
    records: list[Record]
    sentences: dict[str, list[str]]


def processes() -> PartialState:
    """The processes that share the work: those of ``accelerate launch`` or ``torchrun``, or this one alone."""
    # Accelerate takes processes without a GPU for strangers to each other unless it is told that CPUs are meant.
    cpu = parse_flag_from_env("ACCELERATE_USE_CPU") or not torch.accelerator.is_available()
    return PartialState(cpu=cpu, timeout=PATIENCE)


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
def ask_all(model: RavarModel, questions: Sequence[Question], embed: Callable[[list[str]], TextTokens]) -> Answers:
    """Answer every sentence of every clip; each clip is encoded once. ``embed`` turns sentences into embeddings.

    Under several processes each answers its share of the questions, and all get all answers, in the questions' order.
    """
    model.eval()
    device = next(model.parameters()).device
    state = processes()
    mine = range(state.process_index, len(questions), state.num_processes)
    rows = [(i, questions[i].records, _ask(model, questions[i], embed, device)) for i in mine]
    rows = sorted(gather_object(rows), key=lambda row: row[0])
    records = [record for _, own, _ in rows for record in own]
    clips = np.array([number for number, own, _ in rows for _ in own])
    variants = [name for name in VARIANTS if name in rows[0][2]]
    joined = [{name: np.concatenate([row[2][name][i] for row in rows]) for name in variants} for i in range(4)]
    return Answers(records, clips, *joined)


def _ask(
    model: RavarModel, question: Question, embed: Callable[[list[str]], TextTokens], device: torch.device
) -> dict[str, tuple[np.ndarray, ...]]:
    """Boxes, action logits, presence logits and boxes in every frame of one clip's records, by variant."""
    views, letterbox = question.load()
    clip = model.encode(*(view.to(device) for view in views))
    names = [name for name in VARIANTS if name in question.sentences]
    output = model(clip, embed([s for name in names for s in question.sentences[name]]).to(device))
    boxes, frames = (letterbox.to_frame(cxcywh_to_xyxy(b)) for b in (output.box_cxcywh, output.frame_boxes))
    parts = [part.float().cpu().numpy() for part in (boxes, output.actions, output.presence, frames)]
    count = len(question.records)
    slices = {name: slice(i * count, (i + 1) * count) for i, name in enumerate(names)}
    return {name: tuple(part[rows] for part in parts) for name, rows in slices.items()}


def questions_from_videos(
    model: RavarModel,
    data: Path,
    records: list[Record],
    sentences: dict[str, list[str]],
    change: Callable[[Record], Change] | None = None,
) -> list[Question]:
    """One question a clip, in order of first mention; its video is decoded and encoded when it is asked.

    ``change`` gives what is done to the frames of a record's clip before they are encoded.
    """
    by_moment: dict[str, list[int]] = {}
    for i, record in enumerate(records):
        by_moment.setdefault(record.moment, []).append(i)
    return [
        Question(
            partial(_load, model, data, records[members[0]], change),
            [records[i] for i in members],
            {variant: [texts[i] for i in members] for variant, texts in sentences.items()},
        )
        for members in by_moment.values()
    ]


@torch.inference_mode()
def _load(
    model: RavarModel, data: Path, record: Record, change: Callable[[Record], Change] | None
) -> tuple[tuple[Features, ...], Letterbox]:
    """Features (1, T, …) of each view of the clip of a record, and how it lies on the canvas."""
    config = model.config
    images = read_model_frames(data, record, config, change(record) if change else None)
    height, width = images[0].shape[:2]
    box = Letterbox.of(config, width, height)
    pixels = model.encoder.prepare(images, box).to(next(model.parameters()).device)
    return tuple(Features.stack([view]) for view in model.encode_views(pixels, key=config.key_frame)), box


def score(answers: Answers, variant: str = "own") -> dict[str, float]:
    """The task's scores; boxes and actions over records whose person is there, presence over all."""
    return score_rows(answers, variant, np.arange(len(answers.records)))


def score_rows(answers: Answers, variant: str, rows: np.ndarray) -> dict[str, float]:
    present, true_boxes, labels = truth(answers.records)
    rows_here = rows[present[rows]]
    if not len(rows_here):  # a draw of clips whose sentences all fit nobody
        return dict.fromkeys(SCORES, float("nan"))
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
    frequent = {i: entry for i, entry in table.items() if entry["support"] >= ENOUGH}
    result: dict[str, Any] = {"records": len(answers.records), "present": int(present.sum()), **score(answers)}
    result["map_macro_20"] = average(frequent, "ap", weighted=False)
    result["frame_map50"] = frame_map(answers)
    presence = answers.presence["own"]
    if calibration:
        result["ece"] = calibration_error(
            platt(answers.actions["own"][present], calibration["actions"]), labels[present]
        )
        said = platt(presence, calibration["presence"])
        result["presence_accuracy"] = float(((said >= calibration["threshold"]) == present).mean())
    else:
        said = platt(presence, {"scale": 1.0, "bias": 0.0})
    result["by_kind"] = _by_kind(answers, present)
    result["per_class"] = {str(i): {"name": action(i).name, **entry} for i, entry in table.items()}
    result["look_alikes"] = look_alikes(answers)
    result["misses"] = misses(answers, said)
    result["ci95"] = bootstrap(lambda rows: score_rows(answers, "own", rows), answers.clips)
    if controls:
        result["controls"] = {name: score(answers, name) for name in VARIANTS[1:]}
        result["controls"]["prior_only"] = prior_only(answers, labels[present].mean(0))
    return result


def frame_map(answers: Answers) -> float:
    """AVA's frame-mAP at IoU 0.5 over the described people, each found by their first sentence alone.

    AVA counts a second box on a person as wrong, so further sentences about the same one are left out.
    """
    seen: set[tuple[int, str]] = set()
    rows = []
    for row, (clip, record) in enumerate(zip(answers.clips.tolist(), answers.records, strict=True)):
        if record.box_xyxy and (clip, record.person_id) not in seen:
            seen.add((clip, record.person_id))
            rows.append(row)
    _, boxes, labels = truth(answers.records)
    clips = answers.clips[rows]
    own = answers.boxes["own"][rows], answers.actions["own"][rows]
    return average(frame_average_precision(*own, clips, boxes[rows], labels[rows], clips), "ap", weighted=False)


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


def look_alikes(answers: Answers) -> list[dict[str, Any]]:
    """The pairs of actions that are told apart worst, worst first.

    Of two actions a and b, ``told_apart`` is the chance that a record of a without b gets a higher score of a over that
    of b than a record of b without a, ties counting half: the AUROC of the difference of their logits. 0.5 is guessing.
    How frequent an action is does not matter, nor its threshold. Counted are the records whose person is boxed right
    (IoU 0.5), so that it is about actions, and the pairs with ``ENOUGH`` of them on both sides.
    """
    present, boxes, labels = truth(answers.records)
    right = present & (box_ious(answers.boxes["own"], boxes) >= 0.5)
    logits, here = answers.actions["own"][right], labels[right] == 1
    frequent = np.flatnonzero(here.sum(0) >= ENOUGH)
    pairs: list[dict[str, Any]] = []
    for place, a in enumerate(frequent):
        for b in frequent[place + 1 :]:
            lead = logits[:, a] - logits[:, b]
            sides = lead[here[:, a] & ~here[:, b]], lead[here[:, b] & ~here[:, a]]
            if min(map(len, sides)) < ENOUGH:
                continue
            above = sides[0][:, None] - sides[1]
            pairs.append(
                {
                    "actions": [int(a) + 1, int(b) + 1],
                    "names": [action(int(i) + 1).name for i in (a, b)],
                    "told_apart": float(((above > 0) + (above == 0) / 2).mean()),
                    "records": [len(side) for side in sides],
                }
            )
    return sorted(pairs, key=lambda pair: pair["told_apart"])[:LISTED]


def misses(answers: Answers, presence: np.ndarray) -> list[dict[str, Any]]:
    """The worst wrong boxes, one a clip, worst first: records by presence [n], a probability, times 1 - IoU.

    Each is the record's own line with ``answered_xyxy`` (fractions of the frame), ``iou`` and ``presence``.
    """
    present, boxes, _ = truth(answers.records)
    overlap = box_ious(answers.boxes["own"], boxes)
    worst: dict[int, dict[str, Any]] = {}
    for row in np.argsort(-presence * (1 - overlap), kind="stable"):
        if present[row] and overlap[row] < 0.5 and answers.clips[row] not in worst and len(worst) < SHOWN_MISSES:
            worst[answers.clips[row]] = {
                **answers.records[row].to_dict(),
                "answered_xyxy": [round(float(side), 5) for side in answers.boxes["own"][row]],
                "iou": float(overlap[row]),
                "presence": float(presence[row]),
            }
    return list(worst.values())


def without_nan(value: Any) -> Any:
    """Scores that could not be had become null, which JSON knows."""
    if isinstance(value, dict):
        return {key: without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [without_nan(entry) for entry in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def measure(
    data: Path,
    split: str,
    checkpoint: str | Path,
    *,
    controls: bool = False,
    corruption: Corruption | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """The evaluation JSON of the contract, without the command: every record of a split, decoded from its video.

    Raises:
        DataError: If no record is about somebody, or one cannot be read.
        CheckpointError: If the checkpoint cannot be used.
    """
    if is_zero_shot(checkpoint):
        raise CheckpointError(f"{checkpoint} has no trained model to measure; training.references asks it about clips")
    records = read_split(data, split)[:limit]
    if not any(record.box_xyxy for record in records):
        raise DataError(f"no record of {split!r} in {data} is about somebody; there is nothing to measure")
    model, config = load_checkpoint(checkpoint)
    model.to(processes().device)
    sentences = other_sentences(records) if controls else {"own": [record.sentence for record in records]}
    questions = questions_from_videos(model, data, records, sentences, corruption.of if corruption else None)
    answers = ask_all(model, questions, build_text_encoder(model.config))
    result = report(answers, config.get("calibration"), controls=controls)
    name = config.get("name", str(checkpoint))
    weights = weights_sha256(find_checkpoint(checkpoint))
    return {**without_nan(result), "checkpoint": name, "weights": weights, "data": f"{data.resolve().name}/{split}"}


def evaluate(options: argparse.Namespace) -> int:
    if options.limit is not None and options.limit < 1:
        raise OptionError(f"--limit must be at least 1, got {options.limit}")
    how = {"controls": options.controls, "corruption": options.corruption, "limit": options.limit}
    found = measure(options.data, options.split, options.checkpoint, **how)
    if not processes().is_main_process:
        return 0
    command = f"python -m training.evaluate {shlex.join(sys.argv[1:])}"
    text = json.dumps({**found, "command": command}, indent=1) + "\n"
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
    parser.add_argument("--corruption", type=Corruption.parse, metavar="NAME:LEVEL", help="spoil clips, as in fog:3")
    parser.add_argument("--limit", type=int, help="only the first so many records")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    return run(parser, evaluate, None)


if __name__ == "__main__":
    sys.exit(main())
