"""The controls find what made-up data gives away, and nothing in data that gives nothing away."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from refatomnet.errors import DataError
from refatomnet.records import Record
from training import controls
from training.controls import Choices, choice_control, words_control
from training.data.card import data_card
from training.data.records import write_records, write_scenes, write_text
from training.metrics import bootstrap


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controls, "bootstrap", lambda *arguments: bootstrap(*arguments, times=8))


def made(
    clips: int,
    meant: Callable[[list[list[float]]], list[int]],
    word: Callable[[int, np.random.Generator], str],
    *,
    seed: int = 0,
) -> tuple[list[Record], dict[str, dict]]:
    """Clips of two to four people side by side, some of them described in a word; a third of the labels each."""
    rng = np.random.default_rng(seed)
    records, scenes = [], {}
    for number in range(clips):
        clip, people = f"clips/test/{number}.mp4", int(rng.integers(2, 5))
        boxes = [[0.24 * i, 0.3, 0.24 * i + w, 0.3 + w] for i, w in enumerate(rng.uniform(0.08, 0.2, people))]
        people_lines = [{"person_id": str(k), "boxes_xyxy": [box], "visible": [1.0]} for k, box in enumerate(boxes)]
        looks = {"look": {}, "facing": "left", "posture": "standing"}
        scenes[clip] = {"clip": clip, "key_frame": 0, "people": [p | looks for p in people_lines]}
        for i in meant(boxes):
            (x1, y1, x2, y2), label = boxes[i], int(rng.choice([11, 12, 14]))
            said = f"the {word(label, rng)} person number {rng.integers(20)}"
            records.append(Record(f"v{number}", 902, str(i), "test", said, (label,), (x1, y1, x2, y2), clip, 0, 6.0))
        records.append(Record(f"v{number}", 902, "absent0", "test", "the dragon", (), None, clip, 0, 6.0))
    return records, scenes


def everyone(boxes: list[list[float]]) -> list[int]:
    return list(range(len(boxes)))


def largest(boxes: list[list[float]]) -> list[int]:
    return [int(np.argmax([box[2] - box[0] for box in boxes]))]


def second(boxes: list[list[float]]) -> list[int]:
    return [1]


def dull(label: int, rng: np.random.Generator) -> str:
    return str(rng.choice(["red", "green", "tall"]))


def telling(label: int, rng: np.random.Generator) -> str:
    return {11: "seated", 12: "upright", 14: "striding"}[label]


# ---- who is meant -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("learn", [True, False])
def test_a_fair_choice_passes(learn: bool) -> None:
    train = Choices(*made(300, everyone, dull, seed=1)) if learn else None
    found = choice_control(Choices(*made(400, everyone, dull)), train)
    assert found["passed"] and found["records"] > 1000
    assert found["rules"]["random"] == pytest.approx(found["allowed"] - 0.05)
    assert found["mean_people"] == pytest.approx(3, abs=0.15)


@pytest.mark.parametrize(("meant", "rule"), [(largest, "largest"), (second, "learned")])
def test_a_habit_is_found(meant: Callable, rule: str) -> None:
    found = choice_control(Choices(*made(200, meant, dull)), None)
    assert not found["passed"] and found["rules"][rule] > 0.9 and found["acc_iou50"] > 0.9
    low, high = found["ci95"]
    assert low <= found["acc_iou50"] <= high
    assert controls.verdict("choice", found).startswith("FAIL who is meant")


def test_people_hardly_seen_are_no_choice_unless_described() -> None:
    records, scenes = made(1, second, dull)
    people = scenes["clips/test/0.mp4"]["people"]
    people[0]["visible"] = people[1]["visible"] = [0.01]
    found = Choices(records, scenes)
    assert len(found.owner) == len(people) - 1 and found.mean_people == len(people) - 1
    assert found.right(np.zeros(len(found.owner))).tolist() == [pytest.approx(1 / (len(people) - 1))]  # ties share
    assert found.right(found.overlap).tolist() == [1.0] and found.right(-found.overlap)[0] == 0


# ---- what is done -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("learn", [True, False])
@pytest.mark.parametrize(("word", "passes"), [(dull, True), (telling, False)])
def test_words_that_tell_the_action_are_found(word: Callable, passes: bool, learn: bool) -> None:
    test, train = made(200, everyone, word)[0], made(100, everyone, word, seed=1)[0] if learn else None
    found = words_control(test, train)
    assert found["passed"] is passes and found["classes"] == 3
    assert found["prior"] == pytest.approx(1 / 3)  # constant scores: how frequent a class is
    assert (found["map_macro"] > 0.95) is not passes
    assert controls.verdict("words", found).startswith("PASS" if passes else "FAIL")


# ---- the command --------------------------------------------------------------------------------------------------
def test_the_command_judges_and_the_card_quotes_it(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for split, seed in (("train", 1), ("test", 0)):
        records, scenes = made(60, largest, telling, seed=seed)
        write_records(tmp_path / f"{split}.jsonl", records)
        write_scenes(tmp_path / "scenes" / f"{split}.jsonl", scenes.values())
        write_text(tmp_path / ".parts" / split / "run.json", '{"seed": 1}')
    out = tmp_path / "controls.json"
    assert controls.main(["--data", str(tmp_path), "--split", "test", "--json", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:4] for line in lines] == ["FAIL", "FAIL"]
    found = json.loads(out.read_text())
    assert found["learned_from"] == "train" and found["command"].startswith("python -m training.controls --data")
    card = data_card(tmp_path, ("train", "val", "test"))
    assert found["command"] in card and f"{found['words']['map_macro']:.3f}" in card and "(largest)" in card
    assert "--split test --clips 60 --seed 1" in card and str(tmp_path) not in card
    assert "of 60 records about somebody in test:" in card
    records, scenes = made(50, largest, telling)
    write_records(tmp_path / "test.jsonl", records)
    assert "in test, which has 50 now: run it again" in data_card(tmp_path, ("train", "test"))
    write_records(tmp_path / "test.jsonl", made(60, largest, telling)[0])
    for text in ("{", "{}", '{"choice": 1, "words": 1, "split": []}'):
        write_text(tmp_path / "other.json", text)
        shutil.copy(out, tmp_path / "kept.json")
        shutil.copy(tmp_path / "other.json", out)
        with pytest.raises(DataError, match=r"controls\.json"):
            data_card(tmp_path, ("test",))
        shutil.copy(tmp_path / "kept.json", out)
    (tmp_path / ".parts/test/run.json").unlink()
    assert "# test: 60 clips, made elsewhere" in data_card(tmp_path, ("train", "val", "test"))
    out.unlink()
    assert "without understanding" not in data_card(tmp_path, ("train", "val", "test"))


def test_words_that_never_come_again_tell_nothing() -> None:
    records = [replace(record, sentence="x") for record in made(10, everyone, dull)[0]]
    found = words_control(records, None)
    assert found["map_macro"] == pytest.approx(found["prior"], abs=0.1)


def test_what_does_not_belong_together_is_named() -> None:
    records, scenes = made(3, second, dull)
    with pytest.raises(DataError, match="no person of a record has a label"):
        words_control([replace(record, actions=()) for record in records], None)
    scenes["clips/test/1.mp4"]["people"][1]["boxes_xyxy"] = [None]
    with pytest.raises(DataError, match=r"1\.mp4: its scene has no person 1 in frame 0"):
        Choices(records, scenes)
    del scenes["clips/test/1.mp4"]["people"][1]
    with pytest.raises(DataError, match=r"1\.mp4: its scene has no person 1 in frame 0"):
        Choices(records, scenes)


def test_what_cannot_be_measured_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    records, _ = made(3, everyone, dull)
    write_records(tmp_path / "test.jsonl", records)
    assert controls.main(["--data", str(tmp_path)]) == 2
    write_scenes(tmp_path / "scenes" / "test.jsonl", [])
    assert controls.main(["--data", str(tmp_path)]) == 2
    assert controls.main(["--data", str(tmp_path), "--learn", "test"]) == 2
    first, then, last = capsys.readouterr().err.splitlines()
    assert "would learn what it is asked" in last
    assert "scenes/test.jsonl: cannot be read" in first and "no record is about somebody of a scene" in then
