"""Converting real annotations: small folders in exactly their layout, and broken ones."""

import json
import math
import os
import pickle
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from test_cache import SMALL

from refatomnet.checkpoint import encoder_state, save_checkpoint
from refatomnet.model import RavarModel
from refatomnet.records import Record, read_records
from training import convert, evaluate
from training.data.records import write_records

BOX = (0.1, 0.2, 0.3, 0.9)
PEOPLE = ("-one___902___0", "-one___902___1", "two____1000___7")  # a film's name may begin and end in anything
SENTENCES = "video,timestamp,person_id,sentence\n"
AVA = "-one,0902,0.100,0.200,0.300,0.900,12,0\n-one,0902,0.100,0.200,0.300,0.900,80,0\n"


def film(frames: Path, video: str, *seconds: int) -> None:
    """The 90 frames around each second: one picture, 64 by 48, by many names."""
    (frames / video).mkdir(parents=True, exist_ok=True)
    picture = frames / video / "picture"
    picture.write_bytes(cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1].tobytes())
    for second in seconds:
        for number in range((second - 900) * 30 - 45, (second - 900) * 30 + 45):
            os.link(picture, frames / video / f"image_{number:06d}.jpg")
    picture.unlink()


def pickles(source: Path, split: str, people: Sequence[str] = PEOPLE, **changes: dict[str, Any]) -> None:
    tables: dict[str, dict] = {
        "keyframe": {key: [[*BOX, 0.98]] for key in people},
        "label": {key: [80, 12] for key in people},
        "description": {key: [f"the man called {key}"] for key in people},
    }
    for part, table in tables.items():
        kept = {key: value for key, value in (table | changes.get(part, {})).items() if value is not None}
        (source / f"{split}_{part}.pkl").write_bytes(pickle.dumps(kept))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Train and test, with frames for everybody."""
    source = tmp_path / "refava"
    film(source / "frames", "-one", 902)
    film(source / "frames", "two_", 1000)
    pickles(source, "train")
    pickles(source, "test", PEOPLE[:1])
    return source


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "records"


def report(out: Path, split: str) -> dict[str, Any]:
    return json.loads((out / "report.json").read_text())["splits"][split]


def reasons(out: Path, split: str) -> dict[str, tuple[int, list[str]]]:
    return {entry["reason"]: (entry["number"], entry["such_as"]) for entry in report(out, split)["refused_because"]}


def refuses(capsys: pytest.CaptureFixture, arguments: Sequence[Any], message: str) -> None:
    """That the command ends with 2 and one line that says this."""
    assert convert.main([str(argument) for argument in arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and message in line, line


# ---- pickles ------------------------------------------------------------------------------------------------------
def test_pickles_become_records(source: Path, out: Path, capsys: pytest.CaptureFixture) -> None:
    assert convert.main([str(source), "--out", str(out)]) == 0
    shown = capsys.readouterr()
    assert (
        shown.err == "" and "train: 3 people in 2 clips of 2 films, 3 sentences, boxes in fractions; 0 ref" in shown.out
    )
    assert read_records(out / "train.jsonl") == [
        Record(video, second, person, "train", f"the man called {key}", (12, 80), BOX, None, 45, 30.0)
        for key, (video, second, person) in zip(
            PEOPLE, [("-one", 902, "0"), ("-one", 902, "1"), ("two_", 1000, "7")], strict=True
        )
    ]
    assert [(r.split, r.video) for r in read_records(out / "test.jsonl")] == [("test", "-one")]
    assert sorted(path.name for path in out.iterdir()) == sorted(
        ["README.md", "frames", "report.json", "test.jsonl", "train.jsonl"]  # nothing is left of the making, and no val
    )
    assert (out / "frames").is_symlink() and (out / "frames").resolve() == (source / "frames").resolve()
    found = report(out, "train")
    assert (found["films"], found["clips"], found["people"], found["sentences"]) == (2, 2, 3, 3)
    assert len(found["labels"]) == 80 and {i for i, n in found["labels"].items() if n == 3} == {"12", "80"}
    assert sum(found["labels"].values()) == 6 and found["refused"] == 0
    assert f"  12  {'stand':<48}       3       1" in shown.out.splitlines()
    card = (out / "README.md").read_text()
    assert "| train | 2 | 2 | 3 | 3 | 0 |" in card and "| 12 | stand | 3 | 1 |" in card
    assert "--split test\n" in card and str(source) not in card


def test_what_is_converted_can_be_evaluated(
    source: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    pickles(source, "test", description={PEOPLE[1]: ["the woman", "she on the left"]}, label={PEOPLE[1]: [11]})
    assert convert.main([str(source), "--out", str(out), "--split", "test"]) == 0
    capsys.readouterr()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = RavarModel(SMALL)
    model.encoder.load_state_dict(encoder_state())
    save_checkpoint(model, tmp_path / "fresh", {"name": "fresh"})
    real = evaluate.bootstrap
    monkeypatch.setattr(evaluate, "bootstrap", lambda *arguments: real(*arguments, times=8))
    monkeypatch.setattr(
        "sys.argv", ["evaluate", "--data", str(out), "--checkpoint", str(tmp_path / "fresh"), "--controls"]
    )
    assert evaluate.main() == 0
    found = json.loads(capsys.readouterr().out)
    assert found["records"] == found["present"] == 4 and set(found["per_class"]) == {"11", "12", "80"}
    assert 0 <= found["miou"] <= 1 and not math.isnan(found["map_macro"]) and found["data"] == "records/test"


def test_people_whose_frames_are_missing_are_kept_out_and_counted(source: Path, out: Path) -> None:
    gone, thin, empty = "gone___902___0", "thin___1000___1", "empty___950___2"
    film(source / "frames", "thin", 1000)
    (source / "frames/thin/image_003044.jpg").unlink()  # the last of its 90
    film(source / "frames", "empty", 950)
    key_frame = source / "frames/empty/image_001500.jpg"
    key_frame.unlink()
    key_frame.touch()
    pickles(source, "train", [*PEOPLE, gone, "gone___903___0", thin, empty, "-one___903___0"])
    assert convert.main([str(source), "--out", str(out)]) == 0
    assert {r.video for r in read_records(out / "train.jsonl")} == {"-one", "two_"}
    assert reasons(out, "train") == {
        "of a film without frames": (2, [gone, "gone___903___0"]),
        "whose 90 frames are not all there": (2, ["-one___903___0", thin]),
        "with a key frame that is no picture": (1, [empty]),
    }
    assert report(out, "train")["films_without_frames"] == ["gone"] and report(out, "train")["refused"] == 5
    assert report(out, "test")["refused"] == 0


def test_a_refusal_has_its_reason_number_and_few_examples(
    source: Path, out: Path, capsys: pytest.CaptureFixture
) -> None:
    odd = "line\nbreak \udc80___902___0"
    unlabelled = [f"-one___902___{i}" for i in range(20, 29)]
    pickles(source, "train", [*PEOPLE, *unlabelled, odd], label={key: [] for key in unlabelled} | {PEOPLE[0]: [12, 81]})
    assert convert.main([str(source), "--out", str(out)]) == 0
    assert reasons(out, "train") == {
        "without any label": (9, unlabelled[:5]),
        "with a label that is not from 1 to 80": (1, [PEOPLE[0]]),
        "of a film whose name is a path or no text": (1, [r"line\nbreak \udc80___902___0"]),
    }
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("train: 2 people") and lines[0].endswith("11 refused")
    assert lines[1].split("  ")[-1] == "without any label, such as " + ", ".join(unlabelled[:3])
    assert lines[2].endswith(r"such as line\nbreak \udc80___902___0")


def test_boxes_in_pixels_become_fractions(source: Path, out: Path) -> None:
    pixels = {PEOPLE[0]: [[16, 12, 32, 48]], PEOPLE[1]: [[0, 0, 64.3, 24]], PEOPLE[2]: [[0.1, 0.1, 0.9, 0.9]]}
    pickles(source, "train", keyframe=pixels)
    assert convert.main([str(source), "--out", str(out)]) == 0
    assert [r.box_xyxy for r in read_records(out / "train.jsonl")] == [(0.25, 0.25, 0.5, 1.0), (0.0, 0.0, 1.0, 0.5)]
    assert report(out, "train")["boxes"] == "pixels" and report(out, "test")["boxes"] == "fractions"
    assert reasons(out, "train") == {"with a box that may be in fractions among boxes in pixels": (1, [PEOPLE[2]])}


def test_one_box_in_pixels_does_not_make_pixels_of_the_others(source: Path, out: Path) -> None:
    pickles(source, "train", keyframe={PEOPLE[0]: [[16, 12, 32, 48]]})
    assert convert.main([str(source), "--out", str(out)]) == 0
    assert [r.box_xyxy for r in read_records(out / "train.jsonl")] == [BOX, BOX]
    assert reasons(out, "train") == {"with a box that may be in pixels among boxes in fractions": (1, [PEOPLE[0]])}


def test_frames_may_lie_elsewhere_or_in_the_folder_itself(source: Path, out: Path, tmp_path: Path) -> None:
    (source / "frames").rename(tmp_path / "pictures")
    assert convert.main([str(source), "--out", str(out), "--frames", str(tmp_path / "pictures")]) == 0
    assert (out / "frames").resolve() == tmp_path / "pictures"
    shutil.move(tmp_path / "pictures", source / "frames")
    assert convert.main([str(source), "--out", str(source)]) == 0
    assert not (source / "frames").is_symlink() and len(read_records(source / "train.jsonl")) == 3


def test_a_file_system_without_links_is_told_what_to_do(
    source: Path, out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    refuses(capsys, [source, "--out", out], f"move the frames there, and say --frames {out / 'frames'}")
    assert list(out.iterdir()) == []
    (source / "frames").rename(out / "frames")
    assert convert.main([str(source), "--out", str(out), "--frames", str(out / "frames")]) == 0


# ---- AVA's table --------------------------------------------------------------------------------------------------
@pytest.fixture
def tables(source: Path) -> Path:
    """AVA's layout: no pickles, a table without a header, and sentences."""
    for path in source.glob("*.pkl"):
        path.unlink()
    (source / "ava.csv").write_text(
        AVA
        + "two_,1000,0.5,0.1,0.75,0.95,11,7\n"
        + "two_,1000,0.6,0.1,0.75,0.95,11,8\n" * 2  # nobody speaks of this one
    )
    (source / "sentences.csv").write_text(
        f"\ufeff{SENTENCES}"
        '-one,902,0,"the man in red, on the left"\n'
        "two_,1000,7,the woman\n"
        "two_,1000,7,the woman with the hat\n"
        "two_,1000,7,the woman\n"
    )
    return source


def ava(source: Path, out: Path, *more: str, split: str = "val") -> list[str]:
    arguments = [str(source), "--out", str(out), "--ava", str(source / "ava.csv"), "--split", split]
    return [*arguments, "--sentences", str(source / "sentences.csv"), *more]


def test_avas_table_is_joined_with_sentences(tables: Path, out: Path, capsys: pytest.CaptureFixture) -> None:
    assert convert.main(ava(tables, out)) == 0
    red = Record("-one", 902, "0", "val", "the man in red, on the left", (12, 80), BOX, None, 45, 30.0)
    woman = Record("two_", 1000, "7", "val", "the woman", (11,), (0.5, 0.1, 0.75, 0.95), None, 45, 30.0)
    hat = Record("two_", 1000, "7", "val", "the woman with the hat", (11,), woman.box_xyxy, None, 45, 30.0)
    assert read_records(out / "val.jsonl") == [red, woman, hat]
    found = report(out, "val")
    assert (found["people"], found["sentences"], found["people_without_a_sentence"]) == (2, 3, 1)
    assert found["refused"] == 0 and found["labels"]["11"] == 1  # a person counts once, however often described
    assert "1  people of AVA's table have no sentence" in capsys.readouterr().out


def test_rows_that_cannot_be_used_are_refused_by_line(tables: Path, out: Path) -> None:
    with (tables / "ava.csv").open("a") as file:
        file.write(
            "-one,0902,0.1,0.2,0.3,0.9,12\n"  # 6: a column short
            "-one,soon,0.1,0.2,0.3,0.9,12,0\n"
            "-one,902,0.1,0.2,0.3,0.9,sit,1\n"
            "-one,902,0.1,0.2,0.3,0.9,12,2\n-one,902,0.1,0.2,0.4,0.9,14,2\n"
            "-one,902,0.1,0.2,wide,0.9,12,3\n"
            "-one,902,nan,0.2,0.3,0.9,12,4\n"
        )
    with (tables / "sentences.csv").open("a") as file:
        file.write("".join(f"-one,902.0,{person},the {person}th\n" for person in (1, 2, 3, 4, 5)))
        file.write("-one,902,0, \n-one,later,0,the man\n-one,902,0,the man, in red\n")
    assert convert.main(ava(tables, out)) == 0
    assert len(read_records(out / "val.jsonl")) == 3
    columns = "video_id,middle_frame_timestamp,x1,y1,x2,y2,action_id,person_id"
    assert reasons(out, "val") == {
        f"a row of ava.csv that is not {columns}": (2, ["ava.csv:6", "ava.csv:7"]),
        "with labels that are no list of ids": (1, ["-one___902___1"]),
        "with two boxes at one second in ava.csv": (1, ["-one___902___2"]),
        "with a key frame that does not start x1, y1, x2, y2": (2, ["-one___902___3", "-one___902___4"]),
        "without a row in ava.csv": (1, ["-one___902___5"]),
        "a row of sentences.csv with an empty sentence": (1, ["sentences.csv:11"]),
        "a row of sentences.csv without film, whole second and whole number of a person": (1, ["sentences.csv:12"]),
        "a row of sentences.csv with more or fewer columns than its header": (1, ["sentences.csv:13"]),
    }


def test_splits_of_earlier_runs_stay(tables: Path, out: Path) -> None:
    assert convert.main(ava(tables, out, split="train")) == 0
    (tables / "sentences.csv").write_text("sentence,note, person_id,timestamp,video\nthe child,new,8,1000,two_\n")
    assert convert.main(ava(tables, out, split="val")) == 0
    assert len(read_records(out / "train.jsonl")) == 3 and [r.sentence for r in read_records(out / "val.jsonl")] == [
        "the child"
    ]
    card = (out / "README.md").read_text()
    assert "| train | 2 | 2 | 2 | 3 | 0 |" in card and "| val | 1 | 1 | 1 | 1 | 0 |" in card
    assert "| 12 | stand | 1 | 0 |" in card and "| 11 | sit | 1 | 1 |" in card
    assert convert.main(ava(tables, out, split="train")) == 0  # again, from the shorter table
    assert report(out, "train")["people"] == 1 and report(out, "val")["people"] == 1


# ---- what is refused as a whole -----------------------------------------------------------------------------------
class Harm:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.target),)


def test_a_hostile_pickle_is_one_line_and_nothing_is_run_or_written(
    source: Path, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    pickles(source, "test", label={PEOPLE[0]: [Harm(tmp_path / "harmed")]})  # train is read before it, and is sound
    refuses(capsys, [source, "--out", out], "test_label.pkl: no pickle of plain data (it names ")
    assert not (tmp_path / "harmed").exists() and not out.exists()
    pickle.loads((source / "test_label.pkl").read_bytes())
    assert (tmp_path / "harmed").exists()  # it would have done harm


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda source: shutil.rmtree(source), "refava is no folder"),
        (lambda source: shutil.rmtree(source / "frames"), "frames is no folder"),
        (lambda source: [path.unlink() for path in source.glob("*.pkl")], "expected RefAVA's pickles"),
        (lambda source: (source / "train_label.pkl").unlink(), "train_label.pkl: cannot be read"),
        (lambda source: (source / "test_label.pkl").write_bytes(b"no\npickle"), "test_label.pkl: no pickle of plain"),
        (lambda source: [shutil.rmtree(film) for film in (source / "frames").iterdir()], "nothing of train, test can"),
    ],
)
def test_a_broken_folder_is_one_line_and_nothing_is_written(
    change: Any, message: str, source: Path, out: Path, capsys: pytest.CaptureFixture
) -> None:
    change(source)
    refuses(capsys, [source, "--out", out], message)
    assert not out.exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("sentences.csv", b"", "needs a header with video,timestamp,person_id,sentence"),
        ("sentences.csv", b"video,timestamp,sentence\n", "look at person_id"),
        ("sentences.csv", b"\xff\xfe\x00", "sentences.csv: no CSV file in UTF-8"),
        ("sentences.csv", SENTENCES.encode(), "nothing of val can be used"),
        ("ava.csv", b"", "ava.csv has no row of AVA's table"),
        ("ava.csv", SENTENCES.encode(), "ava.csv has no row of AVA's table"),
        ("ava.csv", b'"' + b"x" * 200_000 + b'"', "ava.csv: no CSV file in UTF-8 (field larger"),
        ("ava.csv", None, "ava.csv: cannot be read"),
    ],
)
def test_a_broken_table_is_one_line_and_nothing_is_written(
    name: str, content: bytes | None, message: str, tables: Path, out: Path, capsys: pytest.CaptureFixture
) -> None:
    (tables / name).unlink()
    if content is not None:
        (tables / name).write_bytes(content)
    refuses(capsys, ava(tables, out), message)
    assert not out.exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--ava", "a.csv", "--split", "val"], "--ava and --sentences belong together"),
        (["--sentences", "s.csv"], "--ava and --sentences belong together"),
        (["--ava", "a.csv", "--sentences", "s.csv"], "--ava needs --split"),
        (["--split", "samples"], "invalid choice"),
    ],
)
def test_options_that_do_not_go_together_are_one_line(
    more: list[str], message: str, source: Path, out: Path, capsys: pytest.CaptureFixture
) -> None:
    refuses(capsys, [source, "--out", out, *more], message)


def test_data_of_other_making_is_not_written_over(source: Path, out: Path, capsys: pytest.CaptureFixture) -> None:
    write_records(out / "train.jsonl", [])
    refuses(capsys, [source, "--out", out], "holds train.jsonl that training.convert did not write")
    assert (out / "train.jsonl").read_text() == "" and len(list(out.iterdir())) == 1
    for text, message in (
        ("{", "is damaged"),
        ('{"made_by": "me"}', "is not of training.convert"),
        ('{"splits": {}}', "is not as training.convert writes it"),
        ('{"made_by": "training.convert", "splits": {"train": {"people": 3}}}', "is not as training.convert writes it"),
        ('{"made_by": "training.convert", "splits": []}', "is not as training.convert writes it"),
    ):
        (out / "report.json").write_text(text)
        refuses(capsys, [source, "--out", out], message)
    refuses(capsys, [source, "--out", source / "test_label.pkl"], "is no folder; expected one to write to")


def test_other_frames_are_not_replaced(source: Path, out: Path, capsys: pytest.CaptureFixture) -> None:
    (out / "frames").mkdir(parents=True)
    refuses(capsys, [source, "--out", out], "nor a link to it")
    (out / "frames").rmdir()
    (out / "frames").symlink_to(out / "nowhere")
    refuses(capsys, [source, "--out", out], "nor a link to it")
    assert len(list(out.iterdir())) == 1


def test_a_full_disk_leaves_what_was_there(
    source: Path, out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    assert convert.main([str(source), "--out", str(out), "--split", "test"]) == 0
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    capsys.readouterr()

    def full(path: Path, records: list[Record]) -> None:
        if path.name == "test.jsonl":  # after train's
            raise OSError(28, "No space left on device", str(path))
        write_records(path, records)

    monkeypatch.setattr(convert, "write_records", full)
    refuses(capsys, [source, "--out", out], "No space left on device")
    assert before == {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
