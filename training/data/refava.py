"""RefAVA++'s form, written from our records; ``refatomnet.refava`` says how it looks, and reads it.

Sentences that fit nobody, and people without a label, have no place in this form.
"""

import math
import os
import pickle
import shutil
from pathlib import Path

import cv2

from refatomnet.records import FILM_FPS, FILM_FRAMES, Record, film_frame, film_start, read_records
from refatomnet.refava import KEY_FRAME, PARTS, pickle_path
from training.data.clips import read_clip
from training.data.records import sweep

JPEG_QUALITY = 92


def write_refava(data: Path, split: str) -> int:
    """Write a split of our form in RefAVA++'s, to the folder "refava" within the data; returns the number of people.

    Frames of clips that have not changed are kept. Other splits in the folder stay.
    """
    out = data / "refava"
    (out / "frames").mkdir(parents=True, exist_ok=True)
    sweep(out / "frames")
    tables: dict[str, dict[str, list]] = {part: {} for part in PARTS}
    clips: dict[str, Record] = {}
    for record in read_records(data / f"{split}.jsonl"):
        if record.box_xyxy is None or not record.actions:
            continue
        key = f"{record.video}___{record.timestamp}___{record.person_id}"
        tables["keyframe"][key], tables["label"][key] = [list(record.box_xyxy)], list(record.actions)
        tables["description"].setdefault(key, []).append(record.sentence)
        clips[record.video] = record
    for record in clips.values():
        _write_frames(data, out, record)
    for part, table in tables.items():
        path = pickle_path(out, split, part)
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        partial.write_bytes(pickle.dumps(table, protocol=4))
        partial.replace(path)
    return len(tables["label"])


def _write_frames(data: Path, out: Path, record: Record) -> None:
    """The 3 s around the key frame at 30 frames a second; a frame shown several times is one file with several names.

    One frame more than 90 is written, for readers that number from 1: they begin a frame later.
    """
    clip, start = data / str(record.clip), film_start(record.timestamp)
    final = film_frame(out, record.video, start).parent
    if final.exists() and final.stat().st_mtime_ns >= clip.stat().st_mtime_ns:
        return
    images = read_clip(clip)
    names: dict[int, Path] = {}
    partial = final.with_name(f".{final.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # of an earlier process of this number
    partial.mkdir()
    try:
        for j in range(FILM_FRAMES + 1):
            place = record.key_frame + math.floor((j - KEY_FRAME) * record.fps / FILM_FPS)
            index = min(max(place, 0), len(images) - 1)
            path = partial / film_frame(out, record.video, start + j).name
            if index in names:
                _link(names[index], path)
            else:
                quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
                path.write_bytes(cv2.imencode(".jpg", images[index][..., ::-1], quality)[1].tobytes())
                names[index] = path
        shutil.rmtree(final, ignore_errors=True)
        partial.replace(final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _link(source: Path, path: Path) -> None:
    try:
        os.link(source, path)
    except OSError:  # a file system without links
        shutil.copyfile(source, path)
