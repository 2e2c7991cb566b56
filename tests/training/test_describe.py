"""Statistics and contact sheets of a few painted clips, with scenes, without, and without clips."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

from refatomnet.records import Record, read_records
from training import describe
from training.data.records import write_records, write_scenes
from training.data.statistics import gather, in_view
from training.generate import write_clip

BOX = [0.25, 0.25, 0.5, 0.75]
LOOK = {"sex": "man", "age": "old", "top": "shirt", "top_colour": "red", "pattern": "striped", "sleeves": "short"}
LOOK |= {"pattern_colour": "blue", "hat": "grey", "hat_kind": "beanie"}


def person(name: str, box: list[float] | None, *, actions: list[int], visible: float = 1.0) -> dict:
    boxes = [None] * 9 + [box] * 9
    return {
        "person_id": name, "boxes_xyxy": boxes, "full_boxes_xyxy": boxes, "visible": [visible] * 18, "look": LOOK,
        "actions": actions, "facing": "left", "posture": "sitting", "depth": 3.0, "holding": "cup",
    }  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Six clips of a person who sits and drinks, one in view of whom nothing is said, and one hardly to be seen."""
    records, scenes = [], []
    for number in range(6):
        clip = f"clips/test/{number:06d}.mp4"
        write_clip(tmp_path / clip, np.full((18, 96, 128, 3), 200, np.uint8), 6.0)
        people = [person("0", BOX, actions=[11, 27]), person("1", [0.6, 0.1, 0.9, 0.9], actions=[12])]
        people += [person("2", [0.1, 0.1, 0.2, 0.9], actions=[12], visible=0.1), person("3", None, actions=[12])]
        thing = {"name": "sofa", "colour": None, "boxes_xyxy": [None] * 9 + [BOX] * 9}
        about = {"clip": clip, "size": [128, 96], "frames": 18, "key_frame": 9, "fps": 6.0, "place": "room"}
        scenes.append({**about, "people": people, "things": [thing]})
        x1, y1, x2, y2 = BOX
        said = Record(f"v{number}", 902, "0", "test", "the man in red", (11, 27), (x1, y1, x2, y2), clip, 9, 6.0)
        said = replace(said, extra={"kind": "clothes", "hard": True})
        absent = replace(said, person_id="absent0", sentence="the blue dragon", actions=(), box_xyxy=None)
        records += [said, replace(said, sentence="the seated man"), absent]
    write_records(tmp_path / "test.jsonl", records)
    write_scenes(tmp_path / "scenes" / "test.jsonl", scenes)
    return tmp_path


def test_statistics_count_people_once_and_only_those_in_view(data: Path) -> None:
    from training.data.records import read_scenes

    records, scenes = read_records(data / "test.jsonl"), read_scenes(data / "scenes/test.jsonl")
    found = gather(records, scenes.values())
    assert (found.clips, found.people, found.sentences, found.absent, found.hard, found.distinct) == (
        6,
        6,
        18,
        6,
        18,
        3,
    )
    assert found.labels == {11: 6, 27: 6} and found.labels_each == {2: 6}
    assert found.people_each == {2: 6} and found.looks["pattern"] == {"striped": 12} and found.things == {"sofa": 6}
    assert found.words["dragon"] == 6 and sorted(set(found.lengths)) == [3, 4]
    assert found.boxes.shape == (6, 4) and found.visible.tolist() == [1.0] * 6
    people = next(iter(scenes.values()))["people"]
    assert [in_view(p, 9) for p in people] == [True, True, False, False] and not in_view(people[0], 0)
    alone = gather(records)
    assert alone.clips == 6 and not alone.people_each and not len(alone.visible)


def test_sheets_show_boxes_labels_and_sentences(data: Path, capsys: pytest.CaptureFixture) -> None:
    assert describe.main([str(data), "--clips", "5", "--seed", "1"]) == 0
    text = capsys.readouterr().out
    assert "6 clips, 6 people described, 18 sentences, 3 distinct, 2.00 a person; 6 fit nobody" in text
    assert "11 sit 6, 27 drink 6" in text and "people in view a clip: 2 6 (100%)" in text
    out = data / "described" / "test"
    assert sorted(path.name for path in out.iterdir()) == ["sheet-01.png", "sheet-02.png", "statistics.png"]
    with Image.open(out / "sheet-01.png") as sheet:
        picture = np.asarray(sheet.convert("RGB")).astype(int)
    width, height = 440, 330  # the key frame as shown, at the first cell's corner
    left, top = (describe.GAP + round(BOX[0] * (width - 1)), describe.GAP + round(0.5 * height))
    red = np.array(ImageColor.getrgb(describe.COLOURS[0]))
    assert np.abs(picture[top, left] - red).max() == 0  # the box's side, at its half height
    assert np.abs(picture[top, left - 8] - 200).max() < 8  # the clip's own grey beside it
    assert describe.main([str(data), "--clips", "1"]) == 0
    assert not (out / "sheet-02.png").exists()  # nothing of the earlier look stays


def test_lines_tell_what_is_claimed(data: Path) -> None:
    from training.data.records import read_scenes

    records = [r for r in read_records(data / "test.jsonl") if r.video == "v0"]
    lines = describe._lines(records, read_scenes(data / "scenes/test.jsonl")["clips/test/000000.mp4"])
    text = " ".join(" ".join(line for _, line in lines).split())
    assert "0 SIT; DRINK | old man, red shirt striped blue (short sleeves)," in text and "sitting facing left" in text
    assert "holding cup, 100% seen, 3.0 m “the man in red” [clothes] [hard]" in text
    assert "1 STAND |" in text and "nobody: “the blue dragon”" in text
    assert all(describe._font(12).getlength(line) <= describe.CELL for _, line in lines)
    broken = describe._lines([replace(records[0], sentence="the man\nin\tred")], None)
    assert "“the man in red”" in broken[-1][1]  # each line has its own height
    plain = " ".join(line for _, line in describe._lines(records, None))
    assert "0  SIT; DRINK" in plain and "STAND" not in plain


def test_a_broken_clip_is_told_in_its_cell(data: Path) -> None:
    (data / "clips/test/000000.mp4").write_bytes(b"no film")
    record = read_records(data / "test.jsonl")[0]
    whole = describe.clip_cell(data, [replace(record, clip="clips/test/000001.mp4")], None)
    assert describe.clip_cell(data, [record], None).height < whole.height  # no frames


def test_objects_as_frequent_as_each_other_are_in_order(data: Path) -> None:
    names = [f"thing {i:02d}" for i in range(40)]
    things = [{"name": name, "boxes_xyxy": [BOX] * 18} for name in names]
    scene = {"clip": "a", "key_frame": 9, "people": [{"person_id": "0", "boxes_xyxy": [BOX] * 18, "visible": [1] * 18}]}
    found = gather([], [scene | {"things": things}])
    assert [name for name, _ in found.things.most_common(30)] == names[:30]  # not as strings happen to be hashed
    assert found.people_each == {1: 1} and not found.looks  # of somebody whose looks are not told


def test_records_alone_are_shown(data: Path, capsys: pytest.CaptureFixture) -> None:
    (data / "scenes" / "test.jsonl").unlink()
    for path in (data / "clips").rglob("*.mp4"):
        path.unlink()
    assert describe.main([str(data), "--out", str(data / "look")]) == 0
    assert "objects in view, clips: –" in capsys.readouterr().out
    assert (data / "look" / "sheet-01.png").exists()


def test_bad_arguments_are_one_line(data: Path, capsys: pytest.CaptureFixture) -> None:
    for arguments, message in (
        ([str(data), "--split", "none"], "has no split 'none'"),
        ([str(data), "--clips", "-1"], "--clips must be at least 0"),
        ([], "required: DIR"),
    ):
        assert describe.main(arguments) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ") and message in line
