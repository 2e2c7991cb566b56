"""A rendered scene as plain JSON: the scene line of its clip, and its records."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from refatomnet.errors import DataError
from refatomnet.records import Record
from training.data.synthetic.facts import Look, Person, Scene, Thing
from training.data.synthetic.language.sentences import Described

TIMESTAMP = 902  # seconds; the first at which AVA's films are labelled
MIN_HIDDEN = 0.005


def rounded_box(box: np.ndarray) -> list[float] | None:
    return [round(min(max(float(v), 0.0), 1.0), 5) for v in box] if np.isfinite(box).all() else None


def scene_line(scene: Scene, clip: str) -> dict[str, Any]:
    """What is true of a clip: see ``training.data.records.read_scenes``."""
    height, width = scene.frames.shape[1:3]
    return {
        "clip": clip,
        "size": [width, height],
        "frames": len(scene.frames),
        "key_frame": int(scene.key_frame),
        "fps": float(scene.fps),
        "people": [_person(person, i, scene) for i, person in enumerate(scene.people)],
        "things": [
            {"name": t.name, "colour": t.colour, "boxes_xyxy": [rounded_box(b) for b in t.boxes_xyxy]}
            | ({} if t.depth is None else {"depth": round(float(t.depth), 3)})
            for t in scene.things
        ],
        "place": scene.place,
        "tags": list(scene.tags),
    }


def _person(person: Person, i: int, scene: Scene) -> dict[str, Any]:
    line: dict[str, Any] = {
        "person_id": str(i),
        "boxes_xyxy": [rounded_box(b) for b in person.boxes_xyxy],
        "full_boxes_xyxy": [rounded_box(b) for b in person.full_boxes_xyxy],
        "visible": [round(float(v), 4) if np.isfinite(v) else 0.0 for v in person.visible],
        "actions": [int(a) for a in person.actions],
        "look": {k: v.item() if isinstance(v, np.generic) else v for k, v in asdict(person.look).items()},
        "facing": person.facing,
        "posture": person.posture,
        "depth": round(float(person.depth), 3),
        "holding": person.holding,
    }
    if person.hidden_by is not None:
        names = [*(str(k) for k in range(len(scene.people))), "things"]
        line["hidden_by"] = [
            {name: round(float(v), 3) for name, v in zip(names, row, strict=True) if v > MIN_HIDDEN}
            for row in person.hidden_by
        ]
    if person.joints_xy is not None:
        line["joints_xy"] = [[_point(xy) for xy in row] for row in person.joints_xy]
    if person.joints_seen is not None:
        line["joints_seen"] = [[int(seen) for seen in row] for row in person.joints_seen]
    return line


def scene_of(line: dict[str, Any]) -> Scene:
    """The scene that a line tells of, to write sentences from; its frames are of the right shape, and empty.

    Raises:
        DataError: If the line lacks what sentences need, as those of other data may.
    """
    try:
        count, (width, height) = int(line["frames"]), line["size"]
        people = tuple(_person_of(person, len(line["people"])) for person in line["people"])
        things = tuple(
            Thing(t["name"], t["colour"], _rows(t["boxes_xyxy"], 4), t.get("depth")) for t in line.get("things", ())
        )
        frames = np.broadcast_to(np.uint8(0), (count, int(height), int(width), 3))
        return Scene(
            frames, line["fps"], line["key_frame"], people, things, line.get("place", ""), tuple(line.get("tags", ()))
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"the scene of {line.get('clip')} lacks facts that sentences need ({type(error).__name__}: {error}); "
            "make its clip anew"
        ) from error


def _person_of(line: dict[str, Any], count: int) -> Person:
    hidden = None
    if "hidden_by" in line:
        names = [*(str(k) for k in range(count)), "things"]
        hidden = np.array([[row.get(name, 0.0) for name in names] for row in line["hidden_by"]], float)
    joints, seen = line.get("joints_xy"), line.get("joints_seen")
    return Person(
        Look(**line["look"]),
        _rows(line["boxes_xyxy"], 4),
        _rows(line["full_boxes_xyxy"], 4),
        np.array(line["visible"], float),
        float(line["depth"]),
        line["facing"],
        tuple(line["actions"]),
        line["posture"],
        line["holding"],
        None if joints is None else np.array([_rows(row, 2) for row in joints]),
        None if seen is None else np.array(seen, bool),
        hidden,
    )


def _rows(rows: list[list[float] | None], width: int) -> np.ndarray:
    """Numbers with NaN for what is null (n, width)."""
    return np.array([[np.nan] * width if row is None else row for row in rows], float).reshape(-1, width)


def _point(xy: np.ndarray) -> list[float] | None:
    return [round(float(v), 4) for v in xy] if np.isfinite(xy).all() else None


def records_of(scene: Scene, described: Iterable[Described], *, video: str, split: str, clip: str) -> list[Record]:
    """The records of a scene; sentences that fit nobody get person ids "absent0", "absent1", …"""
    records, absent = [], 0
    for said in described:
        person = None if said.person_index is None else scene.people[said.person_index]
        name = f"absent{absent}" if person is None else str(said.person_index)
        absent += person is None
        box = None if person is None else rounded_box(person.boxes_xyxy[scene.key_frame])
        records.append(
            Record(
                video=video,
                timestamp=TIMESTAMP,
                person_id=name,
                split=split,
                sentence=said.sentence,
                actions=() if person is None else tuple(int(a) for a in person.actions),
                box_xyxy=None if box is None else (box[0], box[1], box[2], box[3]),
                clip=clip,
                key_frame=int(scene.key_frame),
                fps=float(scene.fps),
                extra={"kind": said.kind, "hard": bool(said.hard), **({"parts": said.parts} if said.parts else {})},
            )
        )
    return records
