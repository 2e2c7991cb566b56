"""RefAVA++'s form: round trip, joining by key, what is refused, and pickles that mean harm."""

import os
import pickle
import shutil
from collections import OrderedDict, defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from refatomnet.config import ModelConfig
from refatomnet.errors import DataError
from refatomnet.records import Record
from refatomnet.refava import Report, read_pickle, read_refava, read_split
from training.data.clips import read_clip, read_model_frames
from training.data.records import write_records
from training.data.refava import write_refava
from training.generate import write_clip

BOX = (0.1, 0.2, 0.3, 0.9)
RECORD = Record("v-1", 902, "0", "test", "the man in red", (12, 80), BOX, "clips/test/0.mp4", 9, 6.0, {"kind": "looks"})


def save(folder: Path, split: str = "test", **tables: Any) -> None:
    for part in ("keyframe", "label", "description"):
        (folder / f"{split}_{part}.pkl").write_bytes(pickle.dumps(tables[part]))


def tables(*people: str) -> dict[str, dict[str, list]]:
    return {
        "keyframe": {key: [[*BOX, 7]] for key in people},
        "label": {key: [12, 80] for key in people},
        "description": {key: ["the man in red"] for key in people},
    }


def nested() -> list:
    """A list that holds itself."""
    endless: list = []
    endless.append(endless)
    return endless


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """A clip whose frames get brighter, two people described, a sentence about nobody, and a person without label."""
    images = [np.full((96, 128, 3), 10 + 12 * i, np.uint8) for i in range(18)]
    write_clip(tmp_path / RECORD.clip, np.stack(images), 6.0)  # type: ignore[operator]
    other = replace(RECORD, person_id="1", sentence="the woman", box_xyxy=(0.5, 0.1, 0.7, 0.95), actions=(11,))
    absent = replace(RECORD, person_id="absent0", sentence="the dragon here", box_xyxy=None, actions=())
    unlabelled = replace(RECORD, person_id="2", actions=())
    records = [RECORD, other, absent, replace(RECORD, sentence="the man on the left"), unlabelled]
    write_records(tmp_path / "test.jsonl", records)
    return tmp_path


def test_what_is_written_is_read_again(ours: Path) -> None:
    assert write_refava(ours, "test") == 2
    found = read_split(ours / "refava", "test")
    expected = [r for r in read_split(ours, "test") if r.box_xyxy and r.actions]
    assert len(found) == len(expected) == 3

    def facts(records: list[Record]) -> set[tuple]:
        return {(r.video, r.timestamp, r.person_id, r.split, r.sentence, r.actions, r.box_xyxy) for r in records}

    assert facts(found) == facts(expected)
    assert {(r.clip, r.key_frame, r.fps) for r in found} == {(None, 45, 30.0)}
    with (ours / "refava" / "test_description.pkl").open("rb") as file:
        assert pickle.load(file)["v-1___902___0"] == ["the man in red", "the man on the left"]


def test_its_frames_are_the_clips_at_30_a_second(ours: Path) -> None:
    write_refava(ours, "test")
    folder = ours / "refava" / "frames" / "v-1"
    start = (902 - 900) * 30 - 45
    assert sorted(path.name for path in folder.iterdir()) == [f"image_{start + j:06d}.jpg" for j in range(91)]
    images = read_clip(ours / RECORD.clip)  # type: ignore[operator]
    for j in range(90):
        shown = cv2.imread(str(folder / f"image_{start + j:06d}.jpg")).mean()
        assert abs(shown - images[j // 5].mean()) < 3, j  # each frame of six a second five times; steps are of 12
    record = read_split(ours / "refava", "test")[0]
    for theirs, own in zip(
        read_model_frames(ours / "refava", record, ModelConfig()),
        read_model_frames(ours, RECORD, ModelConfig()),
        strict=True,
    ):
        assert abs(theirs.mean() - own.mean()) < 3  # the model sees the same moments of either form
    left = folder.with_name(f".v-1.{os.getpid()}.partial")  # of a killed process of our number
    left.mkdir()
    (left / "old").touch()
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    write_refava(ours, "test")
    assert before == {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    shutil.rmtree(folder)
    write_refava(ours, "test")
    assert len(list(folder.iterdir())) == 91 and not left.exists()
    (folder / f"image_{start + 45:06d}.jpg").unlink()
    with pytest.raises(DataError, match=r"image_000060\.jpg is missing"):
        read_model_frames(ours / "refava", record, ModelConfig())


def test_a_split_of_nobody_is_written_too(tmp_path: Path) -> None:
    write_records(tmp_path / "val.jsonl", [])
    assert write_refava(tmp_path, "val") == 0 and (tmp_path / "refava/val_label.pkl").exists()


def test_clips_that_cannot_be_shown_are_named(ours: Path) -> None:
    with pytest.raises(DataError, match="has 18 frames, its record's key frame is 18"):
        read_model_frames(ours, replace(RECORD, key_frame=18), ModelConfig())
    for content in (b"", b"no film" * 99):
        (ours / "clips/test/1.mp4").write_bytes(content)
        with pytest.raises(DataError, match=r"1\.mp4 cannot be read"):
            read_clip(ours / "clips/test/1.mp4")
    late = replace(RECORD, clip=None, key_frame=45, timestamp=902.5)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"image_0000\d\d\.jpg is missing"):
        read_model_frames(ours, late, ModelConfig())


def test_files_are_joined_by_key_never_by_order(tmp_path: Path) -> None:
    keys = ["a___902___0", "b___1000___7", "a___902___1"]
    made = tables(*keys)
    for i, key in enumerate(keys):
        made["keyframe"][key], made["label"][key], made["description"][key] = [[0.1 * i, 0, 1, 1]], [i + 1], [key]
    for order, part in zip(((2, 0, 1), (1, 2, 0), (0, 1, 2)), made, strict=True):
        made[part] = {keys[i]: made[part][keys[i]] for i in order}
    save(tmp_path, **made)
    for record in read_refava(tmp_path, "test"):
        i = keys.index(record.sentence)
        assert f"{record.video}___{record.timestamp}___{record.person_id}" == keys[i]
        assert record.actions == (i + 1,) and record.box_xyxy == (pytest.approx(0.1 * i), 0, 1, 1)


def test_arrays_of_numpy_are_plain_data(tmp_path: Path) -> None:
    made: dict[str, Any] = tables("a___902___0")
    made["keyframe"]["a___902___0"] = [np.array([*BOX, 3.0])]
    made["label"] = defaultdict(list, {"a___902___0": [np.int64(80), np.float64(12.0)]})
    said = np.array([[np.str_("the man in red")], ["the man"]])
    made["description"] = OrderedDict({"a___902___0": said[:, 0]})
    for protocol in (0, 2, 4, 5):
        for boxes in (
            [np.array([*BOX, 3.0])],
            np.array([BOX, BOX], ">f8", order="F"),
            np.array([[*BOX, "x"], [7]], dtype=object),
        ):
            made["keyframe"]["a___902___0"] = boxes
            for part in made:
                (tmp_path / f"test_{part}.pkl").write_bytes(pickle.dumps(made[part], protocol))
            record, again = read_refava(tmp_path, "test")
            assert record.box_xyxy == again.box_xyxy == BOX and record.actions == (12, 80)
            assert (record.sentence, again.sentence) == ("the man in red", "the man")


def test_a_films_name_may_end_in_underscores(tmp_path: Path) -> None:
    save(tmp_path, **tables("a___b____902___0"))
    (record,) = read_refava(tmp_path, "test")
    assert (record.video, record.timestamp, record.person_id) == ("a___b_", 902, "0")


@pytest.mark.parametrize(
    ("key", "change", "reason"),
    [
        ("a___902___0", {"label": None}, "without label"),
        ("a___902___0", {"keyframe": None, "description": None}, "without keyframe and description"),
        ("a_902_0", {}, "not of the form"),
        ("a___soon___0", {}, "no whole second"),
        ("a___" + "9" * 5000 + "___0", {}, "no whole second"),
        ("../a___902___0", {}, "name is a path"),
        ("a___901___0", {}, "begin before the first frame"),
        ("a___902___0", {"label": []}, "without any label"),
        ("a___902___0", {"label": [0]}, "1 to 80"),
        ("a___902___0", {"label": ["stand"]}, "no list of ids"),
        ("a___902___0", {"label": [10**400]}, "no list of ids"),
        ("a___902___0", {"label": nested()}, "no list of ids"),
        ("a___902___0", {"keyframe": nested()}, "does not start x1"),
        ("a___902___0", {"keyframe": [0.1, 0.2, 0.3, 0.9]}, "does not start x1"),
        ("a___902___0", {"keyframe": [[0.3, 0.2, 0.1, 0.9]]}, "empty box"),
        ("a___902___0", {"keyframe": [[0.3, 0.2, 1.5, 0.9]]}, "leaves the frame"),
        ("a___902___0", {"description": []}, "no list of sentences"),
        ("a___902___0", {"description": ["  "]}, "sentence"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_key(tmp_path: Path, key: str, change: dict, reason: str) -> None:
    made = tables("good___950___0", key)
    for part, value in change.items():
        if value is None:
            del made[part][key]
        else:
            made[part][key] = value
    save(tmp_path, **made)
    with pytest.raises(DataError, match=reason) as error:
        read_refava(tmp_path, "test")
    assert key in str(error.value) and "1 people read, 1 refused" in str(error.value)
    report = Report()
    assert [r.video for r in read_refava(tmp_path, "test", report)] == ["good"]
    assert report.people == 1 and sum(map(len, report.refused.values())) == 1


def test_pixels_are_told_from_fractions(tmp_path: Path) -> None:
    made = tables("a___902___0", "b___902___0", "c___902___0")
    made["keyframe"] = {
        "a___902___0": [[20, 10, 100, 50]],
        "b___902___0": [[0, 0, 1, 1]],
        "c___902___0": [[9, 9, 70, 80]],
    }
    save(tmp_path, **made)
    (tmp_path / "frames/a").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "frames/a/image_000060.jpg"), np.zeros((100, 200, 3), np.uint8))
    report = Report()
    (record,) = read_refava(tmp_path, "test", report)
    assert record.box_xyxy == (0.1, 0.1, 0.5, 0.5)
    assert {reason.split(" ", 2)[2][:24]: keys for reason, keys in report.refused.items()} == {
        "box that may be in fract": ["b___902___0"],  # ambiguous
        "box in pixels and no pic": ["c___902___0"],
    }


def test_later_entries_of_a_description_may_be_no_sentences(tmp_path: Path) -> None:
    made = tables("a___902___0")
    made["description"]["a___902___0"] = ["the man in red", " ", 7, "the man"]
    save(tmp_path, **made)
    assert [record.sentence for record in read_refava(tmp_path, "test")] == ["the man in red", "the man"]


def test_detectors_boxes_may_leave_the_frame_a_little(tmp_path: Path) -> None:
    made = tables("a___902___0")
    made["keyframe"]["a___902___0"] = [[-0.004, 0.1, 0.5, 1.003]]
    save(tmp_path, **made)
    assert read_refava(tmp_path, "test")[0].box_xyxy == (0.0, 0.1, 0.5, 1.0)


# ---- hostile and broken files -------------------------------------------------------------------------------------
class Harm:
    def __init__(self, call: Any, *arguments: Any) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple:
        return self.call, self.arguments


@pytest.mark.parametrize("part", ["keyframe", "label", "description"])
def test_a_hostile_pickle_is_refused_and_not_run(tmp_path: Path, part: str) -> None:
    target = tmp_path / "harmed"
    for harm in (Harm(os.mkdir, str(target)), Harm(eval, f"__import__('os').mkdir({str(target)!r})")):
        made: dict[str, Any] = tables("a___902___0")
        made[part]["a___902___0"] = [harm]
        save(tmp_path, **made)
        with pytest.raises(DataError, match="neither a plain container nor an array"):
            read_refava(tmp_path, "test")
        assert not target.exists()
        pickle.loads((tmp_path / f"test_{part}.pkl").read_bytes())  # it would have done harm
        target.rmdir()


class ForgedArray:
    """Eight bytes that claim to be the address of an object, of a type that claims to hold none."""

    def __reduce__(self) -> tuple:
        return np.zeros(1).__reduce_ex__(5)[0], (b"ABCDEFGH", ForgedType(), (1,), "C")


class ForgedType:
    def __reduce__(self) -> tuple:
        return np.dtype, ("V8", False, True), (3, "|", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 1, 0)


def test_a_forged_array_is_refused_before_its_memory_is_touched(tmp_path: Path) -> None:
    made: dict[str, Any] = tables("a___902___0")
    made["label"]["a___902___0"] = ForgedArray()
    save(tmp_path, **made)
    with pytest.raises(DataError, match="dtype 'V8'"):
        read_pickle(tmp_path / "test_label.pkl")  # read_refava would look at the object, and Python end


def test_a_pickle_changes_nothing_it_names(tmp_path: Path) -> None:
    function = np.zeros(1).__reduce_ex__(5)[0]
    named = f"{function.__module__}\n{function.__name__}\n".encode()
    (tmp_path / "x.pkl").write_bytes(b"\x80\x02c" + named + b"}X\x05\x00\x00\x00addedK\x01sb.")
    with pytest.raises(DataError, match="holds function"):
        read_pickle(tmp_path / "x.pkl")
    assert not hasattr(function, "added")


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no split 'test'"):
        read_split(tmp_path, "test")
    save(tmp_path, **tables("a___902___0"))
    (tmp_path / "test_label.pkl").unlink()
    with pytest.raises(DataError, match=r"test_label\.pkl: cannot be read"):
        read_split(tmp_path, "test")
    for content, message in (
        (b"no pickle", "no pickle of plain data"),
        (pickle.dumps([1]), "holds list"),
        (pickle.dumps({1: 1}), "no texts"),
    ):
        (tmp_path / "test_label.pkl").write_bytes(content)
        with pytest.raises(DataError, match=message):
            read_split(tmp_path, "test")
    save(tmp_path, **tables())
    with pytest.raises(DataError, match="0 people read"):
        read_refava(tmp_path, "test")
    assert read_refava(tmp_path, "test", Report()) == []
