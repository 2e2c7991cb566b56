"""Writing records, and scene files, one line a clip; how records are read, the package says."""

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from refatomnet.errors import DataError
from refatomnet.records import Record, is_inside, is_number, read_lines

PARAPHRASE = "_paraphrase"  # of a split described again in other words


def write_records(path: str | Path, records: Iterable[Record]) -> None:
    """Write records, one JSON line each; the file appears whole or not at all."""
    write_json_lines(path, (record.to_dict() for record in records))


def scenes_path(data: str | Path, split: str) -> Path:
    """Where the scene lines of a split lie; "test_paraphrase" tells of the clips of "test"."""
    return Path(data) / "scenes" / f"{split.removesuffix(PARAPHRASE)}.jsonl"


def scene_lines(path: str | Path, *, joints: bool = False) -> Iterator[dict[str, Any]]:
    """One scene after another, as :func:`read_scenes` gives them all; joints, the bulk of it, only when asked for.

    Raises:
        DataError: Naming file and line, if a line is not such an object or a clip comes twice.
    """
    seen: set[str] = set()
    for where, line in read_lines(path):
        if not isinstance(line, dict) or not is_inside(line.get("clip")) or not isinstance(line.get("people"), list):
            raise DataError(f'{where}: a scene needs "clip", a path within the folder, and "people", a list')
        key = line.get("key_frame")
        if type(key) is not int or key < 0 or not all(_is_told(person, key) for person in line["people"]):
            raise DataError(
                f'{where}: a scene needs "key_frame", and of every person "person_id", and "boxes_xyxy" and "visible" '
                "of as many frames, that one included"
            )
        if line["clip"] in seen:
            raise DataError(f"{where}: clip {line['clip']} was described before; one line a clip is expected")
        seen.add(line["clip"])
        for person in line["people"]:
            if not joints:
                person.pop("joints_xy", None)
                person.pop("joints_seen", None)
        yield line


def _is_told(person: Any, key_frame: int) -> bool:
    """Whether a scene says of this person what everybody who reads it needs."""
    if not isinstance(person, dict) or not isinstance(person.get("person_id"), str):
        return False
    boxes, visible = person.get("boxes_xyxy"), person.get("visible")
    return (
        isinstance(boxes, list)
        and isinstance(visible, list)
        and len(boxes) == len(visible) > key_frame
        and all(box is None or (isinstance(box, list) and len(box) == 4 and all(map(is_number, box))) for box in boxes)
        and all(map(is_number, visible))
    )


def read_scenes(path: str | Path, *, joints: bool = False) -> dict[str, dict[str, Any]]:
    """Scene lines of ``scenes/{split}.jsonl`` by clip path.

    Each holds "clip", "size" (width and height in pixels), "frames", "key_frame", "fps", "people", "things" ("name",
    "colour", "boxes_xyxy", "depth" in metres), "place" and "tags". Of every person: "person_id", "boxes_xyxy" (tight on
    what is seen) and "full_boxes_xyxy" (the whole body), both per frame [x1, y1, x2, y2] fractions or null, "visible"
    (share, per frame), "actions", "look", "facing", "posture", "depth", "holding"; "hidden_by" (per frame, share of the
    body by the id of the person in front, or "things"); "joints_xy" (per frame and joint [x, y] or null) and
    "joints_seen" (per frame and joint 0 or 1), when asked for. Lines of older data lack some.

    Raises:
        DataError: Naming file and line, if a line is not such an object or a clip comes twice.
    """
    return {line["clip"]: line for line in scene_lines(path, joints=joints)}


def write_scenes(path: str | Path, scenes: Iterable[dict]) -> None:
    """Write scene lines; the file appears whole or not at all."""
    write_json_lines(path, scenes)


def write_json_lines(path: str | Path, lines: Iterable[dict]) -> None:
    """Write objects, one JSON line each; the file appears whole or not at all."""
    write_text(path, (json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines))


def read_object(path: str | Path) -> dict[str, Any]:
    """The JSON object a file holds.

    Raises:
        DataError: If it holds anything else.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is damaged ({error}); delete it and make it again") from error
    if not isinstance(found, dict):
        raise DataError(f"{path} is damaged (no JSON object); delete it and make it again")
    return found


def sweep(folder: Path) -> None:
    """Remove what killed processes left half written; what is younger than an hour another may be at."""
    for path in folder.glob(".*.partial*"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - 3600:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def write_text(path: str | Path, text: str | Iterable[str]) -> None:
    """Write a file by way of a neighbour and a rename, so that no reader sees half of it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.writelines([text] if isinstance(text, str) else text)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
