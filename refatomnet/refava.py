"""RefAVA++'s form: three pickles a split and numbered frames, read with care.

``{split}_{keyframe,label,description}.pkl`` are dicts keyed ``<video>___<timestamp>___<person id>``. label: a list of
AVA ids from 1. keyframe: a list whose first entry starts x1, y1, x2, y2. description: a list whose first entry is the
sentence; further entries are further sentences about the same person. Frames are ``frames/<video>/image_%06d.jpg``,
30 a second, numbered from second 900; the clip of a timestamp t is the 90 from (t − 900) · 30 − 45, its key frame the
middle one.
"""

import os
import pickle
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np

from refatomnet.actions import NUM_ACTIONS
from refatomnet.errors import DataError, SentenceError
from refatomnet.records import (
    FILM_FPS,
    FILM_FRAMES,
    Record,
    film_frame,
    film_start,
    is_name,
    is_number,
    read_records,
)
from refatomnet.text import split_words

PARTS = ("keyframe", "label", "description")
KEY_FRAME = FILM_FRAMES // 2
IN_PIXELS = 2.0  # what exceeds this in a box is no fraction, however far the box leaves the frame
NO_FILM = "of a film without frames"
SLACK = 0.01  # by how much a fraction may leave [0, 1]; detectors' boxes do, and are clamped


def read_split(folder: str | Path, split: str) -> list[Record]:
    """The records of a split in either form: JSON lines, or else RefAVA++'s pickles.

    Raises:
        DataError: If neither is there, or they do not follow their form.
    """
    folder = Path(folder)
    if (lines := folder / f"{split}.jsonl").exists():
        return read_records(lines)
    if any(pickle_path(folder, split, part).exists() for part in PARTS):
        return read_refava(folder, split)
    raise DataError(f"{folder} has no split {split!r}: expected {lines.name}, or {split}_{{{','.join(PARTS)}}}.pkl")


@dataclass
class Report:
    """What became of the keys of a split: number read, and the refused ones by reason.

    boxes: What the boxes are in, "fractions" or "pixels". unasked: Number of people of AVA's table without a sentence.
    """

    people: int = 0
    refused: dict[str, list[str]] = field(default_factory=dict)
    boxes: str = "fractions"
    unasked: int = 0

    def refuse(self, reason: str, key: str) -> None:
        self.refused.setdefault(reason, []).append(key)

    def __str__(self) -> str:
        reasons = [
            f"{len(keys)} {reason} (such as {ascii(keys[0])[1:-1]})" for reason, keys in sorted(self.refused.items())
        ]
        return "; ".join([f"{self.people} people read, {sum(map(len, self.refused.values()))} refused", *reasons])


class _Refused(Exception):
    """One key is of no use; says why."""


class Films:
    """The frames of films: which are there, and how large they are.

    folder: Holds ``<video>/image_%06d.jpg``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._listed: tuple[str, frozenset[str]] = ("", frozenset())  # of the film asked about last, for they are many
        self._judged: tuple[tuple[str, int], str | None] = (("", 0), None)
        self._sized: tuple[Path, tuple[int, int] | None] = (Path(), None)

    def fault(self, video: str, timestamp: int) -> str | None:
        """Why the 3 s around this second cannot be shown; None where all their frames are there."""
        if self._judged[0] != (video, timestamp):
            self._judged = (video, timestamp), self._fault(video, film_start(timestamp))
        return self._judged[1]

    def _fault(self, video: str, start: int) -> str | None:
        if self._listed[0] != video:
            try:
                self._listed = video, frozenset(os.listdir(self.folder / video))
            except OSError:
                self._listed = video, frozenset()
        if not self._listed[1]:
            return NO_FILM
        paths = [self._path(video, start + i) for i in range(FILM_FRAMES)]
        if any(path.name not in self._listed[1] for path in paths):
            return f"whose {FILM_FRAMES} frames are not all there"
        if not cv2.haveImageReader(str(paths[KEY_FRAME])):  # all of them would take hours
            return "with a key frame that is no picture"
        return None

    def key_size(self, video: str, timestamp: int) -> tuple[int, int] | None:
        """Width and height of a key frame in pixels; None where there is no such picture."""
        path = self._path(video, film_start(timestamp) + KEY_FRAME)
        if self._sized[0] != path:
            image = cv2.imread(str(path))
            self._sized = path, None if image is None else (image.shape[1], image.shape[0])
        return self._sized[1]

    def _path(self, video: str, number: int) -> Path:
        return self.folder / video / film_frame(Path(), video, number).name


def read_refava(
    folder: str | Path, split: str, report: Report | None = None, films: Films | None = None
) -> list[Record]:
    """Records of a split in RefAVA++'s form, joined by key, sorted by key, one for each sentence.

    Boxes are fractions of the frame, or pixels, which the key frame's picture then turns into fractions.

    Args:
        folder: Holds the pickles, and ``frames``.
        split: "train", "val" or "test".
        report: Takes what is refused; without one, anything refused is an error, and so are no records at all.
        films: Those whose frames must be there; without them, ``frames`` is asked only for the size of boxes in pixels.

    Raises:
        DataError: If a pickle is missing, or holds anything but plain data; without a report also if a key is refused.
    """
    folder, found = Path(folder), report or Report()
    tables = {part: read_pickle(pickle_path(folder, split, part)) for part in PARTS}
    records = join(tables, split, found, films or Films(folder / "frames"), complete=films is not None)
    if report is None and (found.refused or not records):
        raise DataError(f"{folder}, split {split}: {found}; training.convert keeps what it refuses out of the records")
    return records


def join(
    tables: dict[str, dict[str, Any]], split: str, report: Report, films: Films, *, complete: bool
) -> list[Record]:
    """Records of three tables by key, as the pickles hold them.

    Args:
        tables: By "keyframe", "label" and "description".
        split: What the records say they are of.
        report: Takes what is refused.
        films: The frames.
        complete: Whether people are refused whose frames are not all there.
    """
    boxes = [box for entry in tables["keyframe"].values() if (box := _corners(_plain(entry)))]
    # The many decide: one mistaken box must not turn all the others into boxes of the other kind.
    in_pixels = sum(max(box) > IN_PIXELS for box in boxes) > sum(max(box) <= 1 + SLACK for box in boxes)
    report.boxes = "pixels" if in_pixels else "fractions"
    records: list[Record] = []
    for key in sorted(set().union(*tables.values())):
        try:
            records += _records(split, key, tables, films, in_pixels, complete)
            report.people += 1
        except (_Refused, DataError) as error:
            report.refuse(str(error), key)
    return records


def _records(
    split: str, key: str, tables: dict[str, dict], films: Films, in_pixels: bool, complete: bool
) -> list[Record]:
    lacking = [part for part in PARTS if key not in tables[part]]
    if lacking:
        raise _Refused(f"without {' and '.join(lacking)}")
    names = key.rsplit("___", 2)  # a film's name may hold or end in underscores
    if len(names) != 3 or not names[0] or not names[2]:
        raise _Refused("not of the form <video>___<timestamp>___<person id>")
    video, second, person = names
    if not re.fullmatch("[0-9]{1,9}", second):
        raise _Refused("with a timestamp that is no whole second")
    if not is_name(video) or not video.isprintable():
        raise _Refused("of a film whose name is a path or no text")
    timestamp = int(second)
    if film_start(timestamp) < 0:
        raise _Refused("whose 3 s begin before the first frame")
    if complete and (fault := films.fault(video, timestamp)):
        raise _Refused(fault)
    values = _fractions(_plain(tables["keyframe"][key]), in_pixels, lambda: films.key_size(video, timestamp))
    box = _inside(values)
    actions = _plain(tables["label"][key])
    if not isinstance(actions, list) or not all(is_number(a) and a == int(a) for a in actions):
        raise _Refused("with labels that are no list of ids")
    if not actions:
        raise _Refused("without any label")
    description = _plain(tables["description"][key])
    if not isinstance(description, list) or not description or not isinstance(description[0], str):
        raise _Refused("with a description that is no list of sentences")
    if not description[0].strip():
        raise _Refused("with an empty sentence")
    for sentence in description:
        if isinstance(sentence, str) and sentence.strip():
            try:
                split_words(sentence)
            except SentenceError:
                raise _Refused("with a sentence that is too long, or has no English words") from None
    ids = tuple(sorted({int(a) for a in actions}))
    if not 1 <= ids[0] <= ids[-1] <= NUM_ACTIONS:
        raise _Refused(f"with a label that is not from 1 to {NUM_ACTIONS}")
    return [
        Record(video, timestamp, person, split, sentence, ids, box, None, KEY_FRAME, float(FILM_FPS))
        for sentence in description
        if isinstance(sentence, str) and sentence.strip()
    ]


def _fractions(entry: Any, in_pixels: bool, size: Callable[[], tuple[int, int] | None]) -> list[float]:
    values = _corners(entry)
    if values is None:
        raise _Refused("with a key frame that does not start x1, y1, x2, y2")
    if not in_pixels:
        if max(values) > IN_PIXELS:
            raise _Refused("with a box that may be in pixels among boxes in fractions")
        return values
    if max(values) <= IN_PIXELS:
        raise _Refused("with a box that may be in fractions among boxes in pixels")
    sides = size()
    if sides is None:
        raise _Refused("with a box in pixels and no picture of the key frame to tell its size")
    return [v / side for v, side in zip(values, sides * 2, strict=True)]


def _inside(values: list[float]) -> tuple[float, float, float, float]:
    if min(values) < -SLACK or max(values) > 1 + SLACK:
        raise _Refused("with a box that leaves the frame")
    x1, y1, x2, y2 = (min(max(v, 0.0), 1.0) for v in values)
    if x1 >= x2 or y1 >= y2:
        raise _Refused("with an empty box")
    return x1, y1, x2, y2


def _corners(entry: Any) -> list[float] | None:
    first = entry[0] if isinstance(entry, list) and entry else None
    if not isinstance(first, list) or len(first) < 4 or not all(is_number(v) for v in first[:4]):
        return None
    return [float(v) for v in first[:4]]


def _plain(value: Any, levels: int = 4) -> Any:
    """Tuples and arrays as lists; None below so many levels, for a list may hold itself."""
    if isinstance(value, _Array):
        value = value.value
    if not isinstance(value, list | tuple):
        return value
    return [_plain(entry, levels - 1) for entry in value] if levels else None


def pickle_path(folder: Path, split: str, part: str) -> Path:
    return folder / f"{split}_{part}.pkl"


def read_pickle(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            table = _PlainUnpickler(file).load()
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); RefAVA++'s form has three pickles a split"
        ) from error
    except Exception as error:  # a broken pickle can raise nearly anything
        why = " ".join(str(error).split())  # a pickle has a say in it
        raise DataError(f"{path}: no pickle of plain data ({why})") from error
    if not isinstance(table, dict) or not all(isinstance(key, str) for key in table):
        what = "keys that are no texts" if isinstance(table, dict) else type(table).__name__
        raise DataError(f"{path}: holds {what}, expected a dict by <video>___<timestamp>___<person id>")
    return table


# ---- plain pickles ------------------------------------------------------------------------------------------------
class _Dtype:
    """Stands for a NumPy dtype; NumPy's own believes what a pickle says of its memory."""

    def __init__(self, code: str, *_: Any) -> None:
        dtype = np.dtype(code) if isinstance(code, str) else None
        if dtype is None or dtype.kind not in "biufSUO" or dtype.subdtype:
            raise pickle.UnpicklingError(f"it names a dtype {code!r}, which is of neither numbers nor text")
        self.dtype = dtype

    def __setstate__(self, state: tuple) -> None:
        if state[1] in (">", "<"):
            self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Stands for a NumPy array; ``value`` is the array as lists and scalars."""

    value: Any = None

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, by_column, data = state
        self.value = _values(data, dtype, shape, "F" if by_column else "C")


def _values(data: Any, dtype: _Dtype, shape: tuple[int, ...], order: Any) -> Any:
    if dtype.dtype.hasobject:
        flat = np.empty(len(data), dtype=object)
        for i, entry in enumerate(data):  # one by one: an entry may be a list
            flat[i] = entry
    else:
        flat = np.frombuffer(data, dtype.dtype)
    return flat.reshape(shape, order=order).tolist()


def _from_buffer(data: Any, dtype: _Dtype, shape: tuple[int, ...], order: str) -> _Array:
    array = _Array()
    array.value = _values(data, dtype, shape, order)
    return array


def _scalar(dtype: _Dtype, data: bytes) -> Any:
    return _values(data, dtype, (), "C")


class _PlainUnpickler(pickle.Unpickler):
    """Loads containers, numbers, strings and NumPy arrays; whatever else a pickle names is refused, not run.

    What it does name are stand-ins, made anew for each file: a pickle may also set attributes of what it names.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._known: dict[str, Any] = {
            "collections.OrderedDict": lambda *items: dict(*items),
            "collections.defaultdict": lambda *_: {},
            "numpy.ndarray": None,  # only told to the next one
            "numpy._core.multiarray._reconstruct": lambda *_: _Array(),
            "numpy._core.multiarray.scalar": lambda *given: _scalar(*given),
            "numpy._core.numeric._frombuffer": lambda *given: _from_buffer(*given),
            "numpy.dtype": lambda *given: _Dtype(*given),
            "_codecs.encode": lambda text, _: text.encode("latin1"),  # bytes, as old protocols write them
            **{f"builtins.{kind.__name__}": None for kind in (list, dict, int, float, str)},  # told to defaultdict
        }

    def find_class(self, module: str, name: str) -> Any:
        newer = module.replace("numpy.core.", "numpy._core.").replace("__builtin__", "builtins")
        if f"{newer}.{name}" not in self._known:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is neither a plain container nor an array")
        return self._known[f"{newer}.{name}"]
