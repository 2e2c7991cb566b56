"""The table of spoilt clips: its rows on made-up answers, and the command on a few painted clips."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_cache import SMALL, painted

from refatomnet.checkpoint import encoder_state, save_checkpoint
from refatomnet.model import RavarModel
from refatomnet.records import Record, read_records
from training import evaluate, robustness
from training.data.clips import read_clip, read_model_frames
from training.data.corruptions import Corruption
from training.data.mirror import mirror_image
from training.data.records import write_records
from training.evaluate import Answers, truth
from training.robustness import HEAD, first_clips, in_other_words, line, part, rows


def record(clip: int, person: int | None, sentence: str) -> Record:
    here = person is not None
    return Record(
        f"v{clip}", 902, str(person), "test", sentence, (12, 80)[: 1 + bool(person)] if here else (),
        (0.1 + 0.4 * person, 0.2, 0.3 + 0.4 * person, 0.9) if here else None, f"clips/{clip}.mp4", 4, 3.0,
    )  # fmt: skip


RECORDS = [
    record(clip, person, sentence)
    for clip in range(4)
    for person, sentence in ((0, "on the left"), (1, f"the one who {'stays' if clip else 'left'}"), (None, "a dog"))
]


def answer(records: list[Record], *, wrong: int = 0) -> Answers:
    """Right but for the boxes of the first so many."""
    present, boxes, labels = truth(records)
    boxes[:wrong] = 0
    clips = np.array([int(entry.video[1:]) for entry in records])
    return Answers(
        records,
        clips,
        {"own": boxes},
        {"own": labels * 2.0 - 1},
        {"own": present * 2.0 - 1},
        {"own": np.repeat(boxes[:, None], 8, axis=1)},
    )


def test_the_rows_say_what_was_lost() -> None:
    asked: list[tuple[list[Record], Any]] = []

    def ask(records: list[Record], change: Any) -> Answers:
        asked.append((records, change))
        return answer(records, wrong=2 if isinstance(getattr(change, "__self__", None), Corruption) else 0)

    other = [replace(entry, sentence="in other words") for entry in RECORDS[3:]]
    found = list(rows(ask, RECORDS, other, [Corruption("fog", 2), Corruption("rain", 5)]))
    assert [entry["name"] for entry in found] == ["clean", "fog:2", "rain:5", "mirrored", "paraphrased"]
    assert [entry["records"] for entry in found] == [12, 12, 12, 11, 9]  # "the one who left" is not mirrored
    assert "drop" not in found[0] and found[0]["acc_iou50"] == 1
    assert found[1]["acc_iou50"] == 6 / 8 and found[1]["drop"]["acc_iou50"] == 2 / 8
    assert found[1]["drop"]["presence_auroc"] == 0
    low, high = found[1]["drop_ci95"]  # one clip of four is wholly wrong: drawn from no time to four times
    assert low == 0 and 0.5 <= high <= 1
    assert all(value == 0 for entry in found[3:] for value in (*entry["drop"].values(), *entry["drop_ci95"]))
    for (_, change), corruption in zip(asked[1:3], (Corruption("fog", 2), Corruption("rain", 5)), strict=True):
        assert change.__self__ == corruption
    turned, change = asked[3]
    assert turned[0].sentence == "on the right" and turned[0].box_xyxy == pytest.approx((0.7, 0.2, 0.9, 0.9))
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert np.array_equal(change(turned[0])(image, 0), mirror_image(image))
    assert asked[4] == (other, None)


def test_what_cannot_be_mirrored_is_left_out_of_both_sides() -> None:
    def ask(records: list[Record], change: Any) -> Answers:
        found = answer(records)
        for i, entry in enumerate(records):
            if entry.sentence == "the one who left":
                found.boxes["own"][i] = 0  # wrong on the clips as they are
        return found

    clean, mirrored = rows(ask, RECORDS, None, [])
    assert clean["acc_iou50"] == 7 / 8 and mirrored["acc_iou50"] == 1
    assert mirrored["drop"]["acc_iou50"] == 0 and mirrored["drop_ci95"] == [0, 0]


def test_a_part_of_the_answers_keeps_its_rows() -> None:
    whole = answer(RECORDS)
    some = part(whole, [1, 5, 6])
    assert some.records == [RECORDS[i] for i in (1, 5, 6)] and some.clips.tolist() == [0, 1, 2]
    assert np.array_equal(some.boxes["own"], whole.boxes["own"][[1, 5, 6]])
    assert np.array_equal(some.actions["own"], whole.actions["own"][[1, 5, 6]])
    assert np.array_equal(some.presence["own"], whole.presence["own"][[1, 5, 6]])
    assert np.array_equal(some.frames["own"], whole.frames["own"][[1, 5, 6]])


def test_the_limit_counts_clips_not_records() -> None:
    mixed = RECORDS[::2] + RECORDS[1::2]
    assert {entry.source for entry in first_clips(mixed, 2)} == {"clips/0.mp4", "clips/1.mp4"}
    assert len(first_clips(mixed, 2)) == 6 and first_clips(mixed, None) == mixed


def test_other_words_are_about_the_same_clips(tmp_path: Path) -> None:
    assert in_other_words(tmp_path, "test", RECORDS) is None
    write_records(tmp_path / "test_paraphrase.jsonl", RECORDS)
    assert in_other_words(tmp_path, "test", RECORDS[:3]) == RECORDS[:3]


def test_a_line_gives_gains_in_per_cent() -> None:
    scores = {"acc_iou50": 0.5, "miou": 0.25, "map_macro": 0.125, "presence_auroc": 1.0}
    drop = {"acc_iou50": 0.1, "miou": 0.05, "map_macro": -0.02, "presence_auroc": 0.0}
    text = line({"name": "fog:3", "records": 12, **scores, "drop": drop, "drop_ci95": [0.04, 0.3]})
    assert text.split() == ["fog:3", "12", "50.0", "(-10.0)", "25.0", "(-5.0)", "12.5", "(+2.0)", "100.0", "(-0.0)",
                            "-30.0", "to", "-4.0"]  # fmt: skip
    assert text.index("50.0") + 4 == line({"name": "clean", "records": 12, **scores}).index("50.0") + 4
    assert HEAD.split()[:2] == ["records", "Acc@0.5"]


# ---- clips --------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return painted(tmp_path_factory.getbasetemp())


def test_frames_are_spoilt_as_frames_of_the_whole_clip(data: Path) -> None:
    entry = replace(read_records(data / "val.jsonl")[0], key_frame=0)  # so that the model sees the first frame often
    images = read_clip(data / str(entry.clip))
    seen = []

    def change(image: np.ndarray, index: int) -> np.ndarray:
        assert np.array_equal(image, images[index])
        seen.append(index)
        return np.full_like(image, index)

    found = read_model_frames(data, entry, SMALL, change)
    assert sorted(seen) == [0, 1, 2, 3]  # each once, though the first is read five times
    assert [int(image[0, 0, 0]) for image in found] == [0, 0, 0, 0, 0, 1, 2, 3]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    model = RavarModel(SMALL)
    model.encoder.load_state_dict(encoder_state())
    folder = tmp_path_factory.mktemp("robust") / "fresh"
    save_checkpoint(model, folder, {"name": "fresh"})
    return folder


def test_the_command_prints_the_table_and_writes_it(
    data: Path, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "out.json"
    asked = ["--corruptions", "contrast", "fog", "--levels", "1", "5", "--limit", "2", "--json", str(out)]
    assert robustness.main(["--data", str(data), "--split", "val", "--checkpoint", str(checkpoint), *asked]) == 0
    found = json.loads(out.read_text())
    names = ["clean", "contrast:1", "contrast:5", "fog:1", "fog:5", "mirrored"]
    assert [entry["name"] for entry in found["rows"]] == names
    assert found["clips"] == 2 and {entry["records"] for entry in found["rows"]} == {6}
    assert found["checkpoint"] == "fresh" and found["data"] == "openravar/val"
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == HEAD and [text.split()[0] for text in printed[1:]] == names


def test_evaluation_of_spoilt_clips_is_the_tables(
    data: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = ["--data", str(data), "--split", "val", "--checkpoint", str(checkpoint)]
    monkeypatch.setattr(evaluate, "bootstrap", lambda *arguments: {})
    scores = {}
    for name, more in (("clean", []), ("fog:5", ["--corruption", "fog:5"])):
        monkeypatch.setattr("sys.argv", ["evaluate", *here, *more, "--json", str(tmp_path / "one.json")])
        assert evaluate.main() == 0
        scores[name] = json.loads((tmp_path / "one.json").read_text())["map_macro"]
    options = ["--corruptions", "fog", "--levels", "5", "--json", str(tmp_path / "all.json")]
    assert robustness.main([*here, *options]) == 0
    found = {entry["name"]: entry["map_macro"] for entry in json.loads((tmp_path / "all.json").read_text())["rows"]}
    assert {name: found[name] for name in scores} == scores and scores["clean"] != scores["fog:5"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--corruptions", "snow"], "no corruption 'snow'"),
        (["--levels", "6"], "from 1 to 5"),
        (["--levels", "high"], "--levels"),
        (["--limit", "0"], "--limit must be at least 1"),
        (["--split", "nowhere"], "has no split 'nowhere'"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    data: Path, checkpoint: Path, more: list[str], message: str, capsys: pytest.CaptureFixture
) -> None:
    assert robustness.main(["--data", str(data), "--split", "val", "--checkpoint", str(checkpoint), *more]) == 2
    (text,) = capsys.readouterr().err.splitlines()
    assert text.startswith("error: ") and message in text


def test_a_wrong_corruption_of_an_evaluation_is_one_line(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("sys.argv", ["evaluate", "--data", str(data), "--corruption", "fog:9"])
    assert evaluate.main() == 2
    assert capsys.readouterr().err == "error: the level of a corruption goes from 1 to 5, got 9\n"
