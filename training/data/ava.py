"""AVA's own table of people and what they do, joined with a table of sentences about some of them.

AVA's is a CSV without a header: video_id, middle_frame_timestamp, x1, y1, x2, y2 (fractions of the frame), action_id,
person_id; a row an action, so a person at a second has several. The sentences are a CSV whose header names video,
timestamp, person_id and sentence; a row a sentence. Seconds and people are whole numbers, and 0902 is 902.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from refatomnet.errors import DataError
from refatomnet.records import Record
from refatomnet.refava import PARTS, Films, Report, join

COLUMNS = ("video_id", "middle_frame_timestamp", "x1", "y1", "x2", "y2", "action_id", "person_id")
SENTENCES = ("video", "timestamp", "person_id", "sentence")


def read_ava(people: Path, sentences: Path, split: str, report: Report, films: Films) -> list[Record]:
    """Records of the people about whom there is a sentence, joined and sorted by film, second and person.

    Args:
        people: AVA's table, such as ava_train_v2.2.csv.
        sentences: The table of sentences.
        split: What the records say they are of.
        report: Takes what is refused, rows by file and line, and the number of people without a sentence.
        films: Whose frames must be there.

    Raises:
        DataError: If a table cannot be read, or no row of it has the columns it should have.
    """
    tables: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
    tables["description"] = said = _said(sentences, report)
    unasked, torn = set(), set()
    for where, row in _rows(people):
        key = _key(row[0], row[1], row[7]) if len(row) == len(COLUMNS) else None
        if key is None:
            report.refuse(f"a row of {people.name} that is not {','.join(COLUMNS)}", where)
        elif key not in said:
            unasked.add(key)
        else:
            box = [[_number(text) for text in row[2:6]]]
            if tables["keyframe"].setdefault(key, box) != box:
                torn.add(key)
            tables["label"].setdefault(key, []).append(_number(row[6]))
    report.unasked = len(unasked)
    if not unasked and not tables["label"]:
        raise DataError(f"{people} has no row of AVA's table; expected rows of {','.join(COLUMNS)}, without a header")
    for key in sorted(torn):
        report.refuse(f"with two boxes at one second in {people.name}", key)
    for key in sorted(said.keys() - tables["label"].keys()):
        report.refuse(f"without a row in {people.name}", key)
    known = tables["label"].keys() - torn
    tables = {part: {key: table[key] for key in known} for part, table in tables.items()}
    return join(tables, split, report, films, complete=True)


def _said(path: Path, report: Report) -> dict[str, list[str]]:
    """Sentences by key."""
    said: dict[str, list[str]] = {}
    rows = _rows(path)
    header = [name.strip() for name in next(rows, ("", []))[1]]
    lacking = [name for name in SENTENCES if header.count(name) != 1]
    if lacking:
        raise DataError(f"{path} needs a header with {','.join(SENTENCES)}, each once; look at {', '.join(lacking)}")
    places = [header.index(name) for name in SENTENCES]
    for where, row in rows:
        values = [row[place] if place < len(row) else "" for place in places]
        key = _key(*values[:3])
        if key is None:
            report.refuse(f"a row of {path.name} without film, whole second and whole number of a person", where)
        elif len(row) != len(header):
            report.refuse(f"a row of {path.name} with more or fewer columns than its header", where)
        elif not values[3].strip():
            report.refuse(f"a row of {path.name} with an empty sentence", where)
        elif (sentence := values[3].strip()) not in said.setdefault(key, []):
            said[key].append(sentence)
    return said


def _rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    """(file and line, its fields) for every line that is not empty."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            for row in reader:
                if row:
                    yield f"{path.name}:{reader.line_num}", row
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected a CSV file") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: no CSV file in UTF-8 ({error})") from error


def _key(video: str, timestamp: str, person: str) -> str | None:
    """RefAVA's key, in one spelling; None where a part of it is none."""
    numbers = [re.fullmatch(r"([0-9]{1,9})(?:\.0*)?", text.strip()) for text in (timestamp, person)]
    if not video.strip() or not all(numbers):
        return None
    return "___".join([video.strip(), *(str(int(number[1])) for number in numbers if number)])


def _number(text: str) -> float | str:
    """The number, or what is there in its place, for whoever joins the tables to refuse."""
    try:
        return float(text)
    except ValueError:
        return text
