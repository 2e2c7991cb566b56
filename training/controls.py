"""What can be had from the data without understanding: who is meant without reading, what is done without looking.

    python -m training.controls --data DIR --split test [--json DIR/controls.json]

Who is meant: rules that see the true boxes of everyone in view, and how visible they are, but no sentence, choose a
person. They may be right in at most 1 / (mean number of people) + 0.05 of the records. What is done: labels guessed
from the words of the sentence alone may have a macro average precision of at most that of constant scores + 0.05.
JSON written as controls.json into the data folder is quoted by the data card when that is next written.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from refatomnet.errors import DataError, OptionError
from refatomnet.records import Record
from refatomnet.refava import read_split
from training.arguments import Parser, run
from training.data.records import read_scenes, scenes_path, write_text
from training.data.statistics import in_view
from training.evaluate import truth
from training.metrics import average, bootstrap, box_ious, per_class

MARGIN = 0.05
FOLDS = 5
MIN_SUPPORT = 10  # rarer classes' average precision is mostly luck


# ---- who is meant -------------------------------------------------------------------------------------------------
class Choices:
    """Every record about somebody, and whom its clip lets one choose among.

    Args:
        records: Of any kind; those that fit nobody are left out.
        scenes: Scene lines by clip.

    Attributes:
        boxes, visible, owner: Of every candidate of every record, one after another: box xyxy, seen share, and the
            record it belongs to. overlap: IoU of the candidate's box with the one that is meant.
        clips: Clip number of every record.
    """

    def __init__(self, records: list[Record], scenes: dict[str, dict[str, Any]]) -> None:
        boxes, overlap = [], []
        visible: list[float] = []
        owner: list[int] = []
        sources: list[str] = []
        clip_people: dict[str, int] = {}
        for record in records:
            if record.box_xyxy is None or record.clip not in scenes:
                continue
            key = record.key_frame
            people = [
                person
                for person in scenes[record.clip]["people"]
                if in_view(person, key) or person["person_id"] == record.person_id
            ]
            if record.person_id not in {person["person_id"] for person in people if person["boxes_xyxy"][key]}:
                raise DataError(f"{record.clip}: its scene has no person {record.person_id} in frame {key}")
            here = np.array([person["boxes_xyxy"][key] for person in people], dtype=float)
            owner += [len(sources)] * len(people)
            visible += [person["visible"][key] for person in people]
            boxes.append(here)
            overlap.append(box_ious(here, np.tile(np.array(record.box_xyxy), (len(here), 1))))
            clip_people[record.source] = len(people)
            sources.append(record.source)
        if not sources:
            raise DataError("no record is about somebody of a scene; the controls need scenes/{split}.jsonl")
        self.boxes, self.overlap = np.concatenate(boxes), np.concatenate(overlap)
        self.visible, self.owner = np.array(visible), np.array(owner)
        self.clips = np.unique(sources, return_inverse=True)[1]
        self.mean_people = float(np.mean(list(clip_people.values())))

    def features(self) -> np.ndarray:
        """What is to be seen of a candidate, alone and beside the others of its clip [n, 14]."""
        size = self.boxes[:, 2:] - self.boxes[:, :2]
        centre = (self.boxes[:, :2] + self.boxes[:, 2:]) / 2
        off = np.abs(centre - 0.5)
        own = np.column_stack([centre, size, size.prod(1), off, self.visible])
        count = np.bincount(self.owner)
        mean = np.column_stack([np.bincount(self.owner, column) for column in own[:, [0, 4, 5, 7]].T]) / count[:, None]
        order = np.lexsort((centre[:, 0], self.owner))
        first = np.concatenate([[0], np.cumsum(count)[:-1]])
        place = np.empty(len(own))
        place[order] = np.arange(len(own)) - first[self.owner[order]]
        return np.column_stack([own, own[:, [0, 4, 5, 7]] - mean[self.owner], count[self.owner], place])

    def right(self, scores: np.ndarray) -> np.ndarray:
        """Per record, the chance that a candidate of the highest score has an IoU of half with the one meant."""
        top = np.full(self.owner.max() + 1, -np.inf)
        np.maximum.at(top, self.owner, scores)
        best = scores >= top[self.owner]
        hit = np.bincount(self.owner, best & (self.overlap >= 0.5))
        return hit / np.bincount(self.owner, best)


def choice_control(test: Choices, train: Choices | None) -> dict[str, Any]:
    """How often rules without a sentence choose right; a learned one learns from ``train``, or from other clips."""
    size = test.boxes[:, 2:] - test.boxes[:, :2]
    centre = (test.boxes[:, :2] + test.boxes[:, 2:]) / 2
    scores = {
        "random": np.zeros(len(test.owner)),
        "largest": size.prod(1),
        "most central": -np.linalg.norm(centre - 0.5, axis=1),
        "most visible": test.visible,
        "learned": _learned(test, train),
    }
    right = {name: test.right(score) for name, score in scores.items()}
    rules = {name: float(values.mean()) for name, values in right.items()}
    best = max(rules, key=lambda name: rules[name])
    allowed = 1 / test.mean_people + MARGIN
    interval = bootstrap(lambda rows: {"acc": float(right[best][rows].mean())}, test.clips)["acc"]
    return {
        "records": len(test.clips),
        "mean_people": test.mean_people,
        "rules": rules,
        "best": best,
        "acc_iou50": rules[best],
        "ci95": interval,
        "allowed": allowed,
        "passed": rules[best] <= allowed,
    }


def _learned(test: Choices, train: Choices | None) -> np.ndarray:
    """Chance of every candidate to be the one meant, from boxes and visibility by gradient boosting."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    def fit_predict(known: np.ndarray, meant: np.ndarray, asked: np.ndarray) -> np.ndarray:
        if len(set(meant)) < 2:
            return np.zeros(len(asked))
        model = HistGradientBoostingClassifier(max_iter=80, early_stopping=False, random_state=0)
        return model.fit(known, meant).predict_proba(asked)[:, 1]

    features = test.features()
    if train is not None:
        return fit_predict(train.features(), train.overlap > 0.99, features)
    return _across(test.clips[test.owner], lambda a, b: fit_predict(features[a], test.overlap[a] > 0.99, features[b]))


def _across(groups: np.ndarray, predict: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    """Predictions for all rows, each fold's from a fit to the others; rows of a clip share a fold."""
    from sklearn.model_selection import GroupKFold

    folds = min(FOLDS, len(set(groups)))
    if folds < 2:
        raise DataError("the controls need two clips at least")
    parts = [
        (ask, predict(known, ask)) for known, ask in GroupKFold(folds).split(np.zeros((len(groups), 1)), groups=groups)
    ]
    out = np.empty((len(groups), *parts[0][1].shape[1:]))
    for ask, values in parts:
        out[ask] = values
    return out


# ---- what is done -------------------------------------------------------------------------------------------------
def words_control(test: list[Record], train: list[Record] | None) -> dict[str, Any]:
    """Macro average precision of labels from single words and pairs of words, beside that of constant scores."""
    test = [record for record in test if record.box_xyxy]
    groups = np.unique([record.source for record in test], return_inverse=True)[1]
    _, _, labels = truth(test)
    sentences = np.array([record.sentence for record in test])
    if train is None:
        scores = _across(groups, lambda known, ask: _from_words(sentences[known], labels[known], sentences[ask]))
    else:
        known = [record for record in train if record.box_xyxy]
        scores = _from_words(np.array([r.sentence for r in known]), truth(known)[2], sentences)
    support = labels.sum(0)
    if not support.any():
        raise DataError("no person of a record has a label; there is nothing to guess from the words")
    enough = min(MIN_SUPPORT, support.max())
    classes = [int(i) for i in np.flatnonzero(support >= enough)]

    def macro(rows: np.ndarray) -> dict[str, float]:
        table = per_class(scores[rows], labels[rows])
        return {"map": average({i: e for i, e in table.items() if i - 1 in classes}, "ap", weighted=False)}

    found = macro(np.arange(len(test)))["map"]
    prior = float(labels[:, classes].mean())
    table = per_class(scores, labels)
    gains = sorted(((table[i + 1]["ap"] - labels[:, i].mean(), i + 1) for i in classes), reverse=True)
    return {
        "records": len(test),
        "classes": len(classes),
        "map_macro": found,
        "ci95": bootstrap(macro, groups)["map"],
        "prior": prior,
        "allowed": prior + MARGIN,
        "most_told": {str(i): round(float(gain), 3) for gain, i in gains[:8]},
        "passed": found <= prior + MARGIN,
    }


def _from_words(known: np.ndarray, labels: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Scores [n, 80] by logistic regression on TF-IDF weights; a class never or always seen gets a constant."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectors = TfidfVectorizer(ngram_range=(1, 2), min_df=2 if len(known) > 100 else 1, sublinear_tf=True)
    scores = np.tile(labels.mean(0), (len(asked), 1)).astype(float)
    try:
        x, asked_x = vectors.fit_transform(known), vectors.transform(asked)
    except ValueError:  # not a word of two letters that comes often enough: words tell nothing
        return scores
    for column in np.flatnonzero(labels.any(0) & ~labels.all(0)):
        model = LogisticRegression(C=3.0, solver="liblinear")
        scores[:, column] = model.fit(x, labels[:, column]).decision_function(asked_x)
    return scores


# ---- command ------------------------------------------------------------------------------------------------------
def controls(options: argparse.Namespace) -> int:
    data, split, learn = options.data, options.split, options.learn
    if learn == split:
        raise OptionError(f"--learn {learn} would learn what it is asked; without --learn, other clips of it are used")
    if learn is None and split != "train" and (data / "train.jsonl").exists():
        learn = "train"
    test, train = read_split(data, split), read_split(data, learn) if learn else None
    scenes = read_scenes(scenes_path(data, split))
    known = Choices(train, read_scenes(scenes_path(data, learn))) if train and learn else None
    result: dict[str, Any] = {
        "split": split,
        "learned_from": learn or f"{split}, in {FOLDS} folds by clip",
        "choice": choice_control(Choices(test, scenes), known),
        "words": words_control(test, train),
        "command": f"python -m training.controls --data DIR --split {split}"
        + f" --learn {learn}" * bool(options.learn),
    }
    if options.json:
        write_text(options.json, json.dumps(result, indent=1) + "\n")
    for name in ("choice", "words"):
        print(verdict(name, result[name]))
    return 0


def verdict(name: str, found: dict[str, Any]) -> str:
    """One line a control: PASS or FAIL, and the figures."""
    low, high = found["ci95"]
    if name == "choice":
        told = ", ".join(f"{rule} {value:.3f}" for rule, value in found["rules"].items())
        what = f"who is meant, without the sentence: {found['best']} is right in {found['acc_iou50']:.3f}"
        more = f"{found['mean_people']:.2f} people in view; {told}"
    else:
        told = ", ".join(f"{i} +{gain}" for i, gain in found["most_told"].items())
        what = f"what is done, from the words alone: macro mAP {found['map_macro']:.3f}"
        more = f"constant scores {found['prior']:.3f}, {found['classes']} classes; most told, by id: {told}"
    judged = "PASS" if found["passed"] else "FAIL"
    return f"{judged} {what} ({low:.3f}–{high:.3f}), at most {found['allowed']:.3f} allowed; {more}"


def main(arguments: list[str] | None = None) -> int:
    parser = Parser("python -m training.controls", description="Measure what the data gives away. Exit 0 also on FAIL.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--learn", help="split to learn from; else train where it is, or other clips of the split")
    parser.add_argument("--json", type=Path)
    return run(parser, controls, arguments)


if __name__ == "__main__":
    sys.exit(main())
